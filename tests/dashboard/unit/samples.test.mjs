// Columns of samples, what is drawn of them, and what is kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCKS, fromEvent, gasKey, Samples } from "../../../gaserad/dashboard/samples.js";
import { decimate } from "../../../gaserad/dashboard/decimate.js";

const [, BLOCK] = BLOCKS;

function sample(seq, more = {}) {
  return { time: seq * 1000, seq, channel: 1, repeat: 1, visit: 1, discard: false, qc: "good", attribution: "exact", flags: [], values: { co2: seq }, ...more };
}

function filled(count, value, more = () => ({})) {
  const samples = new Samples("run");
  for (let seq = 1; seq <= count; seq += 1) samples.push(sample(seq, { values: { co2: value(seq) }, ...more(seq) }));
  return samples;
}

function drawn(samples, width) {
  const [track] = samples.good.get(1);
  const values = samples.values.get("co2");
  const [first, last] = [samples.time[0], samples.time[samples.length - 1]];
  const out = new Int32Array(width * 4 + 64);
  const count = decimate(track, samples.time, values, "co2", 0, track.length, { start: first, perPixel: (last - first) / width }, width, out);
  return [...out.slice(0, count)].map((place) => values[track.rows[place]]);
}

test("a sample keeps all that is known of it", () => {
  const samples = new Samples("run");
  samples.push(sample(3, { channel: 7, repeat: 2, visit: 9, discard: true, qc: "suspect", attribution: "mixed", flags: ["purge", "range"], values: { co2: 400.25, nh3: null } }));
  const { row, value, ...told } = samples.at(0);
  assert.deepEqual(told, { flags: ["purge", "range"], time: 3000, seq: 3, channel: 7, repeat: 2, visit: 9, discard: true, qc: "suspect", attribution: "mixed" });
  assert.deepEqual([value("co2"), value("nh3"), value("ch4")], [400.25, NaN, NaN]);
});

test("what is told twice is kept once, and a gas that comes later leaves the earlier samples empty", () => {
  const samples = new Samples("run");
  assert.deepEqual([1, 2, 2, 1].map((seq) => samples.push(sample(seq))), [true, true, false, false]);
  samples.push(sample(3, { values: { n2o: 0.3 } }));
  assert.deepEqual([samples.length, samples.gases, samples.at(0).value("n2o"), samples.at(2).value("n2o")], [3, ["co2", "n2o"], NaN, 0.3]);
});

test("only what counts is on the line of its channel", () => {
  const samples = filled(8, (seq) => seq, (seq) => [{}, { discard: true }, { qc: "suspect" }, { channel: null, attribution: "mixed", qc: "bad" }][seq % 4]);
  assert.deepEqual([samples.good.get(1)[0].length, samples.other.get(1)[0].length, samples.other.get(0)[0].length], [2, 4, 2]);
});

test("no more than the limit is kept, the newest, and still drawn", () => {
  const samples = new Samples("run", 1000);
  for (let seq = 1; seq <= 10500; seq += 1) samples.push(sample(seq, { channel: 1 + (seq % 2) }));
  assert(samples.length <= 1000 && samples.length > 700, String(samples.length));
  assert.equal(samples.at(samples.length - 1).seq, 10500);
  assert.equal(samples.at(0).seq, 10500 - samples.length + 1);
  assert.equal(samples.good.get(1)[0].length + samples.good.get(2)[0].length, samples.length);
  assert.equal(samples.time.length, 1024, "room is used again");
});

test("each peak and each dip of many points is drawn", () => {
  for (const count of [500, 5000, 100000]) {
    const samples = filled(count, (seq) => (seq === Math.floor(count / 3) ? 1e6 : seq === Math.floor(count / 2) ? -1e6 : Math.sin(seq)));
    const values = drawn(samples, 200);
    assert(values.length <= 200 * 4 + 8, `${values.length} of ${count}`);
    assert(values.includes(1e6) && values.includes(-1e6), String(count));
  }
});

test("few points are all drawn, in the order of time, and one without a value is not", () => {
  const samples = filled(40, (seq) => (seq === 7 ? null : seq));
  assert.deepEqual(drawn(samples, 1000), Array.from({ length: 40 }, (_, index) => index + 1).filter((seq) => seq !== 7));
});

test("blocks know their least and greatest, also while they fill", () => {
  const samples = filled(BLOCK + 3, (seq) => (seq * 7) % 11);
  const [track] = samples.good.get(1);
  const values = samples.values.get("co2");
  track.blocks("co2", values, BLOCK);
  for (let seq = BLOCK + 4; seq <= 4 * BLOCK; seq += 1) samples.push(sample(seq, { values: { co2: (seq * 7) % 11 } }));
  const { least, greatest } = track.blocks("co2", samples.values.get("co2"), BLOCK);
  for (let block = 0; block < 4; block += 1) {
    assert.equal(samples.values.get("co2")[track.rows[least[block]]], 0);
    assert.equal(samples.values.get("co2")[track.rows[greatest[block]]], 10);
  }
});

test("a place is found by its time", () => {
  const samples = filled(1000, (seq) => seq);
  const [track] = samples.good.get(1);
  assert.deepEqual([0, 1000, 1500, 2000, 1e9].map((time) => track.find(samples.time, time)), [0, 0, 1, 1, 1000]);
});

test("a result of the stream becomes a sample, without the gas that is not to be used", () => {
  const gas = (formula, cas, ppm, discard = false) => ({ formula, cas, ppm, discard });
  const told = fromEvent({
    sampled: "2026-01-15T08:03:12.500Z", seq: 4, channel: null, repeat: null, visit_id: null, discard: true, qc: "bad", attribution: "stale", flags: ["stale"],
    components: [gas("CO2", "124-38-9", 400), gas("NH3", "7664-41-7", 1, true), gas("71-43-2", "71-43-2", 2)],
  });
  assert.deepEqual([told.time, told.values], [Date.UTC(2026, 0, 15, 8, 3, 12, 500), { co2: 400, nh3: null, "cas_71-43-2": 2 }]);
  assert.equal(gasKey({ formula: "CH4", cas: "74-82-8" }), "ch4");
});

test("where a clock was set back another track begins, and each is searched for itself", () => {
  const samples = new Samples("R");
  const times = [100, 110, 120, 60, 70, 130];
  times.forEach((time, index) => samples.push(sample(index + 1, { time })));
  const tracks = samples.good.get(1);
  assert.deepEqual(tracks.map((track) => [...track.rows.subarray(0, track.length)].map((row) => samples.time[row])), [[100, 110, 120], [60, 70, 130]]);
  assert.deepEqual([samples.first, samples.last], [60, 130]);
  assert.deepEqual(tracks.map((track) => track.find(samples.time, 105)), [1, 2]);
});
