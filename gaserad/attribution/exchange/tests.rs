mod instrument;

use super::*;
use crate::domain::{AnalyzerTime, ResultRead, Sample};

const PHASES: [AnalyzerPhase; 4] =
    [AnalyzerPhase::GasExchange, AnalyzerPhase::Integration, AnalyzerPhase::Analysis, AnalyzerPhase::None];

fn look(exchanges: &mut Exchanges, phase: usize, iteration: Option<u32>, after_ms: u64, before_ms: u64) {
    exchanges.see(Seen {
        state: AnalyzerState::Measuring,
        phase: PHASES[phase],
        iteration,
        after: Tick::from_micros(after_ms * 1000),
        asked: Tick::from_micros(before_ms * 1000),
        before: Tick::from_micros(before_ms * 1000),
    });
}

fn claim(exchanges: &mut Exchanges, phase: usize) -> ClaimOrigin {
    claim_at(exchanges, phase, u64::MAX / 1000)
}

fn claim_at(exchanges: &mut Exchanges, phase: usize, read_ms: u64) -> ClaimOrigin {
    exchanges.claim(&ResultRead {
        sample: Sample { stamp: AnalyzerTime(0), readings: Vec::new(), raw: String::new() },
        after: Tick::ZERO,
        asked: Tick::from_micros(read_ms * 1000),
        read: Tick::from_micros(read_ms * 1000),
        phase: PHASES[phase],
        iteration: None,
    })
}

fn iteration(origin: ClaimOrigin) -> Option<u32> {
    match origin {
        ClaimOrigin::Exchange { exchange, .. } => exchange.iteration,
        ClaimOrigin::BeforeTheRun | ClaimOrigin::Contradicted { .. } | ClaimOrigin::Unknown => None,
    }
}

#[test]
fn a_result_is_of_the_exchange_before_the_one_under_way() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    assert_eq!(claim(&mut exchanges, 0), ClaimOrigin::BeforeTheRun);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 2, Some(0), 48_000, 49_000);
    look(&mut exchanges, 0, Some(1), 58_000, 59_000);
    let ClaimOrigin::Exchange { exchange, missed } = claim(&mut exchanges, 0) else { panic!("no exchange") };
    assert_eq!(exchange.iteration, Some(0));
    assert_eq!(exchange.ended_before, Tick::from_micros(13_000_000));
    assert_eq!(missed, 0);
}

#[test]
fn a_counter_that_lags_behind_the_phase_tells_of_no_second_exchange() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 2, Some(0), 48_000, 49_000);
    look(&mut exchanges, 0, Some(0), 58_000, 59_000);
    look(&mut exchanges, 0, Some(1), 59_000, 60_000);
    assert_eq!(iteration(claim(&mut exchanges, 0)), Some(0));
    look(&mut exchanges, 1, Some(1), 70_000, 71_000);
    look(&mut exchanges, 2, Some(1), 100_000, 101_000);
    look(&mut exchanges, 0, Some(2), 116_000, 117_000);
    assert_eq!(iteration(claim(&mut exchanges, 0)), Some(1));
}

#[test]
fn a_counter_that_leads_the_phase_tells_of_no_second_exchange() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 2, Some(0), 48_000, 49_000);
    look(&mut exchanges, 2, Some(1), 57_000, 58_000);
    look(&mut exchanges, 0, Some(1), 58_000, 59_000);
    assert_eq!(iteration(claim(&mut exchanges, 0)), Some(0));
    assert_eq!(exchanges.drawn.len(), 2);
}

#[test]
fn an_iteration_that_passed_unseen_is_a_gap_and_its_window_is_the_whole_silence() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 0, Some(2), 13_000, 118_000);
    let ClaimOrigin::Exchange { exchange, missed } = claim(&mut exchanges, 0) else { panic!("no exchange") };
    assert_eq!((exchange.iteration, missed), (None, 1));
    assert_eq!((exchange.began_after, exchange.ended_before), (Tick::ZERO, Tick::from_micros(118_000_000)));
}

