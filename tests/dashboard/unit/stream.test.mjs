// One connection as a server and a clock that the test holds see it: when it is tried again, from where, and when given up.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Stream } from "../../../gaserad/dashboard/stream.js";

const URL_OF = "http://lab:5001/events";
let asked;
let answers;
let polls;
let told;

/** An answer that the test feeds and ends. */
function open() {
  let feed;
  const body = new ReadableStream({ start: (controller) => (feed = controller) });
  const say = (text) => feed.enqueue(new TextEncoder().encode(text));
  return { answer: new Response(body, { status: 200 }), say, end: () => feed.close(), feed: () => feed };
}

/** Lets everything happen that waits for nothing but its turn. */
async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

async function pass(ms) {
  mock.timers.tick(ms);
  await settle();
}

beforeEach(() => {
  [asked, answers, polls, told] = [[], [], [], { events: [], states: [] }];
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  mock.method(Math, "random", () => 1);
  mock.method(globalThis, "fetch", async (url, { signal } = {}) => {
    asked.push(String(url));
    const next = (String(url).endsWith("/status") ? polls : answers).shift();
    if (!next) throw new TypeError("nobody listens");
    const { answer, feed } = next;
    signal?.addEventListener("abort", () => feed?.().error(signal.reason));
    return answer;
  });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

function begin(options = {}) {
  const stream = new Stream({ url: URL_OF, ...options }, {
    event: (event) => told.events.push(event), state: (state) => told.states.push(state), beat: () => {},
  });
  stream.open();
  return stream;
}

const state = () => told.states.at(-1);
const since = () => new URL(asked.at(-1)).searchParams.get("since");

test("events come with their ids, and a lost stream goes on after the last one", async () => {
  const [first, second] = [open(), open()];
  answers = [first, second];
  const stream = begin({ since: 3 });
  await settle();
  assert.deepEqual([state().state, since()], ["connected", "3"]);
  first.say('event: alarm\nid: 7\ndata: {"text":"x"}\n\nevent: progress\ndata: {"percent":1}\n\nevent: bad\nid: 8\ndata: {\n\n');
  await settle();
  assert.deepEqual(told.events, [{ type: "alarm", id: 7, data: { text: "x" } }, { type: "progress", id: undefined, data: { percent: 1 } }]);
  first.end();
  await settle();
  assert.equal(state().state, "reconnecting");
  await pass(999);
  assert.equal(asked.length, 1);
  await pass(2);
  assert.deepEqual([state().state, since()], ["connected", "7"]);
  stream.close();
  assert.equal(state().state, "disconnected");
});

test("attempts in vain come ever later, and then the state is asked for meanwhile", async () => {
  begin();
  const at = [];
  const length = () => asked.filter((url) => url.startsWith(URL_OF)).length;
  await settle();
  for (let second = 0; second <= 20; second += 1) {
    if (length() > at.length) at.push(second);
    await pass(1000);
  }
  assert.deepEqual(at, [0, 1, 3, 7, 15]);
  polls = Array.from({ length: 3 }, (_, index) => ({ answer: Response.json({ seq: 40 + index }) }));
  for (let second = 0; second < 17; second += 1) await pass(1000);
  assert.deepEqual([state().state, state().polling], ["error", true]);
  assert.deepEqual(told.events.map(({ type, id, polled }) => [type, id, polled]), [40, 41, 42].map((id) => ["snapshot", id, true]));
  answers = [open()];
  await pass(30001);
  assert.deepEqual([state().state, state().polling], ["connected", false]);
  const count = asked.length;
  await pass(10000);
  assert.equal(asked.length, count, "no more polls");
});

test("a stream from which no byte comes for 45 s is dead, one that says anything is not", async () => {
  const [first, second] = [open(), open()];
  answers = [first, second];
  begin();
  await settle();
  for (let time = 0; time < 4; time += 1) {
    await pass(40000);
    first.say(": keep-alive\n\n");
    await settle();
    assert.equal(state().state, "connected");
  }
  await pass(44000);
  assert.equal(state().state, "connected");
  await pass(1100);
  assert.deepEqual([state().state, state().reason], ["reconnecting", "nothing came for 45 s"]);
  await pass(1001);
  assert.equal(state().state, "connected");
});

test("a connection that is never answered is given up too", async () => {
  mock.method(globalThis, "fetch", (url, { signal }) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason))));
  begin();
  await pass(44000);
  assert.equal(state().state, "connecting");
  await pass(1100);
  assert.deepEqual([state().state, state().reason], ["reconnecting", "nothing came for 45 s"]);
});

test("who is refused is told why, and tries again each half minute or when told to", async () => {
  const refusal = () => ({ answer: Response.json({ error: "TOKEN_MISSING", message: "a token is needed here" }, { status: 401 }) });
  answers = [refusal(), refusal(), open()];
  const stream = begin();
  await settle();
  assert.deepEqual([state().state, state().status, state().reason, state().polling], ["error", 401, "a token is needed here", false]);
  await pass(30001);
  assert.deepEqual([asked.length, state().state], [2, "error"]);
  stream.retry();
  await settle();
  assert.equal(state().state, "connected");
});

test("a restart that was announced is waited for", async () => {
  const [first, second] = [open(), open()];
  answers = [first, second];
  begin();
  await settle();
  first.say('event: system.shutdown\nid: 9\ndata: {"reason":"restart","restart_expected_s":20}\n\n');
  await settle();
  first.end();
  await settle();
  await pass(20000);
  assert.equal(asked.length, 1);
  await pass(1001);
  assert.deepEqual([asked.length, since(), state().state], [2, "9", "connected"]);
});
