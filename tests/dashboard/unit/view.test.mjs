// Axes, the stretch of time, the daemon's clock, drifts, lists of channels.
import assert from "node:assert/strict";
import { test } from "node:test";
import { age, ppm, span, tickLabel, ticks, timeTicks } from "../../../gaserad/dashboard/scale.js";
import { Clock } from "../../../gaserad/dashboard/clock.js";
import { drift } from "../../../gaserad/dashboard/drift.js";
import { View } from "../../../gaserad/dashboard/view.js";

test("the lines of an axis are round, within it, and about as many as asked for", () => {
  assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks(-0.03, 0.021, 3), [-0.02, 0, 0.02]);
  for (const [low, high] of [[1.99, 2.01], [-3, 8000], [1e-9, 2e-9], [12345678, 12345679]]) {
    const at = ticks(low, high, 5);
    assert(at.length >= 2 && at.length <= 12 && at.every((one) => one >= low && one <= high * (1 + 1e-9)), JSON.stringify(at));
  }
  for (const [low, high] of [[1, 1], [NaN, 2], [0, Infinity], [2, 1]]) assert.deepEqual(ticks(low, high, 5), []);
});

test("a time axis has round times from seconds to years", () => {
  for (const wide of [9e3, 6e4, 36e5, 864e5, 7 * 864e5, 400 * 864e5, 4000 * 864e5]) {
    const low = Date.UTC(2026, 0, 15, 8, 3, 12);
    const { step, at } = timeTicks(low, low + wide, 8);
    assert(at.length >= 1 && at.length <= 9, `${wide}: ${at.length}`);
    const offset = new Date(low).getTimezoneOffset() * 60000;
    assert(at.every((time) => (time - offset) % step === 0 && time >= low && time <= low + wide));
  }
});

test("numbers and times are as long as they need to be", () => {
  assert.deepEqual([2.0009421, 424.976353, 8149.545757, 0.010003773, 0, null, NaN, -0.5, 1e-6].map(ppm), ["2.0009", "424.98", "8149.5", "0.010004", "0", "–", "–", "-0.50000", "1.000e-6"]);
  assert.deepEqual([tickLabel(0.05, 0.01), tickLabel(8500, 500), tickLabel(0, 1)], ["0.05", "8500", "0"]);
  assert.deepEqual([5, 65, 3725, 200000].map(span), ["00:05", "01:05", "1:02:05", "2 d 7 h"]);
  assert.deepEqual([-1, 99, 100, 7200, 3e5].map(age), ["0 s", "99 s", "1 min", "2 h", "3 d"]);
});

test("a view follows what is new only if it was at the end", () => {
  const view = new View();
  const [start, end] = view.shown(0, 100000);
  assert(start < 0 && end > 100000);
  view.set(20000, 40000, 100000);
  assert.deepEqual(view.shown(0, 200000), [20000, 40000]);
  view.newest(10000, 200000);
  const [from, to] = view.shown(0, 300000);
  assert(to > 300000 && Math.abs(to - from - 10000) < 1e-6);
});

test("zooming keeps the place under the pointer, and out of everything leads back to all", () => {
  const view = new View();
  view.set(0, 100000, 1e9);
  view.zoom(25000, 0.5, 0, 1e6);
  assert.deepEqual(view.range, [12500, 62500]);
  view.zoom(25000, 1e-9, 0, 1e6);
  assert(view.range[1] - view.range[0] >= 5000);
  view.zoom(25000, 1e9, 0, 1e6);
  assert.equal(view.range, null);
});

test("panning never loses sight of all samples", () => {
  const view = new View();
  view.set(400, 10400, 100000);
  for (const by of [-1e9, 1e9]) {
    view.pan(by, 0, 100000);
    const [start, end] = view.range;
    assert(start < 100000 && end > 0);
  }
});

test("between two events the daemon's clock goes on, also when it goes faster", () => {
  const clock = new Clock();
  for (let at = 0; at <= 5000; at += 500) clock.heard(1e12 + at, at);
  assert.deepEqual([clock.rate, clock.now(6000)], [1, 1e12 + 6000]);
  const fast = new Clock();
  for (let at = 0; at <= 5000; at += 500) fast.heard(1e12 + at * 20, at);
  assert(Math.abs(fast.now(6000) - (1e12 + 120000)) < 1);
});

test("a straight change of the means of visits is told as drift, of two visits nothing", () => {
  const visit = (channel, day, mean) => ({ channel, arrived_utc: new Date(Date.UTC(2026, 0, day)).toISOString(), gases: [{ formula: "CO2", cas: "124-38-9", mean }] });
  const told = drift([visit(2, 1, 1), visit(2, 2, 2), visit(1, 1, 400), visit(1, 2, 402), visit(1, 3, 404)], (gas) => gas.formula.toLowerCase());
  assert.equal(told.length, 1);
  assert.deepEqual([told[0].channel, told[0].visits], [1, 3]);
  assert(Math.abs(told[0].gases.co2.perDay - 2) < 1e-9 && Math.abs(told[0].gases.co2.percentPerDay - 200 / 402) < 1e-9);
});
