//! The end of a run whose plan is carried out: the last results come in, the analyzer stops, the run has its verdict.

use std::time::Duration;

use super::turn::RunTurn;
use crate::domain::{CommandId, Outcome, Phase, Plan, Severity, duration};
use crate::engine::state::{Run, Stage, Stopped, VisitPlace};

impl RunTurn<'_> {
    /// The last results of the last visit are waited for.
    pub fn wait_for_results(&mut self) {
        self.enter(Stage::Draining, self.patience_for_results());
    }

    /// A result is there soon after its iteration is over, if it comes at all.
    fn patience_for_results(&self) -> Duration {
        const SLACK: Duration = Duration::from_secs(30);
        let most = self.station.settings.limits.iteration;
        self.station.exchanges.cycle().map_or(most, |cycle| (cycle * 3 + SLACK).min(most))
    }

    /// No more results are waited for: those that are still missing are told, and would be of nobody if they came.
    pub fn drained(&mut self) {
        let missing = self.awaited().count();
        if missing > 0 {
            let text = format!(
                "{missing} of the analyzer's iterations in the last visits gave no result within the time for it; \
                 what comes now is not credited to them"
            );
            self.alarm(Severity::Warning, "results_missing", text);
            self.station.exchanges.give_up();
        }
        self.end_visit();
        self.close();
    }

    /// The plan is through: the analyzer stops, and whoever watches the phases sees one more.
    pub fn close(&mut self) {
        if let Some(late) = self.station.exchanges.late_and_blind() {
            let text = format!(
                "results of this analyzer come up to {} late, and it does not tell its phases: those of the last iterations \
                 are not waited for and may be missing",
                duration::format(late)
            );
            self.alarm(Severity::Warning, "results_missing", text);
        }
        self.close_within(Plan::CLOSING);
        self.show(Phase::Switching, None);
    }

    pub fn close_within(&mut self, limit: Duration) {
        let order = self.order_stop();
        self.enter(Stage::Closing(order, Stopped::NotYet), limit);
    }

    /// The analyzer answered the order to stop.
    pub fn closing(&mut self, order: CommandId, stopped: Stopped) {
        if self.at.tick >= self.run.timing.since + Plan::CLOSING {
            return self.finish(stopped);
        }
        self.run.stage = Stage::Closing(order, stopped);
    }

    /// Dashboards have seen that the plan is through.
    pub fn closing_over(&mut self, order: CommandId, stopped: Stopped) {
        match stopped {
            Stopped::NotYet => self.closing_overdue(order),
            Stopped::Yes | Stopped::Doubtful(_) => self.finish(stopped),
        }
    }

    fn closing_overdue(&mut self, order: CommandId) {
        let limit = self.station.settings.limits.stop;
        let (since, extended) = (self.run.timing.since, self.run.timing.since + limit);
        if self.at.tick >= extended {
            let doubt = format!("the analyzer did not become idle within {}", duration::format(limit));
            return self.finish(Stopped::Doubtful(doubt));
        }
        self.enter_until(Stage::Closing(order, Stopped::NotYet), since, extended);
    }

    /// The plan was carried out.
    fn finish(&mut self, stopped: Stopped) {
        let run = &mut self.run;
        run.forget_what_it_left_off();
        let (begun, visits) = (run.visits.begun, run.asked.plan.visits());
        let planned = begun >= visits;
        if planned {
            run.course.repeat = run.asked.plan.repeats;
        }
        let (outcome, mut reason) = verdict(run);
        if let Some(asked) = run.ending.finish_asked.as_ref().filter(|_| !planned) {
            let early = format!("finished early by {}, after {begun} of {visits} visits", asked.who);
            reason = if reason.is_empty() { early } else { format!("{early}; {reason}") };
        }
        let doubt = match stopped {
            Stopped::Doubtful(doubt) => Some(doubt),
            Stopped::NotYet | Stopped::Yes => None,
        };
        self.end(outcome, reason, doubt);
    }
}

fn verdict(run: &Run) -> (Outcome, String) {
    const NAMED: usize = 5;
    let barren = &run.visits.barren;
    if barren.is_empty() {
        return (Outcome::Completed, String::new());
    }
    let name = |VisitPlace { channel, repeat, .. }: &VisitPlace| format!("channel {channel} in repeat {repeat}");
    let names: Vec<String> = barren.values().take(NAMED).map(name).collect();
    let more = if barren.len() > NAMED { ", …" } else { "" };
    let visits = run.asked.plan.visits();
    let text = format!("visits without a good sample: {} of {visits}: {}{more}", barren.len(), names.join(", "));
    (Outcome::Partial, text)
}
