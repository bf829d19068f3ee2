//! The last reply of the analyzer with results that could not be read, kept as it came.

use super::turn::Turn;
use crate::domain::status::UnreadableReply;

/// Longer replies are told in part; the status has them whole.
const TOLD: usize = 200;

/// What such a reply lacks.
pub(super) const NOT_FOUND: &str = "a time stamp, a CAS number and a concentration for each gas are not found in it";

impl Turn {
    pub fn note_unreadable(&mut self, reply: String, what: String) {
        let count = self.station.analyzer.unreadable.as_ref().map_or(0, |before| before.count) + 1;
        self.station.analyzer.unreadable = Some(UnreadableReply { reply, at: self.at.utc, count, what });
    }
}

/// As it came, with what cannot be printed escaped.
pub(super) fn shortened(reply: &str) -> String {
    let shown: String = reply.chars().take(TOLD).flat_map(char::escape_default).collect();
    if reply.chars().count() > TOLD { format!("{shown}…") } else { shown }
}
