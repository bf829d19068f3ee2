//! What cannot be read of results, and a valve that was not read back: flagged, told, and never good.

use gasera::domain::{
    AnalyzerAnswer, AnalyzerNews, Attribution, Cas, Event, Fact, Flag, Flaw, Outcome, Qc, Reading, Record, Sync, Tick,
    ValveNews,
};
use gasera::engine::{self, Effect, What};

use super::runs::{check, check_nothing_lost, lively};
use crate::support::world::{World, plan, seconds};

const CO2: &str = "124-38-9";
const CH4: &str = "74-82-8";

fn reading(cas: &str, ppm: Option<f64>) -> Reading {
    Reading::new(Cas(cas.into()), ppm)
}

/// A run of two channels whose results and task are other ones: `tell` changes the gases of the task and, by its number
/// from 1, each result.
fn told(gases: &[&str], readings: impl Fn(usize) -> Vec<Reading>) -> Told {
    let mut world = World::new(lively());
    world.start(plan("1-2", 1, 10, 200, Sync::Analyzer));
    world.settle(seconds(100_000));
    let mut number = 0;
    let mut journal = world.journal;
    for event in &mut journal {
        match &mut event.what {
            What::AnalyzerDid { answer: Ok(AnalyzerAnswer::Prepared { gases: of_task, .. }), .. } => {
                *of_task = gases.iter().map(|cas| Cas((*cas).into())).collect();
            }
            What::Analyzer(AnalyzerNews::Result(read)) => {
                number += 1;
                read.sample.readings = readings(number);
                read.sample.raw = "ACON 0 1 124-38-9 1.#IND\u{2009}x".into();
            }
            _ => {}
        }
    }
    Told(engine::replay(journal).flat_map(|(_, effects)| effects).collect())
}

struct Told(Vec<Effect>);

impl Told {
    fn records(&self) -> Vec<&Record> {
        let kept = |effect| match effect {
            &Effect::Keep(Fact::Recorded(ref record)) => Some(record),
            _ => None,
        };
        self.0.iter().filter_map(kept).collect()
    }

    fn alarms(&self) -> Vec<(&str, &str)> {
        let told = |effect| match effect {
            &Effect::Tell(Event::Alarm { ref code, ref text, .. }) => Some((code.as_str(), text.as_str())),
            _ => None,
        };
        self.0.iter().filter_map(told).collect()
    }

    fn outcome(&self) -> Outcome {
        let ended = |effect: &Effect| match effect {
            Effect::Keep(Fact::RunEnded { outcome, .. }) => Some(*outcome),
            _ => None,
        };
        self.0.iter().find_map(ended).unwrap()
    }
}

#[test]
fn a_reading_without_a_number_says_why_and_is_never_good() {
    for (flaw, flag) in [
        (Some(Flaw::Unreadable), Flag::Unreadable),
        (Some(Flaw::OverRange), Flag::OverRange),
        (Some(Flaw::UnderRange), Flag::UnderRange),
        // As earlier builds wrote it.
        (None, Flag::Unreadable),
    ] {
        let flawed = || Reading { flaw, ..reading(CO2, None) };
        let told = told(&[CO2], |number| vec![if number == 2 { flawed() } else { reading(CO2, Some(400.0)) }]);
        for (number, record) in (1..).zip(told.records()) {
            assert_eq!(record.flags.contains(&flag), number == 2, "{record:?}");
            assert_eq!(record.qc == Qc::Good, number != 2 && record.attribution == Attribution::Exact, "{record:?}");
        }
        assert!(told.records().len() > 4);
        let alarms = told.alarms();
        if flag == Flag::Unreadable {
            let [("reading_unreadable", text)] = alarms[..] else { panic!("{alarms:?}") };
            assert!(text.contains("CO₂") || text.contains("CO2"), "{text}");
            assert!(text.contains("\"ACON 0 1 124-38-9 1.#IND\\u{2009}x\""), "{text}");
        } else {
            assert!(alarms.is_empty(), "{alarms:?}");
        }
        assert_eq!(told.outcome(), Outcome::Completed);
    }
}

#[test]
fn a_run_of_unreadable_readings_is_told_once_and_is_not_completed() {
    let told = told(&[CO2], |_| vec![Reading { flaw: Some(Flaw::Unreadable), ..reading(CO2, None) }]);
    assert!(told.records().iter().all(|record| !record.is_good() && record.flags.contains(&Flag::Unreadable)));
    assert_eq!((told.alarms().len(), told.outcome()), (1, Outcome::Partial));
}

