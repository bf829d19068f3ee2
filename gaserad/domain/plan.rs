//! What is asked of a run. A [`Plan`] that exists is valid.

mod course;
mod pace;
mod request;
mod timeline;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::channel::{self, Channel, ChannelError};
use super::duration;
use super::gas::Cas;

pub use course::{CourseStanding, Whereabouts};
pub use pace::Pace;
pub use request::{BackgroundRequest, ParkRequest, PlanRequest};
pub use timeline::{Stop, TimelineEntry};

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
    pub purge: Duration,
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
    pub discard_first: u32,
    pub background: Option<Background>,
    pub overlap: bool,
    pub park: Option<Channel>,
    pub exceptions: Vec<ChannelPlan>,
    pub gas_discards: BTreeMap<Cas, u32>,
}

/// A channel that is measured again and again between the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Background {
    pub channel: Channel,
    /// Before the first channel of a repeat, and then after so many others.
    pub every: u32,
}

impl Background {
    /// Where nobody says how often.
    pub const EVERY: u32 = 4;
}

/// What is different on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelPlan {
    pub channel: Channel,
    #[serde(
        rename = "purge_s",
        alias = "pause_s",
        default,
        with = "duration::optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub purge: Option<Duration>,
    #[serde(
        rename = "measure_s",
        default,
        with = "duration::optional_seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub measure: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discard_first: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Channels(#[from] ChannelError),
    #[error("repeats is {0}; it can be 1 to {max}", max = Plan::MAX_REPEATS)]
    Repeats(u32),
    #[error("purge is {}; it can be 0s to {}", duration::format(*.0), duration::format(Plan::MAX_DURATION))]
    Purge(Duration),
    #[error("measure is {}; it can be {} to {}", duration::format(*.0), duration::format(Plan::MIN_MEASURE), duration::format(Plan::MAX_DURATION))]
    Measure(Duration),
    #[error("iterations is {0}; it can be 1 to {max}", max = Plan::MAX_ITERATIONS)]
    Iterations(u32),
    #[error("iterations need sync \"analyzer\"; with \"dwell\" a channel is left after its measure time")]
    IterationsInDwell,
    #[error("no task is named; give one, like --task DEFAULT")]
    Task,
    #[error("discard-first is {0}; it can be 0 to {max}", max = Plan::MAX_DISCARD)]
    Discard(u32),
    #[error("the background channel is to be measured after every 0 channels; write 1 or more")]
    BackgroundEvery,
    #[error("a background channel needs sync \"analyzer\"; with \"dwell\" the valve walks its lines in order")]
    BackgroundInDwell,
    #[error("only the background channel {0} is selected; give the channels to measure between, like --channels 1-8")]
    OnlyBackground(Channel),
    #[error("channel {channel}: {error}")]
    Exception { channel: Channel, error: Box<PlanError> },
}

impl PlanError {
    /// What has to be mended, by its name in a [`PlanDraft`]; `None` where it is in what is different on a channel.
    pub const fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::Channels(_) | Self::OnlyBackground(_) => "channels",
            Self::Repeats(_) => "repeats",
            Self::Purge(_) => "purge",
            Self::Measure(_) => "measure",
            Self::Iterations(_) | Self::IterationsInDwell => "iterations",
            Self::Task => "task",
            Self::Discard(_) => "discard_first",
            Self::BackgroundEvery | Self::BackgroundInDwell => "background",
            Self::Exception { .. } => return None,
        })
    }
}

/// Channels x repeats: switch, settle, purge, measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Ascending, not empty.
    channels: Vec<Channel>,
    pub repeats: u32,
    #[serde(rename = "purge_s", alias = "pause_s", with = "duration::seconds")]
    pub purge: Duration,
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
    /// So many samples after each arrival are not used, beside those of the purge.
    #[serde(default)]
    pub discard_first: u32,
    #[serde(default)]
    pub background: Option<Background>,
    /// The valve moves on at the end of a gas exchange, while the analyzer still works on it; else it waits for the result.
    #[serde(default = "yes")]
    pub overlap: bool,
    /// Where the valve is sent when the run is over; it stays where it is if there is none.
    #[serde(default)]
    pub park: Option<Channel>,
    #[serde(default)]
    pub exceptions: Vec<ChannelPlan>,
    /// So many samples after each arrival are not used for this gas: some cling to the tubes.
    #[serde(default)]
    pub gas_discards: BTreeMap<Cas, u32>,
}

const fn yes() -> bool {
    true
}

impl Plan {
    pub const MAX_REPEATS: u32 = 100_000;
    pub const MAX_ITERATIONS: u32 = 100_000;
    pub const MAX_DISCARD: u32 = 1000;
    pub const MIN_MEASURE: Duration = Duration::from_secs(1);
    pub const MAX_DURATION: Duration = Duration::from_secs(24 * 3600);
    /// What an iteration takes, more or less.
    pub const ITERATION: Duration = Duration::from_secs(60);
    /// The phase that tells dashboards that a plan is through, before they see IDLE.
    pub const CLOSING: Duration = Duration::from_secs(1);

