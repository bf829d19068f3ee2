//! `gaseractl abort`: the call itself returns when the analyzer is idle.

use serde_json::json;

use super::Session;
use crate::failure::{Exit, Failure};
use crate::output;

pub async fn execute(session: &Session) -> Result<Exit, Failure> {
    let mut client = session.client().await?;
    session.goes_on("gaserad goes on aborting; see `gaseractl status`");
    let run_id = client.abort().await?;
    let output = session.output;
    if output.json {
        output::object(&json!({ "run_id": run_id }))?;
    } else if output.quiet {
        output::line(&run_id)?;
    } else {
        output::line(&format!("run {run_id} is aborted; the analyzer is idle"))?;
    }
    Ok(Exit::DONE)
}
