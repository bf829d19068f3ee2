//! `gaseractl status`: what is it doing, until when, and why?

use gasera::domain::Status;

use super::CommandSession;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view;

pub async fn execute(session: &CommandSession) -> Result<Exit, Failure> {
    let text = session.client().await?.status().await?;
    let output = session.output;
    if output.json {
        output::line(text.trim())?;
        return Ok(Exit::DONE);
    }
    let status: Status = serde_json::from_str(&text).map_err(|error| {
        let text = format!("cannot read the status that gaserad gives ({error}); are both of the same version? --json shows it as it is");
        Failure::new(Exit::FAILURE, text)
    })?;
    if output.quiet {
        output::line(status.phase.as_str())?;
    } else {
        output::line(&view::status::of(&status, output.paint))?;
    }
    Ok(Exit::DONE)
}
