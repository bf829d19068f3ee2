//! The valve's trouble in the middle of a run: no wrong channel, and what it cost is told.

use gasera::domain::{Flag, Outcome};
use gasera::engine::Limits;

use super::trouble::{Aftermath, moments, run_with, seconds, survives};
use crate::support::stack::wire::Line;
use crate::support::stack::{Design, Stack};

async fn unplugged(stack: &mut Stack, seconds: u64) {
    stack.valve_wire.be(Line::Down);
    stack.run_for(super::trouble::seconds(seconds)).await;
    stack.valve_wire.be(Line::Sound);
}

#[test]
fn a_valve_that_is_unplugged_for_half_a_minute_costs_that_visit_at_most() {
    let mut flagged = 0;
    for aftermath in survives(&Design::default(), 1, &async |stack| unplugged(stack, 30).await) {
        assert!(aftermath.ledger.good >= 6, "{:?}", aftermath.ledger);
        assert!(aftermath.flagged(Flag::PosUnverified) <= 2);
        assert!(!aftermath.alarms().is_empty(), "nobody was told");
        flagged += aftermath.flagged(Flag::PosUnverified);
    }
    assert!(flagged > 0, "whoever looks at the records must see that the position was not known");
}

#[test]
fn a_valve_that_does_not_answer_for_half_a_minute_costs_that_visit_at_most() {
    survives(&Design::default(), 1, &async |stack| {
        stack.valve_wire.be(Line::Dumb);
        stack.run_for(seconds(30)).await;
        stack.valve_wire.be(Line::Sound);
    });
}

#[test]
fn a_valve_that_stays_away_fails_the_run_with_that_reason() {
    let aftermath = run_with(&Design::default(), seconds(100), async |stack| stack.valve_wire.be(Line::Down));
    assert_eq!(aftermath.outcome, Outcome::Failed);
    assert!(aftermath.reason.contains("the multiplexer was lost for 2m"), "{}", aftermath.reason);
}

#[test]
fn with_more_grace_than_that_the_run_goes_on_when_it_is_back() {
    let limits = Limits { grace: seconds(1200), ..Limits::default() };
    for after in moments() {
        let aftermath =
            run_with(&Design { limits, ..Design::default() }, after, async |stack| unplugged(stack, 900).await);
        let Aftermath { outcome, reason, ledger, .. } = &aftermath;
        assert_eq!(*outcome, Outcome::Completed, "{after:?}: {reason}");
        // What was drawn while nobody could see the valve is nobody's.
        assert!(ledger.hidden <= aftermath.flagged(Flag::PosUnverified) + 1, "{after:?}: {ledger:?}");
    }
}

/// Whatever it costs, the sample drawn meanwhile is nobody's.
#[test]
fn a_valve_that_somebody_else_turns_gives_no_wrong_channel() {
    for after in (60..125).map(seconds) {
        let aftermath = run_with(&Design::default(), after, async |stack| stack.somebody_else_turns_to(7).await);
        let Aftermath { outcome, reason, ledger, .. } = &aftermath;
        // Turned at the end of the only exchange of its visit, it has moved on before anybody sees it.
        let honest = *outcome == Outcome::Partial && reason.starts_with("visits without a good sample: 1 of 6");
        assert!(*outcome == Outcome::Completed || honest, "{after:?}: {outcome:?}, {reason}");
        assert!(ledger.good >= if honest { 5 } else { 6 }, "{after:?}: {ledger:?}");
    }
}

/// A run over a valve that does what it is told to do wrong in this way.
fn run_over(faults: &str) -> Aftermath {
    run_with(&Design { faults: faults.into(), ..Design::default() }, seconds(1), async |_| ())
}

#[test]
fn a_valve_that_jams_fails_the_run_with_that_reason() {
    for after in ["1m", "2m", "150s", "3m"] {
        let aftermath = run_over(&format!("valve_stuck_after = \"{after}\""));
        assert_eq!(aftermath.outcome, Outcome::Failed, "{}", aftermath.reason);
        assert!(aftermath.reason.contains("valve"), "{}", aftermath.reason);
    }
}

/// One move that goes wrong costs its time and nothing else: the valve is sent there again.
#[track_caller]
fn is_sent_again(aftermath: &Aftermath, words: &str) {
    let Aftermath { outcome, reason, ledger, .. } = aftermath;
    assert_eq!(*outcome, Outcome::Completed, "{reason}");
    assert!(ledger.good >= 6 && ledger.hidden == 0, "{ledger:?}");
    let alarms = aftermath.alarms();
    assert_eq!(alarms.iter().filter(|alarm| alarm.contains(words)).count(), 1, "{alarms:?}");
}

#[test]
fn a_valve_between_two_ports_names_no_channel_and_is_sent_there_again() {
    for (place, legacy) in (2..6).zip([true, false].into_iter().cycle()) {
        let aftermath = run_over(&format!("valve_between_ports = {place}\nlegacy_valve = {legacy}"));
        is_sent_again(&aftermath, "between two ports");
    }
}

#[test]
fn a_valve_that_goes_to_the_wrong_port_names_no_wrong_channel_and_is_sent_there_again() {
    for place in 2..6 {
        is_sent_again(&run_over(&format!("valve_wrong_port = {place}")), "CP says port");
    }
}
