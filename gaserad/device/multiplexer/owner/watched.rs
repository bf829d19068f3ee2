//! Whether a valve that stands where it stood has stood there all the time. Pure.
//!
//! It was asked in between, so what remains possible is a move there and back between two questions. A valve that counts
//! its moves shows one. That it counted none proves nothing: a rotor that is turned past its actuator is not counted. So
//! only short gaps are trusted.

use std::time::Duration;

use crate::domain::{Tick, duration};

/// Between two read-backs nothing longer is trusted. A polite valve is read back every second; a process that was
/// stopped, or a line that stalls, leaves more.
const LONGEST_GAP: Duration = Duration::from_secs(5);
/// Outside time. However fast a simulation runs, a busy machine may hold the process up for so long.
const LEAST_GAP: Duration = Duration::from_secs(2);
/// A count that differs at so many questions in a row counts something else than moves.
const MOST_RISES: u8 = 3;

/// One read-back of the same position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub asked: Tick,
    pub answered: Tick,
    /// How often the valve has moved in its life, where it counts.
    pub moves: Option<u64>,
    /// It was seen out of place meanwhile.
    pub wavered: bool,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WatchedValve {
    /// The count, and when the position was asked for beside it.
    counted: Option<(u64, Tick)>,
    rises: u8,
}

impl WatchedValve {
    /// Whether its count is worth asking for.
    pub(super) const fn counts(self) -> bool {
        self.rises < MOST_RISES
    }

    /// It moved, or may have: the count begins anew.
    pub(super) const fn forget(self) -> Self {
        Self { counted: None, rises: self.rises }
    }

    pub(super) fn begin(&mut self, sight: &Sight) {
        self.counted = sight.moves.map(|moves| (moves, sight.asked));
    }

    /// Since when it is not certain that it stood there, and why. It was last seen at `seen`, `unseen` ago in outside time.
    pub(super) fn doubt(&mut self, seen: Tick, unseen: Duration, sight: &Sight) -> Option<(Tick, String)> {
        let before = self.counted;
        self.counted = sight.moves.map(|moves| (moves, sight.asked)).or(before);
        if sight.wavered {
            return Some((seen, "it was found between two ports, and then back in place".to_owned()));
        }
        if let (Some((was, at)), Some(is)) = (before, sight.moves) {
            self.rises = if was == is { 0 } else { self.rises + 1 };
            if !self.counts() {
                tracing::warn!("the valve's count of moves rises at every question, and is not asked for any more");
            }
            if was != is {
                let why = format!(
                    "it has counted moves that were not ordered here ({was} before, {is} now): by hand, or by another program"
                );
                return Some((at.min(seen), why));
            }
        }
        let gap = sight.answered.since(seen);
        let words =
            || format!("it could not be read back for {}", duration::format(Duration::from_secs(gap.as_secs())));
        (gap > LONGEST_GAP && unseen > LEAST_GAP).then(|| (seen, words()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Tick {
        Tick::from_micros(seconds * 1_000_000)
    }

    const fn sight(seconds: u64, moves: Option<u64>) -> Sight {
        Sight { asked: at(seconds), answered: at(seconds), moves, wavered: false }
    }

    /// Since when there is doubt after a gap between two sights, `scale` times as fast as the world.
    fn gap(seconds: u64, before: Option<u64>, after: Option<u64>, scale: u32) -> Option<Tick> {
        let mut watched = WatchedValve::default();
        watched.begin(&sight(100, before));
        let unseen = Duration::from_secs(seconds) / scale;
        watched.doubt(at(100), unseen, &sight(100 + seconds, after)).map(|(since, _)| since)
    }

    #[test]
    fn only_a_gap_that_is_long_is_in_doubt() {
        assert_eq!(gap(1, None, None, 1), None);
        assert_eq!(gap(5, None, None, 1), None);
        assert_eq!(gap(6, None, None, 1), Some(at(100)));
        assert_eq!(gap(60, None, None, 50), None, "a busy machine may do that");
        assert_eq!(gap(600, None, None, 50), Some(at(100)));
    }

    #[test]
    fn a_count_shows_a_move_and_does_not_prove_that_there_was_none() {
        assert_eq!(gap(1, Some(7), Some(9), 1), Some(at(100)));
        assert_eq!(gap(2, Some(7), Some(7), 1), None);
        assert_eq!(gap(60, Some(7), Some(7), 1), Some(at(100)));
        assert_eq!(gap(60, Some(7), None, 1), Some(at(100)));
        assert_eq!(gap(1, Some(65_535), Some(1), 1), Some(at(100)), "it wraps");
    }

    #[test]
    fn a_count_is_compared_with_the_last_that_there_was() {
        let mut watched = WatchedValve::default();
        watched.begin(&sight(1, Some(7)));
        let second = Duration::from_secs(1);
        assert_eq!(watched.doubt(at(1), second, &sight(2, None)), None);
        assert_eq!(watched.doubt(at(2), second, &sight(3, Some(9))).map(|(since, _)| since), Some(at(1)));
        watched = watched.forget();
        assert_eq!(watched.doubt(at(3), second, &sight(4, Some(11))), None, "the move was ordered");
    }

    #[test]
    fn a_count_that_rises_with_every_question_is_none_of_moves() {
        let mut watched = WatchedValve::default();
        watched.begin(&sight(0, Some(0)));
        let doubts = (1..10).filter(|seconds| {
            let moves = watched.counts().then_some(*seconds);
            watched.doubt(at(seconds - 1), Duration::from_secs(1), &sight(*seconds, moves)).is_some()
        });
        assert_eq!(doubts.count(), 3);
    }

    #[test]
    fn a_valve_that_was_out_of_place_was_not_there_all_the_time() {
        let mut watched = WatchedValve::default();
        watched.begin(&sight(1, Some(7)));
        let wavered = Sight { wavered: true, ..sight(2, Some(7)) };
        assert_eq!(watched.doubt(at(1), Duration::from_secs(1), &wavered).map(|(since, _)| since), Some(at(1)));
    }
}
