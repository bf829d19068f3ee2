//! Asks the analyzer at the beginning of each run what it is and what the run's task is, and keeps that with the run.
//!
//! It is asked between two looks, like everything that people ask. A run whose analyzer does not say has no less of its
//! results.

use tokio::sync::mpsc;

use crate::device::Analyzer;
use crate::domain::instrument::TaskList;
use crate::domain::{Clock, Equipment, Fact, Inquiry, RunId, RunSummary, Told};
use crate::runtime::Handle;
use crate::runtime::clock::HostClock;
use crate::store::{Batch, Store};

pub(super) struct Registrar {
    pub handle: Handle,
    pub analyzer: Analyzer,
    pub clock: HostClock,
}

impl Registrar {
    /// Runs until nobody starts runs any more. `first` is a run that goes on from before.
    pub async fn run(self, first: Option<RunSummary>, mut started: mpsc::UnboundedReceiver<RunSummary>) {
        let mut next = first;
        while let Some(run) = match next.take() {
            Some(run) => Some(run),
            None => started.recv().await,
        } {
            let equipment = self.ask(&run.plan.task).await;
            if equipment != Equipment::default() {
                self.keep(run.id, equipment).await;
            }
        }
    }

    async fn ask(&self, wanted: &str) -> Equipment {
        let instrument = match self.analyzer.inquire(Inquiry::Info).await {
            Ok(Told::Info(instrument)) => Some(*instrument),
            Ok(_) => None,
            Err(fault) => {
                tracing::warn!("the run does not have the analyzer's identity: {fault}");
                None
            }
        };
        let tasks = match self.analyzer.inquire(Inquiry::Tasks).await {
            Ok(Told::Tasks(TaskList { tasks, .. })) => tasks,
            _ => Vec::new(),
        };
        let wanted = wanted.trim();
        let is_it = |id: u32, name: &str| name == wanted || id.to_string() == wanted;
        let task = tasks.into_iter().find(|task| is_it(task.id, &task.name));
        Equipment { instrument, task }
    }

    async fn keep(&self, run: RunId, equipment: Equipment) {
        let facts = vec![Fact::RunEquipped { run, equipment: Box::new(equipment) }];
        let batch = Batch { moment: self.clock.now(), facts, ..Batch::default() };
        if let Err(denied) = self.handle.keep(batch).await {
            tracing::debug!("what the analyzer said of itself is not kept: {denied}");
        }
    }
}

/// The run under way, if nobody has asked yet what it measures with.
pub(super) async fn unasked(store: &Store, open: Option<&RunSummary>) -> Option<RunSummary> {
    let run = open?;
    let sheet = store.sheet(&run.id).await.ok()?;
    (sheet.equipment == Equipment::default()).then(|| run.clone())
}
