//! The state as a list of subjects with a word each, for panels that show lights: `engine` is `measuring`, `ch:7` is `sampling`.
//!
//! It is worked out from the status alone. Whether a channel's samples were any good is not in it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::channel::{self, ChannelError};
use crate::domain::status::{AnalyzerStatus, MultiplexerStatus};
use crate::domain::{AnalyzerState, Channel, Phase, Position, RunSummary, Status};

/// Subjects that are no channels.
pub const PARTS: [&str; 4] = ["instrument", "engine", "multiplexer", "schedule"];
const CHANNEL: &str = "ch:";

/// How each subject stands.
pub type Subjects = BTreeMap<String, Cow<'static, str>>;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    #[error(
        "no ids are given; name what to follow, like ?ids=instrument,engine,ch:1-8; there are {}, and ch:1 to ch:{max}", PARTS.join(", "), max = Channel::MAX
    )]
    None,
    #[error("there is no subject {0:?}; there are {parts}, and ch:1 to ch:{max}", parts = PARTS.join(", "), max = Channel::MAX)]
    Unknown(String),
    #[error("the channels of {0:?} cannot be read: {1}")]
    Channels(String, ChannelError),
}

/// Reads `instrument,engine,ch:1-8`.
pub fn parse(ids: &str) -> Result<BTreeSet<String>, SubjectError> {
    let mut subjects = BTreeSet::new();
    for id in ids.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        if PARTS.contains(&id) {
            subjects.insert(id.to_owned());
            continue;
        }
        let list = id.strip_prefix(CHANNEL).ok_or_else(|| SubjectError::Unknown(id.to_owned()))?;
        let channels = channel::parse_list(list, Channel::MAX);
        let channels = channels.map_err(|error| SubjectError::Channels(id.to_owned(), error))?;
        subjects.extend(channels.into_iter().map(|channel| format!("{CHANNEL}{channel}")));
    }
    if subjects.is_empty() { Err(SubjectError::None) } else { Ok(subjects) }
}

/// How everything stands that can be followed.
pub fn of(status: &Status) -> Subjects {
    let mut subjects = Subjects::from([
        ("instrument".to_owned(), instrument(&status.analyzer)),
        ("engine".to_owned(), status.phase.as_str().to_lowercase().into()),
        ("multiplexer".to_owned(), multiplexer(&status.multiplexer)),
        ("schedule".to_owned(), if status.queued.is_empty() { "empty" } else { "queued" }.into()),
    ]);
    let current = status.run.as_ref().and_then(|_| Channel::new(status.progress.current_channel + 1));
    let (planned, through) = status.run.as_ref().map(|run| channels(run, status)).unwrap_or_default();
    for channel in (1..=Channel::MAX).filter_map(Channel::new) {
        let word = match status.phase {
            _ if !planned.contains(&channel) => "inactive",
            Phase::Purging if current == Some(channel) => "pausing",
            Phase::Measuring if current == Some(channel) => "sampling",
            Phase::Failed if current == Some(channel) => "failed",
            _ if through.contains(&channel) => "sampled",
            _ => "active",
        };
        subjects.insert(format!("{CHANNEL}{channel}"), word.into());
    }
    subjects
}

fn instrument(analyzer: &AnalyzerStatus) -> Cow<'static, str> {
    match (analyzer.online, analyzer.status) {
        (false, _) => "offline".into(),
        (true, state) => state.map_or("online".into(), state_name),
    }
}

/// A state as payloads spell it.
pub fn state_name(state: AnalyzerState) -> Cow<'static, str> {
    let name = serde_json::to_value(state).ok().and_then(|name| name.as_str().map(str::to_owned));
    name.map_or("other".into(), Cow::from)
}

fn multiplexer(valve: &MultiplexerStatus) -> Cow<'static, str> {
    match valve.position {
        _ if !valve.fault.is_empty() => "fault".into(),
        Position::Unknown => "unknown".into(),
        Position::Moving => "moving".into(),
        Position::At(channel, _) => format!("{CHANNEL}{channel}").into(),
    }
}

/// The channels of the plan, and those of them that this repeat is through with.
fn channels(run: &RunSummary, status: &Status) -> (BTreeSet<Channel>, BTreeSet<Channel>) {
    let stops: Vec<Channel> =
        run.plan.stops().into_iter().filter(|stop| stop.measured).map(|stop| stop.channel).collect();
    let step = usize::try_from(status.progress.step_index).unwrap_or_default();
    let over = status.progress.step_index > 0 && status.progress.step_index == status.progress.total_steps;
    let through = if over { stops.len() } else { step % stops.len().max(1) };
    (stops.iter().copied().collect(), stops.iter().take(through).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::support::status;

    #[test]
    fn subjects_are_named_one_by_one_or_as_a_range() {
        let names: Vec<_> = parse("engine, ch:9,ch:1-2").unwrap().into_iter().collect();
        assert_eq!(names, ["ch:1", "ch:2", "ch:9", "engine"]);
        assert_eq!(parse(" , "), Err(SubjectError::None));
        for wrong in ["pump", "ch:", "ch:0", "ch:1-32", "engine,ch:x", "Engine"] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains("ch"), "{error}");
        }
        assert!(parse("pump").unwrap_err().to_string().contains("instrument, engine, multiplexer, schedule"));
    }

    #[test]
    fn the_channels_of_a_run_show_how_far_it_is() {
        // On channel 3 of 1-4, with two behind it.
        let subjects = of(&status(0));
        let word = |subject: &str| subjects[subject].as_ref().to_owned();
        assert_eq!([word("instrument"), word("engine"), word("schedule")], ["measuring", "measuring", "empty"]);
        assert_eq!(
            [word("ch:1"), word("ch:2"), word("ch:3"), word("ch:4"), word("ch:5")],
            ["sampled", "sampled", "sampling", "active", "inactive"]
        );
        let mut idle = Status { run: None, phase: Phase::Idle, ..status(0) };
        idle.analyzer.online = false;
        let subjects = of(&idle);
        assert_eq!((subjects["ch:3"].as_ref(), subjects["instrument"].as_ref()), ("inactive", "offline"));
        assert_eq!(subjects.len(), PARTS.len() + usize::from(Channel::MAX));
    }
}
