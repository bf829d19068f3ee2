//! Which iterations are odd, and how: drawn as they come.

use std::time::Duration;

use crate::domain::AnalyzerPhase;
use crate::simulator::faults::When;
use crate::simulator::gas::known_gas;
use crate::simulator::habits::{Excursion, FalsePhase, Habits, OddForm, OddStamp, OddValue, StampForm, Struck};
use crate::simulator::random::Random;

#[derive(Debug)]
pub struct Quirks {
    no_result: Option<Struck>,
    repeated_stamp: Option<Struck>,
    false_phase: Option<(FalsePhase, Struck)>,
    excursions: Vec<(Excursion, Struck)>,
    odd_values: Vec<(OddValue, Struck)>,
    odd_stamp: Option<(OddStamp, Struck)>,
    random: Random,
}

impl Quirks {
    pub fn new(habits: &Habits, mut random: Random) -> Self {
        let mut struck = |when: When| Struck::new(when, random.branch());
        Self {
            no_result: habits.no_result.map(&mut struck),
            repeated_stamp: habits.repeated_stamp.map(&mut struck),
            false_phase: habits.false_phase.map(|it| (it, struck(it.when))),
            excursions: habits.excursion.iter().map(|it| (*it, struck(it.when))).collect(),
            odd_values: habits.odd_value.iter().map(|it| (it.clone(), struck(it.when))).collect(),
            odd_stamp: habits.odd_stamp.map(|it| (it, struck(it.when))),
            random,
        }
    }

    /// The excursion within the iteration that begins at that age, and after which part of it.
    pub fn excursion(&mut self, age: Duration) -> Option<(Excursion, f64)> {
        let struck: Vec<Excursion> =
            self.excursions.iter_mut().filter_map(|(it, struck)| struck.strikes(age).then_some(*it)).collect();
        struck.first().map(|it| (*it, it.at.unwrap_or_else(|| self.random.part())))
    }

    pub fn gives_no_result(&mut self, age: Duration) -> bool {
        self.no_result.as_mut().is_some_and(|struck| struck.strikes(age))
    }

    pub fn repeats_stamp(&mut self, age: Duration) -> bool {
        self.repeated_stamp.as_mut().is_some_and(|struck| struck.strikes(age))
    }

    /// What AMST says in place of `phase`.
    pub fn false_phase(&mut self, age: Duration, phase: AnalyzerPhase) -> Option<AnalyzerPhase> {
        let (habit, struck) = self.false_phase.as_mut()?;
        if !struck.strikes(age) {
            return None;
        }
        let others = [AnalyzerPhase::GasExchange, AnalyzerPhase::Integration, AnalyzerPhase::Analysis];
        let others: Vec<AnalyzerPhase> = others.into_iter().filter(|other| *other != phase).collect();
        let any = usize::try_from(self.random.below(2)).unwrap_or(0);
        habit.phase.map(AnalyzerPhase::from_code).or_else(|| others.get(any).copied())
    }

    /// The gases of a result that are written oddly, and how.
    pub fn odd_values(&mut self, age: Duration) -> Vec<(&'static str, OddForm)> {
        let gases = known_gas(1).map(|(cas, _)| cas);
        let mut odd = Vec::new();
        for (habit, struck) in &mut self.odd_values {
            if !struck.strikes(age) {
                continue;
            }
            let any = usize::try_from(self.random.below(5)).ok().and_then(|any| gases.get(any));
            let meant = |cas: &&&str| match habit.gas.as_deref() {
                Some("all") => true,
                Some(gas) => gas == **cas,
                None => Some(*cas) == any,
            };
            odd.extend(gases.iter().filter(meant).map(|cas| (*cas, habit.form)));
        }
        odd
    }

    pub fn odd_stamp(&mut self, age: Duration) -> Option<StampForm> {
        let (habit, struck) = self.odd_stamp.as_mut()?;
        struck.strikes(age).then_some(habit.form)
    }
}
