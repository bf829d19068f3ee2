// Two tabs have one connection, and the one that is left goes on.
import assert from "node:assert/strict";
import { ask, story, tab, tell, until, visit } from "./harness.mjs";

const follows = (phase) => document.querySelector("#phase")?.textContent.toUpperCase().includes(phase);

await story(async (browser) => {
  const first = await tab(browser);
  await visit(first);
  const second = await tab(browser);
  await visit(second);
  assert.equal((await ask("/events/connections")).count, 1);
  tell("both");
  for (const page of [first, second]) {
    await page.bringToFront();
    await until(page, follows, "MEASURING");
  }
  assert.equal((await ask("/events/connections")).count, 1);
  await first.close();
  await second.bringToFront();
  tell("one");
  await until(second, follows, "IDLE");
  assert.equal((await ask("/events/connections")).count, 1);
  assert.deepEqual(second.wrong, []);
});
