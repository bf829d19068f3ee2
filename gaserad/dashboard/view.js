// Which stretch of time the chart shows. Pure: it is told what there is and what somebody did.

const NARROWEST = 5000; // ms

export class View {
  /** null: all there is. Otherwise [start, end]. */
  range = null;
  /** The range goes on with time. */
  follows = true;

  /** What is shown of [first, last]. */
  shown(first, last) {
    if (!this.range) {
      const room = Math.max((last - first) * 0.01, 1000);
      return [first - room, last + room];
    }
    if (this.follows && last > this.range[1]) {
      const wide = this.range[1] - this.range[0];
      this.range = [last - wide * 0.98, last + wide * 0.02];
    }
    return this.range;
  }

  /** Makes it `factor` times as wide around `time`. */
  zoom(time, factor, first, last) {
    const [start, end] = this.shown(first, last);
    const wide = Math.min(Math.max((end - start) * factor, NARROWEST), (last - first) * 1.2 + NARROWEST);
    if (factor > 1 && wide >= (last - first) * 1.02) return this.reset();
    const share = (time - start) / (end - start);
    return this.set(time - wide * share, time + wide * (1 - share), last);
  }

  pan(by, first, last) {
    const [start, end] = this.shown(first, last);
    const wide = end - start;
    // Something always stays in sight.
    const to = Math.min(Math.max(start + by, first - wide * 0.9), last - wide * 0.1);
    this.set(to, to + wide, last);
  }

  set(start, end, last) {
    const wide = Math.max(end - start, NARROWEST);
    this.range = [start, start + wide];
    this.follows = start + wide >= last;
  }

  /** The newest `wide` ms, from now on too. */
  newest(wide, last) {
    this.range = [last - wide * 0.98, last + wide * 0.02];
    this.follows = true;
  }

  reset() {
    this.range = null;
    this.follows = true;
  }
}
