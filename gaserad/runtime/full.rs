//! A full disk is waited for: nothing is lost by that, and everything else goes on when there is space again.
//!
//! Meanwhile nothing is stepped, so that the valve stays where it is; what the devices report waits in line. Whoever
//! asks how things are hears what is waited for, and everything else that is asked is answered afterwards.

use std::time::Duration;

use super::Runtime;
use super::handle::Request;
use crate::domain::{Clock, Event, Moment, Published, Severity, Status, duration};
use crate::store::{Batch, StoreError};

/// How often it is tried again.
const RETRY: Duration = Duration::from_secs(1);

impl Runtime {
    pub(super) async fn commit(&mut self, batch: Batch) -> Result<Vec<Published>, StoreError> {
        let mut full_since = None;
        loop {
            let batch = full_since.map_or_else(|| batch.clone(), |since| self.with_alarm(&batch, since));
            match self.store.commit(batch).await {
                Err(error) if error.is_out_of_space() => {
                    if full_since.is_none() {
                        tracing::error!("nothing can be kept: {error}; waiting for space");
                        full_since = Some(self.clock.now());
                    } else if self.is_to_end() {
                        return Err(error);
                    }
                    self.wait_for_space().await;
                }
                committed => return committed,
            }
        }
    }

    /// What could not be told while the disk was full is told with what is kept first.
    fn with_alarm(&self, batch: &Batch, since: Moment) -> Batch {
        let lasted = Duration::from_secs(self.clock.now().tick.since(since.tick).as_secs());
        let text = format!(
            "the disk of the state directory was full for {}; until then nothing was kept, and the run stood still",
            duration::format(lasted)
        );
        let run_id = self.state.status(since).run.map(|run| run.id);
        let mut batch = batch.clone();
        batch.events.push(Event::Alarm { severity: Severity::Blocker, code: "disk_full".into(), text, run_id });
        batch
    }

    fn is_to_end(&self) -> bool {
        self.shutting_down || self.held.iter().any(|request| matches!(request, Request::Shutdown))
    }

    /// Until it is worth another try.
    async fn wait_for_space(&mut self) {
        self.hub.tick(&self.status_without_space());
        let over = tokio::time::sleep(RETRY);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                () = &mut over => return,
                request = self.inbox.recv(), if self.inbox_open => {
                    let was_to_end = self.is_to_end();
                    self.hold(request);
                    if self.is_to_end() && !was_to_end {
                        return;
                    }
                }
            }
        }
    }

    fn hold(&mut self, request: Option<Request>) {
        match request {
            Some(Request::Status(answer)) => {
                // Whoever asked may have gone meanwhile.
                let _ = answer.send(self.status_without_space());
            }
            Some(request) => self.held.push_back(request),
            None => {
                self.inbox_open = false;
                self.held.push_back(Request::Shutdown);
            }
        }
    }

    fn status_without_space(&self) -> Status {
        let mut status = self.status(self.clock.now());
        status.waiting_for = "space on the disk of the state directory".into();
        status
    }
}
