//! The wording of times, amounts and states, the same in every command.

use std::time::Duration;

use gasera::domain::event::{DeviceMetrics, LiveData, RunChange, RunUpdate};
use gasera::domain::status::{AnalyzerStatus, MultiplexerStatus, QueuedRun};
use gasera::domain::{
    Attribution, Channel, DeviceErrors, Outcome, Phase, Plan, Position, StampMeaning, Status, Utc, Verification,
    WithoutChannel, duration,
};
use gasera::proto::{self, Run};

use crate::output::Paint;

/// Nothing is said of a run that lost none.
pub fn without_channel(told: &proto::WithoutChannel) -> String {
    let why = told.why.iter().map(|(flag, count)| (flag.clone(), *count)).collect();
    WithoutChannel { samples: told.samples, why }.sentence()
}

/// Local time with its zone: `14:05:33 CET`.
pub fn clock(utc: Utc) -> String {
    utc.to_local_string("%H:%M:%S %Z")
}

/// Local time: `14:05:33`.
pub fn time(utc: Utc) -> String {
    utc.to_local_string("%H:%M:%S")
}

/// Local date and time with the zone: `2026-01-15 14:05:33 CET`.
pub fn date(utc: Utc) -> String {
    utc.to_local_string("%Y-%m-%d %H:%M:%S %Z")
}

/// As [`date`], from RFC 3339; what is no time is shown as it is.
pub fn date_of(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), date)
}

/// Whole seconds: `1h02m05s` reads badly, `1h2m5s` is what the flags take.
pub fn lasting(span: Duration) -> String {
    duration::format(Duration::from_secs(span.as_secs()))
}

/// How old something is: the older, the coarser.
pub fn age(span: Duration) -> String {
    match span.as_secs() {
        0..600 => lasting(span),
        seconds @ 600..360_000 => duration::format(Duration::from_secs(seconds / 60 * 60)),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// As [`lasting`], of seconds that may be no duration at all.
pub fn seconds(seconds: f64) -> String {
    lasting(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default())
}

pub fn millis(millis: u64) -> String {
    duration::format(Duration::from_millis(millis))
}

/// A moment that JSON gives in seconds since the epoch.
#[expect(clippy::cast_possible_truncation, reason = "a double that is out of range becomes the nearest time there is")]
pub fn moment(timestamp: f64) -> Utc {
    Utc::from_micros((timestamp * 1e6) as i64)
}

/// From `earlier` to `later`; nothing if it is the other way round.
pub fn between(earlier: Utc, later: Utc) -> Duration {
    Duration::from_micros(u64::try_from(later.as_micros().saturating_sub(earlier.as_micros())).unwrap_or(0))
}

/// `1 sample`, `2 samples`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// So many bytes, to three digits.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut size = bytes as f64 / 1000.0;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"kB");
    while size >= 999.5 {
        let Some(next) = units.next() else { break };
        (size, unit) = (size / 1000.0, next);
    }
    let decimals = if size < 9.995 { 2 } else { usize::from(size < 99.95) };
    format!("{size:.decimals$} {unit}")
}

/// `[######----]`
pub fn bar(percent: u32, width: usize) -> String {
    let full = width * usize::try_from(percent.min(100)).unwrap_or(0) / 100;
    format!("[{}{}]", "#".repeat(full), "-".repeat(width - full))
}

pub fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "idle",
        Phase::Homing => "homing the valve",
        Phase::Switching => "switching the valve",
        Phase::Purging => "purging",
        Phase::Measuring => "measuring",
        Phase::Paused => "paused",
        Phase::Aborted => "aborted",
        Phase::Failed => "failed",
    }
}

/// The visit that is under way, `channel 3, repeat 2 of 5`; empty while none is.
pub fn place(status: &Status) -> String {
    let progress = &status.progress;
    if status.run.is_none() {
        return String::new();
    }
    let repeat = format!(
        "repeat {} of {}",
        (progress.repeat_index + 1).min(progress.repeat_total.max(1)),
        progress.repeat_total
    );
    match progress.phase {
        Phase::Purging | Phase::Measuring | Phase::Paused => {
            format!("channel {}, {repeat}", progress.current_channel + 1)
        }
        _ => repeat,
    }
}

/// `until 14:05:45 CET (12s left)`; empty where no end is known.
pub fn until(until: Option<Utc>, now: Utc) -> String {
    until.map_or_else(String::new, |end| format!("until {} ({} left)", clock(end), lasting(between(now, end))))
}

