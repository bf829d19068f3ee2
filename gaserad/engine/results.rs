//! From a result of the analyzer to a record that is kept.

use super::Turn;
use super::progress::seconds;
use super::state::Run;
use crate::attribution::{Credit, Origin, attribute};
use crate::domain::event::LiveData;
use crate::domain::{Attribution, Event, Fact, Flag, Qc, Reading, Record, ResultRead, Severity, Tick, Utc, VisitId};

/// Samples are numbered within this many of the latest visits; later none can come any more.
const NUMBERED_VISITS: usize = 8;

impl Turn {
    pub(super) fn result(&mut self, read: ResultRead) {
        let Some(run) = &self.state.run else { return };
        if !run.ordered_start {
            return;
        }
        let stale = run.baseline == Some(read.sample.stamp);
        let origin = if stale { Origin::BeforeTheRun } else { self.state.exchanges.claim(&read) };
        let credit = attribute(origin, &self.state.timeline);
        let record = self.record(read, &credit);
        let Some((record, run)) = record.zip(self.state.run.as_ref()) else { return };
        let live_data = LiveData::of(&record, run.phase);
        self.keep(Fact::Recorded(record));
        if let Some(run) = self.state.run.as_mut().filter(|_| live_data.attribution != Attribution::Stale) {
            run.live_data = Some(live_data.clone());
        }
        self.tell(Event::LiveData(live_data));
        self.maybe_drained();
    }

    fn maybe_drained(&mut self) {
        let draining = self.state.run.as_ref().is_some_and(|run| run.stage == super::state::Stage::Draining);
        if draining && !self.awaits_results() {
            self.drained();
        }
    }

    fn record(&mut self, read: ResultRead, credit: &Credit) -> Option<Record> {
        let at = self.at;
        let errors = self.state.analyzer.errors.worst();
        let offset = self.state.analyzer.clock_offset_ms;
        let run = self.state.run.as_mut()?;
        let visit = credit.stay.map(|stay| stay.visit);
        let mut flags = credit.flags.clone();
        flags.extend(flags_of(&read.sample.readings));
        flags.extend(errors.map(flag_of));
        let drawn = credit.exchange.map_or(read.read, |exchange| middle(exchange.ended_after, exchange.ended_before));
        run.records += 1;
        let record = Record {
            run: run.id.clone(),
            seq: run.records,
            qc: grade(credit, &read.sample.readings, errors),
            attribution: credit.attribution,
            channel: credit.channel,
            visit,
            repeat: credit.stay.map(|stay| stay.repeat),
            verification: credit.verification,
            elapsed_s: credit.stay.map(|stay| (drawn.since(stay.arrived).as_secs_f64() * 1e3).round() / 1e3),
            sample_in_visit: visit.map(|visit| run.number(visit)),
            discard: credit.discard,
            flags,
            iteration: credit.exchange.and_then(|exchange| exchange.iteration),
            sampled: at.utc_at(drawn),
            exchange: credit
                .exchange
                .map(|exchange| -> (Utc, Utc) { (at.utc_at(exchange.began_after), at.utc_at(exchange.ended_before)) }),
            read: at.utc_at(read.read),
            clock_offset_s: offset.map(seconds),
            stamp_meaning: None,
            sample: read.sample,
        };
        if record.is_good() {
            run.good_records += 1;
            if let Some(visit) = visit {
                run.barren.remove(&visit);
            }
        }
        Some(record)
    }
}

impl Run {
    /// Numbers the samples of a visit from 1.
    fn number(&mut self, visit: VisitId) -> u32 {
        let count = self.samples.entry(visit).or_default();
        *count += 1;
        let number = *count;
        while self.samples.len() > NUMBERED_VISITS {
            self.samples.pop_first();
        }
        number
    }
}

fn middle(from: Tick, to: Tick) -> Tick {
    from + to.since(from) / 2
}

fn flags_of(readings: &[Reading]) -> Vec<Flag> {
    let any = |test: fn(f64) -> bool| readings.iter().filter_map(|reading| reading.ppm).any(test);
    let negative = any(|ppm| ppm < 0.0).then_some(Flag::Negative);
    let zero = any(|ppm| ppm == 0.0).then_some(Flag::ZeroExact);
    negative.into_iter().chain(zero).collect()
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
    } else if errors == Some(Severity::Blocker) || readings.iter().any(|reading| reading.ppm.is_none()) {
        Qc::Suspect
    } else {
        Qc::Good
    }
}
