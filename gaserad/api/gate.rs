//! Stands between the listeners and the operations: who is let in with what, and what is kept of those who are not.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::IntoResponse;
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use tokio::time::sleep;
use utoipa::ToSchema;
use utoipa::openapi::Required;

use super::answer::{self, Answer, PlainText, Problem, Raw, Shape, Told};
use super::auth::{
    self, AccessInEffect, Allowed, Caller, Link, LoggedIn, Needs, Pass, Refusal, TOKEN_WRONG, TOO_OFTEN, Time,
};
use super::calls;
use super::describe::{Describe, Sheet};
use super::operation::Endpoint;
use super::table::{OperationTable, Place};
use super::{Ledger, Services, query};
use crate::domain::Clock;
use crate::store::Audit;
use crate::stream::Hub;

/// Before somebody who asks too often is answered: who guesses as fast as the answers come must not keep others waiting.
const BREATH: Duration = Duration::from_millis(10);
const GRPC: &str = "application/grpc";

// Neither is an order, and nobody has a role before the one and after the other.
pub fn endpoints() -> Vec<Endpoint<Arc<Gate>>> {
    vec![
        Endpoint::post("/login", "log_in", "Exchanges a token for a browser's cookie", log_in)
            .described("The body is the token alone, `{\"token\": …}`, or a form's field `token`.")
            .needs(Needs::Nothing),
        Endpoint::post("/logout", "log_out", "Ends the cookie and the streams opened with it", log_out)
            .needs(Needs::Nothing),
    ]
}

/// What a request is led through before it is answered.
pub async fn pass(
    State((gate, table)): State<(Arc<Gate>, Arc<OperationTable>)>,
    request: Request,
    next: Next,
) -> Answer {
    let (mut parts, body) = request.into_parts();
    let matched = parts.extensions.get::<MatchedPath>().cloned();
    let place = matched.as_ref().and_then(|path| table.at(path.as_str()));
    if let Err(refusal) = sit(&parts, place) {
        return refusal.http();
    }
    let link = link(&parts);
    let needs = needs(&parts, place);
    let allowed = match gate.judge(&link, &parts, needs).await {
        Ok(allowed) => allowed,
        Err(answer) => return *answer,
    };
    parts.extensions.insert(allowed.caller.clone());
    if is_grpc(parts.uri.path()) {
        return if speaks_grpc(&parts) { next.run(Request::from_parts(parts, body)).await } else { no_grpc() };
    }
    let kept = place.filter(|place| place.keeps(&parts.method)).map(|_| words(&parts));
    let mut answer = match place.map(|place| check(&parts, place)) {
        Some(Err(refused)) => *refused,
        _ => next.run(Request::from_parts(parts, body)).await,
    };
    auth::dress(answer.headers_mut(), allowed.origin.as_ref());
    if let Some(what) = kept {
        gate.done(&allowed, what, &answer);
    }
    answer
}

/// A place for who asks; streams have places of their own.
fn sit(parts: &Parts, place: Option<&Place>) -> Result<(), Refusal> {
    let Some(pass) = parts.extensions.get::<Arc<Pass>>() else { return Ok(()) };
    let is_stream = place.is_some_and(|place| place.streams(&parts.method));
    let seat = if is_stream { pass.ask() } else { pass.sit() };
    seat.map_err(|full| Refusal::full(full.to_string()))
}

/// What a request needs; one that is not known needs a viewer, who is told so.
fn needs(parts: &Parts, place: Option<&Place>) -> Needs {
    if is_grpc(parts.uri.path()) {
        calls::needs(parts.uri.path())
    } else {
        place.map_or(Needs::Viewer, |place| place.needs(&parts.method))
    }
}

fn speaks_grpc(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with(GRPC))
}

fn no_grpc() -> Answer {
    let sentence = "this address speaks gRPC; use a gRPC client over HTTP/2, or gaseractl";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", sentence).into_response()
}

/// Whether the method and, where none is taken, the query are known. What keys there are is checked where they are read.
fn check(parts: &Parts, place: &Place) -> Result<(), Box<Answer>> {
    if !place.knows(&parts.method) {
        return Err(Box::new(not_allowed(parts, place)));
    }
    if place.takes_query(&parts.method) {
        return Ok(());
    }
    query::refuse(parts.uri.query().unwrap_or_default()).map_err(|problem| Box::new(problem.into_response()))
}

fn not_allowed(parts: &Parts, place: &Place) -> Answer {
    let (path, method, allowed) = (parts.uri.path(), &parts.method, place.methods());
    let sentence = format!("{path} does not know {method}, but {allowed}; gaseractl starts and aborts measurements");
    let mut answer = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence).into_response();
    answer.headers_mut().extend(HeaderValue::try_from(allowed).map(|allowed| (header::ALLOW, allowed)));
    answer
}

