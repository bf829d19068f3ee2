//! From a result of the analyzer to a record that is kept.

use super::turn::RunTurn;
use crate::attribution::{ClaimOrigin, Credit, attribute};
use crate::domain::event::LiveData;
use crate::domain::{Attribution, Event, Fact, Flag, Qc, Reading, Record, ResultRead, Sample, Severity, Tick, Utc};
use crate::engine::state::{Run, SampleCount, Stage, seconds};

impl RunTurn<'_> {
    pub fn result(&mut self, read: ResultRead) {
        let run = &self.run;
        // The analyzer may still hold what this run had from it before it was interrupted.
        let known = run.results.newest.as_ref().is_some_and(|newest| newest.is_same(&read.sample));
        if known || !run.measurement.ordered_start {
            return;
        }
        let stale = is_baseline(run, &read.sample);
        let blind = self.station.exchanges.is_blind();
        let origin = if self.station.identities.analyzer_is_strange() {
            ClaimOrigin::Unknown
        } else if stale {
            ClaimOrigin::BeforeTheRun
        } else {
            self.station.exchanges.claim(&read)
        };
        let credit = attribute(origin, &self.station.timeline);
        self.tell_of_missed(origin);
        self.mind_contradictions();
        let clock_flags = self.clock_flags(&read, &credit);
        let record = self.record(read, &credit, clock_flags);
        let live_data = LiveData::of(&record, self.run.shown.phase);
        self.tell_of_flaws(&record);
        self.keep(Fact::Recorded(record));
        self.count_losses(&credit, stale);
        if live_data.attribution != Attribution::Stale {
            self.run.results.live_data = Some(live_data.clone());
        }
        self.tell(Event::LiveData(live_data));
        if blind {
            self.sample_over();
            self.drawn(&credit);
        }
        self.go_on_with_the_result();
    }

    /// What the analyzer says contradicts itself: told when that begins to repeat itself, and whenever it is ten times as
    /// often.
    fn mind_contradictions(&mut self) {
        let count: u32 = self.station.exchanges.contradictions().map(|(_, count)| count).sum();
        let due = match self.station.contradictions_told {
            0 => Self::REPEATED,
            told => told.saturating_mul(10),
        };
        if count < due {
            return;
        }
        self.station.contradictions_told = due;
        let each: Vec<String> =
            self.station.exchanges.contradictions().map(|(what, count)| format!("{} {count}", what.as_str())).collect();
        let text = format!(
            "what the analyzer says contradicted itself {count} times since gaserad began ({}); samples that this concerns \
             get no channel; see docs/attribution.md, and set [analyzer] phase_lag and result_lag if it is known to be slow",
            each.join(", ")
        );
        self.alarm(Severity::Warning, "evidence_contradicts", text);
    }

    const REPEATED: u32 = 3;

    fn tell_of_missed(&mut self, origin: ClaimOrigin) {
        let (iteration, missed) = match origin {
            ClaimOrigin::Exchange { exchange, missed: missed @ 1.. } => (exchange.iteration, missed),
            ClaimOrigin::Contradicted { missed: missed @ 1.. } => (None, missed),
            _ => return,
        };
        let before = iteration.map_or_else(String::new, |number| format!(" before iteration {number}"));
        let text = format!("{missed} of the analyzer's iterations gave no result that could be read{before}");
        self.alarm(Severity::Warning, "iterations_missed", text);
    }

    /// The run may have waited for it.
    fn go_on_with_the_result(&mut self) {
        if self.run.stage == Stage::Lingering {
            self.leave_or_linger();
        } else if self.run.stage == Stage::Draining && !self.awaits_results() {
            self.drained();
        }
    }

    fn record(&mut self, mut read: ResultRead, credit: &Credit, clock_flags: Vec<Flag>) -> Record {
        let (at, station, run) = (self.turn.at, &self.turn.station, &mut *self.run);
        let errors = station.analyzer.errors.worst();
        let visit = credit.stay.map(|stay| stay.visit);
        let samples = visit.map(|visit| run.count_sample(visit, !credit.discard));
        let carried = !credit.discard && carries_over(run, credit, samples, &mut read.sample.readings);
        let readings = &read.sample.readings;
        let partly = readings.iter().any(|reading| reading.discard);
        let lacking = run.results.lacks.flags_of(readings, credit.attribution);
        let mut flags = credit.flags.clone();
        flags.extend((carried || partly).then_some(Flag::Carryover));
        flags.extend(flags_of(readings));
        flags.extend(&lacking);
        flags.extend(errors.map(flag_of));
        flags.extend(clock_flags);
        flags.extend(station.settings.valve_simulated.then_some(Flag::ValveSimulated));
        let of_lacking = if lacking.is_empty() { Qc::Good } else { Qc::Suspect };
        let of_valve = if station.settings.valve_simulated { Qc::Bad } else { Qc::Good };
        let qc = grade(credit, readings, errors).max(of_lacking).max(of_valve);
        let drawn = credit.exchange.map_or(read.read, |exchange| middle(exchange.ended_after, exchange.ended_before));
        let exchange = credit
            .exchange
            .map(|exchange| -> (Utc, Utc) { (at.utc_at(exchange.began_after), at.utc_at(exchange.ended_before)) });
        run.results.records += 1;
        run.results.newest = Some(read.sample.clone());
        let record = Record {
            run: run.id.clone(),
            seq: run.results.records,
            qc,
            attribution: credit.attribution,
            channel: credit.channel,
            visit,
            repeat: credit.stay.map(|stay| stay.repeat),
            verification: credit.verification,
            elapsed_s: credit.stay.map(|stay| (drawn.since(stay.arrived).as_secs_f64() * 1e3).round() / 1e3),
            sample_in_visit: samples.map(|samples| samples.all),
            discard: credit.discard || carried,
            flags,
            iteration: credit.exchange.and_then(|exchange| exchange.iteration),
            sampled: at.utc_at(drawn),
            exchange,
            read: at.utc_at(read.read),
            clock_offset_s: station.analyzer.clock_offset_ms.map(seconds),
            stamp_meaning: station.stamps.meaning(),
            sample: read.sample,
        };
        if record.is_good() {
            run.results.good_records += 1;
            if let Some(visit) = visit {
                run.visits.barren.remove(&visit);
            }
        }
        record
    }
}

