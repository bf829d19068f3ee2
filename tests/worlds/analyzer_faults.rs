//! The analyzer's trouble in the middle of a run: flagged, survived, or ended with the true reason.

use gasera::domain::{AfterRestart, Flag, Outcome, Qc};
use gasera::engine::Limits;

use super::trouble::{plan, run_with, seconds, survives};
use crate::support::stack::ledger::account;
use crate::support::stack::wire::Line;
use crate::support::stack::{Design, Stack, in_virtual_time};

#[test]
fn half_a_reply_and_then_nothing_costs_at_most_the_sample_under_way() {
    survives(&Design::default(), 1, &async |stack| stack.analyzer_wire.be(Line::HalfAReply));
}

#[test]
fn a_connection_that_is_reset_within_a_reply_costs_nothing() {
    survives(&Design::default(), 0, &async |stack| stack.analyzer_wire.be(Line::Reset));
}

/// A run over a line that is so all the time.
#[track_caller]
fn measures_over(line: Line) {
    let ledger = in_virtual_time(async {
        let mut stack = Stack::new(&Design::default());
        stack.analyzer_wire.be(line);
        stack.start(plan()).await;
        stack.settle(seconds(24 * 3600)).await;
        assert_eq!(stack.endings(), [(Outcome::Completed, String::new())]);
        account(&stack, &plan()).unwrap()
    });
    assert!(ledger.good >= 6 && ledger.hidden == 0, "{ledger:?}");
}

#[test]
fn noise_before_every_reply_costs_nothing() {
    measures_over(Line::Noisy);
}

#[test]
fn replies_byte_by_byte_cost_nothing() {
    measures_over(Line::Dripping);
}

async fn away(stack: &mut Stack, seconds: u64) {
    stack.analyzer_wire.be(Line::Down);
    stack.run_for(super::trouble::seconds(seconds)).await;
    stack.analyzer_wire.be(Line::Sound);
}

#[test]
fn an_analyzer_that_is_away_for_ten_seconds_costs_at_most_two_samples() {
    survives(&Design::default(), 2, &async |stack| away(stack, 10).await);
}

#[test]
fn an_analyzer_that_is_away_for_ten_minutes_fails_the_run_after_the_grace_time() {
    let aftermath = run_with(&Design::default(), seconds(100), async |stack| away(stack, 600).await);
    assert_eq!(aftermath.outcome, Outcome::Failed);
    assert!(aftermath.reason.contains("offline for 2m, longer than [analyzer] grace"), "{}", aftermath.reason);
    assert!(aftermath.reason.contains("connection refused"), "{}", aftermath.reason);
}

#[test]
fn with_more_grace_than_that_the_run_survives_and_the_gap_is_told() {
    let limits = Limits { grace: seconds(1200), ..Limits::default() };
    let design = Design { limits, ..Design::default() };
    for aftermath in survives(&design, 2, &async |stack| away(stack, 600).await) {
        assert!(aftermath.ledger.missed >= 8, "{:?}", aftermath.ledger);
        assert!(aftermath.flagged(Flag::Gap) >= 1);
    }
}

#[test]
fn an_analyzer_that_says_nothing_for_ten_seconds_costs_at_most_two_samples() {
    survives(&Design::default(), 2, &async |stack| {
        stack.analyzer_wire.be(Line::Dumb);
        stack.run_for(seconds(10)).await;
        stack.analyzer_wire.be(Line::Sound);
    });
}

#[test]
fn another_client_that_changes_the_layout_of_results_costs_nothing() {
    for layout in ["1 1 1 1", "0 0 1", "0 1 1", "1 0 0", "0 0 0"] {
        survives(&Design::default(), 0, &async |stack| {
            let reply = stack.somebody_else_asks(&format!("SCON K0 {layout}")).await;
            assert_eq!(reply, "SCON 0", "{layout}");
        });
    }
}

#[test]
fn another_client_that_stops_the_task_fails_the_run_with_that_reason() {
    for after in super::trouble::moments() {
        let aftermath = run_with(&Design::default(), after, async |stack| {
            assert_eq!(stack.somebody_else_asks("STPM K0").await, "STPM 0");
        });
        assert_eq!(aftermath.outcome, Outcome::Failed);
        assert!(
            aftermath.reason.contains("stopped measuring, and not because gaserad told it to: it is "),
            "{}",
            aftermath.reason
        );
    }
}

/// Whoever reboots it.
async fn reboot(stack: &mut Stack) {
    assert_eq!(stack.somebody_else_asks("RDEV K0").await, "RDEV 0");
}

#[test]
fn an_analyzer_that_is_rebooted_is_started_anew_and_the_run_completed() {
    for boot in ["1s", "8s", "30s"] {
        let faults = format!("boot_time = \"{boot}\"");
        for aftermath in survives(&Design { faults, ..Design::default() }, 2, &async |stack| reboot(stack).await) {
            let told = aftermath.alarms();
            assert!(told.iter().any(|alarm| alarm.starts_with("analyzer_restarted: ")), "{boot}: {told:?}");
        }
    }
}

