//! A file that grows row by row, each row after one of the truth and with its key.
//!
//! It ends in a complete line at every instant, but for a crash in the middle of a write, which the next start mends.
//! Where it differs otherwise from what the truth gives, it is written beside its place and put there whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::domain::Sheet;
use crate::store::PAGE;
use crate::store::error::StoreError;

/// Rows in order, each with its key.
pub(super) type Rows = Vec<(i64, String)>;

pub(super) struct GrowingTable {
    pub name: &'static str,
    /// The field of a row that is its key; no field before it has a comma in it.
    pub key_column: usize,
    pub header: fn(&Sheet) -> String,
    /// Up to so many rows behind the one of this key.
    pub rows: fn(&Connection, &Sheet, i64, u32) -> Result<Rows, StoreError>,
}

/// A file up to this size is compared with the truth as a whole when it is opened, a longer one at its end.
const COMPARED: u64 = 4 << 20;
/// Longer than any row.
const TAIL: u64 = 256 << 10;

/// The file of a run under way, with the key of its last row.
pub(super) struct Growing {
    table: &'static GrowingTable,
    path: PathBuf,
    file: File,
    key: i64,
}

/// What a file has in common with the truth.
enum FoundFile {
    /// All up to here, and behind it at most a row that was not finished.
    Good {
        key: i64,
        bytes: u64,
    },
    Different,
}

impl Growing {
    /// Makes the file what the truth says; `anew` if it is known to say otherwise.
    pub fn open(
        connection: &Connection,
        sheet: &Sheet,
        folder: &Path,
        table: &'static GrowingTable,
        anew: bool,
    ) -> Result<Self, StoreError> {
        let path = folder.join(table.name);
        let found = if anew { FoundFile::Different } else { table.examine(connection, sheet, &path)? };
        let key = match found {
            FoundFile::Good { key, bytes } => {
                let file = OpenOptions::new().write(true).open(&path).map_err(StoreError::io("open", &path))?;
                file.set_len(bytes).map_err(StoreError::io("mend", &path))?;
                key
            }
            FoundFile::Different => table.rewrite(connection, sheet, &path)?,
        };
        let file = OpenOptions::new().append(true).open(&path).map_err(StoreError::io("open", &path))?;
        let mut growing = Self { table, path, file, key };
        growing.catch_up(connection, sheet)?;
        Ok(growing)
    }

    pub fn is(&self, table: &GrowingTable) -> bool {
        self.table.name == table.name
    }

    pub fn key(&self) -> i64 {
        self.key
    }

    /// Appends what the truth has more.
    pub fn catch_up(&mut self, connection: &Connection, sheet: &Sheet) -> Result<(), StoreError> {
        loop {
            let rows = (self.table.rows)(connection, sheet, self.key, PAGE)?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            let last = *last;
            let text: String = rows.into_iter().map(|(_, row)| row).collect();
            self.file.write_all(text.as_bytes()).map_err(StoreError::io("append to", &self.path))?;
            self.key = last;
        }
    }

    pub fn sync(&self) -> Result<(), StoreError> {
        self.file.sync_data().map_err(StoreError::io("write", &self.path))
    }
}

