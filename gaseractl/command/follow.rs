//! Follows the stream, showing it or not, until a run has ended.

use std::time::Duration;

use gasera::domain::event::RunChange;
use gasera::domain::{Event, RunId, Status};

use super::Session;
use crate::args::Channels;
use crate::failure::{Exit, Failure};
use crate::output::{self, Paint, Screen};
use crate::stream::reconnect::{Message, State, Subscription};
use crate::stream::{Notice, Said};
use crate::view::model::{Ending, Model};
use crate::view::{json, line, live};

/// In which form the stream is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Nothing,
    Live,
    Lines,
    Json,
    Frames,
}

/// Which events are shown.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Names, or their beginnings with a `*`; empty for all.
    pub types: Vec<String>,
    pub channels: Option<Channels>,
}

impl Filter {
    pub fn passes(&self, notice: &Notice) -> bool {
        // What is lost is never left unsaid.
        notice.said == Said::Gap || (self.passes_type(&notice.frame.event) && self.passes_channel(notice))
    }

    fn passes_type(&self, name: &str) -> bool {
        self.types.is_empty()
            || self.types.iter().any(|pattern| {
                pattern.strip_suffix('*').map_or(pattern == name, |beginning| name.starts_with(beginning))
            })
    }

    fn passes_channel(&self, notice: &Notice) -> bool {
        let Some(channels) = &self.channels else { return true };
        notice.channel().is_none_or(|channel| channels.numbers.iter().any(|number| u64::from(*number) == channel))
    }
}

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
    fn reached(&mut self, notice: &Notice) -> Option<Ending> {
        match &notice.said {
            Said::Event(event) => self.reached_by(event, notice.seq()),
            Said::Snapshot(status) => self.reached_in(status),
            Said::Progress(_) | Said::Gap | Said::Other => None,
        }
    }

    fn reached_by(&mut self, event: &Event, seq: Option<u64>) -> Option<Ending> {
        match (&*self, event) {
            (Self::Next { after, .. }, Event::RunStarted { run }) if seq > Some(*after) => {
                *self = Self::Run(run.id.clone());
                None
            }
            (Self::Next { after, .. }, Event::RunFinished { run }) if seq > Some(*after) => Ending::of(run),
            (Self::Run(id), Event::RunFinished { run }) if run.id == *id => Ending::of(run),
            (Self::Run(id), Event::Alarm { code, run_id: Some(run), text, .. }) if run == id => {
                Some(Ending::not_begun(id, not_begun(code)?, text))
            }
            (Self::Run(id), Event::RunUpdated(update)) if update.run_id == *id => {
                let called_off = update.change == RunChange::Unqueued;
                called_off.then(|| Ending::not_begun(id, Exit::ABORTED, &update.text))
            }
            _ => None,
        }
    }

    fn reached_in(&mut self, status: &Status) -> Option<Ending> {
        let last = status.last_run.as_ref();
        match &*self {
            Self::Never => None,
            Self::Run(id) => last.filter(|run| run.id == *id).and_then(Ending::of),
            Self::Next { last: known, .. } if last.map(|run| &run.id) != known.as_ref() => last.and_then(Ending::of),
            Self::Next { .. } => {
                if let Some(run) = &status.run {
                    *self = Self::Run(run.id.clone());
                }
                None
            }
        }
    }

    /// The run neither waits nor is under way nor the last one: the stream will not tell how it ended.
    fn slipped(&self, notice: &Notice) -> Option<&RunId> {
        let (Self::Run(id), Said::Snapshot(status)) = (self, &notice.said) else { return None };
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

pub struct Follower<'a> {
    session: &'a Session,
    show: Show,
    filter: Filter,
    model: Model,
    link: State,
    endpoint: String,
    screen: Option<Screen>,
    /// Rings for what people want to be called for.
    pub bell: bool,
}

impl<'a> Follower<'a> {
    pub fn new(session: &'a Session, show: Show, filter: Filter, endpoint: String) -> Self {
        let screen = (show == Show::Live).then(Screen::new);
        Self { session, show, filter, model: Model::default(), link: State::Connected, endpoint, screen, bell: false }
    }

    /// Takes note of how things stand without showing it as an event.
    pub fn prime(&mut self, snapshot: &Notice) {
        self.model.apply(snapshot);
        self.paint();
    }

    /// Shows what comes until the target is reached.
    pub async fn until(&mut self, subscription: &mut Subscription, target: &mut Target) -> Result<Ending, Failure> {
        let mut second = tokio::time::interval(Duration::from_secs(1));
        second.tick().await;
        loop {
            tokio::select! {
                message = subscription.next() => match message {
                    Message::State(state) => self.link(state)?,
                    Message::Notice(notice) => {
                        self.take(&notice)?;
                        if let Some(ending) = self.ended(target, &notice).await? {
                            self.settle();
                            return Ok(ending);
                        }
                    }
                },
                _ = second.tick(), if self.screen.is_some() => {
                    self.model.pass(1.0);
                    self.paint();
                }
            }
        }
    }

