//! What the database takes, as it says itself.

use rusqlite::Connection;

use super::Store;
use super::error::StoreError;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes with something in them.
    pub used: u64,
    /// Bytes of rows that are gone; what is written next goes there, and the file does not grow.
    pub reusable: u64,
}

impl Store {
    pub async fn usage(&self) -> Result<Usage, StoreError> {
        self.reader.ask(|connection| usage(connection)).await
    }
}

fn usage(connection: &Connection) -> Result<Usage, StoreError> {
    let number = |query: &str| {
        let number: i64 = connection.query_row(query, [], |row| row.get(0))?;
        Ok::<u64, StoreError>(u64::try_from(number).unwrap_or(0))
    };
    let (size, pages, free) =
        (number("PRAGMA page_size")?, number("PRAGMA page_count")?, number("PRAGMA freelist_count")?);
    Ok(Usage { used: pages.saturating_sub(free) * size, reusable: free * size })
}
