// Shows what is going on: the run, the latest result, the instruments, alarms. It changes only what is another.

import { age, clockTime, dateTime, ppm, span } from "./scale.js";
import { at, attribute, el, text } from "./dom.js";
import { gasKey } from "./samples.js";

export const STALE = 12; // seconds without a word from gaserad

const WORDS = {
  IDLE: "Idle", HOMING: "Homing", SWITCHING: "Switching", PURGING: "Purging", MEASURING: "Measuring", PAUSED: "Paused", ABORTED: "Aborted", FAILED: "Failed",
};
const DEVICE = { gas_exchange: "gas exchange", self_test: "self-test", laser_scan: "laser scan", laser_tuning: "laser tuning", initialization_error: "initialization error" };

export const phaseWord = (phase) => WORDS[phase] ?? phase;

/** `page`: { model, now() ms of the daemon, silent() seconds, known }. */
export function showNow(page) {
  const { model } = page;
  showRun(page);
  showReadings(page);
  showDevices(page);
  showAlarms(page);
  const silent = page.silent();
  attribute(at("now-view"), "data-stale", silent >= STALE ? "true" : null);
  const invented = model.multiplexer?.simulated === true; // a valve that is not there, beside a real analyzer
  text(at("simulated"), invented ? "Valve simulated: no sample is good" : "Simulated");
  attribute(at("simulated"), "hidden", model.simulated || invented ? null : "");
  text(at("clock"), model.known ? dateTime(page.now()).slice(0, silent >= STALE ? 0 : 19) : "");
  document.title = `${model.run ? `${phaseWord(model.phase)}${channelNow(model)} ${model.progress?.overall_percent ?? 0} %` : phaseWord(model.phase)} · gaserad`;
}

function channelNow({ phase, progress }) {
  return progress && ["PURGING", "MEASURING", "SWITCHING", "PAUSED"].includes(phase) ? ` ch ${progress.current_channel + 1}` : "";
}

function showRun({ model, now, silent, known }) {
  const { progress, run } = model;
  const stale = silent() >= STALE;
  text(at("phase"), model.known ? phaseWord(model.phase) : "–");
  attribute(at("phase"), "data-phase", model.phase);
  const channel = run && progress ? progress.current_channel + 1 : null;
  const label = channel ? known.label(channel) : "";
  text(at("phase-where"), channel ? `channel ${channel}${label ? ` · ${label}` : ""}` : "");
  const left = model.until ? (Date.parse(model.until) - now()) / 1000 : null;
  const until = left === null || stale ? "" : left > 0 ? ` until ${clockTime(Date.parse(model.until))}, ${span(left)} to go` : " any moment now";
  text(at("waiting"), model.waitingFor && run ? `Waiting for ${model.waitingFor}${until}` : model.known ? "No run is under way." : "Waiting for gaserad.");
  text(at("repeat"), run && progress ? `${Math.min(progress.repeat_index + 1, progress.repeat_total)}/${progress.repeat_total}` : "–");
  for (const [name, percent] of [["repeat", progress?.percent], ["overall", progress?.overall_percent]]) {
    const told = run || model.lastRun ? percent ?? 0 : 0;
    at(`${name}-bar`).value = told;
    text(at(`${name}-percent`), `${told} %`);
  }
  showFacts(model, now());
  showQueue(model);
}

function showFacts(model, now) {
  const { run, lastRun, progress } = model;
  if (run && progress) {
    const total = progress.tt_seconds;
    const left = total === null ? null : total - progress.elapsed_seconds;
    facts(at("run-facts"), [
      ["Elapsed", `${span(progress.elapsed_seconds)}${total === null ? "" : ` of about ${span(total)}`}`],
      ["Ends about", left === null ? "–" : dateTime(now + left * 1000).slice(0, 16)],
      ["Visits", `${progress.step_index} of ${progress.total_steps}`],
      ["Samples", `${run.good_records} good of ${run.records}`],
      ["Plan", planWords(run.plan)],
      ["Run", run.plan.label || run.id],
    ]);
  } else if (lastRun) {
    facts(at("run-facts"), [
      ["Last run", lastRun.plan.label || lastRun.id],
      ["Outcome", `${lastRun.outcome}${lastRun.reason ? `: ${lastRun.reason}` : ""}`],
      ["Ended", dateTime(Date.parse(lastRun.ended))],
      ["Took", span((Date.parse(lastRun.ended) - Date.parse(lastRun.started)) / 1000)],
      ["Samples", `${lastRun.good_records} good of ${lastRun.records}`],
      ["Plan", planWords(lastRun.plan)],
    ]);
  } else facts(at("run-facts"), []);
}

function showQueue({ queued }) {
  const words = queued.map((one) => `${one.label || one.run_id}${one.begins ? `, at ${dateTime(Date.parse(one.begins)).slice(0, 16)}` : ", when the run is over"}`);
  text(at("queue"), words.length ? `Waiting to begin: ${words.join("; ")}` : "");
}

export function planWords(plan) {
  const each = plan.iterations ? `${plan.iterations} iterations` : span(plan.measure_s);
  return `${channelList(plan.channels)} × ${plan.repeats}, purge ${span(plan.purge_s)}, measure ${each}`;
}

