//! `gaseractl mux`: where the valve stands, and where it is to stand.

use serde_json::json;

use super::CommandSession;
use crate::args::MuxCommand;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::view::{instrument, words};

pub async fn execute(session: &CommandSession, command: MuxCommand) -> Result<Exit, Failure> {
    let mut client = session.client().await?;
    if command == MuxCommand::Accept {
        let known = client.accept_mux().await?;
        return accepted(session, &known);
    }
    if command != MuxCommand::Where {
        session.goes_on("the valve may have moved all the same: see `gaseractl mux where`");
    }
    let mux = match command {
        MuxCommand::Where | MuxCommand::Accept => client.mux().await?,
        MuxCommand::Home => client.home_mux().await?,
        MuxCommand::Goto { channel } => client.goto_channel(channel).await?,
    };
    let status = instrument::multiplexer(mux);
    let output = session.output;
    if output.json {
        output::object(&instrument::json(&status))?;
    } else if output.quiet {
        output::line(&status.position.channel().map_or_else(|| "-".to_owned(), |channel| channel.to_string()))?;
    } else {
        output::line(&words::multiplexer(&status, output.paint))?;
    }
    Ok(Exit::DONE)
}

/// Who is known from now on.
pub fn accepted(session: &CommandSession, known: &str) -> Result<Exit, Failure> {
    if session.output.json {
        output::object(&json!({ "accepted": known }))?;
    } else if !session.output.quiet {
        output::line(&format!("accepted: {known}"))?;
    }
    Ok(Exit::DONE)
}
