//! What cannot be read of the analyzer's results, and which gases they lack: flagged, told once in a run, counted, and
//! kept as it came for whoever looks for the cause. It does not read replies.

use super::turn::RunTurn;
use crate::domain::{Cas, Flag, Flaw, Record, Severity};
use crate::engine::state::Lacks;
use crate::engine::unreadable::{NOT_FOUND, shortened};

impl RunTurn<'_> {
    /// Nothing of a reply with results can be read: its samples are lost.
    pub fn results_unreadable(&mut self, reply: &str) {
        let text = format!(
            "a reply of the analyzer with results cannot be read, and its sample is lost: {NOT_FOUND}: \"{}\"; see that no \
             other program changes how results are given (SCON); `gaseractl doctor` shows the last such reply whole",
            shortened(reply)
        );
        let lacks = &mut self.run.results.lacks;
        lacks.replies += u32::from(self.run.measurement.ordered_start);
        if !std::mem::replace(&mut lacks.reply_told, true) {
            self.alarm(Severity::Warning, "results_unreadable", text);
        }
    }

    /// A sample without some of its numbers is told of once in a run; its flags are on each.
    pub fn tell_of_flaws(&mut self, record: &Record) {
        let readings = &record.sample.readings;
        if record.flags.contains(&Flag::Unreadable) {
            let unread = readings.iter().filter(|reading| reading.flaw() == Some(Flaw::Unreadable));
            let unread: Vec<String> = unread.map(|reading| Cas::label(&reading.cas)).collect();
            let what = format!("the reading of {} is no number, or may mean two", unread.join(", "));
            self.tell_of_flaw(record, "reading_unreadable", what, |lacks| &mut lacks.reading_told);
        }
        if record.flags.contains(&Flag::Missing) {
            let missing = self.run.results.lacks.missing(readings);
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
        if !std::mem::replace(told(&mut self.run.results.lacks), true) {
            self.alarm(Severity::Warning, code, text);
        }
    }

    /// The reason of a run that ends says how many of its results were lost in this way.
    pub fn with_what_was_unreadable(&mut self, reason: String) -> String {
        let replies = self.run.results.lacks.replies;
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
