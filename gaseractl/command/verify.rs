//! `gaseractl runs verify`: does every sample still come out as it was recorded?

use gasera::proto::{Change, Run, VerifyRunResponse};

use super::CommandSession;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::{json, table, words};

/// `each` is to tell every record that would be different now.
pub async fn execute(session: &CommandSession, run: Option<String>, each: bool) -> Result<Exit, Failure> {
    let mut client = session.client().await?;
    match run {
        Some(run) => one(session, &mut client, &run, each).await,
        None => all(session, &mut client, each).await,
    }
}

async fn one(session: &CommandSession, client: &mut Client, run: &str, each: bool) -> Result<Exit, Failure> {
    let verdict = client.verify(run).await?;
    tell(session, &verdict)?;
    if each && !session.output.json && !session.output.quiet && !verdict.changes.is_empty() {
        output::bytes(changes(&verdict.changes).as_bytes())?;
    }
    Ok(if verdict.differences.is_empty() { Exit::DONE } else { Exit::FAILURE })
}

/// A run that cannot be verified does not keep the others from it.
async fn all(session: &CommandSession, client: &mut Client, each: bool) -> Result<Exit, Failure> {
    let runs = client.runs(u32::MAX).await?;
    if runs.is_empty() {
        session.output.note("there are no runs yet; start one with `gaseractl start`");
    }
    let mut exit = Exit::DONE;
    for run in runs {
        if under_way(&run) {
            session.output.note(&format!("run {} is under way; verify it when it has ended", run.id));
            continue;
        }
        match one(session, client, &run.id, each).await {
            Ok(Exit::DONE) => {}
            Ok(_) => exit = Exit::FAILURE,
            Err(failure) if failure.exit == Exit::FAILURE || failure.exit == Exit::NOT_FOUND => {
                output::failure(&failure);
                exit = Exit::FAILURE;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

fn under_way(run: &Run) -> bool {
    words::outcome(run).is_none()
}

fn tell(session: &CommandSession, verdict: &VerifyRunResponse) -> Result<(), Failure> {
    let output = session.output;
    if output.json {
        return output::object(&json::verdict(verdict));
    }
    if output.quiet {
        return if verdict.differences.is_empty() { Ok(()) } else { output::line(&verdict.run_id) };
    }
    let found = match verdict.differences.len() {
        0 => output.paint.good("nothing differs"),
        1 => output.paint.bad("1 difference"),
        more => output.paint.bad(&format!("{more} differences")).into_owned().into(),
    };
    let doubted = match verdict.doubts.len() {
        0 => String::new(),
        1 => ", 1 doubt".to_owned(),
        more => format!(", {more} doubts"),
    };
    output::line(&format!(
        "run {}: {}, {} in samples.csv, {} attributed again: {found}{doubted}",
        verdict.run_id,
        words::count(verdict.records, "sample"),
        words::count(verdict.csv_rows, "row"),
        verdict.attributed_again,
    ))?;
    let doubts = verdict.doubts.iter().map(|doubt| format!("doubtful: {doubt}"));
    verdict.differences.iter().cloned().chain(doubts).try_for_each(|told| output::line(&format!("  {told}")))
}

fn changes(changes: &[Change]) -> String {
    let mut table = table::table(&["SEQ", "KEPT AS", "NOW"], &[0]);
    for change in changes {
        let shown = |words: &str| if words.is_empty() { "-".to_owned() } else { words.to_owned() };
        table.add_row([change.seq.to_string(), shown(&change.was), shown(&change.now)]);
    }
    table::written(&table)
}
