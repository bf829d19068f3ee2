//! The way of a run from stage to stage.

use std::time::Duration;

use super::absence::Absence;
use super::estimate::Lateness;
use super::event::RequestId;
use super::losses::Losses;
use super::state::{Run, Stage};
use super::{Effect, Turn, admit};
use crate::domain::event::PhaseChange;
use crate::domain::{
    AnalyzerAnswer, AnalyzerOrder, Channel, CommandId, Done, Event, Fact, IfMeasuring, Phase, RunId, StartRequest,
    Sync, Tick, ValveOrder,
};

impl Turn {
    pub(super) fn start(&mut self, request: RequestId, id: RunId, asked: StartRequest) {
        if asked.align.is_some() || (asked.queue && admit::is_busy(&self.state)) {
            return self.queue(request, id, asked);
        }
        if let Err(denied) = admit::start(&self.state).and_then(|()| admit::plan(&asked.plan)) {
            self.effects.push(Effect::Reply { request, answer: Err(denied) });
            return;
        }
        self.prepare(id, asked, Some(request));
    }

    /// The analyzer finds the task; nothing has begun before it did.
    pub(super) fn prepare(&mut self, id: RunId, asked: StartRequest, starter: Option<RequestId>) {
        let task = asked.plan.task.clone();
        let save_on_device = asked.plan.save_on_device;
        let if_measuring = asked.if_measuring;
        let limits = self.state.limits;
        let limit = if if_measuring == IfMeasuring::Stop { limits.stop } else { limits.order };
        let order = self.order_analyzer(AnalyzerOrder::Prepare { task, save_on_device, if_measuring });
        let mut run = Run::new(id, asked, self.at.tick);
        run.starter = starter;
        self.state.run = Some(run);
        self.state.valve.tried_again = false;
        self.enter(Stage::Preparing(order), limit);
    }

    /// The stage that holds from now on, for at most so long.
    pub(super) fn enter(&mut self, stage: Stage, limit: Duration) {
        let at = self.at.tick;
        self.enter_until(stage, at, at + limit);
    }

    pub(super) fn enter_until(&mut self, stage: Stage, since: Tick, until: Tick) {
        if let Some(run) = &mut self.state.run {
            (run.stage, run.since, run.until) = (stage, since, until);
        }
    }

    /// Shows a phase. Nothing is told if nothing changes.
    pub(super) fn show(&mut self, phase: Phase, channel: Option<Channel>) {
        let Some(run) = &mut self.state.run else { return };
        let previous = std::mem::replace(&mut run.phase, phase);
        let progress = self.state.progress(self.at.tick);
        let Some(run) = &self.state.run else { return };
        let change = PhaseChange {
            run_id: run.id.clone(),
            phase,
            previous,
            channel,
            visit_id: run.visit.as_ref().map(|visit| visit.id),
            repeat: run.repeat + 1,
            until: run.is_timed().then(|| self.at.utc_at(run.until)),
            reason: run.stage.reason().into(),
            progress,
        };
        self.tell(Event::Phase(change));
    }

    /// The analyzer knows the task: the run begins.
    pub(super) fn prepared(&mut self, answer: AnalyzerAnswer) {
        let AnalyzerAnswer::Prepared { task_id, gases, baseline, held, errors, adopted } = answer else { return };
        let Some(run) = &mut self.state.run else { return };
        if let Err(denied) = admit::errors(&errors, run.ignore_errors) {
            self.refuse(&denied);
            return;
        }
        self.stop_is_not_owed();
        let Some(run) = &mut self.state.run else { return };
        (run.task_id, run.baseline, run.held, run.started) = (task_id, baseline, held, Some(self.at));
        run.ordered_start = adopted;
        run.lacks.expect(&gases);
        if adopted {
            self.state.exchanges.adopt();
        }
        let Some(run) = &mut self.state.run else { return };
        let id = run.id.clone();
        if let Some(summary) = run.summary() {
            self.keep(Fact::RunStarted(summary.clone()));
            self.keep(Fact::RunGases { run: id, gases });
            self.tell(Event::RunStarted { run: summary });
        }
        self.state.analyzer.absence = Absence::default();
        self.begin_with_the_clock();
        self.begin_with_the_disk();
        self.reckon_from_now();
        self.home();
    }

