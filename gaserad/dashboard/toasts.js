// Short notes about what happens, for those who look or listen; they go by themselves. Nothing that must be kept.

import { span } from "./scale.js";
import { at, el } from "./dom.js";

const LASTS = 8000;
const MOST = 4;
const OLD = 120; // seconds: what is told late is in the lists, not news

const CHANGES = {
  queued: "A run was queued", unqueued: "A queued run was called off", pause_asked: "The run will pause", paused: "The run is paused",
  resumed: "The run goes on", skipped: "The channel is skipped", finish_asked: "The run will finish early", noted: "Note",
};

export function toast(words, kind = "info") {
  const host = at("toasts");
  while (host.children.length >= MOST) host.firstElementChild.remove();
  const note = el("div", { class: "toast", "data-kind": kind }, el("span", {}, words), el("button", { type: "button", class: "plain", "aria-label": "Dismiss", onclick: () => note.remove() }, "×"));
  host.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? LASTS * 2 : LASTS);
}

/** What an event says to people, or nothing: [words, kind]. `rate` is how fast time goes there. */
export function words({ type, data }, now, rate = 1) {
  if (data.sticky || now - data.timestamp > OLD * rate) return null;
  switch (type) {
    case "run.started":
      return [`A run has started${data.run.plan.label ? `: ${data.run.plan.label}` : ""}`, "good"];
    case "run.finished": {
      const { run } = data;
      const took = span((Date.parse(run.ended) - Date.parse(run.started)) / 1000);
      return [`Run ${run.outcome} after ${took}: ${run.good_records} good of ${run.records} samples${run.reason ? `. ${run.reason}` : ""}`, run.outcome === "completed" ? "good" : run.outcome === "failed" ? "bad" : "warn"];
    }
    case "run.updated":
      return [`${CHANGES[data.change] ?? data.change}${data.text && data.text !== data.change ? `: ${data.text}` : ""}`, data.change === "paused" ? "warn" : "info"];
    case "device.connection":
      return data.online ? ["The analyzer is back", "good"] : [`The analyzer is offline${data.reason ? `: ${data.reason}` : ""}`, "bad"];
    case "alarm":
      return [data.text, data.severity === "warning" ? "warn" : "bad"];
    case "system.shutdown":
      return [`gaserad ends: ${data.reason}`, "warn"];
    case "test":
      return [`Test: ${data.message}`, "info"];
    default:
      return null;
  }
}
