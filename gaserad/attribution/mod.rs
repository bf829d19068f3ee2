//! Whose gas a sample is: position history + gas-exchange windows -> attribution.
//!
//! A sample belongs to the channel at which the valve verifiably stood during its whole gas exchange, never to
//! "the current channel". When the exchange was is known from looks at the analyzer's phase, on the host's
//! monotonic clock: the analyzer's own clock may be hours off and plays no part. Every window is as wide as what was
//! seen leaves it open; if the valve moved within it, the sample is nobody's.
//!
//! Pure: [`Timeline`] and [`Exchanges`] are folds of what was seen, and [`attribute`] joins them. [`Stamps`] finds out
//! what the analyzer's own time stamps mean, for the record.

mod exchange;
mod stamp;
mod timeline;

pub use exchange::{ClaimOrigin, Contradiction, Exchange, Exchanges, Lags};
pub use stamp::{Dating, Stamps};
pub use timeline::{Holding, Stay, Timeline};

use crate::domain::{Attribution, Channel, Flag, Verification};

/// What is known of where a sample's gas came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    pub attribution: Attribution,
    /// Only if the attribution is exact.
    pub channel: Option<Channel>,
    pub verification: Verification,
    /// The visit during which the gas was drawn.
    pub stay: Option<Stay>,
    pub exchange: Option<Exchange>,
    /// Whether the sample is outside what the plan wanted measured.
    pub discard: bool,
    pub flags: Vec<Flag>,
}

impl Credit {
    fn without_channel(attribution: Attribution, exchange: Option<Exchange>, flag: Flag) -> Self {
        Self {
            attribution,
            channel: None,
            verification: Verification::None,
            stay: None,
            exchange,
            discard: true,
            flags: vec![flag],
        }
    }
}

/// Credits a result of the given origin.
pub fn attribute(origin: ClaimOrigin, timeline: &Timeline) -> Credit {
    let (exchange, missed) = match origin {
        ClaimOrigin::BeforeTheRun => return Credit::without_channel(Attribution::Stale, None, Flag::Stale),
        ClaimOrigin::Contradicted { missed } => {
            let mut credit = Credit::without_channel(Attribution::Unattributed, None, Flag::Contradicted);
            credit.flags.extend((missed > 0).then_some(Flag::Gap));
            return credit;
        }
        ClaimOrigin::Unknown => return Credit::without_channel(Attribution::Unattributed, None, Flag::PosUnverified),
        ClaimOrigin::Exchange { exchange, missed } => (exchange, missed),
    };
    let mut credit = match timeline.during(exchange.began_after, exchange.ended_before) {
        Holding::Unknown => Credit::without_channel(Attribution::Unattributed, Some(exchange), Flag::PosUnverified),
        Holding::Moved => Credit::without_channel(Attribution::Mixed, Some(exchange), Flag::PosChanged),
        Holding::Steady { channel, verification, stay } => {
            let measured = stay.is_some_and(|stay| stay.covers(&exchange));
            let paused = stay.is_some_and(|stay| stay.is_paused_in(&exchange));
            let reason = if paused { Flag::Paused } else { Flag::Purge };
            Credit {
                attribution: Attribution::Exact,
                channel: Some(channel),
                verification,
                stay,
                exchange: Some(exchange),
                discard: !measured,
                flags: if measured { Vec::new() } else { vec![reason] },
            }
        }
    };
    if missed > 0 {
        credit.flags.push(Flag::Gap);
    }
    credit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Position, Tick, VisitId};

    fn at(seconds: u64) -> Tick {
        Tick::from_micros(seconds * 1_000_000)
    }

    fn exchange(began: u64, ended: u64) -> ClaimOrigin {
        ClaimOrigin::Exchange {
            exchange: Exchange {
                iteration: Some(0),
                began_after: at(began),
                began_before: at(began + 1),
                ended_after: at(ended - 1),
                ended_before: at(ended),
            },
            missed: 0,
        }
    }

    /// Channel 1 from 10 s, measured from 20 s; moving from 50 s; channel 2 from 52 s.
    fn timeline() -> Timeline {
        let one = Channel::HOME;
        let two = one.next().unwrap();
        let mut timeline = Timeline::default();
        timeline.position(at(10), Position::At(one, Verification::Readback));
        timeline.arrive(Stay::new(VisitId(1), one, 1, at(10)));
        timeline.measure_from(at(20));
        timeline.position(at(50), Position::Moving);
        timeline.position(at(52), Position::At(two, Verification::Readback));
        timeline.arrive(Stay::new(VisitId(2), two, 1, at(52)));
        timeline
    }

    #[test]
    fn gas_drawn_while_the_valve_stood_is_the_channels() {
        let credit = attribute(exchange(25, 37), &timeline());
        assert_eq!(credit.attribution, Attribution::Exact);
        assert_eq!(credit.channel, Some(Channel::HOME));
        assert_eq!(credit.stay.map(|stay| stay.visit), Some(VisitId(1)));
        assert!(!credit.discard);
    }

    #[test]
    fn gas_drawn_in_the_purge_is_the_channels_but_discarded() {
        let credit = attribute(exchange(15, 27), &timeline());
        assert_eq!(credit.attribution, Attribution::Exact);
        assert!(credit.discard);
        assert_eq!(credit.flags, [Flag::Purge]);
    }

    #[test]
    fn gas_drawn_across_a_move_is_nobodys() {
        for (began, ended) in [(45, 51), (45, 60), (51, 60), (49, 51)] {
            let credit = attribute(exchange(began, ended), &timeline());
            assert_eq!(credit.attribution, Attribution::Mixed, "{began}..{ended}");
            assert_eq!(credit.channel, None);
            assert!(credit.discard);
        }
    }

    #[test]
    fn gas_drawn_before_the_position_was_known_is_unattributed() {
        let credit = attribute(exchange(5, 12), &timeline());
        assert_eq!(credit.attribution, Attribution::Unattributed);
        assert_eq!(attribute(ClaimOrigin::Unknown, &timeline()).attribution, Attribution::Unattributed);
    }

    #[test]
    fn gas_drawn_at_a_position_that_nobody_verified_is_unattributed() {
        let mut timeline = Timeline::default();
        timeline.position(at(10), Position::At(Channel::HOME, Verification::None));
        timeline.arrive(Stay::new(VisitId(1), Channel::HOME, 1, at(10)));
        timeline.measure_from(at(20));
        let credit = attribute(exchange(25, 37), &timeline);
        assert_eq!((credit.attribution, credit.channel), (Attribution::Unattributed, None));
    }

    #[test]
    fn a_result_from_before_the_run_is_stale() {
        let credit = attribute(ClaimOrigin::BeforeTheRun, &timeline());
        assert_eq!((credit.attribution, credit.discard), (Attribution::Stale, true));
    }
}
