//! Which id the task has that was named.

use super::AnalyzerOwner;
use super::fault::SessionError;
use crate::ak::{Command, Tasks};
use crate::domain::{Cas, Fault, FaultKind};

/// More are not tried: each takes a question.
const MOST_CANDIDATES: usize = 8;

impl AnalyzerOwner {
    /// The id of the task, and its gases where the analyzer can say. If its list can be read in several ways, the
    /// analyzer has to confirm the id.
    pub(super) async fn find_task(&mut self, wanted: &str) -> Result<(u32, Vec<Cas>), SessionError> {
        let reply = self.ask(&Command::Tasks).await?;
        let tasks = reply.tasks()?;
        let candidates = tasks.find(wanted);
        let Some(first) = candidates.first().copied() else { return Err(self.unknown(wanted, &tasks).into()) };
        let by_id = wanted.trim() == first.to_string();
        let certain = candidates.len() == 1 && (by_id || (!tasks.ambiguous && tasks.lists(first)));
        let mut confirmed = Vec::new();
        for id in candidates.into_iter().take(MOST_CANDIDATES) {
            if let Some(gases) = self.gases_of(id).await? {
                confirmed.push((id, gases));
            }
        }
        if certain && confirmed.is_empty() {
            return Ok((first, Vec::new()));
        }
        match (confirmed.len(), confirmed.pop()) {
            (1, Some(found)) => Ok(found),
            _ => Err(self.ambiguous(wanted, &reply.data).into()),
        }
    }

    /// `None` if the analyzer knows no such id, or cannot say.
    async fn gases_of(&mut self, task: u32) -> Result<Option<Vec<Cas>>, SessionError> {
        let reply = self.probe(&Command::TaskParameters { task }).await?;
        Ok(reply.map(|reply| reply.gases().unwrap_or_default()))
    }

    fn unknown(&self, wanted: &str, tasks: &Tasks) -> Fault {
        let place = self.session.place();
        let listed: Vec<String> = tasks.list.iter().map(|task| format!("{} (id {})", task.name, task.id)).collect();
        let text = if listed.is_empty() {
            format!(
                "the analyzer at {place} has no task {wanted:?}: it has no tasks at all; create one on its display, then name it with --task"
            )
        } else {
            format!(
                "the analyzer at {place} has no task {wanted:?}; it has {}; choose one with --task",
                listed.join(", ")
            )
        };
        Fault::new(FaultKind::TaskUnknown, text)
    }

    fn ambiguous(&self, wanted: &str, list: &str) -> Fault {
        let text = format!(
            "the analyzer at {} lists its tasks as {list:?}, and which id {wanted:?} has cannot be told; \
             name the task by its id",
            self.session.place()
        );
        Fault::new(FaultKind::TaskUnknown, text)
    }
}
