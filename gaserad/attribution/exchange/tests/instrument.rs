//! An instrument with habits, polled every second: each window must hold the gas exchange that its result is really of.

use super::super::{ClaimOrigin, Contradiction, Exchange, Exchanges, Lags};
use crate::domain::{AnalyzerPhase, AnalyzerState, AnalyzerTime, Cas, Reading, ResultRead, Sample, Seen, Tick};

const CYCLE: u64 = 60;
const DRAWN: u64 = 12;
const INTEGRATED: u64 = 48;
/// Nothing happens before.
const START: u64 = 100;

/// What it does, by the second and by the iteration.
struct Habits {
    phase_lag: u64,
    result_lag: Box<dyn Fn(u64) -> u64>,
    /// By iteration and second within it.
    counter: Option<fn(u64, u64) -> u32>,
    /// What a poll at that second shows instead of the phase.
    false_phase: Box<dyn Fn(u64) -> Option<AnalyzerPhase>>,
    gives_result: Box<dyn Fn(u64) -> bool>,
    /// Seconds at which nobody polls.
    unpolled: Box<dyn Fn(u64) -> bool>,
    /// Seconds at which it is in another state; the iteration goes on meanwhile.
    elsewhere: Box<dyn Fn(u64) -> bool>,
    stamp: Box<dyn Fn(u64) -> i64>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            phase_lag: 0,
            result_lag: Box::new(|_| 0),
            counter: Some(|iteration, _| u32::try_from(iteration).unwrap()),
            false_phase: Box::new(|_| None),
            gives_result: Box::new(|_| true),
            unpolled: Box::new(|_| false),
            elsewhere: Box::new(|_| false),
            stamp: Box::new(|iteration| i64::try_from(iteration * CYCLE).unwrap()),
        }
    }
}

fn tick(second: u64) -> Tick {
    Tick::from_micros(second * 1_000_000)
}

impl Habits {
    fn phase(&self, second: u64) -> AnalyzerPhase {
        if let Some(phase) = (self.false_phase)(second) {
            return phase;
        }
        let Some(since) = second.checked_sub(START + self.phase_lag) else { return AnalyzerPhase::None };
        match since % CYCLE {
            0..DRAWN => AnalyzerPhase::GasExchange,
            DRAWN..INTEGRATED => AnalyzerPhase::Integration,
            _ => AnalyzerPhase::Analysis,
        }
    }

    fn seen(&self, after: u64, second: u64) -> Seen {
        let since = second.saturating_sub(START);
        let state = if (self.elsewhere)(second) { AnalyzerState::LaserScan } else { AnalyzerState::Measuring };
        let phase = if state == AnalyzerState::Measuring { self.phase(second) } else { AnalyzerPhase::None };
        let iteration = self.counter.map(|counter| counter(since / CYCLE, since % CYCLE));
        Seen { state, phase, iteration, after: tick(after), asked: tick(second), before: tick(second) }
    }

    /// The iteration of the result that it shows.
    fn shown(&self, second: u64) -> Option<u64> {
        let over = |iteration: &u64| START + (iteration + 1) * CYCLE + (self.result_lag)(*iteration) <= second;
        (0..second / CYCLE).rev().filter(|iteration| (self.gives_result)(*iteration)).find(over)
    }
}

/// What became of its results.
#[derive(Debug, Default)]
struct Outcome {
    /// By iteration.
    origins: Vec<(u64, ClaimOrigin)>,
    contradictions: Vec<(Contradiction, u32)>,
}

impl Outcome {
    /// How many windows are no wider than a gas exchange and the usual lags.
    fn sharp(&self) -> usize {
        let sharp = |exchange: &Exchange| exchange.ended_before.since(exchange.began_after).as_secs() <= DRAWN + 6;
        self.exchanges().filter(|(_, exchange)| sharp(exchange)).count()
    }

    fn exchanges(&self) -> impl Iterator<Item = (u64, Exchange)> + '_ {
        self.origins.iter().filter_map(|(iteration, origin)| match origin {
            ClaimOrigin::Exchange { exchange, .. } => Some((*iteration, *exchange)),
            _ => None,
        })
    }

    fn missed(&self) -> u32 {
        let missed = |origin: &ClaimOrigin| match origin {
            ClaimOrigin::Exchange { missed, .. } | ClaimOrigin::Contradicted { missed } => *missed,
            _ => 0,
        };
        self.origins.iter().map(|(_, origin)| missed(origin)).sum()
    }

    fn has(&self, kind: Contradiction) -> bool {
        self.contradictions.iter().any(|(what, _)| *what == kind)
    }
}

