//! The last result (ACON). Its fields depend on the layout that was set (SCON), and nothing in the reply says which.

use std::collections::BTreeMap;

use super::command::Layout;
use super::number::{self, Marks};
use super::reply::{Error, Reply};
use super::stamp::{SECOND, read_stamp};
use super::words::read_cas;
use crate::domain::{AnalyzerTime, Flaw, Reading, Sample};

impl Reply {
    /// ACON in the layout [`Layout::PLAIN`]: see [`Reply::results_in`].
    pub fn results(&self) -> Result<Vec<Sample>, Error> {
        self.results_in(Layout::PLAIN)
    }

    /// ACON in that layout: one sample per time stamp, in the order of time. Another layout is an error, and so is one
    /// without time, gas or concentration. A concentration that is no number is a reading without a value, which says
    /// why; one with `#` before it is a value with a restriction. Stamps less than a second apart are of one sample.
    pub fn results_in(&self, layout: Layout) -> Result<Vec<Sample>, Error> {
        let unreadable = || self.unreadable("a time, a CAS number and a concentration for each gas");
        if !(layout.time && layout.cas && layout.concentration) {
            return Err(unreadable());
        }
        let fields = fields(self.data_of("ACON")?);
        let gases: Vec<&[String]> = fields.chunks(layout.fields()).collect();
        let marks = Marks::of(gases.iter().filter_map(|gas| gas.get(PPM)).map(String::as_str));
        let mut readings: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
        for gas in gases {
            let (stamp, reading) = read_gas(gas, layout, marks).ok_or_else(unreadable)?;
            readings.entry(stamp).or_default().push(reading);
        }
        Ok(samples(readings, &self.raw))
    }
}

/// Where the concentration is among the fields of a gas.
const PPM: usize = 2;

/// Blanks and line ends part fields. What belongs to one number stays together: blanks between thousands that are no
/// ASCII blanks, a unit that stands apart, and the second word of `OVER RANGE`.
fn fields(data: &str) -> Vec<String> {
    let is_word = |text: &str| text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut fields: Vec<String> = Vec::new();
    for field in data.split_ascii_whitespace() {
        match fields.last_mut() {
            Some(last) if number::is_unit(field) || (is_word(field) && is_word(last)) => last.push_str(field),
            _ => fields.push(field.to_owned()),
        }
    }
    fields
}

/// By the microsecond of their stamps.
fn samples(readings: BTreeMap<i64, Vec<Reading>>, raw: &str) -> Vec<Sample> {
    let mut samples: Vec<(i64, Sample)> = Vec::new();
    for (micros, mut readings) in readings {
        if let Some((_, sample)) = samples.last_mut().filter(|(first, _)| micros - first < SECOND) {
            sample.readings.append(&mut readings);
        } else {
            let stamp = AnalyzerTime(micros.div_euclid(SECOND));
            samples.push((micros, Sample { stamp, readings, raw: raw.to_owned() }));
        }
    }
    let mut samples: Vec<Sample> = samples.into_iter().map(|(_, sample)| sample).collect();
    for sample in &mut samples {
        doubt_doubles(&mut sample.readings);
    }
    samples
}

/// Of a gas that has two numbers in one sample, neither is known to be its.
fn doubt_doubles(readings: &mut [Reading]) {
    let differs = |a: &Reading, b: &Reading| a.cas == b.cas && a.ppm != b.ppm;
    let doubtful: Vec<bool> = readings.iter().map(|one| readings.iter().any(|other| differs(one, other))).collect();
    for (reading, _) in readings.iter_mut().zip(doubtful).filter(|(_, doubtful)| *doubtful) {
        *reading = Reading { flaw: Some(Flaw::Unreadable), ..Reading::new(reading.cas.clone(), None) };
    }
}

fn read_gas(fields: &[String], layout: Layout, marks: Marks) -> Option<(i64, Reading)> {
    let [stamp, cas, ppm, inlet @ ..] = fields else { return None };
    let whole = fields.len() == layout.fields() && inlet.iter().all(|inlet| is_inlet(inlet));
    let (ppm, restricted, flaw) = match number::read(ppm, marks) {
        Ok((ppm, restricted)) => (Some(ppm), restricted, None),
        Err(flaw) => (None, false, Some(flaw)),
    };
    let reading = Reading { restricted, flaw, ..Reading::new(read_cas(cas)?, ppm) };
    whole.then_some((read_stamp(stamp)?, reading))
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
    fn a_concentration_without_a_value_says_why() {
        let data = "10 74-82-8 OVER 10 124-38-9 500,003 10 7732-18-5 1.#IND 10 630-08-0 7125,4 10 7664-41-7 OVER RANGE \
                    10 10024-97-2 0,33 ppm 10 7446-09-5 <LOD";
        let samples = reply(&format!("ACON 0 {data}")).results().unwrap();
        let readings: Vec<_> = samples[0].readings.iter().map(|reading| (reading.ppm, reading.flaw)).collect();
        assert_eq!(
            readings,
            [
                (None, Some(Flaw::OverRange)),
                (Some(500.003), None),
                (None, Some(Flaw::Unreadable)),
                (Some(7125.4), None),
                (None, Some(Flaw::OverRange)),
                (Some(0.33), None),
                (None, Some(Flaw::UnderRange)),
            ]
        );
    }

    #[test]
    fn thin_blanks_part_thousands_and_not_fields() {
        let samples = reply("ACON 0 10 74-82-8 1\u{202f}234,5 10 124-38-9 12\u{a0}345").results().unwrap();
        let values: Vec<_> = samples[0].readings.iter().map(|reading| reading.ppm).collect();
        assert_eq!(values, [Some(1234.5), Some(12_345.0)]);
        assert!(reply("ACON 0 10 74-82-8 1 234.5 10 124-38-9 400").results().is_err());
    }

    #[test]
    fn stamps_are_read_as_what_they_mean() {
        for stamp in ["1706785295", "1706785295.0", "1706785295.25", "1706785295250", "1706785295250000"] {
            let samples = reply(&format!("ACON 0 {stamp} 74-82-8 1.5 {stamp} 124-38-9 400")).results().unwrap();
            assert_eq!((samples.len(), samples[0].stamp.0), (1, 1_706_785_295), "{stamp}");
        }
        let split = reply("ACON 0 1706785295.9 74-82-8 1.5 1706785296.1 124-38-9 400 1706785297.2 630-08-0 1");
        let samples = split.results().unwrap();
        let sizes: Vec<_> = samples.iter().map(|sample| (sample.stamp.0, sample.readings.len())).collect();
        assert_eq!(sizes, [(1_706_785_295, 2), (1_706_785_297, 1)]);
    }

    #[test]
    fn a_gas_with_two_numbers_has_none() {
        let samples = reply("ACON 0 10 74-82-8 1.5 10 124-38-9 400 10 74-82-8 9 10 124-38-9 400").results().unwrap();
        let values: Vec<_> = samples[0].readings.iter().map(|reading| (reading.ppm, reading.flaw)).collect();
        let none = (None, Some(Flaw::Unreadable));
        assert_eq!(values, [none, (Some(400.0), None), none, (Some(400.0), None)]);
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
