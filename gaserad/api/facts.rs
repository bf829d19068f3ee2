//! What a page has to know before it can show anything: who looks at it, the lines of the multiplexer, gases, tasks.

use serde_json::{Value, json};

use super::Services;
use super::answer::{self, Answer};
use super::auth::{Caller, Role};
use super::plans::Planning;
use crate::domain::{Denied, GasInfo, Inquiry, Reason, Told};
use crate::proto::json::stored_plan;

/// What whoever asks may do, and whether a token would let them do more.
pub fn me(services: &Services, caller: &Caller, logged_in: bool) -> Answer {
    answer::json(&json!({
        "role": caller.role.map(Role::word),
        "who": caller.to_string(),
        "login": services.access.asks_for_token(caller),
        "logout": logged_in,
        // Strangers need not know which mistakes it may have.
        "version": caller.role.map(|_| env!("CARGO_PKG_VERSION")),
    }))
}

pub fn channels(services: &Services) -> Answer {
    answer::json(&json!({ "channels": services.control.channels() }))
}

pub fn gases(services: &Services) -> Answer {
    let gas = |gas: &GasInfo| json!({ "cas": gas.cas, "formula": gas.formula, "symbol": gas.symbol, "name": gas.name, "color": gas.color });
    answer::json(&json!({ "gases": services.control.gases().iter().map(gas).collect::<Value>() }))
}

/// Plans that are kept, each with what it comes to, as `gaseractl plan list --json` gives them.
pub async fn plans(services: &Services) -> Answer {
    match Planning(services).list().await {
        Ok(list) => answer::json(&json!({ "plans": list.plans.iter().map(stored_plan).collect::<Value>() })),
        Err(denied) => answer::denied(&denied),
    }
}

pub async fn tasks(services: &Services) -> Answer {
    match services.control.inquire(Inquiry::Tasks).await {
        Ok(Told::Tasks(list)) => answer::json(&json!({ "tasks": list.tasks, "ambiguous": list.ambiguous })),
        Ok(_) => answer::denied(&Denied::new(Reason::Internal, "the analyzer told something else than its tasks")),
        Err(denied) => answer::denied(&denied),
    }
}
