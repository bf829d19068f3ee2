//! What was measured on the channels whose gas is known: those with a reference, and zero gases.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::{read, sheet};
use crate::domain::{Cas, ChannelInfo, ChannelKind, DriftPoint, GasInfo, RunId, Sheet, Spread, Utc};

/// Of water a zero gas may contain some.
const WATER: &str = "7732-18-5";

/// Of one run, or of all that began after `since`, oldest first.
pub(super) fn points(
    connection: &Connection,
    run: Option<&RunId>,
    since: Option<Utc>,
) -> Result<Vec<DriftPoint>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT id FROM runs WHERE (?1 IS NULL OR id = ?1) AND started >= ?2
             AND id NOT IN (SELECT run FROM trash) ORDER BY number",
    )?;
    let since = since.map_or(i64::MIN, Utc::as_micros);
    let ids = query.query_map(params![run.map(|run| &run.0), since], |row| row.get("id").map(RunId))?;
    let mut points = Vec::new();
    for id in ids.collect::<Result<Vec<_>, _>>()? {
        points.extend(of(connection, &sheet::of(connection, &id)?)?);
    }
    Ok(points)
}

fn of(connection: &Connection, sheet: &Sheet) -> Result<Vec<DriftPoint>, StoreError> {
    let mut points = Vec::new();
    for (channel, known) in &sheet.channels {
        let expected = expected(known, &sheet.gases);
        if expected.is_empty() {
            continue;
        }
        let mut measured = measured(connection, &sheet.run.id, channel.number())?;
        for (gas, expected_ppm) in expected {
            let Some(measured) = measured.remove(&gas.cas) else { continue };
            points.push(DriftPoint {
                run: sheet.run.id.clone(),
                started: sheet.run.started,
                channel: *channel,
                label: known.label.clone(),
                kind: known.kind,
                gas,
                expected_ppm,
                measured,
            });
        }
    }
    Ok(points)
}

/// The gases of the run of which it is known how much is in the line.
fn expected(known: &ChannelInfo, gases: &[GasInfo]) -> Vec<(GasInfo, f64)> {
    let content = |gas: &GasInfo| {
        let nothing = known.kind == ChannelKind::Zero && gas.cas.0 != WATER;
        known.reference.get(&gas.cas).copied().or(nothing.then_some(0.0))
    };
    gases.iter().filter_map(|gas| Some((gas.clone(), content(gas)?))).collect()
}

fn measured(connection: &Connection, run: &RunId, channel: u8) -> Result<BTreeMap<Cas, Spread>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT records.* FROM visits JOIN records ON records.run = visits.run
            AND records.seq BETWEEN visits.first_record AND visits.last_record AND records.visit = visits.visit
        WHERE visits.run = ? AND visits.channel = ? AND records.good = 1",
    )?;
    let mut spreads: BTreeMap<Cas, Spread> = BTreeMap::new();
    for record in query.query_map(params![run.0, channel], read::record)? {
        for reading in record?.sample.readings.iter().filter(|reading| !reading.discard) {
            if let Some(ppm) = reading.ppm {
                spreads.entry(reading.cas.clone()).or_default().add(ppm);
            }
        }
    }
    Ok(spreads)
}
