//! Devices that are not the known ones: met at the start, within a run, and when a run is taken up.

use gasera::domain::{
    AnalyzerNews, AnalyzerOrder, Attribution, Channel, Denied, DeviceKind, Done, Event, Fact, Flag, KnownAnalyzer,
    KnownDevices, KnownMultiplexer, Outcome, Phase, Position, Qc, Reason, Service, Sync, Tick, Utc, ValveDescription,
    ValveNews, ValveOrder, Verification,
};
use gasera::engine::{Beginning, Effect, RequestId, Untouched, What};

use super::runs::{check, lively};
use crate::support::world::{World, plan, seconds};

fn serial(serial: &str) -> AnalyzerNews {
    AnalyzerNews::Online { identity: ["Gasera Ltd", serial, "ONE", "1.8"].map(str::to_owned).to_vec() }
}

fn contacted(world: &World, version: &str, actuations: u64) -> ValveNews {
    let description =
        ValveDescription { identity: version.into(), actuations: Some(actuations), ..ValveDescription::default() };
    ValveNews::Contacted { description, seen: world.now }
}

fn at(channel: u8) -> ValveNews {
    ValveNews::At(Position::At(Channel::new(channel).unwrap(), Verification::Readback))
}

/// An analyzer 17 and a valve V1 that had moved 1200 times.
fn known() -> KnownDevices {
    KnownDevices {
        minds_analyzer: true,
        minds_multiplexer: true,
        analyzer: Some(KnownAnalyzer { serial: "17".into() }),
        multiplexer: Some(KnownMultiplexer {
            identity: "V1".into(),
            coils: None,
            actuations: Some(1200),
            seen: Utc::from_micros(1_700_000_000_000_000),
        }),
    }
}

fn beginning(known: KnownDevices) -> World {
    World::beginning(lively(), Beginning { known, ..Beginning::default() })
}

/// A world in which both known devices were met.
fn acquainted() -> World {
    let mut world = beginning(known());
    world.say(serial("17"));
    world.valve_says(contacted(&world, "V1", 1203));
    world
}

fn alarms(world: &World) -> Vec<(String, String)> {
    let told = |effect: &Effect| match effect {
        Effect::Tell(Event::Alarm { code, text, .. }) => Some((code.clone(), text.clone())),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| told(effect)).collect()
}

fn denied(world: &World, request: RequestId) -> Denied {
    let replies = world.replies(request);
    assert_eq!(replies.len(), 1, "{replies:?}");
    replies[0].1.clone().unwrap_err()
}

fn accept(world: &mut World, device: DeviceKind) -> Result<Done, Denied> {
    let request = world.ask(|request| What::Accept { request, who: "ada".into(), device });
    world.replies(request)[0].1.clone()
}

fn moves(world: &World, from: usize) -> usize {
    let moves = |effect: &Effect| matches!(effect, Effect::Valve { order: ValveOrder::Home | ValveOrder::Goto(_), .. });
    world.effects[from..].iter().filter(|(_, effect)| moves(effect)).count()
}

fn orders(world: &World, from: usize) -> Vec<AnalyzerOrder> {
    let order = |effect: &Effect| match effect {
        Effect::Analyzer { order, .. } => Some(order.clone()),
        _ => None,
    };
    world.effects[from..].iter().filter_map(|(_, effect)| order(effect)).collect()
}

fn kept(world: &World) -> Vec<Fact> {
    let kept = |effect: &Effect| match effect {
        Effect::Keep(fact @ (Fact::AnalyzerKnown(_) | Fact::MultiplexerKnown(_))) => Some(fact.clone()),
        _ => None,
    };
    world.effects.iter().filter_map(|(_, effect)| kept(effect)).collect()
}