    /// Home, and then to the stop where the run is.
    pub(super) fn home(&mut self) {
        self.set_out();
        if let Some(run) = &mut self.state.run {
            run.shown_channel = Channel::HOME.index();
        }
        self.send_again(ValveOrder::Home);
        self.show(Phase::Homing, None);
    }

    /// The valve is home. With fixed timings the analyzer starts while the line settles, else afterwards.
    pub(super) fn homed(&mut self) {
        let Some(run) = &self.state.run else { return };
        let start_at_once = !run.ordered_start && run.plan.sync == Sync::Dwell;
        let settled = self.settles_until();
        self.arrive();
        if start_at_once {
            self.start_measuring(settled);
        } else {
            self.settle_until(settled);
        }
    }

    fn settle_until(&mut self, settled: Tick) {
        let at = self.at.tick;
        self.enter_until(Stage::Settling, at, settled);
        if settled < at {
            self.settled();
        }
    }

    fn start_measuring(&mut self, settled: Tick) {
        let Some(run) = &mut self.state.run else { return };
        run.ordered_start = true;
        if let Some(visit) = &mut run.visit {
            // What was drawn for it before an interruption no longer counts.
            visit.clean_exchanges = 0;
        }
        let task_id = run.task_id;
        self.state.analyzer.absence = Absence::default();
        self.state.exchanges.restart(self.at.tick);
        let order = self.order_analyzer(AnalyzerOrder::Start { task_id });
        self.enter(Stage::Starting(order, settled), self.state.limits.order);
    }

    /// The analyzer measures. Before that there is nothing to be late for.
    pub(super) fn measuring_began(&mut self, settled: Tick) {
        let at = self.at.tick;
        self.due_at(settled.max(at));
        let since = self.state.run.as_ref().map_or(at, |run| run.since);
        self.answer_starter();
        self.enter_until(Stage::Settling, since, settled.max(at));
        if settled <= at {
            self.settled();
        }
    }

    fn answer_starter(&mut self) {
        let Some(run) = &mut self.state.run else { return };
        let id = run.id.clone();
        if let Some(request) = run.starter.take() {
            self.effects.push(Effect::Reply { request, answer: Ok(Done::Run(id)) });
        }
    }

    /// The line has settled where the valve stands: home, or a stop.
    pub(super) fn settled(&mut self) {
        let Some(run) = &mut self.state.run else { return };
        if !run.ordered_start {
            return self.start_measuring(self.at.tick);
        }
        let position = self.state.valve.position.channel();
        let Some(stop) = run.target() else { return };
        if run.starter.is_some() {
            // The measurement of somebody else was taken over.
            self.answer_starter();
        }
        let Some(run) = &mut self.state.run else { return };
        if std::mem::take(&mut run.between_visits) {
            return self.go_on_if_guarded();
        }
        if Some(stop.channel) != position {
            return self.go(stop.channel);
        }
        run.shown_channel = stop.channel.index();
        if self.pause_if_asked() {
            return;
        }
        let Some(run) = &mut self.state.run else { return };
        if !stop.measured {
            run.stop += 1;
            return self.settled();
        }
        let since = self.purge_from(&stop);
        self.due_at(since + stop.purge);
        self.enter_until(Stage::Purging, since, since + stop.purge);
        self.show(Phase::Purging, Some(stop.channel));
        if stop.purge.is_zero() {
            self.purge_over();
        }
    }

    pub(super) fn go(&mut self, channel: Channel) {
        self.set_out();
        self.send_again(ValveOrder::Goto(channel));
        self.show(Phase::Switching, Some(channel));
    }