pub fn plan(plan: &Plan) -> String {
    let channels = gasera::domain::channel::format_list(plan.channels());
    let measure =
        plan.iterations.map_or_else(|| duration::format(plan.measure), |count| self::count(count.into(), "iteration"));
    let particular = Particular {
        discard_first: plan.discard_first,
        background: plan.background.map(|background| (background.channel.number().into(), background.every)),
        waits: !plan.overlap && plan.sync == gasera::domain::Sync::Analyzer,
        exceptions: plan.exceptions.iter().map(|exception| exception.channel.to_string()).collect(),
        gases: plan.gas_discards.iter().map(|(cas, discard)| (cas.formula().to_owned(), *discard)).collect(),
    };
    let usual = format!(
        "channels {channels} x {}, purge {}, measure {measure}, task {}, sync {}",
        plan.repeats,
        duration::format(plan.purge),
        plan.task,
        plan.sync.as_str()
    );
    [vec![usual], particular.words()].concat().join(", ")
}

/// What not every plan has.
#[derive(Debug, Default)]
pub struct Particular {
    pub discard_first: u32,
    /// The channel, and after how many others.
    pub background: Option<(u32, u32)>,
    /// The valve waits for the result.
    pub waits: bool,
    /// The channels on which something is different.
    pub exceptions: Vec<String>,
    /// The formula, and how many of its readings are left out.
    pub gases: Vec<(String, u32)>,
}

impl Particular {
    pub fn words(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.discard_first > 0 {
            parts.push(format!("discard first {}", self.discard_first));
        }
        let gases = self.gases.iter().filter(|(_, discard)| *discard > 0);
        parts.extend(gases.map(|(gas, discard)| format!("discard first {discard} of {gas}")));
        parts.extend(self.background.map(|(channel, every)| format!("background {channel} after every {every}")));
        if self.waits {
            parts.push("no overlap".into());
        }
        if !self.exceptions.is_empty() {
            let channels = if self.exceptions.len() == 1 { "channel" } else { "channels" };
            parts.push(format!("exceptions on {channels} {}", self.exceptions.join(",")));
        }
        parts
    }
}

pub fn analyzer(analyzer: &AnalyzerStatus) -> String {
    if !analyzer.online {
        if !analyzer.stranger_to.is_empty() {
            return format!("another one: {}", analyzer.reason);
        }
        let reason = if analyzer.reason.is_empty() { String::new() } else { format!(": {}", analyzer.reason) };
        return format!("offline{reason}");
    }
    let mut text = "online".to_owned();
    if let Some(state) = analyzer.status {
        text += &format!(" · {}", state.words());
    }
    if let Some(phase) = analyzer.phase.filter(|phase| *phase != gasera::domain::AnalyzerPhase::None) {
        text += &format!(" / {}", phase.words());
    }
    if let Some(iteration) = analyzer.iteration {
        text += &format!(" · iteration {iteration}");
    }
    text
}

pub fn errors(codes: &[String]) -> String {
    DeviceErrors(codes.to_vec()).sentence()
}

pub fn position(position: Position) -> String {
    match position {
        Position::Unknown => "position unknown".into(),
        Position::Moving => "moving".into(),
        Position::At(channel, verification) => format!("at channel {channel} ({})", verified(verification)),
    }
}

fn verified(verification: Verification) -> &'static str {
    match verification {
        Verification::Readback => "read back",
        Verification::HomedCount => "counted from home",
        Verification::None => "not verified",
    }
}

/// Whose gas it is: `channel 3`, or why that is not said.
pub fn attribution(attribution: Attribution, channel: Option<Channel>) -> String {
    match (attribution, channel) {
        (Attribution::Exact, Some(channel)) => format!("channel {channel}"),
        (other, _) => other.as_str().to_owned(),
    }
}

