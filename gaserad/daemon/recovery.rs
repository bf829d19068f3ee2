//! What becomes of a run that was under way when the last process ended.
//!
//! The state is the fold of its journal. The run goes on if the settings say so and the outage was not too long;
//! otherwise the engine ends it as it ends any other, with the analyzer stopped and the valve parked. One whose journal
//! cannot be read is over at once, and an alarm says that nobody parks the valve.

use std::time::Duration;

use sd_notify::NotifyState;

use super::changed;
use crate::config::{OnRestart, Settings};
use crate::domain::event::{RunChange, RunUpdate, outcome_sentence};
use crate::domain::{Clock, Event, Fact, Outcome, Pace, RunId, RunSummary, Severity, Utc, duration};
use crate::engine::{self, State, Untouched};
use crate::runtime::clock::HostClock;
use crate::store::{Batch, Opened, Store, StoreError};

/// How often a full disk is tried again, and how long the service manager may wait for the next try.
const RETRY: Duration = Duration::from_secs(1);
const STILL_STARTING_USEC: u32 = 60_000_000;

pub(super) struct Recovered {
    pub opened: Opened,
    pub state: State,
    /// How long the run was interrupted that is taken up again.
    pub resumes_after: Option<Duration>,
    /// Why that run is not to go on but to end.
    pub ends: Option<String>,
    /// What is no longer what it began with.
    pub untouched: Untouched,
}

pub(super) async fn recover(
    store: &Store,
    clock: &HostClock,
    mut opened: Opened,
    settings: &Settings,
) -> Result<Recovered, StoreError> {
    let too_long = too_long(clock, &opened, settings);
    if let Some(why) = &too_long {
        call_off(store, clock, &mut opened, why).await?;
    }
    let Some(run) = opened.open_run.take() else {
        return Ok(nothing(opened));
    };
    let changed = changed::since(&run, &store.sheet(&run.id).await?.provenance, settings);
    let untouched = changed.as_ref().map(|changed| changed.untouched).unwrap_or_default();
    let changed = changed.map(|changed| format!("{INTERRUPTED}, and {}", changed.text));
    let ends = changed.or_else(|| too_long.map(|why| format!("{INTERRUPTED}{why}")));
    match fold(store, &run.id).await? {
        Ok(state) => {
            let outage = outage(clock, &opened);
            if let Some(first) = store.journal_of(&run.id).await? {
                store.goes_on_from(first).await?;
            }
            match &ends {
                None => {
                    tracing::warn!(run = %run.id, "the run goes on after an interruption of {}", duration::format(outage));
                }
                Some(reason) => tracing::warn!(run = %run.id, "{}", outcome_sentence(Outcome::Failed, reason)),
            }
            Ok(Recovered { opened, state, resumes_after: Some(outage), ends, untouched })
        }
        Err(unreadable) => {
            end(store, clock, &mut opened, run, ends.unwrap_or(unreadable), !untouched.analyzer).await?;
            Ok(nothing(opened))
        }
    }
}

/// Nothing is under way.
fn nothing(opened: Opened) -> Recovered {
    let (state, untouched) = (State::default(), Untouched::default());
    Recovered { opened, state, resumes_after: None, ends: None, untouched }
}

const NOT_PARKED: &str = "the valve stands wherever it stood when gaserad ended; send it to its rest position with \
                          `gaseractl mux goto` or `gaseractl mux home`";
const INTERRUPTED: &str = "gaserad ended in the middle of the run and was started again";

/// Why nothing goes on that was under way or waited, if that is so.
fn too_long(clock: &HostClock, opened: &Opened, settings: &Settings) -> Option<String> {
    if settings.store.on_restart == OnRestart::End {
        return Some(String::new());
    }
    let (outage, most) = (outage(clock, opened), settings.store.max_outage);
    let text =
        || format!(" after {}, longer than [store] max_outage = {}", whole_seconds(outage), duration::format(most));
    (outage > most).then(text)
}

