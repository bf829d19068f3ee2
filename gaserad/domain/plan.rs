//! What is asked of a run. A [`Plan`] that exists is valid.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::channel::{self, Channel, ChannelError};
use super::duration;
use super::phase::Phase;

/// How a channel is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sync {
    /// At the end of a gas exchange, once the measure time or the iterations are reached.
    #[default]
    Analyzer,
    /// After fixed times.
    Dwell,
}

impl Sync {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Analyzer => "analyzer",
            Self::Dwell => "dwell",
        }
    }
}

/// A plan as somebody asks for it, with every default filled in, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanDraft {
    /// As people write them: `1-8,12,!5` or `all`.
    pub channels: String,
    /// How many channels the multiplexer has.
    pub channel_count: u8,
    pub repeats: u32,
    pub pause: Duration,
    pub measure: Duration,
    pub iterations: Option<u32>,
    pub task: String,
    pub sync: Sync,
    pub save_on_device: bool,
    pub label: String,
    pub note: String,
    pub operator: String,
    /// How long the gas line settles after a move of the valve.
    pub settle: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Channels(#[from] ChannelError),
    #[error("repeats is {0}; it can be 1 to {max}", max = Plan::MAX_REPEATS)]
    Repeats(u32),
    #[error("pause is {}; it can be 0s to {}", duration::format(*.0), duration::format(Plan::MAX_DURATION))]
    Pause(Duration),
    #[error("measure is {}; it can be {} to {}", duration::format(*.0), duration::format(Plan::MIN_MEASURE), duration::format(Plan::MAX_DURATION))]
    Measure(Duration),
    #[error("iterations is {0}; it can be 1 to {max}", max = Plan::MAX_ITERATIONS)]
    Iterations(u32),
    #[error("iterations need sync \"analyzer\"; with \"dwell\" a channel is left after its measure time")]
    IterationsInDwell,
    #[error("no task is named; give one, like --task DEFAULT")]
    Task,
}

/// Channels x repeats: switch, settle, purge, measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Ascending, not empty.
    channels: Vec<Channel>,
    pub repeats: u32,
    #[serde(rename = "pause_s", with = "duration::seconds")]
    pub pause: Duration,
    #[serde(rename = "measure_s", with = "duration::seconds")]
    pub measure: Duration,
    pub iterations: Option<u32>,
    pub task: String,
    pub sync: Sync,
    pub save_on_device: bool,
    pub label: String,
    pub note: String,
    pub operator: String,
    #[serde(rename = "settle_s", with = "duration::seconds")]
    pub settle: Duration,
}

impl Plan {
    pub const MAX_REPEATS: u32 = 100_000;
    pub const MAX_ITERATIONS: u32 = 100_000;
    pub const MIN_MEASURE: Duration = Duration::from_secs(1);
    pub const MAX_DURATION: Duration = Duration::from_secs(24 * 3600);
    /// What an iteration takes, more or less.
    pub const ITERATION: Duration = Duration::from_secs(60);
    /// The phase that tells dashboards that a plan is through, before they see IDLE.
    pub const CLOSING: Duration = Duration::from_secs(1);

    pub fn new(draft: PlanDraft) -> Result<Self, PlanError> {
        let channels = channel::parse_list(&draft.channels, draft.channel_count)?;
        if !(1..=Self::MAX_REPEATS).contains(&draft.repeats) {
            return Err(PlanError::Repeats(draft.repeats));
        }
        if draft.pause > Self::MAX_DURATION {
            return Err(PlanError::Pause(draft.pause));
        }
        if !(Self::MIN_MEASURE..=Self::MAX_DURATION).contains(&draft.measure) {
            return Err(PlanError::Measure(draft.measure));
        }
        if let Some(iterations) = draft.iterations {
            if !(1..=Self::MAX_ITERATIONS).contains(&iterations) {
                return Err(PlanError::Iterations(iterations));
            }
            if draft.sync == Sync::Dwell {
                return Err(PlanError::IterationsInDwell);
            }
        }
        if draft.task.trim().is_empty() {
            return Err(PlanError::Task);
        }
        Ok(Self {
            channels,
            repeats: draft.repeats,
            pause: draft.pause,
            measure: draft.measure,
            iterations: draft.iterations,
            task: draft.task,
            sync: draft.sync,
            save_on_device: draft.save_on_device,
            label: draft.label,
            note: draft.note,
            operator: draft.operator,
            settle: draft.settle,
        })
    }

    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    pub fn visits(&self) -> u32 {
        self.repeats.saturating_mul(u32::try_from(self.channels.len()).unwrap_or(u32::MAX))
    }

    /// The stops of one repeat after homing, in order. Fixed timings walk the valve line by line, as the pulse
    /// multiplexers do that they come from; otherwise the valve goes straight to the next channel.
    pub fn stops(&self) -> Vec<Stop> {
        let last = self.channels[self.channels.len() - 1];
        let mut stops = Vec::new();
        let mut line = Some(Channel::HOME);
        while let Some(channel) = line.filter(|channel| *channel <= last) {
            if self.channels.contains(&channel) {
                stops.push(Stop { channel, measured: true });
            } else if self.sync == Sync::Dwell {
                stops.push(Stop { channel, measured: false });
            }
            line = channel.next();
        }
        stops
    }