/// Four significant digits or so: `412.3`, `1.923`, `0.0412`.
pub fn ppm(value: Option<f64>) -> String {
    let Some(value) = value else { return "-".into() };
    let decimals = match value.abs() {
        large if large >= 1000.0 => 0,
        large if large >= 100.0 => 1,
        large if large >= 10.0 => 2,
        large if large >= 1.0 => 3,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// `CO2 412.3, CH4 1.923 ppm`
pub fn readings(data: &LiveData) -> String {
    let gases: Vec<String> = data.components.iter().map(|gas| format!("{} {}", gas.formula, ppm(gas.ppm))).collect();
    format!("{} {}", gases.join(", "), data.units)
}

/// What is to be known of a result beside its numbers; empty if it is good.
pub fn doubts(data: &LiveData) -> String {
    let mut doubts: Vec<&str> = data.flags.iter().map(|flag| flag.as_str()).collect();
    if data.discard {
        doubts.insert(0, "discarded");
    }
    doubts.join(", ")
}

/// `None` while the run is under way.
pub fn outcome(run: &Run) -> Option<Outcome> {
    match run.outcome() {
        proto::Outcome::Unspecified => None,
        proto::Outcome::Completed => Some(Outcome::Completed),
        proto::Outcome::Partial => Some(Outcome::Partial),
        proto::Outcome::Aborted => Some(Outcome::Aborted),
        proto::Outcome::Failed => Some(Outcome::Failed),
    }
}

/// `ada wants the run to pause after the sample under way`
pub fn update(update: &RunUpdate) -> String {
    let RunUpdate { who, text, .. } = update;
    let words = match update.change {
        RunChange::Queued => format!("{who} wants run {}, which {text}", update.run_id),
        RunChange::Unqueued => format!("run {} does not begin: {text}", update.run_id),
        RunChange::PauseAsked => format!("{who} wants the run to pause {text}"),
        RunChange::Paused if text == "paused" => format!("{who} paused the run"),
        RunChange::Paused => format!("the run is paused: {text}, by {who}"),
        RunChange::Resumed => format!("{who} resumed the run {text}"),
        RunChange::Skipped => format!("{who} skipped {text}"),
        RunChange::FinishAsked => format!("{who} wants the run to finish {text}"),
        RunChange::Noted => format!("{who} noted: {text}"),
    };
    words.trim_end().to_owned()
}

/// `01J… "barn", begins at 2026-01-15 08:30:00 CET, for ada`
pub fn queued(run: &QueuedRun) -> String {
    let label = if run.label.is_empty() { String::new() } else { format!(" \"{}\"", run.label) };
    let begins =
        run.begins.map_or_else(|| "when no other is under way".into(), |begins| format!("at {}", date(begins)));
    format!("{}{label}, begins {begins}, for {}", run.run_id, run.who)
}

/// How far the analyzer's clock is from the computer's: `0.4 s ahead`.
pub fn offset(seconds: f64) -> String {
    match seconds {
        seconds if seconds.abs() < 0.05 => "right".into(),
        seconds if seconds < 0.0 => format!("{:.1} s behind", -seconds),
        seconds => format!("{seconds:.1} s ahead"),
    }
}

/// `stamps tell the time of sampling`
pub fn stamp(meaning: StampMeaning) -> &'static str {
    match meaning {
        StampMeaning::Sampling => "stamps tell the time of sampling",
        StampMeaning::Calculated => "stamps tell the time of calculation",
    }
}

/// `analyzer clock 0.4 s ahead, stamps tell the time of sampling, 1204 valve moves`
pub fn metrics(metrics: &DeviceMetrics) -> String {
    let clock = metrics.clock_offset_s.map(|offset| format!("analyzer clock {}", self::offset(offset)));
    let stamp = metrics.stamp_meaning.map(|meaning| stamp(meaning).to_owned());
    let moves = metrics.actuations.map(|count| format!("{count} valve moves"));
    clock.into_iter().chain(stamp).chain(moves).collect::<Vec<_>>().join(", ")
}

/// `vici · at channel 3 (read back) · EMHMA-CE · 1204 moves`
pub fn multiplexer(multiplexer: &MultiplexerStatus, paint: Paint) -> String {
    let driver = if multiplexer.simulated {
        format!("{}: no sample is good", multiplexer.driver)
    } else {
        multiplexer.driver.clone()
    };
    let mut parts = vec![driver, position(multiplexer.position), multiplexer.model.clone()];
    parts.extend(multiplexer.actuations.map(|moves| count(moves, "move")));
    parts.push(if multiplexer.fault.is_empty() { String::new() } else { paint.bad(&multiplexer.fault).into_owned() });
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_it_is_meant_to_be() {
        assert_eq!(bar(0, 4), "[----]");
        assert_eq!(bar(50, 4), "[##--]");
        assert_eq!(bar(250, 4), "[####]");
    }

    #[test]
    fn ppm_keeps_about_four_digits() {
        let values = [Some(41_234.5), Some(412.34), Some(41.234), Some(1.9234), Some(0.04123), Some(-3.0), None];
        let texts = values.map(ppm);
        assert_eq!(texts, ["41234", "412.3", "41.23", "1.923", "0.0412", "-3.000", "-"]);
    }

    #[test]
    fn the_older_something_is_the_coarser_its_age() {
        let ages = [0, 59, 599, 600, 11_999, 359_999, 360_000].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["0s", "59s", "9m59s", "10m", "3h19m", "99h59m", "4d"]);
    }

    #[test]
    fn time_left_is_never_negative() {
        let (early, late) = (Utc::from_micros(0), Utc::from_micros(90_000_000));
        assert!(until(Some(late), early).ends_with("(1m30s left)"));
        assert!(until(Some(early), late).ends_with("(0s left)"));
        assert_eq!(until(None, late), "");
    }

    #[test]
    fn a_clock_is_right_behind_or_ahead() {
        assert_eq!([offset(0.04), offset(-2.26), offset(3600.0)], ["right", "2.3 s behind", "3600.0 s ahead"]);
    }

    #[test]
    fn seconds_that_are_no_duration_are_none() {
        assert_eq!([seconds(-1.0), seconds(f64::NAN), seconds(72.6)], ["0s", "0s", "1m12s"]);
    }
}
