//! `gaseractl runs rm`, `restore`, `trash` and `empty-trash`: runs that are removed.

use std::io::{self, BufRead, IsTerminal, Write};

use gasera::proto::{Run, TrashedRun};
use serde_json::{Value, json};

use super::CommandSession;
use crate::args::Rm;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::{table, words};

pub async fn remove(session: &CommandSession, asked: Rm) -> Result<Exit, Failure> {
    let mut client = session.client().await?;
    let runs = if asked.all { ended(&client.runs(u32::MAX).await?) } else { asked.runs };
    if runs.is_empty() {
        session.output.note("there is no run that is over");
        return Ok(Exit::DONE);
    }
    let what = match runs.as_slice() {
        [run] => format!("run {run}"),
        runs => format!("{} runs", runs.len()),
    };
    let question = if asked.purge { format!("Remove {what} for good?") } else { format!("Put {what} into the trash?") };
    if !is_meant(&question, asked.yes, asked.all || asked.purge)? {
        session.output.note("nothing was removed");
        return Ok(Exit::DONE);
    }
    let removed = client.remove_runs(runs, asked.purge).await?;
    let done = if asked.purge { "is gone for good" } else { "is in the trash" };
    tell(session, &removed, asked.purge, done)
}

fn ended(runs: &[Run]) -> Vec<String> {
    runs.iter().filter(|run| words::outcome(run).is_some()).map(|run| run.id.clone()).collect()
}

/// Asks on a terminal. Elsewhere what is `grave` has to be said to be meant.
fn is_meant(question: &str, yes: bool, grave: bool) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        let text = format!("{question} There is no terminal to ask on; say --yes");
        return if grave { Err(Failure::new(Exit::USAGE, text)) } else { Ok(true) };
    }
    let mut answer = String::new();
    let mut screen = io::stderr();
    let asked = write!(screen, "{question} [y/N] ").and_then(|()| screen.flush());
    let heard = asked.and_then(|()| io::stdin().lock().read_line(&mut answer));
    heard.map_err(|error| Failure::new(Exit::FAILURE, format!("cannot ask on the terminal: {error}; say --yes")))?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn tell(session: &CommandSession, runs: &[String], purged: bool, done: &str) -> Result<Exit, Failure> {
    if session.output.json {
        output::object(&json!({ "removed": runs, "purged": purged }))?;
    } else if session.output.quiet {
        runs.iter().try_for_each(|run| output::line(run))?;
    } else {
        runs.iter().try_for_each(|run| output::line(&format!("run {run} {done}")))?;
    }
    Ok(Exit::DONE)
}

pub async fn restore(session: &CommandSession, name: &str) -> Result<Exit, Failure> {
    let run = session.client().await?.restore_run(name).await?;
    if session.output.json {
        output::object(&json!({ "restored": run }))?;
    } else if session.output.quiet {
        output::line(&run)?;
    } else {
        output::line(&format!("run {run} is out of the trash again"))?;
    }
    Ok(Exit::DONE)
}

pub async fn list(session: &CommandSession) -> Result<Exit, Failure> {
    let trash = session.client().await?.trash().await?;
    let output = session.output;
    if output.json {
        output::object(&json!({ "trash": trash.iter().map(object).collect::<Value>() }))?;
    } else if output.quiet {
        trash.iter().try_for_each(|run| output::line(&run.run_id))?;
    } else if trash.is_empty() {
        output.note("the trash is empty");
    } else {
        output::bytes(shown(&trash).as_bytes())?;
    }
    Ok(Exit::DONE)
}

fn object(run: &TrashedRun) -> Value {
    json!({
        "run_id": run.run_id,
        "label": run.label,
        "started_utc": run.started_utc,
        "records": run.records,
        "bytes": run.bytes,
        "trashed_utc": run.trashed_utc,
        "who": run.who,
        "gone_after_utc": run.gone_after_utc,
    })
}

fn shown(trash: &[TrashedRun]) -> String {
    let mut table = table::table(&["RUN", "STARTED", "SAMPLES", "SIZE", "GONE AFTER", "WHO", "LABEL"], &[2, 3]);
    for run in trash {
        table.add_row([
            run.run_id.clone(),
            words::date_of(&run.started_utc),
            run.records.to_string(),
            words::bytes(run.bytes),
            words::date_of(&run.gone_after_utc),
            run.who.clone(),
            run.label.clone(),
        ]);
    }
    table::written(&table)
}

pub async fn empty(session: &CommandSession, yes: bool) -> Result<Exit, Failure> {
    if !is_meant("Remove all that is in the trash, for good?", yes, true)? {
        session.output.note("nothing was removed");
        return Ok(Exit::DONE);
    }
    let gone = session.client().await?.empty_trash().await?;
    tell(session, &gone, true, "is gone for good")
}
