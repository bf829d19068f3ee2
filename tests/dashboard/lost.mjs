// An analyzer that is lost within a run: the page says so and why, and does not give up the run, which goes on when the
// analyzer is back.
import assert from "node:assert/strict";
import { phase, story, tab, tell, until, visit } from "./harness.mjs";

const analyzer = (state) => [...document.querySelectorAll("#devices > div")].some((row) => row.textContent.startsWith("Analyzer") && row.querySelector(`dd[data-state=${state}]`));
const toasted = (words) => [...document.querySelectorAll(".toast")].some((toast) => toast.textContent.includes(words));

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  await until(page, analyzer, "ok");
  await phase(page, "MEASURING");
  tell("measuring");
  await until(page, analyzer, "bad");
  await until(page, toasted, "The analyzer is offline");
  assert.match(await page.$eval("#devices", (list) => list.textContent), /offline: \S/);
  assert.equal(await page.$eval("#badge", (badge) => badge.dataset.state), "connected", "the stream itself is well");
  assert.doesNotMatch(await page.$eval("#run-title ~ p", (line) => line.textContent), /No run is under way/);
  tell("lost");
  await until(page, toasted, "The analyzer is back");
  await until(page, analyzer, "ok");
  await phase(page, "MEASURING");
  assert.deepEqual(page.wrong, []);
});