/// How long no gaserad was there.
fn outage(clock: &HostClock, opened: &Opened) -> Duration {
    let now = clock.now().utc.as_micros();
    let micros = now.saturating_sub(opened.last_utc.map_or(now, Utc::as_micros));
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

fn whole_seconds(duration: Duration) -> String {
    duration::format(Duration::from_secs(duration.as_secs()))
}

/// What the run was when it was interrupted, or why it is over: steps through the journal again, from where the process
/// began that started it.
async fn fold(store: &Store, run: &RunId) -> Result<Result<State, String>, StoreError> {
    let unreadable = |why: &str| Ok(Err(format!("{INTERRUPTED}, and its journal cannot be read: {why}")));
    let Some(first) = store.journal_of(run).await? else { return unreadable("it is older than that is noted") };
    let mut state = State::default();
    let mut journal = store.journal(first);
    while let Some((seq, line)) = journal.next().await? {
        match serde_json::from_str::<engine::Event>(&line) {
            Ok(event) => state = engine::step(state, event).0,
            Err(error) => return unreadable(&format!("line {seq}: {error}")),
        }
    }
    let held = state.is_busy();
    Ok(if held { Ok(state) } else { Err(format!("{INTERRUPTED}, and its journal does not hold it")) })
}

/// How fast the analyzer measured before, as the journal tells from where the process began that started the last run.
pub(super) async fn pace_before(store: &Store, opened: &Opened) -> Result<Option<Pace>, StoreError> {
    /// A run of weeks is not read through for an estimate.
    const MOST_LINES: u32 = 20_000;
    let Some(last) = &opened.last_run else { return Ok(None) };
    let Some(first) = store.journal_of(&last.id).await? else { return Ok(None) };
    let (mut state, mut journal) = (State::default(), store.journal(first));
    for _ in 0..MOST_LINES {
        let Some((_, line)) = journal.next().await? else { break };
        let Ok(event) = serde_json::from_str::<engine::Event>(&line) else { break };
        state = engine::step(state, event).0;
    }
    Ok(state.pace())
}

/// Runs that were to begin later do not; whoever waits for them hears why.
async fn call_off(store: &Store, clock: &HostClock, opened: &mut Opened, why: &str) -> Result<(), StoreError> {
    let moment = clock.now();
    let mut batch = Batch { moment, ..Batch::default() };
    for waiting in std::mem::take(&mut opened.waiting) {
        let (run_id, who) = (waiting.run.clone(), waiting.asked.who);
        let text = format!("gaserad was started again{why} before it had begun");
        tracing::warn!(run = %run_id, "{text}");
        batch.facts.push(Fact::Unqueued { run: waiting.run });
        batch.events.push(Event::RunUpdated(RunUpdate { run_id, change: RunChange::Unqueued, who, text }));
    }
    if batch.facts.is_empty() {
        return Ok(());
    }
    let published = with_space(|| store.commit(batch.clone())).await?;
    opened.last_seq = published.last().map_or(opened.last_seq, |event| event.seq);
    Ok(())
}

async fn end(
    store: &Store,
    clock: &HostClock,
    opened: &mut Opened,
    mut run: RunSummary,
    reason: String,
    owes_stop: bool,
) -> Result<(), StoreError> {
    let moment = clock.now();
    tracing::warn!(run = %run.id, "{}", outcome_sentence(Outcome::Failed, &reason));
    (run.ended, run.outcome, run.reason) = (Some(moment.utc), Some(Outcome::Failed), reason.clone());
    let ended = Fact::RunEnded { run: run.id.clone(), ended: moment.utc, outcome: Outcome::Failed, reason };
    let owed = owes_stop.then(|| Fact::StopOwed { run: run.id.clone() });
    let facts = std::iter::once(ended).chain(owed).collect();
    let alarm = Event::Alarm {
        severity: Severity::Warning,
        code: "valve_not_parked".into(),
        text: NOT_PARKED.into(),
        run_id: Some(run.id.clone()),
    };
    let events = vec![alarm, Event::RunFinished { run: run.clone() }];
    let batch = Batch { moment, facts, events, ..Batch::default() };
    let published = with_space(|| store.commit(batch.clone())).await?;
    opened.last_seq = published.last().map_or(opened.last_seq, |event| event.seq);
    opened.owes_stop |= owes_stop;
    opened.last_run = Some(run);
    Ok(())
}

/// Does something with the store, and waits as long as its disk is full.
pub(super) async fn with_space<T, F: Future<Output = Result<T, StoreError>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, StoreError> {
    let mut told = false;
    loop {
        match attempt().await {
            Err(error) if error.is_out_of_space() => {
                if !std::mem::replace(&mut told, true) {
                    tracing::error!("cannot begin: {error}; waiting for space");
                }
                super::sd_notify_best_effort(&[
                    NotifyState::Status("waiting for space on the disk of the state directory"),
                    NotifyState::ExtendTimeoutUsec(STILL_STARTING_USEC),
                ]);
                tokio::time::sleep(RETRY).await;
            }
            done => return done,
        }
    }
}
