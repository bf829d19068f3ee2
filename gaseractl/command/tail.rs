//! `gaseractl runs tail`: the samples of a run, and those that come.
//!
//! The event stream replays all events by number, so what is there and what comes is one stream without a gap.

use gasera::domain::Event;

use super::CommandSession;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::stream::reconnect::{Arrived, EventSubscription, ReconnectState, SubscriptionQuery};
use crate::stream::{Notice, SaidByStream};
use crate::view::{json, line};

pub async fn execute(session: &CommandSession, run: &str, lines: Option<u64>) -> Result<Exit, Failure> {
    let told = session.client().await?.run(run).await?;
    let run = told.run.unwrap_or_default();
    let skipped = lines.map_or(0, |lines| run.records.saturating_sub(lines));
    let ended = !run.ended_utc.is_empty();
    if ended && run.records == skipped {
        return Ok(Exit::DONE);
    }
    let query =
        SubscriptionQuery { types: "live_data,run.finished".into(), since: Some(0), ..SubscriptionQuery::default() };
    let mut subscription = EventSubscription::open(&session.endpoints, query).await?;
    session.goes_on(format!("run {} is not concerned", run.id));
    let mut tail = Tail { session, run: &run.id, skipped, last: ended.then_some(run.records) };
    loop {
        match subscription.next().await {
            Arrived::State(ReconnectState::Lost(failure)) => return Err(failure),
            Arrived::State(ReconnectState::Reconnecting { why, .. }) => {
                session.output.note(&format!("reconnecting: {why}"));
            }
            Arrived::State(_) | Arrived::Alive => {}
            Arrived::Notice(notice) => {
                if tail.take(&notice)? {
                    return Ok(Exit::DONE);
                }
            }
        }
    }
}

struct Tail<'a> {
    session: &'a CommandSession,
    run: &'a str,
    /// Samples up to this one are not shown.
    skipped: u64,
    /// After this one there are no more.
    last: Option<u64>,
}

impl Tail<'_> {
    /// Whether that was all.
    fn take(&mut self, notice: &Notice) -> Result<bool, Failure> {
        match &notice.said {
            SaidByStream::Event(event) => match event.as_ref() {
                Event::LiveData(data) if data.run_id.0 == self.run => {
                    let seq = u64::from(data.seq);
                    if seq > self.skipped {
                        self.show(notice)?;
                    }
                    Ok(self.last.is_some_and(|last| seq >= last))
                }
                Event::RunFinished { run } if run.id.0 == self.run => Ok(true),
                _ => Ok(false),
            },
            SaidByStream::Gap if self.last.is_some() => Err(Failure::new(
                Exit::FAILURE,
                format!("events of the run are not there any more; `gaseractl runs export {}` has all", self.run),
            )),
            SaidByStream::Gap => {
                self.session.output.note("events of the run are not there any more; `gaseractl runs export` has all");
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn show(&self, notice: &Notice) -> Result<(), Failure> {
        let output = self.session.output;
        if output.json {
            return output::line(&json::event(notice));
        }
        line::of(notice, output.paint).map_or(Ok(()), |line| output::line(&line))
    }
}
