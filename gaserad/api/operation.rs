//! One operation of the HTTP interface: what is known of it stands beside its handler, and nowhere else.
//!
//! Routes, permissions, the audit, `/help`, the OpenAPI document and docs/http.md are made from the list of all
//! operations ([`super::operations`]). What an operation takes and answers is read off the types of its handler: each
//! argument and the answer describe themselves ([`Describe`]).

use axum::extract::State;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::{HeaderMap, Method};
use utoipa::openapi::path::{Operation as Described, Parameter, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{ContentBuilder, RefOr, Required, ResponseBuilder};

use super::auth::{Caller, Link, Needs};
use super::router::Api;

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

/// A handler whose arguments and whose answer describe themselves.
pub trait SelfDescribing<T>: Handler<T, Api> {
    fn describe(sheet: &mut Sheet);
}

macro_rules! self_describing {
    ($($argument:ident),+) => {
        impl<F, Answering, Answer, M, $($argument),+> SelfDescribing<(M, $($argument,)+)> for F
        where
            F: Fn($($argument),+) -> Answering + Handler<(M, $($argument,)+), Api>,
            Answering: Future<Output = Answer>,
            Answer: Describe,
            $($argument: Describe),+
        {
            fn describe(sheet: &mut Sheet) {
                $($argument::describe(sheet);)+
                Answer::describe(sheet);
            }
        }
    };
}

self_describing!(A);
self_describing!(A, B);
self_describing!(A, B, C);
self_describing!(A, B, C, D);
self_describing!(A, B, C, D, E);

macro_rules! not_in_the_document {
    ($($argument:ty),+) => {
        $(impl Describe for $argument { fn describe(_: &mut Sheet) {} })+
    };
}

not_in_the_document!(Method, HeaderMap, Caller, Link, axum::body::Body, axum::extract::Request);

impl<S> Describe for State<S> {
    fn describe(_: &mut Sheet) {}
}

impl<T: Describe, E: Describe> Describe for Result<T, E> {
    fn describe(sheet: &mut Sheet) {
        T::describe(sheet);
        E::describe(sheet);
    }
}

pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    /// Where clients of other programs look for it.
    pub aliases: &'static [&'static str],
    pub needs: Needs,
    /// Its answer is a stream of events, for which there are places of their own.
    pub is_stream: bool,
    /// Who asked for it is kept with what came of it, elsewhere.
    pub keeps_itself: bool,
    pub sheet: Sheet,
    route: MethodRouter<Api>,
}

impl Operation {
    /// What reads, which a viewer may. `id` is what programs call it; the summary is a sentence without a full stop.
    pub fn get<T: 'static, H: SelfDescribing<T>>(path: &'static str, id: &str, summary: &str, handler: H) -> Self {
        Self::new(Method::GET, Needs::Viewer, path, on(MethodFilter::GET, handler.clone()), handler).named(id, summary)
    }

    /// What changes something, which needs an operator.
    pub fn post<T: 'static, H: SelfDescribing<T>>(path: &'static str, id: &str, summary: &str, handler: H) -> Self {
        Self::new(Method::POST, Needs::Operator, path, on(MethodFilter::POST, handler.clone()), handler)
            .named(id, summary)
    }

    /// What ends something, which needs an operator.
    pub fn delete<T: 'static, H: SelfDescribing<T>>(path: &'static str, id: &str, summary: &str, handler: H) -> Self {
        Self::new(Method::DELETE, Needs::Operator, path, on(MethodFilter::DELETE, handler.clone()), handler)
            .named(id, summary)
    }

    fn new<T, H: SelfDescribing<T>>(
        method: Method,
        needs: Needs,
        path: &'static str,
        route: MethodRouter<Api>,
        _: H,
    ) -> Self {
        let mut sheet = Sheet::default();
        H::describe(&mut sheet);
        Self { method, path, aliases: &[], needs, is_stream: false, keeps_itself: false, sheet, route }
    }

    fn named(mut self, id: &str, summary: &str) -> Self {
        self.sheet.operation.operation_id = Some(id.to_owned());
        self.sheet.operation.summary = Some(summary.to_owned());
        self
    }

    pub fn needs(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }

    pub fn also_at(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub fn about(mut self, what: &str) -> Self {
        self.sheet.operation.tags = Some(vec![what.to_owned()]);
        self
    }

    pub fn streams(self) -> Self {
        Self { is_stream: true, ..self }
    }

    pub fn keeps_itself(self) -> Self {
        Self { keeps_itself: true, ..self }
    }

    /// More than the summary says.
    pub fn described(mut self, description: &str) -> Self {
        self.sheet.operation.description = Some(description.to_owned());
        self
    }

    pub fn summary(&self) -> &str {
        self.sheet.operation.summary.as_deref().unwrap_or_default()
    }

    pub fn about_what(&self) -> &str {
        self.sheet.operation.tags.iter().flatten().next().map_or("", String::as_str)
    }

    pub fn query_keys(&self) -> impl Iterator<Item = &str> {
        let known = self.sheet.operation.parameters.iter().flatten();
        known.filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.as_str()),
            _ => None,
        })
    }

    /// All paths that lead to it: each also below `/v1`, where it stays as it is.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let own = std::iter::once(self.path).chain(self.aliases.iter().copied());
        own.flat_map(|path| [path.to_owned(), format!("{STABLE}{path}")])
    }

    pub fn route(&self) -> MethodRouter<Api> {
        self.route.clone()
    }

    /// The methods that it answers, as the header `Allow` lists them.
    pub fn methods(&self) -> &'static [&'static str] {
        match self.method {
            Method::GET => &["GET", "HEAD"],
            Method::DELETE => &["DELETE"],
            _ => &["POST"],
        }
    }
}

/// Below it stands the stable interface; without it, the same.
pub const STABLE: &str = "/v1";
