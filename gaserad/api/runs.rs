//! Runs over HTTP.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Ref, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::answer::{Problem, Told};
use super::control::{Detail, StoredRun};
use super::operation::Endpoint;
use super::query::{Asked, Named, event_id};
use super::{Services, control::Archive};
use crate::domain::{
    Cas, Denied, GasInfo, Note, Reason, RunId, RunSummary, Spread, Utc, VisitId, VisitMeans, VisitSummary,
};
use crate::stream::Filter;

/// How many runs a list shows unless it is told.
pub const LIMIT: u32 = 100;

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/runs", "list_runs", "Lists past and present runs, the newest first", list),
        Endpoint::get("/runs/{id}", "get_run", "Returns one run with its visits and notes", show),
        Endpoint::get(
            "/runs/{id}/visits",
            "list_visits",
            "Returns the means of each visit",
            visits,
        )
        .described(
            "Means and standard deviations, in ppm, of the good samples that were credited to the visit; `sd` is \
                 `null` for one sample alone, and a gas that the plan leaves out after each arrival has a smaller `n`.",
        ),
        Endpoint::get(
            "/runs/{id}/events",
            "list_run_events",
            "Lists the events of a run, without its samples",
            events,
        )
        .described(
            "The events of the run in their order, out of the store, however old they are; their types and what they \
                 carry are those of the stream. Results (`live_data`) are not among them: they are the run's samples. \
                 While `more` is true the next ones are got with `since`, the `id` of the last.",
        ),
    ]
}

/// A run, in a path.
#[derive(Deserialize, IntoParams)]
pub struct RunNamed {
    /// The id of a run, a unique prefix of one, or `last`.
    #[param(example = "last")]
    pub id: String,
}

/// A run and the folder of its files.
#[derive(Serialize)]
struct RunTold<'a> {
    #[serde(flatten)]
    run: &'a RunSummary,
    folder: String,
}

impl PartialSchema for RunTold<'_> {
    fn schema() -> RefOr<Schema> {
        let folder = ObjectBuilder::new().property("folder", ObjectBuilder::new().schema_type(Type::String));
        AllOfBuilder::new().item(Ref::from_schema_name("Run")).item(folder.required("folder")).into()
    }
}

impl ToSchema for RunTold<'_> {}

impl<'a> RunTold<'a> {
    fn of(stored: &'a StoredRun) -> Self {
        Self { run: &stored.run, folder: stored.folder.display().to_string() }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// How many; 100 unless it is told.
    #[param(minimum = 1)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct RunList<'a> {
    runs: Vec<RunTold<'a>>,
}

async fn list(
    State(services): State<Services>,
    Asked(query): Asked<ListQuery>,
) -> Result<Told<RunList<'static>>, Problem> {
    let runs = services.archive.runs(query.limit.unwrap_or(LIMIT)).await?;
    Ok(Told::documented(&RunList { runs: runs.iter().map(RunTold::of).collect() }))
}

#[derive(Serialize, ToSchema)]
struct RunDetail<'a> {
    run: RunTold<'a>,
    visits: Vec<VisitTold>,
    /// Oldest first.
    notes: Vec<NoteTold>,
}

#[derive(Serialize, ToSchema)]
struct VisitTold {
    #[schema(value_type = u64)]
    id: VisitId,
    channel: u8,
    repeat: u32,
    #[schema(value_type = String)]
    arrived: Utc,
    #[schema(value_type = Option<String>)]
    left: Option<Utc>,
    records: u64,
    good_records: u64,
}

#[derive(Serialize, ToSchema)]
struct NoteTold {
    #[schema(value_type = String)]
    at: Utc,
    who: String,
    text: String,
}

async fn show(
    State(services): State<Services>,
    Named(RunNamed { id }): Named<RunNamed>,
) -> Result<Told<RunDetail<'static>>, Problem> {
    let Detail { stored, visits, notes } = detail(services.archive.as_ref(), &id).await?;
    let visit = |VisitSummary { id, channel, repeat, arrived, left, records, good_records }| VisitTold {
        id,
        channel: channel.number(),
        repeat,
        arrived,
        left,
        records,
        good_records,
    };
    let note = |Note { at, who, text }| NoteTold { at, who, text };
    Ok(Told::documented(&RunDetail {
        run: RunTold::of(&stored),
        visits: visits.into_iter().map(visit).collect(),
        notes: notes.into_iter().map(note).collect(),
    }))
}

