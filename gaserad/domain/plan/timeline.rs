//! What a plan means in order and in time: its stops, its phases, how long they take.

use std::time::Duration;

use super::course::{Course, CourseStanding};
use super::pace::{Chance, Pace};
use super::{ChannelPlan, Plan, Sync};
use crate::domain::channel::Channel;
use crate::domain::phase::Phase;

/// One place where the valve comes to stand, and what is wanted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    pub channel: Channel,
    /// A line that is only passed is not measured.
    pub measured: bool,
    pub purge: Duration,
    pub measure: Duration,
    pub iterations: Option<u32>,
    pub discard_first: u32,
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

impl Plan {
    /// The stops of one repeat after homing, in order. Fixed timings walk the valve line by line, as the pulse
    /// multiplexers do that they come from; otherwise the valve goes straight to the next channel, and to the background
    /// channel in between.
    pub fn stops(&self) -> Vec<Stop> {
        if self.sync == Sync::Dwell {
            return self.walk();
        }
        let mut stops = Vec::new();
        for (place, channel) in (0_u32..).zip(self.channels()) {
            let background = self.background.filter(|background| place.is_multiple_of(background.every));
            stops.extend(background.map(|background| self.stop(background.channel)));
            stops.push(self.stop(*channel));
        }
        stops
    }

    fn walk(&self) -> Vec<Stop> {
        let last = self.channels[self.channels.len() - 1];
        let lines = std::iter::successors(Some(Channel::HOME), |line| line.next());
        let passed = lines.take_while(|line| *line <= last);
        passed.map(|line| Stop { measured: self.channels.contains(&line), ..self.stop(line) }).collect()
    }

    fn stop(&self, channel: Channel) -> Stop {
        let exception = self.exceptions.iter().find(|exception| exception.channel == channel).cloned();
        let exception = exception.unwrap_or(ChannelPlan::new(channel));
        Stop {
            channel,
            measured: true,
            purge: exception.purge.unwrap_or(self.purge),
            measure: exception.measure.unwrap_or(self.measure),
            // A time that is asked for on one channel counts more than the iterations asked for on all.
            iterations: exception.iterations.or(self.iterations.filter(|_| exception.measure.is_none())),
            discard_first: exception.discard_first.unwrap_or(self.discard_first),
        }
    }

    /// How many visits a repeat has, those of the background channel too.
    pub fn visits_per_repeat(&self) -> u32 {
        let measured = u32::try_from(self.channels.len()).unwrap_or(u32::MAX);
        let background = self.background.map_or(0, |background| measured.div_ceil(background.every));
        measured.saturating_add(background)
    }

    pub fn visits(&self) -> u32 {
        self.repeats.saturating_mul(self.visits_per_repeat())
    }

    /// The phases in order, as long as they are meant to last; in step with the analyzer, as long as they will last at
    /// such a pace.
    pub fn timeline(&self, pace: Pace) -> Vec<TimelineEntry> {
        Course::new(self, pace).whole()
    }

    /// How long the whole plan takes, as far as is to be expected.
    pub fn total(&self, pace: Pace) -> Duration {
        self.expected(pace, |course| Some(course.total())).unwrap_or_default()
    }

    /// How long it takes as a whole, if its run is here.
    pub fn total_from(&self, pace: Pace, standing: &CourseStanding) -> Duration {
        self.expected(pace, |course| Some(course.from(standing))).unwrap_or_default()
    }

    /// When the visit after this one is over, if there is one; counted from the beginning of the run.
    pub fn next_left(&self, pace: Pace, standing: &CourseStanding) -> Option<Duration> {
        self.expected(pace, |course| course.next_left(standing))
    }

    /// The mean of some ways in which it may come.
    fn expected(&self, pace: Pace, told: impl Fn(Course) -> Option<Duration>) -> Option<Duration> {
        let spread = if self.sync == Sync::Analyzer { pace.spread } else { Duration::ZERO };
        let ways = Chance::ways(spread);
        let count = u32::try_from(ways.len()).unwrap_or(u32::MAX);
        let each = ways.into_iter().map(|chance| told(Course::new(self, pace).by(chance)));
        Some(each.collect::<Option<Vec<_>>>()?.into_iter().sum::<Duration>() / count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Background;
    use super::super::tests::draft;
    use super::*;

    fn channel(number: u8) -> Channel {
        Channel::new(number).unwrap()
    }

    #[test]
    fn fixed_timings_pass_every_line_and_pay_for_it() {
        let plan = Plan::new(draft("2,4", Sync::Dwell)).unwrap();
        assert_eq!(plan.total(Pace::ASSUMED), Duration::from_secs(33));
        let timeline = plan.timeline(Pace::ASSUMED);
        assert_eq!(timeline.iter().filter(|entry| entry.phase == Phase::Switching).count(), 4);
        let end = timeline.last().map(|entry| entry.offset + entry.duration);
        assert_eq!(end, Some(plan.total(Pace::ASSUMED)));
    }

    #[test]
    fn otherwise_the_valve_goes_straight_there() {
        let plan = Plan::new(draft("2,4", Sync::Analyzer)).unwrap();
        assert_eq!(plan.stops().len(), 2);
        // Home and settled, the way to line 2, purged while an iteration is on; the next two iterations are drawn, one
        // for each line, and the last is waited for.
        assert_eq!(plan.total(Pace::ASSUMED), Duration::from_secs(5 + 3 * 60 + 1));
    }

    #[test]
    fn the_background_comes_first_and_then_after_so_many_channels() {
        let background = Some(Background { channel: channel(31), every: 2 });
        let plan = Plan::new(super::super::PlanDraft { background, ..draft("1-5,31", Sync::Analyzer) }).unwrap();
        let stops: Vec<u8> = plan.stops().iter().map(|stop| stop.channel.number()).collect();
        assert_eq!(stops, [31, 1, 2, 31, 3, 4, 31, 5]);
        assert_eq!(plan.visits(), 8);
    }

    #[test]
    fn a_channel_may_have_timings_of_its_own() {
        let mut draft = draft("1-2", Sync::Analyzer);
        draft.iterations = Some(3);
        draft.exceptions = vec![ChannelPlan { measure: Some(Duration::from_secs(90)), ..ChannelPlan::new(channel(2)) }];
        let stops = Plan::new(draft).unwrap().stops();
        assert_eq!((stops[0].iterations, stops[0].measure), (Some(3), Duration::from_secs(4)));
        assert_eq!((stops[1].iterations, stops[1].measure), (None, Duration::from_secs(90)));
    }
}
