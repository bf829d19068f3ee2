// A page that is left open: what it holds does not grow with time. It is looked at again and again during a long run; what
// waits to be collected comes and goes, so the least of the first looks is held against the least of the last ones.
import assert from "node:assert/strict";
import { story, tab, tell, until, visit } from "./harness.mjs";

const count = (least) => Number(document.querySelector("#plot").dataset.points) >= least;
const [FIRST, LAST] = [process.argv[3], process.argv[4]].map(Number);
const LOOKS = 12;

async function held(page) {
  const network = await page.createCDPSession();
  for (let time = 0; time < 3; time += 1) await network.send("HeapProfiler.collectGarbage");
  await network.detach();
  const { JSHeapUsedSize, Nodes, JSEventListeners } = await page.metrics();
  const shown = await page.evaluate(() => {
    const all = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
    let nodes = 1;
    while (all.nextNode()) nodes += 1;
    return { nodes, alarms: document.querySelectorAll("#alarms li").length };
  });
  return { heap: JSHeapUsedSize, shown: shown.nodes, apart: Nodes - shown.nodes, alarms: shown.alarms, listeners: JSEventListeners };
}

const least = (looks) => Object.fromEntries(Object.keys(looks[0]).map((what) => [what, Math.min(...looks.map((look) => look[what]))]));

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  tell("open");
  const looks = [];
  for (let look = 0; look < LOOKS; look += 1) {
    await until(page, count, FIRST + Math.round(((LAST - FIRST) * look) / (LOOKS - 1)));
    looks.push(await held(page));
  }
  const [first, last] = [least(looks.slice(0, LOOKS / 3)), least(looks.slice(-LOOKS / 3))];
  tell("held", { first, last, looks });
  const grown = (what) => last[what] - first[what];
  const flat = (what, growth, most) => assert(growth < most, `${what} grew by ${growth}: ${JSON.stringify(looks)}`);
  // The samples themselves: some dozens of bytes each.
  flat("the heap", grown("heap"), 300_000 + (LAST - FIRST) * 100);
  flat("the number of listeners", grown("listeners"), 40);
  flat("what is held apart from the document", grown("apart"), 100);
  // The document itself grows by alarms, of which it keeps the last ones, and by a channel's first result.
  flat("the document", grown("shown") - 10 * grown("alarms"), 100);
  assert(last.alarms <= 50, `${last.alarms} alarms are shown`);
  assert.deepEqual(page.wrong, []);
});
