//! Orders: which is next, and how each but the start and the stop is carried out.

use super::Owner;
use super::fault::{Trouble, busy, superseded};
use crate::ak::Command;
use crate::device::Report;
use crate::domain::{AnalyzerAnswer, AnalyzerOrder, AnalyzerState, CommandId, Fault, FaultKind};

impl Owner {
    /// Answers those that were overtaken.
    pub(super) fn next_order(&mut self) -> Option<(CommandId, AnalyzerOrder)> {
        let next = self.inbox.next()?;
        for id in next.overtaken {
            self.tell(Report::AnalyzerDid { id, answer: Err(superseded()) });
        }
        Some(next.ordered)
    }

    pub(super) async fn carry_out(&mut self, order: AnalyzerOrder) -> Result<AnalyzerAnswer, Fault> {
        self.unstoppable = matches!(order, AnalyzerOrder::Look | AnalyzerOrder::Stop);
        let (tried, outcome) = match order {
            AnalyzerOrder::Prepare { task, save_on_device, if_measuring: _ } => {
                ("prepare the analyzer", self.prepare(&task, save_on_device).await)
            }
            AnalyzerOrder::Start { task_id } => ("start measuring", self.start(task_id).await),
            AnalyzerOrder::Look => ("look at the analyzer", self.look_at_once().await),
            AnalyzerOrder::Serve(_) => ("serve", Err(Fault::new(FaultKind::Refused, "not available yet").into())),
            AnalyzerOrder::Stop => ("stop measuring", self.stop().await),
        };
        self.unstoppable = false;
        if matches!(outcome, Err(Trouble::Ask(_))) {
            self.note_contact(&outcome);
        }
        outcome.map_err(|trouble| trouble.fault(tried, self.session.place()))
    }

    async fn look_at_once(&mut self) -> Result<AnalyzerAnswer, Trouble> {
        self.look_in().await?;
        self.read_results_if_due().await?;
        Ok(AnalyzerAnswer::Looked)
    }

    async fn prepare(&mut self, task: &str, save_on_device: bool) -> Result<AnalyzerAnswer, Trouble> {
        self.contact.forget_refusals();
        let place = self.look_in().await?;
        if place.state != AnalyzerState::Idle {
            return Err(busy(self.session.place(), place.state).into());
        }
        let (task_id, gases) = self.find_task(task).await?;
        let errors = self.read_errors().await?;
        let baseline = self.read_results().await?;
        self.results.prepare(baseline);
        self.choose_storage(save_on_device).await?;
        Ok(AnalyzerAnswer::Prepared { task_id, gases, baseline, errors, adopted: false })
    }

    /// Where results go can be left open only if they need not be saved.
    async fn choose_storage(&mut self, save_on_device: bool) -> Result<(), Trouble> {
        let chosen = self.probe(Command::Online(!save_on_device)).await?.is_some();
        if chosen {
            return Ok(());
        }
        if save_on_device {
            let text = format!(
                "the analyzer at {} does not let its storage be switched on, so results would not be saved on it; \
                 start without saving on the device",
                self.session.place()
            );
            return Err(Fault::new(FaultKind::Refused, text).into());
        }
        tracing::warn!("the analyzer does not let its storage be switched off: results may be saved on it");
        Ok(())
    }
}
