//! `GET /metrics`: figures as Prometheus reads them. They are for health and alerts; the records are elsewhere.

use std::fmt::Write as _;
use std::time::Duration;

use axum::extract::State;
use http::StatusCode;

use super::answer::{self, Kind, Raw};
use super::operation::Endpoint;
use super::{Services, memory};
use crate::domain::{AnalyzerState, Phase, Status, device};
use crate::stream::{Counts, subjects};

const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";
/// How long a healthy daemon takes to say how it is, at most.
const WITHIN: Duration = Duration::from_secs(2);

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![Endpoint::get("/metrics", "get_metrics", "Returns metrics for Prometheus", page)]
}

struct Figures;

impl Kind for Figures {
    const KINDS: &'static [&'static str] = &[KIND];
}

async fn page(State(services): State<Services>) -> Raw<Figures> {
    let mut page = MetricsPage::default();
    if let Ok(status) = tokio::time::timeout(WITHIN, services.control.status()).await {
        instrument(&mut page, &status);
        evidence(&mut page, &status);
        run(&mut page, &status);
    }
    samples(&mut page, &services);
    stream(&mut page, &services.hub.counts());
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.family("gaserad_build_info", "gauge", "The version of this daemon.").sample(&version, Some(1.0));
    if let Some(bytes) = memory::resident() {
        page.family("process_resident_memory_bytes", "gauge", "Memory in use.").count(&[], bytes);
    }
    answer::with(StatusCode::OK, KIND, page.0).into()
}

fn instrument(page: &mut MetricsPage, status: &Status) {
    let analyzer = &status.analyzer;
    page.family("gaserad_instrument_up", "gauge", "Whether the analyzer answers.").flag(&[], analyzer.online);
    if let Some(state) = analyzer.status {
        let mut family =
            page.family("gaserad_instrument_state", "gauge", "The analyzer's state (ASTS); 1 for the current one.");
        for code in 0..=8 {
            let known = AnalyzerState::from_code(code);
            family.flag(&[("state", &subjects::state_name(known))], known == state);
        }
    }
    let mut family = page.family("gaserad_instrument_errors", "gauge", "Active errors of the analyzer (AERR).");
    for code in &analyzer.errors {
        let severity = format!("{:?}", device::describe(code).0).to_lowercase();
        family.flag(&[("code", code), ("severity", &severity)], true);
    }
    page.family("gaserad_clock_offset_seconds", "gauge", "The analyzer's clock minus the host's.")
        .sample(&[], analyzer.clock_offset_s);
    if let Some(moves) = status.multiplexer.actuations {
        page.family("gaserad_valve_moves_total", "counter", "Moves of the valve in its life, as it counts them.")
            .count(&[], moves);
    }
    page.family("gaserad_valve_fault", "gauge", "Whether something is wrong with the valve.")
        .flag(&[], !status.multiplexer.fault.is_empty());
}

fn run(page: &mut MetricsPage, status: &Status) {
    let ratio = status.run.as_ref().map(|_| f64::from(status.progress.overall_percent) / 100.0);
    page.family("gaserad_run_active", "gauge", "Whether a run is under way.").flag(&[], status.run.is_some());
    page.family("gaserad_run_progress_ratio", "gauge", "How much of the run under way is done.").sample(&[], ratio);
    page.family("gaserad_paused", "gauge", "Whether the run waits for somebody, or for a fault to go.")
        .flag(&[], status.phase == Phase::Paused);
    page.family("gaserad_runs_queued", "gauge", "Runs that begin later.").count(&[], status.queued.len() as u64);
}

fn evidence(page: &mut MetricsPage, status: &Status) {
    let Some(evidence) = &status.analyzer.evidence else { return };
    let mut family = page.family(
        "gaserad_analyzer_lag_seconds",
        "gauge",
        "How stale phases and results of the analyzer are taken to be at most.",
    );
    family.sample(&[("of", "phase")], Some(evidence.phase_lag_s));
    family.sample(&[("of", "result")], Some(evidence.result_lag_s));
    let mut family = page.family(
        "gaserad_evidence_contradictions_total",
        "counter",
        "How often what the analyzer says contradicted itself, by kind.",
    );
    for (kind, count) in &evidence.contradictions {
        family.count(&[("kind", kind)], u64::from(*count));
    }
}

