// What the settings and the analyzer call things: gases, channels, and the colors they have here.

import { getJson } from "./load.js";

const UNKNOWN = "#8a8f98";

export class Known {
  #gases = new Map();
  #labels = new Map();
  #theme = null;

  /** Fetches what can be known before anything is shown. Without it numbers stand for names. */
  async load() {
    const [gases, channels] = await Promise.all([getJson("/gases").catch(() => ({ gases: [] })), getJson("/channels").catch(() => ({ channels: [] }))]);
    for (const gas of gases.gases) this.#gases.set(gas.formula.toLowerCase(), { key: gas.formula.toLowerCase(), symbol: gas.symbol, color: gas.color });
    for (const { channel, label } of channels.channels) this.#labels.set(channel, label);
  }

  gas(key) {
    return this.#gases.get(key) ?? { key, symbol: key.startsWith("cas_") ? key.slice(4) : key.toUpperCase(), color: UNKNOWN };
  }

  label(channel) {
    return this.#labels.get(channel) ?? "";
  }

  /** Neighbors differ much: each hue is a golden angle on. */
  color(channel) {
    const hue = (235 + (channel - 1) * 137.508) % 360;
    return `oklch(${this.dark ? 0.76 : 0.56} 0.14 ${hue.toFixed(1)})`;
  }

  /** The colors of the canvas, from the style sheet. */
  theme() {
    if (this.#theme) return this.#theme;
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    this.dark = color("--scheme") === "dark";
    const size = Math.max(parseFloat(style.fontSize) * 0.75, 11);
    this.#theme = {
      ground: color("--card"), text: color("--text"), muted: color("--muted"), faint: color("--faint"), grid: color("--grid"), frame: color("--line"),
      select: color("--select"), onColor: this.dark ? "#10151b" : "#fff", font: `${size}px system-ui, sans-serif`, size,
    };
    return this.#theme;
  }

  /** The style has changed. */
  restyle() {
    this.#theme = null;
    this.theme();
  }
}