    /// The phases in order, as long as they are meant to last.
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        let mut entries: Vec<TimelineEntry> = Vec::new();
        let mut offset = Duration::ZERO;
        let mut push = |phase, channel, repeat, duration| {
            entries.push(TimelineEntry { offset, duration, phase, channel, repeat });
            offset = offset.saturating_add(duration);
        };
        let stops = self.stops();
        let measure = self.measure_estimate();
        for repeat in 1..=self.repeats {
            push(Phase::Homing, None, repeat, self.settle);
            for stop in &stops {
                if stop.channel != Channel::HOME {
                    push(Phase::Switching, Some(stop.channel), repeat, self.settle);
                }
                if stop.measured {
                    push(Phase::Paused, Some(stop.channel), repeat, self.pause);
                    push(Phase::Measuring, Some(stop.channel), repeat, measure);
                }
            }
        }
        push(Phase::Switching, None, self.repeats, Self::CLOSING);
        entries
    }

    /// How long a channel is meant to be measured. How long an iteration takes only the analyzer knows; in step with
    /// it, a visit lasts about one at least.
    fn measure_estimate(&self) -> Duration {
        let measure = self.iterations.map_or(self.measure, |count| Self::ITERATION.saturating_mul(count));
        match self.sync {
            Sync::Analyzer => measure.max(Self::ITERATION.saturating_sub(self.settle.saturating_add(self.pause))),
            Sync::Dwell => measure,
        }
    }

    /// How long the whole plan is meant to take.
    pub fn total(&self) -> Duration {
        let stops = self.stops();
        let moves =
            u32::try_from(stops.iter().filter(|stop| stop.channel != Channel::HOME).count()).unwrap_or(u32::MAX);
        let visits = u32::try_from(self.channels.len()).unwrap_or(u32::MAX);
        let dwell = self.pause.saturating_add(self.measure_estimate()).saturating_mul(visits);
        let repeat = dwell.saturating_add(self.settle.saturating_mul(moves.saturating_add(1)));
        repeat.saturating_mul(self.repeats).saturating_add(Self::CLOSING)
    }
}

/// One place where the valve comes to stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    pub channel: Channel,
    /// A line that is only passed is not measured.
    pub measured: bool,
}

/// One phase of a plan as it is meant to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    pub offset: Duration,
    pub duration: Duration,
    pub phase: Phase,
    pub channel: Option<Channel>,
    /// 1-based.
    pub repeat: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(channels: &str, sync: Sync) -> PlanDraft {
        PlanDraft {
            channels: channels.into(),
            channel_count: 31,
            repeats: 1,
            pause: Duration::from_secs(2),
            measure: Duration::from_secs(4),
            iterations: None,
            task: "DEFAULT".into(),
            sync,
            save_on_device: false,
            label: String::new(),
            note: String::new(),
            operator: String::new(),
            settle: Duration::from_secs(5),
        }
    }

    #[test]
    fn fixed_timings_pass_every_line_and_pay_for_it() {
        let plan = Plan::new(draft("2,4", Sync::Dwell)).unwrap();
        assert_eq!(plan.total(), Duration::from_secs(33));
        let timeline = plan.timeline();
        assert_eq!(timeline.iter().filter(|entry| entry.phase == Phase::Switching).count(), 4);
        let end = timeline.last().map(|entry| entry.offset + entry.duration);
        assert_eq!(end, Some(plan.total()));
    }

    #[test]
    fn otherwise_the_valve_goes_straight_there() {
        let plan = Plan::new(draft("2,4", Sync::Analyzer)).unwrap();
        assert_eq!(plan.stops().len(), 2);
        // Two visits of one iteration each, the way home and the end.
        assert_eq!(plan.total(), Duration::from_secs(2 * 60 + 5 + 1));
    }

    #[test]
    fn what_cannot_be_measured_is_no_plan() {
        let with = |change: fn(&mut PlanDraft)| {
            let mut draft = draft("1", Sync::Dwell);
            change(&mut draft);
            Plan::new(draft)
        };
        assert!(matches!(with(|d| d.repeats = 0), Err(PlanError::Repeats(0))));
        assert!(matches!(with(|d| d.measure = Duration::ZERO), Err(PlanError::Measure(_))));
        assert!(matches!(with(|d| d.pause = Duration::from_secs(90_000)), Err(PlanError::Pause(_))));
        assert!(matches!(with(|d| d.iterations = Some(2)), Err(PlanError::IterationsInDwell)));
        assert!(matches!(with(|d| d.channels = "!1-31".into()), Err(PlanError::Channels(ChannelError::None))));
        assert!(matches!(with(|d| d.task = " ".into()), Err(PlanError::Task)));
    }
}
