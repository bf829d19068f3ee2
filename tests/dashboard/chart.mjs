// A whole run watched to its end, and then its chart: every sample is in it, it zooms, hides, remembers, and gives files.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ask, story, tab, tell, until, url, visit } from "./harness.mjs";

const shows = (phase) => document.querySelector("#phase")?.textContent === phase;
const count = (least) => Number(document.querySelector("#plot").dataset.points) >= least;
const range = (page) => page.$eval("#plot", (plot) => plot.dataset.range.match(/\d+/g).map(Number));
const pressed = (page, host) => page.$$eval(`${host} .chip`, (chips) => chips.map((chip) => chip.getAttribute("aria-pressed")));

async function file(folder, ends) {
  for (;;) {
    const found = readdirSync(folder).find((name) => name.endsWith(ends));
    if (found) return readFileSync(join(folder, found));
    await new Promise((done) => setTimeout(done, 50));
  }
}

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  tell("open");
  for (const phase of ["Purging", "Measuring"]) await until(page, shows, phase);
  await until(page, () => document.querySelector("#channels [data-state=measuring]"));
  await until(page, () => document.querySelector("#readings li b")?.textContent.match(/\d/));
  await until(page, shows, "Idle");
  const { run } = await ask("/runs/last");
  assert.equal(run.outcome, "completed");
  await until(page, count, run.records);
  assert.equal(await page.$eval("#plot", (plot) => Number(plot.dataset.points)), run.records, "each sample once");
  assert.deepEqual(await page.$$eval("#channels [data-state]", (tiles) => tiles.map((tile) => tile.dataset.state)), ["done", "done", "done"]);
  await until(page, () => [...document.querySelectorAll(".toast")].some((toast) => toast.textContent.includes("Run completed")));
  tell("watched");

  // Nothing is under the pointer any more that could be shown beside it.
  const box = await (await page.$("#plot")).boundingBox();
  const [left, right] = [box.x + box.width * 0.3, box.x + box.width * 0.6];
  const all = await range(page);
  await page.mouse.move(left, box.y + 60);
  await until(page, () => !document.querySelector(".tip").hidden);
  const tip = await page.$eval(".tip", (one) => one.textContent);
  for (const word of ["time", "channel", "repeat", "phase", "attribution", "CO₂"]) assert(tip.includes(word), tip);
  await page.mouse.down();
  await page.mouse.move(right, box.y + 64, { steps: 5 });
  await page.mouse.up();
  const changed = (was) => document.querySelector("#plot").dataset.range !== was.join("-");
  await until(page, changed, all);
  const boxed = await range(page);
  assert(boxed[0] > all[0] && boxed[1] < all[1], `${boxed} within ${all}`);
  await page.mouse.wheel({ deltaY: -240 });
  await until(page, changed, boxed);
  const wheeled = await range(page);
  assert(wheeled[1] - wheeled[0] < boxed[1] - boxed[0]);
  await page.focus(".over");
  await page.keyboard.press("ArrowRight");
  await until(page, changed, wheeled);
  await page.keyboard.press("0");
  await until(page, (was) => document.querySelector("#plot").dataset.range === was.join("-"), all);

  await page.click("#gas-legend .chip");
  await page.click("#channel-legend .chip:nth-child(2)");
  const wanted = [await pressed(page, "#gas-legend"), await pressed(page, "#channel-legend")];
  assert.deepEqual(wanted[1], ["true", "false", "true"]);
  assert.equal(wanted[0][0], "false");
  const folder = mkdtempSync(join(tmpdir(), "gaserad-page-"));
  const network = await page.createCDPSession();
  await network.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
  await page.click("#csv");
  const lines = (await file(folder, "-shown.csv")).toString().trimEnd().split("\n").map((line) => line.split(","));
  const channel = lines[0].indexOf("channel");
  assert(lines.length > 2 && lines.slice(1).every((line) => line[channel] !== "2"), "channel 2 is not shown");
  await page.click("#png");
  const png = await file(folder, ".png");
  assert.equal(png.toString("latin1", 1, 4), "PNG");
  assert(png.readUInt32BE(16) > 1000 && png.length > 10000, "a picture of some size");

  await page.goto(url);
  await until(page, count, run.records);
  await until(page, () => document.querySelectorAll("#channel-legend .chip").length === 3);
  assert.deepEqual([await pressed(page, "#gas-legend"), await pressed(page, "#channel-legend")], wanted, "remembered");

  // A stored run, and then live again without being asked.
  await page.goto(`${url}#runs/${run.id}`);
  await page.waitForSelector("#detail-body .primary");
  await page.click("#detail-body summary");
  await page.click('#detail-body a[href$="format=jsonl"]');
  const records = (await file(folder, ".jsonl")).toString().trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(records.length, run.records);
  await page.click("#detail-body .primary");
  await until(page, count, run.records);
  tell("stored");
  await until(page, shows, "Measuring");
  await until(page, () => document.querySelector("#chart-source").textContent === "live");
  assert.deepEqual(page.wrong, []);
});
