//! The analyzer and the valve.

use gasera::domain::status::Evidence;
use gasera::domain::{Position, Status, Verification};
use gasera::proto::{GetConfigResponse, Severity};

use super::finding::Finding;
use super::{AskedDaemon, ask};
use crate::view::{instrument, words};

/// From here on, the analyzer's clock is worth a warning, seconds.
const OFFSET: f64 = 2.0;

pub async fn analyzer(client: AskedDaemon<'_>, status: &Status, config: Option<&GetConfigResponse>) -> Vec<Finding> {
    let tried = format!("the analyzer at {}", status.analyzer.address);
    if !status.analyzer.stranger_to.is_empty() {
        let advice = "connect the known one again, or say with `gaseractl analyzer accept` that this one is meant";
        return vec![Finding::fail("analyzer", &tried, status.analyzer.reason.clone(), advice)];
    }
    if !status.analyzer.online {
        let found = format!("it is offline: {}", status.analyzer.reason);
        let advice = "see that it is on and in the network, that [analyzer] address is right, and that no other program \
                      holds its only connection";
        return vec![Finding::fail("analyzer", &tried, found, advice)];
    }
    let who = status.analyzer.identity.join(" ");
    let mut findings = vec![Finding::ok("analyzer", &tried, format!("online: {who}").trim_end_matches(": "))];
    findings.push(results(status));
    findings.extend(status.analyzer.evidence.as_ref().map(evidence));
    findings.push(errors(client).await);
    findings.push(clock(client).await);
    findings.push(task(client, config).await);
    findings
}

/// What of its results could not be read.
fn results(status: &Status) -> Finding {
    let tried = "the replies with results since gaserad began";
    let Some(last) = &status.analyzer.unreadable else {
        return Finding::ok("results", tried, "every reply could be read");
    };
    let found = format!(
        "{} could not be read as a whole; the last, at {}: {}: \"{}\"",
        words::count(last.count, "result"),
        last.at.to_seconds_string(),
        last.what,
        last.reply.escape_default(),
    );
    let advice = "see the task and the number format on the analyzer, and that no other program sets how results are \
                  given (SCON); lost samples and readings are told by alarms and in qc_flags";
    Finding::warn("results", tried, found, advice)
}

/// How far what it says agrees with itself.
fn evidence(evidence: &Evidence) -> Finding {
    let tried = "whether phases, counter, stamps and results of the analyzer agree";
    let lags = format!("phases up to {} s old, results up to {} s late", evidence.phase_lag_s, evidence.result_lag_s);
    if evidence.contradictions.is_empty() {
        return Finding::ok("evidence", tried, format!("they agree; {lags}"));
    }
    let each: Vec<String> = evidence.contradictions.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let advice = "samples that this concerns have no channel; docs/attribution.md says what each means, and what \
                  [analyzer] phase_lag and result_lag do";
    Finding::warn("evidence", tried, format!("they contradict each other: {}; {lags}", each.join(", ")), advice)
}

async fn errors(client: AskedDaemon<'_>) -> Finding {
    let tried = "the errors that the analyzer reports";
    let errors = match ask("errors", tried, client.errors()).await {
        Ok(errors) => errors,
        Err(finding) => return finding,
    };
    if errors.is_empty() {
        return Finding::ok("errors", tried, "none");
    }
    let each: Vec<String> = errors.iter().map(|error| format!("{} {}", error.code, error.meaning)).collect();
    let found = each.join(", ");
    if errors.iter().all(|error| error.severity() == Severity::Warning) {
        return Finding::warn("errors", tried, found, "measuring goes on; see the analyzer's manual for its warnings");
    }
    let advice =
        "clear them on the analyzer, then test it with `gaseractl analyzer selftest`; runs do not start before";
    Finding::fail("errors", tried, found, advice)
}

async fn clock(client: AskedDaemon<'_>) -> Finding {
    let tried = "the analyzer's clock beside that of gaserad's machine";
    let reading = match ask("clock", tried, client.clock()).await {
        Ok(reading) => reading,
        Err(finding) => return Finding { outcome: super::FindingOutcome::Warn, ..finding },
    };
    let offset = instrument::seconds(reading.offset_ms);
    if offset.abs() < OFFSET {
        return Finding::ok("clock", tried, words::offset(offset));
    }
    let found = format!("it is {}", words::offset(offset));
    Finding::warn("clock", tried, found, "set it on the analyzer; samples are stamped by gaserad and stay right")
}

async fn task(client: AskedDaemon<'_>, config: Option<&GetConfigResponse>) -> Finding {
    let settings = config.into_iter().flat_map(|config| &config.settings);
    let setting = settings.into_iter().find(|setting| setting.key == "analyzer.task");
    let wanted = setting.map(|setting| setting.value.trim_matches('"').to_owned());
    let tried = "the task that is configured, among those of the analyzer";
    let list = match ask("task", tried, client.tasks()).await {
        Ok(list) => list,
        Err(finding) => return finding,
    };
    let Some(wanted) = wanted else {
        return Finding::warn(
            "task",
            tried,
            "which task is configured is not known",
            "see `gaseractl config get analyzer`",
        );
    };
    let is_there =
        list.tasks.iter().any(|task| task.name.eq_ignore_ascii_case(&wanted) || task.id.to_string() == wanted);
    if is_there {
        return Finding::ok("task", tried, wanted);
    }
    let known: Vec<&str> = list.tasks.iter().map(|task| task.name.as_str()).collect();
    let found = format!("{wanted} is not there; there are {}", known.join(", "));
    Finding::fail("task", tried, found, "set [analyzer] task to one of them, or name one with `gaseractl start --task`")
}

pub async fn valve(client: AskedDaemon<'_>) -> Finding {
    let tried = "where the valve stands, and how that is known";
    let mux = match ask("valve", tried, client.mux()).await {
        Ok(mux) => instrument::multiplexer(mux),
        Err(finding) => return finding,
    };
    if !mux.stranger_to.is_empty() {
        let advice = "connect the known one again, or say with `gaseractl mux accept` that this one is meant";
        return Finding::fail("valve", tried, mux.fault, advice);
    }
    if mux.simulated {
        let advice =
            "name the multiplexer that is there with [multiplexer] driver; with this one samples are for trials only";
        let found = "it is simulated beside a real analyzer: no valve moves, and no sample is good (valve_simulated)";
        return Finding::fail("valve", tried, found, advice);
    }
    if !mux.fault.is_empty() {
        let advice = "see to its power and its cable, then try `gaseractl mux home`";
        return Finding::fail("valve", tried, mux.fault, advice);
    }
    let moves = mux.actuations.map(|moves| words::count(moves, "move"));
    let who = [mux.model].into_iter().filter(|model| !model.is_empty()).chain(moves);
    let who: Vec<String> = who.collect();
    let who = if who.is_empty() { String::new() } else { format!(": {}", who.join(", ")) };
    let at = format!("{}, {}{who}", mux.driver, words::position(mux.position));
    match mux.position {
        Position::At(_, Verification::None) => {
            let advice = "samples will have no channel until it is known: try `gaseractl mux home`";
            Finding::warn("valve", tried, at, advice)
        }
        Position::At(..) | Position::Moving => Finding::ok("valve", tried, at),
        Position::Unknown => {
            Finding::warn("valve", tried, at, "the next run sends it home first; `gaseractl mux home` does it now")
        }
    }
}
