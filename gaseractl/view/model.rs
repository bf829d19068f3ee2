//! How things stand, kept up to date from the stream: what the live view shows and what waiting is decided by.

use std::time::Duration;

use gasera::domain::event::{PhaseChange, RunChange, RunUpdate};
use gasera::domain::status::QueuedRun;
use gasera::domain::{Event, Outcome, Phase, RunId, RunSummary, Status, Utc};
use gasera::proto::Run;

use super::words;
use crate::failure::Exit;
use crate::stream::{Notice, SaidByStream, StreamTick};

/// How a run ended, or that it never began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnding {
    pub run_id: RunId,
    /// `None` if it waited to begin and did not.
    pub outcome: Option<Outcome>,
    pub exit: Exit,
    pub reason: String,
    pub records: u64,
    pub good_records: u64,
}

impl RunEnding {
    /// `None` while the run is under way.
    pub fn of(run: &RunSummary) -> Option<Self> {
        let outcome = run.outcome?;
        Some(Self {
            run_id: run.id.clone(),
            outcome: Some(outcome),
            exit: Exit::of(outcome),
            reason: run.reason.clone(),
            records: run.records,
            good_records: run.good_records,
        })
    }

    /// As [`RunEnding::of`], of a run as the daemon lists it.
    pub fn listed(run: &Run) -> Option<Self> {
        let outcome = words::outcome(run)?;
        Some(Self {
            run_id: RunId(run.id.clone()),
            outcome: Some(outcome),
            exit: Exit::of(outcome),
            reason: run.reason.clone(),
            records: run.records,
            good_records: run.good_records,
        })
    }

    /// It waited to begin, and did not.
    pub fn not_begun(run_id: &RunId, exit: Exit, reason: &str) -> Self {
        let run_id = run_id.clone();
        Self { run_id, outcome: None, exit, reason: reason.to_owned(), records: 0, good_records: 0 }
    }

    /// `run 01J… completed: every visit has a good sample; 16 records, 15 of them good`
    pub fn sentence(&self) -> String {
        let Some(outcome) = self.outcome else { return format!("run {} did not begin: {}", self.run_id, self.reason) };
        let outcome = gasera::domain::event::outcome_sentence(outcome, &self.reason);
        let records = words::count(self.records, "sample");
        format!("run {} {outcome}; {records}, {} good", self.run_id, self.good_records)
    }
}

#[derive(Debug, Default)]
pub struct Model {
    /// `None` until the daemon has said anything.
    pub status: Option<Status>,
    /// When it last told its time.
    told: Duration,
}

impl Model {
    /// The daemon's time: the clock of this machine may differ. It goes on between what the daemon says.
    pub fn now(&self, now: Duration) -> Utc {
        let told = words::moment(self.status.as_ref().map_or(0.0, |status| status.timestamp));
        told + now.saturating_sub(self.told)
    }

    /// The daemon has said how things stand.
    pub fn know(&mut self, status: &Status, now: Duration) {
        self.status = Some(Status::clone(status));
        self.told = now;
    }

    pub fn apply(&mut self, notice: &Notice, now: Duration) {
        if let SaidByStream::Snapshot(status) = &notice.said {
            self.know(status, now);
        }
        let Some(status) = &mut self.status else { return };
        // What is replayed happened before what is known already.
        if let Some(timestamp) = notice.timestamp().filter(|timestamp| *timestamp >= status.timestamp) {
            status.timestamp = timestamp;
            self.told = now;
        }
        match (&notice.said, notice.seq()) {
            (SaidByStream::Progress(tick), _) => progress(status, tick),
            (SaidByStream::Event(event), Some(seq)) if seq > status.seq => {
                status.seq = seq;
                happened(status, event);
            }
            _ => {}
        }
    }
}

fn progress(status: &mut Status, tick: &StreamTick) {
    let told = &tick.told;
    status.phase = told.progress.phase;
    status.waiting_for.clone_from(&told.waiting_for);
    status.until = told.until;
    status.progress = told.progress.clone();
}

fn happened(status: &mut Status, event: &Event) {
    match event {
        Event::RunStarted { run } => {
            status.queued.retain(|queued| queued.run_id != run.id);
            status.run = Some(run.clone());
        }
        Event::RunUpdated(update) => updated(status, update),
        Event::RunFinished { run } => finished(status, run),
        Event::Phase(change) => phase(status, change),
        Event::LiveData(data) => status.live_data = Some(data.clone()),
        Event::DeviceConnection { online, reason } => {
            status.analyzer.online = *online;
            status.analyzer.reason.clone_from(reason);
        }
        Event::DeviceStatus { code, name, .. } => {
            status.analyzer.status_code = Some(*code);
            status.analyzer.status = Some(*name);
        }
        Event::DevicePhase { name, iteration, .. } => {
            status.analyzer.phase = Some(*name);
            status.analyzer.iteration = *iteration;
        }
        Event::DeviceErrors { codes, .. } => status.analyzer.errors.clone_from(codes),
        Event::DeviceMetrics(metrics) => {
            status.analyzer.clock_offset_s = metrics.clock_offset_s;
            status.analyzer.stamp_meaning = metrics.stamp_meaning;
            status.multiplexer.actuations = metrics.actuations;
        }
        Event::MuxPosition { position, channel } => {
            status.multiplexer.position = *position;
            status.multiplexer.channel = *channel;
        }
        Event::Alarm { .. }
        | Event::ScheduleUpdated(_)
        | Event::Usb(_)
        | Event::Storage(_)
        | Event::SystemShutdown { .. } => {}
    }
}

