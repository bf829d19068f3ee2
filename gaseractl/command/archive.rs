//! `gaseractl storage check`, `storage backup` and `runs drift`: whether all that was measured is sound, a copy of it,
//! and what it says of the analyzer.

use std::path::Path;

use gasera::proto::{CheckStoreResponse, DriftPoint, DriftTrend, GetDriftResponse};
use serde_json::{Value, json};

use super::CommandSession;
use crate::args::Drift;
use crate::failure::{Exit, Failure};
use crate::new_file::{NewFile, cannot_write};
use crate::output;
use crate::view::{table, words};

pub async fn check(session: &CommandSession, without_files: bool) -> Result<Exit, Failure> {
    let checked = session.client().await?.check_store(without_files).await?;
    let output = session.output;
    if output.json {
        output::object(&checked_json(&checked))?;
    } else if !output.quiet {
        output::line(&format!(
            "{}, {}, {}, {} compared: {}",
            words::count(checked.runs, "run"),
            words::count(checked.records, "sample"),
            words::count(checked.events, "event"),
            words::count(checked.files, "file"),
            match checked.faults.len() {
                0 => output.paint.good("all is well").into_owned(),
                1 => output.paint.bad("1 fault").into_owned(),
                more => output.paint.bad(&format!("{more} faults")).into_owned(),
            },
        ))?;
        checked.faults.iter().try_for_each(|fault| output::line(&format!("  {fault}")))?;
    }
    Ok(if checked.faults.is_empty() { Exit::DONE } else { Exit::FAILURE })
}

fn checked_json(checked: &CheckStoreResponse) -> Value {
    json!({
        "runs": checked.runs,
        "records": checked.records,
        "events": checked.events,
        "schema": checked.schema,
        "files": checked.files,
        "faults": checked.faults,
    })
}

/// The file appears under its name only when it is complete.
pub async fn backup(session: &CommandSession, path: &Path) -> Result<Exit, Failure> {
    let mut client = session.client().await?;
    let mut file = NewFile::create(path).map_err(|error| cannot_write(path, &error))?;
    let mut pieces = client.backup().await?;
    let (mut figures, mut bytes) = (None, 0_u64);
    while let Some(piece) = pieces.next().await? {
        figures = piece.figures.or(figures);
        bytes += piece.chunk.len() as u64;
        file.append(&piece.chunk).map_err(|error| cannot_write(path, &error))?;
    }
    let figures = figures.unwrap_or_default();
    if bytes != figures.bytes {
        let text = format!("the backup ended after {bytes} of {} bytes; nothing was written; try again", figures.bytes);
        return Err(Failure::new(Exit::FAILURE, text));
    }
    file.publish().map_err(|error| cannot_write(path, &error))?;
    if session.output.json {
        output::object(&json!({
            "file": path.display().to_string(), "bytes": bytes,
            "runs": figures.runs, "records": figures.records, "files": figures.files,
        }))?;
    } else {
        session.output.note(&format!(
            "wrote {} ({}): {}, {}, and a list of {}",
            path.display(),
            words::bytes(bytes),
            words::count(figures.runs, "run"),
            words::count(figures.records, "sample"),
            words::count(figures.files, "file"),
        ));
    }
    Ok(Exit::DONE)
}

pub async fn drift(session: &CommandSession, asked: &Drift) -> Result<Exit, Failure> {
    let since = asked.since.map(|since| since.to_string()).unwrap_or_default();
    let found = session.client().await?.drift(asked.run.clone().unwrap_or_default(), since).await?;
    let output = session.output;
    if output.json {
        output::object(&drift_json(&found))?;
    } else if found.points.is_empty() {
        output.note(
            "nothing was measured of a known gas; describe one with [channels.N] kind = \"span\" and \
             reference = { CO2 = 400.0 }, and measure it",
        );
    } else {
        output::bytes(told(&found).as_bytes())?;
    }
    Ok(Exit::DONE)
}

fn told(found: &GetDriftResponse) -> String {
    let heading = ["RUN", "STARTED", "CHANNEL", "KIND", "GAS", "EXPECTED", "MEAN", "OFF BY", "SD", "N"];
    let mut points = table::table(&heading, &[2, 5, 6, 7, 8, 9]);
    for point in &found.points {
        points.add_row([
            point.run_id.clone(),
            words::date_of(&point.started_utc),
            channel(point.channel, &point.label),
            point.kind.clone(),
            point.gas.clone(),
            ppm(point.expected_ppm),
            ppm(point.mean_ppm),
            signed(point.deviation_ppm),
            point.sd_ppm.map_or_else(|| "-".into(), ppm),
            point.n.to_string(),
        ]);
    }
    let mut trends = table::table(&["CHANNEL", "GAS", "RUNS", "OFF BY", "PER DAY"], &[0, 2, 3, 4]);
    for trend in &found.trends {
        trends.add_row([
            trend.channel.to_string(),
            trend.gas.clone(),
            trend.runs.to_string(),
            signed(trend.deviation_ppm),
            trend.slope_ppm_per_day.map_or_else(|| "-".into(), signed),
        ]);
    }
    format!("{}\nOver time, ppm:\n{}", table::written(&points), table::written(&trends))
}

fn channel(number: u32, label: &str) -> String {
    if label.is_empty() { number.to_string() } else { format!("{number} {label}") }
}

/// Five digits, however large it is.
fn ppm(ppm: f64) -> String {
    let decimals = match ppm.abs() {
        large if large >= 1000.0 => 1,
        middle if middle >= 10.0 => 2,
        _ => 4,
    };
    format!("{ppm:.decimals$}")
}

fn signed(deviation: f64) -> String {
    let text = ppm(deviation);
    if deviation > 0.0 { format!("+{text}") } else { text }
}

fn drift_json(found: &GetDriftResponse) -> Value {
    json!({
        "points": found.points.iter().map(point_json).collect::<Value>(),
        "trends": found.trends.iter().map(trend_json).collect::<Value>(),
    })
}

fn point_json(point: &DriftPoint) -> Value {
    json!({
        "run_id": point.run_id, "started_utc": point.started_utc,
        "channel": point.channel, "label": point.label, "kind": point.kind,
        "gas": point.gas, "cas": point.cas,
        "expected_ppm": point.expected_ppm, "mean_ppm": point.mean_ppm, "deviation_ppm": point.deviation_ppm,
        "sd_ppm": point.sd_ppm, "n": point.n,
    })
}

fn trend_json(trend: &DriftTrend) -> Value {
    json!({
        "channel": trend.channel, "gas": trend.gas, "cas": trend.cas, "runs": trend.runs,
        "deviation_ppm": trend.deviation_ppm, "slope_ppm_per_day": trend.slope_ppm_per_day,
    })
}
