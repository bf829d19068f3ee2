//! Holds what was kept in a rude world against what the plant really sampled. A result is known by its content: stamps
//! may repeat.
//!
//! No good record has another channel's gas. Each clean iteration within a run is a record, is in a gap that is flagged,
//! or is told as lost: by an alarm, or by the reason why the run ended. How many of the owed ones are good is counted.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use gasera::domain::{
    Attribution, Channel, Event, Fact, Flag, Moment, Outcome, Plan, Record, RunSummary, Utc, VisitId,
};
use gasera::engine::Effect;
use gasera::simulator::Truth;

use crate::support::stack::Stack;
use crate::support::stack::ledger::Margin;

/// A sample with at least this much of one line is that line's.
const CLEAN: f64 = 0.99;
/// The truth is written to the millisecond.
const SLACK: Duration = Duration::from_millis(1);
/// Alarms that tell of lost results.
const TOLD: [&str; 4] = ["iterations_missed", "results_missing", "results_unreadable", "analyzer_restarted"];

/// What a world did that none may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// A good record names a channel whose gas it is not.
    Channel,
    /// A record that no iteration gave: its values were read wrongly.
    Values,
    /// A good record lacks a gas, and says nothing of it.
    Gas,
    /// One iteration is two records.
    Twice,
    /// A clean iteration is no record, and nothing tells of that.
    Silent,
    /// The run never ended.
    Endless,
    Panicked,
}

impl Wrong {
    pub const ALL: [Self; 7] =
        [Self::Channel, Self::Values, Self::Gas, Self::Twice, Self::Silent, Self::Endless, Self::Panicked];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Values => "values",
            Self::Gas => "gas",
            Self::Twice => "twice",
            Self::Silent => "silent",
            Self::Endless => "endless",
            Self::Panicked => "panicked",
        }
    }
}

/// What became of the iterations of a world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    pub runs: usize,
    pub iterations: usize,
    pub good: usize,
    pub owed: usize,
    /// Owed, and there as good records.
    pub paid: usize,
    /// Clean, no record, and told.
    pub told: usize,
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        self.runs += other.runs;
        self.iterations += other.iterations;
        self.good += other.good;
        self.owed += other.owed;
        self.paid += other.paid;
        self.told += other.told;
    }
}

/// What is wrong with a world, each with its reason, and its account.
#[derive(Debug, Default)]
pub struct Verdict {
    pub wrong: Vec<(Wrong, String)>,
    pub account: Account,
}

/// One run, as it was told and kept.
struct Told<'a> {
    plan: &'a Plan,
    began: Utc,
    ended: Utc,
    outcome: Outcome,
    reason: String,
    /// Channel, and when it was arrived at and left.
    visits: BTreeMap<VisitId, (u8, Utc, Utc)>,
    records: Vec<&'a Record>,
    /// Alarms that tell of lost results.
    alarms: Vec<Utc>,
}

/// All runs of a world.
pub fn judge(stack: &Stack, margin: Margin) -> Verdict {
    let truth = stack.truth();
    let mut verdict = Verdict::default();
    verdict.account.iterations = truth.len();
    for run in runs(stack) {
        verdict.account.runs += 1;
        judge_run(&run, &truth, margin, &mut verdict);
    }
    verdict
}

fn judge_run(run: &Told, truth: &[Truth], margin: Margin, verdict: &mut Verdict) {
    let mut kept: BTreeMap<usize, &Record> = BTreeMap::new();
    for record in &run.records {
        verdict.account.good += usize::from(record.is_good());
        let Some(place) = place_of(record, truth) else {
            if record.is_good() {
                verdict.wrong.push((Wrong::Values, format!("no iteration gave {}", line(record))));
            }
            continue;
        };
        verdict.wrong.extend(fault_of(record, &truth[place]));
        if record.attribution == Attribution::Stale {
            // Said to be from before the run, which it may not be: still, it is there.
            kept.entry(place).or_insert(record);
        } else if let Some(other) = kept.insert(place, record)
            && other.attribution != Attribution::Stale
        {
            verdict.wrong.push((Wrong::Twice, format!("there twice: {}", line(record))));
        }
    }
    let owed = owed(run, truth, margin);
    verdict.account.owed += owed.len();
    verdict.account.paid += owed.iter().filter(|place| kept.get(place).is_some_and(|it| it.is_good())).count();
    for (place, lost) in truth.iter().enumerate().filter(|(place, _)| !kept.contains_key(place)) {
        let within = lost.exchange_start_utc >= run.began && lost.exchange_end_utc <= run.ended;
        if !within || !lost.clean {
            continue;
        }
        let next = kept.range(place..).next().map(|(_, next)| *next);
        // What nobody owes at the end of a run was measured while it was being ended.
        if is_told(run, lost, next) || (next.is_none() && !owed.contains(&place)) {
            verdict.account.told += 1;
        } else {
            let (of, drawn) = (lost.channel, lost.exchange_start_utc.as_seconds() - run.began.as_seconds());
            let reason =
                format!("iteration {:?} of channel {of}, drawn {drawn:.0} s into the run, is nowhere", lost.id());
            verdict.wrong.push((Wrong::Silent, reason));
        }
    }
}

