// The dashboard: joins the stream, what is known, and what is shown. Each part has a file of its own.

import { at, attribute, breathe, recall, remember, text } from "./dom.js";
import { controls, logIn } from "./control.js";
import { getJson, loadSamples, pastEvents, spans } from "./load.js";
import { fromEvent, Samples } from "./samples.js";
import { showNow, STALE } from "./now.js";
import { toast, words } from "./toasts.js";
import { Chart } from "./chart.js";
import { Clock } from "./clock.js";
import { connect } from "./events.js";
import { Known } from "./known.js";
import { legend } from "./legend.js";
import { Model } from "./model.js";
import { Runs } from "./runs.js";
import { tiles } from "./tiles.js";

const TICK = 1000;
const RECENT = 2000; // events back in which alarms are looked for

class Page {
  model = new Model();
  clock = new Clock();
  known = new Known();
  me = null;
  /** The run in the chart that somebody chose; null while it follows what goes on. */
  chosen = null;
  #loading = null;
  #early = [];
  #frame = 0;
  #polling = false;

  async begin() {
    at("main").hidden = false;
    this.known.restyle();
    this.known.now = () => this.now();
    this.known.running = () => this.model.isRunning;
    this.chart = new Chart(at("plot"), this.known);
    this.parts = [tiles(this), legend(this), controls(this)];
    this.runs = new Runs(this);
    this.#theme();
    at("banner-retry").addEventListener("click", () => this.stream.retry());
    at("login").addEventListener("click", () => this.#account());
    at("to-live").addEventListener("click", () => this.follow());
    addEventListener("hashchange", () => this.#route());
    text(at("zone"), `Times of ${Intl.DateTimeFormat().resolvedOptions().timeZone}; files have UTC`);
    this.#route();
    setInterval(() => this.show(), TICK);
    this.#watch();
    await this.#learn();
  }

  /** Who looks, and what things are called; strangers need not ask for that. */
  async #learn() {
    await this.#who();
    if (this.me?.role === null) return;
    await this.known.load();
    this.chart.relayout();
    this.show();
  }

  /** The daemon's time, in ms. */
  now = () => this.clock.now(performance.now());
  /** Seconds since anything came. */
  silent = () => (this.stream ? (Date.now() - this.stream.heardAt) / 1000 : 0);

  show() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      showNow(this);
      for (const part of this.parts) part();
      this.#badge();
      if (this.model.isRunning && !this.chosen && !this.chart.view.range) this.chart.touch();
    });
  }

  #watch() {
    this.stream = connect();
    this.stream.on("*", (event) => this.#take(event));
    this.stream.onState(({ state }) => {
      if (state === "connected" && this.wasLost) this.#who();
      this.wasLost = state !== "connected";
      this.show();
    });
  }

  #take(event) {
    const { type, data } = event;
    const now = performance.now();
    if (["progress", "heartbeat", "snapshot", "phase", "connected"].includes(type) && !data.sticky) {
      if (type !== "phase" || data.timestamp * 1000 > this.clock.now(now)) this.clock.heard(data.timestamp * 1000, now);
    }
    this.model.take(event);
    const told = words(event, this.now() / 1000, this.clock.rate);
    if (told) toast(...told);
    if (type === "live_data" && !data.sticky) this.#sample(data);
    if (type === "run.started") this.follow();
    if (type === "run.finished" && this.view === "runs") this.runs.list();
    if (type === "snapshot" && !(event.polled && this.#polling)) this.#resync(event.id);
    this.#polling = Boolean(event.polled);
    if (type === "phase" && this.model.visitsOf === data.run_id) this.#visits();
    this.show();
  }

  /** The whole state came: what led to it is asked for. */
  #resync(seq) {
    if (!this.chosen) this.follow();
    pastEvents("types=alarm", Math.max(seq - RECENT, 0), 50).then((events) => {
      for (const event of events) if (event.type === "alarm") this.model.addAlarm(event.data);
      this.show();
    });
  }

  #sample(result) {
    if (this.#loading) {
      if (this.#loading.run === result.run_id) this.#early.push(result);
      return;
    }
    const { samples } = this.chart;
    if (this.chosen || samples.run !== result.run_id) return;
    const gases = samples.gases.length;
    if (!samples.push(fromEvent(result))) return;
    if (samples.gases.length !== gases) this.chart.relayout();
    this.chart.touch();
  }

  #visits() {
    if (this.chosen || this.chart.samples.run !== this.model.visitsOf) return;
    this.chart.visits = [...this.model.visits.values()];
    this.chart.touch();
  }

  /** The chart shows what goes on; or if nothing does, the last run. */
  follow() {
    this.chosen = null;
    const run = this.model.shown;
    if (run) this.#open(run.id, true);
    else this.chart.show(new Samples(), [], true);
    this.show();
  }

  /** This channel alone in the chart; if it was alone, all of them. */
  pick(channel) {
    const all = [...new Set([...this.chart.samples.good.keys(), ...this.chart.samples.other.keys(), channel])];
    const alone = all.every((one) => this.chart.isChannelShown(one) === (one === channel));
    this.chart.toggleChannel(all, alone ? all : [channel]);
    this.show();
  }

  openRun(run) {
    this.chosen = this.model.shown?.id === run ? null : run;
    location.hash = "#now";
    this.#open(run, !this.chosen);
    this.show();
  }

  async #open(run, live) {
    this.#loading?.stop.abort();
    const stop = new AbortController();
    this.#loading = { run, stop };
    this.#early = [];
    text(at("chart-source"), "loading…");
    try {
      const [detail, samples] = await Promise.all([
        getJson(`/runs/${encodeURIComponent(run)}`, stop.signal),
        loadSamples(run, stop.signal, (count) => text(at("chart-source"), `loading… ${count} samples`)),
      ]);
      stop.signal.throwIfAborted();
      if (live) this.model.takeVisits(run, detail.visits);
      for (const result of this.#early) samples.push(fromEvent(result));
      const same = this.chart.samples.run === run;
      const view = this.chart.view.range;
      this.chart.show(samples, live ? [...this.model.visits.values()] : spans(detail.visits), live);
      if (same && view) this.chart.view.set(...view, Math.max(samples.last, 0));
      this.chart.relayout();
      this.title = detail.run.plan.label || run;
      this.#loading = null;
      this.#early = [];
      // What stands around the chart follows in a task of its own.
      await breathe();
      this.show();
      return;
    } catch (error) {
      if (stop.signal.aborted) return;
      toast(`Run ${run} cannot be shown: ${error.message}`, "bad");
    }
    this.#loading = null;
    this.#early = [];
    this.show();
  }

  #badge() {
    const { state, polling, reason, retryAt } = this.stream.state;
    attribute(at("badge"), "data-state", state);
    text(at("badge-text"), `Realtime: ${state}${polling ? " (polling)" : ""}`);
    const silent = this.silent();
    const lost = state === "error" || (state === "reconnecting" && silent > 4) || silent >= STALE;
    attribute(at("banner"), "hidden", lost ? null : "");
    if (lost) {
      const again = retryAt && state !== "connected" ? ` Next attempt in ${Math.max(Math.ceil((retryAt - Date.now()) / 1000), 0)} s.` : "";
      attribute(at("banner"), "data-stale", silent >= STALE ? "true" : null);
      // Read out once, not each second.
      text(at("banner-text"), `${silent >= STALE ? `STALE: nothing heard for ${Math.floor(silent / 5) * 5} s.` : "The connection to gaserad is lost."}${polling ? " Asking for the state every 2 s meanwhile." : ""}${reason ? ` (${reason})` : ""}`);
      at("banner-retry").title = again.trim();
    }
    if (!this.#loading) {
      text(at("chart-source"), this.chosen ? `stored run ${this.title ?? ""}` : this.model.isRunning ? "live" : this.chart.samples.run ? "last run" : "");
    }
    at("to-live").hidden = !this.chosen;
    text(at("foot"), this.model.version ? `gaserad ${this.model.version}` : "gaserad");
  }

  async #who() {
    this.me = await getJson("/me").catch(() => null);
    text(at("who"), this.me?.role === "viewer" ? "viewer" : "");
    at("login").hidden = !(this.me?.login || this.me?.logout);
    text(at("login"), this.me?.logout ? "Log out" : "Log in");
    this.show();
  }

  async #account() {
    if (this.me?.logout) {
      await fetch("/logout", { method: "POST" });
      // Nothing of what was seen stays.
      return location.reload();
    }
    if (!await logIn()) return undefined;
    await this.#learn();
    this.stream.retry();
    return undefined;
  }

  async #route() {
    const [view, id] = location.hash.slice(1).split("/");
    this.view = view === "runs" ? "runs" : "now";
    at("now-view").hidden = this.view !== "now";
    at("runs-view").hidden = this.view !== "runs";
    for (const name of ["now", "runs"]) attribute(at(`to-${name}`), "aria-current", this.view === name ? "page" : null);
    if (this.view === "now") return this.chart.relayout();
    const runs = await this.runs.list();
    return this.runs.show(id ? decodeURIComponent(id) : runs[0]?.id);
  }

  #theme() {
    const names = ["auto", "light", "dark"];
    let theme = recall("theme", "auto");
    const apply = () => {
      attribute(document.documentElement, "data-theme", theme === "auto" ? null : theme);
      text(at("theme"), theme[0].toUpperCase() + theme.slice(1));
      this.known.restyle();
      this.chart.touch();
      this.show();
    };
    at("theme").addEventListener("click", () => {
      theme = names[(names.indexOf(theme) + 1) % names.length];
      remember("theme", theme);
      apply();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
    apply();
  }
}

const page = new Page();
page.begin();
