//! What is asked of an export, over gRPC and HTTP alike, and its pieces.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::State;
use http::{HeaderValue, Method, header};
use serde::Deserialize;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;
use utoipa::IntoParams;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::answer::{Answer, Kind, Problem, Raw, untold_body};
use super::control::Chunk;
use super::operation::Endpoint;
use super::query::{Asked, Named};
use super::runs::RunNamed;
use super::{Services, convert};
use crate::domain::channel::parse_list;
use crate::domain::export::parse_time;
use crate::domain::{Basis, Channel, Denied, ExportError, Format, Reason, RunId, Selection, Table, Utc, Wanted};
use crate::proto;

fn invalid(error: impl std::fmt::Display) -> Denied {
    Denied::new(Reason::RequestInvalid, error.to_string())
}

/// What is asked, checked as far as that can be done without the runs.
pub fn wanted(request: &proto::ExportRunRequest) -> Result<Wanted, Denied> {
    let wanted = Wanted {
        format: or_usual::<Format>(&request.format)?,
        table: or_usual::<Table>(&request.table)?,
        selection: Selection {
            from: time(&request.from_utc)?,
            until: time(&request.until_utc)?,
            channels: channels(&request.channels)?,
            good_only: request.good_only,
        },
        gases: request.gases.clone(),
        delimiter: delimiter(&request.delimiter)?,
        decimal_comma: decimal(&request.decimal)?,
        basis: or_usual::<Basis>(&request.basis)?,
        air_temperature_c: request.air_temperature_c,
        air_pressure_hpa: request.air_pressure_hpa,
    };
    wanted.check().map_err(invalid)?;
    Ok(wanted)
}

/// What is empty is what is usual.
fn or_usual<T: std::str::FromStr<Err = ExportError> + Default>(text: &str) -> Result<T, Denied> {
    if text.is_empty() { Ok(T::default()) } else { text.parse().map_err(invalid) }
}

fn time(text: &str) -> Result<Option<Utc>, Denied> {
    if text.is_empty() { Ok(None) } else { parse_time(text).map(Some).map_err(invalid) }
}

fn channels(text: &str) -> Result<BTreeSet<Channel>, Denied> {
    if text.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(parse_list(text, Channel::MAX).map_err(invalid)?.into_iter().collect())
}

fn delimiter(text: &str) -> Result<Option<char>, Denied> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("tab" | "\\t", ..) => Ok(Some('\t')),
        (_, letter, None) => Ok(letter),
        _ => Err(invalid(format!("{text:?} cannot stand between fields; take a comma, a semicolon, | or tab"))),
    }
}

fn decimal(text: &str) -> Result<bool, Denied> {
    match text {
        "" | "." => Ok(false),
        "," => Ok(true),
        _ => Err(invalid(format!("{text:?} cannot set off decimals; take . or ,"))),
    }
}

/// The runs that are asked for, in order, each once.
pub async fn runs(services: &Services, request: &proto::ExportRunRequest) -> Result<Vec<RunId>, Denied> {
    let mut ids = Vec::new();
    for name in std::iter::once(&request.run).chain(&request.more_runs) {
        let id = services.archive.find(name).await?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// The pieces of an export; the first is there when this answers, so that a failure can still be said.
pub async fn pieces(
    services: &Services,
    ids: Vec<RunId>,
    wanted: Wanted,
) -> Result<impl Stream<Item = Chunk> + Send + use<>, Denied> {
    let named = ids.iter().map(RunId::to_string).collect::<Vec<_>>().join(", ");
    let mut receiver = services.archive.export(ids, wanted).await?;
    let first = match receiver.recv().await {
        Some(Err(reason)) => {
            return Err(Denied::new(Reason::Internal, format!("the samples of run {named} cannot be read: {reason}")));
        }
        first => first,
    };
    Ok(tokio_stream::iter(first).chain(ReceiverStream::new(receiver)))
}

/// A piece as the contract has it.
pub fn message(chunk: Chunk) -> Result<proto::ExportRunResponse, Status> {
    let piece = chunk.map_err(|reason| convert::status(Denied::new(Reason::Internal, reason)))?;
    Ok(proto::ExportRunResponse { chunk: piece.bytes, records: piece.through, of_records: piece.of })
}

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/runs/{id}/samples.csv", "get_samples", "Returns the samples of a run as CSV", samples),
        Endpoint::get("/runs/{id}/export", "export_run", "Exports samples of a run in a format of choice", export),
    ]
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// `csv` unless it is told.
    #[param(schema_with = formats)]
    format: Option<String>,
    /// More runs, separated by commas.
    runs: Option<String>,
    /// `samples` or `visits`, for formats that have both.
    table: Option<String>,
    /// Not before this time: `2026-01-15`, `2026-01-15T08:00`, or one with a zone; else in UTC.
    from: Option<String>,
    /// Not from this time on.
    until: Option<String>,
    /// Only these, like `1-8,12`.
    channels: Option<String>,
    /// Only these, by formula or CAS number, separated by commas.
    gases: Option<String>,
    /// Only samples that count.
    good_only: Option<bool>,
    /// What stands between fields.
    delimiter: Option<String>,
    /// What sets off decimals: `.` or `,`.
    decimal: Option<String>,
    /// What concentrations refer to.
    basis: Option<String>,
    air_temperature_c: Option<f64>,
    air_pressure_hpa: Option<f64>,
}

