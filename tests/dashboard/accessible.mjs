// axe-core finds nothing in any view and dialog, light and dark, on a phone and on a wall. The first argument names what is shown.
import assert from "node:assert/strict";
import { DESK, PHONE, WALL, given, inaccessible, show, story, tab, until, views, visit } from "./harness.mjs";

const wrong = new Set();

async function note(page, scheme, { width }, place) {
  for (const found of await inaccessible(page)) wrong.add(`${given[0]}, ${scheme}, ${width}, ${place}: ${found}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) wrong.add(`${place} is ${wide} pixels wider than a screen of ${width}`);
}

await story(async (browser) => {
  for (const scheme of ["light", "dark"]) {
    for (const viewport of [DESK, PHONE, WALL]) {
      const page = await tab(browser, { scheme, viewport });
      await visit(page);
      for (const view of await views(page)) {
        await show(page, view);
        await note(page, scheme, viewport, view);
      }
      await show(page, "#now");
      for (const name of await page.$$eval("#controls button", (buttons) => buttons.map((button) => button.textContent))) {
        if (!name.endsWith("…")) continue;
        await page.evaluate((wanted) => [...document.querySelectorAll("#controls button")].find((button) => button.textContent === wanted).click(), name);
        await until(page, () => document.querySelector("#dialog").open);
        await note(page, scheme, viewport, name);
        await page.keyboard.press("Escape");
        await until(page, () => !document.querySelector("#dialog").open);
      }
      await page.close();
    }
  }
  assert.equal([...wrong].join("\n"), "");
});
