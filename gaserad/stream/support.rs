//! What tests of the stream and of the interface stand on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{BoxFuture, History, Hub, Settings};
use crate::domain::event::{Component, LiveData};
use crate::domain::status::{AnalyzerStatus, MultiplexerStatus};
use crate::domain::{
    AnalyzerPhase, AnalyzerState, AnalyzerTime, Attribution, Cas, Channel, Clock, Event, Moment, Phase, Plan,
    PlanDraft, Progress, Published, Qc, RunId, RunSummary, Status, Sync, Utc, WithoutChannel,
};

/// Always the same moment.
pub(crate) struct StoppedClock;

pub(crate) const NOW: Utc = Utc::from_micros(1_768_464_192_000_000);

impl Clock for StoppedClock {
    fn now(&self) -> Moment {
        Moment { utc: NOW, ..Moment::default() }
    }

    fn outside(&self, duration: Duration) -> Duration {
        duration
    }
}

/// A history in memory.
pub(crate) struct Kept(pub Mutex<Result<Vec<Published>, String>>);

impl Kept {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Ok(Vec::new()))))
    }

    pub(crate) fn keep(&self, events: &[Published]) {
        if let Ok(kept) = self.0.lock().unwrap().as_mut() {
            kept.extend_from_slice(events);
        }
    }

    pub(crate) fn forget_up_to(&self, seq: u64) {
        if let Ok(kept) = self.0.lock().unwrap().as_mut() {
            kept.retain(|event| event.seq > seq);
        }
    }

    pub(crate) fn fail(&self, reason: &str) {
        *self.0.lock().unwrap() = Err(reason.into());
    }
}

impl History for Kept {
    fn after(&self, seq: u64, limit: u32) -> BoxFuture<'_, Result<Vec<Published>, String>> {
        let limit = usize::try_from(limit).unwrap();
        let page = |events: &Vec<Published>| events.iter().filter(|e| e.seq > seq).take(limit).cloned().collect();
        let found = self.0.lock().unwrap().as_ref().map(page).map_err(Clone::clone);
        Box::pin(async move {
            tokio::task::yield_now().await;
            found
        })
    }
}

pub(crate) fn hub(settings: Settings, history: &Arc<Kept>, newest: u64) -> Arc<Hub> {
    Hub::start(settings, Arc::new(StoppedClock), history.clone(), newest)
}

/// An event about nothing but its number.
pub(crate) fn numbered(seq: u64) -> Published {
    let data = json!({ "timestamp": NOW.as_seconds(), "n": seq }).to_string();
    Published { seq, name: "device.phase".into(), run: None, channel: None, data }
}

pub(crate) fn published(seq: u64, event: &Event) -> Published {
    let channel = match event {
        Event::LiveData(data) => data.channel,
        _ => None,
    };
    Published {
        seq,
        name: event.name().into(),
        run: event.run().cloned(),
        channel: channel.map(Channel::number),
        data: event.payload(NOW).to_string(),
    }
}

pub(crate) fn draft() -> PlanDraft {
    PlanDraft {
        channels: "1-4".into(),
        repeats: 2,
        purge: Duration::from_secs(6),
        measure: Duration::from_secs(20),
        sync: Sync::Dwell,
        ..PlanDraft::default()
    }
}

pub(crate) fn run(id: &str) -> RunSummary {
    RunSummary {
        id: RunId(id.into()),
        plan: Plan::new(draft()).unwrap(),
        started: NOW,
        ended: None,
        outcome: None,
        reason: String::new(),
        records: 0,
        good_records: 0,
        without_channel: WithoutChannel::default(),
    }
}

/// Measuring on channel 3 in run A.
pub(crate) fn status(seq: u64) -> Status {
    Status {
        timestamp: NOW.as_seconds(),
        phase: Phase::Measuring,
        waiting_for: "a result".into(),
        until: None,
        progress: Progress {
            phase: Phase::Measuring,
            current_channel: 2,
            next_channel: Some(3),
            next_enabled_channel: Some(3),
            percent: 50,
            overall_percent: 25,
            repeat_index: 0,
            repeat_total: 2,
            enabled_count: 4,
            step_index: 2,
            total_steps: 8,
            elapsed_seconds: 12.5,
            tt_seconds: Some(61.0),
        },
        run: Some(run("A")),
        last_run: None,
        queued: Vec::new(),
        analyzer: AnalyzerStatus {
            online: true,
            status_code: Some(5),
            status: Some(AnalyzerState::Measuring),
            phase: Some(AnalyzerPhase::Integration),
            ..AnalyzerStatus::default()
        },
        multiplexer: MultiplexerStatus::default(),
        live_data: None,
        seq,
        version: "0".into(),
        simulated: true,
        clock_synchronized: None,
        mirror: None,
    }
}

pub(crate) fn later(status: &Status, elapsed: f64) -> Status {
    let mut later = status.clone();
    later.progress.elapsed_seconds = elapsed;
    later
}

pub(crate) fn live_data(attribution: Attribution, channel: Option<u8>) -> LiveData {
    let cas = Cas("124-38-9".into());
    LiveData {
        run_id: RunId("A".into()),
        seq: 1,
        phase: Phase::Measuring,
        channel: channel.and_then(Channel::new),
        visit_id: None,
        repeat: Some(2),
        attribution,
        discard: false,
        qc: Qc::Good,
        flags: Vec::new(),
        iteration: Some(7),
        sampled: NOW,
        device_timestamp: AnalyzerTime(1_768_464_190),
        units: "ppm".into(),
        components: vec![Component {
            label: cas.label(),
            formula: cas.formula().into(),
            ppm: Some(426.5),
            color: cas.color().into(),
            cas,
            discard: false,
        }],
    }
}

/// One frame as a reader takes it apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Frame {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
}

/// Takes server-sent events apart; comments are left out.
pub(crate) fn frames(text: &str) -> Vec<Frame> {
    text.split("\n\n").filter_map(frame).collect()
}

fn frame(block: &str) -> Option<Frame> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some(Frame {
        id: field("id").map(|id| id.parse().unwrap()),
        name: field("event").unwrap_or_default().to_owned(),
        data: serde_json::from_str(field("data")?).unwrap(),
    })
}
