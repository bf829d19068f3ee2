//! `gaseractl schedule`: what is started by the clock.

use gasera::proto::{self, Schedule};
use serde_json::{Value, json};

use super::CommandSession;
use crate::args::{AddSchedule, IfBusy, IfMissed, ScheduleCommand};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::schedule as view;

pub async fn execute(session: &CommandSession, command: Option<ScheduleCommand>) -> Result<Exit, Failure> {
    match command.unwrap_or(ScheduleCommand::List) {
        ScheduleCommand::List => list(session).await,
        ScheduleCommand::Add(add) => self::add(session, *add).await,
        ScheduleCommand::Rm { name } => remove(session, name).await,
        ScheduleCommand::Enable { name } => enable(session, name, true).await,
        ScheduleCommand::Disable { name } => enable(session, name, false).await,
        ScheduleCommand::Next { name, count } => next(session, name, count).await,
    }
}

async fn list(session: &CommandSession) -> Result<Exit, Failure> {
    let schedules = session.client().await?.schedules(1).await?;
    let output = session.output;
    if output.json {
        let schedules: Vec<Value> = schedules.iter().map(proto::json::schedule).collect();
        output::object(&json!({ "schedules": schedules }))?;
    } else if output.quiet {
        schedules.iter().try_for_each(|schedule| output::line(&schedule.name))?;
    } else if schedules.is_empty() {
        output.note("there are no schedules; gaseractl schedule add --help says how to add one");
    } else {
        output::bytes(view::table(&schedules).as_bytes())?;
    }
    Ok(Exit::DONE)
}

async fn add(session: &CommandSession, asked: AddSchedule) -> Result<Exit, Failure> {
    let overlap = match asked.if_busy {
        IfBusy::Fail => proto::Overlap::Fail,
        IfBusy::Skip => proto::Overlap::Skip,
        IfBusy::Wait => proto::Overlap::Wait,
    };
    let misfire = match asked.if_missed {
        IfMissed::Run => proto::Misfire::Run,
        IfMissed::Skip => proto::Misfire::Skip,
    };
    let schedule = Schedule {
        name: asked.name,
        cron: asked.cron,
        zone: asked.zone,
        plan: asked.plan,
        overlap: overlap.into(),
        misfire: misfire.into(),
        grace_ms: Some(u64::try_from(asked.grace.as_millis()).unwrap_or(u64::MAX)),
        enabled: !asked.disabled,
        ..Schedule::default()
    };
    let added = session.client().await?.add_schedule(schedule, asked.replace, asked.dry_run).await?;
    let done = if asked.dry_run { "is fine" } else { "added" };
    tell(session, &added, done)
}

async fn remove(session: &CommandSession, name: String) -> Result<Exit, Failure> {
    session.client().await?.remove_schedule(name.clone()).await?;
    if session.output.json {
        output::object(&json!({ "removed": name }))?;
    } else if !session.output.quiet {
        output::line(&format!("schedule {name} removed"))?;
    }
    Ok(Exit::DONE)
}

async fn enable(session: &CommandSession, name: String, enabled: bool) -> Result<Exit, Failure> {
    let schedule = session.client().await?.set_schedule_enabled(name, enabled).await?;
    tell(session, &schedule, if enabled { "enabled" } else { "disabled" })
}

fn tell(session: &CommandSession, schedule: &Schedule, done: &str) -> Result<Exit, Failure> {
    if session.output.json {
        output::object(&proto::json::schedule(schedule))?;
    } else if !session.output.quiet {
        output::line(&format!("schedule {} {done}{}", schedule.name, view::due(schedule)))?;
    }
    Ok(Exit::DONE)
}

async fn next(session: &CommandSession, name: Option<String>, count: u32) -> Result<Exit, Failure> {
    let mut schedules = session.client().await?.schedules(count).await?;
    if let Some(name) = name {
        schedules.retain(|schedule| schedule.name == name);
        if schedules.is_empty() {
            let text = format!("there is no schedule {name}; see gaseractl schedule list");
            return Err(Failure::new(Exit::NOT_FOUND, text));
        }
    }
    let times = view::next(&schedules, count);
    if session.output.json {
        let object = |(schedule, time): &(&str, &proto::ScheduledTime)| json!({ "schedule": schedule, "utc": time.utc, "local": time.local });
        let times: Vec<Value> = times.iter().map(object).collect();
        output::object(&json!({ "next": times }))?;
    } else if times.is_empty() {
        session.output.note("nothing is scheduled");
    } else {
        output::bytes(view::times(&times).as_bytes())?;
    }
    Ok(Exit::DONE)
}
