// How a connection is kept: its states, and how long to wait before the next attempt.
//
// Pure: it is told what happened and says what to do next. It owns no socket and no timer; chance comes from outside.

export const DEFAULTS = {
  minDelay: 1000, // doubles with each attempt in vain
  maxDelay: 30000,
  healthyAfter: 10000, // a stream that lasted so long is well: only then does the waiting begin anew
  pollAfter: 5, // attempts in a row, then /status is polled meanwhile
  probeEvery: 30000, // and the stream is tried so often
};

const SHORTEST = 100;
const MOST_PATIENCE = 300000;

export class Link {
  state = "disconnected";
  polling = false;
  losses = 0;
  #retry;

  constructor(patience = {}) {
    this.patience = { ...DEFAULTS, ...patience };
  }

  open() {
    if (this.state !== "disconnected" && this.state !== "error") return;
    this.state = "connecting";
    this.losses = 0;
    this.polling = false;
  }

  opened() {
    if (this.state === "disconnected") return;
    this.state = "connected";
    this.polling = false;
  }

  /** The server's `retry`. */
  asked(delay) {
    this.#retry = delay;
  }

  /** A stream that lasted `lived` ms is gone, or an attempt failed (0). How many ms to wait before the next one. */
  lost({ lived = 0, restart, after } = {}, chance = Math.random()) {
    const { maxDelay, healthyAfter, pollAfter, probeEvery } = this.patience;
    if (lived >= healthyAfter) this.losses = 0;
    const base = this.#base();
    this.state = "reconnecting";
    if (restart !== undefined && this.losses === 0) {
      this.losses = 1;
      return Math.min(restart, MOST_PATIENCE) + base * chance;
    }
    this.losses += 1;
    if (this.losses > pollAfter) {
      this.polling = true;
      this.state = "error";
      return probeEvery * (1 - chance / 10);
    }
    const delay = Math.min(base * 2 ** (this.losses - 1), maxDelay) * chance;
    const told = after ?? restart;
    return told === undefined ? Math.max(delay, SHORTEST) : Math.max(Math.min(told, MOST_PATIENCE) + base * chance, delay);
  }

  /** The server will not have it as it is asked. It is tried again now and then: somebody may log in. */
  refused(chance = Math.random()) {
    this.state = "error";
    this.polling = false;
    return this.patience.probeEvery * (1 - chance / 10);
  }

  close() {
    this.state = "disconnected";
    this.polling = false;
  }

  #base() {
    return Math.min(Math.max(this.#retry ?? this.patience.minDelay, SHORTEST), this.patience.maxDelay);
  }
}
