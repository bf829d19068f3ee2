// The page keeps to its own policy in all its views, and nothing inline runs in it.
import assert from "node:assert/strict";
import { show, story, tab, until, views, visit } from "./harness.mjs";

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  for (const view of [...(await views(page)), ...(await views(page))]) await show(page, view);
  assert.deepEqual(page.wrong, []);

  // Whatever got markup into the page would get no further.
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ranInline = true";
    document.body.append(script);
    const link = document.createElement("a");
    link.href = "javascript:window.ranLink = true";
    document.body.append(link);
    link.click();
    const image = document.createElement("img");
    image.setAttribute("onerror", "window.ranHandler = true");
    image.src = "https://elsewhere.invalid/x.png";
    image.addEventListener("error", () => document.body.setAttribute("data-refused", ""));
    document.body.append(image);
  });
  await until(page, () => document.body.hasAttribute("data-refused"));
  const ran = await page.evaluate(() => ["ranInline", "ranLink", "ranHandler"].filter((name) => name in window));
  assert.deepEqual(ran, []);
  for (const part of ["script-src-elem", "script-src-attr", "img-src"]) {
    assert(page.wrong.some((text) => text.startsWith(`violated ${part}`)), `${part} is not among ${page.wrong.join("\n")}`);
  }
});
