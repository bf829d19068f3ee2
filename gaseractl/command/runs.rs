//! `gaseractl runs`: what was measured.

use serde_json::json;

use super::{Session, archive, export, tail, verify};
use crate::args::{Runs, RunsCommand};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::{json, table};

pub async fn execute(session: &Session, runs: Runs) -> Result<Exit, Failure> {
    match runs.command.unwrap_or(RunsCommand::List) {
        RunsCommand::List => list(session).await?,
        RunsCommand::Show { run } => show(session, &run).await?,
        RunsCommand::Export(wanted) => export::execute(session, &wanted).await?,
        RunsCommand::Tail { run, lines } => return tail::execute(session, &run, lines).await,
        RunsCommand::Verify { run, attribution } => return verify::execute(session, run, attribution).await,
        RunsCommand::Drift(drift) => return archive::drift(session, &drift).await,
    }
    Ok(Exit::DONE)
}

async fn list(session: &Session) -> Result<(), Failure> {
    let runs = session.client().await?.runs(0).await?;
    let output = session.output;
    if output.json {
        let runs: Vec<serde_json::Value> = runs.iter().map(json::run).collect();
        output::object(&json!({ "runs": runs }))
    } else if output.quiet {
        runs.iter().try_for_each(|run| output::line(&run.id))
    } else if runs.is_empty() {
        output.note("there are no runs yet; start one with `gaseractl start`");
        Ok(())
    } else {
        output::bytes(table::runs(&runs).as_bytes())
    }
}

async fn show(session: &Session, run: &str) -> Result<(), Failure> {
    let response = session.client().await?.run(run).await?;
    if session.output.json {
        let mut object = response.run.as_ref().map(json::run).unwrap_or_default();
        object["visits"] = response.visits.iter().map(json::visit).collect();
        object["notes"] = response.notes.iter().map(json::note).collect();
        output::object(&object)
    } else {
        output::bytes(table::run(&response).as_bytes())
    }
}
