//! Holds what was kept of a run against what the plant really sampled.
//!
//! Each iteration of the plant that gave a result must be accounted for exactly once:
//!
//! - it is one record, or
//! - a later record says that some before it were missed (the `gap` flag), or
//! - it is the last one, which came while the analyzer was already being stopped; or any at the end of a run that failed,
//!   whose reason then accounts for them.
//!
//! An iteration that was cut off by the stop gave no result and owes none. An iteration is *owed* as a good record if
//! its sample is of one line alone, the valve stood still meanwhile, and its gas was drawn within what the plan calls
//! measuring: after arrival, settling, purge and the samples that the plan leaves out, and before the valve was sent on.
//! Of an analyzer that does not tell its phases less can be known, so that less is owed: see [`Margin`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::time::Duration;

use gasera::domain::{Attribution, Channel, Fact, Flag, Outcome, Plan, Record, Utc, VisitId};
use gasera::engine::Effect;
use gasera::simulator::Truth;

use super::Stack;

/// What became of the iterations of some worlds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// All that gave a result.
    pub iterations: usize,
    pub records: usize,
    pub good: usize,
    pub owed: usize,
    /// Owed, and not there as good records.
    pub hidden: usize,
    /// Missed, and counted in a gap.
    pub missed: usize,
    /// Given while the analyzer was being stopped.
    pub cut_off: usize,
}

impl AddAssign for Ledger {
    fn add_assign(&mut self, other: Self) {
        self.iterations += other.iterations;
        self.records += other.records;
        self.good += other.good;
        self.owed += other.owed;
        self.hidden += other.hidden;
        self.missed += other.missed;
        self.cut_off += other.cut_off;
    }
}

/// What must lie between an owed gas exchange and the ends of its window, since its own ends are not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Margin {
    /// Before it began.
    pub before: Duration,
    /// After it began.
    pub after: Duration,
}

/// When a visit was meant to be measured, and when the valve was sent on.
#[derive(Debug)]
struct Window {
    channel: u8,
    from: Utc,
    to: Utc,
    discard_first: u32,
}

/// The account of one run, or what is wrong with it.
pub fn account(stack: &Stack, plan: &Plan) -> Result<Ledger, String> {
    account_within(stack, plan, Margin::default())
}

/// The same, where so much is not known.
pub fn account_within(stack: &Stack, plan: &Plan, margin: Margin) -> Result<Ledger, String> {
    let truth = stack.truth();
    let records = stack.records();
    let fresh: Vec<&Record> =
        records.iter().copied().filter(|record| record.attribution != Attribution::Stale).collect();
    if records.len() - fresh.len() > 1 {
        return Err("more than one record from before the run".into());
    }
    let kept = matched(&fresh, &truth)?;
    let mut ledger = unkept(&kept, &truth)?;
    let failed = stack.endings().iter().any(|(outcome, _)| *outcome == Outcome::Failed);
    if ledger.cut_off > 1 && !failed {
        return Err(format!("{} results after the last record of {}", ledger.cut_off, truth.len()));
    }
    let owed = owed(&truth, &windows(stack, plan), margin);
    let is_good = |place: &&usize| kept.get(place).is_some_and(|record| record.is_good());
    ledger.hidden = owed.len() - owed.iter().filter(is_good).count();
    ledger.owed = owed.len();
    ledger.iterations = truth.len();
    ledger.records = fresh.len();
    ledger.good = fresh.iter().filter(|record| record.is_good()).count();
    Ok(ledger)
}

/// The owed iterations that are no good records, with what is known of them.
pub fn hidden(stack: &Stack, plan: &Plan) -> Vec<String> {
    hidden_within(stack, plan, Margin::default())
}

pub fn hidden_within(stack: &Stack, plan: &Plan, margin: Margin) -> Vec<String> {
    let truth = stack.truth();
    let records = stack.records();
    let record = |truth: &Truth| records.iter().find(|record| record.sample.stamp.0 == truth.stamp).copied();
    let owed = owed(&truth, &windows(stack, plan), margin);
    let lost = owed.into_iter().map(|place| (&truth[place], record(&truth[place])));
    lost.filter(|(_, record)| !record.is_some_and(Record::is_good)).map(|lost| format!("{lost:#?}")).collect()
}

