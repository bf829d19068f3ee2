//! `gaseractl runs`: what was measured.

use gasera::proto::Run;
use serde_json::json;

use super::{CommandSession, archive, export, files, tail, trash, verify};
use crate::args::{self, Runs, RunsCommand};
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::{json, table};

pub async fn execute(session: &CommandSession, runs: Runs) -> Result<Exit, Failure> {
    match runs.command.unwrap_or_else(|| RunsCommand::List(args::List::default())) {
        RunsCommand::List(asked) => list(session, &asked).await?,
        RunsCommand::Show { run } => show(session, &run).await?,
        RunsCommand::Export(wanted) => export::execute(session, &wanted).await?,
        RunsCommand::Tail { run, lines } => return tail::execute(session, &run, lines).await,
        RunsCommand::Verify { run, attribution } => return verify::execute(session, run, attribution).await,
        RunsCommand::Drift(drift) => return archive::drift(session, &drift).await,
        RunsCommand::Files { run } => return files::list(session, &run).await,
        RunsCommand::Get { run, file, output } => return files::get(session, &run, &file, output.as_deref()).await,
        RunsCommand::Rm(rm) => return trash::remove(session, rm).await,
        RunsCommand::Restore { trashed } => return trash::restore(session, &trashed).await,
        RunsCommand::Trash => return trash::list(session).await,
        RunsCommand::EmptyTrash { yes } => return trash::empty(session, yes).await,
    }
    Ok(Exit::DONE)
}

/// How many are listed unless somebody says so.
const LISTED: u32 = 100;

async fn list(session: &CommandSession, asked: &args::List) -> Result<(), Failure> {
    let runs = page(session, asked).await?;
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

async fn page(session: &CommandSession, asked: &args::List) -> Result<Vec<Run>, Failure> {
    let mut client = session.client().await?;
    let limit = asked.limit.unwrap_or(LISTED);
    let Some(before) = &asked.before else { return client.runs(limit).await };
    let all = client.runs(u32::MAX).await?;
    let is_meant = |run: &Run| run.id.to_lowercase().starts_with(&before.to_lowercase());
    let Some(place) = all.iter().position(is_meant) else {
        return Err(Failure::new(Exit::NOT_FOUND, format!("no run is called {before:?}; `gaseractl runs` lists them")));
    };
    Ok(all.into_iter().skip(place + 1).take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
}

async fn show(session: &CommandSession, run: &str) -> Result<(), Failure> {
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