/// Follows it for so many iterations. No window may leave out the exchange that its result is really of.
fn follow(habits: &Habits, iterations: u64) -> Outcome {
    let mut exchanges = Exchanges::new(Lags::USUAL);
    exchanges.restart(tick(START));
    followed_on(habits, &mut exchanges, START..START + iterations * CYCLE + 5)
}

fn followed_on(habits: &Habits, exchanges: &mut Exchanges, seconds: std::ops::Range<u64>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut polled = seconds.start;
    let mut told = habits.shown(seconds.start);
    for second in seconds.filter(|second| !(habits.unpolled)(*second)) {
        exchanges.see(habits.seen(polled, second));
        let shown = habits.shown(second);
        if shown != told
            && let Some(iteration) = shown
        {
            let reading = Reading::new(Cas("124-38-9".into()), Some(f64::from(u32::try_from(iteration).unwrap())));
            let stamp = AnalyzerTime((habits.stamp)(iteration));
            let sample = Sample { stamp, readings: vec![reading], raw: String::new() };
            let (after, at) = (tick(polled), tick(second));
            let Seen { phase, iteration: counted, .. } = habits.seen(polled, second);
            let read = ResultRead { sample, after, asked: at, read: at, phase, iteration: counted };
            let origin = exchanges.claim(&read);
            if let ClaimOrigin::Exchange { exchange, .. } = origin {
                let (began, ended) = (tick(START + iteration * CYCLE), tick(START + iteration * CYCLE + DRAWN));
                let holds = exchange.began_after <= began && ended <= exchange.ended_before;
                assert!(holds, "iteration {iteration} was drawn from {began:?} to {ended:?}, not within {exchange:?}");
            }
            outcome.origins.push((iteration, origin));
        }
        told = shown;
        polled = second;
    }
    outcome.contradictions = exchanges.contradictions().collect();
    outcome
}

#[test]
fn polite_instrument_loses_nothing() {
    for counter in [Habits::default().counter, None] {
        let outcome = follow(&Habits { counter, ..Habits::default() }, 20);
        assert_eq!((outcome.sharp(), outcome.contradictions.len(), outcome.missed()), (20, 0, 0), "{outcome:?}");
    }
}

#[test]
fn slow_polls_lose_nothing() {
    for every in [2, 3, 5] {
        for counter in [Habits::default().counter, None] {
            let unpolled = Box::new(move |second| second % every != 0);
            let outcome = follow(&Habits { counter, unpolled, ..Habits::default() }, 20);
            assert_eq!((outcome.exchanges().count(), outcome.missed()), (20, 0), "{every} s: {outcome:?}");
        }
    }
}

#[test]
fn counter_habits_cost_no_sample() {
    let habits: [fn(u64, u64) -> u32; 7] = [
        |_, _| 7,
        |iteration, _| u32::try_from(2 * iteration).unwrap(),
        |iteration, second| u32::try_from(iteration + u64::from(second >= DRAWN)).unwrap(),
        |iteration, second| u32::try_from(iteration + u64::from(second >= 30)).unwrap(),
        |iteration, second| u32::try_from(iteration + u64::from(second >= INTEGRATED)).unwrap(),
        |iteration, _| u32::try_from((iteration + 250) % 256).unwrap(),
        |iteration, _| u32::try_from(iteration + 65 * (iteration / 5)).unwrap(),
    ];
    for (number, counter) in habits.into_iter().enumerate() {
        let outcome = follow(&Habits { counter: Some(counter), ..Habits::default() }, 20);
        assert!(outcome.sharp() >= 19, "{number}: {outcome:?}");
    }
}

#[test]
fn false_gas_exchange_names_no_other_window() {
    for second in (START + 10 * CYCLE..START + 11 * CYCLE).step_by(5) {
        for counter in [Habits::default().counter, None] {
            let false_phase = Box::new(move |at| (at == second).then_some(AnalyzerPhase::GasExchange));
            let outcome = follow(&Habits { counter, false_phase, ..Habits::default() }, 20);
            assert!(outcome.sharp() >= 18, "{second}: {outcome:?}");
        }
    }
}

#[test]
fn false_end_of_a_gas_exchange_names_no_other_window() {
    for phase in [AnalyzerPhase::Integration, AnalyzerPhase::Analysis, AnalyzerPhase::None] {
        let false_phase = Box::new(move |second| (second == START + 10 * CYCLE + 5).then_some(phase));
        let outcome = follow(&Habits { false_phase, ..Habits::default() }, 20);
        assert!((17..20).contains(&outcome.sharp()), "{phase:?}: {outcome:?}");
    }
}

