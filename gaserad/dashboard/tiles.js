// The grid of channels: state, label and latest value of each. A click shows that channel alone in the chart.

import { age, ppm } from "./scale.js";
import { at, attribute, el, recall, remember, text } from "./dom.js";
import { gasKey } from "./samples.js";

const WORDS = { off: "not in plan", enabled: "to come", moving: "valve moves", purging: "purging", measuring: "measuring", paused: "paused", done: "done", failed: "failed" };

/** `page` as for now.js, with `chart`. Returns what shows the tiles anew. */
export function tiles(page) {
  const list = at("channels");
  const select = at("tile-gas");
  let gas = recall("tile", "co2");
  select.addEventListener("change", () => {
    gas = select.value;
    remember("tile", gas);
    show();
  });
  at("states").append(...["enabled", "purging", "measuring", "done", "failed"].map((state) => el("span", { "data-state": state }, el("i"), WORDS[state])));

  function show() {
    const { model, known } = page;
    const shown = channels(model);
    while (list.children.length > shown.length) list.lastElementChild.remove();
    shown.forEach((channel, index) => tile(list.children[index] ?? list.appendChild(make()), channel, known));
    offer();
  }

  /** Those of the plan; all of them if there is none. */
  function channels(model) {
    const plan = model.shown?.plan;
    if (!plan) return Array.from({ length: model.multiplexer?.channels ?? 0 }, (_, index) => index + 1);
    const all = new Set(plan.channels);
    if (plan.background) all.add(plan.background.channel);
    return [...all].sort((a, b) => a - b);
  }

  function make() {
    const node = el("li", {}, el("button", { type: "button" }, el("b", { class: "num" }), el("span", { class: "label" }), el("span", { class: "state" }), el("span", { class: "num value" })));
    const button = node.firstElementChild;
    button.addEventListener("click", () => page.pick(Number(button.dataset.channel)));
    button.addEventListener("pointerenter", () => page.chart.highlight(Number(button.dataset.channel)));
    button.addEventListener("pointerleave", () => page.chart.highlight(null));
    return node;
  }

  function tile(node, channel, known) {
    const button = node.firstElementChild;
    const [number, label, state, value] = button.children;
    const how = page.model.channelState(channel);
    button.dataset.channel = channel;
    attribute(button, "data-state", how);
    text(number, channel);
    text(label, known.label(channel));
    text(state, WORDS[how]);
    const result = page.model.results.get(channel);
    const found = result?.components.find((one) => gasKey(one) === gas);
    text(value, found ? `${ppm(found.ppm)} · ${age((page.now() - Date.parse(result.sampled)) / 1000)}` : "");
    button.style.setProperty("--own", known.color(channel));
  }

  function offer() {
    const keys = (page.model.latest?.components ?? []).map(gasKey);
    if (select.dataset.keys === keys.join()) return;
    select.dataset.keys = keys.join();
    select.hidden = keys.length === 0;
    select.replaceChildren(...keys.map((key) => el("option", { value: key, selected: key === gas }, page.known.gas(key).symbol)));
    if (!keys.includes(gas) && keys.length) gas = keys[0];
  }
  return show;
}
