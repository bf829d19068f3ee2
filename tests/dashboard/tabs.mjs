// Two tabs have one connection, and the one that is left goes on. With an argument the browser has no shared workers.
import assert from "node:assert/strict";
import { OVER, ask, given, phase, story, tab, tell, visit } from "./harness.mjs";

/** Streams that are followed; looking up what was, for a moment, is none. */
async function streams() {
  const { connections } = await ask("/events/connections");
  return connections.filter(({ format }) => format === "named").length;
}

await story(async (browser) => {
  const open = async () => {
    const page = await tab(browser);
    if (given.length) await page.evaluateOnNewDocument(() => delete window.SharedWorker);
    await visit(page);
    assert.equal(await page.evaluate(() => "SharedWorker" in window), given.length === 0);
    return page;
  };
  const first = await open();
  const second = await open();
  assert.equal(await streams(), 1);
  tell("both");
  for (const page of [first, second]) {
    await page.bringToFront();
    await phase(page, "MEASURING");
  }
  assert.equal(await streams(), 1);
  await first.close();
  await second.bringToFront();
  tell("one");
  await phase(second, ...OVER);
  assert.equal(await streams(), 1);
  assert.deepEqual(second.wrong, []);
});