#[test]
fn late_phases_name_no_other_window() {
    for phase_lag in 0..CYCLE {
        let outcome = follow(&Habits { phase_lag, ..Habits::default() }, 20);
        assert!(phase_lag > 2 || outcome.sharp() >= 19, "{phase_lag}: {outcome:?}");
    }
}

#[test]
fn late_results_name_no_other_window() {
    for late in 0..2 * CYCLE {
        let outcome = follow(&Habits { result_lag: Box::new(move |_| late), ..Habits::default() }, 20);
        assert!(late > 4 || outcome.sharp() == 20, "{late}: {outcome:?}");
        assert!(!(8..36).contains(&late) || outcome.sharp() >= 14, "{late}: {outcome:?}");
    }
}

#[test]
fn result_held_for_an_iteration_names_no_other_window() {
    for late in 0..2 * CYCLE {
        let result_lag = Box::new(move |iteration| if iteration == 10 { late } else { 0 });
        let outcome = follow(&Habits { result_lag, ..Habits::default() }, 20);
        assert!(late < CYCLE || outcome.missed() > 0, "{late}: {outcome:?}");
    }
}

#[test]
fn missing_result_is_told_and_costs_one_sample_with_good_stamps() {
    let outcome = follow(&Habits { gives_result: Box::new(|iteration| iteration != 10), ..Habits::default() }, 20);
    assert!(outcome.missed() >= 1 && outcome.has(Contradiction::ResultMissing), "{outcome:?}");
    assert_eq!(outcome.sharp(), 19);
}

#[test]
fn missing_result_without_good_stamps_leaves_two_exchanges_open() {
    let habits =
        Habits { gives_result: Box::new(|iteration| iteration != 10), stamp: Box::new(|_| 7), ..Habits::default() };
    let outcome = follow(&habits, 20);
    assert!(outcome.missed() >= 1);
    assert_eq!(outcome.sharp(), 10, "{outcome:?}");
}

#[test]
fn analyzer_that_leaves_measuring_voids_what_was_open() {
    for begins in START + 600..START + 660 {
        let elsewhere = Box::new(move |second| (begins..begins + 3).contains(&second));
        let outcome = follow(&Habits { elsewhere, ..Habits::default() }, 20);
        assert!(outcome.has(Contradiction::LeftMeasuring), "{begins}: {outcome:?}");
        assert!(outcome.sharp() >= 17, "{begins}: {outcome:?}");
    }
}

#[test]
fn gap_between_polls_is_never_narrower_than_it_was() {
    for counter in [Habits::default().counter, None] {
        for length in [4, 30, 57, 58, 59, 60, 61, 90, 119, 200] {
            for begins in (START + 600..START + 660).step_by(3) {
                let unpolled = Box::new(move |second| (begins..begins + length).contains(&second));
                let outcome = follow(&Habits { counter, unpolled, ..Habits::default() }, 20);
                let lost = usize::try_from(length / CYCLE + 3).unwrap();
                assert!(outcome.sharp() + lost >= 20, "{length} s from {begins}: {outcome:?}");
            }
        }
    }
}

#[test]
fn adopted_measurement_is_not_the_one_before() {
    for adopted in START + 1000..START + 1060 {
        let habits = Habits::default();
        let mut exchanges = Exchanges::new(Lags::USUAL);
        exchanges.restart(tick(START));
        // The run before ends in a gas exchange, and nobody follows the analyzer until another takes it over.
        followed_on(&habits, &mut exchanges, START..START + 605);
        let mut idle = habits.seen(START + 604, START + 605);
        idle.state = AnalyzerState::Idle;
        exchanges.see(idle);
        exchanges.see(habits.seen(adopted - 1, adopted));
        exchanges.adopt();
        let outcome = followed_on(&habits, &mut exchanges, adopted..adopted + 600);
        assert!(outcome.sharp() >= 8, "{adopted}: {outcome:?}");
        let first = outcome.exchanges().next().map(|(_, exchange)| exchange);
        assert!(first.is_none_or(|first| first.ended_before > tick(START + 900)), "{adopted}: {first:?}");
    }
}

#[test]
fn stamp_of_a_result_that_was_never_read_decides_nothing() {
    for late in 0..CYCLE / 2 {
        let outcome = follow(
            &Habits {
                gives_result: Box::new(|iteration| iteration != 10),
                result_lag: Box::new(move |iteration| if iteration == 11 { late } else { 0 }),
                // The one after it repeats its stamp.
                stamp: Box::new(|iteration| i64::try_from((iteration - u64::from(iteration == 11)) * CYCLE).unwrap()),
                ..Habits::default()
            },
            20,
        );
        assert!(outcome.missed() >= 1, "{late}: {outcome:?}");
    }
}
