//! `gaseractl pause`, `resume`, `skip`, `finish`, `note`: each returns as soon as the daemon has admitted it.

use gasera::proto::FinishAfter;
use serde_json::json;

use super::CommandSession;
use crate::args::{After, Finish, NoteArgs, Pause};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output;

pub async fn pause(session: &CommandSession, pause: Pause) -> Result<Exit, Failure> {
    let run_id = client(session).await?.pause(pause.now).await?;
    let when = if pause.now { "at once" } else { "after the sample under way" };
    tell(session, &run_id, &format!("run {run_id} pauses {when}; go on with `gaseractl resume`"))
}

pub async fn resume(session: &CommandSession) -> Result<Exit, Failure> {
    let run_id = client(session).await?.resume().await?;
    tell(session, &run_id, &format!("run {run_id} goes on"))
}

pub async fn skip(session: &CommandSession) -> Result<Exit, Failure> {
    let run_id = client(session).await?.skip().await?;
    tell(session, &run_id, &format!("run {run_id} leaves the channel under way for the next one"))
}

pub async fn finish(session: &CommandSession, finish: Finish) -> Result<Exit, Failure> {
    let (after, what) = match finish.after {
        After::Channel => (FinishAfter::Channel, "channel"),
        After::Repeat => (FinishAfter::Repeat, "repeat"),
    };
    let run_id = client(session).await?.finish(after).await?;
    tell(session, &run_id, &format!("run {run_id} ends after the {what} under way"))
}

pub async fn note(session: &CommandSession, note: &NoteArgs) -> Result<Exit, Failure> {
    let run_id = client(session).await?.note(note.text.join(" ")).await?;
    tell(session, &run_id, &format!("noted with run {run_id}"))
}

async fn client(session: &CommandSession) -> Result<Client, Failure> {
    let client = session.client().await?;
    session.goes_on("whether it was carried out is not known: see `gaseractl status`");
    Ok(client)
}

fn tell(session: &CommandSession, run_id: &str, words: &str) -> Result<Exit, Failure> {
    let output = session.output;
    if output.json {
        output::object(&json!({ "run_id": run_id }))?;
    } else if output.quiet {
        output::line(run_id)?;
    } else {
        output::line(words)?;
    }
    Ok(Exit::DONE)
}
