//! How long a line needs until the gas of the channel before is out of it: worked out of the samples after a switch.
//!
//! The samples are few and far between, so the 90 % crossing is interpolated between two of them. It knows nothing of
//! runs, streams and people.

/// A sample of one gas, so many seconds after the valve arrived.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PurgePoint {
    pub age_s: f64,
    pub ppm: f64,
}

/// What one gas did after the switch.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    pub before_ppm: f64,
    pub after_ppm: f64,
    pub samples: usize,
    pub found: Result<Crossing, PurgeRefusal>,
}

/// When 90 % of the step had come through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    pub t90_s: f64,
    /// The first sample was beyond it already: it may have been sooner.
    pub at_most: bool,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PurgeRefusal {
    #[error(
        "there are {0} samples on the first channel, and {1} after the switch; it takes 2 and {FEWEST}: stay longer with --settle"
    )]
    TooFew(usize, usize),
    #[error(
        "the step is too small: {step:.3} ppm, where it takes {CLEAR} times the scatter of {scatter:.3} ppm and {percent} % of the \
         level; take channels with gases that differ more", percent = PART * 100.0
    )]
    TooSmall { step: f64, scatter: f64 },
    #[error("the gas is still changing at the end; stay longer with --settle")]
    Drifting,
}

/// The fewest samples after the switch: three for the plateau, and two on the way there.
pub const FEWEST: usize = 5;
/// As many make up a level.
const LEVEL: usize = 3;
/// A step has to be so many times the scatter of the samples on the plateau, and this part of the higher level.
const CLEAR: f64 = 10.0;
const PART: f64 = 0.02;
/// How much of the step the plateau may still move.
const SETTLED: f64 = 0.1;

/// `before` are samples of the first channel, `after` those of the second one, in the order of their age.
pub fn response(before: &[f64], after: &[PurgePoint]) -> Response {
    let level = &before[before.len().saturating_sub(LEVEL)..];
    let end: Vec<f64> = after[after.len().saturating_sub(LEVEL)..].iter().map(|point| point.ppm).collect();
    let (from, to) = (mean(level), mean(&end));
    let found = if before.len() < 2 || after.len() < FEWEST {
        Err(PurgeRefusal::TooFew(before.len(), after.len()))
    } else {
        crossing(from, to, scatter(level).max(scatter(&end)), &end, after)
    };
    Response { before_ppm: from, after_ppm: to, samples: after.len(), found }
}

fn crossing(from: f64, to: f64, scatter: f64, end: &[f64], after: &[PurgePoint]) -> Result<Crossing, PurgeRefusal> {
    let step = to - from;
    let moved = end.first().zip(end.last()).map_or(0.0, |(first, last)| (last - first).abs());
    let is_small = |step: f64| step < (PART * from.abs().max(to.abs())).max(f64::MIN_POSITIVE);
    // A plateau that moves scatters, too: that it moves says more.
    if !is_small(step.abs()) && moved > SETTLED * step.abs() && is_monotonous(end) {
        return Err(PurgeRefusal::Drifting);
    }
    if is_small(step.abs()) || step.abs() < CLEAR * scatter {
        return Err(PurgeRefusal::TooSmall { step: step.abs(), scatter });
    }
    let done = |point: &PurgePoint| (point.ppm - from) / step;
    // Up to the last sample that is not there yet; one that falls back is not there.
    let Some(last) = after.iter().rposition(|point| done(point) < 0.9) else {
        return Ok(Crossing { t90_s: after.first().map_or(0.0, |first| first.age_s), at_most: true });
    };
    let Some(next) = after.get(last + 1) else { return Err(PurgeRefusal::Drifting) };
    let (before, beyond) = (done(&after[last]), done(next));
    let part = (0.9 - before) / (beyond - before);
    Ok(Crossing { t90_s: after[last].age_s + part * (next.age_s - after[last].age_s), at_most: false })
}

fn is_monotonous(levels: &[f64]) -> bool {
    levels.windows(2).all(|pair| pair[0] < pair[1]) || levels.windows(2).all(|pair| pair[0] > pair[1])
}

#[expect(clippy::cast_precision_loss, reason = "a few samples")]
fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// The standard deviation.
#[expect(clippy::cast_precision_loss, reason = "a few samples")]
fn scatter(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if values.len() < 2 { 0.0 } else { (squares / (values.len() - 1) as f64).sqrt() }
}

/// What to do about it: one or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// Purge for so long, and leave out no sample.
    pub purge_s: u64,
    /// Or do not purge, and leave out so many samples.
    pub discard_first: u64,
}