#[test]
fn without_a_counter_a_long_silence_leaves_open_which_exchange_a_result_is_of() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, None, 0, 1000);
    look(&mut exchanges, 1, None, 12_000, 13_000);
    look(&mut exchanges, 1, None, 13_000, 71_000);
    look(&mut exchanges, 2, None, 106_000, 107_000);
    look(&mut exchanges, 0, None, 116_000, 117_000);
    let ClaimOrigin::Exchange { exchange, .. } = claim(&mut exchanges, 0) else { panic!("no exchange") };
    assert_eq!((exchange.began_after, exchange.ended_before), (Tick::ZERO, Tick::from_micros(71_000_000)));
}

#[test]
fn a_counter_that_moves_in_the_analysis_across_a_long_silence_leaves_it_open_too() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 2, Some(0), 48_000, 49_000);
    look(&mut exchanges, 2, Some(1), 49_000, 107_000);
    look(&mut exchanges, 0, Some(2), 116_000, 117_000);
    let ClaimOrigin::Exchange { exchange, .. } = claim(&mut exchanges, 0) else { panic!("no exchange") };
    assert_eq!((exchange.iteration, exchange.ended_before), (None, Tick::from_micros(107_000_000)));
}

#[test]
fn a_poll_that_comes_late_does_not_change_what_was_read_before() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 0, Some(1), 58_000, 59_000);
    look(&mut exchanges, 1, Some(1), 70_000, 71_000);
    // Read at 72 s, but polled only at 130 s: the next iteration has come and gone.
    look(&mut exchanges, 1, Some(2), 71_000, 130_000);
    let ClaimOrigin::Exchange { exchange, missed } = claim_at(&mut exchanges, 1, 72_000) else { panic!("no exchange") };
    assert_eq!((exchange.iteration, missed), (Some(0), 0));
    assert_eq!((exchange.began_after, exchange.ended_before), (Tick::ZERO, Tick::from_micros(13_000_000)));
    let ClaimOrigin::Exchange { exchange, missed } = claim_at(&mut exchanges, 1, 131_000) else {
        panic!("no exchange")
    };
    assert_eq!((exchange.iteration, missed), (None, 1), "it may be of the one that passed unseen");
    assert_eq!(exchange.ended_before, Tick::from_micros(130_000_000));
}

#[test]
fn a_result_read_just_before_its_end_was_seen_is_certain() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 2, Some(0), 48_000, 49_000);
    look(&mut exchanges, 0, Some(1), 58_000, 58_900);
    assert_eq!(iteration(claim_at(&mut exchanges, 0, 58_500)), Some(0));
}

#[test]
fn a_second_result_of_the_same_exchange_is_not_believed() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    look(&mut exchanges, 2, Some(0), 48_000, 49_000);
    look(&mut exchanges, 0, Some(1), 58_000, 59_000);
    assert_eq!(iteration(claim_at(&mut exchanges, 0, 59_000)), Some(0));
    assert!(matches!(claim_at(&mut exchanges, 0, 60_000), ClaimOrigin::Contradicted { .. }));
}

#[test]
fn without_phases_the_window_reaches_from_the_result_before_to_the_reading() {
    let second = |seconds: u64| Tick::from_micros(seconds * 1_000_000);
    let mut exchanges = Exchanges::default();
    exchanges.restart(second(10));
    look(&mut exchanges, 3, Some(0), 10_000, 11_000);
    assert!(exchanges.is_blind());
    let read = |exchanges: &mut Exchanges, after: u64, read: u64, iteration| {
        let sample = Sample { stamp: AnalyzerTime(0), readings: Vec::new(), raw: String::new() };
        let (after, read) = (second(after), second(read));
        exchanges.claim(&ResultRead { sample, after, asked: read, read, phase: PHASES[3], iteration })
    };
    let window = |origin| match origin {
        ClaimOrigin::Exchange { exchange, missed } => (exchange.began_after, exchange.ended_before, missed),
        other => panic!("{other:?}"),
    };
    assert_eq!(window(read(&mut exchanges, 69, 70, Some(1))), (second(10), second(70), 0));
    assert_eq!(window(read(&mut exchanges, 129, 130, Some(2))), (second(68), second(130), 0));
    assert_eq!(window(read(&mut exchanges, 249, 250, Some(4))), (second(128), second(250), 1));
}

