//! One step under way, whether or not there is a run: what it works on, and how it tells, keeps, orders and answers.

use super::beginning::Beginning;
use super::effect::Effect;
use super::event::RequestId;
use super::state::Station;
use crate::domain::{
    AnalyzerOrder, CommandId, Denied, Done, Event, Fact, Moment, Position, RunId, Severity, ValveOrder,
};

pub(super) struct Turn {
    pub station: Station,
    pub at: Moment,
    /// The run under way, where only its name matters.
    pub under_way: Option<RunId>,
    pub effects: Vec<Effect>,
}

impl Turn {
    /// A process begins, with no run of the one before.
    pub fn begin(&mut self, began: Beginning) {
        let (resumes, owes_stop) = (began.resumes_after.is_some(), began.owes_stop);
        let queue = std::mem::take(&mut self.station.queue);
        self.station = Station::new(began);
        if owes_stop {
            self.order_stop();
        }
        if resumes && self.station.queue.is_empty() {
            self.station.queue = queue;
        }
    }

    pub fn tell(&mut self, event: Event) {
        self.effects.push(Effect::Tell(event));
    }

    pub fn keep(&mut self, fact: Fact) {
        self.effects.push(Effect::Keep(fact));
    }

    pub fn reply(&mut self, request: RequestId, answer: Result<Done, Denied>) {
        self.effects.push(Effect::Reply { request, answer });
    }

    pub fn alarm(&mut self, severity: Severity, code: &str, text: String) {
        self.alarm_of(self.under_way.clone(), severity, code, text);
    }

    /// Of a run that need not be the one under way.
    pub fn alarm_of(&mut self, run_id: Option<RunId>, severity: Severity, code: &str, text: String) {
        self.tell(Event::Alarm { severity, code: code.into(), text, run_id });
    }

    /// Told when something about the instruments is known better.
    pub fn tell_metrics(&mut self) {
        let metrics = self.station.metrics();
        self.tell(Event::DeviceMetrics(metrics));
    }

    pub fn order_analyzer(&mut self, order: AnalyzerOrder) -> CommandId {
        let id = self.station.next_command();
        if !self.station.identities.holds_back(id, &order) {
            self.effects.push(Effect::Analyzer { id, order });
        }
        id
    }

    /// The analyzer is not to be left measuring for a run that is over, whatever it is that keeps it from obeying.
    pub fn order_stop(&mut self) -> CommandId {
        let order = self.order_analyzer(AnalyzerOrder::Stop);
        self.station.owed_stop = Some(order);
        order
    }

    /// The analyzer measures for nobody who is gone. Of a run under way that the store knows, its end will tell.
    pub fn stop_is_not_owed(&mut self, within_a_run: bool) {
        let was_owed = self.station.owed_stop.take().is_some();
        if was_owed && !within_a_run {
            self.keep(Fact::StopObeyed);
        }
    }

    pub fn order_valve(&mut self, order: ValveOrder) -> CommandId {
        let id = self.station.next_command();
        self.effects.push(Effect::Valve { id, order });
        self.station.valve.ordered = Some(id);
        if order != ValveOrder::Where {
            self.valve_is(Position::Moving);
        }
        id
    }

    /// From now on the valve is known to be here.
    pub fn valve_is(&mut self, position: Position) {
        self.station.timeline.position(self.at.tick, position);
        if self.station.valve.position != position {
            self.station.valve.position = position;
            self.tell(Event::MuxPosition { position, channel: position.channel() });
        }
    }
}
