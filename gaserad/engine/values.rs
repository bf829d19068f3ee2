//! What cannot be read of the analyzer's results, and which gases they lack: flagged, told once in a run, counted, and
//! kept as it came for whoever looks for the cause. It does not read replies.

use super::Turn;
use crate::domain::status::UnreadableReply;
use crate::domain::{Attribution, Cas, Flag, Flaw, Reading, Record, Severity};

/// Longer replies are told in part; the status has them whole.
const TOLD: usize = 200;

/// What the replies of a run lack.
#[derive(Debug, Clone, Default)]
pub(super) struct Lacks {
    /// Of the task, where the analyzer tells them; else of the results so far.
    gases: Vec<Cas>,
    told_by_analyzer: bool,
    /// Replies with results of which nothing could be read.
    replies: u32,
    reply_told: bool,
    reading_told: bool,
    gas_told: bool,
}

impl Lacks {
    pub(super) fn expect(&mut self, gases: &[Cas]) {
        if !gases.is_empty() {
            (self.gases, self.told_by_analyzer) = (gases.to_vec(), true);
        }
    }

    /// Takes in a result.
    pub(super) fn flags_of(&mut self, readings: &[Reading], attribution: Attribution) -> Vec<Flag> {
        // A result from before the run may be of another task.
        let missing = attribution != Attribution::Stale && self.lacks_a_gas(readings);
        let is = |flaw| readings.iter().any(|reading| reading.flaw() == Some(flaw));
        [
            (is(Flaw::Unreadable), Flag::Unreadable),
            (missing, Flag::Missing),
            (is(Flaw::OverRange), Flag::OverRange),
            (is(Flaw::UnderRange), Flag::UnderRange),
        ]
        .into_iter()
        .filter_map(|(is_so, flag)| is_so.then_some(flag))
        .collect()
    }

    fn lacks_a_gas(&mut self, readings: &[Reading]) -> bool {
        let there = |gas: &Cas| readings.iter().any(|reading| reading.cas == *gas);
        let complete = self.gases.iter().all(there);
        if complete && !self.told_by_analyzer {
            self.gases = readings.iter().map(|reading| reading.cas.clone()).collect();
        }
        !complete
    }

    /// The gases that are not among these.
    fn missing(&self, readings: &[Reading]) -> Vec<String> {
        let is_missing = |gas: &&Cas| readings.iter().all(|reading| reading.cas != **gas);
        self.gases.iter().filter(is_missing).map(Cas::label).collect()
    }
}

impl Turn {
    /// Nothing of a reply with results can be read: its samples are lost.
    pub(super) fn results_unreadable(&mut self, reply: String) {
        let what = "a time stamp, a CAS number and a concentration for each gas are not found in it";
        let text = format!(
            "a reply of the analyzer with results cannot be read, and its sample is lost: {what}: \"{}\"; see that no \
             other program changes how results are given (SCON); `gaseractl doctor` shows the last such reply whole",
            shortened(&reply)
        );
        self.note_unreadable(reply, what.to_owned());
        let Some(run) = &mut self.state.run else { return };
        run.lacks.replies += u32::from(run.ordered_start);
        if !std::mem::replace(&mut run.lacks.reply_told, true) {
            self.alarm(Severity::Warning, "results_unreadable", text);
        }
    }

    /// A sample without some of its numbers is told of once in a run; its flags are on each.
    pub(super) fn tell_of_flaws(&mut self, record: &Record) {
        let readings = &record.sample.readings;
        let unread: Vec<String> = readings
            .iter()
            .filter(|reading| reading.flaw() == Some(Flaw::Unreadable))
            .map(|reading| reading.cas.label())
            .collect();
        let missing = self.state.run.as_ref().map(|run| run.lacks.missing(readings)).unwrap_or_default();
        if record.flags.contains(&Flag::Unreadable) {
            let what = format!("the reading of {} is no number, or may mean two", unread.join(", "));
            self.tell_of_flaw(record, "reading_unreadable", what, |lacks| &mut lacks.reading_told);
        }
        if record.flags.contains(&Flag::Missing) {
            let what = format!("{} of the task is not in it", missing.join(", "));
            self.tell_of_flaw(record, "gas_missing", what, |lacks| &mut lacks.gas_told);
        }
    }

    fn tell_of_flaw(&mut self, record: &Record, code: &str, what: String, told: fn(&mut Lacks) -> &mut bool) {
        let reply = &record.sample.raw;
        let text = format!(
            "sample {} lacks a number, and is not good: {what}: \"{}\"; see the task and the number format on the \
             analyzer; later samples like it have the flag only",
            record.seq,
            shortened(reply)
        );
        self.note_unreadable(reply.clone(), what);
        let first = self.state.run.as_mut().is_some_and(|run| !std::mem::replace(told(&mut run.lacks), true));
        if first {
            self.alarm(Severity::Warning, code, text);
        }
    }

    fn note_unreadable(&mut self, reply: String, what: String) {
        let count = self.state.analyzer.unreadable.as_ref().map_or(0, |before| before.count) + 1;
        self.state.analyzer.unreadable = Some(UnreadableReply { reply, at: self.at.utc, count, what });
    }

    /// The reason of a run that ends says how many of its results were lost in this way.
    pub(super) fn with_what_was_unreadable(&mut self, reason: String) -> String {
        let replies = self.state.run.as_ref().map_or(0, |run| run.lacks.replies);
        if replies == 0 {
            return reason;
        }
        let text = format!("replies of the analyzer with results that could not be read: {replies}");
        if replies > 1 {
            self.alarm(Severity::Warning, "results_unreadable", format!("{text}; their samples are lost"));
        }
        if reason.is_empty() { text } else { format!("{reason}; {text}") }
    }
}

/// As it came, with what cannot be printed escaped.
fn shortened(reply: &str) -> String {
    let shown: String = reply.chars().take(TOLD).flat_map(char::escape_default).collect();
    if reply.chars().count() > TOLD { format!("{shown}…") } else { shown }
}
