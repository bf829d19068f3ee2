// The states of a connection, and how long it waits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Link } from "../../../gaserad/dashboard/link.js";

function opened() {
  const link = new Link({ pollAfter: 100 });
  link.open();
  return link;
}

test("the states follow each other as they should", () => {
  const link = new Link();
  assert.equal(link.state, "disconnected");
  link.opened();
  assert.equal(link.state, "disconnected", "nobody opened it");
  link.open();
  assert.equal(link.state, "connecting");
  link.opened();
  assert.equal(link.state, "connected");
  link.lost();
  assert.equal(link.state, "reconnecting");
  link.opened();
  link.refused();
  assert.equal(link.state, "error");
  link.open();
  assert.equal(link.state, "connecting");
  link.close();
  assert.equal(link.state, "disconnected");
});

test("delays double up to half a minute, and chance makes them shorter", () => {
  const link = opened();
  const delays = Array.from({ length: 8 }, () => link.lost({}, 1));
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assert.equal(link.lost({}, 0.5), 15000);
  assert.equal(link.lost({}, 0), 100, "never without a pause");
});

test("a server that accepts and drops does not make the delays begin anew, a stream that lasts does", () => {
  const link = opened();
  for (const wanted of [1000, 2000, 4000]) {
    link.opened();
    assert.equal(link.lost({ lived: 9999 }, 1), wanted);
  }
  link.opened();
  assert.equal(link.lost({ lived: 10000 }, 1), 1000);
});

test("what the server asks for is the first delay", () => {
  const link = opened();
  link.asked(2000);
  assert.deepEqual([link.lost({}, 1), link.lost({}, 1)], [2000, 4000]);
});

test("a restart that was announced is waited for once, then delays grow as ever", () => {
  const link = opened();
  assert.equal(link.lost({ restart: 5000 }, 0.5), 5500);
  assert.equal(link.lost({}, 1), 2000);
});

test("a server that is full says when to come again", () => {
  const link = opened();
  assert.equal(link.lost({ after: 7000 }, 0), 7000);
  assert.equal(link.lost({ after: 9e9 }, 0), 300000, "but not next year");
});

test("after five attempts in vain it polls, and tries the stream each half minute", () => {
  const link = new Link();
  link.open();
  for (let attempt = 0; attempt < 5; attempt += 1) {
    link.lost({}, 1);
    assert.equal(link.polling, false);
  }
  assert.equal(link.lost({}, 0), 30000);
  assert.deepEqual([link.state, link.polling], ["error", true]);
  link.opened();
  assert.deepEqual([link.state, link.polling], ["connected", false]);
});
