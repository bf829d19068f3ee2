//! Everything at once: people, crashes and devices that do what they like, at random moments; whatever happens, what must
//! hold does. `WORLDS=10000 cargo test --release everything` is the longer run, `WORLD=17` one world again.

use std::collections::BTreeMap;
use std::time::Duration;

use gasera::domain::{
    AnalyzerAnswer, AnalyzerNews, Channel, Control, DeviceErrors, Event, Fact, Fault, FaultKind, FinishAfter, Outcome,
    Plan, Reaction, Reactions, StartRequest, Sync, Tick, ValveNews, ValveOrder,
};
use gasera::engine::{self, Beginning, Effect, Guard, RequestId, What};

use super::runs::check;
use crate::support::world::{Manners, World, plan, seconds};

const PARK: u8 = 9;

fn count() -> u64 {
    std::env::var("WORLDS").ok().and_then(|count| count.parse().ok()).unwrap_or(1000)
}

fn worlds() -> Vec<u64> {
    match std::env::var("WORLD").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => (1..=count()).collect(),
    }
}

fn asked(dice: &mut World) -> Plan {
    let sync = if dice.random(3) == 0 { Sync::Dwell } else { Sync::Analyzer };
    let channels = ["1-3", "2,5", "4", "1,31"][usize::try_from(dice.random(4)).unwrap()];
    let mut plan =
        plan(channels, 1 + u32::try_from(dice.random(2)).unwrap(), dice.random(40), 20 + dice.random(120), sync);
    plan.park = Channel::new(PARK);
    plan.overlap = dice.random(2) == 0;
    plan.discard_first = u32::try_from(dice.random(2)).unwrap();
    plan
}

fn build(seed: u64) -> (World, Plan) {
    let mut dice = World::new(Manners::default()).with_seed(seed);
    let milliseconds = |dice: &mut World, most| Duration::from_millis(dice.random(most));
    let manners = Manners {
        cycle: Some(seconds(20 + dice.random(80))),
        jitter: dice.random(80),
        poll: Duration::from_millis(300) + milliseconds(&mut dice, 1200),
        travel: milliseconds(&mut dice, 3000),
        cancelling: milliseconds(&mut dice, 9000),
        has_counter: !seed.is_multiple_of(4),
        ..Manners::default()
    };
    let reaction = |dice: &mut World| if dice.random(2) == 0 { Reaction::GoOn } else { Reaction::Pause };
    let reactions = Reactions {
        analyzer_errors: reaction(&mut dice),
        valve: reaction(&mut dice),
        clock: reaction(&mut dice),
        disk: reaction(&mut dice),
        ..Reactions::default()
    };
    let guard = seed.is_multiple_of(3).then_some(Guard { every: seconds(60), timeout: seconds(10) });
    let mut world = World::beginning(manners, Beginning { reactions, guard, ..Beginning::default() }).with_seed(seed);
    let plan = asked(&mut dice);
    world.start(plan.clone());
    (world, plan)
}

