// The daemon goes and comes back in the middle of a run: the page says so, resumes by itself, and lacks nothing.
import assert from "node:assert/strict";
import { OVER, ask, badge, phase, story, tab, tell, until, visit } from "./harness.mjs";

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  tell("open");
  await phase(page, "MEASURING");
  tell("measuring");
  await badge(page, "reconnecting", "error", "disconnected");
  tell("lost");
  await badge(page, "connected");
  tell("back");
  await phase(page, "MEASURING");
  await phase(page, ...OVER);
  // Each sample of the run is in the chart, once: also those of the time when the page had no stream.
  const { run } = await ask("/runs/last");
  assert.equal(run.outcome, "completed");
  await until(page, (records) => Number(document.querySelector("#plot").dataset.points) >= records, run.records);
  assert.equal(await page.$eval("#plot", (plot) => Number(plot.dataset.points)), run.records);
  // What the page could not reach for a while it may say; that something in it broke it may not.
  assert.deepEqual(page.wrong.filter((text) => !text.startsWith("Failed to load resource")), []);
});
