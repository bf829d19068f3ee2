//! `gaseractl plan`: what is wrong with a plan, and what it comes to.

use std::path::Path;

use gasera::proto::{CheckPlanResponse, PlanFile, PlanMistake, StartMeasurementResponse};
use serde_json::{Value, json};

use super::CommandSession;
use crate::args::PlanCommand;
use crate::failure::{Exit, Failure};
use crate::view::{json, table, words};
use crate::{output, planfile};

pub async fn execute(session: &CommandSession, command: PlanCommand) -> Result<Exit, Failure> {
    match command {
        PlanCommand::Check { file } => check(session, &file).await,
        PlanCommand::Show { plan } => show(session, planfile::named(&plan)?).await,
        PlanCommand::List => list(session).await,
    }
}

async fn check(session: &CommandSession, file: &Path) -> Result<Exit, Failure> {
    let file = planfile::file(file)?;
    let checked = session.client().await?.check_plan(file).await?;
    let output = session.output;
    if output.json {
        output::object(&json::checked(&checked))?;
    } else {
        mistakes(&checked).try_for_each(|line| output::line(&line))?;
    }
    if !checked.mistakes.is_empty() {
        return Ok(Exit::USAGE);
    }
    if !output.json && !output.quiet {
        let plan = checked.plan.as_ref().map_or_else(String::new, table::plan);
        output::line(&format!("ok: {plan}; takes {}", words::millis(checked.total_ms)))?;
        if !checked.pace.is_empty() {
            output::line(&checked.pace)?;
        }
    }
    Ok(Exit::DONE)
}

async fn show(session: &CommandSession, file: PlanFile) -> Result<Exit, Failure> {
    let checked = session.client().await?.check_plan(file).await?;
    if !checked.mistakes.is_empty() {
        let lines: Vec<String> = mistakes(&checked).collect();
        return Err(Failure::new(Exit::USAGE, lines.join("\n")));
    }
    let response = StartMeasurementResponse {
        run_id: String::new(),
        plan: checked.plan,
        total_ms: checked.total_ms,
        timeline: checked.timeline,
        end_utc: checked.end_utc,
        pace: checked.pace,
        ..StartMeasurementResponse::default()
    };
    if session.output.json {
        output::object(&json::planned(&response))?;
    } else {
        output::bytes(table::timeline(&response).as_bytes())?;
    }
    Ok(Exit::DONE)
}

async fn list(session: &CommandSession) -> Result<Exit, Failure> {
    let plans = session.client().await?.plans().await?;
    let output = session.output;
    if output.json {
        let plans: Vec<Value> = plans.iter().map(json::stored_plan).collect();
        output::object(&json!({ "plans": plans }))?;
    } else if output.quiet {
        plans.iter().try_for_each(|plan| output::line(&plan.name))?;
    } else if plans.is_empty() {
        output.note("the daemon keeps no plans; put some as NAME.toml into plans below its state directory");
    } else {
        output::bytes(table::plans(&plans).as_bytes())?;
    }
    Ok(Exit::DONE)
}

/// `weekly.toml:2:1: …`
fn mistakes(checked: &CheckPlanResponse) -> impl Iterator<Item = String> {
    checked.mistakes.iter().map(|PlanMistake { line, column, text }| match line {
        0 => format!("{}: {text}", checked.name),
        line => format!("{}:{line}:{column}: {text}", checked.name),
    })
}