/// One thing that happens. Gives the request, if it was one.
fn happen(world: &mut World) -> Option<RequestId> {
    let who = || "ada".to_owned();
    let control =
        |world: &mut World, control| Some(world.ask(|request| What::Control { request, who: who(), control }));
    let lost = Fault::new(FaultKind::Offline, "the port is gone");
    match world.random(16) {
        0 => return control(world, Control::Pause { now: false }),
        1 => return control(world, Control::Pause { now: true }),
        2 | 3 => return control(world, Control::Resume),
        4 => return control(world, Control::Skip),
        5 => return control(world, Control::Finish { after: FinishAfter::Channel }),
        6 => return control(world, Control::Note { text: "windy".into() }),
        7 if world.random(3) == 0 => return Some(world.abort()),
        8 => {
            let asked = StartRequest { queue: true, ..StartRequest::new(plan("1", 1, 5, 20, Sync::Analyzer), "bob") };
            let asked = Box::new(asked);
            return Some(world.ask(|request| What::Start {
                request,
                run: gasera::domain::RunId(format!("QUEUED{}", request.0)),
                asked,
            }));
        }
        9 => {
            let away = Duration::from_millis(world.random(200_000));
            world.deaf_until = Some(world.now + away);
            world.say(AnalyzerNews::Offline { reason: "no answer".into() });
        }
        10 => {
            let away = seconds(world.random(180));
            world.manners.valve_away = Some((world.now, world.now + away));
            world.valve_says(ValveNews::UnseenSince(world.now));
            world.valve_says(ValveNews::Lost(lost));
            world.find_the_valve_after(away);
        }
        11 => {
            let channel = u8::try_from(1 + world.random(31)).unwrap();
            let unseen = world.now;
            world.valve_says(ValveNews::UnseenSince(unseen));
            world.turn_by_hand(channel);
        }
        12 => {
            let codes = if world.random(2) == 0 { vec!["8003".to_owned()] } else { Vec::new() };
            world.say(AnalyzerNews::Errors(DeviceErrors(codes)));
        }
        13 => {
            let by = seconds(world.random(7200));
            world.wall_clock_set_by += by;
        }
        14 => world.manners.guard = (world.random(2) == 0).then(|| "it rains".to_owned()),
        15 => {
            let low = world.random(2) == 0;
            world.hand_over(What::Disk { free_bytes: 1, low });
        }
        _ => {}
    }
    None
}

fn told(world: &World, code: &str) -> bool {
    let is = |effect: &Effect| matches!(effect, Effect::Tell(Event::Alarm { code: told, .. }) if told == code);
    world.effects.iter().any(|(_, effect)| is(effect))
}

/// At the end of each run the valve stands where it rests, or an alarm has said why not.
fn at_rest_when_a_run_is_over(world: &World) {
    let (mut at, mut excused) = (None, false);
    for (_, effect) in &world.effects {
        match effect {
            Effect::Tell(Event::MuxPosition { channel, .. }) => at = channel.map(Channel::number),
            Effect::Tell(Event::Alarm { code, .. }) => excused |= code == "valve_not_parked",
            Effect::Keep(Fact::RunStarted(_)) => excused = false,
            Effect::Keep(Fact::RunEnded { run, .. }) if !run.0.starts_with("QUEUED") => {
                assert!(at == Some(PARK) || excused, "{run:?} leaves the valve at {at:?}");
            }
            _ => {}
        }
    }
}

/// The valve goes only home before the analyzer has said that it measures.
fn no_move_before_the_analyzer_confirmed(world: &World) {
    let mut confirmed = false;
    for (event, (_, effects)) in world.journal.iter().zip(engine::replay(world.journal.clone())) {
        match &event.what {
            What::Began(_) | What::Start { .. } => confirmed &= matches!(event.what, What::Start { .. }),
            What::AnalyzerDid { answer: Ok(AnalyzerAnswer::Started), .. } => confirmed = true,
            What::AnalyzerDid { answer: Ok(AnalyzerAnswer::Stopped), .. } => confirmed = false,
            _ => {}
        }
        for effect in effects {
            if let Effect::Valve { order: ValveOrder::Goto(channel), .. } = effect {
                assert!(confirmed || channel.number() == PARK, "{channel} before the analyzer measured: {event:?}");
            }
        }
    }
}

/// Each run that began ends once, and its end counts every record that was kept of it, before and after each crash.
fn each_run_ends_once_with_all_its_records(world: &World) {
    let (mut kept, mut ended) = (BTreeMap::new(), BTreeMap::new());
    for (_, effect) in &world.effects {
        match effect {
            Effect::Keep(Fact::RunStarted(run)) => {
                assert_eq!(kept.insert(run.id.clone(), 0_u64), None, "{} begins twice", run.id);
            }
            Effect::Keep(Fact::Recorded(record)) => {
                assert!(!ended.contains_key(&record.run), "a record after the end of {}", record.run);
                *kept.get_mut(&record.run).expect("the run has begun") += 1;
            }
            Effect::Tell(Event::RunFinished { run }) => {
                assert_eq!(ended.insert(run.id.clone(), run.records), None, "{} ends twice", run.id);
            }
            _ => {}
        }
    }
    assert_eq!(kept, ended, "runs and how many records they have: kept, and told at the end");
}

