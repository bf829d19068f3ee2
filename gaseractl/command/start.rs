//! `gaseractl start`: a plan becomes a run, and with --wait its end an exit code.

use std::time::Duration;

use gasera::domain::RunId;
use gasera::domain::channel::ChannelError;
use gasera::proto::{self, PlanRequest, StartMeasurementRequest, StartMeasurementResponse, Sync};
use serde_json::json;

use super::CommandSession;
use super::follow::{FollowFilter, RunFollower, Show, Target};
use super::watch::{live_or_json, told};
use crate::args::{self, IfBusy, Start, SyncMode};
use crate::client::operator;
use crate::failure::{Exit, Failure};
use crate::stream::reconnect::{EventSubscription, SubscriptionQuery};
use crate::stream::{Notice, SaidByStream};
use crate::view::model::RunEnding;
use crate::view::{json, table, words};
use crate::{output, planfile};

/// How often in a row to try to reach a daemon again that went away during --wait: about four minutes.
const ATTEMPTS: u32 = 12;

pub async fn execute(session: &CommandSession, start: &Start) -> Result<Exit, Failure> {
    if start.dry_run {
        return dry_run(session, start).await;
    }
    let request = request(start)?;
    // Subscribed before the command is sent, however short the run is its end cannot be missed.
    let watching = if start.wait || start.watch { Some(subscribe(session).await?) } else { None };
    session.goes_on("whether the run starts is not known: see `gaseractl status`");
    let response = match session.client().await?.start(request).await {
        Ok(response) => response,
        Err(failure) if start.if_busy == IfBusy::Skip && failure.is_busy() => return skipped(session, &failure),
        Err(failure) => return Err(failure),
    };
    let show = if start.watch { live_or_json(session) } else { Show::Nothing };
    // Lines of JSON do not mix with others.
    let json = session.output.json || show == Show::Json;
    // Whoever waits quietly wants to hear of nothing but a failure, as cron does.
    if json || watching.is_none() || !session.output.quiet {
        announce(session, &response, json)?;
    }
    match watching {
        None => Ok(Exit::DONE),
        Some((subscription, snapshot)) => {
            let mut ending = follow(session, show, &response, subscription, &snapshot).await?;
            if ending.exit == Exit::REFUSED && start.if_busy == IfBusy::Skip {
                ending.exit = Exit::DONE;
            }
            if json {
                output::object(&json::ended(&ending))?;
            }
            Ok(told(session, &ending))
        }
    }
}

async fn subscribe(session: &CommandSession) -> Result<(EventSubscription, Notice), Failure> {
    let query = SubscriptionQuery { attempts: Some(ATTEMPTS), ..SubscriptionQuery::default() };
    let mut subscription = EventSubscription::open(&session.endpoints, query).await?;
    let snapshot = subscription.snapshot().await?;
    Ok((subscription, snapshot))
}

async fn follow(
    session: &CommandSession,
    show: Show,
    response: &StartMeasurementResponse,
    mut subscription: EventSubscription,
    snapshot: &Notice,
) -> Result<RunEnding, Failure> {
    let run_id = &response.run_id;
    session.goes_on(if response.queued {
        format!(
            "run {run_id} begins all the same: `gaseractl status` shows it, `gaseractl abort {run_id}` calls it off"
        )
    } else {
        format!("run {run_id} goes on: `gaseractl watch` looks on, `gaseractl abort` aborts it")
    });
    let mut follower = RunFollower::new(session, show, FollowFilter::default());
    let status = if let SaidByStream::Snapshot(status) = &snapshot.said { Some(&**status) } else { None };
    follower.open(subscription.endpoint.to_string(), None, status)?;
    follower.until(&mut subscription, &mut Target::Run(RunId(run_id.to_owned()))).await
}

