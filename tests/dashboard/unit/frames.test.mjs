// The reading of event streams, wherever the pieces are cut.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Frames } from "../../../gaserad/dashboard/frames.js";

const TEXT = '\ufeffretry: 2000\nevent: connected\ndata: {"seq":7}\n\n: keep-alive\n\nid: 10\r\nevent: snapshot\r\ndata: one\r\ndata: two\r\n\r\ndata\n\nid: 11\rdata: Ångström µ\r\r';
const WANTED = [
  { type: "connected", data: '{"seq":7}', id: undefined }, { type: "snapshot", data: "one\ntwo", id: "10" },
  { type: "message", data: "", id: undefined }, { type: "message", data: "Ångström µ", id: "11" },
];

test("a stream gives the same frames however it is cut", () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const frames = new Frames();
    const found = [];
    let retry;
    for (let at = 0; at < TEXT.length; at += size) {
      const told = frames.push(TEXT.slice(at, at + size));
      found.push(...told.frames);
      retry ??= told.retry;
    }
    assert.deepEqual(found, WANTED, `in pieces of ${size}`);
    assert.equal(retry, 2000);
  }
});

test("a frame that is not whole is kept back, and one without data is none", () => {
  const frames = new Frames();
  assert.deepEqual(frames.push("id: 1\nevent: x\n\ndata: half"), { frames: [], retry: undefined });
  assert.deepEqual(frames.push("\n\n").frames, [{ type: "message", data: "half", id: undefined }]);
});

test("an id with a null in it and a retry that is no number are not taken", () => {
  const told = new Frames().push("retry: soon\nid: 1\0\ndata: x\n\n");
  assert.deepEqual(told, { frames: [{ type: "message", data: "x", id: undefined }], retry: undefined });
});
