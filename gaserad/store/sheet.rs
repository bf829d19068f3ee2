//! The sheet of a run: written when it begins, read for its files and exports.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::de::DeserializeOwned;

use super::batch::Circumstances;
use super::error::StoreError;
use super::read::{self, json};
use super::write;
use crate::domain::{Cas, Channel, ChannelInfo, ChannelKind, Equipment, GasInfo, RunId, Sheet};

pub(super) fn begin(transaction: &Transaction<'_>, run: &RunId, about: &Circumstances) -> Result<(), StoreError> {
    let channels: Vec<_> = about.channels.iter().collect();
    transaction.prepare_cached("INSERT INTO sheets (run, channels, provenance) VALUES (?, ?, ?)")?.execute(params![
        run.0,
        write::json("the channels", &channels)?,
        write::json("the provenance", &about.provenance)?,
    ])?;
    Ok(())
}

pub(super) fn equip(transaction: &Transaction<'_>, run: &RunId, equipment: &Equipment) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE sheets SET equipment = ? WHERE run = ?")?
        .execute(params![write::json("the equipment", equipment)?, run.0])?;
    Ok(())
}

/// Adds the gases that the run did not have: in front, in the task's order, or behind, in order of appearance.
pub(super) fn widen(
    transaction: &Transaction<'_>,
    run: &RunId,
    gases: &[Cas],
    in_front: bool,
    about: &Circumstances,
) -> Result<(), StoreError> {
    let known = read::gases(transaction, run)?;
    let (first, second) = if in_front { (gases, known.as_slice()) } else { (known.as_slice(), gases) };
    let mut all: Vec<&Cas> = Vec::new();
    for gas in first.iter().chain(second) {
        if !all.contains(&gas) {
            all.push(gas);
        }
    }
    if all.iter().copied().eq(&known) {
        return Ok(());
    }
    transaction
        .prepare_cached("UPDATE runs SET gases = ? WHERE id = ?")?
        .execute(params![write::json("the gases", &all)?, run.0])?;
    let described = described(transaction, run)?;
    let info = |cas: &&Cas| described.get(cas).cloned().unwrap_or_else(|| about.gases.info(cas));
    let infos: Vec<GasInfo> = all.iter().map(info).collect();
    transaction
        .prepare_cached("UPDATE sheets SET gases = ? WHERE run = ?")?
        .execute(params![write::json("the gases", &infos)?, run.0])?;
    Ok(())
}

/// The gases as they were described when the run came to have them.
fn described(connection: &Connection, run: &RunId) -> Result<BTreeMap<Cas, GasInfo>, StoreError> {
    let mut query = connection.prepare_cached("SELECT gases FROM sheets WHERE run = ?")?;
    let infos: Option<Vec<GasInfo>> = query.query_row([&run.0], |row| json(row, "gases")).optional()?;
    Ok(infos.into_iter().flatten().map(|info| (info.cas.clone(), info)).collect())
}

/// A run from before its sheet was kept has what is known without one.
pub(super) fn of(connection: &Connection, id: &RunId) -> Result<Sheet, StoreError> {
    let query = "SELECT runs.*, channels, sheets.gases AS infos, provenance, equipment,
            (SELECT coalesce(max(seq), 0) FROM records WHERE run = runs.id) AS last_record
        FROM runs LEFT JOIN sheets ON sheets.run = runs.id WHERE id = ?";
    connection
        .prepare_cached(query)?
        .query_row([&id.0], sheet)
        .optional()?
        .ok_or_else(|| StoreError::NotFound(id.0.clone()))
}

fn sheet(row: &Row<'_>) -> rusqlite::Result<Sheet> {
    let channels: Option<Vec<(Channel, ChannelInfo)>> = known(row, "channels")?;
    let channels = match channels {
        Some(channels) => channels.into_iter().collect(),
        None => labelled(json(row, "labels")?),
    };
    let infos: Vec<GasInfo> = known(row, "infos")?.unwrap_or_default();
    let gases: Vec<Cas> = json(row, "gases")?;
    let info = |cas: &Cas| infos.iter().find(|info| info.cas == *cas).cloned().unwrap_or_else(|| GasInfo::of(cas));
    Ok(Sheet {
        run: read::run_summary(row)?,
        channels,
        gases: gases.iter().map(info).collect(),
        last_record: row.get("last_record")?,
        provenance: known(row, "provenance")?.unwrap_or_default(),
        equipment: known(row, "equipment")?.unwrap_or_default(),
    })
}

/// `None` where the run has no sheet.
fn known<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<T>> {
    if row.get::<_, Option<String>>(column)?.is_some() { json(row, column).map(Some) } else { Ok(None) }
}

fn labelled(labels: Vec<(Channel, (String, ChannelKind))>) -> BTreeMap<Channel, ChannelInfo> {
    let info = |(label, kind)| ChannelInfo { label, kind, ..ChannelInfo::default() };
    labels.into_iter().map(|(channel, known)| (channel, info(known))).collect()
}