    pub(super) fn moved(&mut self) {
        let settled = self.settles_until();
        self.arrive();
        self.settle_until(settled);
    }

    pub(super) fn deadline_reached(&mut self) {
        if self.judge_absence() {
            return;
        }
        let at = self.at.tick;
        let limits = self.state.limits;
        let Some(run) = &self.state.run else { return };
        if run.suffers_offline() && self.state.analyzer.offline_since.is_some_and(|since| at >= since + limits.grace) {
            // A plan that is carried out does not fail for the last result.
            return if run.stage == Stage::Draining { self.drained() } else { self.fail_offline() };
        }
        if at < run.until {
            return;
        }
        match run.stage.clone() {
            Stage::Settling => self.settled(),
            Stage::Purging => self.purge_over(),
            Stage::PurgeOver(_) => self.measure(),
            Stage::Measuring => self.measure_over(),
            Stage::MeasureOver(_) => self.leave_or_linger(),
            Stage::Lingering => self.leave(),
            Stage::Draining => self.drained(),
            Stage::ValveLost(_) => self.valve_stays_lost(),
            Stage::Paused(_) | Stage::Interrupted => {}
            stage @ (Stage::Guarding(_) | Stage::GuardedOff) => self.guard_again(&stage),
            stage @ (Stage::Preparing(_)
            | Stage::Recovering(_)
            | Stage::Interrupting(_)
            | Stage::Homing(_)
            | Stage::Starting(..)
            | Stage::Moving(_)
            | Stage::Closing(..)
            | Stage::Stopping(..)
            | Stage::Parking(..)) => self.out_of_time(stage),
        }
    }

    /// Whether the stage waits for the answer with this number.
    pub(super) fn awaits(&self, id: CommandId) -> Option<Stage> {
        let stage = &self.state.run.as_ref()?.stage;
        let awaited = match stage {
            Stage::Preparing(order)
            | Stage::Recovering(Some(order))
            | Stage::Interrupting(order)
            | Stage::Guarding(order)
            | Stage::Homing(order)
            | Stage::Starting(order, _)
            | Stage::Moving(order)
            | Stage::PurgeOver(order)
            | Stage::MeasureOver(order)
            | Stage::Closing(order, _)
            | Stage::Stopping(order, ..)
            | Stage::Parking(order, _) => *order,
            Stage::Settling
            | Stage::Purging
            | Stage::Measuring
            | Stage::Lingering
            | Stage::Draining
            | Stage::ValveLost(_)
            | Stage::Paused(_)
            | Stage::Recovering(None)
            | Stage::GuardedOff
            | Stage::Interrupted => return None,
        };
        (awaited == id).then(|| stage.clone())
    }
}

impl Run {
    fn new(id: RunId, asked: StartRequest, at: Tick) -> Self {
        Self {
            id,
            stops: asked.plan.stops(),
            plan: asked.plan,
            ignore_errors: asked.ignore_errors,
            started: None,
            waited: None,
            starter: None,
            aborters: Vec::new(),
            stage: Stage::Settling,
            since: at,
            until: at,
            due: at,
            phase: Phase::Idle,
            shown_channel: 0,
            task_id: 0,
            baseline: None,
            held: None,
            repeat: 0,
            stop: 0,
            stands_at: None,
            arrived: at,
            lateness: Lateness::default(),
            visits_begun: 0,
            visits_done: 0,
            visit: None,
            barren: std::collections::BTreeMap::new(),
            left_off: Vec::new(),
            between_visits: false,
            lacks: super::values::Lacks::default(),
            samples: std::collections::BTreeMap::new(),
            records: 0,
            newest: None,
            good_records: 0,
            losses: Losses::default(),
            live_data: None,
            ordered_start: false,
            pause_asked: None,
            finish_asked: None,
            paused_by_hand: false,
            causes: std::collections::BTreeSet::new(),
            guarded_off: false,
            readying: None,
            in_doubt: None,
            restarts: 0,
            leaves_valve: false,
        }
    }
}
