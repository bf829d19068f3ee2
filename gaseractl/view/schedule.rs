//! Schedules as tables and as JSON.

use gasera::proto::{Schedule, ScheduledTime};

use super::table::{table as grid, written};
use super::words;

pub fn table(schedules: &[Schedule]) -> String {
    let mut table = grid(&["SCHEDULE", "CRON", "ZONE", "PLAN", "NEXT", "LAST"], &[]);
    for schedule in schedules {
        let next = schedule.next.first().map_or_else(|| standing(schedule), |next| words::date_of(&next.utc));
        let last = match (schedule.last_due_utc.as_str(), schedule.last_result.as_str()) {
            ("", _) => "-".to_owned(),
            (due, "") => format!("{}: being started", words::date_of(due)),
            (due, result) => format!("{}: {result}", words::date_of(due)),
        };
        let Schedule { name, cron, zone, plan, .. } = schedule.clone();
        table.add_row([name, cron, zone, plan, next, last]);
    }
    written(&table)
}

fn standing(schedule: &Schedule) -> String {
    if schedule.enabled { "never".into() } else { "disabled".into() }
}

/// `; due at …, …`
pub fn due(schedule: &Schedule) -> String {
    let times: Vec<String> = schedule.next.iter().map(|next| next.local.clone()).collect();
    if times.is_empty() { String::new() } else { format!("; due at {}", times.join(", ")) }
}

/// The next times of all, in order.
pub fn next(schedules: &[Schedule], count: u32) -> Vec<(&str, &ScheduledTime)> {
    let mut times: Vec<(&str, &ScheduledTime)> =
        schedules.iter().flat_map(|schedule| schedule.next.iter().map(|time| (schedule.name.as_str(), time))).collect();
    times.sort_by_key(|(name, time)| (time.utc.clone(), (*name).to_owned()));
    times.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    times
}

pub fn times(times: &[(&str, &ScheduledTime)]) -> String {
    let mut table = grid(&["SCHEDULE", "UTC", "IN ITS ZONE"], &[]);
    for (name, time) in times {
        table.add_row([*name, &time.utc, &time.local]);
    }
    written(&table)
}
