//! `gaseractl stream`: how the event stream itself does.

use http::Method;
use serde_json::Value;

use super::CommandSession;
use crate::args::StreamCommand;
use crate::failure::{Exit, Failure};
use crate::view::readers;
use crate::{output, web};

pub async fn execute(session: &CommandSession, command: StreamCommand) -> Result<Exit, Failure> {
    let (method, path) = request(&command);
    let text = web::text(&session.endpoints, method, &path).await?;
    if session.output.json {
        output::line(text.trim())?;
        return Ok(Exit::DONE);
    }
    let value = read(&path, &text)?;
    match command {
        StreamCommand::Stats if session.output.quiet => output::line(&readers::count(&value))?,
        StreamCommand::Stats => output::bytes(readers::stats(&value).as_bytes())?,
        StreamCommand::Clients => output::bytes(readers::clients(&value).as_bytes())?,
        StreamCommand::Test { .. } => session.output.note(&readers::tested(&value)),
    }
    Ok(Exit::DONE)
}

fn request(command: &StreamCommand) -> (Method, String) {
    match command {
        StreamCommand::Stats => (Method::GET, "/events/stats".into()),
        StreamCommand::Clients => (Method::GET, "/events/connections".into()),
        StreamCommand::Test { kind: None } => (Method::POST, "/events/test".into()),
        StreamCommand::Test { kind: Some(kind) } => {
            (Method::POST, format!("/events/test?event_type={}", web::escape(kind)))
        }
    }
}

fn read(path: &str, text: &str) -> Result<Value, Failure> {
    // An answer without a body says enough with its status.
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text).map_err(|error| {
        let text = format!("cannot read what gaserad answers to {path} ({error}); is gaserad what listens there?");
        Failure::new(Exit::FAILURE, text)
    })
}
