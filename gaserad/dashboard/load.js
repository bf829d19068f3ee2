// Fetches a run and its samples, piece by piece between two frames, so that the page answers meanwhile.

import { Fields, reader } from "./csv.js";
import { Samples } from "./samples.js";
import { breathe } from "./dom.js";

const SLICE = 8; // ms of work at once
const PIECE = 16384; // characters

export async function getJson(path, signal) {
  const answer = await fetch(path, { signal, cache: "no-store" });
  if (!answer.ok) throw await refusal(answer, `GET ${path}`);
  return answer.json();
}

export async function refusal(answer, what) {
  const told = await answer.json().catch(() => ({}));
  const error = new Error(told.message ?? `${what} was answered with ${answer.status}`);
  return Object.assign(error, { status: answer.status, errors: told.errors ?? [], code: told.error });
}

/** The samples of a run. `progress(count)` is told now and then. */
export async function loadSamples(run, signal, progress = () => {}) {
  const samples = new Samples(run);
  const path = `/runs/${encodeURIComponent(run)}/samples.csv`;
  const answer = await fetch(path, { signal, cache: "no-store" });
  if (!answer.ok) throw await refusal(answer, `GET ${path}`);
  const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const fields = new Fields();
  let read = null;
  let begun = performance.now();
  for (;;) {
    const { value, done } = await pieces.read();
    if (done) return samples;
    for (let from = 0; from < value.length; from += PIECE) {
      for (const line of fields.push(value.slice(from, from + PIECE))) {
        if (!read) read = reader(line);
        else samples.push(read(line));
      }
      if (performance.now() - begun < SLICE) continue;
      progress(samples.length);
      await breathe();
      signal?.throwIfAborted();
      begun = performance.now();
    }
  }
}

/** Visits of GET /runs/{id} as the chart shows them. */
export function spans(visits) {
  return visits.map((visit) => ({ channel: visit.channel, from: Date.parse(visit.arrived), to: visit.left ? Date.parse(visit.left) : null }));
}

/** Past events of some types, at most `limit`: all that were numbered after `since` until now. */
export async function pastEvents(query, since, limit) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), 8000);
  const events = [];
  try {
    const answer = await fetch(`/events?format=jsonl&since=${since}&${query}`, { signal: stop.signal, cache: "no-store" });
    if (!answer.ok) return events;
    const pieces = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let quiet = 0;
    for (;;) {
      // What is replayed comes at once; a pause means that it is over.
      quiet = setTimeout(() => stop.abort(), 600);
      const { value, done } = await pieces.read();
      clearTimeout(quiet);
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.trim()) continue;
        const event = JSON.parse(line);
        if (event.id !== undefined && !["snapshot", "gap"].includes(event.type)) events.push(event);
      }
      if (events.length > limit) events.splice(0, events.length - limit);
    }
  } catch {
    // Stopped, which is how this ends.
  } finally {
    clearTimeout(late);
    stop.abort();
  }
  return events;
}
