#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::{Misfire, Overlap, Schedule, Utc};

const MINUTE: Duration = Duration::from_secs(60);

fn at(text: &str) -> Utc {
    text.parse().unwrap()
}

fn times(cron: &str, zone: &str) -> Times {
    Times::parse(cron, zone).unwrap()
}

/// The next `count` times, as clocks of the zone show them.
fn next(cron: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let times = times(cron, zone);
    let mut from = at(after);
    let found = std::iter::from_fn(|| {
        from = times.after(from)?;
        Some(times.local(from))
    });
    found.take(count).map(|local| local[5..].to_owned()).collect()
}

fn schedule(cron: &str, decided: &str) -> Schedule {
    Schedule {
        name: "night".into(),
        cron: cron.into(),
        zone: "UTC".into(),
        plan: "weekly".into(),
        overlap: Overlap::Skip,
        misfire: Misfire::Run,
        grace: 10 * MINUTE,
        enabled: true,
        who: "ada".into(),
        decided: at(decided),
        last: None,
    }
}

fn decision(schedule: &Schedule, now: &str) -> Option<Decision> {
    decide(schedule, &times(&schedule.cron, &schedule.zone), at(now), MINUTE)
}

#[test]
fn a_fixed_time_that_the_spring_leaves_out_is_due_once_when_the_clocks_are_put_forward() {
    let berlin = next("30 2 * * *", "Europe/Berlin", "2026-03-27T12:00:00Z", 3);
    assert_eq!(berlin, ["03-28T02:30:00+01:00", "03-29T03:00:00+02:00", "03-30T02:30:00+02:00"]);
    let york = next("15,45 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", 3);
    assert_eq!(york, ["03-08T03:00:00-04:00", "03-09T02:15:00-04:00", "03-09T02:45:00-04:00"]);
    // On the moment of the change itself there is one time, not two.
    let both = next("0 2,3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2);
    assert_eq!(both, ["03-29T03:00:00+02:00", "03-30T02:00:00+02:00"]);
}

#[test]
fn what_goes_on_all_day_has_no_times_in_the_hour_that_the_spring_leaves_out() {
    let berlin = next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 3);
    assert_eq!(berlin, ["03-29T01:30:00+01:00", "03-29T03:00:00+02:00", "03-29T03:30:00+02:00"]);
    let york = next("20 * * * *", "America/New_York", "2026-03-08T06:00:00Z", 2);
    assert_eq!(york, ["03-08T01:20:00-05:00", "03-08T03:20:00-04:00"]);
    let odd = next("10 */2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 2);
    assert_eq!(odd, ["03-29T04:10:00+02:00", "03-29T06:10:00+02:00"]);
}

#[test]
fn a_fixed_time_that_the_autumn_shows_twice_comes_once_the_first_time() {
    let berlin = next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(berlin, ["10-25T02:30:00+02:00", "10-26T02:30:00+01:00"]);
    let york = next("0 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2);
    assert_eq!(york, ["11-01T01:00:00-04:00", "11-02T01:00:00-05:00"]);
    let end = next("0 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2);
    assert_eq!(end, ["10-25T02:00:00+02:00", "10-26T02:00:00+01:00"]);
}

#[test]
fn what_goes_on_all_day_goes_on_through_both_hours_of_the_autumn() {
    let berlin = next("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4);
    let expected = ["10-25T02:30:00+02:00", "10-25T02:00:00+01:00", "10-25T02:30:00+01:00", "10-25T03:00:00+01:00"];
    assert_eq!(berlin, expected);
    let york = next("20 * * * *", "America/New_York", "2026-11-01T05:00:00Z", 3);
    assert_eq!(york, ["11-01T01:20:00-04:00", "11-01T01:20:00-05:00", "11-01T02:20:00-05:00"]);
}

#[test]
fn rare_times_are_found_and_impossible_ones_are_none() {
    assert_eq!(next("0 12 29 2 *", "Europe/Berlin", "2097-01-01T00:00:00Z", 1), ["02-29T12:00:00+01:00"]);
    assert_eq!(next("30 6 * * MON-FRI", "UTC", "2026-01-16T07:00:00Z", 1), ["01-19T06:30:00+00:00"]);
    assert_eq!(times("0 0 30 2 *", "UTC").after(at("2026-01-01T00:00:00Z")), None);
    assert_eq!(times("0 0 30 2 *", "Europe/Berlin").after(at("2026-01-01T00:00:00Z")), None);
}

#[test]
fn what_is_no_expression_or_no_zone_says_what_is_one() {
    let sentence = |cron: &str, zone: &str| Times::parse(cron, zone).unwrap_err().to_string();
    for cron in ["", "0 2 * *", "0 2 * * * *", "0 2 * * * Europe/Berlin"] {
        assert!(sentence(cron, "UTC").contains("it has five fields"), "{cron}");
    }
    let minute = sentence("61 * * * *", "UTC");
    assert!(minute.starts_with("\"61 * * * *\" is no cron expression: ") && minute.contains("61"), "{minute}");
    assert!(!minute.contains('\n'), "{minute}");
    assert_eq!(
        sentence("0 2 * * *", "Europe/Atlantis"),
        "\"Europe/Atlantis\" is no time zone; zones are called like Europe/Berlin, America/New_York or UTC"
    );
}

#[test]
fn a_time_that_comes_fires_once() {
    let mut night = schedule("0 * * * *", "2026-01-15T08:30:00Z");
    assert_eq!(decision(&night, "2026-01-15T08:59:59Z"), None);
    let fired = decision(&night, "2026-01-15T09:00:02Z").unwrap();
    assert_eq!((fired.verdict, fired.passed, fired.due), (Ruling::Fire, 0, at("2026-01-15T09:00:00Z")));
    night.decided = fired.due;
    assert_eq!(decision(&night, "2026-01-15T09:00:03Z"), None);
    // The clock is set back by an hour, and the same time comes again.
    assert_eq!(decision(&night, "2026-01-15T08:00:00Z"), None);
    assert_eq!(decision(&night, "2026-01-15T09:00:10Z"), None);
    assert!(decision(&night, "2026-01-15T10:00:00Z").is_some());
    night.enabled = false;
    assert_eq!(decision(&night, "2026-01-15T10:00:00Z"), None);
}

#[test]
fn what_passed_is_made_up_for_once_within_the_grace() {
    let mut night = schedule("*/15 * * * *", "2026-01-15T08:30:00Z");
    let late = decision(&night, "2026-01-15T09:38:00Z").unwrap();
    assert_eq!((late.verdict, late.passed, late.due), (Ruling::Fire, 3, at("2026-01-15T09:30:00Z")));
    assert_eq!(late.late, 8 * MINUTE);
    let too_late = decision(&night, "2026-01-15T09:42:00Z").unwrap();
    assert_eq!((too_late.verdict, too_late.passed), (Ruling::Missed, 3));
    night.misfire = Misfire::Skip;
    assert_eq!(decision(&night, "2026-01-15T09:38:00Z").unwrap().verdict, Ruling::Missed);
    assert_eq!(decision(&night, "2026-01-15T09:30:59Z").unwrap().verdict, Ruling::Fire, "that is on time");
}

#[test]
fn years_that_passed_are_one_decision() {
    let night = schedule("* * * * *", "2016-01-15T08:30:00Z");
    let fired = decision(&night, "2026-01-15T08:30:20Z").unwrap();
    assert_eq!((fired.verdict, fired.due, fired.passed), (Ruling::Fire, at("2026-01-15T08:30:00Z"), 1000));
    let yearly = schedule("0 0 1 1 *", "2016-01-15T08:30:00Z");
    let missed = decision(&yearly, "2026-06-15T08:30:20Z").unwrap();
    assert_eq!((missed.verdict, missed.due, missed.passed), (Ruling::Missed, at("2026-01-01T00:00:00Z"), 9));
}

#[test]
fn a_clock_that_was_days_ahead_does_not_silence_a_schedule() {
    let (decided, now) = (at("2027-01-15T08:00:00Z"), at("2026-01-15T08:00:00Z"));
    assert_eq!(reckon_from(decided, now), now);
    let an_hour_ahead = at("2026-01-15T09:00:00Z");
    assert_eq!(reckon_from(an_hour_ahead, now), an_hour_ahead, "what fired does not fire again");
    assert_eq!(reckon_from(at("2026-01-15T07:00:00Z"), now), now);
}

fn crons() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "* * * * *",
        "*/7 * * * *",
        "30 2 * * *",
        "0 */2 * * *",
        "15,45 1,2,3 * * *",
        "0 6 * * 1",
    ])
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
}

/// Within some years around changes of the clock.
fn moments() -> impl Strategy<Value = Utc> {
    (1_767_225_600_000_000_i64..1_893_456_000_000_000).prop_map(Utc::from_micros)
}

proptest! {
    #[test]
    fn times_only_ever_rise(cron in crons(), zone in zones(), from in moments()) {
        let times = times(cron, zone);
        let mut last = from;
        for _ in 0..50 {
            let next = times.after(last).unwrap();
            prop_assert!(next > last);
            prop_assert_eq!(times.after(next - Duration::from_micros(1)), Some(next), "found from any moment before");
            last = next;
        }
    }

    /// However the clock goes, no time fires twice, none fires before it came, and one look fires one at most.
    #[test]
    fn no_clock_makes_a_schedule_fire_twice(
        cron in crons(), zone in zones(), from in moments(),
        steps in prop::collection::vec(-7200_i64..7200, 1..60),
    ) {
        let mut night = Schedule { zone: zone.into(), decided: from, ..schedule(cron, "2026-01-01T00:00:00Z") };
        let times = times(cron, zone);
        let (mut now, mut fired) = (from, Vec::new());
        for step in steps {
            now = Utc::from_micros(now.as_micros() + step * 1_000_000);
            let Some(decision) = decide(&night, &times, now, MINUTE) else { continue };
            prop_assert!(decision.due <= now && decision.due > night.decided);
            prop_assert!(decision.verdict == Ruling::Missed || decision.late <= night.grace);
            night.decided = decision.due;
            fired.push(decision.due);
        }
        prop_assert!(fired.is_sorted_by(|one, next| one < next), "{:?}", fired);
    }
}
