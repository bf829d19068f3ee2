//! What happens within a run: everything that comes in while one is under way.
//!
//! | file | holds |
//! |---|---|
//! | `turn` | one step within a run: from stage to stage, what is shown of it |
//! | `timetable`, `pause`, `unreadable`, `losses` | when stages are meant to be over; what makes the run wait; what its results lack |
//! | `visit` | one visit: how it begins and ends, which results it still waits for |
//! | `ending`, `closing` | how the run ends: early, or once its plan is carried out |
//! | `travel`, `guard` | the valve on its way; a condition outside between two visits |
//! | `measuring`, `starting` | the end of a purge, measuring, leaving; how the run and each visit begin |
//! | `again`, `absence` | an analyzer that restarted is started anew; what it means that it does not measure |
//! | `resume`, `takeup` | how a paused run goes on; and an interrupted one, in the next process |
//! | `results` | from a result to a record |
//! | `analyzer`, `valve`, `control`, `deadline` | what comes in from the analyzer, from the valve, from people, with time |

mod absence;
mod again;
mod analyzer;
mod closing;
mod control;
mod deadline;
mod ending;
mod guard;
mod losses;
mod measuring;
mod pause;
mod results;
mod resume;
mod starting;
mod takeup;
mod timetable;
mod travel;
mod turn;
mod unreadable;
mod valve;
mod visit;

use super::event::What;
use super::state::{Activity, Run};
use super::turn::Turn;
use crate::domain::Cause;
use turn::RunTurn;

/// Takes in one event; what is under way afterwards.
pub(super) fn step(turn: &mut Turn, run: Box<Run>, what: What) -> Activity {
    let mut turn = RunTurn::new(turn, run);
    // The wall clock went on while there was no process, and ticks did not.
    if !matches!(what, What::Began(_)) {
        turn.mind_the_clock();
    }
    turn.take_in(what);
    turn.outcome()
}

impl RunTurn<'_> {
    fn take_in(&mut self, what: What) {
        match what {
            What::Began(began) => match began.resumes_after {
                Some(outage) => self.take_up(*began, outage),
                None => self.forget_run(*began),
            },
            What::Start { request, run, asked } => self.start_another(request, run, *asked),
            What::Abort { request, who } => self.abort(request, &who),
            What::AbortRun { request, who, run } => self.abort_run(request, &who, &run),
            What::Control { request, who, control } => self.control(request, who, control),
            What::MoveValve { request, order, .. } => self.ask_valve(request, order),
            What::Serve { request, service, .. } => self.serve(request, service),
            What::GuardDid { id, verdict } => self.guard_did(id, verdict),
            What::Disk { free_bytes, low } => self.disk(free_bytes, low),
            What::ClockSync { synchronized } => self.clock_sync(synchronized),
            What::Accept { request, device, .. } => self.accept(request, device),
            What::Shutdown => self.shut_down(),
            What::Analyzer(news) => self.hear_analyzer(news),
            What::AnalyzerDid { id, answer } => self.analyzer_did(id, answer),
            What::Valve(news) => self.hear_valve(news),
            What::ValveDid { id, answer } => self.valve_did(id, answer),
            What::DeadlineReached => self.deadline_reached(),
        }
    }

    /// Whether the wall clock was set since the last event.
    fn mind_the_clock(&mut self) {
        if let Some(text) = self.read_host_clock() {
            self.in_the_way(Cause::Clock, &text);
            self.tell_metrics();
        }
    }

    /// The disk has little space left, or enough again.
    fn disk(&mut self, free_bytes: u64, low: bool) {
        match self.note_disk(free_bytes, low) {
            Some(text) => self.disk_is_low(&text),
            None if low => {}
            None => self.out_of_the_way(Cause::Disk),
        }
    }

    /// Whether a time service keeps this machine's clock right.
    fn clock_sync(&mut self, synchronized: bool) {
        let tick = self.at.tick;
        let is_news = self.station.host_clock.is_synchronized(synchronized, tick);
        if synchronized {
            self.out_of_the_way(Cause::ClockUnsynced);
        } else if is_news {
            self.clock_is_unsynced();
        }
    }
}
