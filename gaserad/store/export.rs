//! Exports from the truth: blocks of records that are read and made at the same time, and joined in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, available_parallelism};

use rusqlite::{Connection, Row, params};
use tokio::sync::{Semaphore, mpsc};

use super::scan::{self, RecordSpan};
use super::{Store, StoreError, StoreWork, schema};
use crate::domain::{Channel, RunId, Selection, Table, Utc, VisitId, VisitSummary};
use crate::export::{Block, ExportJob, ExportedVisit, ExportedVisits};

/// Exports that several threads work on at a time; for others there is one, so that nobody waits for a reader who does not
/// read.
static FAST: Semaphore = Semaphore::const_new(2);
/// More workers than this take memory and give no time.
const MOST_WORKERS: usize = 4;
/// Visits that are in memory at a time.
const VISITS: u32 = 1000;

/// A part of an export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Piece {
    pub bytes: Vec<u8>,
    /// Records that are through so far, selected or not, and how many there are.
    pub through: u64,
    pub of: u64,
}

type Pieces = mpsc::Sender<Result<Piece, StoreError>>;

impl Store {
    /// Sends an export in pieces, as the truth has the runs at the beginning, until it is through or nobody receives any
    /// more. An error comes last.
    pub async fn export_as(&self, job: Arc<ExportJob>, pieces: Pieces) {
        let fast = FAST.try_acquire().ok();
        let result = match (&self.work, job.wanted.table) {
            (_, Table::Visits) => self.visits(&job, &pieces).await,
            (StoreWork::Caller(_), Table::Samples) => self.in_place(&job, &pieces).await,
            (StoreWork::Threads, Table::Samples) => self.in_threads(job, pieces.clone(), fast.is_some()).await,
        };
        drop(fast);
        if let Err(error) = result {
            // Nobody receives any more.
            let _ = pieces.send(Err(error)).await;
        }
    }

    async fn in_threads(&self, job: Arc<ExportJob>, pieces: Pieces, fast: bool) -> Result<(), StoreError> {
        let Some(directory) = self.folders.parent() else { return Err(StoreError::Closed) };
        let most = if fast { MOST_WORKERS } else { 1 };
        let plant = BlockPlant { database: directory.join("state.sqlite"), job, most };
        let joining = tokio::task::spawn_blocking(move || plant.run(&pieces));
        joining.await.unwrap_or(Err(StoreError::Closed))
    }

    async fn in_place(&self, job: &Arc<ExportJob>, pieces: &Pieces) -> Result<(), StoreError> {
        let counting = job.clone();
        let count = self.reader.ask(move |connection| counted(connection, &counting)).await?;
        let mut assembler = job.assembler(count)?;
        let mut progress = ExportProgress::of(job);
        if pieces.send(Ok(progress.piece(assembler.begin()?, 0))).await.is_err() {
            return Ok(());
        }
        for span in spans(job) {
            let reading = job.clone();
            let block = self.reader.ask(move |connection| block(connection, &reading, span)).await?;
            let piece = progress.piece(assembler.append(block)?, size(span));
            if pieces.send(Ok(piece)).await.is_err() {
                return Ok(());
            }
        }
        // Nobody receives any more.
        let _ = pieces.send(Ok(progress.piece(assembler.end()?, 0))).await;
        Ok(())
    }

    async fn visits(&self, job: &Arc<ExportJob>, pieces: &Pieces) -> Result<(), StoreError> {
        let mut lines = ExportedVisits::new(job);
        for (run, sheet) in job.sheets.iter().enumerate() {
            let mut after = 0;
            loop {
                let id = sheet.run.id.clone();
                let page = self.reader.ask(move |connection| visits_of(connection, &id, after)).await?;
                let Some(last) = page.last() else { break };
                after = last.id.0;
                let selected = page.into_iter().filter(|visit| is_selected(visit, &job.wanted.selection));
                selected.for_each(|visit| lines.add(ExportedVisit { run, visit }));
                if pieces.send(Ok(Piece { bytes: lines.take(), ..Piece::default() })).await.is_err() {
                    return Ok(());
                }
            }
        }
        lines.end();
        // Nobody receives any more.
        let _ = pieces.send(Ok(Piece { bytes: lines.take(), ..Piece::default() })).await;
        Ok(())
    }
}

/// Workers with a connection each, and who joins what they make.
struct BlockPlant {
    database: PathBuf,
    job: Arc<ExportJob>,
    /// Workers.
    most: usize,
}

