//! What a page has to know before it can show anything: who looks at it, how things stand, the lines of the multiplexer,
//! gases, tasks, plans.

use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answer::{Problem, Told};
use super::auth::{Caller, Needs, Role, Time};
use super::document::{PlanList, StatusTold};
use super::operation::Endpoint;
use super::plans::Planning;
use super::{ChannelLine, Services};
use crate::domain::instrument::{Task, TaskParameters};
use crate::domain::{Inquiry, Told as Found};
use crate::proto::json::stored_plan;

pub fn endpoints() -> Vec<Endpoint<Services>> {
    vec![
        Endpoint::get("/me", "me", "Returns who asks and what they may do", me).needs(Needs::Nothing),
        Endpoint::get("/status", "get_status", "Returns the state of analyzer, multiplexer and run", status),
        Endpoint::get("/channels", "list_channels", "Lists the configured channels", channels),
        Endpoint::get("/gases", "list_gases", "Lists the known gases", gases),
        Endpoint::get("/tasks", "list_tasks", "Lists the tasks of the analyzer", tasks),
        Endpoint::get("/plans", "list_plans", "Lists the stored plans and how long they take", plans),
    ]
}

#[derive(Serialize, ToSchema)]
struct Me {
    /// `viewer`, `operator`, or `null`.
    role: Option<&'static str>,
    who: String,
    /// Whether a token could make it more.
    login: bool,
    /// Whether there is a cookie to end.
    logout: bool,
    /// Strangers need not know which mistakes it may have.
    version: Option<&'static str>,
}

async fn me(State(services): State<Services>, caller: Caller, request: axum::extract::Request) -> Told<Me> {
    let (parts, _) = request.into_parts();
    Told::json(&Me {
        role: caller.role.map(Role::word),
        who: caller.to_string(),
        login: services.access.get().asks_for_token(&caller),
        logout: services.access.get().is_logged_in(&parts, Time::of(services.clock.as_ref())),
        version: caller.role.map(|_| env!("CARGO_PKG_VERSION")),
    })
}

async fn status(State(services): State<Services>) -> Told<StatusTold> {
    Told::documented(&services.control.status().await)
}

#[derive(Serialize, ToSchema)]
struct ChannelList {
    channels: Vec<ChannelTold>,
}

#[derive(Serialize, ToSchema)]
struct ChannelTold {
    channel: u8,
    /// Empty if it has none.
    label: String,
    /// `sample`, `background`, `zero`, `span` or `target`.
    kind: &'static str,
}

impl From<ChannelLine> for ChannelTold {
    fn from(ChannelLine { channel, label, kind }: ChannelLine) -> Self {
        Self { channel: channel.number(), label, kind: kind.as_str() }
    }
}

async fn channels(State(services): State<Services>) -> Told<ChannelList> {
    Told::json(&ChannelList { channels: services.control.channels().into_iter().map(ChannelTold::from).collect() })
}

#[derive(Serialize, ToSchema)]
struct GasList {
    gases: Vec<GasTold>,
}

#[derive(Serialize, ToSchema)]
struct GasTold {
    cas: String,
    formula: String,
    symbol: String,
    name: String,
    /// For charts.
    color: String,
}

async fn gases(State(services): State<Services>) -> Told<GasList> {
    let gases = services.control.gases().into_iter();
    let gas = |gas: crate::domain::GasInfo| GasTold {
        cas: gas.cas.0,
        formula: gas.formula,
        symbol: gas.symbol,
        name: gas.name,
        color: gas.color,
    };
    Told::json(&GasList { gases: gases.map(gas).collect() })
}

#[derive(Serialize, ToSchema)]
struct TasksTold {
    tasks: Vec<TaskTold>,
    /// The analyzer's reply can be read in more than one way.
    ambiguous: bool,
}

#[derive(Serialize, ToSchema)]
struct TaskTold {
    id: u32,
    name: String,
    /// The analyzer knows a task of this number.
    confirmed: bool,
    parameters: Option<TaskParametersTold>,
}

#[derive(Serialize, ToSchema)]
struct TaskParametersTold {
    /// CAS numbers.
    gases: Vec<String>,
    pressure_mbar: Option<f64>,
    flush_bypass_s: Option<f64>,
    flush_cell_s: Option<f64>,
    flush_cycles: Option<u32>,
}

impl From<TaskParameters> for TaskParametersTold {
    fn from(told: TaskParameters) -> Self {
        Self {
            gases: told.gases.into_iter().map(|gas| gas.0).collect(),
            pressure_mbar: told.pressure_mbar,
            flush_bypass_s: told.flush_bypass_s,
            flush_cell_s: told.flush_cell_s,
            flush_cycles: told.flush_cycles,
        }
    }
}

async fn tasks(State(services): State<Services>) -> Result<Told<TasksTold>, Problem> {
    let Found::Tasks(list) = services.control.inquire(Inquiry::Tasks).await? else {
        return Err(Problem::internal("the analyzer told something else than its tasks"));
    };
    let task = |Task { id, name, confirmed, parameters }| TaskTold {
        id,
        name,
        confirmed,
        parameters: parameters.map(TaskParametersTold::from),
    };
    Ok(Told::json(&TasksTold { tasks: list.tasks.into_iter().map(task).collect(), ambiguous: list.ambiguous }))
}

/// As `gaseractl plan list --json` gives them.
async fn plans(State(services): State<Services>) -> Result<Told<PlanList>, Problem> {
    let list = Planning(&services).list().await?;
    Ok(Told::documented(&json!({ "plans": list.plans.iter().map(stored_plan).collect::<Value>() })))
}
