//! How far a reader has come: what it resumes after, and what it has seen already.

use super::{Notice, SaidByStream};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamPlace {
    /// The number of the last event that was passed on, or that a snapshot included.
    after: Option<u64>,
}

impl StreamPlace {
    pub fn after(seq: Option<u64>) -> Self {
        Self { after: seq }
    }

    /// What to resume after, as it is sent; empty if nothing has come yet.
    pub fn last_id(&self) -> String {
        self.after.map(|seq| seq.to_string()).unwrap_or_default()
    }

    /// Whether this is new here; from now on it is not.
    pub fn passes(&mut self, notice: &Notice) -> bool {
        match (&notice.said, notice.seq()) {
            // Where the numbers go on is told next.
            (SaidByStream::Gap, _) => {
                self.after = None;
                true
            }
            // One that comes before what was missed must not make it pass for seen.
            (SaidByStream::Snapshot(status), seq) => {
                self.after = self.after.or(seq).or(Some(status.seq));
                true
            }
            (_, None) => true,
            (_, Some(seq)) => {
                let new = self.after.is_none_or(|after| seq > after);
                self.after = self.after.max(Some(seq));
                new
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::SseFrame;
    use crate::view::model::tests::status;

    fn notice(event: &str, id: Option<u64>, data: &str) -> Notice {
        Notice::new(SseFrame { event: event.into(), data: data.into(), id: id.map(|id| id.to_string()) })
    }

    fn event(id: u64) -> Notice {
        notice("phase", Some(id), "{}")
    }

    fn snapshot(seq: u64, id: Option<u64>) -> Notice {
        let status = gasera::domain::Status { seq, ..status() };
        notice("snapshot", id, &serde_json::to_string(&status).unwrap())
    }

    #[test]
    fn what_came_twice_passes_once() {
        let mut place = StreamPlace::default();
        assert_eq!(place.last_id(), "");
        let passed: Vec<bool> = [41, 42, 42, 41, 43].map(|id| place.passes(&event(id))).into();
        assert_eq!(passed, [true, true, false, false, true]);
        assert_eq!(place.last_id(), "43");
        assert!(place.passes(&notice("heartbeat", None, "{}")));
        assert_eq!(place.last_id(), "43");
    }

    #[test]
    fn a_reader_that_begins_goes_on_after_the_snapshot() {
        for id in [Some(40), None] {
            let mut place = StreamPlace::default();
            assert!(place.passes(&snapshot(40, id)));
            assert_eq!(place.last_id(), "40");
            assert!(!place.passes(&event(40)));
        }
    }

    #[test]
    fn a_snapshot_after_a_break_does_not_hide_what_was_missed() {
        let mut place = StreamPlace::after(Some(41));
        assert!(place.passes(&snapshot(50, Some(50))));
        assert_eq!(place.last_id(), "41");
        assert!(place.passes(&event(42)));
    }

    #[test]
    fn after_a_gap_the_numbers_begin_where_the_daemon_says() {
        let mut place = StreamPlace::after(Some(9000));
        assert!(place.passes(&notice("gap", None, "{}")));
        assert!(place.passes(&snapshot(7, Some(7))));
        assert!(!place.passes(&event(7)));
        assert!(place.passes(&event(8)));
        assert_eq!(place.last_id(), "8");
        assert!(place.passes(&notice("gap", None, "{}")));
        assert!(place.passes(&event(3)));
    }
}
