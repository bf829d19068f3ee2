//! From a result of the analyzer to a record that is kept.

use super::Turn;
use super::progress::seconds;
use super::state::{Run, Samples, Stage};
use crate::attribution::{Credit, Origin, attribute};
use crate::domain::event::LiveData;
use crate::domain::{
    Attribution, Event, Fact, Flag, Qc, Reading, Record, ResultRead, Sample, Severity, Tick, Utc, VisitId,
};

/// Samples are numbered within this many of the latest visits; later none can come any more.
const NUMBERED_VISITS: usize = 8;

impl Turn {
    pub(super) fn result(&mut self, read: ResultRead) {
        let Some(run) = &self.state.run else { return };
        if !run.ordered_start {
            return;
        }
        if run.newest.as_ref().is_some_and(|newest| newest.is_same(&read.sample)) {
            // The analyzer still holds what this run had from it before it was interrupted.
            return;
        }
        let stale = run.is_baseline(&read.sample);
        let blind = self.state.exchanges.is_blind();
        let origin = if self.state.identities.analyzer_is_strange() {
            Origin::Unknown
        } else if stale {
            Origin::BeforeTheRun
        } else {
            self.state.exchanges.claim(&read)
        };
        let credit = attribute(origin, &self.state.timeline);
        self.tell_of_missed(origin);
        self.mind_contradictions();
        let clock_flags = self.clock_flags(&read, &credit);
        let record = self.record(read, &credit, clock_flags);
        let Some((record, run)) = record.zip(self.state.run.as_ref()) else { return };
        let live_data = LiveData::of(&record, run.phase);
        self.tell_of_flaws(&record);
        self.keep(Fact::Recorded(record));
        self.count_losses(&credit, stale);
        if let Some(run) = self.state.run.as_mut().filter(|_| live_data.attribution != Attribution::Stale) {
            run.live_data = Some(live_data.clone());
        }
        self.tell(Event::LiveData(live_data));
        if blind {
            self.sample_over();
        }
        if blind && credit.attribution == Attribution::Exact && !credit.discard {
            self.drawn_for(credit.stay.map(|stay| stay.visit));
        }
        self.go_on_with_the_result();
    }

    /// What the analyzer says contradicts itself: told when that begins to repeat itself, and whenever it is ten times as
    /// often.
    pub(super) fn mind_contradictions(&mut self) {
        let count: u32 = self.state.exchanges.contradictions().map(|(_, count)| count).sum();
        let due = match self.state.contradictions_told {
            0 => Self::REPEATED,
            told => told.saturating_mul(10),
        };
        if count < due {
            return;
        }
        self.state.contradictions_told = due;
        let each: Vec<String> =
            self.state.exchanges.contradictions().map(|(what, count)| format!("{} {count}", what.as_str())).collect();
        let text = format!(
            "what the analyzer says contradicted itself {count} times since gaserad began ({}); samples that this concerns \
             get no channel; see docs/attribution.md, and set [analyzer] phase_lag and result_lag if it is known to be slow",
            each.join(", ")
        );
        self.alarm(Severity::Warning, "evidence_contradicts", text);
    }

    const REPEATED: u32 = 3;

    fn tell_of_missed(&mut self, origin: Origin) {
        let (iteration, missed) = match origin {
            Origin::Exchange { exchange, missed: missed @ 1.. } => (exchange.iteration, missed),
            Origin::Contradicted { missed: missed @ 1.. } => (None, missed),
            _ => return,
        };
        let before = iteration.map_or_else(String::new, |number| format!(" before iteration {number}"));
        let text = format!("{missed} of the analyzer's iterations gave no result that could be read{before}");
        self.alarm(Severity::Warning, "iterations_missed", text);
    }

    /// The run may have waited for it.
    fn go_on_with_the_result(&mut self) {
        let Some(run) = &self.state.run else { return };
        match run.stage {
            Stage::Draining if !self.awaits_results() => self.drained(),
            Stage::Lingering => self.leave_or_linger(),
            _ => {}
        }
    }

    fn record(&mut self, mut read: ResultRead, credit: &Credit, clock_flags: Vec<Flag>) -> Option<Record> {
        let at = self.at;
        let errors = self.state.analyzer.errors.worst();
        let offset = self.state.analyzer.clock_offset_ms;
        let stamp_meaning = self.state.stamps.meaning();
        let run = self.state.run.as_mut()?;
        let visit = credit.stay.map(|stay| stay.visit);
        let samples = visit.map(|visit| run.count(visit, !credit.discard));
        let carried = !credit.discard && run.carries_over(credit, samples, &mut read.sample.readings);
        let mut flags = credit.flags.clone();
        let partly = read.sample.readings.iter().any(|reading| reading.discard);
        flags.extend((carried || partly).then_some(Flag::Carryover));
        flags.extend(flags_of(&read.sample.readings));
        let lacking = run.lacks.flags_of(&read.sample.readings, credit.attribution);
        flags.extend(&lacking);
        let of_lacking = if lacking.is_empty() { Qc::Good } else { Qc::Suspect };
        flags.extend(errors.map(flag_of));
        flags.extend(clock_flags);
        flags.extend(self.state.valve_simulated.then_some(Flag::ValveSimulated));
        let drawn = credit.exchange.map_or(read.read, |exchange| middle(exchange.ended_after, exchange.ended_before));
        run.records += 1;
        run.newest = Some(read.sample.clone());
        let record = Record {
            run: run.id.clone(),
            seq: run.records,
            qc: if self.state.valve_simulated {
                Qc::Bad
            } else {
                grade(credit, &read.sample.readings, errors).max(of_lacking)
            },
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
            exchange: credit
                .exchange
                .map(|exchange| -> (Utc, Utc) { (at.utc_at(exchange.began_after), at.utc_at(exchange.ended_before)) }),
            read: at.utc_at(read.read),
            clock_offset_s: offset.map(seconds),
            stamp_meaning,
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
    /// Whether the analyzer held this result before the run.
    fn is_baseline(&self, sample: &Sample) -> bool {
        match &self.held {
            Some(held) => held.is_same(sample),
            None => self.baseline == Some(sample.stamp),
        }
    }

    /// Counts the samples of a visit, this one included.
    fn count(&mut self, visit: VisitId, clean: bool) -> Samples {
        let samples = self.samples.entry(visit).or_default();
        samples.all += 1;
        samples.clean += u32::from(clean);
        let counted = *samples;
        while self.samples.len() > NUMBERED_VISITS {
            self.samples.pop_first();
        }
        counted
    }

    /// Whether the plan leaves out this sample because the channel was only just reached. Gases that cling to the tubes
    /// are marked one by one.
    fn carries_over(&self, credit: &Credit, samples: Option<Samples>, readings: &mut [Reading]) -> bool {
        let Some((samples, channel)) = samples.zip(credit.channel) else { return false };
        for reading in readings {
            reading.discard = self.plan.gas_discards.get(&reading.cas).is_some_and(|first| samples.clean <= *first);
        }
        let stop = self.stops.iter().find(|stop| stop.channel == channel);
        stop.is_some_and(|stop| samples.clean <= stop.discard_first)
    }
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