fn announce(session: &CommandSession, response: &StartMeasurementResponse, json: bool) -> Result<(), Failure> {
    let output = session.output;
    if json {
        return output::object(&json::started(response));
    }
    if output.quiet {
        return output::line(&response.run_id);
    }
    let plan = response.plan.as_ref().map_or_else(String::new, |plan| format!(": {}", table::plan(plan)));
    output::line(&format!("run {} {}{plan}", response.run_id, standing(response)))?;
    let total = words::lasting(Duration::from_millis(response.total_ms));
    let end = match response.end_utc.as_str() {
        "" => String::new(),
        end => format!(" and ends about {}", words::date_of(end)),
    };
    output.note(&format!("it takes about {total}{end}"));
    Ok(())
}

/// Whether it measures, or until when it waits.
fn standing(response: &StartMeasurementResponse) -> String {
    match (response.queued, response.begins_utc.as_str()) {
        (false, _) => "is measuring".into(),
        (true, "") => "waits, and begins when no other is under way".into(),
        (true, begins) => format!("waits, and begins at {}", words::date_of(begins)),
    }
}

fn skipped(session: &CommandSession, failure: &Failure) -> Result<Exit, Failure> {
    if session.output.json {
        output::object(&json!({ "skipped": true, "reason": failure.text }))?;
    }
    session.output.note(&format!("skipped: {failure}"));
    Ok(Exit::DONE)
}

async fn dry_run(session: &CommandSession, start: &Start) -> Result<Exit, Failure> {
    let request = request(start)?;
    let response = session.client().await?.start(request).await?;
    if session.output.json {
        output::object(&json::planned(&response))?;
    } else {
        output::bytes(table::timeline(&response).as_bytes())?;
    }
    Ok(Exit::DONE)
}

fn request(start: &Start) -> Result<StartMeasurementRequest, Failure> {
    let sync = match start.sync {
        None => Sync::Unspecified,
        Some(SyncMode::Analyzer) => Sync::Analyzer,
        Some(SyncMode::Dwell) => Sync::Dwell,
    };
    let plan = PlanRequest {
        channels: channels(start)?,
        repeats: start.repeats,
        purge_ms: start.purge.map(millis),
        measure_ms: start.measure.map(millis),
        iterations: start.iterations,
        task: start.task.clone(),
        sync: sync.into(),
        save_on_device: start.save_on_device,
        label: start.label.clone(),
        note: start.note.clone(),
        operator: start.operator.clone().unwrap_or_else(operator),
        discard_first: start.discard_first,
        background: start.background.map(background),
        overlap: start.no_overlap.then_some(false),
        ..PlanRequest::default()
    };
    Ok(StartMeasurementRequest {
        plan: Some(plan),
        dry_run: start.dry_run,
        ignore_errors: start.ignore_errors,
        if_measuring: if_measuring(start.if_measuring).into(),
        if_busy: if start.if_busy == IfBusy::Wait { proto::IfBusy::Wait } else { proto::IfBusy::Refuse }.into(),
        align_ms: start.align.map_or(0, millis),
        file: start.plan.as_deref().map(planfile::named).transpose()?,
    })
}

/// Empty if they are as in the plan's file.
fn channels(start: &Start) -> Result<String, Failure> {
    match (start.channels.as_deref(), &start.plan) {
        (Some(""), Some(_)) => Err(Failure::new(Exit::USAGE, ChannelError::None.to_string())),
        (Some(channels), _) => Ok(channels.to_owned()),
        (None, Some(_)) => Ok(String::new()),
        (None, None) => Ok("all".into()),
    }
}

fn background(asked: args::BackgroundArg) -> proto::Background {
    match asked {
        args::BackgroundArg::None => proto::Background::default(),
        args::BackgroundArg::Channel { number, every } => {
            proto::Background { channel: number.into(), every: every.unwrap_or(0) }
        }
    }
}

const fn if_measuring(asked: args::IfMeasuringArg) -> proto::IfMeasuring {
    match asked {
        args::IfMeasuringArg::Refuse => proto::IfMeasuring::Refuse,
        args::IfMeasuringArg::Stop => proto::IfMeasuring::Stop,
        args::IfMeasuringArg::Adopt => proto::IfMeasuring::Adopt,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
