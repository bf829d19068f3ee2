//! The last result (ACON). Its fields depend on the layout that was set (SCON), and nothing in the reply says which.

use std::collections::BTreeMap;

use super::command::Layout;
use super::reply::{Error, Reply};
use super::words::read_cas;
use crate::domain::{AnalyzerTime, Reading, Sample};

/// 9999-12-31T23:59:59Z. A larger number is no time stamp but another field.
const LATEST_STAMP: i64 = 253_402_300_799;

impl Reply {
    /// ACON in the layout [`Layout::PLAIN`]: see [`Reply::results_in`].
    pub fn results(&self) -> Result<Vec<Sample>, Error> {
        self.results_in(Layout::PLAIN)
    }

    /// ACON in that layout: one sample per time stamp, in the order of time. Another layout is an error, and so is one
    /// without time, gas or concentration. A concentration that is no finite number is a reading without a value; one
    /// with `#` before it is a value with a restriction.
    pub fn results_in(&self, layout: Layout) -> Result<Vec<Sample>, Error> {
        let unreadable = || self.unreadable("a time, a CAS number and a concentration for each gas");
        if !(layout.time && layout.cas && layout.concentration) {
            return Err(unreadable());
        }
        let fields: Vec<&str> = self.data_of("ACON")?.split_whitespace().collect();
        let mut samples: BTreeMap<AnalyzerTime, Vec<Reading>> = BTreeMap::new();
        for gas in fields.chunks(layout.fields()) {
            let (stamp, reading) = read_gas(gas, layout).ok_or_else(unreadable)?;
            samples.entry(stamp).or_default().push(reading);
        }
        let raw = &self.raw;
        Ok(samples.into_iter().map(|(stamp, readings)| Sample { stamp, readings, raw: raw.clone() }).collect())
    }
}

fn read_gas(fields: &[&str], layout: Layout) -> Option<(AnalyzerTime, Reading)> {
    let &[stamp, cas, ppm, ref inlet @ ..] = fields else { return None };
    let whole = fields.len() == layout.fields() && inlet.iter().all(|inlet| is_inlet(inlet));
    let restricted = ppm.strip_prefix('#');
    let value = restricted.unwrap_or(ppm).parse().ok().filter(|ppm: &f64| ppm.is_finite());
    let restricted = restricted.is_some() && value.is_some();
    let reading = Reading { restricted, ..Reading::new(read_cas(cas)?, value) };
    whole.then_some((read_stamp(stamp)?, reading))
}

fn read_stamp(text: &str) -> Option<AnalyzerTime> {
    let stamp = text.parse().ok().filter(|stamp| (0..=LATEST_STAMP).contains(stamp));
    stamp.map(AnalyzerTime)
}

/// `#` and the like where there is none.
fn is_inlet(text: &str) -> bool {
    text.parse::<u32>().is_ok() || !text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ak::Frame;
    use crate::domain::Cas;

    fn reply(text: &str) -> Reply {
        Reply::parse(&Frame { text: text.into() }).unwrap()
    }

    #[test]
    fn results_are_grouped_by_stamp() {
        let samples = reply("ACON 0 20 74-82-8 1.5 10 124-38-9 4E2\r\n20 7732-18-5 -0.25").results().unwrap();
        let stamps: Vec<i64> = samples.iter().map(|sample| sample.stamp.0).collect();
        assert_eq!(stamps, [10, 20]);
        assert_eq!(samples[0].readings, [Reading::new(Cas("124-38-9".into()), Some(400.0))]);
        let ppm: Vec<_> = samples[1].readings.iter().map(|reading| reading.ppm).collect();
        assert_eq!(ppm, [Some(1.5), Some(-0.25)]);
        assert_eq!(reply("ACON 0").results(), Ok(Vec::new()));
    }

    #[test]
    fn a_concentration_that_is_no_number_has_no_value() {
        for ppm in ["#", "##1", "#NaN", "NaN", "inf", "-inf", "1e999", "NULL", "NA"] {
            let samples = reply(&format!("ACON 0 10 74-82-8 {ppm}")).results().unwrap();
            let reading = &samples[0].readings[0];
            assert_eq!((reading.ppm, reading.restricted), (None, false), "{ppm}");
        }
    }

    #[test]
    fn a_value_out_of_range_is_kept_with_its_restriction() {
        let samples = reply("ACON 2 10 74-82-8 #12.5 10 124-38-9 #-1E-3 10 7732-18-5 7000").results().unwrap();
        let values: Vec<_> = samples[0].readings.iter().map(|reading| (reading.ppm, reading.restricted)).collect();
        assert_eq!(values, [(Some(12.5), true), (Some(-0.001), true), (Some(7000.0), false)]);
    }

    #[test]
    fn the_inlet_is_read_where_it_was_asked_for() {
        let with_inlet = reply("ACON 0 10 74-82-8 0.9 1 10 124-38-9 400 #");
        let samples = with_inlet.results_in(Layout::WITH_INLET).unwrap();
        assert_eq!(samples[0].readings[1], Reading::new(Cas("124-38-9".into()), Some(400.0)));
        assert!(with_inlet.results().is_err());
        let three_fit_four = reply("ACON 0 10 74-82-8 1 10 74-82-8 1 10 74-82-8 1 10 74-82-8 1");
        assert!(three_fit_four.results_in(Layout::WITH_INLET).is_err());
        assert_eq!(three_fit_four.results().unwrap()[0].readings.len(), 4);
        let no_inlet = Layout { inlet: Some(false), ..Layout::PLAIN };
        assert!(three_fit_four.results_in(no_inlet).is_ok());
        assert!(three_fit_four.results_in(Layout { time: false, ..Layout::WITH_INLET }).is_err());
    }

    #[test]
    fn results_in_another_layout_are_an_error() {
        for data in [
            "74-82-8 0.9 124-38-9 400",
            "10 74-82-8 0.9 1 10 124-38-9 400 1 10 7732-18-5 7000 1",
            "10 0.9 10 400 10 7000",
            "10 74-82-8",
            "0 0 0",
            "99999999999999999999 74-82-8 0.9",
        ] {
            assert!(matches!(reply(&format!("ACON 0 {data}")).results(), Err(Error::Unreadable { .. })), "{data}");
        }
    }
}
