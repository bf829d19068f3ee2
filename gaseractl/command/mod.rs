//! One file per command. Here: dispatch, the limit of --timeout, and Ctrl-C.

mod abort;
mod analyzer;
mod archive;
mod context;
mod control;
mod doctor;
mod export;
mod files;
mod fleet;
mod follow;
mod mux;
mod names;
mod plan;
mod runs;
mod schedule;
mod shell;
mod start;
mod status;
mod stream;
mod tail;
mod trash;
mod upkeep;
mod verify;
mod watch;

use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use gasera::domain::duration;

use crate::args::{Args, Command, Fleet, FleetCommand};
use crate::client::Client;
use crate::contexts;
use crate::endpoint::Endpoints;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use names::Named;

/// What every command needs.
pub struct CommandSession {
    pub output: Output,
    pub endpoints: Endpoints,
    /// What goes on without us if we are stopped now.
    goes_on: RefCell<String>,
}

impl CommandSession {
    pub fn new(output: Output, endpoints: Endpoints) -> Self {
        Self { output, endpoints, goes_on: RefCell::default() }
    }

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
    let Args { global, command } = args;
    match command {
        Command::Completions(completions) => shell::completions(completions.shell),
        Command::Man(man) => shell::man(output, man.dir.as_deref()),
        Command::Context(asked) => context::execute(output, asked.command),
        Command::CompleteWords(asked) => shell::complete_words(global, output, asked).await,
        Command::Fleet(Fleet { command: FleetCommand::Status }) => fleet::status(&global, output).await,
        command => {
            let session = CommandSession::new(output, contexts::endpoints(&global)?);
            within(&session, global.timeout, Box::pin(ask(&session, command))).await
        }
    }
}

/// What is asked of one daemon.
async fn ask(session: &CommandSession, command: Command) -> Result<Exit, Failure> {
    let named = Named::of(&command);
    let result = match command {
        Command::Start(start) => start::execute(session, &start).await,
        Command::Abort(abort) => abort::execute(session, abort.run).await,
        Command::Pause(pause) => control::pause(session, pause).await,
        Command::Resume => control::resume(session).await,
        Command::Skip => control::skip(session).await,
        Command::Finish(finish) => control::finish(session, finish).await,
        Command::Note(note) => control::note(session, &note).await,
        Command::Status => status::execute(session).await,
        Command::Watch(watch) => watch::execute(session, &watch).await,
        Command::Stream(stream) => stream::execute(session, stream.command).await,
        Command::Runs(runs) => runs::execute(session, runs).await,
        Command::Plan(plan) => plan::execute(session, plan.command).await,
        Command::Schedule(schedule) => schedule::execute(session, schedule.command).await,
        Command::Analyzer(analyzer) => analyzer::execute(session, analyzer.command).await,
        Command::Mux(mux) => mux::execute(session, mux.command).await,
        Command::Storage(storage) => upkeep::storage(session, storage.command).await,
        Command::Config(config) => upkeep::config(session, config.command).await,
        Command::Doctor(doctor) => doctor::execute(session, doctor).await,
        Command::Context(_)
        | Command::Fleet(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::CompleteWords(_) => Ok(Exit::DONE),
    };
    match result {
        Err(failure) => Err(named.explain(session, failure).await),
        done => done,
    }
}

async fn within(
    session: &CommandSession,
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
