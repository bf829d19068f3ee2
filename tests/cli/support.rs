//! Runs gaseractl, compares with golden files, and makes what a daemon would say.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::json;
use gasera::domain::status::{AnalyzerStatus, MultiplexerStatus};
use gasera::domain::{
    Event, Outcome, Phase, Plan, PlanDraft, Position, Progress, RunId, RunSummary, Status, Utc, WithoutChannel,
};

pub const RUN: &str = "01KAHRUN";

pub fn gaseractl() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaseractl"));
    command.env_clear().env("TZ", "UTC").env("COLUMNS", "100").env("USER", "ada").stdin(Stdio::null());
    command
}

#[derive(Debug)]
pub struct Done {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs it to its end. What it prints as JSON is held against the published schema.
pub fn run(args: &[&str]) -> Done {
    run_in(&mut gaseractl(), args)
}

/// The same with more in the environment.
pub fn run_in(command: &mut Command, args: &[&str]) -> Done {
    let output = command.args(args).output().unwrap();
    let done = Done {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    if args.contains(&"--json") {
        json::check(args, &done.stdout);
    }
    done
}

/// Compares with `tests/golden/<name>.txt`; with `BLESS=1` in the environment it is written instead.
pub fn golden(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{} differs; if that is meant, bless it with BLESS=1", path.display());
}

pub fn summary(outcome: Option<Outcome>) -> RunSummary {
    let plan = Plan::new(PlanDraft {
        channels: "1-4".into(),
        channel_count: 8,
        repeats: 2,
        purge: Duration::from_secs(6),
        measure: Duration::from_secs(20),
        label: "barn north".into(),
        operator: "ada".into(),
        settle: Duration::from_secs(1),
        ..PlanDraft::default()
    });
    RunSummary {
        id: RunId(RUN.into()),
        plan: plan.unwrap(),
        started: at(0),
        ended: outcome.map(|_| at(217)),
        outcome,
        reason: if outcome.is_some() { "as told".into() } else { String::new() },
        records: 16,
        good_records: 15,
        without_channel: WithoutChannel::default(),
    }
}

/// So many seconds after the start of the run.
pub fn at(seconds: u64) -> Utc {
    Utc::from_micros(1_768_464_000_000_000) + Duration::from_secs(seconds)
}

pub fn status(run: Option<RunSummary>, last_run: Option<RunSummary>, seq: u64) -> Status {
    let phase = if run.is_some() { Phase::Measuring } else { Phase::Idle };
    Status {
        timestamp: at(10).as_seconds(),
        phase,
        waiting_for: if run.is_some() { "measuring on channel 1".into() } else { String::new() },
        until: run.as_ref().map(|_| at(27)),
        progress: Progress {
            phase,
            repeat_total: 2,
            enabled_count: 4,
            total_steps: 8,
            percent: 9,
            overall_percent: 4,
            elapsed_seconds: 10.0,
            tt_seconds: run.as_ref().map(|_| 217.0),
            ..Progress::default()
        },
        run,
        last_run,
        queued: Vec::new(),
        analyzer: AnalyzerStatus { address: "192.168.0.100:8888".into(), online: true, ..AnalyzerStatus::default() },
        multiplexer: MultiplexerStatus {
            driver: "vici".into(),
            channels: 8,
            position: Position::Unknown,
            channel: None,
            ..MultiplexerStatus::default()
        },
        live_data: None,
        seq,
        version: "0.1.0".into(),
        simulated: false,
        clock_synchronized: None,
        mirror: None,
    }
}

/// What a stream begins with.
pub fn greeting(status: &Status) -> String {
    let snapshot = serde_json::to_string(status).unwrap();
    format!("retry: 1000\nevent: connected\ndata: {{\"timestamp\":1.0}}\n\nevent: snapshot\ndata: {snapshot}\n\n")
}

pub fn frame(seq: u64, event: &Event) -> String {
    format!("id: {seq}\nevent: {}\ndata: {}\n\n", event.name(), event.payload(at(20)))
}

pub fn finished(seq: u64, outcome: Outcome) -> String {
    frame(seq, &Event::RunFinished { run: summary(Some(outcome)) })
}
