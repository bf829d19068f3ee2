//! Which events are shown.

use crate::args::Channels;
use crate::stream::{Notice, SaidByStream};

/// Which events are shown.
#[derive(Debug, Clone, Default)]
pub struct FollowFilter {
    /// Names, or their beginnings with a `*`; empty for all.
    pub types: Vec<String>,
    pub channels: Option<Channels>,
}

impl FollowFilter {
    pub fn passes(&self, notice: &Notice) -> bool {
        // What is lost is never left unsaid.
        notice.said == SaidByStream::Gap || (self.passes_type(&notice.frame.event) && self.passes_channel(notice))
    }

    /// Whether it goes into the log of the view, which shows some things elsewhere; what was asked for is always there.
    pub fn logs(&self, notice: &Notice) -> bool {
        const ELSEWHERE: [&str; 7] =
            ["live_data", "device.status", "device.phase", "device.metrics", "mux.position", "snapshot", "connected"];
        !self.types.is_empty() || !ELSEWHERE.contains(&notice.frame.event.as_str())
    }

    fn passes_type(&self, name: &str) -> bool {
        self.types.is_empty()
            || self.types.iter().any(|pattern| {
                pattern.strip_suffix('*').map_or(pattern == name, |beginning| name.starts_with(beginning))
            })
    }

    fn passes_channel(&self, notice: &Notice) -> bool {
        let Some(channels) = &self.channels else { return true };
        notice.channel().is_none_or(|channel| channels.numbers.iter().any(|number| u64::from(*number) == channel))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::SseFrame;

    #[test]
    fn filters_take_names_and_their_beginnings() {
        let filter = FollowFilter { types: vec!["run.*".into(), "phase".into()], channels: None };
        let other = |name: &str| Notice::new(SseFrame { event: name.into(), data: "{}".into(), id: None });
        for (name, passes) in
            [("run.started", true), ("phase", true), ("phases", false), ("heartbeat", false), ("gap", true)]
        {
            assert_eq!(filter.passes(&other(name)), passes, "{name}");
        }
    }

    #[test]
    fn a_channel_filter_keeps_what_has_no_channel() {
        let filter =
            FollowFilter { channels: Some(Channels { text: "3".into(), numbers: vec![3] }), ..FollowFilter::default() };
        let on = |data: &str| filter.passes(&Notice::new(SseFrame { event: "a".into(), data: data.into(), id: None }));
        assert_eq!(
            [on(r#"{"channel":3}"#), on(r#"{"channel":4}"#), on(r#"{"channel":null}"#), on("{}")],
            [true, false, true, true]
        );
    }

    #[test]
    fn the_log_leaves_out_what_stands_elsewhere_unless_it_is_asked_for() {
        let notice = |name: &str| Notice::new(SseFrame { event: name.into(), data: "{}".into(), id: None });
        let asked = FollowFilter { types: vec!["live_data".into()], channels: None };
        for (name, usually) in [("live_data", false), ("device.phase", false), ("alarm", true), ("run.started", true)] {
            assert_eq!(
                (FollowFilter::default().logs(&notice(name)), asked.logs(&notice(name))),
                (usually, true),
                "{name}"
            );
        }
    }
}