/// A run waits to begin, or does so no longer.
fn updated(status: &mut Status, update: &RunUpdate) {
    let RunUpdate { run_id, change, who, text } = update;
    match change {
        RunChange::Queued => status.queued.push(QueuedRun {
            run_id: run_id.clone(),
            label: String::new(),
            who: who.clone(),
            begins: text.rsplit(' ').next().and_then(|time| time.parse().ok()),
        }),
        RunChange::Unqueued => status.queued.retain(|queued| queued.run_id != *run_id),
        _ => {}
    }
}

fn finished(status: &mut Status, run: &RunSummary) {
    status.run = None;
    status.last_run = Some(run.clone());
    status.phase = Phase::Idle;
    status.waiting_for.clear();
    status.until = None;
}

fn phase(status: &mut Status, change: &PhaseChange) {
    status.phase = change.phase;
    status.waiting_for.clone_from(&change.reason);
    status.until = change.until;
    status.progress = change.progress.clone();
}

#[cfg(test)]
pub mod tests {
    use gasera::domain::device::{AnalyzerPhase, AnalyzerState};
    use gasera::domain::status::{AnalyzerStatus, MultiplexerStatus};
    use gasera::domain::{Channel, Plan, PlanDraft, Position, Progress, Sync, Verification};

    use super::*;
    use crate::stream::SseFrame;

    pub fn run_summary() -> RunSummary {
        let seconds = Duration::from_secs;
        let plan = Plan::new(PlanDraft {
            channels: "1-4,7".into(),
            channel_count: 8,
            repeats: 2,
            purge: seconds(6),
            measure: seconds(20),
            sync: Sync::Analyzer,
            label: "barn".into(),
            settle: seconds(1),
            ..PlanDraft::default()
        });
        RunSummary {
            id: RunId("01KAHRUN".into()),
            plan: plan.unwrap(),
            started: Utc::from_micros(1_000_000_000),
            ended: None,
            outcome: None,
            reason: String::new(),
            records: 3,
            good_records: 2,
            without_channel: gasera::domain::WithoutChannel::default(),
        }
    }

    pub fn status() -> Status {
        let channel = Channel::new(3);
        Status {
            timestamp: 1060.0,
            phase: Phase::Measuring,
            waiting_for: "measuring on channel 3".into(),
            until: Some(Utc::from_micros(1_072_000_000)),
            progress: Progress {
                phase: Phase::Measuring,
                current_channel: 2,
                repeat_total: 2,
                enabled_count: 5,
                step_index: 2,
                total_steps: 10,
                overall_percent: 47,
                elapsed_seconds: 60.0,
                tt_seconds: Some(270.0),
                ..Progress::default()
            },
            run: Some(run_summary()),
            last_run: None,
            queued: Vec::new(),
            analyzer: AnalyzerStatus {
                address: "192.168.0.100:8888".into(),
                online: true,
                status: Some(AnalyzerState::Measuring),
                phase: Some(AnalyzerPhase::Integration),
                iteration: Some(12),
                ..AnalyzerStatus::default()
            },
            multiplexer: MultiplexerStatus {
                driver: "vici".into(),
                channels: 8,
                position: channel.map_or(Position::Unknown, |channel| Position::At(channel, Verification::Readback)),
                channel,
                ..MultiplexerStatus::default()
            },
            live_data: None,
            seq: 40,
            version: "0.1.0".into(),
            simulated: false,
            clock_synchronized: None,
            mirror: None,
        }
    }

    pub fn notice(event: &Event, seq: u64) -> Notice {
        let data = event.payload(Utc::from_micros(1_061_000_000)).to_string();
        Notice::new(SseFrame { event: event.name().into(), data, id: Some(seq.to_string()) })
    }

    fn model() -> Model {
        Model { status: Some(status()), told: Duration::ZERO }
    }

    #[test]
    fn what_happened_before_the_snapshot_changes_nothing() {
        let mut model = model();
        model.apply(&notice(&Event::RunFinished { run: run_summary() }, 40), Duration::ZERO);
        assert!(model.status.as_ref().unwrap().run.is_some());
        model.apply(&notice(&Event::RunFinished { run: run_summary() }, 41), Duration::ZERO);
        let status = model.status.unwrap();
        assert!(status.run.is_none() && status.last_run.is_some());
    }

    #[test]
    fn time_goes_on_between_what_the_daemon_says() {
        let seconds = Duration::from_secs;
        let mut model = model();
        assert_eq!(model.now(seconds(2)), Utc::from_micros(1_062_000_000));
        let event = Event::SystemShutdown { reason: String::new(), restart_expected_s: None };
        model.apply(&notice(&event, 41), seconds(2));
        assert_eq!(model.now(seconds(2)), Utc::from_micros(1_061_000_000));
    }

    #[test]
    fn an_ending_is_told_in_a_sentence() {
        let mut run = run_summary();
        assert_eq!(RunEnding::of(&run), None);
        run.outcome = Some(Outcome::Failed);
        run.reason = "the analyzer stayed offline".into();
        let sentence = RunEnding::of(&run).unwrap().sentence();
        assert_eq!(sentence, "run 01KAHRUN failed: the analyzer stayed offline; 3 samples, 2 good");
    }
}
