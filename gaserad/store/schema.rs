//! The tables, and how a database comes to have them.
//!
//! Times are microseconds: `tick` since the journal began, all others since 1970-01-01T00:00:00Z.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::error::StoreError;

/// What makes each version of the schema from the one before. A released step is never edited.
const STEPS: [&str; 11] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH, EIGHTH, NINTH, TENTH, ELEVENTH];

const FIRST: &str = "
    CREATE TABLE journal (
        seq    INTEGER PRIMARY KEY,
        tick   INTEGER NOT NULL,
        utc    INTEGER NOT NULL,
        line   TEXT NOT NULL
    ) STRICT;

    CREATE TABLE runs (
        number   INTEGER PRIMARY KEY,
        id       TEXT NOT NULL UNIQUE,
        plan     TEXT NOT NULL,
        gases    TEXT NOT NULL,
        labels   TEXT NOT NULL,
        started  INTEGER NOT NULL,
        ended    INTEGER,
        outcome  TEXT,
        reason   TEXT NOT NULL
    ) STRICT;

    CREATE TABLE visits (
        run       TEXT NOT NULL REFERENCES runs (id),
        visit     INTEGER NOT NULL,
        channel   INTEGER NOT NULL,
        repeat    INTEGER NOT NULL,
        arrived   INTEGER NOT NULL,
        departed  INTEGER,
        PRIMARY KEY (run, visit)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE records (
        run              TEXT NOT NULL REFERENCES runs (id),
        seq              INTEGER NOT NULL,
        stamp            INTEGER NOT NULL,
        readings         TEXT NOT NULL,
        raw              TEXT NOT NULL,
        attribution      TEXT NOT NULL,
        channel          INTEGER,
        visit            INTEGER,
        repeat           INTEGER,
        verification     TEXT NOT NULL,
        elapsed_s        REAL,
        sample_in_visit  INTEGER,
        discard          INTEGER NOT NULL,
        qc               TEXT NOT NULL,
        flags            TEXT NOT NULL,
        iteration        INTEGER,
        sampled          INTEGER NOT NULL,
        exchange_from    INTEGER,
        exchange_until   INTEGER,
        read             INTEGER NOT NULL,
        clock_offset_s   REAL,
        good             INTEGER NOT NULL,
        PRIMARY KEY (run, seq)
    ) STRICT, WITHOUT ROWID;

    CREATE INDEX records_by_visit ON records (run, visit, good);

    CREATE TABLE events (
        seq      INTEGER PRIMARY KEY,
        tick     INTEGER NOT NULL,
        utc      INTEGER NOT NULL,
        name     TEXT NOT NULL,
        run      TEXT,
        channel  INTEGER,
        data     TEXT NOT NULL
    ) STRICT;

    CREATE TABLE audit (
        seq     INTEGER PRIMARY KEY,
        tick    INTEGER NOT NULL,
        utc     INTEGER NOT NULL,
        who     TEXT NOT NULL,
        what    TEXT NOT NULL,
        result  TEXT NOT NULL
    ) STRICT;
";

/// `journal` is the number of the journal line with which the process began that started the run.
const SECOND: &str = "
    ALTER TABLE records ADD COLUMN stamp_meaning TEXT;
    ALTER TABLE runs ADD COLUMN journal INTEGER;

    CREATE TABLE notes (
        seq   INTEGER PRIMARY KEY,
        run   TEXT NOT NULL REFERENCES runs (id),
        at    INTEGER NOT NULL,
        who   TEXT NOT NULL,
        text  TEXT NOT NULL
    ) STRICT;
";

/// Runs that begin later, in the order in which they were asked for.
const THIRD: &str = "
    CREATE TABLE waiting (
        number  INTEGER PRIMARY KEY,
        run     TEXT NOT NULL UNIQUE,
        start   TEXT NOT NULL
    ) STRICT;
";

/// Whether the analyzer may still be measuring for a run that is over.
const FOURTH: &str = "
    ALTER TABLE runs ADD COLUMN owes_stop INTEGER NOT NULL DEFAULT 0;
";

/// What starts runs by the clock.
const FIFTH: &str = "
    CREATE TABLE schedules (
        name      TEXT PRIMARY KEY,
        schedule  TEXT NOT NULL
    ) STRICT;
";

/// What happened in a run, but for its results, which are among the records.
const SIXTH: &str = "
    CREATE INDEX events_of_runs ON events (run, seq) WHERE run IS NOT NULL AND name <> 'live_data';
";

/// What a run was measured with and how its channels and gases were described; and counts, so that nobody has to count.
/// `rebuild` is 1 while rows that a file of the run has already may look otherwise now.
const SEVENTH: &str = "
    CREATE TABLE sheets (
        run         TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
        channels    TEXT NOT NULL,
        gases       TEXT NOT NULL DEFAULT '[]',
        provenance  TEXT NOT NULL,
        equipment   TEXT NOT NULL DEFAULT '{}'
    ) STRICT;

    ALTER TABLE runs ADD COLUMN records INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN good_records INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE runs ADD COLUMN rebuild INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE visits ADD COLUMN records INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE visits ADD COLUMN good_records INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE visits ADD COLUMN first_record INTEGER;
    ALTER TABLE visits ADD COLUMN last_record INTEGER;

    UPDATE runs SET (records, good_records) =
        (SELECT count(*), coalesce(sum(good), 0) FROM records WHERE run = runs.id);
    UPDATE visits SET (records, good_records, first_record, last_record) =
        (SELECT count(*), coalesce(sum(good), 0), min(seq), max(seq) FROM records
            WHERE run = visits.run AND visit = visits.visit);
    DROP INDEX records_by_visit;
";

/// Runs that were removed. `purging` is 1 while what is kept of one is going for good.
const EIGHTH: &str = "
    CREATE TABLE trash (
        run      TEXT PRIMARY KEY REFERENCES runs (id),
        trashed  INTEGER NOT NULL,
        who      TEXT NOT NULL,
        purging  INTEGER NOT NULL DEFAULT 0
    ) STRICT;
";

/// How many samples of a run have no channel, and why. Of runs before, nobody counted them.
const NINTH: &str = "
    ALTER TABLE runs ADD COLUMN without_channel TEXT NOT NULL DEFAULT '{\"samples\":0,\"why\":{}}';
";

/// Who the analyzer and the multiplexer are, by which another one is known as such.
const TENTH: &str = "
    CREATE TABLE devices (
        device  TEXT PRIMARY KEY,
        known   TEXT NOT NULL
    ) STRICT;
";

/// The purge was called pause before, and the pause was called suspension.
const ELEVENTH: &str = r#"
    UPDATE runs SET rebuild = 1, plan = replace(plan, '"pause_s"', '"purge_s"');

    UPDATE records SET flags = replace(flags, '"suspended"', '"paused"') WHERE flags LIKE '%"suspended"%';

    UPDATE events SET data =
        replace(replace(replace(replace(replace(replace(replace(replace(data,
            '"phase":"PAUSED"', '"phase":"PURGING"'),
            '"previous":"PAUSED"', '"previous":"PURGING"'),
            '"phase":"SUSPENDED"', '"phase":"PAUSED"'),
            '"previous":"SUSPENDED"', '"previous":"PAUSED"'),
            '"change":"suspended"', '"change":"paused"'),
            '["suspended"', '["paused"'),
            ',"suspended"', ',"paused"'),
            '"pause_s":', '"purge_s":')
        WHERE name IN ('phase', 'live_data', 'run.started', 'run.updated')
            AND (data LIKE '%"PAUSED"%' OR data LIKE '%"suspended"%' OR data LIKE '%"pause_s":%');
"#;

/// Somebody may look into the file with a tool of their own.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of a new database; one that is there keeps what it has. A commit writes each page that it changes as a whole, and most
/// change a few rows at the ends of some tables: with pages of 4096 bytes an iteration of the analyzer writes half as much
/// again. In smaller ones a record does not fit, takes twice the room, and is read at half the speed.
const PAGE_BYTES: u32 = 2048;

/// Opens the database for writing, and brings its tables up to this version.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found == 0 {
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    }
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    if found < known {
        transaction.pragma_update(None, "user_version", known)?;
    }
    transaction.commit()?;
    Ok(connection)
}

/// Opens the database for reading beside the writer.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}
