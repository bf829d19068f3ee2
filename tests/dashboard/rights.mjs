// Who shows no token sees a login, a viewer sees and orders nothing, an operator starts and aborts. Arguments: both tokens.
import assert from "node:assert/strict";
import { OVER, badge, given, phase, show, story, tab, until, url, views } from "./harness.mjs";

const [viewer, operator] = given;
const controls = (page) => page.$$eval("#controls button", (buttons) => buttons.filter((button) => button.checkVisibility()).length);

async function logIn(page, token) {
  await until(page, () => document.querySelector("#login").checkVisibility() && document.querySelector("#login").textContent === "Log in");
  await page.click("#login");
  await until(page, () => document.querySelector("#dialog input"));
  await page.type("#dialog input", token);
  await page.keyboard.press("Enter");
}

async function logOut(page) {
  await until(page, () => document.querySelector("#login").textContent === "Log out");
  await page.click("#login");
}

/** What the page itself may send. */
function send(page, path, form) {
  return page.evaluate(async (to, body) => {
    const answer = await fetch(to, { method: "POST", headers: { "content-type": "application/json" }, body });
    return { status: answer.status, ...(await answer.json()) };
  }, path, JSON.stringify(form));
}

await story(async (browser) => {
  const page = await tab(browser);
  await page.goto(url);
  await until(page, () => document.querySelector("#login")?.checkVisibility());
  await until(page, () => /^Realtime: error/.test(document.querySelector("#badge-text").textContent));
  // It asks for nothing that it may not have.
  assert.deepEqual(page.wrong, []);
  assert.equal((await send(page, "/control/start", { channels: "1" })).status, 401);
  assert.equal(await controls(page), 0);

  await logIn(page, viewer);
  await badge(page, "connected");
  for (const view of await views(page)) await show(page, view);
  await page.click('nav a[href="#now"]');
  assert.equal(await controls(page), 0);
  for (const verb of ["start", "abort", "pause", "note"]) {
    assert.equal((await send(page, `/control/${verb}`, {})).error, "NOT_PERMITTED", verb);
  }
  assert.equal((await send(page, "/plan/check", { channels: "1" })).status, 200);

  // Streams that were opened with the cookie end with it, also in pages that do not ask anew.
  const ended = page.evaluate(async () => {
    const answer = await fetch("/events?types=run.*");
    document.body.dataset.open = "true";
    return new Response(answer.body).text();
  });
  await until(page, () => document.body.dataset.open);
  assert.equal(await page.evaluate(async () => (await fetch("/logout", { method: "POST" })).status), 200);
  assert.match(await ended, /logged out/);
  await until(page, () => document.querySelector("#badge").dataset.state === "error");
  await page.reload();
  await logIn(page, viewer);
  await badge(page, "connected");

  await logOut(page);
  await logIn(page, operator);
  await until(page, () => document.querySelectorAll("#controls button").length > 0);
  const started = await send(page, "/control/start", { channels: "1-2", purge: "5s", measure: "1h" });
  assert.equal(started.status, 200, JSON.stringify(started));
  await phase(page, "MEASURING");
  assert((await controls(page)) > 1);
  const aborted = await send(page, "/control/abort", { run: started.run_id });
  assert.equal(aborted.run_id, started.run_id);
  await phase(page, ...OVER);
});
