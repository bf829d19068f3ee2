// What is known of gaserad: events in, state out. Pure: it asks for nothing and shows nothing.

const ALARMS = 50;
const VISITS = 20000;

export class Model {
  phase = "IDLE";
  waitingFor = "";
  until = null;
  progress = null;
  run = null;
  lastRun = null;
  queued = [];
  analyzer = null;
  multiplexer = null;
  version = "";
  simulated = false;
  clockSynchronized = null;
  latest = null;
  /** The last result of each channel; 0 is that of no channel. */
  results = new Map();
  /** The visits of the run under way, or of the last one, by number. */
  visits = new Map();
  visitsOf = null;
  #newest = new Map(); // of each channel
  alarms = [];
  known = false;

  take({ type, data, id }) {
    const own = type.replaceAll(".", "_");
    if (data.sticky && type !== "live_data" && type !== "alarm") return;
    TAKERS[own]?.call(this, data, id);
  }

  get isRunning() {
    return this.run !== null;
  }

  /** The run that is shown: the one under way, else the last one. */
  get shown() {
    return this.run ?? this.lastRun;
  }

  /** From GET /runs/{id}: what happened before this page was opened. */
  takeVisits(run, visits) {
    const old = this.visitsOf === run ? this.visits : new Map();
    this.#clear(run);
    for (const visit of visits) {
      this.#add({
        id: visit.id, channel: visit.channel, repeat: visit.repeat, from: Date.parse(visit.arrived),
        to: visit.left ? Date.parse(visit.left) : null, good: visit.good_records, records: visit.records,
      });
    }
    for (const [id, visit] of old) if (!this.visits.has(id)) this.#add(visit);
  }

  /** off, enabled, moving, purging, measuring, paused, done or failed. */
  channelState(channel) {
    const { run, progress } = this;
    if (!run) return this.#past(channel);
    const { plan } = run;
    if (!plan.channels.includes(channel) && plan.background?.channel !== channel) return "off";
    if (progress && progress.current_channel + 1 === channel && NOW[this.phase]) return NOW[this.phase];
    const repeat = (progress?.repeat_index ?? 0) + 1;
    const visit = this.#lastVisit(channel, repeat);
    return visit ? this.#outcome(visit) : "enabled";
  }

  #past(channel) {
    if (!this.lastRun || this.visitsOf !== this.lastRun.id || !this.lastRun.plan.channels.includes(channel)) return "off";
    const visit = this.#lastVisit(channel, null);
    return visit ? this.#outcome(visit) : "off";
  }

  #lastVisit(channel, repeat) {
    const visit = this.#newest.get(channel);
    return visit && (repeat === null || visit.repeat === repeat) ? visit : null;
  }

  #add(visit) {
    this.visits.set(visit.id, visit);
    this.#newest.set(visit.channel, visit);
    if (this.visits.size > VISITS) this.visits.delete(this.visits.keys().next().value);
  }

  #clear(run) {
    this.visitsOf = run;
    this.visits = new Map();
    this.#newest.clear();
  }

  /** A result may come after its visit: only with another visit over since is one without any a failure. */
  #outcome(visit) {
    if (visit.good > 0) return "done";
    if (visit.to === null) return this.run ? "enabled" : "failed";
    const later = this.visits.get(visit.id + 1);
    return !this.run || (later && later.to !== null) ? "failed" : "done";
  }

  forget(run) {
    this.#clear(run);
  }

  enter(data) {
    if (data.visit_id === null || data.visit_id === undefined || data.channel === null) return;
    const time = data.timestamp * 1000;
    if (this.visitsOf !== data.run_id) this.#clear(data.run_id);
    if (this.visits.has(data.visit_id)) return;
    this.leave(time);
    this.#add({ id: data.visit_id, channel: data.channel, repeat: data.repeat, from: time, to: null, good: 0, records: 0 });
  }

  leave(time) {
    for (const visit of this.#newest.values()) visit.to ??= time;
  }

  addAlarm(alarm) {
    const same = (one) => one.code === alarm.code && one.timestamp === alarm.timestamp;
    if (this.alarms.some(same)) return;
    this.alarms.push(alarm);
    this.alarms.sort((a, b) => b.timestamp - a.timestamp);
    this.alarms.length = Math.min(this.alarms.length, ALARMS);
  }
}

