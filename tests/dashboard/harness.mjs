// A headless Chromium that looks at gaserad's page, for the stories beside this file. What a story finds wrong it throws; what
// the test that started it has to do meanwhile it tells as lines of JSON. puppeteer-core and axe-core are where
// GASERA_READERS says (tests/readers/install).
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const from = createRequire(join(process.env.GASERA_READERS, "package.json"));
const puppeteer = from("puppeteer-core");
const LIMIT = Number(process.env.STORY_LIMIT ?? 120_000);
export const WALL = { width: 1920, height: 1080 };
export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740, isMobile: true, hasTouch: true };

export const url = process.argv[2];
export const given = process.argv.slice(3);

export function tell(step, more = {}) {
  console.log(JSON.stringify({ step, ...more }));
}

/** Runs a story in a browser of its own, which is closed however it ends. */
export async function story(play) {
  const browser = await puppeteer.launch({
    executablePath: execFileSync("sh", ["-c", "command -v chromium"], { encoding: "utf8" }).trim(),
    // Whoever runs tests in a container is often root, and has little shared memory.
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
  });
  try {
    await play(browser);
    tell("over");
  } finally {
    await browser.close();
  }
}

/** A tab, and what went wrong in it: `tab.wrong` has what the page threw, logged as an error, or was kept from doing. */
export async function tab(browser, { viewport = DESK, scheme = "light" } = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const wrong = [];
  const broken = new Promise((_, fail) => page.on("pageerror", (error) => fail(new Error(`the page threw ${error.stack ?? error}`))));
  // Whoever waits for the page hears of it; nobody may be waiting.
  broken.catch((error) => wrong.push(error.message));
  page.on("console", (message) => message.type() === "error" && wrong.push(`${message.text()} ${message.location().url ?? ""}`));
  await page.exposeFunction("toldViolation", (text) => wrong.push(`violated ${text}`));
  await page.evaluateOnNewDocument(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      window.toldViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
    });
  });
  return Object.assign(page, { wrong, broken });
}

/** Waits until `is` holds in the page; it is asked again whenever something in the document changes. */
export function until(page, is, ...args) {
  const found = page.waitForFunction(is, { polling: "mutation", timeout: LIMIT }, ...args);
  return Promise.race([found, page.broken]).catch(async (error) => {
    const text = await page.evaluate(() => document.body?.innerText).catch(() => "");
    throw new Error(`waited in vain for ${is} ${JSON.stringify(args)}: ${error.message}\nthe page says:\n${text}\n${page.wrong.join("\n")}`);
  });
}

/** Waits until the stream is in the state. */
export function badge(page, ...states) {
  return until(page, (wanted) => wanted.includes(document.querySelector("#badge")?.dataset.state), states);
}

/** Waits until the page shows one of the phases. */
export function phase(page, ...phases) {
  return until(page, (wanted) => wanted.includes(document.querySelector("#phase")?.dataset.phase), phases);
}

export const OVER = ["IDLE", "ABORTED"];

/** Opens the page, and waits until it follows what happens. */
export async function visit(page) {
  await page.goto(url);
  await badge(page, "connected");
}

/** The page's views, by the addresses that its navigation leads to. */
export function views(page) {
  return page.$$eval("nav a", (links) => links.map((link) => link.getAttribute("href")));
}

/** Goes to a view as a user does, and waits until it is the one that is shown. */
export async function show(page, view) {
  await page.click(`nav a[href="${view}"]`);
  await until(page, (wanted) => document.querySelector(`nav a[href="${wanted}"]`)?.getAttribute("aria-current") === "page", view);
}

/** What axe-core finds wrong with the page as it is now. */
export async function inaccessible(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(readFileSync(from.resolve("axe-core/axe.min.js"), "utf8"));
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help}: ${node.html} ${node.failureSummary}`));
}

export async function ask(path, options = {}) {
  const answer = await fetch(new URL(path, url), options);
  return { status: answer.status, ...(await answer.json()) };
}

/** Gives an order as the page does. */
export function order(path, form, headers = {}) {
  return ask(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(form) });
}
