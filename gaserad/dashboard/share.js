// Ways in which tabs share a stream: a shared worker; where that is not to be had, a tab that leads the others; alone.
//
// Each way has attach(since), detach(), here(since), retry() and, for good, close(); it hands messages of hub.js to `take`.

import { Hub } from "./hub.js";

/** The best way that this browser has. `wanted` is "auto", "worker", "tabs" or "none". */
export function share(wanted, key, options, take) {
  if (wanted === "auto" || wanted === "worker") {
    try {
      return viaWorker(key, options, take);
    } catch {
      // A worker must be of the page's own origin, and some browsers have none.
    }
  }
  const tabs = typeof BroadcastChannel === "function" && globalThis.navigator?.locks && globalThis.document;
  return tabs && wanted !== "none" ? viaTabs(key, options, take) : alone(options, take);
}

function alone(options, take) {
  const hub = new Hub(options);
  const me = {};
  return {
    way: "none",
    attach: (since) => hub.attach(me, take, since),
    detach: () => hub.detach(me),
    here: () => hub.here(me),
    retry: () => hub.retry(),
    close: () => hub.detach(me),
  };
}

function viaWorker(key, options, take) {
  const worker = new SharedWorker(new URL("events-worker.js", import.meta.url), { type: "module", name: "gaserad events" });
  const { port } = worker;
  port.onmessage = ({ data }) => take(data);
  const say = (op, since) => port.postMessage({ op, key, options, since });
  return {
    way: "worker",
    attach: (since) => say("attach", since),
    detach: () => say("detach"),
    here: (since) => say("here", since),
    retry: () => say("retry"),
    close() {
      say("detach");
      port.close();
    },
  };
}

/** Whoever has the lock leads: it has the stream, and passes on what comes. Closes it, the next one leads. */
function viaTabs(key, options, take) {
  const name = `gaserad events ${key}`;
  const channel = new BroadcastChannel(name);
  const me = crypto.randomUUID?.() ?? String(Math.random());
  let hub;
  let resign;
  let standing = null;
  const state = { attached: false, since: undefined };
  const say = (message) => channel.postMessage(message);
  const own = () => hub.attach(me, take, state.since);

  channel.onmessage = ({ data }) => {
    if (data.to === me) {
      if (data.message.kind === "event" && data.message.event.id !== undefined) state.since = data.message.event.id;
      take(data.message);
    } else if (data.to === "all" && state.attached) {
      say({ to: "leader", from: me, op: "attach", since: state.since });
    } else if (data.to === "leader" && hub) {
      lead(hub, data, (message) => say({ to: data.from, message }));
    }
  };

  const stand = () => {
    standing = new AbortController();
    navigator.locks.request(name, { signal: standing.signal }, () => new Promise((done) => {
      resign = done;
      hub = new Hub(options);
      if (state.attached) own();
      say({ to: "all" });
    })).catch(() => {});
  };

  return {
    way: "tabs",
    attach(since) {
      state.attached = true;
      state.since = since;
      if (hub) own();
      else say({ to: "leader", from: me, op: "attach", since });
      if (!standing) stand();
    },
    detach() {
      state.attached = false;
      if (hub) hub.detach(me);
      else say({ to: "leader", from: me, op: "detach" });
    },
    here(since) {
      state.since = since ?? state.since;
      if (hub) hub.here(me);
      else say({ to: "leader", from: me, op: "here", since: state.since });
    },
    retry: () => (hub ? hub.retry() : say({ to: "leader", from: me, op: "retry" })),
    close() {
      this.detach();
      standing?.abort();
      // The next tab leads, and says so to the others.
      hub?.close();
      resign?.();
      channel.close();
    },
  };
}

function lead(hub, { from, op, since }, post) {
  if (op === "attach" || (op === "here" && !hub.here(from))) hub.attach(from, post, since);
  else if (op === "detach") hub.detach(from);
  else if (op === "retry") hub.retry();
}
