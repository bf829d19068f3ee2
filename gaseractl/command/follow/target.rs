//! Which run's end is waited for, and how it is recognized.

use gasera::domain::event::RunChange;
use gasera::domain::{Event, RunId, Status};

use crate::failure::Exit;
use crate::stream::{Notice, SaidByStream};
use crate::view::model::RunEnding;

/// The run whose end is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Look on for ever.
    Never,
    Run(RunId),
    /// The run under way, or else the next one; not those that ended before event `after`.
    Next {
        after: u64,
        last: Option<RunId>,
    },
}

impl Target {
    /// The run under way, or else the next one.
    pub fn current(status: &Status) -> Self {
        let last = status.last_run.as_ref().map(|run| run.id.clone());
        status.run.as_ref().map_or(Self::Next { after: status.seq, last }, |run| Self::Run(run.id.clone()))
    }

    /// How the run ended, if this says so.
    pub fn reached(&mut self, notice: &Notice) -> Option<RunEnding> {
        match &notice.said {
            SaidByStream::Event(event) => self.reached_by(event, notice.seq()),
            SaidByStream::Snapshot(status) => self.reached_in(status),
            SaidByStream::Progress(_) | SaidByStream::Gap | SaidByStream::Other => None,
        }
    }

    fn reached_by(&mut self, event: &Event, seq: Option<u64>) -> Option<RunEnding> {
        match (&*self, event) {
            (Self::Next { after, .. }, Event::RunStarted { run }) if seq > Some(*after) => {
                *self = Self::Run(run.id.clone());
                None
            }
            (Self::Next { after, .. }, Event::RunFinished { run }) if seq > Some(*after) => RunEnding::of(run),
            (Self::Run(id), Event::RunFinished { run }) if run.id == *id => RunEnding::of(run),
            (Self::Run(id), Event::Alarm { code, run_id: Some(run), text, .. }) if run == id => {
                Some(RunEnding::not_begun(id, not_begun(code)?, text))
            }
            (Self::Run(id), Event::RunUpdated(update)) if update.run_id == *id => {
                let called_off = update.change == RunChange::Unqueued;
                called_off.then(|| RunEnding::not_begun(id, Exit::ABORTED, &update.text))
            }
            _ => None,
        }
    }

    fn reached_in(&mut self, status: &Status) -> Option<RunEnding> {
        let last = status.last_run.as_ref();
        match &*self {
            Self::Never => None,
            Self::Run(id) => last.filter(|run| run.id == *id).and_then(RunEnding::of),
            Self::Next { last: known, .. } if last.map(|run| &run.id) != known.as_ref() => last.and_then(RunEnding::of),
            Self::Next { .. } => {
                if let Some(run) = &status.run {
                    *self = Self::Run(run.id.clone());
                }
                None
            }
        }
    }

    /// The run neither waits nor is under way nor the last one: the stream will not tell how it ended.
    pub fn slipped(&self, notice: &Notice) -> Option<&RunId> {
        let (Self::Run(id), SaidByStream::Snapshot(status)) = (self, &notice.said) else { return None };
        let waits = status.queued.iter().any(|queued| queued.run_id == *id);
        let under_way = status.run.as_ref().is_some_and(|run| run.id == *id);
        (!waits && !under_way).then_some(id)
    }
}

