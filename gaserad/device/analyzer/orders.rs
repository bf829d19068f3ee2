//! Orders: which is next, and who carries it out.

use super::AnalyzerOwner;
use super::ask::Yielding;
use super::fault::{SessionError, superseded};
use crate::device::Report;
use crate::domain::{AnalyzerAnswer, AnalyzerOrder, CommandId};

impl AnalyzerOwner {
    /// Answers those that were overtaken.
    pub(super) fn next_order(&mut self) -> Option<(CommandId, AnalyzerOrder)> {
        let next = self.inbox.next()?;
        for id in next.overtaken {
            self.tell(Report::AnalyzerDid { id, answer: Err(superseded(None)) });
        }
        Some(next.ordered)
    }

    pub(super) async fn carry_out(&mut self, id: CommandId, order: AnalyzerOrder) {
        if order == AnalyzerOrder::Stop {
            self.yielding = Yielding::Never;
        }
        let outcome = self.obey(&order).await;
        self.yielding = Yielding::AtOnce;
        if order == AnalyzerOrder::Look && matches!(outcome, Err(SessionError::Overtaken { .. })) {
            self.inbox.put_back((id, order));
            return;
        }
        if matches!(outcome, Err(SessionError::Ask(_))) {
            self.note_contact(&outcome);
        }
        let answer = outcome.map_err(|trouble| trouble.fault(tried(&order), self.session.place()));
        self.tell(Report::AnalyzerDid { id, answer });
    }

    async fn obey(&mut self, order: &AnalyzerOrder) -> Result<AnalyzerAnswer, SessionError> {
        match order {
            AnalyzerOrder::Prepare { task, save_on_device, if_measuring } => {
                self.prepare(task, *save_on_device, *if_measuring).await
            }
            AnalyzerOrder::Start { task_id } => self.start(*task_id).await,
            AnalyzerOrder::Look => self.look_at_once().await,
            AnalyzerOrder::Stop => self.stop().await,
            AnalyzerOrder::Serve(service) => self.serve(service).await.map(AnalyzerAnswer::Served),
        }
    }

    async fn look_at_once(&mut self) -> Result<AnalyzerAnswer, SessionError> {
        self.look_in().await?;
        self.read_results_if_due().await?;
        Ok(AnalyzerAnswer::Looked)
    }
}

/// As a sentence goes on: "cannot …".
const fn tried(order: &AnalyzerOrder) -> &'static str {
    match order {
        AnalyzerOrder::Prepare { .. } => "prepare the analyzer",
        AnalyzerOrder::Start { .. } => "start measuring",
        AnalyzerOrder::Look => "look at the analyzer",
        AnalyzerOrder::Stop => "stop measuring",
        AnalyzerOrder::Serve(_) => "do this",
    }
}
