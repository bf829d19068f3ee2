//! The journal, read from some line on. However long it is, a page of it is in memory.

use std::collections::VecDeque;

use rusqlite::Connection;

use super::error::StoreError;
use super::read;
use super::thread::StoreThread;

const PAGE: u32 = 1000;

pub struct Journal {
    reader: StoreThread<Connection>,
    page: VecDeque<(u64, String)>,
    /// The first line that was not read yet.
    next: u64,
}

impl Journal {
    pub(super) fn new(reader: StoreThread<Connection>, next: u64) -> Self {
        Self { reader, page: VecDeque::new(), next }
    }

    /// The next line with its number; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<(u64, String)>, StoreError> {
        if self.page.is_empty() {
            let from = self.next;
            self.page = self.reader.ask(move |connection| read::journal(connection, from, PAGE)).await?.into();
            self.next = self.page.back().map_or(from, |(last, _)| last + 1);
        }
        Ok(self.page.pop_front())
    }
}
