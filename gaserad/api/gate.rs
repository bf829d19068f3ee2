//! Stands between the listeners and the router: who is let in with what, and what is kept of those who are not.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{Method, Request};
use hyper::body::Incoming;
use tokio::time::sleep;

use super::answer::Answer;
use super::auth::{self, Access, Allowed, Link, Refusal, TOKEN_WRONG, TOO_OFTEN, Time};
use super::routes::{self, Needs, Resource};
use super::{Ledger, Services};
use crate::domain::Clock;
use crate::store::Audit;

/// Before somebody who asks too often is answered: who guesses as fast as the answers come must not keep others waiting.
const BREATH: Duration = Duration::from_millis(10);

pub struct Gate {
    access: Arc<Access>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
}

impl Gate {
    pub fn new(services: &Services) -> Self {
        let (access, ledger) = (services.access.clone(), services.ledger.clone());
        Self { access, ledger, clock: services.clock.clone() }
    }

    fn now(&self) -> Time {
        Time::of(self.clock.as_ref())
    }

    /// Whether the request with this head may be answered, or what is answered instead.
    pub async fn judge(&self, link: &Link, parts: &Parts) -> Result<Allowed, Box<Answer>> {
        let (needs, now) = (needs(parts), self.now());
        let allowed = match self.access.judge(link, parts, needs, now) {
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
        let mut answer = refusal.answer(is_grpc(parts));
        auth::dress(answer.headers_mut(), refusal.origin.as_ref());
        Box::new(answer)
    }

    fn keep(&self, link: &Link, parts: &Parts, refusal: &Refusal, now: Time) {
        let (who, what) = (self.access.who(link), words(parts));
        if !self.access.is_kept(refusal, now) {
            tracing::debug!(who, what, reason = refusal.reason, "refused, and not kept: there are too many");
            return;
        }
        tracing::warn!(who, what, reason = refusal.reason, "refused: {}", refusal.sentence);
        self.ledger.note(Audit { who, what, result: format!("{} {}", refusal.reason, refusal.sentence) });
    }

    /// Keeps that somebody changed something that the measuring side knows nothing of.
    pub fn done(&self, allowed: &Allowed, parts: &Parts, answer: &Answer) {
        let result = format!("{} {}", if answer.status().is_success() { "ok" } else { "refused" }, answer.status());
        self.ledger.note(Audit { who: allowed.caller.to_string(), what: words(parts), result });
    }

    pub async fn log_in(&self, link: &Link, parts: &Parts, body: Incoming) -> Answer {
        let now = self.now();
        match auth::login(&self.access, link, parts, body, now).await {
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

    pub fn is_logged_in(&self, parts: &Parts) -> bool {
        self.access.is_logged_in(parts, self.now())
    }

    pub fn log_out(&self, link: &Link, parts: &Parts) -> Answer {
        auth::logout(&self.access, link, parts, self.now())
    }
}

/// Whether the request is a gRPC call.
pub fn is_grpc(parts: &Parts) -> bool {
    let path = parts.uri.path();
    path.starts_with("/gasera.v1.") || path.starts_with("/grpc.")
}

/// Whether the answer may be a stream of events, for which there are places of their own.
pub fn is_stream<B>(request: &Request<B>) -> bool {
    let pieces: Vec<&str> = request.uri().path().split('/').skip(1).collect();
    let streams = [Resource::Events, Resource::MergedEvents, Resource::StatusStream];
    request.method() == Method::GET && Resource::find(&pieces).is_some_and(|found| streams.contains(&found))
}

/// What a request needs; one that is not known needs a viewer, who is told so.
fn needs(parts: &Parts) -> Needs {
    let path = parts.uri.path();
    if is_grpc(parts) {
        return routes::call_needs(path);
    }
    let pieces: Vec<&str> = path.split('/').skip(1).collect();
    Resource::find(&pieces).map_or(Needs::Viewer, Resource::needs)
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

/// Whether an answer to it is kept in the audit: it may have changed something, and the measuring side does not keep it.
pub fn is_kept(parts: &Parts) -> bool {
    let pieces: Vec<&str> = parts.uri.path().split('/').skip(1).collect();
    let found = Resource::find(&pieces).filter(|found| found.knows(&parts.method));
    // What is done to a run is kept with what it came to.
    let keeps_itself = found == Some(Resource::Order);
    !is_grpc(parts) && !keeps_itself && found.is_some_and(|found| found.needs() == Needs::Operator)
}