    pub fn new(draft: PlanDraft) -> Result<Self, PlanError> {
        let mut channels = channel::parse_list(&draft.channels, draft.channel_count)?;
        if !(1..=Self::MAX_REPEATS).contains(&draft.repeats) {
            return Err(PlanError::Repeats(draft.repeats));
        }
        check(&draft.as_exception(), draft.sync)?;
        for exception in &draft.exceptions {
            check(exception, draft.sync)
                .map_err(|error| PlanError::Exception { channel: exception.channel, error: Box::new(error) })?;
        }
        draft.gas_discards.values().try_for_each(|discard| check_discard(*discard))?;
        if let Some(background) = draft.background {
            check_background(background, &draft)?;
            channels.retain(|channel| *channel != background.channel);
            if channels.is_empty() {
                return Err(PlanError::OnlyBackground(background.channel));
            }
        }
        if draft.task.trim().is_empty() {
            return Err(PlanError::Task);
        }
        Ok(Self {
            channels,
            repeats: draft.repeats,
            purge: draft.purge,
            measure: draft.measure,
            iterations: draft.iterations,
            task: draft.task,
            sync: draft.sync,
            save_on_device: draft.save_on_device,
            label: draft.label,
            note: draft.note,
            operator: draft.operator,
            settle: draft.settle,
            discard_first: draft.discard_first,
            background: draft.background,
            overlap: draft.overlap,
            park: draft.park,
            exceptions: draft.exceptions,
            gas_discards: draft.gas_discards,
        })
    }

    /// Ascending, without the background channel.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Whether the channel is measured, be it as the background.
    pub fn visits_channel(&self, channel: Channel) -> bool {
        self.channels.contains(&channel) || self.background.is_some_and(|background| background.channel == channel)
    }
}

impl Default for PlanDraft {
    fn default() -> Self {
        Self {
            channels: "all".into(),
            channel_count: Channel::MAX,
            repeats: 1,
            purge: Duration::from_secs(300),
            measure: Duration::from_secs(300),
            iterations: None,
            task: "DEFAULT".into(),
            sync: Sync::default(),
            save_on_device: false,
            label: String::new(),
            note: String::new(),
            operator: String::new(),
            settle: Duration::from_secs(5),
            discard_first: 0,
            background: None,
            overlap: true,
            park: None,
            exceptions: Vec::new(),
            gas_discards: BTreeMap::new(),
        }
    }
}

impl ChannelPlan {
    pub const fn new(channel: Channel) -> Self {
        Self { channel, purge: None, measure: None, iterations: None, discard_first: None }
    }
}

impl PlanDraft {
    fn as_exception(&self) -> ChannelPlan {
        ChannelPlan {
            channel: Channel::HOME,
            purge: Some(self.purge),
            measure: Some(self.measure),
            iterations: self.iterations,
            discard_first: Some(self.discard_first),
        }
    }
}

fn check(asked: &ChannelPlan, sync: Sync) -> Result<(), PlanError> {
    if let Some(purge) = asked.purge.filter(|purge| *purge > Plan::MAX_DURATION) {
        return Err(PlanError::Purge(purge));
    }
    let measurable = Plan::MIN_MEASURE..=Plan::MAX_DURATION;
    if let Some(measure) = asked.measure.filter(|measure| !measurable.contains(measure)) {
        return Err(PlanError::Measure(measure));
    }
    if let Some(iterations) = asked.iterations {
        if !(1..=Plan::MAX_ITERATIONS).contains(&iterations) {
            return Err(PlanError::Iterations(iterations));
        }
        if sync == Sync::Dwell {
            return Err(PlanError::IterationsInDwell);
        }
    }
    asked.discard_first.map_or(Ok(()), check_discard)
}

const fn check_discard(discard: u32) -> Result<(), PlanError> {
    if discard > Plan::MAX_DISCARD { Err(PlanError::Discard(discard)) } else { Ok(()) }
}

fn check_background(background: Background, draft: &PlanDraft) -> Result<(), PlanError> {
    if background.every == 0 {
        return Err(PlanError::BackgroundEvery);
    }
    if draft.sync == Sync::Dwell {
        return Err(PlanError::BackgroundInDwell);
    }
    let number = background.channel.number();
    if number > draft.channel_count {
        let count = draft.channel_count;
        return Err(ChannelError::OutOfRange { number: number.into(), count }.into());
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn draft(channels: &str, sync: Sync) -> PlanDraft {
        PlanDraft {
            channels: channels.into(),
            purge: Duration::from_secs(2),
            measure: Duration::from_secs(4),
            sync,
            ..PlanDraft::default()
        }
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
        assert!(matches!(with(|d| d.purge = Duration::from_secs(90_000)), Err(PlanError::Purge(_))));
        assert!(matches!(with(|d| d.iterations = Some(2)), Err(PlanError::IterationsInDwell)));
        assert!(matches!(with(|d| d.channels = "!1-31".into()), Err(PlanError::Channels(ChannelError::None))));
        assert!(matches!(with(|d| d.discard_first = 1001), Err(PlanError::Discard(1001))));
        let background = |channel, every| Some(Background { channel: Channel::new(channel).unwrap(), every });
        let only = Plan::new(PlanDraft { background: background(1, 1), ..draft("1", Sync::Analyzer) });
        assert!(matches!(only, Err(PlanError::OnlyBackground(_))));
        let dwell = Plan::new(PlanDraft { background: background(2, 1), ..draft("1", Sync::Dwell) });
        assert!(matches!(dwell, Err(PlanError::BackgroundInDwell)));
        assert!(matches!(with(|d| d.task = " ".into()), Err(PlanError::Task)));
    }
}
