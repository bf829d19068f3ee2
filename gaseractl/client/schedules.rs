//! The calls about schedules.

use gasera::proto::{
    AddScheduleRequest, ListSchedulesRequest, RemoveScheduleRequest, Schedule, SetScheduleEnabledRequest,
};

use super::{Client, operator};
use crate::failure::Failure;

impl Client {
    /// All, each with so many of its next times.
    pub async fn schedules(&mut self, next: u32) -> Result<Vec<Schedule>, Failure> {
        Ok(self.call(ListSchedulesRequest { next }).await?.schedules)
    }

    pub async fn add_schedule(
        &mut self,
        schedule: Schedule,
        replace: bool,
        dry_run: bool,
    ) -> Result<Schedule, Failure> {
        let request = AddScheduleRequest { schedule: Some(schedule), replace, dry_run, operator: operator() };
        Ok(self.call(request).await?.schedule.unwrap_or_default())
    }

    pub async fn remove_schedule(&mut self, name: String) -> Result<(), Failure> {
        self.call(RemoveScheduleRequest { name, operator: operator() }).await.map(drop)
    }

    pub async fn set_schedule_enabled(&mut self, name: String, enabled: bool) -> Result<Schedule, Failure> {
        let request = SetScheduleEnabledRequest { name, enabled, operator: operator() };
        Ok(self.call(request).await?.schedule.unwrap_or_default())
    }
}
