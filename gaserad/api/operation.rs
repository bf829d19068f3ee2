//! One operation of the HTTP interface: what is known of it stands beside its handler, and nowhere else.
//!
//! Routes, permissions, the audit, `/help`, the OpenAPI document and docs/http.md are made from the list of all
//! operations ([`super::operations`]). What an operation takes and answers is read off the types of its handler: each
//! argument and the answer describe themselves ([`Describe`]).

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use http::Method;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::ParameterIn;

use super::auth::{Caller, Needs};
use super::describe::{Describe, Sheet, not_in_the_document};

/// Below it stands the stable interface; without it, the same.
pub const STABLE: &str = "/v1";

not_in_the_document!(Caller);

/// A handler whose arguments and whose answer describe themselves.
pub trait SelfDescribing<T, S>: Handler<T, S> {
    fn describe(sheet: &mut Sheet);
}

macro_rules! self_describing {
    ($($argument:ident),+) => {
        impl<F, S, Answering, Answer, M, $($argument),+> SelfDescribing<(M, $($argument,)+), S> for F
        where
            F: Fn($($argument),+) -> Answering + Handler<(M, $($argument,)+), S>,
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

/// What is known of an operation.
pub struct Operation {
    pub method: Method,
    pub path: &'static str,
    /// Where clients of other programs look for it.
    aliases: &'static [&'static str],
    pub needs: Needs,
    /// Its answer is a stream of events, for which there are places of their own.
    pub is_stream: bool,
    /// Who asked for it is kept with what came of it, elsewhere.
    pub keeps_itself: bool,
    pub sheet: Sheet,
}

impl Operation {
    /// All paths that lead to it: each also below `/v1`, where it stays as it is.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let own = std::iter::once(self.path).chain(self.aliases.iter().copied());
        own.flat_map(|path| [path.to_owned(), format!("{STABLE}{path}")])
    }

    /// The methods that it answers, as the header `Allow` lists them.
    pub fn methods(&self) -> &'static [&'static str] {
        match self.method {
            Method::GET => &["GET", "HEAD"],
            Method::DELETE => &["DELETE"],
            _ => &["POST"],
        }
    }

    pub fn about(&self) -> &str {
        self.sheet.operation.tags.iter().flatten().next().map_or("", String::as_str)
    }

    pub fn summary(&self) -> &str {
        self.sheet.operation.summary.as_deref().unwrap_or_default()
    }

    pub fn query_keys(&self) -> impl Iterator<Item = &str> {
        let known = self.sheet.operation.parameters.iter().flatten();
        known.filter_map(|parameter| match parameter {
            RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => Some(parameter.name.as_str()),
            _ => None,
        })
    }
}

/// An operation and its handler, which is given an `S` to answer from.
pub struct Endpoint<S = ()> {
    pub operation: Operation,
    pub route: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> Endpoint<S> {
    /// What reads, which a viewer may. `id` is what programs call it; the summary is a sentence without a full stop.
    pub fn get<T: 'static, H: SelfDescribing<T, S>>(path: &'static str, id: &str, summary: &str, handler: H) -> Self {
        Self::new(Method::GET, MethodFilter::GET, path, handler).named(id, summary).needs(Needs::Viewer)
    }

    /// What changes something, which needs an operator.
    pub fn post<T: 'static, H: SelfDescribing<T, S>>(path: &'static str, id: &str, summary: &str, handler: H) -> Self {
        Self::new(Method::POST, MethodFilter::POST, path, handler).named(id, summary)
    }

    /// What ends something, which needs an operator.
    pub fn delete<T: 'static, H: SelfDescribing<T, S>>(
        path: &'static str,
        id: &str,
        summary: &str,
        handler: H,
    ) -> Self {
        Self::new(Method::DELETE, MethodFilter::DELETE, path, handler).named(id, summary)
    }

    fn new<T: 'static, H: SelfDescribing<T, S>>(
        method: Method,
        filter: MethodFilter,
        path: &'static str,
        handler: H,
    ) -> Self {
        let mut sheet = Sheet::default();
        H::describe(&mut sheet);
        let (aliases, needs, is_stream, keeps_itself) = (&[][..], Needs::Operator, false, false);
        let operation = Operation { method, path, aliases, needs, is_stream, keeps_itself, sheet };
        Self { operation, route: on(filter, handler) }
    }

    fn named(mut self, id: &str, summary: &str) -> Self {
        self.operation.sheet.operation.operation_id = Some(id.to_owned());
        self.operation.sheet.operation.summary = Some(summary.to_owned());
        self
    }

    /// More than the summary says.
    pub fn described(mut self, description: &str) -> Self {
        self.operation.sheet.operation.description = Some(description.to_owned());
        self
    }

    pub fn about(mut self, what: &str) -> Self {
        self.operation.sheet.operation.tags = Some(vec![what.to_owned()]);
        self
    }

    pub fn needs(mut self, needs: Needs) -> Self {
        self.operation.needs = needs;
        self
    }

    pub fn also_at(mut self, aliases: &'static [&'static str]) -> Self {
        self.operation.aliases = aliases;
        self
    }

    pub fn streams(mut self) -> Self {
        self.operation.is_stream = true;
        self
    }

    pub fn keeps_itself(mut self) -> Self {
        self.operation.keeps_itself = true;
        self
    }

    pub fn with(self, state: &S) -> Endpoint {
        Endpoint { operation: self.operation, route: self.route.with_state(state.clone()) }
    }
}
