//! Follows the stream, showing it or not, until a run has ended.

use std::time::Duration;

use gasera::domain::{Event, RunId, Status};

use super::Session;
use crate::args::Channels;
use crate::failure::Failure;
use crate::output::{self, Screen};
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

    /// The run is neither under way nor the last one: the stream will not tell how it ended.
    fn slipped(&self, notice: &Notice) -> Option<&RunId> {
        match (self, &notice.said) {
            (Self::Run(id), Said::Snapshot(status)) if status.run.as_ref().is_none_or(|run| run.id != *id) => Some(id),
            _ => None,
        }
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
}

impl<'a> Follower<'a> {
    pub fn new(session: &'a Session, show: Show, filter: Filter, endpoint: String) -> Self {
        let screen = (show == Show::Live).then(Screen::new);
        Self { session, show, filter, model: Model::default(), link: State::Connected, endpoint, screen }
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
        let response = self.session.client().await?.run(&run.0).await?;
        Ok(response.run.as_ref().and_then(Ending::listed))
    }

    fn link(&mut self, state: State) -> Result<(), Failure> {
        match &state {
            State::Connected => self.say("connected again"),
            State::Reconnecting { wait, why } => {
                self.say(&format!("connection lost: {why}; trying again in {:.1} s", wait.as_secs_f64()));
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
        if self.filter.passes(notice) {
            self.tell(notice)?;
        }
        self.paint();
        Ok(())
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
    use gasera::domain::{Outcome, RunSummary};

    use super::*;
    use crate::stream::parser::Frame;
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
        assert_eq!(ending.unwrap().outcome, Outcome::Partial);
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
        assert_eq!(ending.unwrap().outcome, Outcome::Aborted);
        let ending = Target::Run(RunId("A".into())).reached(&snapshot(gone));
        assert_eq!(ending.unwrap().outcome, Outcome::Aborted);
        assert_eq!(Target::Run(RunId("B".into())).reached(&snapshot(gone)), None);
        assert_eq!(Target::Run(RunId("B".into())).slipped(&snapshot(gone)), Some(&RunId("B".into())));
    }

    #[test]
    fn a_run_under_way_has_not_slipped_away() {
        let target = Target::current(&status());
        assert_eq!(target, Target::Run(RunId("01KAHRUN".into())));
        assert_eq!(target.slipped(&snapshot(|_| {})), None);
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
