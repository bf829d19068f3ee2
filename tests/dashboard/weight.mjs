// What loading the page takes: bytes over the wire, and the time until something is seen, which is told and not judged.
import assert from "node:assert/strict";
import { badge, story, tab, tell, url } from "./harness.mjs";

const MOST = 150_000;

await story(async (browser) => {
  const page = await tab(browser);
  const [paths, bytes] = [new Map(), new Map()];
  const network = await page.createCDPSession();
  await network.send("Network.enable");
  network.on("Network.requestWillBeSent", ({ requestId, request }) => paths.set(requestId, new URL(request.url).pathname));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const path = paths.get(requestId);
    if (path === "/" || path.startsWith("/dashboard/")) bytes.set(path, encodedDataLength);
  });
  await page.goto(url);
  await badge(page, "connected");
  const total = [...bytes.values()].reduce((sum, one) => sum + one, 0);
  assert(bytes.size > 2 && total < MOST, `${total} bytes: ${JSON.stringify([...bytes])}`);
  assert([...paths.values()].every((path) => path.startsWith("/")));
  const paint = await page.evaluate(() => performance.getEntriesByType("paint").map(({ name, startTime }) => [name, startTime]));
  tell("loaded", { bytes: total, files: bytes.size, paint: Object.fromEntries(paint) });
  assert.deepEqual(page.wrong, []);
});
