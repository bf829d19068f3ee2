//! Whether the daemon lives, and whether it serves.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Services;
use super::answer::{PlainText, Problem, Raw, Told};
use super::auth::Needs;
use super::operation::Endpoint;
use crate::domain::Phase;

/// How long a healthy daemon takes to say how it is, at most.
const WITHIN: Duration = Duration::from_secs(2);

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/healthz", "is_alive", "Returns whether the daemon lives", alive)
            .also_at(&["/livez"])
            .needs(Needs::Nothing),
        Endpoint::get("/readyz", "is_ready", "Returns whether the daemon serves", ready).needs(Needs::Nothing),
    ]
}

async fn alive(State(_): State<Services>) -> Raw<PlainText> {
    Raw::text("ok\n")
}

#[derive(Serialize, ToSchema)]
struct Readiness {
    ready: bool,
    #[schema(value_type = String)]
    phase: Phase,
    analyzer_online: bool,
}

/// Ready is who answers: that the analyzer is away is in the answer, not against it.
async fn ready(State(services): State<Services>) -> Result<Told<Readiness>, Problem> {
    let Ok(status) = tokio::time::timeout(WITHIN, services.control.status()).await else {
        let sentence = "the measuring side does not answer; see the daemon's log";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", sentence));
    };
    Ok(Told::json(&Readiness { ready: true, phase: status.phase, analyzer_online: status.analyzer.online }))
}
