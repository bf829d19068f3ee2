//! What the view makes of what it is told; how that looks is in `view/draw/tests.rs`.

use gasera::domain::event::{Component, LiveData, PhaseChange};
use gasera::domain::{AnalyzerTime, Attribution, Cas, Channel, Phase, Position, Qc, VisitId};

use super::*;
use crate::failure::{Exit, Failure};
use crate::view::model::tests::{notice, run_summary, status};

const GASES: [(&str, f64); 5] =
    [("124-38-9", 412.3), ("74-82-8", 1.923), ("10024-97-2", 0.3312), ("7664-41-7", 4.206), ("7732-18-5", 11_873.0)];

/// A good result of a channel, a minute after the one before.
pub fn result(seq: u32, channel: u8) -> LiveData {
    let component = |(cas, ppm): (&str, f64)| {
        let cas = Cas(cas.into());
        let (label, formula, color) = (cas.label(), cas.formula().into(), cas.color().into());
        let ppm = Some(ppm * (1.0 + 0.03 * f64::from(channel) + 0.01 * (f64::from(seq) * 0.9).sin()));
        Component { label, formula, ppm, color, cas, discard: false }
    };
    LiveData {
        run_id: run_summary().id,
        seq,
        phase: Phase::Measuring,
        channel: Channel::new(channel),
        visit_id: None,
        repeat: Some(1),
        attribution: Attribution::Exact,
        discard: false,
        qc: Qc::Good,
        flags: Vec::new(),
        iteration: None,
        sampled: Utc::from_micros(900_000_000) + Duration::from_secs(u64::from(seq)) * 20,
        device_timestamp: AnalyzerTime(0),
        units: "ppm".into(),
        components: GASES.map(component).into(),
    }
}

pub fn phase(phase: Phase, previous: Phase, channel: u8, visit: u32) -> PhaseChange {
    PhaseChange {
        run_id: run_summary().id,
        phase,
        previous,
        channel: Channel::new(channel),
        visit_id: Some(VisitId(visit)),
        repeat: 1,
        until: None,
        reason: String::new(),
        progress: status().progress,
    }
}

pub fn screen(status: &Status) -> Screen {
    let mut screen = Screen::new("unix:/run/gaserad/gaserad.sock".into(), None);
    screen.prime(status, Duration::ZERO);
    screen
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_connection_over_which_nothing_comes_for_12_seconds_is_stale() {
    let mut screen = screen(&status());
    screen.apply(&notice(&Event::MuxPosition { position: Position::Moving, channel: None }, 41), seconds(3));
    assert_eq!(screen.badge(seconds(14)), Badge::Connected);
    assert_eq!(screen.badge(seconds(15)), Badge::Stale(seconds(12)));
    screen.heard(seconds(20));
    assert_eq!(screen.badge(seconds(31)), Badge::Connected);
}

#[test]
fn a_connection_that_is_gone_says_when_it_is_tried_again() {
    let mut screen = screen(&status());
    let lost = ReconnectState::Reconnecting { wait: seconds(8), why: "gone".into() };
    screen.link(lost, "connection lost: gone", seconds(5));
    assert_eq!(screen.badge(seconds(7)), Badge::Reconnecting(seconds(6)));
    assert_eq!(screen.badge(seconds(30)), Badge::Reconnecting(seconds(0)));
    screen.link(ReconnectState::Connected, "connected again", seconds(40));
    assert_eq!(screen.badge(seconds(41)), Badge::Connected, "what was silent before the break does not matter");
    screen.link(ReconnectState::Polling { why: String::new() }, "polling", seconds(50));
    assert_eq!(screen.badge(seconds(99)), Badge::Polling);
    screen.link(ReconnectState::Lost(Failure::new(Exit::UNREACHABLE, "no")), "no", seconds(60));
    assert_eq!(screen.badge(seconds(99)), Badge::Disconnected);
    let told: Vec<&str> = screen.log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(told, ["no", "polling", "connected again", "connection lost: gone"]);
}

#[test]
fn the_next_gas_comes_after_the_one_that_was_asked_for() {
    let mut screen = Screen::new(String::new(), Some("n2o".into()));
    assert_eq!(screen.gas(), None);
    screen.history.add(&result(1, 1));
    let chosen = |screen: &Screen| screen.gas().map(|(at, gases)| gases[at].clone()).unwrap();
    assert_eq!(chosen(&screen), "N2O");
    let seen: Vec<String> = (0..4)
        .map(|_| {
            assert_eq!(screen.press(Key::Char('g')), Act::NextGas);
            chosen(&screen)
        })
        .collect();
    assert_eq!(seen, ["NH3", "H2O", "CO2", "CH4"]);
    assert_eq!(screen.unknown_gas(), None);
    screen.gas = Some("SF6".into());
    assert_eq!((screen.unknown_gas(), chosen(&screen)), (Some("SF6"), "CO2".into()));
}

#[test]
fn any_key_closes_the_help_and_does_nothing_else() {
    let mut screen = screen(&status());
    assert_eq!((screen.press(Key::Char('?')), screen.help), (Act::Help, true));
    assert_eq!((screen.press(Key::Char('q')), screen.help), (Act::Nothing, false));
    screen.press(Key::Char('?'));
    assert_eq!(screen.press(Key::Interrupt), Act::Interrupt);
}

#[test]
fn a_refusal_stands_there_for_a_while_in_its_own_words() {
    let mut screen = screen(&status());
    screen.press(Key::Char('a'));
    let Act::Order(order, run) = screen.press(Key::Char('y')) else { panic!("{:?}", screen.foot) };
    screen.answered(order, &run, Err("a viewer may not abort".into()), seconds(9));
    let refusal = Foot::Said { text: "Cannot abort run 01KAHRUN: a viewer may not abort".into(), good: false };
    assert_eq!(screen.foot, refusal);
    screen.pass(seconds(28));
    assert_eq!(screen.foot, refusal);
    screen.pass(seconds(29));
    assert_eq!(screen.foot, Foot::Keys);
}

#[test]
fn an_answer_does_not_take_the_place_of_a_question() {
    let mut screen = screen(&status());
    screen.press(Key::Char('p'));
    let run = run_summary().id;
    screen.answered(Order::Skip, &run, Ok("run 01KAHRUN leaves the channel".into()), seconds(9));
    assert_eq!(screen.foot, Foot::Confirm(Order::Pause, run));
    let line = &screen.log[0];
    assert_eq!((line.name.as_str(), line.text.as_str()), ("skip", "run 01KAHRUN leaves the channel"));
}

#[test]
fn a_sentence_of_the_view_itself_goes_away_too() {
    let mut screen = Screen::new(String::new(), None);
    screen.press(Key::Char('p'));
    assert!(matches!(screen.foot, Foot::Said { .. }));
    screen.pass(seconds(40));
    assert!(matches!(screen.foot, Foot::Said { .. }), "it has only just come");
    screen.pass(seconds(60));
    assert_eq!(screen.foot, Foot::Keys);
}

#[test]
fn alarms_are_kept_with_the_newest_first() {
    let mut screen = screen(&status());
    for (seq, code) in [(41, "disk_nearly_full"), (42, "valve_lost")] {
        let (severity, code) = (Severity::Warning, code.to_owned());
        let alarm = Event::Alarm { severity, code, text: "see to it".into(), run_id: None };
        screen.apply(&notice(&alarm, seq), seconds(1));
    }
    let texts: Vec<&str> = screen.alarms.iter().map(|alarm| alarm.text.as_str()).collect();
    assert_eq!(texts, ["valve_lost: see to it", "disk_nearly_full: see to it"]);
}