impl BlockPlant {
    fn run(&self, pieces: &Pieces) -> Result<(), StoreError> {
        let connection = schema::open_reader(&self.database)?;
        let mut assembler = self.job.assembler(counted(&connection, &self.job)?)?;
        let mut progress = ExportProgress::of(&self.job);
        if pieces.blocking_send(Ok(progress.piece(assembler.begin()?, 0))).is_err() {
            return Ok(());
        }
        let spans: Vec<RecordSpan> = spans(&self.job).collect();
        let workers = available_parallelism().map_or(1, usize::from).min(self.most).min(spans.len().max(1));
        thread::scope(|scope| {
            let mut blocks = Vec::new();
            for worker in 0..workers {
                let (made, making) = sync_channel(1);
                let spans = &spans;
                let work = move || self.work(spans.iter().skip(worker).step_by(workers), &made);
                thread::Builder::new()
                    .name("store-export".into())
                    .spawn_scoped(scope, work)
                    .map_err(StoreError::io("start a thread for", &self.database))?;
                blocks.push(making);
            }
            join(&spans, &blocks, &mut |block, span| {
                let piece = progress.piece(assembler.append(block)?, size(span));
                Ok(pieces.blocking_send(Ok(piece)).is_ok())
            })
        })
        .and_then(|through| {
            if through {
                // Nobody receives any more.
                let _ = pieces.blocking_send(Ok(progress.piece(assembler.end()?, 0)));
            }
            Ok(())
        })
    }

    fn work<'a>(&self, spans: impl Iterator<Item = &'a RecordSpan>, made: &SyncSender<Result<Block, StoreError>>) {
        let connection = match schema::open_reader(&self.database) {
            Ok(connection) => connection,
            Err(error) => {
                // Whoever joins has given up.
                let _ = made.send(Err(error));
                return;
            }
        };
        for span in spans {
            if made.send(block(&connection, &self.job, *span)).is_err() {
                return;
            }
        }
    }
}

/// Takes the blocks in the order of their spans; whether all of them were wanted.
fn join(
    spans: &[RecordSpan],
    blocks: &[Receiver<Result<Block, StoreError>>],
    take: &mut dyn FnMut(Block, RecordSpan) -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    for (span, making) in spans.iter().zip(blocks.iter().cycle()) {
        let block = making.recv().map_err(|_| StoreError::Closed)??;
        if !take(block, *span)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn spans(job: &ExportJob) -> impl Iterator<Item = RecordSpan> {
    let size = job.block();
    job.sheets.iter().enumerate().flat_map(move |(run, sheet)| {
        let last = sheet.last_record;
        let span = move |first: u32| RecordSpan { run, first, last: first.saturating_add(size - 1).min(last) };
        (1..=last).step_by(usize::try_from(size).unwrap_or(1)).map(span)
    })
}

fn size(span: RecordSpan) -> u64 {
    u64::from(span.last - span.first) + 1
}

fn block(connection: &Connection, job: &Arc<ExportJob>, span: RecordSpan) -> Result<Block, StoreError> {
    let mut encoder = job.encoder();
    let id = &job.sheets[span.run].run.id;
    scan::rows(connection, (id, span), &job.gases, &selection(job), |row| encoder.row(row))?;
    Ok(encoder.block()?)
}

/// What is selected, and what the format itself leaves out.
fn selection(job: &ExportJob) -> Selection {
    let selection = job.wanted.selection.clone();
    Selection { good_only: selection.good_only || job.wanted.format.is_good_only(), ..selection }
}

fn counted(connection: &Connection, job: &ExportJob) -> Result<u64, StoreError> {
    if !job.counts_first() {
        return Ok(0);
    }
    let selection = selection(job);
    let count = |sheet: &crate::domain::Sheet| scan::count(connection, &sheet.run.id, sheet.last_record, &selection);
    job.sheets.iter().map(count).sum()
}

/// How far an export is.
struct ExportProgress {
    through: u64,
    of: u64,
}

impl ExportProgress {
    fn of(job: &ExportJob) -> Self {
        Self { through: 0, of: job.sheets.iter().map(|sheet| u64::from(sheet.last_record)).sum() }
    }

    fn piece(&mut self, bytes: Vec<u8>, more: u64) -> Piece {
        self.through += more;
        Piece { bytes, through: self.through, of: self.of }
    }
}

fn is_selected(visit: &VisitSummary, selection: &Selection) -> bool {
    let Selection { from, until, channels, .. } = selection;
    let after = from.is_none_or(|from| visit.left.is_none_or(|left| left >= from));
    let before = until.is_none_or(|until| visit.arrived < until);
    after && before && (channels.is_empty() || channels.contains(&visit.channel))
}

fn visits_of(connection: &Connection, id: &RunId, after: u32) -> Result<Vec<VisitSummary>, StoreError> {
    let mut query = connection.prepare_cached(
        "SELECT visit, channel, repeat, arrived, departed FROM visits WHERE run = ? AND visit > ? ORDER BY visit LIMIT ?",
    )?;
    let visit = |row: &Row<'_>| {
        let number: u8 = row.get(1)?;
        Ok(VisitSummary {
            id: VisitId(row.get(0)?),
            channel: Channel::new(number).ok_or(rusqlite::Error::IntegralValueOutOfRange(1, number.into()))?,
            repeat: row.get(2)?,
            arrived: Utc::from_micros(row.get(3)?),
            left: row.get::<_, Option<i64>>(4)?.map(Utc::from_micros),
            records: 0,
            good_records: 0,
        })
    };
    let visits = query.query_map(params![id.0, after, VISITS], visit)?.collect::<Result<_, _>>()?;
    Ok(visits)
}
