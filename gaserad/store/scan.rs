//! Records as rows of a file, read without memory for each of them.

use std::fmt::Write as _;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, params};

use super::error::StoreError;
use crate::domain::{
    AnalyzerTime, Attribution, Channel, Flag, GasInfo, Qc, Reading, RunId, Selection, Utc, Verification, VisitId,
};
use crate::export::{Measured, Row};

const COLUMNS: &str = "seq, stamp, readings, attribution, channel, visit, repeat, verification, elapsed_s, \
    sample_in_visit, discard, qc, flags, iteration, sampled, read";

/// Records of one run by their numbers, the last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordSpan {
    /// Which of the exported runs.
    pub run: usize,
    pub first: u32,
    pub last: u32,
}

/// Calls `each` with every record of the span that is selected, in order.
pub(super) fn rows(
    connection: &Connection,
    (id, span): (&RunId, RecordSpan),
    gases: &[GasInfo],
    selection: &Selection,
    mut each: impl FnMut(&Row),
) -> Result<(), StoreError> {
    let condition = condition(selection);
    let query =
        format!("SELECT {COLUMNS} FROM records WHERE run = ?1 AND seq BETWEEN ?2 AND ?3{condition} ORDER BY seq");
    let mut query = connection.prepare_cached(&query)?;
    let mut found = query.query(params![id.0, span.first, span.last])?;
    let mut row = Row::new(gases.len());
    row.run = span.run;
    while let Some(record) = found.next()? {
        fill(&mut row, record, gases)?;
        each(&row);
    }
    Ok(())
}

/// How many records up to the last one are selected.
pub(super) fn count(connection: &Connection, id: &RunId, last: u32, selection: &Selection) -> Result<u64, StoreError> {
    let condition = condition(selection);
    if condition.is_empty() {
        return Ok(last.into());
    }
    let query = format!("SELECT count(*) FROM records WHERE run = ?1 AND seq <= ?2{condition}");
    let count: i64 = connection.prepare_cached(&query)?.query_row(params![id.0, last], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Numbers only, so there is nothing to quote.
fn condition(selection: &Selection) -> String {
    let mut condition = String::new();
    let Selection { from, until, channels, good_only } = selection;
    // A string takes whatever is written to it.
    let _ = from.map(|from| write!(condition, " AND sampled >= {}", from.as_micros()));
    let _ = until.map(|until| write!(condition, " AND sampled < {}", until.as_micros()));
    if !channels.is_empty() {
        let numbers: Vec<String> = channels.iter().map(Channel::to_string).collect();
        let _ = write!(condition, " AND channel IN ({})", numbers.join(","));
    }
    if *good_only {
        condition.push_str(" AND good = 1");
    }
    condition
}

fn fill(row: &mut Row, record: &rusqlite::Row<'_>, gases: &[GasInfo]) -> rusqlite::Result<()> {
    row.seq = record.get(0)?;
    row.stamp = AnalyzerTime(record.get(1)?);
    readings(text(record, 2)?, gases, &mut row.gases).ok_or_else(|| unreadable(2, "not readings"))?;
    row.attribution = word(record, 3, Attribution::named)?;
    row.channel = record.get::<_, Option<u8>>(4)?.and_then(Channel::new);
    row.visit = record.get::<_, Option<u32>>(5)?.map(VisitId);
    row.repeat = record.get(6)?;
    row.verification = word(record, 7, Verification::named)?;
    row.elapsed_s = record.get(8)?;
    row.sample_in_visit = record.get(9)?;
    row.discard = record.get(10)?;
    row.qc = word(record, 11, Qc::named)?;
    flags(text(record, 12)?, &mut row.flags)?;
    row.iteration = record.get(13)?;
    row.sampled = Utc::from_micros(record.get(14)?);
    row.read = Utc::from_micros(record.get(15)?);
    Ok(())
}

fn text<'a>(record: &'a rusqlite::Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    match record.get_ref(column)? {
        ValueRef::Text(text) => Ok(text),
        other => Err(rusqlite::Error::InvalidColumnType(column, String::new(), other.data_type())),
    }
}

fn word<T>(record: &rusqlite::Row<'_>, column: usize, named: fn(&[u8]) -> Option<T>) -> rusqlite::Result<T> {
    let text = text(record, column)?;
    named(text).ok_or_else(|| unreadable(column, "a word that this version does not know"))
}

fn flags(text: &[u8], into: &mut Vec<Flag>) -> rusqlite::Result<()> {
    into.clear();
    if text != b"[]" {
        let known: Vec<Flag> = serde_json::from_slice(text)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(12, Type::Text, Box::new(error)))?;
        into.extend(known);
    }
    Ok(())
}

fn unreadable(column: usize, what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}

