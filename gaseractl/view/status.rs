//! The answer to: what is it doing, until when, and why?

use gasera::domain::{Phase, Status};

use super::model::RunEnding;
use super::words;
use crate::output::Paint;

pub fn of(status: &Status, paint: Paint) -> String {
    let now = words::moment(status.timestamp);
    let mut lines = vec![headline(status, paint)];
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            lines.push(format!("{}{value}", paint.dim(&format!("{name:<12}"))));
        }
    };
    if let Some(run) = &status.run {
        let label = if run.plan.label.is_empty() { String::new() } else { format!(" \"{}\"", run.plan.label) };
        put("Run", format!("{}{label}, started {}", run.id, words::date(run.started)));
        put("Operator", run.plan.operator.clone());
        put("Note", run.plan.note.clone());
        put("Plan", words::plan(&run.plan));
        put("Progress", progress(status));
        put("Records", format!("{}, {} good", run.records, run.good_records));
    } else if let Some(ending) = status.last_run.as_ref().and_then(RunEnding::of) {
        put("Last", ending.sentence());
    }
    for (number, run) in status.queued.iter().enumerate() {
        put(if number == 0 { "Waiting" } else { "" }, words::queued(run));
    }
    put("Analyzer", analyzer(status, paint));
    put("Clock", clock(status));
    if status.clock_synchronized == Some(false) {
        put("Host clock", paint.doubtful("not synchronized; see `timedatectl`").into_owned());
    }
    if !status.analyzer.errors.is_empty() {
        put("Errors", paint.doubtful(&words::errors(&status.analyzer.errors)).into_owned());
    }
    put("Multiplexer", multiplexer(status, paint));
    if let Some(data) = &status.live_data {
        let age = words::lasting(words::between(data.sampled, now));
        let place = words::attribution(data.attribution, data.channel);
        put("Readings", format!("{place}, {age} ago, repeat {}", data.repeat.map_or("-".into(), |r| r.to_string())));
        for gas in &data.components {
            put("", format!("{:<6} {:>10} {}", gas.formula, words::ppm(gas.ppm), data.units));
        }
    }
    let simulated = if status.simulated { " (simulated instrument)" } else { "" };
    put("Daemon", format!("gaserad {}{simulated}, {}", status.version, words::date(now)));
    lines.join("\n")
}

/// `Measuring, channel 3, repeat 2 of 5, until 14:05:45 CET (12s left): …`
pub fn headline(status: &Status, paint: Paint) -> String {
    let doing = words::doing(status.phase);
    let mut letters = doing.chars();
    let doing: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let doing = match status.phase {
        Phase::Idle => paint.bold(&doing),
        Phase::Measuring => paint.good(&doing),
        Phase::Aborted | Phase::Failed => paint.bad(&doing),
        Phase::Paused => paint.doubtful(&doing),
        Phase::Homing | Phase::Switching | Phase::Purging => paint.busy(&doing),
    };
    let until = words::until(status.until, words::moment(status.timestamp));
    let parts = [doing.into_owned(), words::place(status), until];
    let text = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    if status.waiting_for.is_empty() { text } else { format!("{text}: {}", status.waiting_for) }
}

pub fn progress(status: &Status) -> String {
    let progress = &status.progress;
    let visit = (progress.step_index + 1).min(progress.total_steps.max(1));
    let total = progress.tt_seconds.map_or_else(String::new, |total| format!(" / TT {}", words::seconds(total)));
    format!(
        "{} {:>3} %  visit {visit} of {}  ET {}{total}",
        words::bar(progress.overall_percent, 30),
        progress.overall_percent,
        progress.total_steps,
        words::seconds(progress.elapsed_seconds),
    )
}

pub fn analyzer(status: &Status, paint: Paint) -> String {
    let text = words::analyzer(&status.analyzer);
    let text = if status.analyzer.online { paint.good(&text) } else { paint.bad(&text) };
    if status.analyzer.address.is_empty() {
        text.into_owned()
    } else {
        format!("{text} · {}", status.analyzer.address)
    }
}

/// How its clock goes and what it is used for, as far as that is known.
fn clock(status: &Status) -> String {
    let offset = status.analyzer.clock_offset_s.map(words::offset);
    let stamp = status.analyzer.stamp_meaning.map(|meaning| words::stamp(meaning).to_owned());
    offset.into_iter().chain(stamp).collect::<Vec<_>>().join(", ")
}

pub fn multiplexer(status: &Status, paint: Paint) -> String {
    words::multiplexer(&status.multiplexer, paint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::model::tests::status;

    #[test]
    fn it_says_what_until_when_and_why() {
        let text = of(&status(), Paint(false));
        assert!(text.starts_with("Measuring, channel 3, repeat 1 of 2, until "), "{text}");
        assert!(text.contains("(12s left): measuring on channel 3\n"), "{text}");
        assert!(text.contains("[##############----------------]  47 %  visit 3 of 10  ET 1m / TT 4m30s\n"), "{text}");
        let analyzer = "online · measuring / integration · iteration 12 · 192.168.0.100:8888";
        assert!(text.contains(analyzer), "{text}");
        assert!(text.contains("vici · at channel 3 (read back)"), "{text}");
    }

    #[test]
    fn what_is_known_of_clock_and_valve_is_told() {
        let mut status = status();
        status.analyzer.clock_offset_s = Some(-1.5);
        status.analyzer.stamp_meaning = Some(gasera::domain::StampMeaning::Calculated);
        status.multiplexer.model = "EMHMA-CE".into();
        status.multiplexer.actuations = Some(1204);
        status.multiplexer.fault = "it does not answer".into();
        assert!(!of(&status, Paint(false)).contains("Host clock"));
        status.clock_synchronized = Some(false);
        assert!(of(&status, Paint(false)).contains("Host clock  not synchronized"));
        let text = of(&status, Paint(false));
        assert!(text.contains("Clock       1.5 s behind, stamps tell the time of calculation\n"), "{text}");
        let valve = "vici · at channel 3 (read back) · EMHMA-CE · 1204 moves · it does not answer\n";
        assert!(text.contains(valve), "{text}");
    }

    #[test]
    fn an_idle_daemon_tells_how_the_last_run_ended() {
        let mut status = status();
        let mut run = status.run.take().unwrap();
        run.outcome = Some(gasera::domain::Outcome::Completed);
        status.last_run = Some(run);
        status.phase = Phase::Idle;
        status.until = None;
        status.waiting_for.clear();
        let text = of(&status, Paint(false));
        assert!(text.starts_with("Idle\nLast        run 01KAHRUN completed; 3 samples, 2 good\n"), "{text}");
    }
}
