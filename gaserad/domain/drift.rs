//! How far the analyzer is off what zero, span and target gases are known to contain, and how that changes.

use std::collections::BTreeMap;

use super::channel::{Channel, ChannelKind};
use super::gas::GasInfo;
use super::run::RunId;
use super::time::Utc;
use super::visit_means::Spread;

/// What a run measured of one gas on one reference channel.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftPoint {
    pub run: RunId,
    pub started: Utc,
    pub channel: Channel,
    pub label: String,
    pub kind: ChannelKind,
    pub gas: GasInfo,
    pub expected_ppm: f64,
    /// Of the good samples.
    pub measured: Spread,
}

impl DriftPoint {
    /// What was measured more than there is.
    pub fn deviation_ppm(&self) -> f64 {
        self.measured.mean - self.expected_ppm
    }
}

/// How the deviation of one gas on one reference channel changes from run to run.
#[derive(Debug, Clone, PartialEq)]
pub struct DriftTrend {
    pub channel: Channel,
    pub gas: GasInfo,
    pub runs: u32,
    /// Over all runs alike.
    pub deviation_ppm: f64,
    /// Of the straight line that fits best; of a single run there is none.
    pub slope_ppm_per_day: Option<f64>,
}

const DAY_S: f64 = 86_400.0;

/// One for each channel and gas.
pub fn trends(points: &[DriftPoint]) -> Vec<DriftTrend> {
    let mut series: BTreeMap<(Channel, &str), Vec<&DriftPoint>> = BTreeMap::new();
    for point in points {
        series.entry((point.channel, point.gas.cas.0.as_str())).or_default().push(point);
    }
    series.into_values().filter_map(|points| trend(&points)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "nobody measures 2^52 runs")]
fn trend(points: &[&DriftPoint]) -> Option<DriftTrend> {
    let first = points.first()?;
    let count = points.len() as f64;
    let days = |point: &DriftPoint| (point.started.as_seconds() - first.started.as_seconds()) / DAY_S;
    let mean_days = points.iter().map(|point| days(point)).sum::<f64>() / count;
    let deviation_ppm = points.iter().map(|point| point.deviation_ppm()).sum::<f64>() / count;
    let spread: f64 = points.iter().map(|point| (days(point) - mean_days).powi(2)).sum();
    let common: f64 =
        points.iter().map(|point| (days(point) - mean_days) * (point.deviation_ppm() - deviation_ppm)).sum();
    Some(DriftTrend {
        channel: first.channel,
        gas: first.gas.clone(),
        runs: u32::try_from(points.len()).unwrap_or(u32::MAX),
        deviation_ppm,
        slope_ppm_per_day: (spread > 0.0).then(|| common / spread),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Cas;

    fn point(day: i64, measured: f64) -> DriftPoint {
        let mut spread = Spread::default();
        spread.add(measured);
        DriftPoint {
            run: RunId(format!("RUN{day}")),
            started: Utc::from_micros(day * 86_400_000_000),
            channel: Channel::HOME,
            label: String::new(),
            kind: ChannelKind::Span,
            gas: GasInfo::of(&Cas("124-38-9".into())),
            expected_ppm: 400.0,
            measured: spread,
        }
    }

    #[test]
    fn a_steady_drift_is_a_slope_per_day() {
        let found = trends(&[point(0, 401.0), point(1, 401.5), point(4, 403.0)]);
        assert_eq!((found.len(), found[0].runs), (1, 3));
        assert!((found[0].slope_ppm_per_day.unwrap() - 0.5).abs() < 1e-9, "{found:?}");
        assert!((found[0].deviation_ppm - 11.0 / 6.0).abs() < 1e-9);
    }

    #[test]
    fn one_run_has_no_slope() {
        assert_eq!(trends(&[point(3, 399.0)])[0].slope_ppm_per_day, None);
        assert!(trends(&[]).is_empty());
    }
}
