//! Whether what is kept of a run is what its journal says, and its file what is kept.
//!
//! The journal is stepped through again by the engine of this version. Nothing is changed.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use tokio::sync::mpsc;

use crate::api::Verdict;
use crate::domain::{Fact, Flag, Record, RunId};
use crate::engine::{self, Effect, State, What};
use crate::store::{Store, StoreError};

/// Records in memory at a time.
const PAGE: u32 = 1000;
/// More differences of one kind are counted, not told.
const TOLD: usize = 20;

pub async fn verify(store: &Store, id: &RunId) -> Result<Verdict, StoreError> {
    let (run, _) = store.run(id).await?;
    let mut verdict = Verdict { records: run.records, ..Verdict::default() };
    let again = Again::of(store, id).await?;
    again.compare(store, id, &mut verdict).await?;
    let file = store.run_folder(&run).join("samples.csv");
    compare_file(store, id, &file, &mut verdict).await?;
    Ok(verdict)
}

/// The records that the journal gives today.
struct Again {
    records: Vec<Record>,
    /// Why they are not to be had.
    missing: Option<String>,
}

impl Again {
    async fn of(store: &Store, id: &RunId) -> Result<Self, StoreError> {
        let mut again = Self { records: Vec::new(), missing: None };
        let Some(first) = store.journal_of(id).await? else {
            again.missing = Some("the run is older than the journal that attribution could be worked out from".into());
            return Ok(again);
        };
        let mut state = State::default();
        let mut begun = false;
        let mut journal = store.journal(first);
        while let Some((seq, line)) = journal.next().await? {
            let event: engine::Event = match serde_json::from_str(&line) {
                Ok(event) => event,
                Err(error) => {
                    again.missing = Some(format!("journal line {seq} cannot be read: {error}"));
                    return Ok(again);
                }
            };
            // Another process has begun, and has not taken up the run: what was to come of it is known.
            if matches!(&event.what, What::Began(new) if begun && new.resumes_after.is_none()) {
                return Ok(again);
            }
            begun = true;
            let (stepped, effects) = engine::step(std::mem::take(&mut state), event);
            state = stepped;
            if again.take(id, effects) {
                return Ok(again);
            }
        }
        Ok(again)
    }

    /// Whether the run is over with this.
    fn take(&mut self, id: &RunId, effects: Vec<Effect>) -> bool {
        let mut over = false;
        for effect in effects {
            match effect {
                Effect::Keep(Fact::Recorded(record)) if record.run == *id => self.records.push(record),
                Effect::Keep(Fact::VisitInterrupted { run, visit }) if run == *id => {
                    let of_visit = self.records.iter_mut().filter(|record| record.visit == Some(visit));
                    of_visit.for_each(|record| record.flags.push(Flag::Interrupted));
                }
                Effect::Keep(Fact::RunEnded { run, .. }) if run == *id => over = true,
                _ => {}
            }
        }
        over
    }

    async fn compare(self, store: &Store, id: &RunId, verdict: &mut Verdict) -> Result<(), StoreError> {
        if let Some(missing) = self.missing {
            verdict.differences.push(missing);
            return Ok(());
        }
        verdict.attributed_again = u64::try_from(self.records.len()).unwrap_or(u64::MAX);
        let mut differences = Vec::new();
        let mut again = self.records.into_iter();
        let mut after = 0;
        loop {
            let page = store.records(id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            differences.extend(page.into_iter().filter_map(|kept| difference(&kept, again.next().as_ref())));
        }
        differences.extend(again.map(|record| format!("record {} is in the journal and is not kept", record.seq)));
        tell(differences, "records", verdict);
        Ok(())
    }
}

fn difference(kept: &Record, again: Option<&Record>) -> Option<String> {
    let seq = kept.seq;
    let Some(again) = again else { return Some(format!("record {seq} is kept and is not in the journal")) };
    if kept == again {
        return None;
    }
    let words = |record: &Record| {
        let channel = record.channel.map_or_else(|| "no channel".to_owned(), |channel| format!("channel {channel}"));
        let flags: Vec<&str> = record.flags.iter().map(|flag| flag.as_str()).collect();
        let used = if record.is_good() { "good" } else { "not good" };
        format!("{} {channel} {used} [{}]", record.attribution.as_str(), flags.join(";"))
    };
    let (was, is) = (words(kept), words(again));
    Some(if was == is {
        format!("record {seq} differs in what does not bear on its channel")
    } else {
        format!("record {seq} is kept as {was}, and today would be {is}")
    })
}

fn tell(mut differences: Vec<String>, what: &str, verdict: &mut Verdict) {
    let more = differences.len().saturating_sub(TOLD);
    differences.truncate(TOLD);
    verdict.differences.append(&mut differences);
    if more > 0 {
        verdict.differences.push(format!("{more} more {what} differ"));
    }
}

async fn compare_file(store: &Store, id: &RunId, path: &Path, verdict: &mut Verdict) -> Result<(), StoreError> {
    let (pieces, made) = mpsc::channel(4);
    let file = path.to_owned();
    let reading = tokio::task::spawn_blocking(move || read_beside(&file, made));
    let ((), read) = tokio::join!(store.export(id, pieces), reading);
    // Whoever read has broken: nothing of the file is known.
    let (same, lines) = match read.unwrap_or_else(|broken| Ok(Err(io::Error::other(broken))))? {
        Ok(compared) => compared,
        Err(error) => {
            verdict.differences.push(format!("cannot read {}: {error}", path.display()));
            return Ok(());
        }
    };
    verdict.rows = lines.saturating_sub(1);
    if !same {
        verdict.differences.push(format!("{} is not what the records give", path.display()));
    }
    Ok(())
}

type Pieces = mpsc::Receiver<Result<Vec<u8>, StoreError>>;

/// Whether the file is what is `made` meanwhile, and how many lines of that it has.
fn read_beside(path: &Path, mut made: Pieces) -> Result<io::Result<(bool, u64)>, StoreError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Ok(Err(error)),
    };
    let (mut same, mut lines) = (true, 0_u64);
    while let Some(piece) = made.blocking_recv() {
        lines += read_up_to(&mut file, &piece?, &mut same);
    }
    let more = file.read(&mut [0; 1]).is_ok_and(|count| count > 0);
    Ok(Ok((same && !more, lines)))
}

/// Compares the next piece of the file; gives how many lines end in it.
fn read_up_to(file: &mut File, wanted: &[u8], same: &mut bool) -> u64 {
    let mut found = Vec::with_capacity(wanted.len());
    let length = u64::try_from(wanted.len()).unwrap_or(u64::MAX);
    *same &= file.take(length).read_to_end(&mut found).is_ok() && found == wanted;
    found.split(|byte| *byte == b'\n').skip(1).fold(0, |lines, _| lines + 1)
}
