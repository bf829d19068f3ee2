// How tabs share a stream, and what each of them is told: with a server that the test holds, and the ways this runtime has.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { connect } from "../../../gaserad/dashboard/events.js";
import { Hub } from "../../../gaserad/dashboard/hub.js";

const URL_OF = "http://lab:5001/events";
let streams;
let snapshot;

async function settle() {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((done) => setTimeout(done));
}

beforeEach(() => {
  streams = [];
  snapshot = { seq: 0, phase: "IDLE" };
  mock.method(globalThis, "fetch", async (url, { signal } = {}) => {
    if (String(url).endsWith("/status")) return Response.json(snapshot);
    let feed;
    const body = new ReadableStream({ start: (controller) => (feed = controller) });
    signal.addEventListener("abort", () => feed.error(signal.reason));
    const say = (type, id, data) => feed.enqueue(new TextEncoder().encode(`event: ${type}\n${id === undefined ? "" : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`));
    streams.push({ url: new URL(url), say, signal });
    return new Response(body, { status: 200 });
  });
});

afterEach(() => mock.restoreAll());

const open = (signal) => !signal.aborted;
const since = () => streams.at(-1).url.searchParams.get("since");

function reader() {
  const told = [];
  const ids = () => told.filter(({ kind, event }) => kind === "event" && event.id !== undefined && event.type !== "snapshot").map(({ event }) => event.id);
  return { told, ids, post: (message) => told.push(message) };
}

test("one stream serves all readers, and ends with the last of them", async () => {
  const hub = new Hub({ url: URL_OF });
  const [a, b] = [reader(), reader()];
  hub.attach("a", a.post);
  hub.attach("b", b.post);
  await settle();
  streams[0].say("alarm", 1, { text: "x" });
  await settle();
  assert.deepEqual([streams.length, a.ids(), b.ids()], [1, [1], [1]]);
  hub.detach("a");
  assert(open(streams[0].signal));
  hub.detach("b");
  assert(!open(streams[0].signal));
});

test("who comes late is shown the state and the last events first, marked as such, and then what is new", async () => {
  const hub = new Hub({ url: URL_OF });
  hub.attach("a", () => {});
  await settle();
  streams[0].say("connected", undefined, { connection_id: "7" });
  streams[0].say("live_data", 1, { channel: 1, ppm: 1 });
  streams[0].say("live_data", 2, { channel: 2, ppm: 2 });
  streams[0].say("live_data", 3, { channel: 1, ppm: 3 });
  await settle();
  snapshot = { seq: 3, phase: "MEASURING" };
  const late = reader();
  hub.attach("b", late.post);
  streams[0].say("alarm", 4, { text: "x" });
  await settle();
  const events = late.told.filter(({ kind }) => kind === "event").map(({ event }) => [event.type, event.id, event.data.sticky ?? false, event.data.ppm]);
  assert.deepEqual(events, [
    ["connected", undefined, false, undefined], ["snapshot", 3, false, undefined],
    ["live_data", undefined, true, 2], ["live_data", undefined, true, 3], ["alarm", 4, false, undefined],
  ]);
  hub.detach("a");
  hub.detach("b");
});

test("who was away for a moment gets what it missed, who was away too long the state", async () => {
  const hub = new Hub({ url: URL_OF });
  hub.attach("a", () => {}, 0);
  await settle();
  for (let id = 1; id <= 600; id += 1) streams[0].say("phase", id, {});
  await settle();
  const [soon, late] = [reader(), reader()];
  hub.attach("soon", soon.post, 590);
  snapshot = { seq: 600 };
  hub.attach("late", late.post, 20);
  await settle();
  assert.deepEqual(soon.ids(), [591, 592, 593, 594, 595, 596, 597, 598, 599, 600]);
  assert(late.told.some(({ event }) => event?.type === "snapshot" && event.id === 600));
  assert.deepEqual(late.ids(), []);
  for (const key of ["a", "soon", "late"]) hub.detach(key);
});

test("a page that is closed lets go of the stream, and one that knows where it was goes on there", async () => {
  const stream = connect({ url: URL_OF, shared: "none", since: 12 });
  const seen = [];
  stream.on("alarm", ({ id }) => seen.push(id));
  await settle();
  assert.deepEqual([stream.state.state, since()], ["connected", "12"]);
  for (const id of [13, 13, 14]) streams[0].say("alarm", id, {});
  await settle();
  assert.deepEqual([seen, stream.lastId], [[13, 14], 14]);
  stream.close();
  assert.deepEqual([stream.state.state, open(streams[0].signal)], ["disconnected", false]);
});

test("a page that asks for it lets go of the stream while it is not seen, and catches up", async () => {
  const page = Object.assign(new EventTarget(), { hidden: false });
  globalThis.document = page;
  globalThis.addEventListener ??= () => {};
  globalThis.removeEventListener ??= () => {};
  try {
    const stream = connect({ url: URL_OF, shared: "none", pauseWhenHidden: true });
    await settle();
    streams[0].say("alarm", 5, {});
    await settle();
    page.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    assert(!open(streams[0].signal));
    page.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    await settle();
    assert.deepEqual([streams.length, since(), stream.state.state], [2, "5", "connected"]);
    stream.close();
    page.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    assert.equal(stream.state.state, "disconnected");
  } finally {
    delete globalThis.document;
  }
});

test("filters are part of the address, as lists or as text", async () => {
  const stream = connect({ url: URL_OF, shared: "none", types: ["live_data", "run.*"], channels: "1-8", run: "01J" });
  await settle();
  assert.equal(streams[0].url.search, "?types=live_data%2Crun.*&channels=1-8&run=01J");
  stream.close();
});

test("without shared workers one tab leads, the others listen, and the next one leads when it goes", async () => {
  let lead = Promise.resolve();
  // Locks as a browser has them: whoever asked first, until it lets go.
  const locks = { request: (_, { signal }, have) => (lead = lead.then(() => (signal.aborted ? undefined : have()))) };
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
  globalThis.document = new EventTarget();
  globalThis.addEventListener ??= () => {};
  globalThis.removeEventListener ??= () => {};
  const seen = [[], []];
  try {
    const tabs = seen.map((list) => {
      const tab = connect({ url: URL_OF, shared: "tabs" });
      tab.on("alarm", ({ id }) => list.push(id));
      return tab;
    });
    await settle();
    assert.deepEqual([streams.length, ...tabs.map(({ way, state }) => `${way} ${state.state}`)], [1, "tabs connected", "tabs connected"]);
    streams[0].say("alarm", 1, {});
    await settle();
    assert.deepEqual(seen, [[1], [1]]);
    tabs[0].close();
    await settle();
    streams.at(-1).say("alarm", 2, {});
    await settle();
    assert.deepEqual(seen, [[1], [1, 2]]);
    assert.equal(since(), "1", "it goes on after what it has seen");
    tabs[1].close();
  } finally {
    delete globalThis.document;
  }
});
