// Follows a stream with the EventSource of a headless Chromium, in a page of the daemon's own origin:
// node chromium.mjs URL follow, or node chromium.mjs URL dashboard.
import { execFileSync } from "node:child_process";
import puppeteer from "puppeteer-core";
import { dashboard } from "./dashboard.mjs";
import { follow, types } from "./follow.mjs";

const [url, what] = process.argv.slice(2);
const names = await types(url);
const chromium = await puppeteer.launch({
  executablePath: execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim(),
  // Whoever runs tests in a container is often root, and has little shared memory.
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
});
const page = await chromium.newPage();
await page.goto(new URL("/healthz", url).href);
const over = new Promise((done) => {
  page.on("console", (message) => {
    if (message.type() !== "log") return;
    if (message.text() === "over") done();
    else console.log(message.text());
  });
});
page.on("pageerror", (error) => console.log(JSON.stringify({ state: `the page failed: ${error.message}` })));
const text = what === "dashboard" ? dashboard : follow;
const given = [url, names].map((value) => JSON.stringify(value)).join();
await page.evaluate(`(${text})(EventSource, ${given}, (line) => console.log(line), () => console.log("over"))`);
await over;
await chromium.close();