/// At the end of each run the analyzer is idle, or an alarm says why not.
fn idle_when_a_run_is_over(world: &World) {
    let mut excused = false;
    for (_, effect) in &world.effects {
        match effect {
            Effect::Tell(Event::Alarm { code, .. }) => excused |= code == "analyzer_not_idle",
            Effect::Keep(Fact::RunStarted(_)) => excused = false,
            Effect::Keep(Fact::RunEnded { run, .. }) => {
                assert!(excused || !world.left_measuring.contains(run), "{run} leaves the analyzer measuring");
            }
            _ => {}
        }
    }
}

fn live(seed: u64) {
    let (mut world, _) = build(seed);
    world.disturbed = true;
    let mut waiting = Vec::new();
    for _ in 0..world.random(7) {
        let time = Duration::from_millis(world.random(150_000));
        world.run_for(time);
        if world.random(6) == 0 {
            let outage = Duration::from_millis(world.random(300_000));
            // Whoever waited is gone with the process.
            waiting.retain(|request| !world.replies(*request).is_empty());
            world.crash(outage);
        } else {
            waiting.extend(happen(&mut world));
        }
    }
    world.manners.guard = None;
    world.say(AnalyzerNews::Errors(DeviceErrors::default()));
    while world.state.is_busy() {
        world.run_for(seconds(1500));
        waiting.push(world.ask(|request| What::Control { request, who: "ada".into(), control: Control::Resume }));
        assert!(world.now < Tick::ZERO + seconds(200_000), "it does not settle: {:?}", world.state.deadline());
    }
    world.run_for(seconds(1500));
    check(&world);
    assert!(waiting.iter().all(|request| world.replies(*request).len() == 1), "one answer each");
    assert!(!world.is_measuring() || told(&world, "analyzer_not_idle"), "left measuring");
    hold_at_the_end(&world);
}

/// What must hold once everything is over.
fn hold_at_the_end(world: &World) {
    each_run_ends_once_with_all_its_records(world);
    idle_when_a_run_is_over(world);
    at_rest_when_a_run_is_over(world);
    no_move_before_the_analyzer_confirmed(world);
    let again = engine::replay(world.journal.clone()).flat_map(|(_, effects)| effects);
    assert!(again.eq(world.effects.iter().map(|(_, effect)| effect.clone())), "replay gives something else");
}

/// Nothing goes wrong but the process, at random moments: a run that would have been completed still is.
fn only_crash(seed: u64) {
    let (mut world, asked) = build(seed);
    // Fixed timings promise a sample only if a whole iteration and a gas exchange fit in.
    let (cycle, jitter) = (world.manners.cycle.unwrap(), u32::try_from(world.manners.jitter).unwrap());
    let longest = cycle * (1000 + jitter) / 1000;
    let enough = asked.measure >= longest * 5 / 4 * (1 + asked.discard_first) + seconds(5);
    for _ in 0..=world.random(4) {
        let time = Duration::from_millis(world.random(150_000));
        world.run_for(time);
        // Until somebody was told that it runs, there is nothing to go on with.
        if world.state.is_busy() && world.runs_begun() > 0 {
            let outage = Duration::from_millis(world.random(300_000));
            world.crash(outage);
        }
    }
    world.settle(seconds(100_000));
    check(&world);
    hold_at_the_end(&world);
    if asked.sync == Sync::Analyzer || enough {
        assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    }
}

#[test]
fn a_run_that_was_only_crashed_ends_completed_whatever_the_instruments() {
    each("only_crash", only_crash);
}

fn each(name: &str, lived: impl Fn(u64) + std::panic::RefUnwindSafe) {
    for seed in worlds() {
        let ended = std::panic::catch_unwind(|| lived(seed));
        assert!(ended.is_ok(), "{name}: WORLD={seed} cargo test everything -- --nocapture");
    }
}

#[test]
fn whatever_happens_what_must_hold_does() {
    each("live", live);
}
