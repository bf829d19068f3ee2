// The shared worker in which all tabs of a browser have one stream. It decides nothing: see hub.js.

import { Hub } from "./hub.js";

const hubs = new Map();

globalThis.onconnect = ({ ports: [port] }) => {
  let hub;
  port.onmessage = ({ data: { op, key, options, since } }) => {
    if (op === "attach") {
      hub = hubs.get(key) ?? new Hub(options);
      hubs.set(key, hub);
      hub.attach(port, (message) => port.postMessage(message), since);
    } else if (op === "detach") {
      hub?.detach(port);
    } else if (op === "retry") {
      hub?.retry();
    } else if (op === "here" && hub && !hub.here(port)) {
      hub.attach(port, (message) => port.postMessage(message), since);
    }
  };
};
