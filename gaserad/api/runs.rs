//! Runs over HTTP.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::control::{Detail, StoredRun};
use super::query::Query;
use super::{Services, control::Archive};
use crate::domain::{Cas, Denied, GasInfo, Note, Reason, RunId, RunSummary, Spread, VisitMeans, VisitSummary};
use crate::stream::Filter;

/// How many runs a list shows unless it is told.
pub const LIMIT: u32 = 100;

#[derive(Serialize)]
struct RunOut<'a> {
    #[serde(flatten)]
    run: &'a RunSummary,
    folder: String,
}

impl<'a> RunOut<'a> {
    fn of(stored: &'a StoredRun) -> Self {
        Self { run: &stored.run, folder: stored.folder.display().to_string() }
    }
}

#[derive(Serialize)]
struct ListOut<'a> {
    runs: Vec<RunOut<'a>>,
}

#[derive(Serialize)]
struct DetailOut<'a> {
    run: RunOut<'a>,
    visits: &'a [VisitSummary],
    notes: &'a [Note],
}

pub async fn list(services: &Services, query: &Query) -> Answer {
    let limit = match query.get(&["limit"]).map(str::parse::<u32>) {
        None => LIMIT,
        Some(Ok(limit)) if limit > 0 => limit,
        Some(_) => return answer::bad_request("limit must be a number from 1 on"),
    };
    match services.archive.runs(limit).await {
        Ok(runs) => answer::json(&ListOut { runs: runs.iter().map(RunOut::of).collect() }),
        Err(denied) => answer::denied(&denied),
    }
}

pub async fn show(services: &Services, name: &str) -> Answer {
    match detail(services.archive.as_ref(), name).await {
        Ok(Detail { stored, visits, notes }) => {
            answer::json(&DetailOut { run: RunOut::of(&stored), visits: &visits, notes: &notes })
        }
        Err(denied) => answer::denied(&denied),
    }
}

/// What was measured on each visit, as means of its good samples.
pub async fn visits(services: &Services, name: &str) -> Answer {
    let archive = services.archive.as_ref();
    let found = async {
        let id = archive.find(name).await?;
        let visits = archive.visit_means(&id).await?;
        Ok((id, visits))
    };
    match found.await {
        Ok((id, visits)) => {
            let gases = services.control.gases();
            let told: Vec<Value> = visits.iter().map(|told| means(told, &gases)).collect();
            answer::json(&json!({ "run_id": id, "visits": told }))
        }
        Err(denied) => answer::denied(&denied),
    }
}

fn means(told: &VisitMeans, gases: &[GasInfo]) -> Value {
    let VisitSummary { id, channel, repeat, arrived, left, records, good_records } = &told.visit;
    let formula = |cas: &Cas| {
        let known = gases.iter().find(|gas| gas.cas == *cas);
        known.map_or_else(|| cas.0.clone(), |gas| gas.formula.clone())
    };
    let gas = |(cas, spread): &(Cas, Spread)| {
        json!({
            "cas": cas, "formula": formula(cas),
            "mean": spread.mean, "sd": spread.deviation(), "n": spread.count,
        })
    };
    json!({
        "visit": id, "channel": channel, "label": told.label, "repeat": repeat,
        "arrived_utc": arrived, "left_utc": left,
        "good": good_records, "discarded": records.saturating_sub(*good_records),
        "gases": told.gases.iter().map(gas).collect::<Value>(),
    })
}

/// How many events one answer has, unless it is told, and at most.
const EVENTS: u32 = 1000;
const MOST_EVENTS: u32 = 10_000;

/// What happened in a run, in order and piece by piece: the first ones after `since`. `more` says that there may be others.
pub async fn events(services: &Services, name: &str, query: &Query) -> Answer {
    let limit = match query.get(&["limit"]).map(str::parse::<u32>) {
        None => EVENTS,
        Some(Ok(limit)) if (1..=MOST_EVENTS).contains(&limit) => limit,
        Some(_) => return answer::bad_request(&format!("limit must be a number from 1 to {MOST_EVENTS}")),
    };
    let Ok(since) = query.get(&["since"]).map_or(Ok(0), str::parse::<u64>) else {
        return answer::bad_request("since must be the id of an event, a decimal number");
    };
    let found = async {
        let id = services.archive.find(name).await?;
        let filter = Filter::parse(query.get(&["types"]), None, Some(id.clone()))
            .map_err(|error| Denied::new(Reason::RequestInvalid, error.to_string()))?;
        let (events, more) = chosen(services.archive.as_ref(), &id, &filter, since, limit).await?;
        Ok((id, events, more))
    };
    match found.await {
        Ok((id, events, more)) => answer::json(&json!({ "run_id": id, "events": events, "more": more })),
        Err(denied) => answer::denied(&denied),
    }
}

/// At most `limit` that pass the filter, and whether there may be others.
async fn chosen(
    archive: &dyn Archive,
    id: &RunId,
    filter: &Filter,
    mut since: u64,
    limit: u32,
) -> Result<(Vec<Value>, bool), Denied> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut told = Vec::new();
    loop {
        let page = archive.events(id, since, EVENTS).await?;
        let Some(last) = page.last() else { return Ok((told, false)) };
        since = last.seq;
        for event in page.iter().filter(|event| filter.passes(event)) {
            if told.len() == most {
                return Ok((told, true));
            }
            let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
            told.push(json!({ "id": event.seq, "type": event.name, "data": data }));
        }
    }
}

pub async fn detail(archive: &dyn Archive, name: &str) -> Result<Detail, Denied> {
    archive.run(&archive.find(name).await?).await
}
