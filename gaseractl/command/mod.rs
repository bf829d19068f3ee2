//! One file per command. Here: dispatch, the limit of --timeout, and Ctrl-C.

mod abort;
mod analyzer;
mod control;
mod follow;
mod mux;
mod plan;
mod runs;
mod schedule;
mod start;
mod status;
mod stream;
mod verify;
mod watch;

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use gasera::domain::duration;

use crate::args::{Args, Command};
use crate::client::Client;
use crate::endpoint::Endpoints;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// What every command needs.
pub struct Session {
    pub output: Output,
    pub endpoints: Endpoints,
    /// What goes on without us if we are stopped now.
    goes_on: RefCell<String>,
}

impl Session {
    pub async fn client(&self) -> Result<Client, Failure> {
        Client::connect(&self.endpoints).await
    }

    /// From now on, this is said if we are stopped.
    pub fn goes_on(&self, sentence: impl Into<String>) {
        self.goes_on.replace(sentence.into());
    }

    fn stopped(&self, exit: Exit, why: &str) -> Failure {
        let goes_on = self.goes_on.borrow();
        let text = if goes_on.is_empty() { why.to_owned() } else { format!("{why}; {goes_on}") };
        Failure::new(exit, text)
    }
}

pub async fn execute(args: Args, output: Output) -> Result<Exit, Failure> {
    let global = args.global;
    let endpoints = Endpoints::new(global.endpoint, global.token_file.as_deref(), global.ca_file.as_deref())?;
    let session = Session { output, endpoints, goes_on: RefCell::default() };
    let command = async {
        match args.command {
            Command::Start(start) => start::execute(&session, &start).await,
            Command::Abort(abort) => abort::execute(&session, abort.run).await,
            Command::Pause(pause) => control::pause(&session, pause).await,
            Command::Resume => control::resume(&session).await,
            Command::Skip => control::skip(&session).await,
            Command::Finish(finish) => control::finish(&session, finish).await,
            Command::Note(note) => control::note(&session, &note).await,
            Command::Status => status::execute(&session).await,
            Command::Watch(watch) => watch::execute(&session, &watch).await,
            Command::Stream(stream) => stream::execute(&session, stream.command).await,
            Command::Runs(runs) => runs::execute(&session, runs).await,
            Command::Plan(plan) => plan::execute(&session, plan.command).await,
            Command::Schedule(schedule) => schedule::execute(&session, schedule.command).await,
            Command::Analyzer(analyzer) => analyzer::execute(&session, analyzer.command).await,
            Command::Mux(mux) => mux::execute(&session, mux.command).await,
        }
    };
    within(&session, global.timeout, command).await
}

async fn within(
    session: &Session,
    limit: Option<Duration>,
    command: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    let timeout = async {
        match limit {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        result = command => result,
        Ok(()) = tokio::signal::ctrl_c() => Err(session.stopped(Exit::INTERRUPTED, "interrupted")),
        () = timeout => {
            let limit = limit.map(duration::format).unwrap_or_default();
            Err(session.stopped(Exit::TIMEOUT, &format!("not done within {limit}")))
        }
    }
}
