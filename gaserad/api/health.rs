//! Whether the daemon lives, and whether it serves.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::Services;
use super::answer::{PlainText, Problem, Raw, Told};
use super::auth::Needs;
use super::operation::Operation;
use crate::domain::Phase;

/// How long a healthy daemon takes to say how it is, at most.
const WITHIN: Duration = Duration::from_secs(2);

pub fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/healthz", "is_alive", "Tells whether the daemon lives", alive)
            .also_at(&["/livez"])
            .needs(Needs::Nothing),
        Operation::get("/readyz", "is_ready", "Tells whether the daemon serves", ready).needs(Needs::Nothing),
    ]
}

async fn alive(State(_): State<Services>) -> Raw<PlainText> {
    Raw::text("ok\n")
}

#[derive(Serialize, ToSchema)]
struct Ready {
    ready: bool,
    #[schema(value_type = String)]
    phase: Phase,
    analyzer_online: bool,
}

/// Ready is who answers: that the analyzer is away is in the answer, not against it.
async fn ready(State(services): State<Services>) -> Result<Told<Ready>, Problem> {
    match tokio::time::timeout(WITHIN, services.control.status()).await {
        Ok(status) => {
            Ok(Told::json(&Ready { ready: true, phase: status.phase, analyzer_online: status.analyzer.online }))
        }
        Err(_) => {
            let sentence = "the measuring side does not answer; see the daemon's log";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", sentence))
        }
    }
}
