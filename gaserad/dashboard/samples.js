// The samples of one run, as columns of numbers, and who is drawn together: a track for each channel.
//
// Pure data: it neither reads nor draws. It keeps the newest LIMIT samples and lets go of the oldest. Where a clock was
// set back a track ends and another one begins, so that each is in the order of time and can be searched.

export const LIMIT = 200000;
export const BLOCKS = [8, 64, 512]; // points whose least and greatest are known at once

const ATTRIBUTIONS = ["exact", "mixed", "stale", "unattributed"];
const QC = ["good", "suspect", "bad"];

/** Rows in the order of time, a list that only grows, and for each gas the least and greatest of every block of them. */
export class Track {
  rows = new Uint32Array(64);
  length = 0;
  #blocks = new Map();

  push(row) {
    if (this.length === this.rows.length) this.rows = grown(this.rows);
    this.rows[this.length] = row;
    this.length += 1;
  }

  /** { least, greatest } of blocks of so many points: for each the place in the track, or -1 where no value is. */
  blocks(gas, values, size) {
    const key = `${gas}/${size}`;
    let known = this.#blocks.get(key);
    if (!known) this.#blocks.set(key, (known = { size, least: new Int32Array(16), greatest: new Int32Array(16), done: 0 }));
    const count = Math.ceil(this.length / size);
    while (known.least.length < count) {
      known.least = grown(known.least);
      known.greatest = grown(known.greatest);
    }
    for (let at = known.done; at < this.length; at += 1) this.#weigh(known, at, values);
    known.done = this.length;
    return known;
  }

  #weigh({ size, least, greatest }, at, values) {
    const block = Math.floor(at / size);
    if (at % size === 0) least[block] = greatest[block] = -1;
    const value = values[this.rows[at]];
    if (Number.isNaN(value)) return;
    if (least[block] < 0 || value < values[this.rows[least[block]]]) least[block] = at;
    if (greatest[block] < 0 || value > values[this.rows[greatest[block]]]) greatest[block] = at;
  }

  /** The first place whose time is not before `time`. */
  find(times, time) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (times[this.rows[middle]] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Appends a row to the last of `tracks`, or to a new one if time went back. */
export function append(tracks, row, times) {
  let track = tracks.at(-1);
  if (!track || times[row] < times[track.rows[track.length - 1]]) tracks.push((track = new Track()));
  track.push(row);
}

export class Samples {
  constructor(run = null, limit = LIMIT) {
    this.run = run;
    this.limit = limit;
    this.gases = [];
    this.flagNames = [];
    this.values = new Map();
    this.version = 0;
    this.lastSeq = 0;
    this.#empty();
  }

  #empty() {
    this.length = 0;
    this.first = Infinity;
    this.last = -Infinity;
    /** Of each channel its tracks: what counts, and what is kept beside it. */
    this.good = new Map();
    this.other = new Map();
    this.time = new Float64Array(64);
    this.channel = new Uint8Array(64);
    this.repeat = new Uint16Array(64);
    this.visit = new Uint32Array(64);
    this.seq = new Uint32Array(64);
    this.marks = new Uint8Array(64);
    this.flags = new Uint32Array(64);
    for (const gas of this.gases) this.values.set(gas, new Float64Array(64).fill(NaN));
  }

  /** sample: { time (ms), seq, channel or null, repeat, visit, discard, qc, attribution, flags: [], values: { gas: number or null } } */
  push(sample) {
    if (sample.seq <= this.lastSeq) return false;
    if (this.length >= this.limit) this.#letGo();
    this.#room();
    const row = this.length;
    this.length += 1;
    this.lastSeq = sample.seq;
    this.time[row] = sample.time;
    this.seq[row] = sample.seq;
    this.channel[row] = sample.channel ?? 0;
    this.repeat[row] = sample.repeat ?? 0;
    this.visit[row] = sample.visit ?? 0;
    const attribution = Math.max(ATTRIBUTIONS.indexOf(sample.attribution), 0);
    const qc = Math.max(QC.indexOf(sample.qc), 0);
    this.marks[row] = (sample.discard ? 1 : 0) | (qc << 1) | (attribution << 3);
    this.flags[row] = this.#mask(sample.flags);
    for (const gas in sample.values) this.#gas(gas)[row] = sample.values[gas] ?? NaN;
    this.#join(row);
    this.version += 1;
    return true;
  }

  isGood(row) {
    return (this.marks[row] & 7) === 0 && this.channel[row] > 0;
  }

  /** All that is known of one sample. */
  at(row) {
    const marks = this.marks[row];
    const flags = this.flagNames.filter((_, index) => this.flags[row] & (1 << index));
    return {
      row, flags,
      time: this.time[row], seq: this.seq[row], channel: this.channel[row] || null, repeat: this.repeat[row] || null,
      visit: this.visit[row] || null, discard: (marks & 1) === 1, qc: QC[(marks >> 1) & 3], attribution: ATTRIBUTIONS[marks >> 3],
      value: (gas) => this.values.get(gas)?.[row] ?? NaN,
    };
  }

  #join(row) {
    const tracks = this.isGood(row) ? this.good : this.other;
    const channel = this.channel[row];
    if (!tracks.has(channel)) tracks.set(channel, []);
    append(tracks.get(channel), row, this.time);
    this.first = Math.min(this.first, this.time[row]);
    this.last = Math.max(this.last, this.time[row]);
  }

  #gas(gas) {
    let column = this.values.get(gas);
    if (!column) {
      column = new Float64Array(this.time.length).fill(NaN);
      this.values.set(gas, column);
      this.gases.push(gas);
    }
    return column;
  }

  #mask(flags) {
    let mask = 0;
    for (const flag of flags) {
      let index = this.flagNames.indexOf(flag);
      if (index < 0) index = this.flagNames.push(flag) - 1;
      mask |= 1 << index;
    }
    return mask;
  }

  #room() {
    if (this.length < this.time.length) return;
    for (const name of ["time", "channel", "repeat", "visit", "seq", "marks", "flags"]) this[name] = grown(this[name]);
    for (const gas of this.gases) this.values.set(gas, grown(this.values.get(gas), NaN));
  }

  /** The oldest quarter goes. */
  #letGo() {
    const from = Math.ceil(this.length / 4);
    const kept = this.length - from;
    for (const name of ["time", "channel", "repeat", "visit", "seq", "marks", "flags"]) this[name].copyWithin(0, from);
    for (const column of this.values.values()) {
      column.copyWithin(0, from);
      column.fill(NaN, kept);
    }
    this.length = kept;
    this.first = Infinity;
    this.last = -Infinity;
    this.good = new Map();
    this.other = new Map();
    for (let row = 0; row < kept; row += 1) this.#join(row);
  }
}

function grown(array, filled) {
  const next = new array.constructor(array.length * 2);
  next.set(array);
  if (filled !== undefined) next.fill(filled, array.length);
  return next;
}

/** A result of the stream as a sample. */
export function fromEvent(result) {
  const values = {};
  for (const gas of result.components) values[gasKey(gas)] = gas.discard ? null : gas.ppm;
  return {
    time: Date.parse(result.sampled), seq: result.seq, channel: result.channel, repeat: result.repeat, visit: result.visit_id,
    discard: result.discard, qc: result.qc, attribution: result.attribution, flags: result.flags, values,
  };
}

/** What a gas is called in columns of files: co2, or cas_<number>. */
export function gasKey({ formula, cas }) {
  return formula && formula !== cas ? formula.toLowerCase() : `cas_${cas}`;
}
