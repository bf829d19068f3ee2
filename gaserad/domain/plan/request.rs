//! What somebody asks of a plan, by flags or in a file. What they do not say is as it is configured.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Background, ChannelPlan, Plan, PlanDraft, PlanError, Sync};
use crate::domain::channel::Channel;
use crate::domain::gas::Cas;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanRequest {
    /// As people write them: `1-8,12,!5` or `all`.
    pub channels: Option<String>,
    pub repeats: Option<u32>,
    pub purge: Option<Duration>,
    pub measure: Option<Duration>,
    pub iterations: Option<u32>,
    pub task: Option<String>,
    pub sync: Option<Sync>,
    pub save_on_device: Option<bool>,
    pub label: Option<String>,
    pub note: Option<String>,
    pub operator: Option<String>,
    pub discard_first: Option<u32>,
    pub background: Option<BackgroundRequest>,
    pub overlap: Option<bool>,
    pub park: Option<ParkRequest>,
    pub exceptions: Vec<ChannelPlan>,
    pub gas_discards: BTreeMap<Cas, u32>,
}

/// A background channel that is asked for, or that there is to be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundRequest {
    None,
    Channel { channel: Channel, every: Option<u32> },
}

/// Where the valve is to be when the run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkRequest {
    Stay,
    At(Channel),
}

impl PlanRequest {
    /// What is asked here counts more than what `under` asks.
    pub fn over(self, under: Self) -> Self {
        let iterations = self.iterations.or(under.iterations.filter(|_| self.measure.is_none()));
        Self {
            channels: self.channels.or(under.channels),
            repeats: self.repeats.or(under.repeats),
            purge: self.purge.or(under.purge),
            measure: self.measure.or(under.measure),
            iterations,
            task: self.task.or(under.task),
            sync: self.sync.or(under.sync),
            save_on_device: self.save_on_device.or(under.save_on_device),
            label: self.label.or(under.label),
            note: self.note.or(under.note),
            operator: self.operator.or(under.operator),
            discard_first: self.discard_first.or(under.discard_first),
            background: self.background.or(under.background),
            overlap: self.overlap.or(under.overlap),
            park: self.park.or(under.park),
            exceptions: merged(under.exceptions, self.exceptions),
            gas_discards: under.gas_discards.into_iter().chain(self.gas_discards).collect(),
        }
    }

    /// The plan that is asked for. What is configured but cannot be had with the timing that is asked for is left out;
    /// what is asked for and cannot be had is an error.
    pub fn plan(self, defaults: PlanDraft) -> Result<Plan, PlanError> {
        let sync = self.sync.unwrap_or(defaults.sync);
        let configured = defaults.exceptions.into_iter().map(|exception| in_time(exception, sync)).collect();
        let background = match self.background {
            None => defaults.background.filter(|_| sync == Sync::Analyzer),
            Some(asked) => asked.with(defaults.background),
        };
        let draft = PlanDraft {
            channels: self.channels.unwrap_or(defaults.channels),
            channel_count: defaults.channel_count,
            repeats: self.repeats.unwrap_or(defaults.repeats),
            purge: self.purge.unwrap_or(defaults.purge),
            measure: self.measure.unwrap_or(defaults.measure),
            iterations: self.iterations.or(defaults.iterations),
            task: self.task.unwrap_or(defaults.task),
            sync,
            save_on_device: self.save_on_device.unwrap_or(defaults.save_on_device),
            label: self.label.unwrap_or(defaults.label),
            note: self.note.unwrap_or(defaults.note),
            operator: self.operator.unwrap_or(defaults.operator),
            settle: defaults.settle,
            discard_first: self.discard_first.unwrap_or(defaults.discard_first),
            background,
            overlap: self.overlap.unwrap_or(defaults.overlap),
            park: self.park.map_or(defaults.park, ParkRequest::channel),
            exceptions: merged(configured, self.exceptions),
            gas_discards: defaults.gas_discards.into_iter().chain(self.gas_discards).collect(),
        };
        let mut plan = Plan::new(draft)?;
        let measured = |channel: &Channel| plan.visits_channel(*channel);
        let concerned = plan.exceptions.iter().filter(|exception| measured(&exception.channel)).cloned().collect();
        plan.exceptions = concerned;
        Ok(plan)
    }
}