#[test]
fn an_analyzer_that_takes_longer_than_grace_to_boot_fails_the_run() {
    let design = Design { faults: "boot_time = \"5m\"".into(), ..Design::default() };
    let aftermath = run_with(&design, seconds(100), async |stack| reboot(stack).await);
    assert_eq!(aftermath.outcome, Outcome::Failed);
    assert!(aftermath.reason.contains("[analyzer] grace"), "{}", aftermath.reason);
}

#[test]
fn an_analyzer_that_is_rebooted_fails_the_run_if_it_is_to() {
    let design = Design { after_restart: AfterRestart::Fail, ..Design::default() };
    let aftermath = run_with(&design, seconds(100), async |stack| reboot(stack).await);
    assert_eq!(aftermath.outcome, Outcome::Failed);
    assert!(aftermath.reason.contains("the analyzer restarted"), "{}", aftermath.reason);
}

#[test]
fn an_analyzer_that_reboots_over_and_over_ends_the_run() {
    let aftermath = run_with(&Design::default(), seconds(100), async |stack| {
        for _ in 0..30 {
            reboot(stack).await;
            stack.run_for(seconds(45)).await;
        }
    });
    assert_eq!(aftermath.outcome, Outcome::Failed);
    assert!(aftermath.reason.contains("4 times with no visit completed between"), "{}", aftermath.reason);
}

#[test]
fn a_stop_within_an_outage_of_the_network_is_not_taken_for_a_restart() {
    for after in super::trouble::moments() {
        let aftermath = run_with(&Design::default(), after, async |stack| {
            stack.analyzer_wire.be(Line::Dumb);
            stack.run_for(seconds(10)).await;
            assert_eq!(stack.somebody_else_asks("STPM K0").await, "STPM 0");
            stack.run_for(seconds(30)).await;
            stack.analyzer_wire.be(Line::Sound);
            stack.run_for(seconds(1800)).await;
            assert_eq!(stack.somebody_else_asks("ASTS K0").await, "ASTS 0 2", "after {after:?}");
            assert!(stack.state.is_busy(), "after {after:?}: {:?}", stack.endings());
            stack.abort();
        });
        assert_eq!(aftermath.outcome, Outcome::Aborted, "after {after:?}");
        assert!(aftermath.alarms().iter().any(|alarm| alarm.starts_with("analyzer_restart_doubtful: ")));
    }
}

#[test]
fn a_stop_by_somebody_is_no_restart_where_connections_are_reset_all_the_time() {
    for after in super::trouble::moments() {
        let faults = "reset = { every = 5 }".to_owned();
        run_with(&Design { faults, ..Design::default() }, after, async |stack| {
            assert_eq!(stack.somebody_else_asks("STPM K0").await, "STPM 0");
            stack.run_for(seconds(1800)).await;
            assert_eq!(stack.somebody_else_asks("ASTS K0").await, "ASTS 0 2", "after {after:?}");
            if stack.state.is_busy() {
                stack.abort();
            }
        });
    }
}

#[test]
fn a_reboot_that_is_seen_only_by_what_it_left_is_a_restart_all_the_same() {
    // It boots while nothing can be heard of it, and is idle when it can be asked again.
    let design = Design { faults: "boot_time = \"2s\"".into(), ..Design::default() };
    let aftermath = run_with(&design, seconds(130), async |stack| {
        stack.analyzer_wire.be(Line::Dumb);
        reboot(stack).await;
        stack.run_for(seconds(20)).await;
        stack.analyzer_wire.be(Line::Sound);
    });
    let told = aftermath.alarms();
    assert_eq!(aftermath.outcome, Outcome::Completed, "{told:?}");
    assert!(told.iter().any(|alarm| alarm.starts_with("analyzer_restarted: ")), "{told:?}");
}

#[test]
fn an_error_that_blocks_measuring_is_told_and_marks_every_sample_after_it() {
    let faults = "errors_after = { after = \"4m\", codes = [\"8004\"] }".to_owned();
    let aftermath = run_with(&Design { faults, ..Design::default() }, seconds(300), async |_| ());
    assert_eq!(aftermath.outcome, Outcome::Partial, "{}", aftermath.reason);
    assert!(aftermath.alarms().iter().any(|alarm| alarm.contains("cell temperature high")));
    let records = aftermath.stack.records();
    let first = records.iter().position(|record| record.flags.contains(&Flag::ErrBlocker)).unwrap();
    assert!(first > 1 && records[first..].iter().all(|record| record.qc == Qc::Suspect || record.discard));
}

#[test]
fn an_abort_at_any_moment_is_granted_within_seconds() {
    for after in super::trouble::moments() {
        let mut asked = None;
        let aftermath = run_with(&Design::default(), after, async |stack| {
            stack.abort();
            asked = Some(stack.now().tick);
        });
        assert_eq!(aftermath.outcome, Outcome::Aborted);
        let ended = aftermath.stack.effects.last().unwrap().0.tick;
        assert!(ended.since(asked.unwrap()) < seconds(10), "{after:?}");
    }
}
