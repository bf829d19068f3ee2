// The chart on the page: what of the samples is shown, drawn when something changed and at most once a frame.
//
// Drawing is plot.js, pointers are gestures.js, the stretch of time is view.js. It loads nothing.

import { dateTime, ppm } from "./scale.js";
import { draw, drawing, edges } from "./plot.js";
import { breathe, el, recall, remember, save } from "./dom.js";
import { listen } from "./gestures.js";
import { Samples, append } from "./samples.js";
import { View } from "./view.js";
import { write } from "./csv.js";

export class Chart {
  samples = new Samples();
  visits = [];
  view = new View();
  live = true;
  #hiddenGases = new Set(recall("gases", []));
  #hiddenChannels = new Set(recall("channels", []));
  #inOrder = null;
  #fixed = new Map();
  #dirty = true;
  /** Of other samples the first picture comes panel by panel, a frame for each: the page answers meanwhile. */
  #first = true;
  #steps = null;
  #layout = null;
  #cursor = null;
  #box = null;
  #frame = 0;
  #room = [0, 0];

  /** `host` holds the canvases; `known` tells of gases, channels and theme: gas(key), label(channel), color(channel), theme(). */
  constructor(host, known) {
    this.host = host;
    this.known = known;
    this.canvas = el("canvas", { class: "plot" });
    this.over = el("canvas", { class: "plot over", tabindex: 0, role: "application", "aria-roledescription": "chart", "aria-label": "Chart of concentrations over time. Arrow keys pan, plus and minus zoom, zero shows all, comma and full stop go from sample to sample." });
    this.tip = el("div", { class: "tip", hidden: true });
    this.spoken = el("div", { class: "sr", role: "status" });
    host.append(this.canvas, this.over, this.tip, this.spoken);
    this.mode = recall("mode", "channels");
    // Painted in the next frame, once, however much else has changed.
    new ResizeObserver(([{ contentRect }]) => {
      this.#room = [Math.round(contentRect.width), Math.round(contentRect.height)];
      this.touch();
    }).observe(host);
    listen(this.over, this.#gestures());
  }

  /** Shows other samples, from the beginning. */
  show(samples, visits, live) {
    this.samples = samples;
    this.visits = visits;
    this.live = live;
    this.#inOrder = null;
    this.#first = true;
    this.#steps = null;
    this.reset();
  }

  /** Something is new. */
  touch() {
    this.#dirty = true;
    this.#next();
  }

  #next() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.paint();
    });
  }

  reset() {
    this.view.reset();
    this.#fixed.clear();
    this.#cursor = null;
    this.touch();
  }

  /** The newest `wide` ms, from now on too. */
  newest(wide) {
    this.view.newest(wide, this.#span()[1]);
    this.#fixed.clear();
    this.touch();
  }

  setMode(mode) {
    this.mode = mode;
    remember("mode", mode);
    this.touch();
  }

  gases() {
    return this.samples.gases;
  }

  isGasShown(gas) {
    return !this.#hiddenGases.has(gas);
  }

  isChannelShown(channel) {
    return !this.#hiddenChannels.has(channel);
  }

  toggleGas(gas, shown = this.#hiddenGases.has(gas)) {
    this.#hiddenGases[shown ? "delete" : "add"](gas);
    remember("gases", [...this.#hiddenGases]);
    this.touch();
  }

  /** `shown` may be a list: then these and no others. */
  toggleChannel(channel, shown) {
    if (Array.isArray(shown)) this.#hiddenChannels = new Set(channel.filter((one) => !shown.includes(one)));
    else this.#hiddenChannels[this.#hiddenChannels.has(channel) ? "delete" : "add"](channel);
    remember("channels", [...this.#hiddenChannels]);
    this.#inOrder = null;
    this.touch();
  }

  highlight(channel) {
    if (this.lit === channel) return;
    this.lit = channel;
    this.touch();
  }

  #span() {
    const { samples } = this;
    if (!samples.length) {
      const now = this.known.now();
      return [now - 3600000, now];
    }
    const { first, last } = samples;
    return [first, this.live && this.known.running() ? Math.max(this.known.now(), last) : last];
  }

  #scene() {
    const [first, last] = this.#span();
    const [start, end] = this.view.shown(first, last);
    const channels = new Set();
    for (let channel = 1; channel <= 255; channel += 1) if (!this.#hiddenChannels.has(channel)) channels.add(channel);
    const gases = this.gases().filter((gas) => this.isGasShown(gas)).map((gas) => this.known.gas(gas));
    return {
      samples: this.samples, gases, channels, start, end, visits: this.visits, fixed: this.#fixed, highlight: this.lit,
      inOrder: this.mode === "order" ? this.#ordered(channels) : null,
      width: this.width, height: this.height, theme: this.known.theme(), channelColor: (channel) => this.known.color(channel),
    };
  }

  /** All that counts of the chosen channels, in the order of time. */
  #ordered(channels) {
    const { samples } = this;
    let kept = this.#inOrder;
    if (!kept || kept.samples !== samples || kept.seen > samples.length) kept = this.#inOrder = { samples, seen: 0, tracks: [] };
    for (; kept.seen < samples.length; kept.seen += 1) {
      if (samples.isGood(kept.seen) && channels.has(samples.channel[kept.seen])) append(kept.tracks, kept.seen, samples.time);
    }
    return kept.tracks;
  }

  paint() {
    this.#steps ??= this.#begin();
    if (!this.#steps) return;
    let step = this.#steps.next();
    while (!step.done && !this.#first) step = this.#steps.next();
    if (!step.done) return this.#next();
    this.#first = false;
    this.#steps = null;
    this.#layout = step.value;
    this.host.dataset.points = String(this.samples.length);
    this.host.dataset.range = `${Math.round(this.scene.start)}-${Math.round(this.scene.end)}`;
    this.#paintOver();
    if (this.#dirty) this.#next();
    return undefined;
  }

  #begin() {
    this.#dirty = false;
    this.#fit();
    if (!this.width || !this.height) return null;
    this.scene = this.#scene();
    return drawing(this.canvas.getContext("2d"), this.scene);
  }

  #paintOver() {
    const ctx = this.over.getContext("2d");
    ctx.clearRect(0, 0, this.width, this.height);
    const { theme } = this.scene;
    if (this.#box) {
      const { from, to } = this.#box;
      ctx.fillStyle = theme.select;
      ctx.strokeStyle = theme.muted;
      ctx.fillRect(from.x, from.y, to.x - from.x, to.y - from.y);
      ctx.strokeRect(from.x + 0.5, from.y + 0.5, to.x - from.x, to.y - from.y);
    }
    this.tip.hidden = true;
    if (this.#cursor === null || this.#cursor >= this.samples.length || !this.#layout) return;
    const sample = this.samples.at(this.#cursor);
    const x = this.#x(sample.time);
    if (x < this.#layout.left || x > this.#layout.right) return;
    ctx.strokeStyle = theme.muted;
    ctx.beginPath();
    const edge = edges(theme);
    ctx.moveTo(Math.round(x) + 0.5, edge.top - 2);
    ctx.lineTo(Math.round(x) + 0.5, this.height - edge.bottom);
    ctx.stroke();
    for (const panel of this.#layout.panels) {
      const value = sample.value(panel.gas);
      if (!(value >= panel.low && value <= panel.high)) continue;
      ctx.beginPath();
      ctx.arc(x, panel.top + panel.height * (1 - (value - panel.low) / (panel.high - panel.low)), 4.5, 0, 7);
      ctx.stroke();
    }
    this.#showTip(sample, x);
  }

  #showTip(sample, x) {
    const lines = tipLines(sample, this.known, this.scene.gases);
    this.tip.replaceChildren(...lines.map(([name, text]) => el("div", {}, el("span", {}, name), el("b", {}, text))));
    this.tip.hidden = false;
    const side = x > this.width / 2 ? x - this.tip.offsetWidth - 12 : x + 12;
    this.tip.style.transform = `translate(${Math.max(side, 2)}px, 22px)`;
  }

  #x(time) {
    const { start, end } = this.scene;
    const { left, right } = this.#layout;
    return left + ((time - start) / (end - start)) * (right - left);
  }

  #time(x) {
    const { start, end } = this.scene;
    const { left, right } = this.#layout;
    return start + ((x - left) / (right - left)) * (end - start);
  }

  #gestures() {
    const change = (act) => (...given) => {
      if (!this.#layout) return;
      act(...given);
      this.touch();
    };
    return {
      zoom: change((x, factor) => this.view.zoom(this.#time(x ?? (this.#layout.left + this.#layout.right) / 2), factor, ...this.#span())),
      pan: change((by) => this.view.pan(this.#time(by) - this.#time(0), ...this.#span())),
      reset: () => this.reset(),
      follow: change(() => this.view.newest(this.scene.end - this.scene.start, this.#span()[1])),
      boxing: (from, to) => {
        this.#box = from ? { from, to } : null;
        if (this.scene) this.#paintOver();
      },
      box: change((from, to) => this.#zoomInto(from, to)),
      hover: (x, y) => this.#hover(x, y),
      step: (by) => this.#step(by),
    };
  }

  #zoomInto(from, to) {
    const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
    const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
    const panel = this.#layout.panels.find((one) => top < one.top + one.height && bottom > one.top);
    if (right - left > 4) this.view.set(this.#time(left), this.#time(right), this.#span()[1]);
    if (panel && bottom - top > 16) {
      const value = (y) => panel.low + (1 - (y - panel.top) / panel.height) * (panel.high - panel.low);
      this.#fixed.set(panel.gas, [value(Math.min(bottom, panel.top + panel.height)), value(Math.max(top, panel.top))]);
    }
  }

  /** The nearest sample of what is shown. */
  #hover(x) {
    this.#cursor = null;
    if (x !== null && this.#layout && x >= this.#layout.left && x <= this.#layout.right) {
      const time = this.#time(x);
      let best = Infinity;
      for (const row of this.#near(time)) {
        const away = Math.abs(this.samples.time[row] - time);
        if (away < best) [best, this.#cursor] = [away, row];
      }
    }
    if (this.scene) this.#paintOver();
  }

  *#near(time) {
    const { samples } = this;
    for (const [channel, tracks] of [...samples.good, ...samples.other]) {
      if (channel && !this.isChannelShown(channel)) continue;
      for (const track of tracks) {
        const at = track.find(samples.time, time);
        if (at < track.length) yield track.rows[at];
        if (at > 0) yield track.rows[at - 1];
      }
    }
  }

  #step(by) {
    const { samples } = this;
    if (!samples.length) return;
    let row = this.#cursor ?? (by > 0 ? -1 : samples.length);
    do row += by;
    while (row >= 0 && row < samples.length && samples.channel[row] && !this.isChannelShown(samples.channel[row]));
    if (row < 0 || row >= samples.length) return;
    this.#cursor = row;
    if (this.view.range && (samples.time[row] < this.scene.start || samples.time[row] > this.scene.end)) {
      const half = (this.scene.end - this.scene.start) / 2;
      this.view.set(samples.time[row] - half, samples.time[row] + half, this.#span()[1]);
    }
    this.spoken.textContent = tipLines(samples.at(row), this.known, this.scene.gases).map((line) => line.join(" ")).join(", ");
    this.touch();
  }

  /** Takes the size that the page gives. A canvas that is resized is empty: this belongs to painting. */
  #fit() {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const [width, height] = this.#room;
    const size = [width, height, ratio].join();
    if (size === this.size) return;
    this.size = size;
    [this.width, this.height] = [width, height];
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      // A part of a pixel more or less would blur it.
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
      canvas.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
  }

  /** After gases came or went. */
  relayout() {
    const panels = Math.max(this.gases().filter((gas) => this.isGasShown(gas)).length, 1);
    this.host.style.setProperty("--panels", String(panels));
    this.touch();
  }

  /** What is shown, as a picture. */
  async png() {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [this.width * 2, this.height * 2];
    const ctx = canvas.getContext("2d");
    ctx.scale(2, 2);
    draw(ctx, this.#scene());
    const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
    save(blob, `gaserad-${this.samples.run ?? "empty"}.png`);
  }

  /** What is shown, as lines. */
  async csv() {
    const { start, end, gases, channels } = this.#scene();
    const { samples } = this;
    const rows = [];
    for (let row = 0; row < samples.length; row += 1) {
      if (samples.time[row] < start || samples.time[row] > end) continue;
      if (!samples.channel[row] || channels.has(samples.channel[row])) rows.push(row);
    }
    const pieces = [];
    let begun = performance.now();
    for (const piece of write(samples, rows, gases.map((gas) => gas.key), (channel) => this.known.label(channel))) {
      pieces.push(piece);
      if (performance.now() - begun < 8) continue;
      await breathe();
      begun = performance.now();
    }
    save(new Blob(pieces, { type: "text/csv" }), `gaserad-${samples.run ?? "empty"}-shown.csv`);
  }
}

function tipLines(sample, known, gases) {
  const label = sample.channel ? known.label(sample.channel) : "";
  return [
    ["time", dateTime(sample.time)],
    ["channel", sample.channel ? `${sample.channel}${label ? ` ${label}` : ""}` : "not known"],
    ["repeat", String(sample.repeat ?? "–")],
    ["phase", sample.flags.includes("paused") ? "paused" : sample.flags.includes("purge") ? "purge" : "measure"],
    ["attribution", sample.attribution],
    ["quality", `${sample.qc}${sample.discard ? ", left out" : ""}`],
    ...(sample.flags.length ? [["flags", sample.flags.join(", ")]] : []),
    ...gases.map((gas) => [gas.symbol, `${ppm(sample.value(gas.key))} ppm`]),
  ];
}
