//! What flows: a known gas on each line, and the tube and cell behind the valve, in which it mixes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::Channel;

/// How fast the gas at the analyzer's inlet follows the valve.
pub const LAG: Duration = Duration::from_millis(800);

const GASES: usize = 5;

/// The gas on a channel, ppm by CAS number. No two channels share a value; channel 0 is the air of the room.
///
/// | gas | CAS | channel k |
/// |---|---|---|
/// | CH4 | 74-82-8 | 1.8 + 0.2 k |
/// | CO2 | 124-38-9 | 400 + 25 k |
/// | H2O | 7732-18-5 | 8000 + 150 k |
/// | N2O | 10024-97-2 | 0.32 + 0.05 k |
/// | NH3 | 7664-41-7 | 0.01 k |
pub fn known_gas(channel: u8) -> [(&'static str, f64); GASES] {
    let k = f64::from(channel);
    [
        ("74-82-8", 1.8 + 0.2 * k),
        ("124-38-9", 400.0 + 25.0 * k),
        ("7732-18-5", 8000.0 + 150.0 * k),
        ("10024-97-2", 0.32 + 0.05 * k),
        ("7664-41-7", 0.01 * k),
    ]
}

/// The lines that are open to the analyzer, in equal parts. Where none is, it draws the air of the room: line 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inlets(u32);

impl Inlets {
    fn share(self, line: u8) -> f64 {
        if self.0 >> line & 1 == 1 { 1.0 / f64::from(self.0.count_ones()) } else { 0.0 }
    }
}

impl From<u8> for Inlets {
    fn from(line: u8) -> Self {
        Self(1 << line.min(Channel::MAX))
    }
}

impl FromIterator<u8> for Inlets {
    fn from_iter<I: IntoIterator<Item = u8>>(lines: I) -> Self {
        let open = lines.into_iter().fold(0, |open, line| open | Self::from(line).0);
        Self(if open == 0 { 1 } else { open })
    }
}

/// The gas line from the valve to the analyzer: a first-order lag. Its outlet is a mixture of the lines, by fraction.
#[derive(Debug)]
pub struct GasLine {
    /// Fraction of each line, that of the room first.
    outlet: Vec<f64>,
    lag_s: f64,
}

impl GasLine {
    /// A line that has been filled from `inlet` for long.
    pub fn new(lines: u8, inlet: impl Into<Inlets>, lag: Duration) -> Self {
        let inlets = inlet.into();
        let outlet = (0..=lines).map(|line| inlets.share(line)).collect();
        Self { outlet, lag_s: lag.as_secs_f64() }
    }

    /// Lets gas flow in for `time`. Gives the integral of the outlet's fractions, in seconds.
    pub fn flow(&mut self, inlet: impl Into<Inlets>, time: Duration) -> Vec<f64> {
        let inlets = inlet.into();
        let time_s = time.as_secs_f64();
        let left = if self.lag_s > 0.0 { (-time_s / self.lag_s).exp() } else { 0.0 };
        let mut integral = Vec::with_capacity(self.outlet.len());
        for (line, fraction) in (0..).zip(&mut self.outlet) {
            let goal = inlets.share(line);
            let away = *fraction - goal;
            integral.push(goal.mul_add(time_s, away * self.lag_s * (1.0 - left)));
            *fraction = away.mul_add(left, goal);
        }
        integral
    }

    #[cfg(test)]
    fn fraction(&self, line: u8) -> f64 {
        self.outlet[usize::from(line)]
    }
}

/// The gas line as each gas sees it: some cling to its walls, and follow the valve more slowly than others.
#[derive(Debug)]
pub struct Tubing {
    /// The first is that of the gas as a whole.
    lines: Vec<GasLine>,
    /// Which of the lines each gas takes.
    of_gas: [usize; GASES],
}

/// Seconds of each line, for the gas as a whole and for each gas that has a lag of its own.
pub type Flow = Vec<Vec<f64>>;

impl Tubing {
    pub fn new(channels: u8, inlet: impl Into<Inlets>, lags: &BTreeMap<String, Duration>) -> Self {
        let inlets = inlet.into();
        let mut lines = vec![GasLine::new(channels, inlets, LAG)];
        let of_gas = known_gas(0).map(|(cas, _)| match lags.get(cas) {
            Some(lag) => {
                lines.push(GasLine::new(channels, inlets, *lag));
                lines.len() - 1
            }
            None => 0,
        });
        Self { lines, of_gas }
    }

    pub fn flow(&mut self, inlet: impl Into<Inlets>, time: Duration) -> Flow {
        let inlets = inlet.into();
        self.lines.iter_mut().map(|line| line.flow(inlets, time)).collect()
    }

    /// Which of the parts of a [`Flow`] is that of each gas.
    pub const fn of_gas(&self) -> [usize; GASES] {
        self.of_gas
    }
}

/// What a sample is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Composition {
    /// The line with the largest share of the gas as a whole, and that share.
    pub channel: u8,
    pub fraction: f64,
    pub gases: [GasShare; GASES],
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GasShare {
    pub cas: &'static str,
    /// What an analyzer without noise would read.
    pub ppm: f64,
    /// The share that `channel` has in it.
    pub share: f64,
}

impl Composition {
    /// From the flow during a window; `None` if the window has no length.
    pub fn of(flow: &Flow, of_gas: [usize; GASES]) -> Option<Self> {
        let mixtures: Vec<Mixture> = flow.iter().map(|integral| Mixture::of(integral)).collect::<Option<_>>()?;
        let (channel, fraction) = mixtures.first()?.dominant();
        let mut gases = known_gas(0).map(|(cas, ppm)| GasShare { cas, ppm, share: 0.0 });
        for (at, gas) in gases.iter_mut().enumerate() {
            let mixture = mixtures.get(of_gas[at])?;
            gas.ppm = mixture.gas()[at].1;
            gas.share = mixture.share(channel);
        }
        Some(Self { channel, fraction, gases })
    }
}

/// The share of each line in a sample, that of the room first.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture(Vec<f64>);

impl Mixture {
    /// From the integrals over a window; `None` if the window has no length.
    pub fn of(integral: &[f64]) -> Option<Self> {
        let total: f64 = integral.iter().sum();
        (total > 0.0).then(|| Self(integral.iter().map(|share| share / total).collect()))
    }

    /// The line with the largest share, and that share.
    pub fn dominant(&self) -> (u8, f64) {
        (0..).zip(self.0.iter().copied()).fold((0, 0.0), |best, next| if next.1 > best.1 { next } else { best })
    }

    pub fn share(&self, line: u8) -> f64 {
        self.0.get(usize::from(line)).copied().unwrap_or(0.0)
    }

    /// What an analyzer without noise would read.
    pub fn gas(&self) -> [(&'static str, f64); GASES] {
        let mut mixed = known_gas(0).map(|(cas, _)| (cas, 0.0));
        for (line, share) in (0..).zip(&self.0) {
            for ((_, sum), (_, ppm)) in mixed.iter_mut().zip(known_gas(line)) {
                *sum += share * ppm;
            }
        }
        mixed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_one_time_constant_the_outlet_is_two_thirds_of_the_way() {
        let mut line = GasLine::new(4, 1, LAG);
        line.flow(3, LAG);
        assert!((line.fraction(3) - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
        assert!((line.fraction(1) - (-1.0_f64).exp()).abs() < 1e-12);
        assert!(line.fraction(2).abs() < 1e-12);
    }

    #[test]
    fn the_integral_does_not_depend_on_how_time_is_cut() {
        let (mut whole, mut pieces) = (GasLine::new(3, 1, LAG), GasLine::new(3, 1, LAG));
        let at_once = whole.flow(2, Duration::from_secs(3));
        let mut sum = vec![0.0; 4];
        for millis in [1, 99, 900, 1500, 500] {
            for (total, part) in sum.iter_mut().zip(pieces.flow(2, Duration::from_millis(millis))) {
                *total += part;
            }
        }
        for (one, other) in at_once.iter().zip(&sum) {
            assert!((one - other).abs() < 1e-9, "{at_once:?} {sum:?}");
        }
        assert!((at_once.iter().sum::<f64>() - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_gas_that_clings_to_the_walls_lags_behind_the_others() {
        let ammonia = "7664-41-7";
        let mut tubing = Tubing::new(4, 1, &BTreeMap::from([(ammonia.to_owned(), Duration::from_secs(30))]));
        tubing.flow(3, Duration::from_secs(30));
        let sample = Composition::of(&tubing.flow(3, Duration::from_millis(1)), tubing.of_gas()).unwrap();
        assert_eq!(sample.channel, 3);
        let (slow, quick) = (sample.gases[4], sample.gases[0]);
        assert_eq!(slow.cas, ammonia);
        let arrived = 1.0 - (-1.0_f64).exp();
        assert!((slow.share - arrived).abs() < 1e-4 && quick.share > 0.999_999, "{sample:?}");
        assert!((slow.ppm - (0.03 * arrived + 0.01 * (1.0 - arrived))).abs() < 1e-5, "{sample:?}");
    }

    #[test]
    fn several_open_lines_mix_and_none_is_the_air_of_the_room() {
        let lag = Duration::ZERO;
        let mut line = GasLine::new(3, 1, lag);
        line.flow([1, 3].into_iter().collect::<Inlets>(), LAG);
        assert!((line.fraction(1) - 0.5).abs() < 1e-12 && (line.fraction(3) - 0.5).abs() < 1e-12);
        line.flow(std::iter::empty().collect::<Inlets>(), LAG);
        assert!((line.fraction(0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn each_gas_follows_several_open_lines_and_the_air_of_the_room_at_its_own_pace() {
        let lags = BTreeMap::from([("7664-41-7".to_owned(), Duration::from_secs(30))]);
        let mut tubing = Tubing::new(4, 0, &lags);
        let arrived = 1.0 - (-1.0_f64).exp();
        tubing.flow([2, 4].into_iter().collect::<Inlets>(), Duration::from_secs(30));
        let sample = Composition::of(&tubing.flow(0, Duration::from_millis(1)), tubing.of_gas()).unwrap();
        let (slow, quick) = (sample.gases[4], sample.gases[1]);
        assert!((sample.fraction - 0.5).abs() < 0.001 && (quick.ppm - 475.0).abs() < 0.1, "{sample:?}");
        assert!((slow.share - 0.5 * arrived).abs() < 1e-4 && (slow.ppm - 0.03 * arrived).abs() < 1e-5, "{sample:?}");
        tubing.flow(0, Duration::from_secs(30));
        let sample = Composition::of(&tubing.flow(0, Duration::from_millis(1)), tubing.of_gas()).unwrap();
        assert_eq!(sample.channel, 0);
        assert!(sample.fraction > 0.999_999 && (sample.gases[1].ppm - 400.0).abs() < 1e-3, "{sample:?}");
        assert!((sample.gases[4].share - (1.0 - arrived * (1.0 - arrived))).abs() < 1e-4, "{sample:?}");
    }

    #[test]
    fn a_mixture_reads_between_its_lines() {
        let mixture = Mixture::of(&[0.0, 3.0, 1.0]).unwrap();
        assert_eq!(mixture.dominant(), (1, 0.75));
        let co2 = mixture.gas()[1];
        assert_eq!(co2.0, "124-38-9");
        assert!((co2.1 - (0.75 * 425.0 + 0.25 * 450.0)).abs() < 1e-9);
        assert_eq!(Mixture::of(&[0.0, 0.0]), None);
    }
}
