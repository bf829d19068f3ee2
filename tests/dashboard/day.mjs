// A page that is left open: what it holds does not grow with time. Told and judged between two moments of a long run.
import assert from "node:assert/strict";
import { story, tab, tell, until, visit } from "./harness.mjs";

const count = (least) => Number(document.querySelector("#plot").dataset.points) >= least;
const [FIRST, LAST] = [process.argv[3], process.argv[4]].map(Number);

async function held(page) {
  const network = await page.createCDPSession();
  for (let time = 0; time < 3; time += 1) await network.send("HeapProfiler.collectGarbage");
  await network.detach();
  const { JSHeapUsedSize, Nodes, JSEventListeners } = await page.metrics();
  return { heap: JSHeapUsedSize, nodes: Nodes, listeners: JSEventListeners };
}

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  tell("open");
  await until(page, count, FIRST);
  const first = await held(page);
  await until(page, count, LAST);
  const last = await held(page);
  tell("held", { first, last });
  // The samples themselves: some dozens of bytes each.
  assert(last.heap - first.heap < 1_000_000 + (LAST - FIRST) * 200, JSON.stringify({ first, last }));
  assert(last.nodes - first.nodes < 600, JSON.stringify({ first, last }));
  assert(last.listeners - first.listeners < 100, JSON.stringify({ first, last }));
  assert.deepEqual(page.wrong, []);
});