/// Whether somebody who reads the run learns that something is missing there.
fn is_told(run: &Told, lost: &Truth, next: Option<&Record>) -> bool {
    let until = next.map_or(run.ended, |next| next.read) + Duration::from_secs(120);
    let alarmed = run.alarms.iter().any(|at| *at >= lost.exchange_end_utc && *at <= until);
    let ended = next.is_none() && run.outcome != Outcome::Completed && !run.reason.is_empty();
    alarmed || ended || next.is_some_and(|next| next.flags.contains(&Flag::Gap))
}

/// The iteration that gave it, by its readings. Where none can be read, by its stamp.
fn place_of(record: &Record, truth: &[Truth]) -> Option<usize> {
    let read: Vec<(&str, f64)> =
        record.sample.readings.iter().filter_map(|it| Some((it.cas.0.as_str(), it.ppm?))).collect();
    let same = |truth: &Truth| read.iter().all(|(cas, ppm)| truth.readings.get(*cas) == Some(ppm));
    if read.is_empty() {
        return truth.iter().position(|it| it.stamp == record.sample.stamp.0 && it.odd.len() == it.readings.len());
    }
    truth.iter().position(same)
}

fn fault_of(record: &Record, truth: &Truth) -> Option<(Wrong, String)> {
    if !record.is_good() {
        return None;
    }
    if record.channel.map(Channel::number) != Some(truth.channel) || truth.fraction < CLEAN {
        let (of, share) = (truth.channel, truth.fraction);
        let text = format!("{} is iteration {:?}, {share:.3} of channel {of}", line(record), truth.id());
        return Some((Wrong::Channel, text));
    }
    let read = record.sample.readings.iter().filter(|reading| reading.ppm.is_some()).count();
    let lacks = read < truth.readings.len() && record.flags.is_empty();
    lacks.then(|| (Wrong::Gas, format!("{} has {read} gases and no flag", line(record))))
}

fn line(record: &Record) -> String {
    let channel = record.channel.map_or_else(|| "no channel".to_owned(), |channel| format!("channel {channel}"));
    let Record { run, seq, attribution, flags, .. } = record;
    format!("{run:?} record {seq}, {channel}, {} {flags:?}", attribution.as_str())
}

/// The places of the iterations that should be good records.
fn owed(run: &Told, truth: &[Truth], margin: Margin) -> Vec<usize> {
    let stops = run.plan.stops();
    let mut owed = Vec::new();
    for (channel, arrived, left) in run.visits.values() {
        let Some(stop) = stops.iter().find(|stop| stop.channel.number() == *channel) else { continue };
        let from = *arrived + run.plan.settle + stop.purge + SLACK + margin.before;
        let within = |truth: &Truth| {
            truth.exchange_start_utc >= from
                && truth.exchange_end_utc.max(truth.exchange_start_utc + margin.after) <= *left
        };
        let clean =
            |truth: &Truth| truth.fraction >= CLEAN && truth.channel == *channel && truth.valve == Some(*channel);
        let drawn = truth.iter().enumerate().filter(|(_, truth)| within(truth)).skip(stop.discard_first as usize);
        owed.extend(drawn.filter(|(_, truth)| clean(truth)).map(|(place, _)| place));
    }
    owed
}

/// In the order in which they began. A run that never ended is not among them.
fn runs(stack: &Stack) -> Vec<Told<'_>> {
    stack.effects.iter().filter_map(|(at, effect)| run_of(stack, at.utc, effect)).collect()
}

/// The run that began with this, if one did.
fn run_of<'a>(stack: &'a Stack, began: Utc, effect: &'a Effect) -> Option<Told<'a>> {
    let Effect::Keep(Fact::RunStarted(RunSummary { id, plan, .. })) = effect else { return None };
    let end = |(at, effect): &(Moment, Effect)| match effect {
        Effect::Keep(Fact::RunEnded { run, outcome, reason, .. }) if run == id => {
            Some((at.utc, *outcome, reason.clone()))
        }
        _ => None,
    };
    let (ended, outcome, reason) = stack.effects.iter().find_map(end)?;
    let mut run =
        Told { plan, began, ended, outcome, reason, visits: BTreeMap::new(), records: Vec::new(), alarms: Vec::new() };
    for (at, effect) in &stack.effects {
        match effect {
            Effect::Keep(Fact::VisitStarted { run: of, visit }) if of == id => {
                run.visits.insert(visit.id, (visit.channel.number(), visit.arrived, ended));
            }
            Effect::Keep(Fact::VisitEnded { run: of, visit, left }) if of == id => {
                run.visits.entry(*visit).and_modify(|visit| visit.2 = *left);
            }
            Effect::Keep(Fact::Recorded(record)) if record.run == *id => run.records.push(record),
            Effect::Tell(Event::Alarm { code, .. }) if TOLD.contains(&code.as_str()) => run.alarms.push(at.utc),
            _ => {}
        }
    }
    Some(run)
}
