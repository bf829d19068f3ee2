// What time it is at the daemon, between two events. Pure: it is told both times.
//
// Ages and countdowns go by the daemon's clock: this device's may be off, and a simulated run goes faster than it.

export class Clock {
  #samples = [];
  #offset = null;
  #rate = 1;

  /** An event of the daemon's time `server` (ms) came at `local` (ms, of a clock that is never set). */
  heard(server, local) {
    const oldest = this.#samples[0];
    const expected = this.now(local);
    if (oldest && Math.abs(server - expected) > 120000 * Math.max(this.#rate, 1)) this.#samples = [];
    this.#samples.push({ server, local });
    while (this.#samples.length > 2 && local - this.#samples[1].local > 8000) this.#samples.shift();
    const first = this.#samples[0];
    if (local - first.local >= 1000) {
      const rate = (server - first.server) / (local - first.local);
      // Events come a little early or late; only a simulation is twice as fast.
      this.#rate = rate > 1.5 ? rate : 1;
    }
    this.#offset = { server, local };
  }

  now(local) {
    return this.#offset ? this.#offset.server + (local - this.#offset.local) * this.#rate : Date.now();
  }

  get rate() {
    return this.#rate;
  }
}