/// What it means if a run that waited did not begin, by the alarm that told of it.
fn not_begun(code: &str) -> Option<Exit> {
    match code {
        "start_skipped" => Some(Exit::REFUSED),
        "start_failed" => Some(Exit::RUN_FAILED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use gasera::domain::event::RunUpdate;
    use gasera::domain::status::QueuedRun;
    use gasera::domain::{Outcome, RunSummary, Severity};

    use super::*;
    use crate::stream::SseFrame;
    use crate::view::model::tests::{notice, run_summary, status};

    fn run(id: &str, outcome: Option<Outcome>) -> RunSummary {
        RunSummary { id: RunId(id.into()), outcome, ..run_summary() }
    }

    fn snapshot(change: impl FnOnce(&mut Status)) -> Notice {
        let mut status = status();
        change(&mut status);
        let data = serde_json::to_string(&status).unwrap();
        Notice::new(SseFrame { event: "snapshot".into(), data, id: None })
    }

    fn next() -> Target {
        Target::Next { after: 40, last: Some(RunId("OLD".into())) }
    }

    #[test]
    fn only_the_end_of_its_own_run_counts() {
        let mut target = Target::Run(RunId("A".into()));
        assert_eq!(target.reached(&notice(&Event::RunFinished { run: run("B", Some(Outcome::Failed)) }, 41)), None);
        let ending = target.reached(&notice(&Event::RunFinished { run: run("A", Some(Outcome::Partial)) }, 42));
        assert_eq!(ending.unwrap().outcome, Some(Outcome::Partial));
    }

    #[test]
    fn runs_that_are_replayed_are_not_the_next_one() {
        let mut target = next();
        assert_eq!(target.reached(&notice(&Event::RunFinished { run: run("A", Some(Outcome::Failed)) }, 40)), None);
        assert_eq!(target.reached(&notice(&Event::RunStarted { run: run("B", None) }, 41)), None);
        assert_eq!(target, Target::Run(RunId("B".into())));
    }

    #[test]
    fn a_run_that_came_and_went_while_we_were_away_is_found_in_the_snapshot() {
        let gone = |status: &mut Status| {
            status.run = None;
            status.last_run = Some(run("A", Some(Outcome::Aborted)));
        };
        let ending = next().reached(&snapshot(gone));
        assert_eq!(ending.unwrap().outcome, Some(Outcome::Aborted));
        let ending = Target::Run(RunId("A".into())).reached(&snapshot(gone));
        assert_eq!(ending.unwrap().outcome, Some(Outcome::Aborted));
        assert_eq!(Target::Run(RunId("B".into())).reached(&snapshot(gone)), None);
        assert_eq!(Target::Run(RunId("B".into())).slipped(&snapshot(gone)), Some(&RunId("B".into())));
    }

    #[test]
    fn a_run_under_way_has_not_slipped_away() {
        let target = Target::current(&status());
        assert_eq!(target, Target::Run(RunId("01KAHRUN".into())));
        assert_eq!(target.slipped(&snapshot(|_| {})), None);
    }

    fn queued(id: &str) -> QueuedRun {
        QueuedRun { run_id: RunId(id.into()), label: String::new(), who: "ada".into(), begins: None }
    }

    #[test]
    fn a_run_that_waits_has_not_slipped_away() {
        let target = Target::Run(RunId("A".into()));
        assert_eq!(target.slipped(&snapshot(|status| status.queued.push(queued("A")))), None);
        assert_eq!(target.slipped(&snapshot(|status| status.queued.push(queued("B")))), Some(&RunId("A".into())));
    }

    #[test]
    fn a_run_that_waited_and_does_not_begin_says_why_by_its_exit_code() {
        let alarm = |id: &str, code: &str| Event::Alarm {
            severity: Severity::Warning,
            code: code.into(),
            text: "as told".into(),
            run_id: Some(RunId(id.into())),
        };
        let update = |change| {
            let (run_id, who, text) = (RunId("A".into()), "ada".into(), "aborted by ada".into());
            Event::RunUpdated(RunUpdate { run_id, change, who, text })
        };
        for (event, exit) in [
            (alarm("A", "start_skipped"), Some(3)),
            (alarm("A", "start_failed"), Some(9)),
            (alarm("A", "start_late"), None),
            (alarm("B", "start_failed"), None),
            (update(RunChange::Unqueued), Some(6)),
            (update(RunChange::Queued), None),
        ] {
            let ending = Target::Run(RunId("A".into())).reached(&notice(&event, 41));
            assert_eq!(ending.as_ref().map(|ending| ending.exit.code()), exit, "{event:?}");
            assert!(ending.is_none_or(|ending| ending.sentence().starts_with("run A did not begin: a")));
        }
    }
}