/** 1-4, 7 */
export function channelList(channels) {
  const runs = [];
  for (const channel of channels) {
    const last = runs.at(-1);
    if (last && channel === last[1] + 1) last[1] = channel;
    else runs.push([channel, channel]);
  }
  return runs.map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(", ");
}

/** A list of names and values that keeps its elements. */
export function facts(list, pairs) {
  while (list.children.length > pairs.length) list.lastElementChild.remove();
  pairs.forEach(([name, value, state], index) => {
    const row = list.children[index] ?? list.appendChild(el("div", {}, el("dt"), el("dd")));
    text(row.firstElementChild, name);
    text(row.lastElementChild, value);
    attribute(row.lastElementChild, "data-state", state ?? null);
  });
}

function showReadings({ model, now, known }) {
  const { latest } = model;
  const list = at("readings");
  const gases = latest?.components ?? [];
  const old = latest ? (now() - Date.parse(latest.sampled)) / 1000 : 0;
  const offline = model.analyzer && !model.analyzer.online;
  text(at("readings-of"), latest ? readingsOf(latest, known, old) : "none yet");
  attribute(at("readings-of"), "data-state", latest && (latest.qc !== "good" || latest.attribution !== "exact") ? "warn" : null);
  while (list.children.length > gases.length) list.lastElementChild.remove();
  gases.forEach((gas, index) => {
    const node = list.children[index] ?? list.appendChild(el("li", {}, el("i"), el("span", { class: "name" }), el("b", { class: "num" }), el("span", { class: "unit" }, "ppm"), el("small")));
    const [swatch, name, value, , small] = node.children;
    swatch.style.background = gas.color;
    text(name, known.gas(gasKey(gas)).symbol);
    text(value, ppm(gas.ppm));
    text(small, `${age(old)} ago${gas.discard ? " · not used" : ""}`);
    attribute(node, "data-stale", offline || gas.discard ? "true" : null);
  });
}

function readingsOf(latest, known, old) {
  const label = latest.channel ? known.label(latest.channel) : "";
  const where = latest.channel ? `channel ${latest.channel}${label ? ` ${label}` : ""}` : "channel not known";
  const flags = latest.flags.length ? ` · ${latest.flags.join(", ")}` : "";
  return `${where}${latest.repeat ? ` · repeat ${latest.repeat}` : ""} · drawn ${clockTime(Date.parse(latest.sampled))}, ${age(old)} ago · ${latest.attribution}, ${latest.qc}${latest.discard ? ", left out" : ""}${flags}`;
}

function showDevices({ model, known }) {
  const { analyzer, multiplexer } = model;
  if (!analyzer || !multiplexer) return;
  const word = (value) => (value && typeof value === "object" ? `other (${value.other})` : DEVICE[value] ?? value ?? "–");
  const state = analyzer.online ? word(analyzer.status) : `offline${analyzer.reason ? `: ${analyzer.reason}` : ""}`;
  const phase = analyzer.online && analyzer.phase && analyzer.phase !== "none" ? ` · ${word(analyzer.phase)}` : "";
  const errors = analyzer.errors ?? [];
  const offset = analyzer.clock_offset_s;
  const position = multiplexer.position ?? { state: "unknown" };
  const where = position.state === "at" ? `at ${position.channel}${known.label(position.channel) ? ` ${known.label(position.channel)}` : ""}` : position.state;
  facts(at("devices"), [
    ["Analyzer", state + phase, analyzer.online ? "ok" : "bad"],
    ["Iteration", analyzer.iteration ?? "–"],
    ["Errors", errors.length ? errors.join("; ") : "none", errors.length ? "bad" : null],
    ["Identity", (analyzer.identity ?? []).filter(Boolean).join(" · ") || analyzer.address],
    ["Clock", offset === null || offset === undefined ? "–" : `${offset > -0.05 ? "+" : "−"}${Math.abs(offset).toFixed(1)} s against this computer${model.clockSynchronized === false ? ", which is not synchronized" : ""}`, model.clockSynchronized === false ? "warn" : null],
    ["Valve", multiplexer.fault || `${where}${position.verification ? ` · ${VERIFIED[position.verification] ?? position.verification}` : ""}`, multiplexer.fault ? "bad" : position.state === "at" ? "ok" : "warn"],
    ["Driver", `${multiplexer.driver}, ${multiplexer.channels} channels${multiplexer.actuations ? `, ${multiplexer.actuations} moves` : ""}`],
  ]);
}

const VERIFIED = { readback: "read back", homed_count: "counted from home", none: "not verified" };

function showAlarms({ model }) {
  const list = at("alarms");
  const key = model.alarms.map((one) => `${one.timestamp}${one.code}`).join();
  if (list.dataset.key === key && list.children.length) return;
  list.dataset.key = key;
  if (!model.alarms.length) return list.replaceChildren(el("li", { class: "muted" }, "None."));
  list.replaceChildren(...model.alarms.map((alarm) => el("li", { "data-severity": alarm.severity },
    el("time", { class: "num" }, dateTime(alarm.timestamp * 1000).slice(5)), el("b", {}, alarm.severity), el("span", {}, alarm.text), el("code", {}, alarm.code))));
  return undefined;
}
