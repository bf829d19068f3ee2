//! `gaseractl watch`: look on.

use gasera::domain::Status;
use http::Method;

use super::CommandSession;
use super::follow::{FollowFilter, RunFollower, Show, Target};
use crate::args::{Fallback, Watch, WatchFormat};
use crate::failure::{Exit, Failure};
use crate::stream::SaidByStream;
use crate::stream::reconnect::{Arrived, EventSubscription, SubscriptionQuery};
use crate::view::model::RunEnding;
use crate::{output, web};

/// How often in a row to try again before the state is polled.
const ATTEMPTS: u32 = 5;
/// So many events are replayed for the view: about an hour of a run, and not too much for a slow line.
const LATELY: u64 = 300;

pub async fn execute(session: &CommandSession, watch: &Watch) -> Result<Exit, Failure> {
    let show = show(session, watch.format);
    let mut target = Target::Never;
    let mut known = None;
    if let (true, Some(_)) = (watch.until_done, watch.since) {
        // A stream that goes on after an event does not begin with a snapshot. From here on nothing is missed either:
        // all that happens after this moment is replayed.
        known = Some(status(session).await?);
    } else if show == Show::Live {
        // The view can be drawn at once, and what happened lately fills it. If nobody answers, the stream says why.
        known = status(session).await.ok();
    }
    let mut subscription = EventSubscription::open(&session.endpoints, query(watch, show, known.as_ref())).await?;
    session.goes_on("watching has no effect on gaserad: a run that is under way goes on");
    let filter = FollowFilter { types: watch.types.clone(), channels: watch.channels.clone() };
    let mut follower = RunFollower::new(session, show, filter);
    follower.bell = watch.notify;
    follower.open(subscription.endpoint.to_string(), watch.plot.clone(), known.as_ref())?;
    if watch.until_done {
        target = match &known {
            Some(status) => Target::current(status),
            None => begin(&mut follower, &mut subscription).await?,
        };
    }
    let ending = follower.until(&mut subscription, &mut target).await?;
    drop(follower);
    Ok(told(session, &ending))
}

/// Waits until the daemon has said how things stand, which a full one may not do soon.
async fn begin(follower: &mut RunFollower<'_>, subscription: &mut EventSubscription) -> Result<Target, Failure> {
    loop {
        match subscription.next().await {
            Arrived::State(state) => follower.link(state)?,
            Arrived::Notice(notice) => {
                if let SaidByStream::Snapshot(status) = &notice.said {
                    follower.take(&notice)?;
                    return Ok(Target::current(status));
                }
            }
            Arrived::Alive => {}
        }
    }
}

async fn status(session: &CommandSession) -> Result<Status, Failure> {
    let text = web::text(&session.endpoints, Method::GET, "/status").await?;
    serde_json::from_str(&text).map_err(|error| {
        let text = format!("cannot read the status that gaserad gives ({error}); are both of the same version?");
        Failure::new(Exit::FAILURE, text)
    })
}

fn query(watch: &Watch, show: Show, known: Option<&Status>) -> SubscriptionQuery {
    // The view and the wait need to know more than what is to be shown: then the filter works here.
    let everything = show == Show::Live || watch.until_done;
    let filtered = if everything { SubscriptionQuery::default() } else { filtered(watch) };
    let polls = watch.fallback == Fallback::Poll;
    SubscriptionQuery {
        since: watch.since.or(known.map(|status| status.seq.saturating_sub(LATELY))),
        attempts: watch.max_reconnect.or(polls.then_some(ATTEMPTS)),
        polls,
        queues: true,
        first_delay: watch.reconnect_delay,
        longest_delay: watch.max_reconnect_delay,
        dead_after: watch.dead_after,
        ..filtered
    }
}

fn filtered(watch: &Watch) -> SubscriptionQuery {
    let channels = watch.channels.as_ref().map(|channels| channels.text.clone()).unwrap_or_default();
    SubscriptionQuery { types: watch.types.join(","), channels, ..SubscriptionQuery::default() }
}

fn show(session: &CommandSession, format: Option<WatchFormat>) -> Show {
    match format {
        Some(WatchFormat::Table) => Show::Lines,
        Some(WatchFormat::Jsonl) => Show::Json,
        Some(WatchFormat::Frames) => Show::Frames,
        None => live_or_json(session),
    }
}

/// A live view for people, JSON Lines for programs.
pub fn live_or_json(session: &CommandSession) -> Show {
    if session.output.terminal && !session.output.json { Show::Live } else { Show::Json }
}

/// Says how it ended; the exit code says it too. A bad end is said to whoever wants to hear of failures only.
pub fn told(session: &CommandSession, ending: &RunEnding) -> Exit {
    if session.output.quiet && ending.exit != Exit::DONE {
        output::failure(&Failure::new(ending.exit, ending.sentence()));
    } else {
        session.output.note(&ending.sentence());
    }
    ending.exit
}