#[test]
fn what_an_analyzer_did_unseen_before_it_stopped_is_left_open_too() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, Some(0), 0, 1000);
    look(&mut exchanges, 1, Some(0), 12_000, 13_000);
    let stopped = Seen {
        state: AnalyzerState::Idle,
        phase: AnalyzerPhase::None,
        iteration: Some(0),
        after: Tick::from_micros(13_000_000),
        asked: Tick::from_micros(199_000_000),
        before: Tick::from_micros(200_000_000),
    };
    exchanges.see(stopped);
    let ClaimOrigin::Exchange { exchange, .. } = claim_at(&mut exchanges, 3, 200_000) else { panic!("no exchange") };
    assert_eq!((exchange.iteration, exchange.ended_before), (None, Tick::from_micros(200_000_000)));
}

#[test]
fn without_a_counter_a_silence_may_hide_whole_iterations_before_the_one_that_begins() {
    let mut exchanges = Exchanges::default();
    look(&mut exchanges, 0, None, 0, 1000);
    look(&mut exchanges, 1, None, 12_000, 13_000);
    look(&mut exchanges, 0, None, 13_000, 175_000);
    let ClaimOrigin::Exchange { exchange, .. } = claim_at(&mut exchanges, 0, 174_500) else { panic!("no exchange") };
    assert_eq!(exchange.ended_before, Tick::from_micros(175_000_000));
}

#[test]
fn late_result_of_before_is_not_of_the_next_measurement() {
    let second = |seconds: u64| Tick::from_micros(seconds * 1_000_000);
    for told_phases in [true, false] {
        let mut exchanges = Exchanges::new(Lags::USUAL);
        exchanges.restart(Tick::from_micros(1));
        for iteration in (0..3).filter(|_| told_phases) {
            for (phase, at) in [(0, 1), (1, 13), (2, 49)] {
                let at = (iteration * 60 + at) * 1000;
                look(&mut exchanges, phase, None, at - 1000, at);
            }
        }
        exchanges.restart(second(200));
        look(&mut exchanges, 3, None, 200_000, 201_000);
        let read = |exchanges: &mut Exchanges, read: u64| {
            let sample = Sample { stamp: AnalyzerTime(0), readings: Vec::new(), raw: String::new() };
            let (after, read) = (second(read - 1), second(read));
            exchanges.claim(&ResultRead { sample, after, asked: read, read, phase: PHASES[3], iteration: None })
        };
        assert_eq!(read(&mut exchanges, 203), ClaimOrigin::BeforeTheRun, "tells phases: {told_phases}");
        let next = read(&mut exchanges, 230);
        assert_eq!(matches!(next, ClaimOrigin::Exchange { .. }), !told_phases, "before its first phase: {next:?}");
    }
}

/// Polls of one iteration that begins at that second.
fn iterate(exchanges: &mut Exchanges, begins: u64, counter: Option<u32>) {
    for (phase, at) in [(0, 1), (1, 13), (2, 49)] {
        let at = (begins + at) * 1000;
        look(exchanges, phase, counter, at - 1000, at);
    }
}

#[test]
fn measurement_started_anew_between_two_polls_is_noticed() {
    for restarted in [0, 10, 20] {
        let mut exchanges = Exchanges::default();
        for number in 0..4 {
            iterate(&mut exchanges, 60 + number * 60, None);
            if number > 0 {
                claim_at(&mut exchanges, 0, (60 + number * 60 + 1) * 1000);
            }
        }
        look(&mut exchanges, 0, None, 300_000, 301_000);
        claim_at(&mut exchanges, 0, 301_000);
        look(&mut exchanges, 1, None, 312_000, 313_000);
        // Integrating before and after: whether gas was drawn anew shows in how long it takes.
        look(&mut exchanges, 1, None, 313_000, 338_000);
        look(&mut exchanges, 2, None, 348_000 + restarted * 1000, 349_000 + restarted * 1000);
        look(&mut exchanges, 0, None, 360_000 + restarted * 1000, 361_000 + restarted * 1000);
        let origin = claim_at(&mut exchanges, 0, 361_000 + restarted * 1000);
        assert_eq!(matches!(origin, ClaimOrigin::Exchange { .. }), restarted == 0, "{restarted}: {origin:?}");
    }
}