fn samples(page: &mut MetricsPage, services: &Services) {
    let latest = services.hub.latest_results();
    let mut family = page.family(
        "gaserad_gas_mole_fraction_ppm",
        "gauge",
        "The newest result of each channel, of those that are known to be of its gas.",
    );
    for (channel, data) in &latest {
        let channel = channel.to_string();
        for gas in &data.components {
            let labels = [("channel", channel.as_str()), ("gas", &gas.formula), ("cas", &gas.cas.0)];
            family.sample(&labels, gas.ppm);
        }
    }
    let mut family = page.family("gaserad_sample_timestamp_seconds", "gauge", "When that was drawn.");
    for (channel, data) in &latest {
        family.sample(&[("channel", &channel.to_string())], Some(data.sampled.as_seconds()));
    }
    let mut family = page.family(
        "gaserad_samples_total",
        "counter",
        "Results since the daemon began, by the channel they are known to be of (0 if of none) and their quality.",
    );
    for ((channel, qc), count) in services.hub.samples() {
        let qc = format!("{qc:?}").to_lowercase();
        family.count(&[("channel", &channel.to_string()), ("qc", &qc)], count);
    }
}

fn stream(page: &mut MetricsPage, counts: &Counts) {
    for (name, kind, help, count) in [
        ("clients", "gauge", "Readers of the stream.", counts.clients as u64),
        ("connections_total", "counter", "Readers that ever came.", counts.opened),
        ("refused_total", "counter", "Readers that found no place.", counts.refused),
        ("events_total", "counter", "Events that were published.", counts.published),
        ("delivered_bytes_total", "counter", "Bytes that were given to readers.", counts.bytes),
        ("conflated_total", "counter", "Progress ticks that a newer one replaced.", counts.conflated),
        ("gaps_total", "counter", "Times that a reader was told of missing events.", counts.gaps),
        ("replays_total", "counter", "Readers that went on after an event they had.", counts.replays),
        ("behind_events", "gauge", "How many events the slowest reader has not been given.", counts.behind_most),
    ] {
        page.family(&format!("gaserad_stream_{name}"), kind, help).count(&[], count);
    }
    let mut family = page.family("gaserad_stream_disconnects_total", "counter", "Readers that left, by reason.");
    for (reason, count) in &counts.left {
        family.count(&[("reason", reason)], *count);
    }
    let mut family = page.family("gaserad_stream_latency_seconds", "gauge", "From publishing to the last reader.");
    for (quantile, latency) in ["0.5", "0.95", "0.99"].iter().zip(counts.latency_ms) {
        family.sample(&[("quantile", quantile)], latency.map(|milliseconds| milliseconds / 1e3));
    }
}

#[derive(Default)]
struct MetricsPage(String);

struct Family<'a> {
    page: &'a mut String,
    name: String,
}

impl MetricsPage {
    fn family(&mut self, name: &str, kind: &str, help: &str) -> Family<'_> {
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Family { page: &mut self.0, name: name.to_owned() }
    }
}

impl Family<'_> {
    /// What is not known is left out.
    fn sample(&mut self, labels: &[(&str, &str)], value: Option<f64>) {
        if let Some(value) = value {
            self.line(labels, &value.to_string());
        }
    }

    fn count(&mut self, labels: &[(&str, &str)], value: u64) {
        self.line(labels, &value.to_string());
    }

    fn flag(&mut self, labels: &[(&str, &str)], is: bool) {
        self.count(labels, is.into());
    }

    fn line(&mut self, labels: &[(&str, &str)], value: &str) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.page, "{}{labels} {value}", self.name);
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_instrument_says_cannot_break_a_line() {
        let mut page = MetricsPage::default();
        page.family("errors", "gauge", "Help.").count(&[("code", "a\"b\\c\nd")], 1);
        assert!(page.0.ends_with("errors{code=\"a\\\"b\\\\c\\nd\"} 1\n"), "{}", page.0);
    }
}
