//! Carrying out orders, each a short conversation with the analyzer that an order to stop cuts off.

use std::time::Duration;

use super::Owner;
use crate::ak::{self, Command, Task, Tasks};
use crate::device::Report;
use crate::device::session::AskError;
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, AnalyzerState, AnalyzerTime, Cas, CommandId, Fault, FaultKind,
};

/// Between two looks while something is waited for.
const SOON: Duration = Duration::from_millis(100);
/// A stop that was not acknowledged is repeated so often.
const AGAIN: Duration = Duration::from_secs(1);

impl Owner {
    pub(super) async fn carry_out(&mut self, id: CommandId, order: AnalyzerOrder) {
        let answer = match order {
            AnalyzerOrder::Prepare { task, save_on_device } => self.prepare(&task, save_on_device).await,
            AnalyzerOrder::Start { task_id } => self.start(task_id).await,
            AnalyzerOrder::Look => self.look_now().await,
            AnalyzerOrder::Stop => self.stop().await,
        };
        // Whoever listened is gone only when the daemon is on its way out.
        let _ = self.reports.send(Report::AnalyzerDid { id, answer });
    }

    /// A question on the way to an order's end, unless that order is overtaken.
    async fn ask_for(&mut self, command: &Command) -> Result<ak::Reply, Fault> {
        if self.is_overtaken() {
            return Err(Fault::new(FaultKind::Superseded, "an order to stop came first"));
        }
        let asked = self.ask(command).await;
        asked.map_err(|error| {
            self.failed(&error);
            self.offline_fault(&error)
        })
    }

    fn refused(&self, error: &ak::Error) -> Fault {
        Fault::new(FaultKind::Refused, format!("the analyzer at {}: {error}", self.session.place()))
    }

    async fn look_now(&mut self) -> Result<AnalyzerAnswer, Fault> {
        match self.look().await {
            Ok(_) => Ok(AnalyzerAnswer::Looked),
            Err(error) => {
                self.failed(&error);
                Err(self.offline_fault(&error))
            }
        }
    }

    async fn prepare(&mut self, task: &str, save_on_device: bool) -> Result<AnalyzerAnswer, Fault> {
        self.look_now().await?;
        let state = self.ask_for(&Command::State).await?.state().map_err(|error| self.refused(&error))?;
        if state != AnalyzerState::Idle {
            let text = format!(
                "the analyzer at {} is {}; wait until it is idle, or stop it at its display",
                self.session.place(),
                state.words()
            );
            return Err(Fault::new(FaultKind::Busy, text));
        }
        let task = self.find_task(task).await?;
        let gases = self.gases_of(task.id).await?.unwrap_or_default();
        let errors = self.ask_for(&Command::Errors).await?.errors().unwrap_or_default();
        if errors != self.errors {
            self.errors = errors.clone();
            self.tell(AnalyzerNews::Errors(errors.clone()));
        }
        let baseline = self.baseline().await?;
        self.keep_results(save_on_device).await?;
        Ok(AnalyzerAnswer::Prepared { task_id: task.id, gases, baseline, errors })
    }

    async fn find_task(&mut self, wanted: &str) -> Result<Task, Fault> {
        let place = self.session.place().to_owned();
        let unknown = |text| Fault::new(FaultKind::TaskUnknown, text);
        let tasks = self.ask_for(&Command::Tasks).await?.tasks().map_err(|error| self.refused(&error))?;
        if tasks.list.is_empty() {
            let text =
                format!("the analyzer at {place} has no tasks; make one at its display, then name it with --task");
            return Err(unknown(text));
        }
        let Some(task) = tasks.find(wanted).cloned() else {
            let names = names(&tasks);
            let text = format!("the analyzer at {place} has no task {wanted:?}; it has {names}; name one with --task");
            return Err(unknown(text));
        };
        if tasks.ambiguous && self.gases_of(task.id).await?.is_none() {
            let names = names(&tasks);
            let text = format!(
                "the analyzer's list of tasks can be read in several ways ({names}) and it does not confirm {}; \
                 rename the task without numbers, or name its id with --task",
                task.id
            );
            return Err(unknown(text));
        }
        Ok(task)
    }

    /// The gases of a task; `None` if the analyzer does not know the task, or has no such command.
    async fn gases_of(&mut self, task: u32) -> Result<Option<Vec<Cas>>, Fault> {
        Ok(self.ask_for(&Command::TaskParameters(task)).await?.task_gases().ok())
    }