#[test]
fn first_contact_is_accepted_and_kept() {
    let minded = KnownDevices { analyzer: None, multiplexer: None, ..known() };
    let mut world = beginning(minded);
    world.say(serial("17"));
    world.valve_says(contacted(&world, "V1", 1200));
    world.valve_says(contacted(&world, "V1", 1200));
    let facts = kept(&world);
    assert!(
        matches!(&facts[..], [Fact::AnalyzerKnown(analyzer), Fact::MultiplexerKnown(valve)]
            if analyzer.serial == "17" && (valve.identity.as_str(), valve.actuations) == ("V1", Some(1200))),
        "{facts:?}"
    );
    assert_eq!(alarms(&world), []);
    let request = world.start(plan("1-2", 1, 10, 70, Sync::Analyzer));
    world.settle(seconds(3000));
    assert!(world.replies(request)[0].1.is_ok());
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn simulated_devices_are_never_strangers_and_not_kept() {
    let mut world = beginning(KnownDevices { minds_analyzer: false, minds_multiplexer: false, ..known() });
    world.say(serial("18"));
    world.valve_says(contacted(&world, "V2", 3));
    assert_eq!((alarms(&world), kept(&world)), (vec![], vec![]));
    world.start(plan("1", 1, 10, 70, Sync::Analyzer));
    world.settle(seconds(3000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

#[test]
fn device_that_tells_nothing_is_no_stranger() {
    let mut world = beginning(known());
    world.say(AnalyzerNews::Online { identity: vec!["Gasera Ltd".into(), String::new()] });
    let description = ValveDescription { model: "an old one".into(), ..ValveDescription::default() };
    let seen = world.now;
    world.valve_says(ValveNews::Contacted { description, seen });
    assert_eq!(alarms(&world), []);
    world.start(plan("1", 1, 10, 70, Sync::Analyzer));
    world.settle(seconds(3000));
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    assert_eq!(kept(&world), [], "what was known stays known");
}

#[test]
fn start_with_a_strange_valve_is_refused_until_it_is_accepted() {
    for (version, count) in [("V2", 1210), ("V1", 12)] {
        let mut world = beginning(known());
        world.say(serial("17"));
        world.valve_says(contacted(&world, version, count));
        world.valve_says(at(3));
        let request = world.start(plan("1-2", 1, 10, 70, Sync::Analyzer));
        let refused = denied(&world, request);
        assert_eq!(refused.reason, Reason::DeviceStranger);
        assert!(refused.text.contains("`gaseractl mux accept`"), "{refused}");
        let told = alarms(&world);
        assert_eq!((told.len(), told[0].0.as_str(), &told[0].1), (1, "multiplexer_stranger", &refused.text));
        let by_hand = world.ask(|request| What::MoveValve { request, who: "ada".into(), order: ValveOrder::Home });
        assert_eq!(denied(&world, by_hand).reason, Reason::DeviceStranger);
        assert_eq!(moves(&world, 0), 0);
        let status = world.state.status(world.moment()).multiplexer;
        assert_eq!((status.position, status.stranger_to.as_str()), (Position::Unknown, "V1, 1200 moves"));
        assert_eq!(status.fault, refused.text);

        // Not the other device.
        assert_eq!(accept(&mut world, DeviceKind::Analyzer).unwrap_err().reason, Reason::NotNow);
        let accepted = accept(&mut world, DeviceKind::Multiplexer);
        assert_eq!(accepted, Ok(Done::Accepted(format!("{version}, {count} moves"))));
        assert_eq!(accept(&mut world, DeviceKind::Multiplexer).unwrap_err().reason, Reason::NotNow);
        let facts = kept(&world);
        assert!(matches!(&facts[..], [Fact::MultiplexerKnown(valve)] if valve.actuations == Some(count)), "{facts:?}");
        world.run_for(seconds(5));
        let request = world.start(plan("1-2", 1, 10, 70, Sync::Analyzer));
        world.settle(seconds(3000));
        assert!(world.replies(request)[0].1.is_ok());
        assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
    }
}

#[test]
fn start_with_a_strange_analyzer_is_refused_until_it_is_accepted() {
    let mut world = beginning(known());
    world.valve_says(contacted(&world, "V1", 1200));
    let before = world.effects.len();
    world.say(serial("18"));
    let request = world.start(plan("1-2", 1, 10, 70, Sync::Analyzer));
    let refused = denied(&world, request);
    assert_eq!(refused.reason, Reason::DeviceStranger);
    for words in ["`gaseractl analyzer accept`", "\"18\"", "\"17\""] {
        assert!(refused.text.contains(words), "{refused}");
    }
    let serve = world.ask(|request| What::Serve { request, who: "ada".into(), service: Service::SelfTest });
    assert_eq!(denied(&world, serve).reason, Reason::DeviceStranger);
    assert_eq!(orders(&world, before), [], "nothing is ordered of it");
    assert_eq!(alarms(&world).iter().filter(|(code, _)| code == "analyzer_stranger").count(), 1);
    let status = world.state.status(world.moment()).analyzer;
    assert_eq!(
        (status.online, status.reason, status.stranger_to.as_str()),
        (false, refused.text, "serial number \"17\"")
    );

    assert_eq!(accept(&mut world, DeviceKind::Analyzer), Ok(Done::Accepted("serial number \"18\"".into())));
    let request = world.start(plan("1-2", 1, 10, 70, Sync::Analyzer));
    world.settle(seconds(3000));
    assert!(world.replies(request)[0].1.is_ok());
    assert_eq!(world.endings(), [(Outcome::Completed, String::new())]);
}

/// A run in the middle of measuring, with both devices known.
fn measuring() -> World {
    let mut world = acquainted();
    let mut asked = plan("1-3", 1, 10, 300, Sync::Analyzer);
    asked.park = Channel::new(9);
    world.start(asked);
    world.until_waiting_for("the end of the measuring time");
    world.run_for(seconds(150));
    world
}

#[test]
fn strange_valve_in_a_run_is_not_moved_and_gets_no_sample() {
    let mut world = measuring();
    let (swapped, before) = (world.now, world.effects.len());
    let last_seen = Tick::from_micros(swapped.as_micros() - 30_000_000);
    let ValveNews::Contacted { description, .. } = contacted(&world, "V2", 5) else { unreachable!() };
    world.valve_says(ValveNews::Contacted { description, seen: last_seen });
    world.valve_says(at(1));
    world.settle(seconds(3000));
    assert_eq!(moves(&world, before), 0, "it is not moved, and not parked");
    for record in world.records().into_iter().filter(|record| record.attribution != Attribution::Stale) {
        let iteration = world.iteration_of(&record);
        if iteration.exchanged >= last_seen {
            assert_ne!(record.attribution, Attribution::Exact, "{record:?}");
            assert!(!record.is_good());
        }
    }
    let good = world.records().iter().filter(|record| record.is_good()).count();
    assert!(good >= 1, "what was drawn before is credited");
    let endings = world.endings();
    assert_eq!(endings[0].0, Outcome::Failed);
    assert!(endings[0].1.contains("another one than before") && endings[0].1.contains("\"V2\""), "{endings:?}");
    assert!(!world.is_measuring());
    check(&world);
}

#[test]
fn run_goes_on_when_the_known_valve_is_back_or_the_new_one_accepted() {
    for accepted in [false, true] {
        let mut world = measuring();
        world.valve_says(contacted(&world, "V2", 5));
        world.until_waiting_for("the valve to come back");
        world.run_for(seconds(20));
        if accepted {
            accept(&mut world, DeviceKind::Multiplexer).unwrap();
        } else {
            world.valve_says(contacted(&world, "V1", 1210));
        }
        world.settle(seconds(5000));
        assert_eq!(world.endings()[0].0, Outcome::Completed, "{:?}", world.endings());
        check(&world);
    }
}

#[test]
fn stranger_whose_count_catches_up_stays_one() {
    let mut world = acquainted();
    world.valve_says(contacted(&world, "V1", 1195));
    assert_eq!(alarms(&world).len(), 1);
    world.valve_says(contacted(&world, "V1", 1206));
    let request = world.start(plan("1", 1, 10, 70, Sync::Analyzer));
    assert_eq!(denied(&world, request).reason, Reason::DeviceStranger);
}

#[test]
fn strange_analyzer_in_a_run_ends_it_without_being_ordered() {
    let mut world = measuring();
    let (before, records) = (world.effects.len(), world.records().len());
    world.say(AnalyzerNews::Offline { reason: "no answer".into() });
    world.say(serial("18"));
    world.settle(seconds(3000));
    assert_eq!(orders(&world, before), [], "nothing is ordered of it, not even to stop");
    let (outcome, reason) = world.endings()[0].clone();
    assert_eq!(outcome, Outcome::Failed);
    assert!(reason.contains("\"18\"") && reason.contains("\"17\""), "{reason}");
    assert!(world.records()[records..].iter().all(|record| !record.is_good() && record.channel.is_none()));

    // The known one is back, and still measures for the run that is over.
    let before = world.effects.len();
    world.say(serial("17"));
    assert_eq!(orders(&world, before), [AnalyzerOrder::Stop]);
    world.run_for(seconds(60));
    assert!(!world.is_measuring());
}

#[test]
fn accepted_analyzer_is_not_stopped_for_the_other_one() {
    let mut world = measuring();
    world.say(AnalyzerNews::Offline { reason: "no answer".into() });
    world.say(serial("18"));
    world.settle(seconds(3000));
    let before = world.effects.len();
    accept(&mut world, DeviceKind::Analyzer).unwrap();
    assert_eq!(orders(&world, before), []);
}

#[test]
fn interrupted_run_is_not_taken_up_with_a_stranger() {
    for strange in [DeviceKind::Analyzer, DeviceKind::Multiplexer] {
        let mut world = measuring();
        let before = world.effects.len();
        world.crash(seconds(60));
        world.valve_says(match strange {
            DeviceKind::Multiplexer => contacted(&world, "V2", 9),
            DeviceKind::Analyzer => contacted(&world, "V1", 1210),
        });
        world.say(serial(if strange == DeviceKind::Analyzer { "18" } else { "17" }));
        world.settle(seconds(3000));
        let (outcome, reason) = world.endings()[0].clone();
        assert_eq!(outcome, Outcome::Failed, "{reason}");
        assert!(reason.contains("another one than before"), "{reason}");
        assert_eq!(moves(&world, before) > 0, strange == DeviceKind::Analyzer, "only the known valve is parked");
        let starts = orders(&world, before).iter().filter(|order| matches!(order, AnalyzerOrder::Start { .. })).count();
        assert_eq!(starts, 0);
    }
}

#[test]
fn run_with_other_settings_ends_and_leaves_what_is_not_its_own() {
    for (analyzer, stops) in [(false, true), (true, false)] {
        let mut world = measuring();
        let before = world.effects.len();
        let reason = "the settings are no longer those that it began with".to_owned();
        world.crash_to_another(seconds(60), &reason, Untouched { analyzer, valve: true });
        world.settle(seconds(3000));
        let (outcome, told) = world.endings()[0].clone();
        assert_eq!(outcome, Outcome::Failed);
        assert!(told.starts_with(&reason), "{told}");
        assert_eq!(told.contains("the analyzer may still be measuring"), analyzer, "{told}");
        assert_eq!(moves(&world, before), 0, "the valve is left as it is");
        assert_eq!(orders(&world, before).contains(&AnalyzerOrder::Stop), stops);
        assert!(alarms(&world).iter().any(|(code, text)| code == "settings_changed" && *text == reason));
        assert_eq!(world.state.status(world.moment()).phase, Phase::Failed);
    }
}

#[test]
fn samples_beside_a_simulated_valve_are_never_good() {
    let mut world = World::beginning(lively(), Beginning { valve_simulated: true, ..Beginning::default() });
    world.start(plan("1-2", 1, 10, 130, Sync::Analyzer));
    world.run_for(seconds(100));
    assert!(world.state.status(world.moment()).multiplexer.simulated);
    world.crash(seconds(30));
    world.settle(seconds(3000));
    let records = world.records();
    assert!(records.len() > 3);
    for record in records {
        assert_eq!(record.qc, Qc::Bad);
        assert!(record.flags.contains(&Flag::ValveSimulated) && !record.is_good(), "{record:?}");
    }
    assert_eq!(world.endings()[0].0, Outcome::Partial);
}
