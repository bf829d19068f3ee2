//! Whether what is kept of a run is what its journal says, and its files what is kept.
//!
//! The journal is stepped through again by the engine of this version. What contradicts the records beside that is
//! `plausible`. Nothing is changed.

use super::plausible::{Plausibility, Replies};
use crate::api::{Change, Verdict};
use crate::domain::{Fact, Flag, Record, RunId, RunSummary};
use crate::engine::{self, Effect, State, What};
use crate::store::{Store, StoreError, read_raw_log};

/// Records in memory at a time.
const PAGE: u32 = 1000;
/// More differences of one kind are counted, not told.
const TOLD: usize = 20;
/// Records that would be different now, and are listed one by one.
const LISTED: usize = 100_000;

pub async fn verify(store: &Store, id: &RunId) -> Result<Verdict, StoreError> {
    settled(store, || look(store, id), |verdict| verdict.differences.is_empty()).await
}

async fn look(store: &Store, id: &RunId) -> Result<Verdict, StoreError> {
    let (run, _) = store.run(id).await?;
    let mut verdict = Verdict { records: run.records, ..Verdict::default() };
    let again = Again::of(store, id).await?;
    // Of a run under way there may be more by now, in the journal and among its records.
    let until = if run.ended.is_none() { u32::try_from(run.records).unwrap_or(u32::MAX) } else { u32::MAX };
    let mut plausibility = Plausibility::of(replies(store, &run).await);
    again.compare(store, id, until, &mut verdict, &mut plausibility).await?;
    verdict.doubts = plausibility.doubts();
    let folder = store.compare_folder(id).await?;
    (verdict.rows, verdict.files) = (folder.rows, folder.files);
    verdict.differences.extend(folder.differences);
    Ok(verdict)
}

/// What the analyzer replied within the run, as far as its log is there and can be read.
async fn replies(store: &Store, run: &RunSummary) -> Replies {
    let folder = store.run_folder(run);
    let read = tokio::task::spawn_blocking(move || {
        let mut replies = Replies::default();
        let read = read_raw_log(&folder, |line| replies.line(line));
        (replies, read)
    });
    match read.await {
        Ok((replies, Ok(()))) => replies,
        Ok((replies, Err(error))) => {
            tracing::warn!("what passed between gaserad and the analyzer is compared only in part: {error}");
            replies
        }
        Err(error) => {
            tracing::error!("raw.aklog was not read: {error}");
            Replies::default()
        }
    }
}

/// However much is committed meanwhile, what so many looks show is believed.
const MOST_LOOKS: u32 = 5;

/// What a look shows of what others may be changing: a file follows a commit a moment later, and what looks wrong in
/// between is not. So a look that finds something wrong counts only if nothing was committed while it was taken.
pub(super) async fn settled<T, F>(
    store: &Store,
    look: impl Fn() -> F,
    is_right: fn(&T) -> bool,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut taken = 0;
    loop {
        let commits = store.commits().await?;
        let shown = look().await?;
        taken += 1;
        if is_right(&shown) || taken == MOST_LOOKS || store.commits().await? == commits {
            return Ok(shown);
        }
    }
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

    /// Compares the records up to this one.
    async fn compare(
        mut self,
        store: &Store,
        id: &RunId,
        until: u32,
        verdict: &mut Verdict,
        plausibility: &mut Plausibility,
    ) -> Result<(), StoreError> {
        if let Some(missing) = self.missing {
            verdict.differences.push(missing);
            return Ok(());
        }
        self.records.retain(|record| record.seq <= until);
        verdict.attributed_again = u64::try_from(self.records.len()).unwrap_or(u64::MAX);
        let (mut changes, mut after) = (Vec::new(), 0);
        let mut again = self.records.into_iter();
        loop {
            let page = store.records(id, after, PAGE.min(until - after)).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for kept in &page {
                plausibility.take(kept);
            }
            changes.extend(page.into_iter().filter_map(|kept| change(&kept, again.next().as_ref())));
        }
        changes.extend(again.map(|record| Change { seq: record.seq, was: String::new(), now: words(&record) }));
        tell(changes.iter().map(sentence).collect(), "records", verdict);
        changes.truncate(LISTED);
        verdict.changes = changes;
        Ok(())
    }
}

/// What is kept of a record beside what it would be now; empty where there is none.
fn change(kept: &Record, again: Option<&Record>) -> Option<Change> {
    if again == Some(kept) {
        return None;
    }
    Some(Change { seq: kept.seq, was: words(kept), now: again.map(words).unwrap_or_default() })
}

fn words(record: &Record) -> String {
    let channel = record.channel.map_or_else(|| "no channel".to_owned(), |channel| format!("channel {channel}"));
    let flags: Vec<&str> = record.flags.iter().map(|flag| flag.as_str()).collect();
    let used = if record.is_good() { "good" } else { "not good" };
    format!("{} {channel} {used} [{}]", record.attribution.as_str(), flags.join(";"))
}

fn sentence(Change { seq, was, now }: &Change) -> String {
    match (was.as_str(), now.as_str()) {
        (_, "") => format!("sample {seq} is kept and is not in the journal"),
        ("", _) => format!("sample {seq} is in the journal and is not kept"),
        _ if was == now => format!("sample {seq} differs in what does not bear on its channel"),
        _ => format!("sample {seq} is kept as {was}, and today would be {now}"),
    }
}

fn tell(mut differences: Vec<String>, what: &str, verdict: &mut Verdict) {
    let more = differences.len().saturating_sub(TOLD);
    differences.truncate(TOLD);
    verdict.differences.append(&mut differences);
    if more > 0 {
        verdict.differences.push(format!("{more} more {what} differ"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::store::{Batch, ChannelLabels};

    #[tokio::test]
    async fn a_look_that_a_commit_fell_into_is_not_believed_until_there_were_many() {
        let directory = tempfile::TempDir::new().unwrap();
        let (store, _) = Store::open(directory.path(), ChannelLabels::new()).unwrap();
        let taken = AtomicU32::new(0);
        let look = |commits: bool| {
            let (store, taken) = (store.clone(), &taken);
            async move {
                if commits {
                    store.commit(Batch::default()).await?;
                }
                Ok(taken.fetch_add(1, Ordering::Relaxed) + 1)
            }
        };
        let wrong = |_: &u32| false;
        assert_eq!(settled(&store, || look(false), wrong).await.unwrap(), 1, "nothing was committed");
        taken.store(0, Ordering::Relaxed);
        assert_eq!(settled(&store, || look(true), |taken| *taken == 2).await.unwrap(), 2);
        taken.store(0, Ordering::Relaxed);
        assert_eq!(settled(&store, || look(true), wrong).await.unwrap(), MOST_LOOKS);
    }
}
