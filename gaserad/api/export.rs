//! What is asked of an export, over gRPC and HTTP alike, and its pieces.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, header};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::Status;
use tonic::body::Body;

use super::answer::{self, Answer};
use super::control::Chunk;
use super::query::Query;
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

/// What an address asks, in the words of the contract.
fn asked(name: &str, query: &Query) -> Result<proto::ExportRunRequest, Denied> {
    let text = |name: &str| query.get(&[name]).unwrap_or_default().to_owned();
    let number = |name: &str| {
        let number = query.get(&[name]).map(|text| text.parse::<f64>().map_err(|_| (name.to_owned(), text.to_owned())));
        number.transpose().map_err(|(name, text)| invalid(format!("{name} is a number, and {text:?} is none")))
    };
    let list = |name: &str| {
        let items = query.get(&[name]).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    };
    Ok(proto::ExportRunRequest {
        run: name.to_owned(),
        format: text("format"),
        more_runs: list("runs"),
        table: text("table"),
        from_utc: text("from"),
        until_utc: text("until"),
        channels: text("channels"),
        gases: list("gases"),
        good_only: matches!(query.get(&["good_only"]), Some("1" | "true" | "yes")),
        delimiter: text("delimiter"),
        decimal: text("decimal"),
        basis: text("basis"),
        air_temperature_c: number("air_temperature_c")?,
        air_pressure_hpa: number("air_pressure_hpa")?,
    })
}

/// `GET /runs/{id}/export`
pub async fn export(services: &Services, method: &Method, name: &str, query: &Query) -> Answer {
    let prepared = async {
        let request = asked(name, query)?;
        let wanted = wanted(&request)?;
        Ok((runs(services, &request).await?, wanted))
    };
    match prepared.await {
        Ok((ids, wanted)) => answer(services, method, ids, wanted).await,
        Err(denied) => answer::denied(&denied),
    }
}

/// `GET /runs/{id}/samples.csv`
pub async fn samples(services: &Services, method: &Method, name: &str) -> Answer {
    match services.archive.find(name).await {
        Ok(id) => answer(services, method, vec![id], Wanted::of(Format::Csv)).await,
        Err(denied) => answer::denied(&denied),
    }
}

async fn answer(services: &Services, method: &Method, ids: Vec<RunId>, wanted: Wanted) -> Answer {
    let (format, table) = (wanted.format, wanted.table);
    let name = file_name(&ids, format, table);
    if method == Method::HEAD {
        return file(&name, format, Body::empty());
    }
    match pieces(services, ids, wanted).await {
        Ok(pieces) => {
            let frames = pieces.map(|piece| piece.map(|piece| Frame::data(Bytes::from(piece.bytes))));
            file(&name, format, Body::new(StreamBody::new(frames)))
        }
        Err(denied) => answer::denied(&denied),
    }
}

/// `samples-<id>.csv`, or how its tool calls the table.
fn file_name(ids: &[RunId], format: Format, table: Table) -> String {
    let called = format.tables().iter().find(|(known, _)| *known == table).map_or("samples", |(_, name)| name);
    let run = ids.first().map_or("", |id| id.0.as_str());
    let more = if ids.len() > 1 { "-and-others" } else { "" };
    format!("{called}-{run}{more}.{}", format.extension())
}

fn file(name: &str, format: Format, body: Body) -> Answer {
    let mut answer = Response::new(body);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}
