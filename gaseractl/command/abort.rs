//! `gaseractl abort`: the call itself returns when the analyzer is idle, or the run that waited is called off.

use gasera::domain::Status;
use serde_json::json;

use super::CommandSession;
use crate::client::Client;
use crate::failure::{Exit, Failure};
use crate::output;

pub async fn execute(session: &CommandSession, run: Option<String>) -> Result<Exit, Failure> {
    let mut client = session.client().await?;
    session.goes_on("gaserad goes on aborting; see `gaseractl status`");
    let aborted = client.abort(run.unwrap_or_default()).await?;
    let (output, run_id) = (session.output, &aborted.run_id);
    if output.json {
        output::object(&json!({ "run_id": run_id, "waited": aborted.waited }))?;
    } else if output.quiet {
        output::line(run_id)?;
    } else if aborted.waited {
        output::line(&format!("run {run_id} is called off; it had not begun"))?;
    } else {
        output::line(&format!("run {run_id} is aborted; the analyzer is idle"))?;
        tell_of_the_next(session, &mut client, run_id).await;
    }
    Ok(Exit::DONE)
}

/// Whoever aborts a run may not expect that another one follows it.
async fn tell_of_the_next(session: &CommandSession, client: &mut Client, aborted: &str) {
    let status = client.status().await.ok().and_then(|text| serde_json::from_str::<Status>(&text).ok());
    let Some(status) = status else { return };
    let waits = status.queued.iter().find(|queued| queued.begins.is_none()).map(|queued| &queued.run_id);
    let begun = status.run.as_ref().map(|run| &run.id).filter(|id| id.0 != aborted);
    if let Some(id) = begun {
        session.output.note(&format!("run {id} waited and begins now; `gaseractl abort {id}` aborts it too"));
    } else if let Some(id) = waits {
        session.output.note(&format!("run {id} waits and begins next; `gaseractl abort {id}` calls it off"));
    }
}
