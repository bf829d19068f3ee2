// What stands around the chart: gases and channels to show or hide, the stretch of time, how lines are drawn, files.

import { at, attribute, el, recall } from "./dom.js";

const RANGES = [["1 h", 1], ["6 h", 6], ["24 h", 24], ["7 d", 168]];

/** `page`: { chart, known }. Returns what shows it anew. */
export function legend({ chart, known }) {
  const again = () => {
    chart.relayout();
    show();
  };
  at("ranges").append(...RANGES.map(([name, hours]) => el("button", { type: "button", "data-hours": hours, onclick: () => {
    chart.newest(hours * 3600000);
  } }, name)), el("button", { type: "button", id: "reset", onclick: () => chart.reset() }, "All"));
  at("mode").value = recall("mode", "channels");
  at("mode").addEventListener("change", () => chart.setMode(at("mode").value));
  at("png").addEventListener("click", () => chart.png());
  at("csv").addEventListener("click", () => chart.csv());

  function chip(node, { name, color, shown, press }) {
    node.onclick = press;
    attribute(node, "aria-pressed", String(shown));
    node.firstElementChild.style.background = color;
    if (node.lastElementChild.textContent !== name) node.lastElementChild.textContent = name;
  }

  function chips(host, all, tail = []) {
    const wanted = all.length;
    if (host.dataset.count !== String(wanted)) {
      host.dataset.count = wanted;
      host.replaceChildren(...all.map(() => el("button", { type: "button", class: "chip" }, el("i", { "aria-hidden": "true" }), el("span"))), ...(wanted > 1 ? tail : []));
    }
    all.forEach((one, index) => chip(host.children[index], one));
  }

  const every = (shown) => () => {
    chart.toggleChannel(channels(), shown(channels()));
    show();
  };
  const tail = [
    el("button", { type: "button", class: "plain", onclick: every((all) => all) }, "all"),
    el("button", { type: "button", class: "plain", onclick: every(() => []) }, "none"),
    el("button", { type: "button", class: "plain", onclick: every((all) => all.filter((one) => !chart.isChannelShown(one))) }, "invert"),
  ];
  const channels = () => [...new Set([...chart.samples.good.keys(), ...chart.samples.other.keys()])].filter((one) => one > 0).sort((a, b) => a - b);

  function show() {
    chips(at("gas-legend"), chart.gases().map((key) => {
      const gas = known.gas(key);
      return { name: gas.symbol, color: gas.color, shown: chart.isGasShown(key), press: () => {
        chart.toggleGas(key);
        again();
      } };
    }));
    chips(at("channel-legend"), channels().map((channel) => ({
      name: `${channel}${known.label(channel) ? ` ${known.label(channel)}` : ""}`, color: known.color(channel), shown: chart.isChannelShown(channel), press: () => {
        chart.toggleChannel(channel);
        show();
      },
    })), tail);
  }
  return show;
}
