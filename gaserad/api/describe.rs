//! What the OpenAPI document says of one operation, collected from the types that its handler takes and answers.

use axum::extract::State;
use http::{HeaderMap, Method};
use utoipa::openapi::path::{Operation as Described, Parameter};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, RefOr, Required, ResponseBuilder};

/// What the document says of one operation.
#[derive(Default)]
pub struct Sheet {
    pub operation: Described,
    /// What its schemas refer to, by name.
    pub schemas: Vec<(String, RefOr<Schema>)>,
}

impl Sheet {
    pub fn parameters(&mut self, parameters: Vec<Parameter>) {
        let known = self.operation.parameters.get_or_insert_default();
        known.extend(parameters.into_iter().map(RefOr::T));
    }

    pub fn body(&mut self, kind: &str, schema: RefOr<Schema>, required: Required) {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let body = RequestBodyBuilder::new().content(kind, content).required(Some(required)).build();
        self.operation.request_body = Some(RefOr::T(body));
    }

    /// An answer of one or several kinds.
    pub fn answer(&mut self, status: &str, meaning: &str, kinds: &[(&str, RefOr<Schema>)]) {
        let answer = kinds.iter().fold(ResponseBuilder::new().description(meaning), |answer, (kind, schema)| {
            answer.content(*kind, ContentBuilder::new().schema(Some(schema.clone())).build())
        });
        self.operation.responses.responses.insert(status.to_owned(), RefOr::T(answer.build()));
    }
}

/// An argument or the answer of a handler, as the document shows it.
pub trait Describe {
    fn describe(sheet: &mut Sheet);
}

macro_rules! not_in_the_document {
    ($($argument:ty),+) => {
        $(impl Describe for $argument { fn describe(_: &mut Sheet) {} })+
    };
}
pub(super) use not_in_the_document;

not_in_the_document!(Method, HeaderMap, axum::extract::Request);

impl<S> Describe for State<S> {
    fn describe(_: &mut Sheet) {}
}

impl<T: Describe, E: Describe> Describe for Result<T, E> {
    fn describe(sheet: &mut Sheet) {
        T::describe(sheet);
        E::describe(sheet);
    }
}
