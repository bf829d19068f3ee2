//! Follows the stream, showing it or not, until a run has ended.

mod filter;
pub mod live;
mod target;

use gasera::domain::Status;

use super::CommandSession;
use crate::failure::{Exit, Failure};
use crate::output::{self, Paint};
use crate::stream::Notice;
use crate::stream::reconnect::{Arrived, EventSubscription, ReconnectState};
use crate::view::model::RunEnding;
use crate::view::{json, line};
pub use filter::FollowFilter;
use live::{LiveStep, LiveView};
pub use target::Target;

/// In which form the stream is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    Nothing,
    Live,
    Lines,
    Json,
    Frames,
}

pub struct RunFollower<'a> {
    session: &'a CommandSession,
    show: Show,
    filter: FollowFilter,
    live: Option<LiveView>,
    /// Rings for what people want to be called for.
    pub bell: bool,
    /// What came before this event is no news.
    known: u64,
}

impl<'a> RunFollower<'a> {
    pub fn new(session: &'a CommandSession, show: Show, filter: FollowFilter) -> Self {
        Self { session, show, filter, live: None, bell: false, known: 0 }
    }

    /// Opens the view, if it is to be shown so; draws at once what is known.
    pub fn open(&mut self, endpoint: String, gas: Option<String>, status: Option<&Status>) -> Result<(), Failure> {
        if self.show == Show::Live {
            let mut live = LiveView::open(self.session, endpoint, gas)?;
            if let Some(status) = status {
                self.known = status.seq;
                live.prime(status);
            }
            live.paint()?;
            self.live = Some(live);
        }
        Ok(())
    }

    /// Shows what comes until the target is reached.
    pub async fn until(
        &mut self,
        subscription: &mut EventSubscription,
        target: &mut Target,
    ) -> Result<RunEnding, Failure> {
        loop {
            let message = match &mut self.live {
                None => subscription.next().await,
                Some(live) => match live.next(subscription).await? {
                    LiveStep::Message(message) => message,
                    LiveStep::Quit => return Err(self.left(target)),
                    LiveStep::Interrupted(why) => return Err(self.session.stopped(Exit::INTERRUPTED, why)),
                },
            };
            match message {
                Arrived::State(state) => self.link(state)?,
                Arrived::Alive => self.live.iter_mut().for_each(LiveView::heard),
                Arrived::Notice(notice) => {
                    self.take(&notice)?;
                    if let Some(ending) = self.ended(target, &notice).await? {
                        return Ok(ending);
                    }
                }
            }
        }
    }

    /// Somebody has seen enough.
    fn left(&mut self, target: &Target) -> Failure {
        self.live = None;
        // Who waits for the end of a run has not seen it.
        if *target == Target::Never { Failure::quiet() } else { self.session.stopped(Exit::INTERRUPTED, "left") }
    }

    async fn ended(&self, target: &mut Target, notice: &Notice) -> Result<Option<RunEnding>, Failure> {
        if let Some(ending) = target.reached(notice) {
            return Ok(Some(ending));
        }
        let Some(run) = target.slipped(notice) else { return Ok(None) };
        match self.session.client().await?.run(&run.0).await {
            Ok(response) => Ok(response.run.as_ref().and_then(RunEnding::listed)),
            Err(failure) if failure.exit == Exit::NOT_FOUND => {
                let why = "it waits no longer; `gaseractl watch --since` a number before tells why";
                Ok(Some(RunEnding::not_begun(run, Exit::ABORTED, why)))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Tells how the connection does; an error if there will be none any more.
    pub fn link(&mut self, state: ReconnectState) -> Result<(), Failure> {
        let sentence = match &state {
            ReconnectState::Connected => "connected again".to_owned(),
            ReconnectState::Reconnecting { wait, why } => {
                format!("connection lost: {why}; trying again in {:.1} s", wait.as_secs_f64())
            }
            ReconnectState::Polling { why } => {
                format!("fallback: polling the state every 2 s, and trying the stream every 30 s: {why}")
            }
            ReconnectState::Lost(failure) => return Err(failure.clone()),
        };
        match &mut self.live {
            Some(live) => live.link(state, &sentence),
            None => self.session.output.note(&sentence),
        }
        Ok(())
    }

    pub fn take(&mut self, notice: &Notice) -> Result<(), Failure> {
        if notice.is_old() && self.show != Show::Frames {
            return Ok(());
        }
        if self.bell && notice.seq().is_none_or(|seq| seq > self.known) {
            self.call(notice);
        }
        let passes = self.filter.passes(notice);
        match &mut self.live {
            Some(live) => live.take(notice, passes && self.filter.logs(notice)),
            None if passes => self.tell(notice)?,
            None => {}
        }
        Ok(())
    }

    /// Calls people, whatever is shown.
    fn call(&self, notice: &Notice) {
        if !matches!(notice.frame.event.as_str(), "run.started" | "run.finished" | "alarm" | "device.connection") {
            return;
        }
        output::ring();
        let shown = self.live.is_some() || self.show == Show::Lines && self.filter.passes(notice);
        if let (false, Some(line)) = (shown, line::of(notice, Paint(false))) {
            self.session.output.note(&line);
        }
    }

    fn tell(&self, notice: &Notice) -> Result<(), Failure> {
        let output = self.session.output;
        match self.show {
            Show::Nothing | Show::Live => Ok(()),
            Show::Lines => line::of(notice, output.paint).map_or(Ok(()), |line| output::line(&line)),
            Show::Json => output::line(&json::event(notice)),
            Show::Frames => output::bytes(notice.frame.wire().as_bytes()),
        }
    }
}