/// Whether the analyzer held this result before the run.
fn is_baseline(run: &Run, sample: &Sample) -> bool {
    match &run.measurement.held {
        Some(held) => held.is_same(sample),
        None => run.measurement.baseline == Some(sample.stamp),
    }
}

/// Whether the plan leaves out this sample because the channel was only just reached. Gases that cling to the tubes
/// are marked one by one.
fn carries_over(run: &Run, credit: &Credit, samples: Option<SampleCount>, readings: &mut [Reading]) -> bool {
    let Some((samples, channel)) = samples.zip(credit.channel) else { return false };
    for reading in readings {
        reading.discard = run.asked.plan.gas_discards.get(&reading.cas).is_some_and(|first| samples.clean <= *first);
    }
    let stop = run.asked.stops.iter().find(|stop| stop.channel == channel);
    stop.is_some_and(|stop| samples.clean <= stop.discard_first)
}

fn middle(from: Tick, to: Tick) -> Tick {
    from + to.since(from) / 2
}

fn flags_of(readings: &[Reading]) -> Vec<Flag> {
    let any = |test: fn(f64) -> bool| readings.iter().filter_map(|reading| reading.ppm).any(test);
    let negative = any(|ppm| ppm < 0.0).then_some(Flag::Negative);
    let zero = any(|ppm| ppm == 0.0).then_some(Flag::ZeroExact);
    let range = readings.iter().any(|reading| reading.restricted).then_some(Flag::Range);
    range.into_iter().chain(negative).chain(zero).collect()
}

const fn flag_of(severity: Severity) -> Flag {
    match severity {
        Severity::Warning => Flag::ErrWarning,
        Severity::Blocker => Flag::ErrBlocker,
        Severity::Critical => Flag::ErrCritical,
    }
}

fn grade(credit: &Credit, readings: &[Reading], errors: Option<Severity>) -> Qc {
    if credit.attribution != Attribution::Exact || errors == Some(Severity::Critical) {
        Qc::Bad
    } else if errors == Some(Severity::Blocker)
        || readings.iter().any(|reading| reading.ppm.is_none() || reading.restricted)
    {
        Qc::Suspect
    } else {
        Qc::Good
    }
}