impl GrowingTable {
    fn examine(&self, connection: &Connection, sheet: &Sheet, path: &Path) -> Result<FoundFile, StoreError> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FoundFile::Different),
            Err(error) => return Err(StoreError::io("open", path)(error)),
        };
        let length = file.metadata().map_err(StoreError::io("look at", path))?.len();
        if length > COMPARED {
            self.examine_end(connection, sheet, &mut file, length)
        } else {
            self.examine_all(connection, sheet, &mut BufReader::new(file), length)
        }
    }

    fn examine_all(
        &self,
        connection: &Connection,
        sheet: &Sheet,
        file: &mut impl Read,
        length: u64,
    ) -> Result<FoundFile, StoreError> {
        let (mut key, mut bytes) = (0, 0_u64);
        let mut is_next = |row: &str| {
            let mut found = Vec::with_capacity(row.len());
            let whole = file.take(count(row.len())).read_to_end(&mut found).is_ok();
            whole
                .then_some(found)
                .map(|found| (found == row.as_bytes(), row.as_bytes().starts_with(&found), found.len()))
        };
        let header = (self.header)(sheet);
        if !is_next(&header).is_some_and(|(same, ..)| same) {
            return Ok(FoundFile::Different);
        }
        bytes += count(header.len());
        loop {
            let rows = (self.rows)(connection, sheet, key, PAGE)?;
            if rows.is_empty() {
                return Ok(if bytes == length { FoundFile::Good { key, bytes } } else { FoundFile::Different });
            }
            for (next, row) in rows {
                match is_next(&row) {
                    Some((true, ..)) => (key, bytes) = (next, bytes + count(row.len())),
                    // The file ends here, perhaps within the row.
                    Some((false, true, part)) if bytes + count(part) == length => {
                        return Ok(FoundFile::Good { key, bytes });
                    }
                    _ => return Ok(FoundFile::Different),
                }
            }
        }
    }

    /// The header and the last complete row.
    fn examine_end(
        &self,
        connection: &Connection,
        sheet: &Sheet,
        file: &mut File,
        length: u64,
    ) -> Result<FoundFile, StoreError> {
        let broken = StoreError::io("read", Path::new(self.name));
        let Some((header, tail)) = (self.ends(sheet, file, length)).map_err(broken)? else {
            return Ok(FoundFile::Different);
        };
        if header != (self.header)(sheet).as_bytes() {
            return Ok(FoundFile::Different);
        }
        let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else { return Ok(FoundFile::Different) };
        let begin = tail[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let row = String::from_utf8_lossy(&tail[begin..=end]);
        let Some(key) = row.split(',').nth(self.key_column).and_then(|key| key.parse::<i64>().ok()) else {
            return Ok(FoundFile::Different);
        };
        let expected = (self.rows)(connection, sheet, key - 1, 1)?;
        let same = expected.first().is_some_and(|(found, expected)| *found == key && *expected == row);
        let bytes = length - count(tail.len() - end - 1);
        Ok(if same { FoundFile::Good { key, bytes } } else { FoundFile::Different })
    }

    fn ends(&self, sheet: &Sheet, file: &mut File, length: u64) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut header = vec![0; (self.header)(sheet).len()];
        file.read_exact(&mut header)?;
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(Some((header, tail)))
    }

    /// Writes the file beside its place and puts it there whole; gives the key of its last row.
    fn rewrite(&self, connection: &Connection, sheet: &Sheet, path: &Path) -> Result<i64, StoreError> {
        let draft = path.with_extension("csv.new");
        let mut writer = BufWriter::new(File::create(&draft).map_err(StoreError::io("create", &draft))?);
        let mut write = |text: &str| writer.write_all(text.as_bytes()).map_err(StoreError::io("write", &draft));
        write(&(self.header)(sheet))?;
        let mut key = 0;
        loop {
            let rows = (self.rows)(connection, sheet, key, PAGE)?;
            let Some((last, _)) = rows.last() else { break };
            key = *last;
            rows.iter().try_for_each(|(_, row)| write(row))?;
        }
        let file = writer.into_inner().map_err(|error| StoreError::io("write", &draft)(error.into_error()))?;
        file.sync_all().map_err(StoreError::io("write", &draft))?;
        fs::rename(&draft, path).map_err(StoreError::io("replace", path))?;
        Ok(key)
    }

    /// Whether the file says what the truth gives. That of a run under way may be a moment behind.
    pub fn compare(&self, connection: &Connection, sheet: &Sheet, folder: &Path) -> Result<Compared, StoreError> {
        let path = folder.join(self.name);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) => return Ok(Compared { rows: 0, difference: Some(unreadable(&path, &error)) }),
        };
        let length = file.metadata().map_err(StoreError::io("look at", &path))?.len();
        let found = self.examine_all(connection, sheet, &mut BufReader::new(file.take(length)), length)?;
        let FoundFile::Good { key, bytes } = found else {
            let difference = format!("{} is not what the database gives", path.display());
            return Ok(Compared { rows: self.count(connection, sheet, 0)?, difference: Some(difference) });
        };
        let missing = self.count(connection, sheet, key)?;
        let whole = bytes == length && (missing == 0 || sheet.run.ended.is_none() && missing <= u64::from(PAGE));
        let difference = (!whole).then(|| format!("{} lacks {missing} rows that the database gives", path.display()));
        Ok(Compared { rows: self.count(connection, sheet, 0)?, difference })
    }

    fn count(&self, connection: &Connection, sheet: &Sheet, after: i64) -> Result<u64, StoreError> {
        let (mut key, mut total) = (after, 0);
        loop {
            let rows = (self.rows)(connection, sheet, key, PAGE)?;
            let Some((last, _)) = rows.last() else { return Ok(total) };
            key = *last;
            total += count(rows.len());
        }
    }
}

pub(super) struct Compared {
    /// That the truth gives.
    pub rows: u64,
    pub difference: Option<String>,
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
