//! A whole measurement on the simulated instrument, sped up, told in the terminal as it happens.
//!
//! It is the daemon itself that runs, and what is told comes from its stream.

use std::io::Write;
use std::time::Duration;

use serde::Deserialize;

use super::{Daemon, DaemonFailure, Surroundings};
use crate::config::{self, Overrides, Settings};
use crate::domain::event::{LiveData, PhaseChange, outcome_sentence};
use crate::domain::{Event, Phase, Plan, PlanDraft, RunId, RunSummary, StartRequest, Status, Sync, duration};
use crate::stream::{Cursor, Format, SubscribeRequest};

const SCALE: f64 = 60.0;
const CHANNELS: &str = "1-4";
const PURGE: Duration = Duration::from_secs(30);
const MEASURE: Duration = Duration::from_secs(120);

/// Runs the demonstration and writes what happens to `out`.
pub async fn run(overrides: &Overrides, scale: Option<f64>, out: &mut impl Write) -> Result<(), DaemonFailure> {
    let scale = scale.unwrap_or(SCALE);
    let settings = settings(overrides)?;
    let daemon = Daemon::start(Surroundings::fixed(&settings), scale).await?;
    let plan = plan(&settings)?;
    introduce(out, &daemon, &plan, scale)?;
    let mut lines = DemoLines::follow(&daemon)?;
    lines.until_online().await;
    let request = StartRequest::new(plan, "the demonstration");
    let started = daemon.handle.start(request).await.map_err(anyhow::Error::from)?;
    let ended = lines.tell(out, &started.run).await?;
    let folder = daemon.store.run_folder(&ended);
    conclude(out, &ended, &folder.join("samples.csv").display().to_string())?;
    daemon.stop().await
}

/// Nothing but the simulator, on a free port, and a place of its own.
fn settings(overrides: &Overrides) -> Result<Settings, DaemonFailure> {
    let mut overrides = overrides.clone();
    overrides.simulate = true;
    if overrides.listen.is_empty() {
        overrides.listen = vec!["127.0.0.1:0".into()];
    }
    let own = std::env::temp_dir().join(format!("gaserad-demo-{}", std::process::id()));
    overrides.state_dir = Some(overrides.state_dir.unwrap_or(own));
    // Not the settings of the real instrument.
    Ok(config::parse("", "the demonstration", &overrides, &config::Environment::default())?)
}

fn plan(settings: &Settings) -> Result<Plan, DaemonFailure> {
    let draft = PlanDraft {
        channels: CHANNELS.into(),
        channel_count: settings.multiplexer.channels,
        purge: PURGE,
        measure: MEASURE,
        task: settings.analyzer.task.clone(),
        sync: Sync::Analyzer,
        label: "demonstration".into(),
        settle: settings.multiplexer.settle,
        ..PlanDraft::default()
    };
    Ok(Plan::new(draft).map_err(anyhow::Error::from)?)
}

fn introduce(out: &mut impl Write, daemon: &Daemon, plan: &Plan, scale: f64) -> Result<(), DaemonFailure> {
    let url = daemon.names.first().map_or("", String::as_str);
    let text = format!(
        "gaserad on a simulated analyzer and valve, {scale} times as fast as the real ones.\n\
         A browser can look on at {url}/ , and another terminal with: gaseractl --endpoint {url} watch\n\
         Plan: channels {CHANNELS}, each purged for {} and measured for {} or more.\n",
        duration::format(plan.purge),
        duration::format(plan.measure),
    );
    Ok(writeln!(out, "{text}").map_err(anyhow::Error::from)?)
}

fn conclude(out: &mut impl Write, run: &RunSummary, samples: &str) -> Result<(), DaemonFailure> {
    let ended = run.outcome.map_or_else(|| "not over".into(), |outcome| outcome_sentence(outcome, &run.reason));
    let text = format!(
        "\nRun {} {ended}: {} samples, {} of them good.\n\
         The data:  {samples}\n\n\
         What to type next:\n  \
           cargo install --path .                                            puts gaserad and gaseractl in your path\n  \
           gaserad --simulate --time-scale 60                                a daemon that stays, with its page at http://localhost:5001/\n  \
           gaseractl start --channels 1-4 --purge 30s --measure 2m --watch   a measurement of your own\n  \
           gaseractl runs export last -o samples.csv                         its data",
        run.id, run.records, run.good_records,
    );
    Ok(writeln!(out, "{text}").map_err(anyhow::Error::from)?)
}

