//! Answers over HTTP that are not streams, and what the document says of them.

use std::convert::Infallible;
use std::marker::PhantomData;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Ref, Schema, Type};

use super::control::PlanMistake;
use super::describe::{Describe, Sheet};
use crate::domain::{Denied, Reason};

pub type Answer = Response;

pub const JSON: &str = "application/json";
pub const TEXT: &str = "text/plain; charset=utf-8";

/// The body of an answer to HEAD, where nobody knows how long it would be for GET.
pub fn untold_body() -> Body {
    Body::from_stream(tokio_stream::empty::<Result<Bytes, Infallible>>())
}

pub fn with(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Body::from(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn json(value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => with(StatusCode::OK, JSON, body),
        Err(error) => Problem::internal(format!("the answer has no JSON: {error}")).into_response(),
    }
}

/// A type that the document has a schema of, or that stands for a schema which is kept elsewhere.
pub trait Shape {
    fn schema(sheet: &mut Sheet) -> RefOr<Schema>;
}

/// A reference; the schema of the type and of all that it refers to goes along.
impl<T: ToSchema> Shape for T {
    fn schema(sheet: &mut Sheet) -> RefOr<Schema> {
        T::schemas(&mut sheet.schemas);
        sheet.schemas.push((T::name().into_owned(), T::schema()));
        Ref::from_schema_name(T::name()).into()
    }
}

/// An answer in JSON, in the shape of its type.
pub struct Told<T> {
    answer: Answer,
    shape: PhantomData<T>,
}

impl<T: Serialize + ToSchema> Told<T> {
    pub fn json(value: &T) -> Self {
        Self::documented(value)
    }
}

impl<T> Told<T> {
    /// For a type that only stands for the schema of the value.
    pub fn documented(value: &impl Serialize) -> Self {
        Self::raw(json(value))
    }

    pub fn raw(answer: Answer) -> Self {
        Self { answer, shape: PhantomData }
    }
}

impl<T> IntoResponse for Told<T> {
    fn into_response(self) -> Answer {
        self.answer
    }
}

impl<T: Shape> Describe for Told<T> {
    fn describe(sheet: &mut Sheet) {
        let schema = T::schema(sheet);
        sheet.answer("200", "Done.", &[(JSON, schema)]);
    }
}

/// What is no JSON: its media types.
pub trait Kind {
    const KINDS: &'static [&'static str];
}

pub struct PlainText;

impl Kind for PlainText {
    const KINDS: &'static [&'static str] = &[TEXT];
}

/// An answer of another kind than JSON.
pub struct Raw<K> {
    answer: Answer,
    kind: PhantomData<K>,
}

impl<K> From<Answer> for Raw<K> {
    fn from(answer: Answer) -> Self {
        Self { answer, kind: PhantomData }
    }
}

impl Raw<PlainText> {
    pub fn text(body: impl Into<Bytes>) -> Self {
        with(StatusCode::OK, TEXT, body).into()
    }
}

impl<K> IntoResponse for Raw<K> {
    fn into_response(self) -> Answer {
        self.answer
    }
}

impl<K: Kind> Describe for Raw<K> {
    fn describe(sheet: &mut Sheet) {
        let text: RefOr<Schema> = ObjectBuilder::new().schema_type(Type::String).into();
        let kinds: Vec<_> = K::KINDS.iter().map(|kind| (*kind, text.clone())).collect();
        sheet.answer("200", "Done.", &kinds);
    }
}

/// Something in a form, or in a plan's file that it names, that has to be mended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct FormMistake {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    pub sentence: String,
}

impl FormMistake {
    pub fn whole(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), ..Self::default() }
    }

    pub fn of(field: &str, sentence: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), ..Self::whole(sentence) }
    }
}

impl From<PlanMistake> for FormMistake {
    fn from(PlanMistake { line, column, text }: PlanMistake) -> Self {
        let place = |number: usize| Some(number).filter(|number| *number > 0);
        Self { line: place(line), column: place(column), ..Self::whole(text) }
    }
}

/// Why there is no answer: a name for programs and a sentence for people.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    told: ProblemTold,
    retry_after: Option<&'static str>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemTold {
    /// For programs: the same reason as over gRPC.
    error: &'static str,
    /// For people.
    message: String,
    /// What has to be mended in a form, each with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FormMistake>,
}

impl Problem {
    pub fn new(status: StatusCode, reason: &'static str, sentence: impl Into<String>) -> Self {
        let told = ProblemTold { error: reason, message: sentence.into(), errors: Vec::new() };
        Self { status, told, retry_after: None }
    }

    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", sentence)
    }

    pub fn internal(sentence: impl Into<String>) -> Self {
        Denied::new(Reason::Internal, sentence).into()
    }

    pub fn not_found(reason: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, reason, sentence)
    }

    /// A form that has to be mended: the sentences in one, and each with its place.
    pub fn mistakes(reason: Reason, mistakes: Vec<FormMistake>) -> Self {
        let sentences: Vec<&str> = mistakes.iter().map(|mistake| mistake.sentence.as_str()).collect();
        let told = ProblemTold { error: reason.as_str(), message: sentences.join("\n"), errors: mistakes };
        Self { status: StatusCode::BAD_REQUEST, told, retry_after: None }
    }

    /// What has to be mended, if that is why.
    pub fn into_mistakes(self) -> Result<Vec<FormMistake>, Self> {
        if self.told.errors.is_empty() { Err(self) } else { Ok(self.told.errors) }
    }

    /// For somebody who may get an answer in so many seconds.
    pub fn retry_after(self, seconds: &'static str) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::new(status_of(denied.reason), denied.reason.as_str(), denied.text)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Answer {
        let body = serde_json::to_vec(&self.told).unwrap_or_default();
        let mut answer = with(self.status, JSON, body);
        let wait = self.retry_after.map(|seconds| (header::RETRY_AFTER, HeaderValue::from_static(seconds)));
        answer.headers_mut().extend(wait);
        answer
    }
}

impl Describe for Problem {
    fn describe(sheet: &mut Sheet) {
        let schema = ProblemTold::schema(sheet);
        sheet.answer("default", "Not done, and why.", &[(JSON, schema)]);
    }
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
