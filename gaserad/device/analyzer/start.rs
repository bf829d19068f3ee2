//! The start: ordered once, then watched until the analyzer measures.

use std::time::Duration;

use super::AnalyzerOwner;
use super::fault::SessionError;
use crate::ak::Command;
use crate::device::session::AskError;
use crate::domain::{AnalyzerAnswer, Fault, FaultKind, duration};

const FIRST_LOOK: Duration = Duration::from_millis(20);
const NEXT_LOOKS: Duration = Duration::from_millis(100);

impl AnalyzerOwner {
    /// A start whose reply was lost is not repeated: whether it was carried out shows.
    pub(super) async fn start(&mut self, task: u32) -> Result<AnalyzerAnswer, SessionError> {
        self.look_in_at_the_same().await?;
        let command = Command::Start { task };
        // From now on it may be measuring, whatever becomes of the reply.
        self.start_outstanding = true;
        let lost = match self.ask(&command).await {
            Ok(reply) => {
                reply.done(&command).inspect_err(|_| self.start_outstanding = false)?;
                false
            }
            Err(SessionError::Ask(AskError::Lost { .. })) => true,
            Err(trouble) => return Err(trouble),
        };
        self.results.begin();
        self.await_measuring(task, lost).await
    }

    async fn await_measuring(&mut self, task: u32, lost: bool) -> Result<AnalyzerAnswer, SessionError> {
        let begun = self.now();
        let mut pause = FIRST_LOOK;
        loop {
            let looked = self.look_in().await;
            match &looked {
                Ok(place) if place.is_measuring() => return Ok(AnalyzerAnswer::Started),
                Ok(_) => {}
                Err(SessionError::Ask(_) | SessionError::Reply(_)) => self.note_contact(&looked),
                Err(_) => return looked.map(|_| AnalyzerAnswer::Started),
            }
            if self.elapsed(begun) >= self.settings.start_patience {
                let now = looked.map(|place| place.state.words().to_owned());
                return Err(self.not_started(task, lost, now).into());
            }
            self.inbox.wait_for_stop(pause).await;
            pause = NEXT_LOOKS.min(pause * 2);
        }
    }

    fn not_started(&self, task: u32, lost: bool, now: Result<String, SessionError>) -> Fault {
        let place = self.session.place();
        let patience = duration::format(self.settings.start_patience);
        let ordered = if lost {
            format!("task {task} was ordered to start, the reply of the analyzer at {place} was lost")
        } else {
            format!("the analyzer at {place} accepted the start of task {task}")
        };
        match now {
            Ok(words) => Fault::new(
                FaultKind::Refused,
                format!("{ordered}, and after {patience} it is {words}; look at its display and its errors"),
            ),
            Err(trouble) => Fault::new(
                FaultKind::Offline,
                format!("{ordered}, but then {trouble}; it may be measuring: check its network, then stop it"),
            ),
        }
    }
}
