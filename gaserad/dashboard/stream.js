// One connection to GET /events: opened, watched, and opened again after the last id. Polls /status when that fails.
//
// It shares nothing and keeps no events; that is hub.js. It needs fetch and timers, no document, and so runs in a
// page, in a worker and in Node.

import { Frames } from "./frames.js";
import { Link } from "./link.js";

const DEFAULTS = { deadAfter: 45000, pollEvery: 2000 };

export class Stream {
  #sink;
  #options;
  #link;
  #abort;
  #timer;
  #poll;
  #restart;
  #lastHeard = 0;

  /** `sink` has `event(event)`, `state(state)` and `beat()`. `options.url` is that of /events, with its filters. */
  constructor(options, sink) {
    this.#options = { ...DEFAULTS, ...options };
    this.#link = new Link(options.patience);
    this.#sink = sink;
    this.lastId = options.since;
  }

  open() {
    if (this.#abort || this.#timer) return;
    this.#link.open();
    this.#tell();
    this.#connect();
  }

  /** Now, not when the delay is over. */
  retry() {
    if (this.#link.state === "connected" || (this.#abort && this.#link.state !== "error")) return;
    this.#stop();
    this.#link.close();
    this.open();
  }

  close() {
    this.#stop();
    this.#link.close();
    this.#tell();
  }

  state() {
    const { state, polling, losses } = this.#link;
    return { state, polling, attempt: losses, reason: this.reason ?? "", status: this.status ?? null, retryAt: this.retryAt ?? null };
  }

  /** The state of everything, as an event. */
  async snapshot() {
    const answer = await fetch(new URL("status", this.#options.url), this.#request());
    if (!answer.ok) throw new Error(`GET /status was answered with ${answer.status}`);
    const data = await answer.json();
    return { type: "snapshot", id: data.seq, data, polled: true };
  }

  #tell() {
    this.#sink.state(this.state());
  }

  #stop() {
    clearTimeout(this.#timer);
    clearInterval(this.#poll);
    this.#abort?.abort();
    this.#timer = this.#poll = this.#abort = undefined;
  }

  #request(signal) {
    const { token, credentials } = this.#options;
    return { signal, cache: "no-store", credentials: credentials ?? "same-origin", headers: token ? { Authorization: `Bearer ${token}` } : {} };
  }

  async #connect() {
    const abort = new AbortController();
    this.#abort = abort;
    const begun = { at: 0 };
    let loss = {};
    try {
      const url = new URL(this.#options.url);
      if (this.lastId !== undefined) url.searchParams.set("since", this.lastId);
      // A connection that is never answered is as dead as one that falls silent.
      const patience = this.#watch(abort);
      try {
        loss = await this.#read(url, abort, begun);
      } finally {
        clearTimeout(patience.timer);
      }
    } catch (error) {
      loss = { reason: abort.signal.reason?.message ?? error?.message ?? String(error) };
    }
    if (this.#abort !== abort) return;
    this.#abort = undefined;
    this.#lost({ ...loss, lived: begun.at ? Date.now() - begun.at : 0 });
  }

  async #read(url, abort, begun) {
    const answer = await fetch(url, this.#request(abort.signal));
    this.#lastHeard = Date.now();
    this.status = answer.status;
    if (!answer.ok || !answer.body) return this.#refusal(answer);
    begun.at = Date.now();
    this.#restart = undefined;
    this.#opened();
    const frames = new Frames();
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (this.#abort !== abort) return {};
      if (done) return { reason: "the stream ended", restart: this.#restart };
      this.#lastHeard = Date.now();
      this.#take(frames.push(decoder.decode(value, { stream: true })));
    }
  }

  async #refusal(answer) {
    const told = await answer.json().catch(() => ({}));
    const reason = told.message ?? told.error?.message ?? told.error ?? `GET /events was answered with ${answer.status}`;
    const after = Number(answer.headers.get("Retry-After"));
    const refused = answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429;
    return { reason: String(reason), refused, after: after > 0 ? after * 1000 : undefined };
  }

  #opened() {
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.reason = "";
    this.retryAt = null;
    this.#link.opened();
    this.#tell();
  }

  #take({ frames, retry }) {
    if (retry !== undefined) this.#link.asked(retry);
    this.#sink.beat();
    for (const frame of frames) {
      let data;
      try {
        data = JSON.parse(frame.data);
      } catch {
        continue;
      }
      const id = frame.id === undefined ? undefined : Number(frame.id);
      if (id !== undefined) this.lastId = id;
      if (frame.type === "system.shutdown") this.#restart = (data.restart_expected_s ?? 5) * 1000;
      this.#sink.event({ type: frame.type, id, data });
    }
  }

  /** Ends a connection from which nothing came for too long. */
  #watch(abort) {
    const { deadAfter } = this.#options;
    const watch = { timer: 0 };
    this.#lastHeard = Date.now();
    const look = () => {
      const left = this.#lastHeard + deadAfter - Date.now();
      if (left <= 0) abort.abort(new Error(`nothing came for ${Math.round(deadAfter / 1000)} s`));
      else watch.timer = setTimeout(look, left + 1);
    };
    watch.timer = setTimeout(look, deadAfter);
    return watch;
  }

  #lost(loss) {
    if (this.#link.state === "disconnected") return;
    if (loss.reason) this.reason = loss.reason;
    const delay = loss.refused ? this.#link.refused() : this.#link.lost(loss);
    this.retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#connect();
    }, delay);
    this.#tell();
    if (this.#link.polling && !this.#poll) {
      this.#poll = setInterval(() => this.#pollOnce(), this.#options.pollEvery);
      this.#pollOnce();
    } else if (!this.#link.polling) {
      clearInterval(this.#poll);
      this.#poll = undefined;
    }
  }

  async #pollOnce() {
    try {
      const event = await this.snapshot();
      if (!this.#poll) return;
      this.#sink.beat();
      this.#sink.event(event);
    } catch {
      // The stream's own attempts tell what is wrong.
    }
  }
}