#[test]
fn a_gas_of_the_task_that_a_reply_lacks_is_missed() {
    let both = || vec![reading(CO2, Some(400.0)), reading(CH4, Some(2.0))];
    // The analyzer tells the gases of the task, or the first complete reply does.
    for gases in [&[CO2, CH4][..], &[]] {
        let told = told(gases, |number| both().into_iter().take(if number == 3 { 1 } else { 2 }).collect());
        for (number, record) in (1..).zip(told.records()) {
            assert_eq!(record.flags.contains(&Flag::Missing), number == 3, "{record:?}");
            assert!(number != 3 || record.qc >= Qc::Suspect, "{record:?}");
        }
        let alarms = told.alarms();
        let [("gas_missing", text)] = alarms[..] else { panic!("{alarms:?}") };
        assert!(text.contains("CH₄") || text.contains("CH4"), "{text}");
    }
    let told = told(&[CO2, CH4], |_| vec![reading(CH4, Some(2.0))]);
    assert!(told.records().iter().all(|record| !record.is_good()));
    assert_eq!((told.alarms().len(), told.outcome()), (1, Outcome::Partial));
}

#[test]
fn a_gas_that_the_task_does_not_name_is_missed_by_nobody() {
    let told = told(&[CO2], |number| {
        let more = (number % 2 == 0).then(|| reading(CH4, Some(2.0)));
        std::iter::once(reading(CO2, Some(400.0))).chain(more).collect()
    });
    assert!(told.records().iter().all(|record| !record.flags.contains(&Flag::Missing)));
    assert!(told.alarms().is_empty());
}

fn alarms(world: &World, wanted: &str) -> Vec<String> {
    let told = |(_, effect): &(Tick, Effect)| match effect {
        Effect::Tell(Event::Alarm { code, text, .. }) if code == wanted => Some(text.clone()),
        _ => None,
    };
    world.effects.iter().filter_map(told).collect()
}

#[test]
fn replies_that_cannot_be_read_are_told_once_counted_and_kept() {
    let mut world = World::new(lively());
    world.start(plan("1-2", 1, 10, 200, Sync::Analyzer));
    world.run_for(seconds(100));
    for number in 1..=3 {
        let reply = format!("ACON 0 16:0{number} 74-82-8\t1.5 {}", "x".repeat(400));
        world.say(AnalyzerNews::ResultsUnreadable { reply });
        world.run_for(seconds(10));
        let told = alarms(&world, "results_unreadable");
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("ACON 0 16:01 74-82-8\\t1.5 xxx") && told[0].contains("x…"), "{}", told[0]);
    }
    let last = world.state.status(world.moment()).analyzer.unreadable.unwrap();
    assert_eq!(last.count, 3);
    assert!(last.reply.starts_with("ACON 0 16:03 74-82-8\t1.5") && last.reply.len() > 400);
    world.settle(seconds(10_000));
    check(&world);
    check_nothing_lost(&world);
    let reason = "replies of the analyzer with results that could not be read: 3";
    assert_eq!(world.endings(), [(Outcome::Completed, reason.to_owned())]);
    assert_eq!(alarms(&world, "results_unreadable").len(), 2);
}

#[test]
fn an_unreadable_reply_without_a_run_is_kept_for_doctor() {
    let mut world = World::new(lively());
    world.say(AnalyzerNews::ResultsUnreadable { reply: "ACON 0 ?".into() });
    let status = world.state.status(world.moment());
    assert_eq!(status.analyzer.unreadable.map(|last| (last.reply, last.count)), Some(("ACON 0 ?".into(), 1)));
    world.start(plan("1", 1, 10, 100, Sync::Analyzer));
    world.settle(seconds(10_000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn gas_drawn_while_the_valve_was_not_read_back_is_nobodys() {
    let mut world = World::new(lively());
    world.start(plan("1-2", 1, 10, 400, Sync::Analyzer));
    world.run_for(seconds(150));
    let gap = (world.now, world.now + seconds(70));
    world.run_for(seconds(70));
    world.valve_says(ValveNews::Doubted { since: gap.0, why: "it could not be read back for 1m10s".into() });
    world.settle(seconds(10_000));
    check(&world);
    let told = alarms(&world, "valve_unverified");
    assert!(told.len() == 1 && told[0].contains("not verified for 1m11s: it could not be read back"), "{told:?}");
    let drawn_meanwhile = |record: &&Record| {
        let iteration = world.iteration_of(record);
        iteration.exchanged > gap.0 && iteration.began < gap.1
    };
    let mut records = world.records();
    records.retain(|record| record.attribution != Attribution::Stale);
    let (meanwhile, others): (Vec<_>, Vec<_>) = records.iter().partition(|record| drawn_meanwhile(record));
    assert!((1..=2).contains(&meanwhile.len()), "{}", meanwhile.len());
    for record in meanwhile {
        assert_eq!((record.attribution, record.qc), (Attribution::Unattributed, Qc::Bad));
        assert!(record.flags.contains(&Flag::PosUnverified));
    }
    // The visit goes on, and is not purged again.
    assert!(others.iter().filter(|record| record.is_good()).count() >= 9, "{others:#?}");
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn a_valve_in_doubt_without_a_run_is_no_alarm() {
    let mut world = World::new(lively());
    world.run_for(seconds(100));
    world.valve_says(ValveNews::Doubted { since: Tick::from_micros(30_000_000), why: "its count rose".into() });
    assert!(alarms(&world, "valve_unverified").is_empty());
}