#[test]
fn counter_that_never_rises_vetoes_no_gap() {
    for counter in [Some(7), None] {
        let mut exchanges = Exchanges::default();
        for number in 0..3 {
            for (phase, at) in [(0, 1000), (1, 2000), (2, 5000)] {
                let at = 10_000 + number * 6000 + at;
                look(&mut exchanges, phase, counter, at - 250, at);
            }
            claim_at(&mut exchanges, 2, 10_000 + number * 6000 + 6000);
        }
        // A whole iteration passes in the gap.
        look(&mut exchanges, 0, counter, 28_750, 29_000);
        look(&mut exchanges, 1, counter, 29_750, 30_000);
        look(&mut exchanges, 1, counter, 30_000, 36_000);
        look(&mut exchanges, 2, counter, 38_750, 39_000);
        let ClaimOrigin::Exchange { exchange, .. } = claim_at(&mut exchanges, 2, 40_000) else { panic!("no exchange") };
        assert_eq!(exchange.ended_before, Tick::from_micros(36_000_000), "{counter:?}");
    }
}

/// A measurement whose first iterations were polite, up to that second.
fn politely(iterations: u64) -> (Exchanges, u64) {
    let mut exchanges = Exchanges::new(Lags::USUAL);
    exchanges.restart(Tick::from_micros(60_000_000));
    for number in 0..iterations {
        iterate(&mut exchanges, 60 + number * 60, None);
        look(&mut exchanges, 0, None, (119 + number * 60) * 1000, (120 + number * 60) * 1000 + 500);
        claim_between(&mut exchanges, 0, (119 + number * 60) * 1000, (120 + number * 60) * 1000 + 400);
    }
    (exchanges, 60 + iterations * 60)
}

fn claim_between(exchanges: &mut Exchanges, phase: usize, after_ms: u64, read_ms: u64) -> ClaimOrigin {
    let (after, read) = (Tick::from_micros(after_ms * 1000), Tick::from_micros(read_ms * 1000));
    let sample = Sample { stamp: AnalyzerTime(0), readings: Vec::new(), raw: String::new() };
    exchanges.claim(&ResultRead { sample, after, asked: read, read, phase: PHASES[phase], iteration: None })
}

#[test]
fn phases_shown_after_the_result_show_how_old_they_are() {
    let (mut exchanges, begins) = politely(3);
    let before = exchanges.lags().phase;
    // From now on they are six seconds old.
    for (phase, at) in [(1, 19), (2, 55)] {
        look(&mut exchanges, phase, None, (begins + at - 1) * 1000, (begins + at) * 1000);
    }
    claim_between(&mut exchanges, 2, (begins + 59) * 1000, (begins + 60) * 1000);
    look(&mut exchanges, 0, None, (begins + 65) * 1000, (begins + 66) * 1000);
    let lag = exchanges.lags().phase;
    assert!(before <= Duration::from_secs(2) && lag >= Duration::from_secs(6), "{before:?}, then {lag:?}");
}

#[test]
fn late_result_of_an_iteration_in_doubt_says_nothing_of_phases() {
    let (mut exchanges, begins) = politely(3);
    let before = exchanges.lags().phase;
    look(&mut exchanges, 1, None, (begins + 12) * 1000, (begins + 13) * 1000);
    let (after, asked) = (Tick::from_micros((begins + 13) * 1_000_000), Tick::from_micros((begins + 14) * 1_000_000));
    let scan = AnalyzerState::LaserScan;
    exchanges.see(Seen { state: scan, phase: AnalyzerPhase::None, iteration: None, after, asked, before: asked });
    look(&mut exchanges, 0, None, (begins + 14) * 1000, (begins + 15) * 1000);
    // It was finished all the same.
    let origin = claim_between(&mut exchanges, 0, (begins + 19) * 1000, (begins + 20) * 1000);
    assert!(matches!(origin, ClaimOrigin::Contradicted { .. }), "{origin:?}");
    look(&mut exchanges, 1, None, (begins + 27) * 1000, (begins + 28) * 1000);
    look(&mut exchanges, 2, None, (begins + 63) * 1000, (begins + 64) * 1000);
    look(&mut exchanges, 0, None, (begins + 75) * 1000, (begins + 76) * 1000);
    assert_eq!(exchanges.lags().phase, before);
}
