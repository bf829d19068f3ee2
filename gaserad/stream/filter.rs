//! What one reader wants to see.
//!
//! A filter by run or channel holds back what names another run or another channel; what names none passes, except
//! a result whose channel is not known. What a reader needs to keep in step with the stream passes every filter.

use std::collections::BTreeSet;

use crate::domain::channel::{self, ChannelError};
use crate::domain::{Channel, Event, Published, RunId};

/// What keeps a reader in step.
const CONTROL: [&str; 6] = ["connected", "snapshot", "heartbeat", "gap", "error", "system.shutdown"];
pub const PROGRESS: &str = "progress";
pub const TEST: &str = "test";
const LIVE_DATA: &str = "live_data";
/// Names that clients of other systems ask for, and what they mean here.
const ALIASES: [(&str, &str); 5] = [
    ("progress_update", PROGRESS),
    ("risk_alert", "alarm"),
    ("task_update", "run.*"),
    ("job_updated", "run.*"),
    ("system_status", "device.*"),
];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    types: Option<BTreeSet<&'static str>>,
    channels: Option<BTreeSet<u8>>,
    run: Option<RunId>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    #[error("there is no event type {given:?}; the types are {}, and run.* means all that begin with \"run.\"", .valid.join(", "))]
    Type { given: String, valid: Vec<&'static str> },
    #[error("the channels to watch cannot be read: {0}")]
    Channels(#[from] ChannelError),
}

impl Filter {
    /// Reads `run.*,live_data` and `1-8,12`.
    pub fn parse(types: Option<&str>, channels: Option<&str>, run: Option<RunId>) -> Result<Self, FilterError> {
        let channels = channels.map(|text| channel::parse_list(text, Channel::MAX)).transpose()?;
        Ok(Self {
            types: types.map(parse_types).transpose()?,
            channels: channels.map(|channels| channels.into_iter().map(Channel::number).collect()),
            run,
        })
    }

    /// The names that `types` can select.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Event::NAMES.into_iter().chain([PROGRESS, TEST]).chain(CONTROL).collect::<BTreeSet<_>>().into_iter()
    }

    /// The types that are wanted; all if none are named.
    pub fn types(&self) -> Vec<&'static str> {
        self.types.iter().flatten().copied().collect()
    }

    pub fn channels(&self) -> Option<Vec<u8>> {
        self.channels.as_ref().map(|channels| channels.iter().copied().collect())
    }

    pub fn run(&self) -> Option<&RunId> {
        self.run.as_ref()
    }

    /// Whether a trial that stands for an event of this type is wanted.
    pub fn passes_test(&self, stands_for: &str) -> bool {
        self.passes_name(TEST) || self.passes_name(stands_for)
    }

    pub fn passes(&self, event: &Published) -> bool {
        let name = event.name.as_str();
        CONTROL.contains(&name)
            || self.passes_name(name) && self.passes_run(event.run.as_ref()) && self.passes_channel(name, event.channel)
    }

    /// Whether progress ticks of `run` are wanted.
    pub fn passes_progress(&self, run: Option<&RunId>) -> bool {
        self.passes_name(PROGRESS) && self.passes_run(run)
    }

    fn passes_name(&self, name: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains(name))
    }

    fn passes_run(&self, run: Option<&RunId>) -> bool {
        self.run.as_ref().zip(run).is_none_or(|(wanted, run)| wanted == run)
    }

    fn passes_channel(&self, name: &str, channel: Option<u8>) -> bool {
        let Some(wanted) = &self.channels else { return true };
        channel.map_or(name != LIVE_DATA, |channel| wanted.contains(&channel))
    }
}

fn parse_types(text: &str) -> Result<BTreeSet<&'static str>, FilterError> {
    let mut types = BTreeSet::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let item = ALIASES.iter().find(|(alias, _)| *alias == item).map_or(item, |(_, meant)| *meant);
        let fits = |name: &str| item.strip_suffix('*').map_or(name == item, |prefix| name.starts_with(prefix));
        let meant: Vec<_> = Filter::names().filter(|name| fits(name)).collect();
        if meant.is_empty() {
            return Err(FilterError::Type { given: item.to_owned(), valid: Filter::names().collect() });
        }
        types.extend(meant);
    }
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, run: Option<&str>, channel: Option<u8>) -> Published {
        Published { seq: 1, name: name.into(), run: run.map(|id| RunId(id.into())), channel, data: "{}".into() }
    }

    #[test]
    fn types_can_end_in_a_wildcard() {
        let filter = Filter::parse(Some("run.*, phase,run.started"), None, None).unwrap();
        assert!(filter.passes(&event("run.finished", None, None)));
        assert!(filter.passes(&event("phase", None, None)));
        assert!(!filter.passes(&event("alarm", None, None)));
        assert!(!filter.passes_progress(None));
        assert!(Filter::parse(Some("progress_update"), None, None).unwrap().passes_progress(None));
        assert_eq!(Filter::parse(Some("device.*"), None, None).unwrap().types().len(), 5);
        assert!(filter.passes_test("phase") && !filter.passes_test("alarm"));
    }

    #[test]
    fn an_unknown_type_is_refused_with_the_names_there_are() {
        for text in ["runs", "run.start", "nothing.*", "phase,phases"] {
            let error = Filter::parse(Some(text), None, None).unwrap_err().to_string();
            assert!(error.contains("run.started") && error.contains("progress"), "{error}");
        }
    }

    #[test]
    fn a_channel_filter_holds_back_other_channels_and_results_of_no_channel() {
        let filter = Filter::parse(None, Some("1-3"), None).unwrap();
        assert!(filter.passes(&event("live_data", None, Some(2))));
        assert!(!filter.passes(&event("live_data", None, Some(4))));
        assert!(!filter.passes(&event("live_data", None, None)));
        assert!(filter.passes(&event("run.finished", None, None)));
    }

    #[test]
    fn a_run_filter_holds_back_other_runs() {
        let filter = Filter::parse(None, None, Some(RunId("A".into()))).unwrap();
        assert!(filter.passes(&event("phase", Some("A"), None)));
        assert!(!filter.passes(&event("phase", Some("B"), None)));
        assert!(filter.passes(&event("device.connection", None, None)));
        assert!(!filter.passes_progress(Some(&RunId("B".into()))));
    }

    #[test]
    fn what_keeps_a_reader_in_step_passes_every_filter() {
        let filter = Filter::parse(Some("alarm"), Some("1"), Some(RunId("A".into()))).unwrap();
        assert!(filter.passes(&event("system.shutdown", None, None)));
    }
}
