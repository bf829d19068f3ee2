// samples.csv, read in pieces and written of what is shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Fields, quote, reader, split, write } from "../../../gaserad/dashboard/csv.js";
import { Samples } from "../../../gaserad/dashboard/samples.js";

const HEADER = "time_utc,time_unix_s,time_read_utc,run_id,seq,run_label,repeat,visit_id,channel,channel_label,channel_kind,attribution,elapsed_s,sample_in_visit,discard,ch4_ppm,cas_71-43-2_ppm,qc,qc_flags,position_verified,iteration,cell_temp_c";
const FILE = `${HEADER}\n2026-11-21T14:30:39Z,1795271439.056,2026-11-21T14:31:25Z,R,1,"a ""b"", c\nd",1,1,3,"x,y",sample,exact,16.839,1,1,2.000942,,0,purge;gap,readback,0,\n2026-11-21T14:31:39Z,1795271499,2026-11-21T14:32:25Z,R,2,,,,,,,unattributed,,,1,,0.5,2,pos_unverified,none,,\n`;

function read(size) {
  const fields = new Fields();
  const lines = [];
  for (let at = 0; at < FILE.length; at += size) lines.push(...fields.push(FILE.slice(at, at + size)));
  const parse = reader(lines[0]);
  return lines.slice(1).map(parse);
}

test("a file gives the same samples however it is cut", () => {
  const whole = read(FILE.length);
  assert.deepEqual(whole[0], { time: 1795271439056, seq: 1, channel: 3, repeat: 1, visit: 1, discard: true, qc: "good", attribution: "exact", flags: ["purge", "gap"], values: { ch4: 2.000942, "cas_71-43-2": null } });
  assert.deepEqual(whole[1], { time: 1795271499000, seq: 2, channel: null, repeat: null, visit: null, discard: true, qc: "bad", attribution: "unattributed", flags: ["pos_unverified"], values: { ch4: null, "cas_71-43-2": 0.5 } });
  for (let size = 1; size < 80; size += 1) assert.deepEqual(read(size), whole, `in pieces of ${size}`);
});

test("a file without a column that is needed is refused by the column's name", () => {
  assert.throws(() => reader(["time_unix_s"]), /seq/);
});

test("what is written can be read again, and no text becomes a formula", () => {
  const samples = new Samples("R");
  for (const sample of read(7)) samples.push(sample);
  const labels = { 3: '=cmd|"x"' };
  const lines = [...write(samples, [0, 1], ["ch4"], (channel) => labels[channel])].map((line) => split(line.trimEnd()));
  const [header, first, second] = lines;
  const at = (line, name) => line[header.indexOf(name)];
  assert.deepEqual(lines.map((line) => line.length), [header.length, header.length, header.length]);
  assert.deepEqual(["seq", "channel", "ch4_ppm", "discard", "qc", "qc_flags"].map((name) => at(first, name)), ["1", "3", "2.000942", "1", "0", "purge;gap"]);
  assert.equal(at(first, "channel_label"), `'=cmd|"x"`);
  assert.deepEqual(["channel", "ch4_ppm", "qc"].map((name) => at(second, name)), ["", "", "2"]);
});

test("numbers below zero stay numbers", () => {
  assert.deepEqual([quote(-1.5), quote("-1"), quote(NaN), quote(null), quote("a,b")], ["-1.5", "'-1", "", "", '"a,b"']);
});
