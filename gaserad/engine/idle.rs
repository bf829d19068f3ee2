//! What happens while no run is under way: everything that comes in then.

use super::admit;
use super::event::{RequestId, What};
use super::identity::{AnalyzerContact, MultiplexerContact};
use super::state::Activity;
use super::turn::Turn;
use super::unreadable::NOT_FOUND;
use crate::domain::{
    AnalyzerNews, DeviceKind, Done, RunId, Severity, StartRequest, Tick, ValveDescription, ValveNews, ValveOrder,
};

/// Takes in one event; what is under way afterwards.
pub(super) fn step(turn: &mut Turn, what: What) -> Activity {
    // The wall clock went on while there was no process, and ticks did not.
    if !matches!(what, What::Began(_)) && turn.read_host_clock().is_some() {
        turn.tell_metrics();
    }
    match what {
        What::Start { request, run, asked } => return turn.start(request, run, *asked),
        What::Began(began) => turn.begin(*began),
        What::Abort { request, who } => turn.abort_next(request, &who),
        What::AbortRun { request, who, run } => match turn.named(&run) {
            Ok(run) => turn.call_off(request, &who, run),
            Err(denied) => turn.reply(request, Err(denied)),
        },
        What::Control { request, control, .. } => turn.reply(request, Err(admit::no_run(control.verb()))),
        What::MoveValve { request, order, .. } => turn.move_valve(request, order),
        What::Serve { request, service, .. } => turn.serve(request, service),
        What::Disk { free_bytes, low } => turn.disk(free_bytes, low),
        What::ClockSync { synchronized } => {
            turn.station.host_clock.is_synchronized(synchronized, turn.at.tick);
        }
        What::Accept { request, device, .. } => turn.accept(request, device),
        What::Shutdown => turn.station.shutting_down = true,
        What::Analyzer(news) => turn.hear_analyzer(news),
        What::AnalyzerDid { id, answer } => {
            turn.note_analyzer_did(id, &answer, false);
        }
        What::Valve(news) => turn.hear_valve(news),
        What::ValveDid { id, answer } => {
            turn.note_valve_did(id, answer);
        }
        What::GuardDid { .. } | What::DeadlineReached => {}
    }
    Activity::Idle
}

impl Turn {
    fn start(&mut self, request: RequestId, id: RunId, asked: StartRequest) -> Activity {
        if asked.align.is_some() || (asked.queue && !self.station.errands.are_done()) {
            self.queue(request, id, asked);
            return Activity::Idle;
        }
        if let Err(denied) = admit::start(&self.station).and_then(|()| admit::plan(&asked.plan)) {
            self.reply(request, Err(denied));
            return Activity::Idle;
        }
        Activity::Running(Box::new(self.prepare(id, asked, Some(request))))
    }

    /// Nothing is under way, but something may wait: that is what an abort means then.
    fn abort_next(&mut self, request: RequestId, who: &str) {
        match self.station.queued(self.at).into_iter().next() {
            Some(next) => self.call_off(request, who, next.run_id),
            None => self.reply(request, Err(admit::nothing_to_abort())),
        }
    }

    fn disk(&mut self, free_bytes: u64, low: bool) {
        if let Some(text) = self.note_disk(free_bytes, low) {
            self.alarm(Severity::Blocker, "disk_low", text);
        }
    }

    /// Somebody means the device that is there now.
    fn accept(&mut self, request: RequestId, device: DeviceKind) {
        let answer = self.accept_stranger(device, false);
        match device {
            _ if answer.is_err() => {}
            DeviceKind::Analyzer => {
                let identity = self.station.analyzer.identity.clone();
                self.online(&identity);
            }
            DeviceKind::Multiplexer => self.find_valve(),
        }
        self.reply(request, answer.map(Done::Accepted));
    }

    fn hear_analyzer(&mut self, news: AnalyzerNews) {
        match news {
            AnalyzerNews::Online { identity } => self.online(&identity),
            AnalyzerNews::Offline { reason } => self.analyzer_offline(reason),
            AnalyzerNews::Reconnected(told) => self.note_reconnected(told),
            AnalyzerNews::Seen(seen) => {
                if self.note_seen(seen) {
                    self.station.exchanges.see(seen);
                }
            }
            // It is of a measurement that somebody else has begun.
            AnalyzerNews::Result(_) => {}
            AnalyzerNews::ResultsUnreadable { reply } => self.note_unreadable(reply, NOT_FOUND.into()),
            AnalyzerNews::Errors(errors) => {
                if self.note_errors(errors) {
                    self.alarm_of_errors();
                }
            }
            AnalyzerNews::Clock { offset_ms } => self.hear_clock(offset_ms),
        }
    }

    fn online(&mut self, identity: &[String]) {
        match self.contact_analyzer(identity) {
            AnalyzerContact::Stranger(_) | AnalyzerContact::StillStrange | AnalyzerContact::StillThere => {}
            AnalyzerContact::Back => {
                if !self.give_held_stop(None) && self.station.owed_stop.is_some() {
                    self.order_stop();
                }
            }
        }
    }

    fn hear_valve(&mut self, news: ValveNews) {
        match news {
            ValveNews::UnseenSince(since) => self.station.timeline.unseen_since(since),
            ValveNews::At(position) => {
                self.note_valve_at(position);
            }
            ValveNews::Is(description) => self.valve_contacted(description, self.at.tick),
            ValveNews::Contacted { description, seen } => self.valve_contacted(description, seen),
            ValveNews::Lost(fault) => self.note_valve_lost(&fault),
            ValveNews::Doubted { since, .. } => {
                self.station.timeline.unseen_since(since);
                self.note_valve_at(self.station.valve.position);
            }
        }
    }

    /// Before that it was last seen at `seen`.
    fn valve_contacted(&mut self, description: ValveDescription, seen: Tick) {
        match self.meet_multiplexer(&description, seen) {
            MultiplexerContact::NoNews | MultiplexerContact::Stranger(_) => {}
            MultiplexerContact::Returned => self.find_valve(),
        }
        self.describe_valve(description);
    }

    /// The known valve is back, or this one is meant. Where it stands is not known before it was asked.
    fn find_valve(&mut self) {
        self.station.valve.fault.clear();
        if self.station.valve.ordered.is_none() {
            self.order_valve(ValveOrder::Where);
        }
    }
}
