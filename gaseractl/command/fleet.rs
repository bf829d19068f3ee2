//! `gaseractl fleet`: all daemons of the contexts at once.

use std::time::Duration;

use gasera::domain::{Status, duration};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::args::{Fleet, Global};
use crate::client::Client;
use crate::contexts::{self, Contexts};
use crate::failure::{Exit, Failure};
use crate::output::{self, Output};
use crate::view::{status, table, words};

/// What came of asking one daemon.
struct FleetAnswer {
    context: String,
    endpoint: String,
    /// The status as the daemon wrote it.
    answer: Result<String, Failure>,
}

pub async fn status(global: &Global, output: Output) -> Result<Exit, Failure> {
    let contexts = contexts::file().map(|path| Contexts::read(&path)).transpose()?.unwrap_or_default();
    if contexts.contexts.is_empty() {
        let text = "there are no contexts to ask; add one with `gaseractl context add NAME ENDPOINT`";
        return Err(Failure::new(Exit::NOT_FOUND, text));
    }
    let told = ask(&contexts, global).await;
    if output.json {
        let daemons: Vec<Value> = told.iter().map(object).collect();
        output::object(&json!({ "daemons": daemons }))?;
    } else {
        output::bytes(lines(&told, output).as_bytes())?;
    }
    let answered = told.iter().all(|told| told.answer.is_ok());
    Ok(if answered { Exit::DONE } else { Exit::UNREACHABLE })
}

/// In the order of their names, however soon each answers.
async fn ask(contexts: &Contexts, global: &Global) -> Vec<FleetAnswer> {
    let patience = global.timeout.unwrap_or(Fleet::PATIENCE);
    let mut asking = JoinSet::new();
    for (name, context) in &contexts.contexts {
        let endpoints = context.endpoints(name, global);
        let (context, endpoint) = (name.clone(), context.endpoint.clone());
        asking.spawn(async move {
            let answer = match endpoints {
                Ok(endpoints) => {
                    within(patience, &endpoint, async { Client::connect(&endpoints).await?.status().await }).await
                }
                Err(failure) => Err(failure),
            };
            FleetAnswer { context, endpoint, answer }
        });
    }
    let mut told = asking.join_all().await;
    told.sort_by(|one, other| one.context.cmp(&other.context));
    told
}

async fn within(
    patience: Duration,
    endpoint: &str,
    asking: impl Future<Output = Result<String, Failure>>,
) -> Result<String, Failure> {
    let late = |_| Failure::unreachable(&format!("{endpoint} (no answer within {})", duration::format(patience)));
    tokio::time::timeout(patience, asking).await.map_err(late)?
}

fn object(told: &FleetAnswer) -> Value {
    let failure = told.answer.as_ref().err();
    json!({
        "context": told.context,
        "endpoint": told.endpoint,
        "reachable": failure.is_none(),
        "error": failure.map(|failure| failure.text.clone()),
        "exit": failure.map_or(0, |failure| failure.exit.code()),
        "status": told.answer.as_ref().ok().and_then(|text| serde_json::from_str::<Value>(text).ok()),
    })
}

fn lines(told: &[FleetAnswer], output: Output) -> String {
    let mut table = table::table(&["CONTEXT", "DOING", "RUN", "PROGRESS", "ANALYZER", "VALVE", "CLOCK"], &[]);
    let mut failures = Vec::new();
    for FleetAnswer { context, answer, .. } in told {
        match answer.as_ref().map(|text| serde_json::from_str::<Status>(text)) {
            Ok(Ok(status)) => table.add_row(row(context, &status)),
            Ok(Err(error)) => table.add_row([context, &format!("answers what this version cannot read ({error})")]),
            Err(failure) => {
                failures.push(format!("{context}: {failure}"));
                table.add_row([context.as_str(), "unreachable"])
            }
        };
    }
    for failure in &failures {
        output.note(failure);
    }
    table::written(&table)
}

fn row(context: &str, told: &Status) -> [String; 7] {
    let run = told.run.as_ref().map_or_else(|| "-".into(), |run| run.id.0.clone());
    let plain = output::Paint(false);
    let progress = told.run.as_ref().map_or_else(|| "-".into(), |_| format!("{} %", told.progress.overall_percent));
    let clock = match told.clock_synchronized {
        Some(true) => "synchronized",
        Some(false) => "NOT synchronized",
        None => "-",
    };
    let analyzer = match (told.analyzer.online, told.analyzer.errors.len() as u64) {
        (false, _) => "offline".to_owned(),
        (true, 0) => "online".to_owned(),
        (true, errors) => format!("online, {}", words::count(errors, "error")),
    };
    [
        context.to_owned(),
        status::headline(told, plain),
        run,
        progress,
        analyzer,
        words::position(told.multiplexer.position),
        clock.to_owned(),
    ]
}
