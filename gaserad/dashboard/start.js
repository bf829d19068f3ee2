// The form that starts a run. Everything in it is checked by the daemon while it is filled in; nothing is checked here.

import { at, el, recall, remember } from "./dom.js";
import { dateTime, span } from "./scale.js";
import { getJson } from "./load.js";
import { phaseWord } from "./now.js";
import { post, show } from "./control.js";

const WAIT = 350; // ms after the last key

const FIELDS = [
  { name: "repeats", label: "Repeats", type: "number", min: 1, max: 10000, hint: "as configured" },
  { name: "purge", label: "Purge each channel", hint: "as configured, like 5m" },
  { name: "measure", label: "Measure each channel", hint: "as configured, like 10m" },
  { name: "iterations", label: "or so many good iterations", type: "number", min: 1, hint: "–" },
  { name: "label", label: "Label", hint: "a short name", maxlength: 100 },
  { name: "note", label: "Note", hint: "worth knowing about the run", maxlength: 500 },
];
const MORE = [
  { name: "discard_first", label: "Leave out after each arrival", type: "number", min: 0, hint: "samples" },
  { name: "background", label: "Background channel", type: "number", min: 1, hint: "none" },
  { name: "align", label: "Begin at the next", hint: "now; or like 30m" },
];
const CHOICES = [
  { name: "sync", label: "Leave a channel", options: [["", "as configured"], ["analyzer", "between two gas exchanges"], ["dwell", "after exactly these times"]] },
  { name: "if_busy", label: "If a run is under way", options: [["", "refuse"], ["wait", "wait until it is over"]] },
  { name: "if_measuring", label: "If somebody else made the analyzer measure", options: [["", "refuse"], ["stop", "stop that first"], ["adopt", "take it as it is"]] },
];

export async function openStart(page) {
  const [tasks, plans] = await Promise.all([getJson("/tasks").catch(() => null), getJson("/plans").catch(() => null)]);
  const last = recall("start", {});
  const inputs = {};
  const field = ({ name, label, hint, ...rest }) => {
    inputs[name] = el("input", { id: `start-${name}`, name, placeholder: hint, autocomplete: "off", value: last[name] ?? "", "aria-describedby": `start-${name}-error`, ...rest });
    return row(name, label, inputs[name]);
  };
  const choice = ({ name, label, options }) => {
    inputs[name] = el("select", { id: `start-${name}`, name, "aria-describedby": `start-${name}-error` }, ...options.map(([value, words]) => el("option", { value, selected: value === (last[name] ?? "") }, words)));
    return row(name, label, inputs[name]);
  };
  const check = (name, label) => {
    inputs[name] = el("input", { id: `start-${name}`, name, type: "checkbox" });
    return el("label", { class: "check" }, inputs[name], label);
  };
  const known = (plans?.plans ?? []).map((plan) => [plan.name, plan.name]);
  const taskList = (tasks?.tasks ?? []).map((task) => [task.name, `${task.name} (${task.id})`]);
  const picker = channels(page, last.channels ?? "", () => later());
  inputs.channels = picker.input;
  const result = el("div", { class: "checked", role: "status", id: "start-checked" });
  const go = el("button", { type: "submit", class: "primary" }, "Start");
  const form = el("form", { class: "start", novalidate: true },
    el("h2", { id: "dialog-title" }, "Start a run"),
    known.length ? choice({ name: "plan", label: "Plan", options: [["", "none: as below"], ...known] }) : null,
    row("channels", "Channels", picker.node),
    el("div", { class: "pairs" }, ...FIELDS.map(field), choice({ name: "task", label: "Task", options: [["", "as configured"], ...taskList] })),
    el("details", {}, el("summary", {}, "More"), el("div", { class: "pairs" }, ...MORE.map(field), ...CHOICES.map(choice)),
      check("no_overlap", "Let the valve wait for each result"), check("save_on_device", "Keep the results on the analyzer too"), check("ignore_errors", "Start although the analyzer reports errors")),
    result,
    el("div", { class: "row end" }, el("button", { type: "button", class: "plain", onclick: () => at("dialog").close() }, "Cancel"), go));

  let timer = 0;
  let round = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(review, WAIT);
  };
  const review = async () => {
    const mine = ++round;
    try {
      const told = await post("/plan/check", read(inputs));
      if (mine === round) tell(form, result, go, told, page.model.simulated);
    } catch (error) {
      if (mine === round) tell(form, result, go, { errors: [...(error.errors ?? []), ...(error.errors?.length ? [] : [{ sentence: error.message }])], warnings: [] });
    }
  };
  form.addEventListener("input", later);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    try {
      await post("/control/start", read(inputs));
      remember("start", Object.fromEntries(Object.entries(inputs).filter(([, input]) => input.type !== "checkbox").map(([name, input]) => [name, input.value])));
      at("dialog").close();
    } catch (error) {
      tell(form, result, go, { errors: error.errors?.length ? error.errors : [{ sentence: error.message }], warnings: [] });
      go.disabled = false;
    }
  });
  show(form);
  review();
}

function row(name, label, input) {
  return el("div", { class: "field" }, el("label", { for: `start-${name}` }, label), input, el("span", { class: "error", id: `start-${name}-error` }));
}

