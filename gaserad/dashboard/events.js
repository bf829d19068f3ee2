// gaserad's event stream in a browser: one connection for all tabs, made whole after every interruption.
//
//   import { connect } from "http://lab-pc:5001/dashboard/events.js";
//   const stream = connect({ types: ["live_data", "run.*"] });
//   stream.onState(({ state }) => console.log(state));
//   stream.on("live_data", ({ data }) => console.log(data.channel, data.components));
//
// docs/dashboard.md describes it. It draws nothing and keeps no results.

import { share } from "./share.js";

const HERE = 30000; // how often a page says that it is still there

/**
 * Opens the stream. Options, all of which may be left out:
 * url (of /events; that of the server this module came from), types, channels, run (filters),
 * since (an event id to go on after), token and credentials (for a server elsewhere),
 * shared ("auto", "worker", "tabs", "none"), pauseWhenHidden (false), deadAfter (45000 ms without a byte),
 * pollEvery (2000 ms), patience ({ minDelay, maxDelay, healthyAfter, pollAfter, probeEvery }).
 */
export function connect(options = {}) {
  return new Connection(options);
}

export class Connection {
  /** disconnected, connecting, connected, reconnecting or error; with polling, attempt, reason, status, retryAt. */
  state = { state: "disconnected", polling: false, attempt: 0, reason: "", status: null, retryAt: null };
  /** The id of the last event; to go on after it some other day, give it as `since`. */
  lastId;
  /** When something last came, as Date.now(). */
  heardAt = Date.now();
  #handlers = new Map();
  #watchers = new Set();
  #way;
  #timer;
  #leave = [];

  constructor(options) {
    const { shared = "auto", pauseWhenHidden = false, since } = options;
    this.lastId = since;
    const inner = inside(options);
    this.#way = share(shared, JSON.stringify(inner), inner, (message) => this.#take(message));
    this.way = this.#way.way;
    this.#way.attach(since);
    this.#timer = setInterval(() => this.#way.here(this.lastId), HERE);
    this.#follow(pauseWhenHidden);
  }

  /** Calls `handler({ type, id, data })` for each event of a type, or of every type with "*". Returns how to stop that. */
  on(type, handler) {
    if (!this.#handlers.has(type)) this.#handlers.set(type, new Set());
    this.#handlers.get(type).add(handler);
    return () => this.#handlers.get(type)?.delete(handler);
  }

  /** Calls `watcher(state)` now and at each change. Returns how to stop that. */
  onState(watcher) {
    this.#watchers.add(watcher);
    watcher(this.state);
    return () => this.#watchers.delete(watcher);
  }

  /** Tries again now. */
  retry() {
    this.#way.retry();
  }

  close() {
    clearInterval(this.#timer);
    for (const leave of this.#leave) leave();
    this.#leave = [];
    this.#way.close();
    this.#show({ ...this.state, state: "disconnected", polling: false });
  }

  #take(message) {
    this.heardAt = message.kind === "state" ? this.heardAt : Date.now();
    if (message.kind === "state") return this.#show(message.state);
    if (message.kind !== "event") return undefined;
    const { event } = message;
    const whole = event.type === "snapshot" && !event.polled;
    if (event.id !== undefined && !event.polled) {
      // What is told twice, by two who share, is heard once.
      if (!whole && this.lastId !== undefined && event.id <= this.lastId) return undefined;
      this.lastId = event.id;
    }
    for (const type of [event.type, "*"]) {
      for (const handler of this.#handlers.get(type) ?? []) {
        try {
          handler(event);
        } catch (error) {
          console.error(error);
        }
      }
    }
    return undefined;
  }

  #show(state) {
    this.state = state;
    for (const watcher of this.#watchers) watcher(state);
  }

  #follow(pauseWhenHidden) {
    const page = globalThis.document;
    if (!page) return;
    const listen = (target, type, handler) => {
      target.addEventListener(type, handler);
      this.#leave.push(() => target.removeEventListener(type, handler));
    };
    listen(globalThis, "pagehide", () => this.#way.detach());
    listen(globalThis, "pageshow", (event) => event.persisted && this.#way.attach(this.lastId));
    if (!pauseWhenHidden) return;
    listen(page, "visibilitychange", () => {
      if (page.hidden) this.#way.detach();
      else this.#way.attach(this.lastId);
    });
  }
}

/** What the stream itself is asked for: the filters are part of its address. */
function inside({ url, types, channels, run, token, credentials, deadAfter, pollEvery, patience }) {
  const address = new URL(url ?? new URL("/events", import.meta.url), globalThis.location?.href);
  const list = (value) => (Array.isArray(value) ? value.join(",") : value);
  for (const [name, value] of Object.entries({ types: list(types), channels: list(channels), run })) {
    if (value !== undefined && value !== "") address.searchParams.set(name, value);
  }
  return JSON.parse(JSON.stringify({ url: address.href, token, credentials, deadAfter, pollEvery, patience }));
}