const NOW = { HOMING: "moving", SWITCHING: "moving", PURGING: "purging", MEASURING: "measuring", PAUSED: "paused" };

const TAKERS = {
  snapshot(data) {
    Object.assign(this, {
      phase: data.phase, waitingFor: data.waiting_for, until: data.until, progress: data.progress, run: data.run, lastRun: data.last_run,
      queued: data.queued, analyzer: data.analyzer, multiplexer: data.multiplexer, version: data.version, simulated: data.simulated,
      clockSynchronized: data.clock_synchronized ?? null, known: true,
    });
    if (data.live_data) TAKERS.live_data.call(this, { ...data.live_data, sticky: true });
  },
  progress(data) {
    Object.assign(this, { phase: data.phase, waitingFor: data.waiting_for, until: data.until, progress: data });
  },
  phase(data) {
    Object.assign(this, { phase: data.phase, waitingFor: data.reason, until: data.until });
    this.progress = { ...this.progress, ...data.progress };
    if (data.phase === "IDLE" || data.phase === "ABORTED" || data.phase === "FAILED") this.leave(data.timestamp * 1000);
    else this.enter(data);
  },
  live_data(data) {
    const before = this.results.get(data.channel ?? 0);
    if (!before || before.sampled <= data.sampled) this.results.set(data.channel ?? 0, data);
    if (!this.latest || this.latest.sampled <= data.sampled) this.latest = data;
    if (data.sticky) return;
    const visit = this.visitsOf === data.run_id ? this.visits.get(data.visit_id) : undefined;
    if (visit) {
      visit.records += 1;
      visit.good += !data.discard && data.qc === "good" ? 1 : 0;
    }
    if (this.run?.id === data.run_id) {
      const good = !data.discard && data.qc === "good" ? 1 : 0;
      this.run = { ...this.run, records: Math.max(this.run.records, data.seq), good_records: this.run.good_records + good };
    }
  },
  run_started({ run }) {
    this.run = run;
    this.queued = this.queued.filter((one) => one.run_id !== run.id);
    this.forget(run.id);
  },
  run_finished({ run, timestamp }) {
    this.run = null;
    this.lastRun = run;
    this.leave(timestamp * 1000);
  },
  run_updated(data) {
    if (data.change === "unqueued") this.queued = this.queued.filter((one) => one.run_id !== data.run_id);
    if (data.change === "queued" && !this.queued.some((one) => one.run_id === data.run_id)) {
      this.queued = [...this.queued, { run_id: data.run_id, label: "", who: data.who, begins: null }];
    }
  },
  device_connection(data) {
    this.analyzer = { ...this.analyzer, online: data.online, reason: data.reason };
  },
  device_status(data) {
    this.analyzer = { ...this.analyzer, status: data.name, status_code: data.code };
  },
  device_phase(data) {
    this.analyzer = { ...this.analyzer, phase: data.name, iteration: data.iteration };
  },
  device_errors(data) {
    this.analyzer = { ...this.analyzer, errors: data.codes.length ? (data.text ? data.text.split("\n") : data.codes) : [] };
  },
  device_metrics(data) {
    this.analyzer = { ...this.analyzer, clock_offset_s: data.clock_offset_s, stamp_meaning: data.stamp_meaning };
    this.multiplexer = { ...this.multiplexer, actuations: data.actuations ?? this.multiplexer?.actuations };
  },
  mux_position(data) {
    this.multiplexer = { ...this.multiplexer, position: data.position, channel: data.channel };
  },
  alarm(data) {
    this.addAlarm(data);
  },
};