/// The daemon's stream, line by line.
struct DemoLines {
    cursor: Cursor,
    pending: Vec<String>,
}

#[derive(Deserialize)]
struct DemoLine {
    #[serde(rename = "type")]
    name: String,
    data: serde_json::Value,
}

impl DemoLines {
    fn follow(daemon: &Daemon) -> Result<Self, DaemonFailure> {
        let handle = daemon.handle.clone();
        let now = Box::pin(async move { handle.status().await.unwrap_or_default() });
        let request = SubscribeRequest { format: Format::Lines, without_sticky: true, ..SubscribeRequest::default() };
        let cursor = daemon.hub.subscribe(request, now).map_err(anyhow::Error::from)?;
        Ok(Self { cursor, pending: Vec::new() })
    }

    async fn next(&mut self) -> Option<DemoLine> {
        while self.pending.is_empty() {
            let frames = self.cursor.next().await?;
            let text: String = frames.iter().map(|frame| String::from_utf8_lossy(frame).into_owned()).collect();
            self.pending = text.lines().rev().map(str::to_owned).collect();
        }
        serde_json::from_str(&self.pending.pop()?).ok()
    }

    async fn until_online(&mut self) {
        while let Some(line) = self.next().await {
            let online = match line.name.as_str() {
                "snapshot" => serde_json::from_value::<Status>(line.data).is_ok_and(|status| status.analyzer.online),
                name => matches!(
                    Event::parse(name, &line.data.to_string()),
                    Ok(Event::DeviceConnection { online: true, .. })
                ),
            };
            if online {
                break;
            }
        }
    }

    /// Writes what happens until the run is over.
    async fn tell(&mut self, out: &mut impl Write, id: &RunId) -> Result<RunSummary, DaemonFailure> {
        while let Some(line) = self.next().await {
            let told = match Event::parse(&line.name, &line.data.to_string()) {
                Ok(Event::Phase(change)) => phase(&change),
                Ok(Event::LiveData(data)) => Some(reading(&data)),
                Ok(Event::RunFinished { run }) if run.id == *id => return Ok(run),
                _ => None,
            };
            if let Some(told) = told {
                writeln!(out, "{told}").map_err(anyhow::Error::from)?;
            }
        }
        Err(anyhow::anyhow!("the stream ended before the run did").into())
    }
}

fn phase(change: &PhaseChange) -> Option<String> {
    let channel = change.channel.map_or(String::new(), |channel| format!("channel {channel}"));
    let words = match change.phase {
        Phase::Homing => "valve goes home",
        Phase::Switching if change.channel.is_some() => "valve moves",
        Phase::Purging => "purging",
        Phase::Measuring => "measuring",
        Phase::Switching | Phase::Paused | Phase::Idle | Phase::Aborted | Phase::Failed => return None,
    };
    let DemoProgress { elapsed, percent } = DemoProgress::of(change);
    Some(format!("{elapsed:>7}  {percent:>3}%  {words:<16} {channel}"))
}

struct DemoProgress {
    elapsed: String,
    percent: u32,
}

impl DemoProgress {
    fn of(change: &PhaseChange) -> Self {
        let elapsed = Duration::try_from_secs_f64(change.progress.elapsed_seconds.round()).unwrap_or_default();
        Self { elapsed: duration::format(elapsed), percent: change.progress.overall_percent }
    }
}

fn reading(data: &LiveData) -> String {
    let channel = data.channel.map_or_else(|| data.attribution.as_str().into(), |channel| format!("channel {channel}"));
    let gases: Vec<String> = data
        .components
        .iter()
        .map(|gas| format!("{} {}", gas.formula, gas.ppm.map_or_else(|| "-".into(), |ppm| format!("{ppm:.2}"))))
        .collect();
    let discarded = if data.discard { "  (not counted)" } else { "" };
    format!("                result           {channel:<10} {} ppm{discarded}", gases.join("  "))
}
