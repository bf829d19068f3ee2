// Where the lines of an axis go, and how times and numbers are written. Pure.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE,
  30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 91 * DAY, 365 * DAY,
];

/** About `count` round numbers within [low, high]. */
export function ticks(low, high, count) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span) || count < 1) return [];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => power * factor >= rough) ?? 10);
  const out = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) out.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return out;
}

/** { step, at: [ms] }: about `count` round times, by the clock of this place. */
export function timeTicks(low, high, count) {
  const span = high - low;
  if (!(span > 0) || count < 1) return { step: DAY, at: [] };
  const step = STEPS.find((one) => one >= span / count) ?? Math.ceil(span / count / (365 * DAY)) * 365 * DAY;
  const offset = new Date(low).getTimezoneOffset() * MINUTE;
  const at = [];
  for (let time = Math.ceil((low - offset) / step) * step + offset; time <= high; time += step) at.push(time);
  return { step, at };
}

const two = (number) => String(number).padStart(2, "0");

/** A time on an axis whose lines are `step` apart. */
export function timeLabel(time, step) {
  const date = new Date(time);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const day = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  if (step >= DAY) return day;
  if (step < MINUTE) return `${clock}:${two(date.getSeconds())}`;
  return date.getHours() === 0 && date.getMinutes() === 0 ? day : clock;
}

export function clockTime(time) {
  const date = new Date(time);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function dateTime(time) {
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(time)}`;
}

/** 1:02:03, or 02:03; whole seconds. */
export function span(seconds) {
  const all = Math.max(Math.round(seconds), 0);
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
  if (hours >= 48) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  return hours ? `${hours}:${two(minutes)}:${two(all % 60)}` : `${two(minutes)}:${two(all % 60)}`;
}

/** An age in the largest unit that says enough: 8 s, 4 min, 3 h, 2 d. */
export function age(seconds) {
  const all = Math.max(Math.floor(seconds), 0);
  if (all < 100) return `${all} s`;
  if (all < 100 * 60) return `${Math.floor(all / 60)} min`;
  return all < 48 * 3600 ? `${Math.floor(all / 3600)} h` : `${Math.floor(all / 86400)} d`;
}

/** A concentration with five significant digits. */
export function ppm(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) return value.toExponential(3);
  return value.toFixed(Math.min(Math.max(4 - Math.floor(Math.log10(size)), 0), 7));
}

/** A number on an axis whose lines are `step` apart. */
export function tickLabel(value, step) {
  if (value === 0) return "0";
  const size = Math.max(Math.abs(value), step);
  if (size >= 1e7 || step < 1e-7) return value.toExponential(2);
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}
