//! `gaseractl pause`, `resume`, `skip`, `finish`, `note`: each returns as soon as the daemon has admitted it.

use gasera::proto::FinishAfter;
use serde_json::json;

use super::Session;
use crate::args::{After, Finish, Note, Pause};
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output;

pub async fn pause(session: &Session, pause: Pause) -> Result<Exit, Failure> {
    let run_id = client(session).await?.pause(pause.now).await?;
    let when = if pause.now { "at once" } else { "after the sample under way" };
    tell(session, &run_id, &format!("run {run_id} pauses {when}; go on with `gaseractl resume`"))
}

pub async fn resume(session: &Session) -> Result<Exit, Failure> {
    let run_id = client(session).await?.resume().await?;
    tell(session, &run_id, &format!("run {run_id} goes on"))
}

pub async fn skip(session: &Session) -> Result<Exit, Failure> {
    let run_id = client(session).await?.skip().await?;
    tell(session, &run_id, &format!("run {run_id} leaves the channel under way for the next one"))
}

pub async fn finish(session: &Session, finish: Finish) -> Result<Exit, Failure> {
    let (after, what) = match finish.after {
        After::Channel => (FinishAfter::Channel, "channel"),
        After::Repeat => (FinishAfter::Repeat, "repeat"),
    };
    let run_id = client(session).await?.finish(after).await?;
    tell(session, &run_id, &format!("run {run_id} ends after the {what} under way"))
}

pub async fn note(session: &Session, note: &Note) -> Result<Exit, Failure> {
    let run_id = client(session).await?.note(note.text.join(" ")).await?;
    tell(session, &run_id, &format!("noted with run {run_id}"))
}

async fn client(session: &Session) -> Result<Client, Failure> {
    let client = session.client().await?;
    session.goes_on("whether it was carried out is not known: see `gaseractl status`");
    Ok(client)
}

fn tell(session: &Session, run_id: &str, words: &str) -> Result<Exit, Failure> {
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
