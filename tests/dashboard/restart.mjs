// The daemon goes and comes back in the middle of a run: the page says so, resumes by itself, and lacks nothing.
import assert from "node:assert/strict";
import { badge, story, tab, tell, until, visit } from "./harness.mjs";

const follows = (phase) => document.querySelector("#phase")?.textContent.toUpperCase().includes(phase);

await story(async (browser) => {
  const page = await tab(browser);
  await visit(page);
  tell("open");
  await until(page, follows, "MEASURING");
  tell("measuring");
  await badge(page, "reconnecting", "error", "disconnected");
  tell("lost");
  await badge(page, "connected");
  tell("back");
  await until(page, follows, "MEASURING");
  await until(page, follows, "IDLE");
  tell("idle");
  // What the page could not reach for a while it may say; that something in it broke it may not.
  assert.deepEqual(page.wrong.filter((text) => !text.startsWith("Failed to load resource")), []);
});