    /// The newest stamp of the result that is there already.
    async fn baseline(&mut self) -> Result<Option<AnalyzerTime>, Fault> {
        let reply = self.ask_for(&Command::Result).await?;
        let samples = match reply.samples() {
            Ok(samples) => samples,
            Err(ak::Error::Refused { .. }) => Vec::new(),
            Err(error) => return Err(self.refused(&error)),
        };
        self.stamps = Some(samples.iter().map(|sample| sample.stamp).collect());
        Ok(samples.iter().map(|sample| sample.stamp).max())
    }

    async fn keep_results(&mut self, save_on_device: bool) -> Result<(), Fault> {
        match self.ask_for(&Command::SaveOnDevice(save_on_device)).await?.done() {
            Err(error) if save_on_device => Err(self.refused(&error)),
            Err(error) => {
                tracing::warn!(%error, "the analyzer may keep results on its own disk");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Starts once. Whether it worked is seen from the state, not from the reply alone.
    async fn start(&mut self, task: u32) -> Result<AnalyzerAnswer, Fault> {
        if self.is_overtaken() {
            return Err(Fault::new(FaultKind::Superseded, "an order to stop came first"));
        }
        self.started = true;
        match self.ask(&Command::Start(task)).await {
            Ok(reply) => reply.done().map_err(|error| self.refused(&error))?,
            Err(AskError::Unreachable { place, error }) => {
                let error = AskError::Unreachable { place, error };
                self.failed(&error);
                return Err(self.offline_fault(&error));
            }
            Err(error) => tracing::warn!(%error, "the reply to the start was lost; looking whether it measures"),
        }
        // The result from before is told once more, so that it is known for what it is.
        self.stamps = Some(std::collections::BTreeSet::new());
        let mut left = self.settings.start_patience;
        loop {
            let view = self.look().await;
            match view {
                Ok(view) if view.state == AnalyzerState::Measuring => return Ok(AnalyzerAnswer::Started),
                Err(error) if left.is_zero() => return Err(self.offline_fault(&error)),
                Ok(view) if left.is_zero() => {
                    let text = format!(
                        "the analyzer at {} took the start but is {} and does not measure; look at its display",
                        self.session.place(),
                        view.state.words()
                    );
                    return Err(Fault::new(FaultKind::Refused, text));
                }
                Ok(_) | Err(_) => {}
            }
            let step = self.soon().min(left);
            left -= step;
            self.wait(step).await;
            if self.is_overtaken() {
                return Err(Fault::new(FaultKind::Superseded, "an order to stop came first"));
            }
        }
    }

    fn soon(&self) -> Duration {
        self.settings.poll.min(SOON).max(Duration::from_millis(1))
    }

    /// Stops, and sees that it is idle. What else was ordered before is not done any more.
    async fn stop(&mut self) -> Result<AnalyzerAnswer, Fault> {
        let mut left = self.settings.stop_patience;
        let (mut acknowledged, mut until_again) = (false, Duration::ZERO);
        let idle = self.view.is_some_and(|view| view.state == AnalyzerState::Idle) && !self.started;
        loop {
            if !acknowledged && until_again.is_zero() && !idle {
                until_again = AGAIN;
                acknowledged = matches!(self.ask(&Command::Stop).await.map(|reply| reply.done()), Ok(Ok(())));
            }
            let looked = self.look().await;
            match looked {
                Ok(view) if is_at_rest(view.state) => {
                    self.started = false;
                    return Ok(AnalyzerAnswer::Stopped);
                }
                Err(error) if left.is_zero() => return Err(self.offline_fault(&error)),
                Ok(view) if left.is_zero() => {
                    let text = format!(
                        "the analyzer at {} was told to stop but is still {}; stop it at its display",
                        self.session.place(),
                        view.state.words()
                    );
                    return Err(Fault::new(FaultKind::Refused, text));
                }
                Ok(_) => {}
                Err(error) => self.failed(&error),
            }
            let step = self.soon().min(left);
            left -= step;
            until_again = until_again.saturating_sub(step);
            tokio::time::sleep(step).await;
        }
    }
}

/// Nothing is being measured, and nothing will be by itself.
const fn is_at_rest(state: AnalyzerState) -> bool {
    matches!(state, AnalyzerState::Idle | AnalyzerState::InitializationError | AnalyzerState::Malfunction)
}

fn names(tasks: &Tasks) -> String {
    let names: Vec<String> = tasks.list.iter().map(|task| format!("{:?} ({})", task.name, task.id)).collect();
    names.join(", ")
}
