//! `gaseractl watch`: look on.

use super::Session;
use super::follow::{Filter, Follower, Show, Target};
use crate::args::{Format, Watch};
use crate::failure::{Exit, Failure};
use crate::stream::Said;
use crate::stream::reconnect::{Query, Subscription};
use crate::view::model::Ending;

pub async fn execute(session: &Session, watch: &Watch) -> Result<Exit, Failure> {
    let show = show(session, watch.format);
    // The view and the wait need to know more than what is to be shown: then the filter works here.
    let everything = show == Show::Live || watch.until_done;
    let query = if everything { Query::default() } else { filtered(watch) };
    let query = Query { since: watch.since, ..query };
    let mut subscription = Subscription::open(&session.endpoints, query).await?;
    session.goes_on("watching has no effect on gaserad: a run that is under way goes on");
    let filter = Filter { types: watch.types.clone(), channels: watch.channels.clone() };
    let mut follower = Follower::new(session, show, filter, subscription.endpoint.to_string());
    let mut target = Target::Never;
    if watch.until_done {
        let snapshot = subscription.snapshot().await?;
        if let Said::Snapshot(status) = &snapshot.said {
            target = Target::current(status);
        }
        follower.take(&snapshot)?;
    }
    let ending = follower.until(&mut subscription, &mut target).await?;
    drop(follower);
    Ok(told(session, &ending))
}

fn filtered(watch: &Watch) -> Query {
    let channels = watch.channels.as_ref().map(|channels| channels.text.clone()).unwrap_or_default();
    Query { types: watch.types.join(","), channels, ..Query::default() }
}

fn show(session: &Session, format: Option<Format>) -> Show {
    match format {
        Some(Format::Table) => Show::Lines,
        Some(Format::Jsonl) => Show::Json,
        Some(Format::Frames) => Show::Frames,
        None => live_or_json(session),
    }
}

/// A live view for people, JSON Lines for programs.
pub fn live_or_json(session: &Session) -> Show {
    if session.output.terminal && !session.output.json { Show::Live } else { Show::Json }
}

/// Says how it ended; the exit code says it too.
pub fn told(session: &Session, ending: &Ending) -> Exit {
    session.output.note(&ending.sentence());
    ending.exit
}
