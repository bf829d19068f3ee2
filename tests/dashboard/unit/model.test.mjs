// Events in, state out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Model } from "../../../gaserad/dashboard/model.js";

const PLAN = { channels: [1, 2, 3], background: null, repeats: 2 };
const RUN = { id: "R", plan: PLAN, records: 0, good_records: 0, started: "2026-01-15T08:00:00Z", ended: null, outcome: null };
const PROGRESS = { current_channel: 0, repeat_index: 0, repeat_total: 2 };

function started() {
  const model = new Model();
  model.take({ type: "snapshot", id: 1, data: { phase: "IDLE", progress: PROGRESS, run: null, last_run: null, queued: [], analyzer: { online: true }, multiplexer: { channels: 31 }, live_data: null } });
  model.take({ type: "run.started", id: 2, data: { run: RUN, timestamp: 1 } });
  return model;
}

function phase(model, name, channel, visit, timestamp, repeat = 1) {
  model.take({ type: "phase", data: { phase: name, reason: "x", until: null, run_id: "R", channel, visit_id: visit, repeat, timestamp, progress: { ...PROGRESS, current_channel: (channel ?? 1) - 1, repeat_index: repeat - 1 } } });
}

function result(model, seq, channel, visit, more = {}) {
  model.take({ type: "live_data", data: { run_id: "R", seq, channel, visit_id: visit, discard: false, qc: "good", sampled: `2026-01-15T08:00:${10 + seq}Z`, components: [], ...more } });
}

const states = (model) => [1, 2, 3, 4].map((channel) => model.channelState(channel));

test("a channel goes from to come by way of purging and measuring to done", () => {
  const model = started();
  assert.deepEqual(states(model), ["enabled", "enabled", "enabled", "off"]);
  phase(model, "PURGING", 1, 1, 10);
  assert.deepEqual(states(model), ["purging", "enabled", "enabled", "off"]);
  phase(model, "MEASURING", 1, 1, 20);
  result(model, 1, 1, 1);
  phase(model, "SWITCHING", 2, null, 30);
  assert.deepEqual(states(model), ["done", "moving", "enabled", "off"]);
});

test("a visit has failed when another one is over and none of its samples was good", () => {
  const model = started();
  phase(model, "MEASURING", 1, 1, 10);
  result(model, 1, 1, 1, { discard: true });
  phase(model, "MEASURING", 2, 2, 20);
  assert.equal(model.channelState(1), "done", "its result may still come");
  result(model, 2, 2, 2);
  phase(model, "MEASURING", 3, 3, 30);
  assert.deepEqual(states(model), ["failed", "done", "measuring", "off"]);
});

test("the next repeat begins with all channels to come", () => {
  const model = started();
  phase(model, "MEASURING", 1, 1, 10);
  result(model, 1, 1, 1);
  phase(model, "PURGING", 2, 2, 20, 2);
  assert.deepEqual(states(model), ["enabled", "purging", "enabled", "off"]);
});

test("visits that were before this page are taken up, and those since stay", () => {
  const model = started();
  phase(model, "MEASURING", 2, 2, 1768464100);
  model.takeVisits("R", [{ id: 1, channel: 1, repeat: 1, arrived: "2026-01-15T08:00:00Z", left: "2026-01-15T08:01:00Z", records: 3, good_records: 2 }]);
  assert.deepEqual(states(model), ["done", "measuring", "enabled", "off"]);
  assert.equal(model.visits.size, 2);
});

test("what was told before changes no state, but fills in results and alarms, each once", () => {
  const model = started();
  model.take({ type: "phase", data: { phase: "FAILED", sticky: true } });
  assert.equal(model.phase, "IDLE");
  const alarm = { severity: "warning", code: "disk_low", text: "x", timestamp: 5, sticky: true };
  for (let times = 0; times < 3; times += 1) model.take({ type: "alarm", data: alarm });
  assert.equal(model.alarms.length, 1);
});

test("an older result does not take the place of a newer one", () => {
  const model = started();
  result(model, 5, 1, 1);
  result(model, 4, 1, 1);
  assert.deepEqual([model.latest.seq, model.results.get(1).seq], [5, 5]);
});

test("however long a run is, what is kept of it has a limit", () => {
  const model = started();
  for (let visit = 1; visit <= 25000; visit += 1) phase(model, "MEASURING", 1 + (visit % 3), visit, visit);
  for (let at = 0; at < 200; at += 1) model.take({ type: "alarm", data: { severity: "warning", code: "x", text: "", timestamp: at } });
  assert.deepEqual([model.visits.size <= 20000, model.alarms.length, model.alarms[0].timestamp], [true, 50, 199]);
});

test("a run that is over is the last run, and a property that nobody knows does no harm", () => {
  const model = started();
  model.take({ type: "run.finished", data: { run: { ...RUN, outcome: "completed" }, timestamp: 9 } });
  assert.deepEqual([model.run, model.lastRun.outcome, model.isRunning], [null, "completed", false]);
  model.take({ type: "something.new", data: { a: 1 } });
});