/// The records by the iteration that they are of. None is of two, and none has another's gas.
pub fn matched<'a>(records: &[&'a Record], truth: &[Truth]) -> Result<BTreeMap<usize, &'a Record>, String> {
    let mut kept = BTreeMap::new();
    for record in records {
        let place = truth.iter().position(|truth| truth.stamp == record.sample.stamp.0);
        let Some(place) = place else { return Err(format!("no iteration gave this: {record:#?}")) };
        check(record, &truth[place])?;
        if kept.insert(place, *record).is_some() {
            return Err(format!("this is there twice: {record:#?}"));
        }
    }
    Ok(kept)
}

fn check(record: &Record, truth: &Truth) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {record:#?} is {truth:#?}"));
    for reading in &record.sample.readings {
        if reading.ppm != truth.readings.get(&reading.cas.0).copied() {
            return wrong("other readings");
        }
    }
    if record.is_good() && (record.channel.map(Channel::number) != Some(truth.channel) || truth.fraction < CLEAN) {
        return wrong("another channel's gas");
    }
    if record.channel.is_some() && record.channel.map(Channel::number) != truth.valve {
        return wrong("the valve stood elsewhere");
    }
    if record.iteration.is_some_and(|iteration| iteration != truth.iteration) {
        return wrong("another iteration");
    }
    Ok(())
}

/// What became of the iterations without a record.
fn unkept(kept: &BTreeMap<usize, &Record>, truth: &[Truth]) -> Result<Ledger, String> {
    let mut ledger = Ledger::default();
    for (place, lost) in truth.iter().enumerate().filter(|(place, _)| !kept.contains_key(place)) {
        let next = kept.range(place..).next();
        match next {
            Some((_, next)) if next.flags.contains(&Flag::Gap) => ledger.missed += 1,
            Some((_, next)) => return Err(format!("no gap is told of: {lost:#?} before {next:#?}")),
            None => ledger.cut_off += 1,
        }
    }
    Ok(ledger)
}

/// The places of the iterations that must be good records.
fn owed(truth: &[Truth], windows: &[Window], margin: Margin) -> BTreeSet<usize> {
    let mut owed = BTreeSet::new();
    for window in windows {
        let within = |truth: &Truth| {
            truth.exchange_start_utc >= window.from + margin.before
                && truth.exchange_end_utc.max(truth.exchange_start_utc + margin.after) <= window.to
        };
        let drawn = truth.iter().enumerate().filter(|(_, truth)| within(truth)).skip(window.discard_first as usize);
        owed.extend(drawn.filter(|(_, truth)| is_clean(truth, window)).map(|(place, _)| place));
    }
    owed
}

fn is_clean(truth: &Truth, window: &Window) -> bool {
    truth.fraction >= CLEAN && truth.channel == window.channel && truth.valve == Some(window.channel)
}

fn windows(stack: &Stack, plan: &Plan) -> Vec<Window> {
    let stops = plan.stops();
    let sent_on = sent_on(stack);
    let windows = stack.visits().into_iter().map(|visit| {
        let stop = stops.iter().find(|stop| stop.channel == visit.channel).expect("it is in the plan");
        Window {
            channel: visit.channel.number(),
            from: visit.arrived + plan.settle + stop.purge + SLACK,
            to: sent_on.get(&visit.id).copied().unwrap_or(visit.arrived),
            discard_first: stop.discard_first,
        }
    });
    windows.collect()
}

/// A sample with at least this much of one line is that line's.
const CLEAN: f64 = 0.99;
/// The truth is written to the millisecond.
const SLACK: Duration = Duration::from_millis(1);

fn sent_on(stack: &Stack) -> BTreeMap<VisitId, Utc> {
    let ended = |effect: &Effect| match effect {
        Effect::Keep(Fact::VisitEnded { visit, left, .. }) => Some((*visit, *left)),
        _ => None,
    };
    stack.effects.iter().filter_map(|(_, effect)| ended(effect)).collect()
}
