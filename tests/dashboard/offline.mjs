// An analyzer that is away is shown as away, with the reason; the stream itself is well.
import assert from "node:assert/strict";
import { ask, story, tab, until, visit } from "./harness.mjs";

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  await until(page, () => /offline/i.test(document.querySelector("#devices")?.textContent));
  const { analyzer } = await ask("/status");
  assert.equal(analyzer.online, false);
  const text = await page.$eval("main", (main) => main.innerText);
  assert(!/\bmeasuring\b/i.test(await page.$eval("#phase", (phase) => phase.textContent)), text);
  assert.deepEqual(page.wrong, []);
});
