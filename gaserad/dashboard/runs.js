// Past runs: the list, and of one what it was, what it brought, what happened, and its files.

import { at, el, text } from "./dom.js";
import { dateTime, ppm, span } from "./scale.js";
import { drift } from "./drift.js";
import { facts, planWords } from "./now.js";
import { gasKey } from "./samples.js";
import { getJson } from "./load.js";
import { words } from "./toasts.js";

const PAGE = 50;
const ROWS = 200; // of a table in the page; the file has all
const FORMATS = ["tidy", "jsonl", "parquet", "netcdf", "gasera-csv", "meas", "goflux", "fluxible", "gasfluxes", "fluxfinder"];

export class Runs {
  #page;
  #stop = null;
  #limit = PAGE;

  constructor(page) {
    this.#page = page;
  }

  async list() {
    const table = at("runs");
    try {
      const { runs } = await getJson(`/runs?limit=${this.#limit}`);
      const head = el("thead", {}, el("tr", {}, ...["Started", "Label", "Outcome", "Samples", "Took"].map((name) => el("th", { scope: "col" }, name))));
      const more = runs.length < this.#limit ? [] : [el("tr", {}, el("td", { colspan: 5 }, el("button", { type: "button", onclick: () => {
        this.#limit += 200;
        this.list();
      } }, "More")))];
      table.replaceChildren(head, el("tbody", {}, ...runs.map((run) => line(run)), ...more));
      if (!runs.length) table.replaceChildren(el("caption", {}, "No run has been made yet."));
      return runs;
    } catch (error) {
      table.replaceChildren(el("caption", {}, error.message));
      return [];
    }
  }

  async show(id) {
    this.#stop?.abort();
    const stop = (this.#stop = new AbortController());
    const body = at("detail-body");
    at("detail").hidden = !id;
    if (!id) return;
    text(at("detail-title"), "Run");
    for (const row of at("runs").querySelectorAll("tr[data-run]")) row.setAttribute("aria-current", String(row.dataset.run === id));
    try {
      const [detail, observed] = await Promise.all([
        getJson(`/runs/${encodeURIComponent(id)}`, stop.signal), getJson(`/runs/${encodeURIComponent(id)}/visits`, stop.signal).catch(() => null)]);
      if (stop.signal.aborted) return;
      const { run } = detail;
      text(at("detail-title"), run.plan.label || `Run of ${dateTime(Date.parse(run.started)).slice(0, 16)}`);
      const list = el("dl", {});
      facts(list, about(run));
      const events = el("div", {}, el("p", { class: "muted" }, "Loading…"));
      body.replaceChildren(list, this.#files(run), section("Notes", notes(detail.notes)), section("Visits", observations(detail, observed, this.#page.known)), section("Drift", drifts(observed, this.#page.known)), section("What happened", events));
      events.replaceChildren(...happened(await history(run.id, stop.signal)));
    } catch (error) {
      if (!stop.signal.aborted) body.replaceChildren(el("p", { class: "error" }, error.message));
    }
  }

  #files(run) {
    const path = `/runs/${encodeURIComponent(run.id)}`;
    return el("div", { class: "row" },
      el("button", { type: "button", class: "primary", onclick: () => this.#page.openRun(run.id) }, "Show in the chart"),
      el("a", { class: "button", href: `${path}/samples.csv`, download: `samples-${run.id}.csv` }, "samples.csv"),
      el("details", {}, el("summary", {}, "Other formats"),
        el("div", { class: "row" }, ...FORMATS.map((format) => el("a", { class: "button", href: `${path}/export?format=${format}`, download: "" }, format)))));
  }
}

function line(run) {
  const link = el("a", { href: `#runs/${run.id}` }, dateTime(Date.parse(run.started)).slice(0, 16));
  const took = run.ended ? span((Date.parse(run.ended) - Date.parse(run.started)) / 1000) : "";
  return el("tr", { "data-run": run.id }, el("td", { class: "num" }, link), el("td", {}, run.plan.label || planWords(run.plan)),
    el("td", { "data-outcome": run.outcome ?? "running" }, run.outcome ?? "under way"), el("td", { class: "num" }, `${run.good_records} / ${run.records}`), el("td", { class: "num" }, took));
}

function about(run) {
  return [
    ["Run", run.id], ["Started", dateTime(Date.parse(run.started))], ["Ended", run.ended ? dateTime(Date.parse(run.ended)) : "under way"],
    ["Outcome", run.outcome ? `${run.outcome}${run.reason ? `: ${run.reason}` : ""}` : "under way"], ["Samples", `${run.good_records} good of ${run.records}`], ...losses(run),
    ["Plan", planWords(run.plan)], ["Task", `${run.plan.task}, ${run.plan.sync}`], ["Operator", run.plan.operator || "–"],
    ...(run.plan.note ? [["Note", run.plan.note]] : []), ["Folder", run.folder],
  ];
}

function losses({ without_channel: lost }) {
  if (!lost?.samples) return [];
  const why = Object.entries(lost.why).map(([flag, count]) => `${count} ${flag}`).join(", ");
  return [["Losses", `${lost.samples} ${lost.samples === 1 ? "sample" : "samples"} without a channel: ${why}`]];
}

function section(title, content) {
  return el("section", {}, el("h3", {}, title), content);
}

function notes(all) {
  if (!all.length) return el("p", { class: "muted" }, "None.");
  return el("ul", { class: "log" }, ...all.map((note) => el("li", {}, el("time", { class: "num" }, dateTime(Date.parse(note.at))), el("span", {}, note.text), el("span", { class: "muted" }, note.who ?? ""))));
}

/** All that happened in a run and is worth a line, however much it is. */
async function history(run, signal) {
  const events = [];
  for (let more = true; more;) {
    const since = events.at(-1)?.id ?? 0;
    const page = await getJson(`/runs/${encodeURIComponent(run)}/events?types=run.*,alarm&since=${since}`, signal);
    events.push(...page.events);
    ({ more } = page);
  }
  return events;
}

function happened(events) {
  const lines = events.map((event) => [event, words(event, event.data.timestamp)]).filter(([, told]) => told);
  if (!lines.length) return [el("p", { class: "muted" }, "Nothing that is known.")];
  const list = el("ul", { class: "log" });
  const write = (some) => list.replaceChildren(...some.map(([event, [told, kind]]) => el("li", { "data-kind": kind }, el("time", { class: "num" }, dateTime(event.data.timestamp * 1000)), el("span", {}, told))));
  write(lines.slice(-ROWS));
  if (lines.length <= ROWS) return [list];
  const all = el("button", { type: "button", onclick: () => {
    write(lines);
    all.parentElement.remove();
  } }, "All of it");
  return [el("p", { class: "muted" }, `The last ${ROWS} of ${lines.length}. `, all), list];
}

/** The means of each visit, if they are known; else how many samples each one brought. */
function observations({ visits }, observed, known) {
  const rows = observed?.visits ?? [];
  return rows.length ? means(rows, known) : counts(visits, known);
}

const gasesOf = (rows) => [...new Set(rows.flatMap((row) => row.gases.map(gasKey)))].sort();

function means(rows, known) {
  const gases = gasesOf(rows);
  return table("Means of each visit", ["Visit", "Channel", "Repeat", "Arrived", "Good", "Left out", ...gases.map((gas) => known.gas(gas).symbol)], rows, (row) => [
    row.visit, name(row.channel, known, row.label), row.repeat, stamp(row.arrived_utc), row.good, row.discarded,
    ...gases.map((gas) => mean(row.gases.find((one) => gasKey(one) === gas))),
  ]);
}

function drifts(observed, known) {
  const rows = drift(observed?.visits ?? [], gasKey);
  const gases = [...new Set(rows.flatMap((row) => Object.keys(row.gases)))].sort();
  return table("Drift of each channel", ["Channel", "Visits", ...gases.map((gas) => `${known.gas(gas).symbol} ppm a day`)], rows, (row) => [
    name(row.channel, known), row.visits, ...gases.map((gas) => change(row.gases[gas])),
  ], "It takes three visits to a channel.");
}

const mean = (gas) => (gas ? `${ppm(gas.mean)}${gas.sd === null ? "" : ` ± ${Number(gas.sd.toPrecision(2))}`}` : "–");
const signed = (value, words) => `${value < 0 ? "−" : "+"}${words}`;
const change = (gas) => (gas ? `${signed(gas.perDay, ppm(Math.abs(gas.perDay)))}${gas.percentPerDay === null ? "" : ` (${signed(gas.percentPerDay, `${Math.abs(gas.percentPerDay).toFixed(2)} %`)})`}` : "–");
const stamp = (time) => (time ? dateTime(Date.parse(time)).slice(5) : "–");
const name = (channel, known, label = known.label(channel)) => `${channel}${label ? ` ${label}` : ""}`;

function counts(visits, known) {
  return table("Visits", ["Visit", "Channel", "Repeat", "Arrived", "Stayed", "Good", "All"], visits, (visit) => [
    visit.id, name(visit.channel, known), visit.repeat, stamp(visit.arrived), visit.left ? span((Date.parse(visit.left) - Date.parse(visit.arrived)) / 1000) : "–", visit.good_records, visit.records,
  ]);
}

function table(name, head, rows, cells, none = "None.") {
  if (!rows.length) return el("p", { class: "muted" }, none);
  const shown = rows.slice(-ROWS).reverse();
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, el("table", {},
    rows.length > ROWS ? el("caption", {}, `The last ${ROWS} of ${rows.length}.`) : null,
    el("thead", {}, el("tr", {}, ...head.map((one) => el("th", { scope: "col" }, one)))),
    el("tbody", {}, ...shown.map((row) => el("tr", {}, ...cells(row).map((cell) => el("td", { class: "num" }, String(cell))))))));
}
