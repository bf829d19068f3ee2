//! The preparation of a run: the analyzer is there and free, or taken over; the task is known, and what it held before.

use super::AnalyzerOwner;
use super::fault::{SessionError, busy};
use crate::ak::Command;
use crate::domain::{AnalyzerAnswer, AnalyzerState, Fault, FaultKind, IfMeasuring};

impl AnalyzerOwner {
    pub(super) async fn prepare(
        &mut self,
        task: &str,
        save_on_device: bool,
        if_measuring: IfMeasuring,
    ) -> Result<AnalyzerAnswer, SessionError> {
        self.contact.forget_refusals();
        let adopted = self.take_possession(if_measuring).await?;
        let (task_id, gases) = self.find_task(task).await?;
        let errors = self.read_errors().await?;
        let held = self.read_results().await?;
        let baseline = held.as_ref().map(|sample| sample.stamp);
        self.results.prepare(held.clone());
        // What somebody else has stored there goes on being stored.
        if save_on_device || !adopted {
            self.choose_storage(save_on_device).await?;
        }
        if adopted {
            self.results.begin();
        }
        Ok(AnalyzerAnswer::Prepared { task_id, gases, baseline, held, errors, adopted })
    }

    /// Whether a measurement of somebody else goes on. Else the analyzer is idle.
    async fn take_possession(&mut self, if_measuring: IfMeasuring) -> Result<bool, SessionError> {
        let place = self.look_in_at_the_same().await?;
        match (place.state, if_measuring) {
            (AnalyzerState::Idle, _) => Ok(false),
            (AnalyzerState::Measuring, IfMeasuring::Adopt) => Ok(true),
            (AnalyzerState::Measuring | AnalyzerState::Cancelling, IfMeasuring::Stop) => {
                self.stop().await?;
                match self.look_in().await? {
                    place if place.state == AnalyzerState::Idle => Ok(false),
                    place => Err(busy(self.session.place(), &place).into()),
                }
            }
            _ => Err(busy(self.session.place(), &place).into()),
        }
    }

    /// Where results go can be left open only if they need not be saved.
    async fn choose_storage(&mut self, save_on_device: bool) -> Result<(), SessionError> {
        let chosen = self.probe(&Command::Online(!save_on_device)).await?.is_some();
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
