// Many readers on one stream: what a reader that comes late must know, and what one that was away has missed.
//
// It knows readers only as something with `post(message)`: a MessagePort, another tab, or the page itself.

import { Stream } from "./stream.js";

const RING = 500; // events kept for readers that were away for a moment
const STICKY = 64; // last events of each type, and last results of each channel
const SILENT = 150000; // a reader that has not said for so long that it is there is gone; hidden tabs say it once a minute

export class Hub {
  #options;
  #stream;
  #readers = new Map();
  #ring = [];
  #base; // the ring has every event after this one
  #sticky = new Map();
  #connected;
  #sweep;

  constructor(options) {
    this.#options = options;
  }

  get size() {
    return this.#readers.size;
  }

  /** A reader comes, or comes back having seen everything up to `since`. */
  attach(key, post, since) {
    const reader = { post, since, seen: Date.now(), waiting: false, held: [] };
    this.#readers.set(key, reader);
    this.#sweep ??= setInterval(() => this.#forget(), 30000);
    if (!this.#stream) {
      this.#begin(since);
      return;
    }
    post({ kind: "state", state: this.#stream.state() });
    if (since !== undefined && this.#base !== undefined && since >= this.#base) {
      for (const event of this.#ring) if (event.id > since) post({ kind: "event", event });
      return;
    }
    this.#admit(reader);
  }

  detach(key) {
    if (this.#readers.delete(key) && !this.#readers.size) this.#end();
  }

  /** All readers are let go. */
  close() {
    for (const key of [...this.#readers.keys()]) this.detach(key);
  }

  /** A reader says that it is still there. False if it was given up: it has to attach again. */
  here(key) {
    const reader = this.#readers.get(key);
    if (reader) reader.seen = Date.now();
    return reader !== undefined;
  }

  retry() {
    this.#stream?.retry();
  }

  #begin(since) {
    this.#base = since;
    this.#stream = new Stream({ ...this.#options, since }, {
      event: (event) => this.#event(event),
      state: (state) => this.#state(state),
      beat: () => this.#tell({ kind: "beat" }),
    });
    this.#stream.open();
  }

  #end() {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    const stream = this.#stream;
    this.#stream = this.#connected = this.#base = undefined;
    this.#ring = [];
    this.#sticky.clear();
    stream?.close();
  }

  #forget() {
    for (const [key, reader] of this.#readers) if (Date.now() - reader.seen > SILENT) this.detach(key);
  }

  #tell(message) {
    for (const reader of this.#readers.values()) reader.post(message);
  }

  #state(state) {
    this.#tell({ kind: "state", state });
    if (state.state !== "connected") return;
    for (const reader of this.#readers.values()) if (reader.waiting) this.#admit(reader);
  }

  #event(event) {
    this.#remember(event);
    for (const reader of this.#readers.values()) {
      if (reader.waiting) reader.held.push(event);
      else reader.post({ kind: "event", event });
    }
  }

  #remember(event) {
    if (event.type === "connected") this.#connected = event;
    if (event.type === "snapshot" && !event.polled) {
      this.#base = event.id;
      this.#ring = [];
    }
    if (event.type !== "snapshot" && (event.id !== undefined || event.data.sticky)) {
      const channel = event.type === "live_data" ? `:${event.data.channel}` : "";
      this.#sticky.delete(event.type + channel);
      this.#sticky.set(event.type + channel, event);
      if (this.#sticky.size > STICKY) this.#sticky.delete(this.#sticky.keys().next().value);
    }
    if (event.id === undefined || event.type === "snapshot") return;
    this.#ring.push(event);
    if (this.#ring.length > RING) this.#base = this.#ring.shift().id;
  }

  /** Shows a reader how things stand, and then what has happened since. */
  async #admit(reader) {
    reader.waiting = true;
    reader.held = [];
    let snapshot;
    try {
      snapshot = await this.#stream.snapshot();
    } catch {
      reader.held = [];
      return; // Once the stream is back.
    }
    const events = this.#connected ? [this.#connected, { ...snapshot, polled: false }] : [{ ...snapshot, polled: false }];
    for (const event of this.#sticky.values()) {
      if (event.id === undefined || event.id <= snapshot.id) {
        events.push({ type: event.type, id: undefined, data: { ...event.data, sticky: true } });
      }
    }
    events.push(...reader.held.filter((event) => event.id === undefined || event.id > snapshot.id));
    reader.waiting = false;
    reader.held = [];
    for (const event of events) reader.post({ kind: "event", event });
  }
}
