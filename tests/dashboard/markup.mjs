// What people and devices write is text, whatever it looks like. The arguments are what must be read in the page, each in a view.
import assert from "node:assert/strict";
import { given, show, story, tab, until, views, visit } from "./harness.mjs";

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  const missing = new Set(given);
  for (const view of await views(page)) {
    await show(page, view);
    if (view === "#runs") {
      await until(page, () => document.querySelector("#runs tbody tr"));
      await page.click("#runs tbody tr a, #runs tbody tr button, #runs tbody tr");
      await until(page, () => document.querySelector("#detail-body")?.childElementCount > 0);
    }
    for (const text of [...missing]) {
      if ((await page.$eval("body", (body) => body.textContent)).includes(text)) missing.delete(text);
    }
  }
  assert.deepEqual([...missing], [], await page.$eval("body", (body) => body.textContent));
  const made = await page.evaluate(() => document.querySelectorAll("main script, main img, main iframe, main marquee, [onerror], [onload]").length);
  assert.equal(made, 0);
  assert.equal(await page.evaluate(() => "ran" in window), false);
  assert.deepEqual(page.wrong, []);
});