/** A list as text and as buttons, each following the other. */
function channels(page, value, changed) {
  const count = page.model.multiplexer?.channels ?? 31;
  const input = el("input", { id: "start-channels", name: "channels", placeholder: "as configured; like 1-8,12,!5 or all", autocomplete: "off", value, "aria-describedby": "start-channels-error" });
  const buttons = Array.from({ length: count }, (_, index) => el("button", { type: "button", "aria-pressed": "false", title: page.known.label(index + 1) || `Channel ${index + 1}`, onclick: ({ currentTarget }) => {
    currentTarget.setAttribute("aria-pressed", String(currentTarget.getAttribute("aria-pressed") !== "true"));
    write();
  } }, String(index + 1)));
  const write = () => {
    const chosen = buttons.flatMap((button, index) => (button.getAttribute("aria-pressed") === "true" ? [index + 1] : []));
    input.value = ranges(chosen);
    changed();
  };
  const press = (chosen) => buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(chosen.has(index + 1))));
  const set = (chooses) => () => {
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(chooses(button.getAttribute("aria-pressed") === "true"))));
    write();
  };
  input.addEventListener("input", () => press(parseChannels(input.value, count)));
  press(parseChannels(value, count));
  const plain = (name, act) => el("button", { type: "button", class: "plain", onclick: act }, name);
  const node = el("div", {}, input, el("div", { class: "pick", role: "group", "aria-label": "Channels" }, ...buttons),
    el("div", { class: "row" }, plain("all", set(() => true)), plain("none", set(() => false)), plain("invert", set((was) => !was))));
  return { input, node };
}

/** What a list means, as far as it can be read; whether it is right the daemon says. */
export function parseChannels(words, count) {
  const chosen = new Set();
  for (const part of words.split(",").map((one) => one.trim())) {
    const match = /^(!?)(?:(\d+)(?:-(\d+))?|all)$/.exec(part);
    if (!match) continue;
    const [from, to] = match[2] ? [Number(match[2]), Number(match[3] ?? match[2])] : [1, count];
    for (let channel = from; channel <= Math.min(to, count); channel += 1) chosen[match[1] ? "delete" : "add"](channel);
  }
  return chosen;
}

export function ranges(channels) {
  const parts = [];
  for (const channel of channels) {
    const last = parts.at(-1);
    if (last && last[1] === channel - 1) last[1] = channel;
    else parts.push([channel, channel]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
}

function read(inputs) {
  const body = {};
  for (const [name, input] of Object.entries(inputs)) {
    if (input.type === "checkbox") {
      if (input.checked) body[name === "no_overlap" ? "overlap" : name] = name !== "no_overlap";
    } else if (input.value.trim() !== "") body[name] = input.type === "number" ? Number(input.value) : input.value.trim();
  }
  return body;
}

function tell(form, result, go, told, simulated = false) {
  const named = new Set();
  for (const node of form.querySelectorAll(".error")) {
    const name = node.id.slice("start-".length, -"-error".length);
    // Sentences may name flags of the command line; the fields are called the same.
    const words = told.errors.filter((error) => error.field === name).map((error) => error.sentence.replaceAll("--", "")).join(" ");
    node.textContent = words;
    form.querySelector(`#start-${name}`)?.setAttribute("aria-invalid", String(words !== ""));
    if (words) named.add(name);
  }
  const rest = told.errors.filter((error) => !named.has(error.field));
  go.disabled = told.errors.length > 0;
  result.replaceChildren(
    ...rest.map((error) => el("p", { class: "error" }, `${error.line ? `line ${error.line}: ` : ""}${error.sentence}`)),
    ...(told.warnings ?? []).map((words) => el("p", { class: "warn" }, words)),
    ...(told.errors.length ? [] : estimate(told, simulated)));
}

/** Its times are those of gaserad's clock, which goes faster in a simulation. */
function estimate(told, simulated) {
  const end = told.end_utc ? `, until about ${dateTime(Date.parse(told.end_utc)).slice(0, 16)}${simulated ? " in the simulation" : ""}` : "";
  const begins = told.begins_utc ? ` It begins at ${dateTime(Date.parse(told.begins_utc)).slice(0, 16)}.` : "";
  return [el("p", {}, el("b", {}, `Takes about ${span(told.estimate_s)}`), `${end}. ${told.channels} × ${told.repeats}, task ${told.task}.${begins}`), told.pace ? el("p", { class: "muted" }, told.pace) : null, timeline(told.timeline ?? [])].filter(Boolean);
}

/** The first repeat, to scale. */
function timeline(entries) {
  const first = entries.filter((entry) => entry.repeat === 1);
  const total = first.reduce((sum, entry) => sum + entry.duration_s, 0);
  const bar = el("div", { class: "timeline", role: "img", "aria-label": `Timeline of the first repeat, ${span(total)}` });
  for (const entry of first) {
    const part = el("i", { "data-phase": entry.phase, title: `${span(entry.offset_s)} ${phaseWord(entry.phase)}${entry.channel ? ` channel ${entry.channel}` : ""}, ${span(entry.duration_s)}` });
    part.style.flexGrow = String(entry.duration_s / total);
    if (entry.phase === "MEASURING" && entry.duration_s / total > 0.04) part.textContent = entry.channel;
    bar.append(part);
  }
  return bar;
}
