//! `samples.csv`: a row for each record.

use rusqlite::Connection;

use super::table::{GrowingTable, Rows};
use crate::domain::Sheet;
use crate::store::error::StoreError;
use crate::store::{csv, read};

pub(super) const SAMPLES: GrowingTable =
    GrowingTable { name: "samples.csv", key_column: 4, header: |sheet| csv::header_of(&sheet.gases), rows };

fn rows(connection: &Connection, sheet: &Sheet, after: i64, limit: u32) -> Result<Rows, StoreError> {
    let after = u32::try_from(after).unwrap_or(u32::MAX);
    let records = read::records(connection, &sheet.run.id, after, limit)?;
    Ok(records.iter().map(|record| (i64::from(record.seq), csv::row(record, sheet))).collect())
}
