//! What replies to the questions of an inquiry say together. Nothing is asked here.

use crate::ak::{self, Command, Reply};
use crate::domain::instrument::{Instrument, Task, TaskList};

/// The name of a parameter (APAR).
pub(super) const CELL_TEMPERATURE: &str = "CELLTEMP";

type Replies = [(Command, Option<Reply>)];

/// The ids in a list of tasks.
pub(super) fn tasks_to_confirm(list: Option<&Reply>) -> Vec<u32> {
    let tasks = list.and_then(|reply| reply.tasks().ok()).unwrap_or_default();
    tasks.list.iter().map(|task| task.id).collect()
}

pub(super) fn instrument(identity: &[String], replies: &Replies, unsupported: Vec<String>) -> Instrument {
    let part = |at: usize| identity.get(at).cloned().unwrap_or_default();
    let mut told = Instrument {
        manufacturer: part(0),
        serial: part(1),
        model: part(2),
        firmware: part(3),
        unsupported,
        ..Instrument::default()
    };
    for (command, reply) in replies {
        let Some(reply) = reply else { continue };
        match command {
            Command::Name => told.name = reply.name().unwrap_or_default(),
            Command::Network => told.network = reply.network().ok(),
            Command::Inlets => told.inlets = reply.inlets().ok().flatten(),
            Command::SystemParameters => told.parameters = reply.system_parameters().unwrap_or_default(),
            Command::Parameter(_) => told.cell_temperature_c = reply.parameter().ok().and_then(|value| number(&value)),
            _ => {}
        }
    }
    told
}

fn number(text: &str) -> Option<f64> {
    let word = text.split_whitespace().next()?;
    word.parse().ok().filter(|number: &f64| number.is_finite())
}

/// `confirmations` are the replies about the tasks of the list.
pub(super) fn task_list(list: &Reply, confirmations: &Replies) -> Result<TaskList, ak::Error> {
    let tasks = list.tasks()?;
    let confirmed = |id: u32| {
        let asked = Command::TaskParameters { task: id };
        confirmations.iter().find(|(command, _)| *command == asked).and_then(|(_, reply)| reply.as_ref())
    };
    let told = tasks.list.iter().map(|task| Task {
        id: task.id,
        name: task.name.clone(),
        confirmed: confirmed(task.id).is_some(),
        parameters: confirmed(task.id).and_then(|reply| reply.task_parameters().ok()),
    });
    Ok(TaskList { tasks: told.collect(), ambiguous: tasks.ambiguous, raw: list.data.clone() })
}
