//! What has names that only the daemon knows: to complete them, and to say which one was probably meant.

use std::time::Duration;

use gasera::domain::{Outcome, Status};

use super::CommandSession;
use crate::args::{Command, RunsCommand};
use crate::complete::CompletionNames;
use crate::contexts::{self, Contexts};
use crate::failure::Failure;
use crate::suggest;
use crate::view::words;

/// Longer nobody wants to wait for a word.
const PATIENCE: Duration = Duration::from_millis(500);
const RUNS: u32 = 100;

/// All there are, each with what it is. None if the daemon does not tell them at once.
pub async fn all(session: &CommandSession, names: CompletionNames) -> Vec<(String, String)> {
    let asked = tokio::time::timeout(PATIENCE, ask(session, names)).await;
    asked.ok().and_then(Result::ok).unwrap_or_default()
}

async fn ask(session: &CommandSession, names: CompletionNames) -> Result<Vec<(String, String)>, Failure> {
    if names == CompletionNames::Contexts {
        let contexts = contexts::file().map(|path| Contexts::read(&path)).transpose()?.unwrap_or_default();
        return Ok(contexts.contexts.into_iter().map(|(name, context)| (name, context.endpoint)).collect());
    }
    let mut client = session.client().await?;
    Ok(match names {
        CompletionNames::Runs => {
            let runs = client.runs(RUNS).await?;
            let last = (!runs.is_empty()).then(|| ("last".to_owned(), "the newest run".to_owned()));
            last.into_iter().chain(runs.into_iter().map(|run| (run.id.clone(), about_run(&run)))).collect()
        }
        CompletionNames::Trashed => client.trash().await?.into_iter().map(|run| (run.run_id, run.label)).collect(),
        CompletionNames::Tasks => {
            client.tasks().await?.tasks.into_iter().map(|task| (task.name, format!("task {}", task.id))).collect()
        }
        CompletionNames::Plans => client.plans().await?.into_iter().map(|plan| (plan.name, plan.path)).collect(),
        CompletionNames::Channels => channels(&client.status().await?),
        CompletionNames::Settings => {
            client.config().await?.settings.into_iter().map(|set| (set.key, set.value)).collect()
        }
        CompletionNames::Schedules => client.schedules(0).await?.into_iter().map(|one| (one.name, one.cron)).collect(),
        CompletionNames::Contexts => Vec::new(),
    })
}

fn about_run(run: &gasera::proto::Run) -> String {
    let plan = run.plan.clone().unwrap_or_default();
    let label = if plan.label.is_empty() { String::new() } else { format!("{}, ", plan.label) };
    let outcome = words::outcome(run).map_or("under way", Outcome::as_str);
    format!("{label}{}, channels {}, {outcome}", words::date_of(&run.started_utc), plan.channels)
}

fn channels(status: &str) -> Vec<(String, String)> {
    let status: Status = serde_json::from_str(status).unwrap_or_default();
    (1..=status.multiplexer.channels).map(|number| (number.to_string(), format!("channel {number}"))).collect()
}

/// What a command names that may not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    run: Option<String>,
    task: Option<String>,
    plan: Option<String>,
}

impl Named {
    pub fn of(command: &Command) -> Self {
        let mut named = Self { run: None, task: None, plan: None };
        match command {
            Command::Start(start) => (named.task, named.plan) = (start.task.clone(), start.plan.clone()),
            Command::Abort(abort) => named.run.clone_from(&abort.run),
            Command::Runs(runs) => {
                named.run = match &runs.command {
                    Some(
                        RunsCommand::Show { run }
                        | RunsCommand::Tail { run, .. }
                        | RunsCommand::Files { run }
                        | RunsCommand::Get { run, .. },
                    ) => Some(run.clone()),
                    Some(RunsCommand::Rm(rm)) if rm.runs.len() == 1 => rm.runs.first().cloned(),
                    Some(RunsCommand::Export(export)) => export.runs.last().cloned(),
                    Some(RunsCommand::Verify { run, .. }) => run.clone(),
                    Some(RunsCommand::Drift(drift)) => drift.run.clone(),
                    Some(
                        RunsCommand::List(_)
                        | RunsCommand::Rm(_)
                        | RunsCommand::Restore { .. }
                        | RunsCommand::Trash
                        | RunsCommand::EmptyTrash { .. },
                    )
                    | None => None,
                }
            }
            Command::Plan(plan) => {
                if let crate::args::PlanCommand::Show { plan } = &plan.command {
                    named.plan = Some(plan.clone());
                }
            }
            _ => {}
        }
        named
    }

    /// The failure, and where something is not there that is called nearly so, what that is.
    pub async fn explain(self, session: &CommandSession, mut failure: Failure) -> Failure {
        let (kind, wanted) = match failure.reason.as_str() {
            "RUN_UNKNOWN" => (CompletionNames::Runs, self.run),
            "TASK_UNKNOWN" => (CompletionNames::Tasks, self.task),
            "PLAN_UNKNOWN" => (CompletionNames::Plans, self.plan),
            _ => return failure,
        };
        let Some(wanted) = wanted else { return failure };
        let names = all(session, kind).await;
        let known = || names.iter().map(|(name, _)| name.as_str());
        // Of several that begin so none is meant more than the others.
        let ambiguous = known().any(|name| name.starts_with(&wanted));
        if let (false, Some(near)) = (ambiguous, suggest::nearest(&wanted, known())) {
            failure.text += &format!("; did you mean {near}?");
        }
        failure
    }
}