/// For the slowest gas. A line that follows the step as one well-mixed volume has 1 % of the old gas left after twice t90.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within a day")]
pub fn advice(slowest_t90_s: f64, interval_s: f64) -> Advice {
    let settled = (2.0 * slowest_t90_s).clamp(0.0, 86_400.0);
    let samples = if interval_s > 0.0 { (settled / interval_s).ceil() } else { 0.0 };
    Advice { purge_s: (settled / 10.0).ceil() as u64 * 10, discard_first: samples as u64 }
}

/// The usual time from one sample to the next.
pub fn interval_s(after: &[PurgePoint]) -> f64 {
    let mut gaps: Vec<f64> = after.windows(2).map(|pair| pair[1].age_s - pair[0].age_s).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line with that t90, sampled every so many seconds.
    fn line(from: f64, to: f64, t90: f64, every: f64, count: u32) -> Vec<PurgePoint> {
        let at = |age: f64| to + (from - to) * (-age / t90 * 10.0_f64.ln()).exp();
        (1..=count).map(|number| f64::from(number) * every).map(|age_s| PurgePoint { age_s, ppm: at(age_s) }).collect()
    }

    fn t90(before: &[f64], after: &[PurgePoint]) -> Crossing {
        response(before, after).found.unwrap()
    }

    #[test]
    fn a_crossing_is_found_between_two_samples_up_and_down() {
        for (from, to) in [(420.0, 5000.0), (5000.0, 420.0)] {
            let found = t90(&[from, from], &line(from, to, 100.0, 20.0, 20));
            assert!((found.t90_s - 100.0).abs() < 0.5 && !found.at_most, "{found:?}");
            let coarse = t90(&[from, from], &line(from, to, 100.0, 60.0, 12));
            assert!((coarse.t90_s - 100.0).abs() < 25.0, "{coarse:?}");
        }
    }

    #[test]
    fn a_line_that_is_faster_than_the_analyzer_gives_a_bound() {
        let found = t90(&[420.0, 420.0], &line(420.0, 5000.0, 20.0, 60.0, 10));
        assert_eq!((found.t90_s, found.at_most), (60.0, true));
    }

    #[test]
    fn a_sample_that_falls_back_moves_the_crossing_behind_it() {
        let mut after = line(0.0, 1000.0, 30.0, 30.0, 12);
        after[4].ppm = 800.0;
        let found = t90(&[0.0, 0.0], &after);
        assert!(found.t90_s > 150.0 && found.t90_s < 180.0, "{found:?}");
    }

    #[test]
    fn a_step_that_is_too_small_is_refused() {
        let refused = |before: &[f64], after: &[PurgePoint]| response(before, after).found.unwrap_err();
        let same = line(420.0, 425.0, 30.0, 60.0, 12);
        assert!(matches!(refused(&[420.0, 420.0], &same), PurgeRefusal::TooSmall { .. }));
        let mut noisy = line(420.0, 500.0, 30.0, 60.0, 12);
        noisy.iter_mut().zip([9.0, -9.0].iter().cycle()).for_each(|(point, noise)| point.ppm += noise);
        assert!(matches!(refused(&[420.0, 430.0], &noisy), PurgeRefusal::TooSmall { .. }));
        assert!(matches!(refused(&[0.0, 0.0], &line(0.0, 0.0, 60.0, 60.0, 12)), PurgeRefusal::TooSmall { .. }));
    }

    #[test]
    fn a_gas_that_has_not_settled_and_too_few_samples_are_refused() {
        let slow = response(&[0.0, 0.0], &line(0.0, 1000.0, 900.0, 60.0, 8));
        assert_eq!(slow.found, Err(PurgeRefusal::Drifting));
        let few = response(&[0.0], &line(0.0, 1000.0, 60.0, 60.0, 4));
        assert_eq!((few.samples, few.found), (4, Err(PurgeRefusal::TooFew(1, 4))));
        assert_eq!(response(&[], &[]).found, Err(PurgeRefusal::TooFew(0, 0)));
    }

    #[test]
    fn twice_t90_is_purged_or_left_out() {
        assert_eq!(advice(101.0, 58.0), Advice { purge_s: 210, discard_first: 4 });
        assert_eq!(advice(0.0, 0.0), Advice { purge_s: 0, discard_first: 0 });
        assert!((interval_s(&line(0.0, 1.0, 60.0, 58.0, 6)) - 58.0).abs() < 0.01);
        assert!(interval_s(&[]).abs() < f64::EPSILON);
    }
}
