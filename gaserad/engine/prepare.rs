//! A run begins with an analyzer that finds its task; until it did, nothing is kept of it.

use super::event::RequestId;
use super::state::{Run, Stage};
use super::turn::Turn;
use crate::domain::{AnalyzerOrder, CommandId, IfMeasuring, Plan, RunId, StartRequest, Waiting};

impl Turn {
    /// A run that was admitted.
    pub fn prepare(&mut self, id: RunId, asked: StartRequest, starter: Option<RequestId>) -> Run {
        let order = self.order_prepare(&asked.plan, asked.if_measuring);
        let limits = self.station.settings.limits;
        let limit = if asked.if_measuring == IfMeasuring::Stop { limits.stop } else { limits.order };
        self.station.valve.tried_again = false;
        let mut run = Run::new(id, asked, self.at.tick);
        run.asked.starter = starter;
        run.stage = Stage::Preparing(order);
        run.timing.until = self.at.tick + limit;
        run
    }

    /// One that waited, once its time has come.
    pub fn prepare_waiting(&mut self, waiting: Waiting) -> Run {
        let waited = Some(waiting.shown());
        let mut run = self.prepare(waiting.run, waiting.asked, None);
        run.asked.waited = waited;
        run
    }

    pub fn order_prepare(&mut self, plan: &Plan, if_measuring: IfMeasuring) -> CommandId {
        let (task, save_on_device) = (plan.task.clone(), plan.save_on_device);
        self.order_analyzer(AnalyzerOrder::Prepare { task, save_on_device, if_measuring })
    }
}