/// Reads what was measured into the columns of the gases; `None` if it cannot be read.
fn readings(text: &[u8], gases: &[GasInfo], into: &mut [Measured]) -> Option<()> {
    into.fill(Measured::default());
    if as_written(text, gases, into).is_some() {
        return Some(());
    }
    into.fill(Measured::default());
    let readings: Vec<Reading> = serde_json::from_slice(text).ok()?;
    // The first of a gas counts.
    for reading in readings.into_iter().rev() {
        if let Some(place) = gases.iter().position(|gas| gas.cas == reading.cas) {
            into[place] = Measured { ppm: reading.ppm, discard: reading.discard, restricted: reading.restricted };
        }
    }
    Some(())
}

/// Reads JSON as this program writes it, its gases in the order of the columns, and no other: that is many times as
/// fast.
fn as_written(text: &[u8], gases: &[GasInfo], into: &mut [Measured]) -> Option<()> {
    let mut rest = text.strip_prefix(b"[")?;
    let mut expected = 0;
    while let Some(object) = rest.strip_prefix(b"{\"cas\":\"") {
        let (cas, after) = split(object, b'"')?;
        let after = after.strip_prefix(b",\"ppm\":")?;
        let end = after.iter().position(|byte| matches!(byte, b',' | b'}'))?;
        let (number, after) = after.split_at(end);
        let (restricted, after) = flag(after, b",\"restricted\":true");
        let (discard, after) = flag(after, b",\"discard\":true");
        let after = after.strip_prefix(b"}")?;
        if cas.contains(&b'\\') {
            return None;
        }
        let is = |place: &usize| gases.get(*place).is_some_and(|gas| gas.cas.0.as_bytes() == cas);
        match (expected..gases.len()).find(is) {
            Some(place) => {
                into[place] = Measured { ppm: ppm(number)?, discard, restricted };
                expected = place + 1;
            }
            None if (0..expected).any(|place| is(&place)) => return None,
            None => {}
        }
        rest = after.strip_prefix(b",").unwrap_or(after);
    }
    (rest == b"]").then_some(())
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = text.iter().position(|byte| *byte == at)?;
    Some((&text[..place], &text[place + 1..]))
}

fn flag<'a>(text: &'a [u8], word: &[u8]) -> (bool, &'a [u8]) {
    text.strip_prefix(word).map_or((false, text), |rest| (true, rest))
}

#[expect(clippy::option_option, reason = "no number is something else than what is no number")]
fn ppm(text: &[u8]) -> Option<Option<f64>> {
    if text == b"null" {
        return Some(None);
    }
    std::str::from_utf8(text).ok()?.parse().ok().map(Some)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Cas;

    fn gases() -> Vec<GasInfo> {
        ["74-82-8", "124-38-9", "7732-18-5"].map(|cas| GasInfo::of(&Cas(cas.into()))).into()
    }

    proptest! {
        #[test]
        fn what_was_measured_is_read_as_it_was_written(
            measured in prop::collection::vec(
                (0..4usize, prop::option::of(prop::num::f64::NORMAL | prop::num::f64::ZERO), any::<bool>(), any::<bool>()),
                0..5,
            )
        ) {
            let cas = |place: usize| Cas(["74-82-8", "124-38-9", "7732-18-5", "1-2-3"][place].to_owned());
            let readings: Vec<Reading> = measured
                .iter()
                .map(|(place, ppm, restricted, discard)| Reading {
                    restricted: *restricted, discard: *discard, ..Reading::new(cas(*place), *ppm)
                })
                .collect();
            let text = serde_json::to_string(&readings).unwrap();
            let mut into = vec![Measured::default(); 3];
            prop_assert_eq!(super::readings(text.as_bytes(), &gases(), &mut into), Some(()));
            for (gas, into) in gases().iter().zip(into) {
                let first = readings.iter().find(|reading| reading.cas == gas.cas);
                prop_assert_eq!(into.ppm, first.and_then(|reading| reading.ppm));
                prop_assert_eq!(into.discard, first.is_some_and(|reading| reading.discard));
                prop_assert_eq!(into.restricted, first.is_some_and(|reading| reading.restricted));
            }
        }
    }

    #[test]
    fn what_is_in_the_order_of_the_columns_is_read_without_more_ado() {
        let text =
            br#"[{"cas":"74-82-8","ppm":1.9},{"cas":"1-2-3","ppm":7.0},{"cas":"7732-18-5","ppm":null,"discard":true}]"#;
        let mut into = vec![Measured::default(); 3];
        assert_eq!(as_written(text, &gases(), &mut into), Some(()));
        assert_eq!((into[0].ppm, into[1].ppm, into[2].discard), (Some(1.9), None, true));
    }

    #[test]
    fn what_others_wrote_is_read_too() {
        let text = br#"[ {"ppm": 1.5, "cas": "124-38-9"} ]"#;
        let mut into = vec![Measured::default(); 3];
        assert_eq!(as_written(text, &gases(), &mut into), None);
        readings(text, &gases(), &mut into).unwrap();
        assert_eq!(into[1].ppm, Some(1.5));
        assert_eq!(readings(b"[{", &gases(), &mut into), None);
    }
}
