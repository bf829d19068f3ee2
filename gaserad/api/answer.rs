//! Answers over HTTP that are not streams.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;
use serde_json::json;
use tonic::body::Body;

use crate::domain::{Denied, Reason};

pub type Answer = Response<Body>;

pub fn with(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Body::new(Full::new(body.into())));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

pub fn text(body: impl Into<Bytes>) -> Answer {
    with(StatusCode::OK, "text/plain; charset=utf-8", body)
}

pub fn json(value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => with(StatusCode::OK, JSON, body),
        Err(error) => {
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", &format!("the answer has no JSON: {error}"))
        }
    }
}

pub const JSON: &str = "application/json";

/// An error as an object: a name for programs and a sentence for people.
pub fn refuse(status: StatusCode, reason: &str, sentence: &str) -> Answer {
    with(status, JSON, json!({ "error": reason, "message": sentence }).to_string())
}

pub fn bad_request(sentence: &str) -> Answer {
    refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", sentence)
}

pub fn denied(denied: &Denied) -> Answer {
    refuse(status_of(denied.reason), denied.reason.as_str(), &denied.text)
}

fn status_of(reason: Reason) -> StatusCode {
    match reason {
        Reason::PlanInvalid | Reason::RequestInvalid => StatusCode::BAD_REQUEST,
        Reason::TaskUnknown
        | Reason::RunUnknown
        | Reason::PlanUnknown
        | Reason::ScheduleUnknown
        | Reason::FileUnknown => StatusCode::NOT_FOUND,
        Reason::AnalyzerOffline | Reason::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Reason::RunUnderWay
        | Reason::NoRun
        | Reason::NotNow
        | Reason::DiskLow
        | Reason::AnalyzerBusy
        | Reason::AnalyzerRefused
        | Reason::AnalyzerErrors
        | Reason::MultiplexerFault
        | Reason::DeviceStranger
        | Reason::RunAborted => StatusCode::CONFLICT,
    }
}