fn formats() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Format::ALL.map(|(name, _)| name))).build()
}

impl ExportQuery {
    /// In the words of the contract.
    fn request(self, run: String) -> proto::ExportRunRequest {
        let list = |text: Option<String>| {
            let text = text.unwrap_or_default();
            text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        proto::ExportRunRequest {
            run,
            format: self.format.unwrap_or_default(),
            more_runs: list(self.runs),
            table: self.table.unwrap_or_default(),
            from_utc: self.from.unwrap_or_default(),
            until_utc: self.until.unwrap_or_default(),
            channels: self.channels.unwrap_or_default(),
            gases: list(self.gases),
            good_only: self.good_only.unwrap_or_default(),
            delimiter: self.delimiter.unwrap_or_default(),
            decimal: self.decimal.unwrap_or_default(),
            basis: self.basis.unwrap_or_default(),
            air_temperature_c: self.air_temperature_c,
            air_pressure_hpa: self.air_pressure_hpa,
        }
    }
}

struct AnyFormat;

impl Kind for AnyFormat {
    const KINDS: &'static [&'static str] = &[
        Format::Csv.media_type(),
        Format::Jsonl.media_type(),
        Format::Parquet.media_type(),
        Format::Netcdf.media_type(),
        Format::Meas.media_type(),
    ];
}

async fn export(
    State(services): State<Services>,
    method: Method,
    Named(RunNamed { id }): Named<RunNamed>,
    Asked(query): Asked<ExportQuery>,
) -> Result<Raw<AnyFormat>, Problem> {
    let request = query.request(id);
    let wanted = wanted(&request)?;
    let ids = runs(&services, &request).await?;
    Ok(answer(&services, &method, ids, wanted).await?.into())
}

struct Csv;

impl Kind for Csv {
    const KINDS: &'static [&'static str] = &[Format::Csv.media_type()];
}

async fn samples(
    State(services): State<Services>,
    method: Method,
    Named(RunNamed { id }): Named<RunNamed>,
) -> Result<Raw<Csv>, Problem> {
    let id = services.archive.find(&id).await?;
    Ok(answer(&services, &method, vec![id], Wanted::of(Format::Csv)).await?.into())
}

async fn answer(services: &Services, method: &Method, ids: Vec<RunId>, wanted: Wanted) -> Result<Answer, Denied> {
    let (format, table) = (wanted.format, wanted.table);
    let name = file_name(&ids, format, table);
    let body = match *method {
        Method::HEAD => untold_body(),
        _ => Body::from_stream(pieces(services, ids, wanted).await?.map(|piece| piece.map(|piece| piece.bytes))),
    };
    Ok(file(&name, format, body))
}

/// `samples-<id>.csv`, or how its tool calls the table.
fn file_name(ids: &[RunId], format: Format, table: Table) -> String {
    let called = format.tables().iter().find(|(known, _)| *known == table).map_or("samples", |(_, name)| name);
    let run = ids.first().map_or("", |id| id.0.as_str());
    let more = if ids.len() > 1 { "-and-others" } else { "" };
    format!("{called}-{run}{more}.{}", format.extension())
}

fn file(name: &str, format: Format, body: Body) -> Answer {
    let mut answer = Answer::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}