#[derive(Serialize, ToSchema)]
struct VisitMeansList {
    run_id: String,
    visits: Vec<VisitMeansTold>,
}

#[derive(Serialize, ToSchema)]
struct VisitMeansTold {
    #[schema(value_type = u64)]
    visit: VisitId,
    channel: u8,
    label: String,
    repeat: u32,
    #[schema(value_type = String)]
    arrived_utc: Utc,
    /// `null` while the visit lasts.
    #[schema(value_type = Option<String>)]
    left_utc: Option<Utc>,
    good: u64,
    discarded: u64,
    gases: Vec<MeanTold>,
}

#[derive(Serialize, ToSchema)]
struct MeanTold {
    cas: String,
    formula: String,
    mean: f64,
    sd: Option<f64>,
    n: u64,
}

async fn visits(
    State(services): State<Services>,
    Named(RunNamed { id }): Named<RunNamed>,
) -> Result<Told<VisitMeansList>, Problem> {
    let id = services.archive.find(&id).await?;
    let visits = services.archive.visit_means(&id).await?;
    let gases = services.control.gases();
    let visits = visits.into_iter().map(|told| means(told, &gases)).collect();
    Ok(Told::json(&VisitMeansList { run_id: id.0, visits }))
}

fn means(told: VisitMeans, gases: &[GasInfo]) -> VisitMeansTold {
    let VisitSummary { id, channel, repeat, arrived, left, records, good_records } = told.visit;
    let formula = |cas: &Cas| {
        let known = gases.iter().find(|gas| gas.cas == *cas);
        known.map_or_else(|| cas.0.clone(), |gas| gas.formula.clone())
    };
    let gas = |(cas, spread): (Cas, Spread)| MeanTold {
        formula: formula(&cas),
        cas: cas.0,
        mean: spread.mean,
        sd: spread.deviation(),
        n: spread.count,
    };
    VisitMeansTold {
        visit: id,
        channel: channel.number(),
        label: told.label,
        repeat,
        arrived_utc: arrived,
        left_utc: left,
        good: good_records,
        discarded: records.saturating_sub(good_records),
        gases: told.gases.into_iter().map(gas).collect(),
    }
}

/// How many events one answer has, unless it is told, and at most.
const EVENTS: u32 = 1000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// Only these types, like `alarm,run.*`.
    types: Option<String>,
    /// Only those after the event with this id.
    #[param(schema_with = event_id)]
    since: Option<u64>,
    /// How many; 1000 unless it is told.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct RunEvents {
    run_id: String,
    events: Vec<RunEvent>,
    /// There may be others after these.
    more: bool,
}

#[derive(Serialize, ToSchema)]
struct RunEvent {
    id: u64,
    r#type: String,
    #[schema(schema_with = event)]
    data: Value,
}

fn event() -> Ref {
    Ref::from_schema_name("Event")
}

async fn events(
    State(services): State<Services>,
    Named(RunNamed { id }): Named<RunNamed>,
    Asked(query): Asked<EventsQuery>,
) -> Result<Told<RunEvents>, Problem> {
    let id = services.archive.find(&id).await?;
    let filter = Filter::parse(query.types.as_deref(), None, Some(id.clone()))
        .map_err(|error| Denied::new(Reason::RequestInvalid, error.to_string()))?;
    let (since, limit) = (query.since.unwrap_or_default(), query.limit.unwrap_or(EVENTS));
    let (events, more) = chosen(services.archive.as_ref(), &id, &filter, since, limit).await?;
    Ok(Told::json(&RunEvents { run_id: id.0, events, more }))
}

/// At most `limit` that pass the filter, and whether there may be others.
async fn chosen(
    archive: &dyn Archive,
    id: &RunId,
    filter: &Filter,
    mut since: u64,
    limit: u32,
) -> Result<(Vec<RunEvent>, bool), Denied> {
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
            let data = serde_json::from_str(&event.data).unwrap_or_default();
            told.push(RunEvent { id: event.seq, r#type: event.name.clone(), data });
        }
    }
}

pub async fn detail(archive: &dyn Archive, name: &str) -> Result<Detail, Denied> {
    archive.run(&archive.find(name).await?).await
}