fn link(parts: &Parts) -> Link {
    parts.extensions.get().copied().unwrap_or(Link::Unknown)
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().cloned().unwrap_or_else(Self::unknown))
    }
}

async fn log_in(State(gate): State<Arc<Gate>>, TokenSent(parts, body): TokenSent) -> Result<Told<LoggedIn>, Problem> {
    Ok(Told::raw(gate.log_in(&link(&parts), &parts, body).await))
}

async fn log_out(State(gate): State<Arc<Gate>>, request: Request) -> Raw<PlainText> {
    let (parts, _) = request.into_parts();
    let answer = auth::logout(&gate.access.get(), &link(&parts), &parts, gate.now());
    if let Some(cookie) = auth::shown_cookie(&parts.headers) {
        gate.hub.end_session(cookie, "whoever opened this stream logged out");
    }
    answer.into()
}

/// A request that may hold a token in its body.
struct TokenSent(Parts, Body);

impl<S: Sync> FromRequest<S> for TokenSent {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let (parts, body) = request.into_parts();
        Ok(Self(parts, body))
    }
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read in three ways, of which this is one")]
struct LoginForm {
    token: String,
}

impl Describe for TokenSent {
    fn describe(sheet: &mut Sheet) {
        let schema = <LoginForm as Shape>::schema(sheet);
        sheet.body(answer::JSON, schema, Required::True);
    }
}

pub struct Gate {
    access: Arc<AccessInEffect>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    hub: Arc<Hub>,
}

impl Gate {
    pub fn new(services: &Services) -> Self {
        let (access, ledger) = (services.access.clone(), services.ledger.clone());
        Self { access, ledger, clock: services.clock.clone(), hub: services.hub.clone() }
    }

    fn now(&self) -> Time {
        Time::of(self.clock.as_ref())
    }

    /// Whether the request with this head may be answered, or what is answered instead.
    async fn judge(&self, link: &Link, parts: &Parts, needs: Needs) -> Result<Allowed, Box<Answer>> {
        let now = self.now();
        let allowed = match self.access.get().judge(link, parts, needs, now) {
            Ok(allowed) => allowed,
            Err(refusal) => return Err(self.refuse(link, parts, needs, &refusal, now).await),
        };
        if auth::is_preflight(parts) {
            let mut answer = auth::preflight();
            auth::dress(answer.headers_mut(), allowed.origin.as_ref());
            return Err(Box::new(answer));
        }
        Ok(allowed)
    }

    async fn refuse(&self, link: &Link, parts: &Parts, needs: Needs, refusal: &Refusal, now: Time) -> Box<Answer> {
        if refusal.reason == TOO_OFTEN {
            sleep(BREATH).await;
        } else if needs == Needs::Operator || refusal.reason == TOKEN_WRONG {
            self.keep(link, parts, refusal, now);
        }
        let mut answer = refusal.answer(is_grpc(parts.uri.path()));
        auth::dress(answer.headers_mut(), refusal.origin.as_ref());
        Box::new(answer)
    }

    fn keep(&self, link: &Link, parts: &Parts, refusal: &Refusal, now: Time) {
        let (who, what) = (self.access.get().who(link), words(parts));
        if !self.access.get().is_kept(refusal, now) {
            tracing::debug!(who, what, reason = refusal.reason, "refused, and not kept: there are too many");
            return;
        }
        tracing::warn!(who, what, reason = refusal.reason, "refused: {}", refusal.sentence);
        self.ledger.note(Audit { who, what, result: format!("{} {}", refusal.reason, refusal.sentence) });
    }

    /// Keeps that somebody changed something that the measuring side knows nothing of.
    fn done(&self, allowed: &Allowed, what: String, answer: &Answer) {
        let result = format!("{} {}", if answer.status().is_success() { "ok" } else { "refused" }, answer.status());
        self.ledger.note(Audit { who: allowed.caller.to_string(), what, result });
    }

    async fn log_in(&self, link: &Link, parts: &Parts, body: Body) -> Answer {
        let now = self.now();
        match auth::login(&self.access.get(), link, parts, body, now).await {
            Ok(answer) => answer,
            Err(refusal) => {
                match refusal.reason {
                    TOO_OFTEN => sleep(BREATH).await,
                    TOKEN_WRONG => self.keep(link, parts, &refusal, now),
                    _ => {}
                }
                refusal.http()
            }
        }
    }
}

/// Whether the request is a gRPC call.
pub fn is_grpc(path: &str) -> bool {
    path.starts_with("/gasera.v1.") || path.starts_with("/grpc.")
}

/// What was asked, for the audit. Addresses are cut: nobody needs longer ones.
fn words(parts: &Parts) -> String {
    const MOST: usize = 120;
    let path: String = parts.uri.path().chars().take(MOST).collect();
    match path.strip_prefix("/gasera.v1.GaseraService/") {
        Some(call) => call.to_owned(),
        None => format!("{} {path}", parts.method),
    }
}
