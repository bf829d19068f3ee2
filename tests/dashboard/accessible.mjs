// axe-core finds nothing in any view, light and dark, on a phone and on a wall. The first argument names what is shown.
import assert from "node:assert/strict";
import { DESK, PHONE, WALL, given, inaccessible, show, story, tab, views, visit } from "./harness.mjs";

await story(async (browser) => {
  const wrong = new Set();
  for (const scheme of ["light", "dark"]) {
    for (const viewport of [DESK, PHONE, WALL]) {
      const page = await tab(browser, { scheme, viewport });
      await visit(page);
      for (const view of await views(page)) {
        await show(page, view);
        for (const found of await inaccessible(page)) wrong.add(`${given[0]}, ${scheme}, ${viewport.width}, ${view}: ${found}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) wrong.add(`${view} is ${wide} pixels wider than a screen of ${viewport.width}`);
      }
      await page.close();
    }
  }
  assert.equal([...wrong].join("\n"), "");
});