    async fn ended(&self, target: &mut Target, notice: &Notice) -> Result<Option<Ending>, Failure> {
        if let Some(ending) = target.reached(notice) {
            return Ok(Some(ending));
        }
        let Some(run) = target.slipped(notice) else { return Ok(None) };
        match self.session.client().await?.run(&run.0).await {
            Ok(response) => Ok(response.run.as_ref().and_then(Ending::listed)),
            Err(failure) if failure.exit == Exit::NOT_FOUND => {
                let why = "it waits no longer; `gaseractl watch --since` a number before tells why";
                Ok(Some(Ending::not_begun(run, Exit::ABORTED, why)))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Tells how the connection does; an error if there will be none any more.
    pub fn link(&mut self, state: State) -> Result<(), Failure> {
        match &state {
            State::Connected => self.say("connected again"),
            State::Reconnecting { wait, why } => {
                self.say(&format!("connection lost: {why}; trying again in {:.1} s", wait.as_secs_f64()));
            }
            State::Polling { why } => {
                self.say(&format!("fallback: polling the state every 2 s, and trying the stream every 30 s: {why}"));
            }
            State::Lost(failure) => return Err(failure.clone()),
        }
        self.link = state;
        self.paint();
        Ok(())
    }

    /// Tells of the connection, where it does not spoil the picture.
    fn say(&self, text: &str) {
        match &self.screen {
            Some(screen) => screen.scroll(&self.session.output.paint.dim(text)),
            None => self.session.output.note(text),
        }
    }

    pub fn take(&mut self, notice: &Notice) -> Result<(), Failure> {
        if notice.is_old() && self.show != Show::Frames {
            return Ok(());
        }
        self.model.apply(notice);
        if self.bell {
            self.call(notice);
        }
        if self.filter.passes(notice) {
            self.tell(notice)?;
        }
        self.paint();
        Ok(())
    }

    /// Calls people, whatever is shown.
    fn call(&self, notice: &Notice) {
        if !matches!(notice.frame.event.as_str(), "run.started" | "run.finished" | "alarm" | "device.connection") {
            return;
        }
        output::ring();
        let shown = matches!(self.show, Show::Live | Show::Lines) && self.filter.passes(notice);
        if let (false, Some(line)) = (shown, line::of(notice, Paint(false))) {
            self.say(&line);
        }
    }

    fn tell(&self, notice: &Notice) -> Result<(), Failure> {
        let output = self.session.output;
        match self.show {
            Show::Nothing => Ok(()),
            Show::Live => {
                if let (Some(screen), Some(line)) = (&self.screen, line::of(notice, output.paint)) {
                    screen.scroll(&line);
                }
                Ok(())
            }
            Show::Lines => line::of(notice, output.paint).map_or(Ok(()), |line| output::line(&line)),
            Show::Json => output::line(&json::event(notice)),
            Show::Frames => output::bytes(notice.frame.wire().as_bytes()),
        }
    }

    fn paint(&self) {
        if let Some(screen) = &self.screen {
            let paint = self.session.output.paint;
            screen.show(&live::lines(&self.model, &self.link, &self.endpoint, paint, Screen::width()));
        }
    }

    fn settle(&self) {
        if let Some(screen) = &self.screen {
            screen.settle();
        }
    }
}

#[cfg(test)]
mod tests {
    use gasera::domain::event::RunUpdate;
    use gasera::domain::status::QueuedRun;
    use gasera::domain::{Outcome, RunSummary, Severity};

    use super::*;
    use crate::stream::Frame;
    use crate::view::model::tests::{notice, run_summary, status};

    fn run(id: &str, outcome: Option<Outcome>) -> RunSummary {
        RunSummary { id: RunId(id.into()), outcome, ..run_summary() }
    }

    fn snapshot(change: impl FnOnce(&mut Status)) -> Notice {
        let mut status = status();
        change(&mut status);
        let data = serde_json::to_string(&status).unwrap();
        Notice::new(Frame { event: "snapshot".into(), data, id: None })
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

    #[test]
    fn filters_take_names_and_their_beginnings() {
        let filter = Filter { types: vec!["run.*".into(), "phase".into()], channels: None };
        let other = |name: &str| Notice::new(Frame { event: name.into(), data: "{}".into(), id: None });
        for (name, passes) in
            [("run.started", true), ("phase", true), ("phases", false), ("heartbeat", false), ("gap", true)]
        {
            assert_eq!(filter.passes(&other(name)), passes, "{name}");
        }
    }

    #[test]
    fn a_channel_filter_keeps_what_has_no_channel() {
        let filter = Filter { channels: Some(Channels { text: "3".into(), numbers: vec![3] }), ..Filter::default() };
        let on = |data: &str| filter.passes(&Notice::new(Frame { event: "a".into(), data: data.into(), id: None }));
        assert_eq!(
            [on(r#"{"channel":3}"#), on(r#"{"channel":4}"#), on(r#"{"channel":null}"#), on("{}")],
            [true, false, true, true]
        );
    }
}
