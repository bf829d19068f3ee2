// What who may can do to a run: buttons, and the questions before what cannot be undone. The daemon decides.

import { at, el, text } from "./dom.js";
import { openStart } from "./start.js";
import { refusal } from "./load.js";
import { toast } from "./toasts.js";

export async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw await refusal(answer, `POST ${path}`);
  return answer.json();
}

/** Orders something and says if it was refused. */
export async function order(what, body = {}) {
  try {
    await post(`/control/${what}`, body);
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}

/** A question with its answers as buttons; resolves to the answer, or null. `field` asks for a text too. */
export function ask(title, words, answers, field = null) {
  const dialog = at("dialog");
  return new Promise((done) => {
    let given = null;
    const input = field && el("input", { id: "dialog-field", maxlength: 500, autocomplete: "off", type: field.type ?? "text", required: true });
    const form = el("form", { method: "dialog" },
      el("h2", { id: "dialog-title" }, title), words && el("p", {}, words),
      field && el("label", { for: "dialog-field" }, field.label), input,
      el("div", { class: "row end" }, el("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Cancel"),
        ...answers.map(([name, value, kind]) => el("button", { type: "submit", value, class: kind ?? "" }, name))));
    form.addEventListener("submit", (event) => {
      given = field ? input.value : event.submitter?.value;
    });
    show(form, () => done(given));
  });
}

/** Opens the dialog with this in it. */
export function show(content, closed = () => {}) {
  const dialog = at("dialog");
  dialog.replaceChildren(content);
  dialog.onclose = () => {
    dialog.replaceChildren();
    closed();
  };
  dialog.showModal();
}

/** Returns what shows the buttons that fit. */
export function controls(page) {
  const host = at("controls");
  const make = (name, act, kind = "") => el("button", { type: "button", class: kind, onclick: act }, name);
  const buttons = {
    start: make("Start…", () => openStart(page), "primary"),
    pause: make("Pause", () => order("pause")),
    resume: make("Resume", () => order("resume"), "primary"),
    skip: make("Skip channel", async () => {
      const channel = page.model.progress?.current_channel + 1;
      if (await ask("Skip this channel?", `Channel ${channel} is left now, and the run goes on with the next one.`, [["Skip channel", "yes", "primary"]])) order("skip");
    }),
    finish: make("Finish…", async () => {
      const after = await ask("Finish early?", "The run ends by itself after what is under way; all results are kept.", [["After this channel", "channel", "primary"], ["After this repeat", "repeat", "primary"]]);
      if (after) order("finish", { after });
    }),
    note: make("Note…", async () => {
      const note = await ask("Note", "It is kept with the run, with the time and your name.", [["Keep", "yes", "primary"]], { label: "What happened?" });
      if (note) order("note", { text: note });
    }),
    abort: make("Abort…", async () => {
      if (!await ask("Abort the run?", "The analyzer is stopped at once. What has been measured is kept; the run cannot go on.", [["Abort the run", "yes", "danger"]])) return;
      text(buttons.abort, "Aborting…");
      buttons.abort.disabled = true;
      await order("abort");
      text(buttons.abort, "Abort…");
      buttons.abort.disabled = false;
    }, "danger"),
  };

  return () => {
    const { model, me } = page;
    const may = me?.role === "operator";
    const running = model.isRunning;
    const wanted = !may || !model.known ? [] : running
      ? [model.phase === "PAUSED" ? "resume" : "pause", "skip", "finish", "note", "abort"]
      : ["start"];
    const key = wanted.join();
    host.hidden = !may;
    if (host.dataset.key === key) return;
    host.dataset.key = key;
    const focused = host.contains(document.activeElement);
    host.replaceChildren(...wanted.map((name) => buttons[name]));
    if (focused) host.firstElementChild?.focus();
  };
}

/** Asks for a token and gets a cookie for it. */
export async function logIn() {
  const token = await ask("Log in", "A token is a line that whoever runs gaserad has given you.", [["Log in", "yes", "primary"]], { label: "Token", type: "password" });
  if (!token) return false;
  try {
    const answer = await fetch("/login", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: token.trim() }) });
    if (!answer.ok) throw await refusal(answer, "POST /login");
    return true;
  } catch (error) {
    toast(error.message, "bad");
    return false;
  }
}