impl BackgroundRequest {
    /// How often, where that is not said, is as configured.
    fn with(self, configured: Option<Background>) -> Option<Background> {
        let Self::Channel { channel, every } = self else { return None };
        let usual = configured.map_or(Background::EVERY, |background| background.every);
        Some(Background { channel, every: every.unwrap_or(usual) })
    }
}

impl ParkRequest {
    const fn channel(self) -> Option<Channel> {
        match self {
            Self::Stay => None,
            Self::At(channel) => Some(channel),
        }
    }
}

/// Fixed times know no iterations.
fn in_time(exception: ChannelPlan, sync: Sync) -> ChannelPlan {
    match sync {
        Sync::Analyzer => exception,
        Sync::Dwell => ChannelPlan { iterations: None, ..exception },
    }
}

/// Channel by channel and key by key, `over` counts more.
fn merged(under: Vec<ChannelPlan>, over: Vec<ChannelPlan>) -> Vec<ChannelPlan> {
    let mut all: BTreeMap<Channel, ChannelPlan> =
        under.into_iter().map(|exception| (exception.channel, exception)).collect();
    for asked in over {
        let usual = all.remove(&asked.channel).unwrap_or(ChannelPlan::new(asked.channel));
        let exception = ChannelPlan {
            channel: asked.channel,
            purge: asked.purge.or(usual.purge),
            measure: asked.measure.or(usual.measure),
            iterations: asked.iterations.or(usual.iterations.filter(|_| asked.measure.is_none())),
            discard_first: asked.discard_first.or(usual.discard_first),
        };
        all.insert(asked.channel, exception);
    }
    all.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "it stands where there may be none")]
    const fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    fn own(number: u8) -> ChannelPlan {
        ChannelPlan::new(Channel::new(number).unwrap())
    }

    #[test]
    fn a_flag_counts_more_than_the_file_and_the_file_more_than_the_settings() {
        let file = PlanRequest {
            channels: Some("1-4".into()),
            purge: seconds(60),
            iterations: Some(3),
            exceptions: vec![ChannelPlan { purge: seconds(90), iterations: Some(5), ..own(2) }],
            ..PlanRequest::default()
        };
        let flags = PlanRequest { channels: Some("2".into()), measure: seconds(30), ..PlanRequest::default() };
        let defaults = PlanDraft { repeats: 7, ..PlanDraft::default() };
        let plan = flags.over(file.clone()).plan(defaults.clone()).unwrap();
        assert_eq!((plan.channels().len(), plan.repeats, plan.purge), (1, 7, Duration::from_secs(60)));
        assert_eq!((Some(plan.measure), plan.iterations), (seconds(30), None), "a time in place of iterations");
        let plan = file.plan(defaults).unwrap();
        assert_eq!((plan.channels().len(), plan.iterations), (4, Some(3)));
    }

    #[test]
    fn what_is_different_on_a_channel_is_laid_over_key_by_key() {
        let under = vec![ChannelPlan { purge: seconds(90), iterations: Some(5), ..own(2) }, own(3)];
        let over = vec![ChannelPlan { measure: seconds(20), ..own(2) }, ChannelPlan { purge: seconds(1), ..own(1) }];
        let expected = [
            ChannelPlan { purge: seconds(1), ..own(1) },
            ChannelPlan { purge: seconds(90), measure: seconds(20), ..own(2) },
            own(3),
        ];
        assert_eq!(merged(under, over), expected);
    }

    #[test]
    fn a_gas_may_be_asked_to_be_as_all_others() {
        let ammonia = Cas("7664-41-7".into());
        let defaults = PlanDraft { gas_discards: BTreeMap::from([(ammonia.clone(), 3)]), ..PlanDraft::default() };
        assert_eq!(PlanRequest::default().plan(defaults.clone()).unwrap().gas_discards[&ammonia], 3);
        let asked = PlanRequest { gas_discards: BTreeMap::from([(ammonia.clone(), 0)]), ..PlanRequest::default() };
        assert_eq!(asked.plan(defaults).unwrap().gas_discards[&ammonia], 0);
    }
}
