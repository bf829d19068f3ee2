//! Stories of the analyzer's owner, in paused time, against an analyzer behind a scripted server.

mod contact;
mod inquiries;
mod layout;
mod model;
mod orders;
mod polling;
mod serve;
mod simulated;
mod stops;
mod unreadable;

use std::time::Duration;

use self::model::{Model, World, results, seen, stamps};
use crate::device::fake::Fate;
use crate::domain::{AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, AnalyzerPhase, AnalyzerState, DeviceErrors, Tick};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn tick(time: Duration) -> Tick {
    Tick::ZERO + time
}

#[tokio::test(start_paused = true)]
async fn at_first_it_is_told_who_is_there_and_how_it_is() {
    let mut world = World::new(Model { stamp: Some(900), ..Model::default() });
    let news = world.listen(MINUTE).await;
    let identity = ["Gasera Ltd", "030109", "MINTS-GASERA-ONE", "010304"].map(str::to_owned).to_vec();
    let Some(at) = seen(&news).first().copied() else { panic!("{news:?}") };
    assert_eq!(
        news,
        [
            AnalyzerNews::Online { identity },
            AnalyzerNews::Clock { offset_ms: 3_600_500 },
            AnalyzerNews::Errors(DeviceErrors(vec!["8002".into()])),
            AnalyzerNews::Seen(at),
            AnalyzerNews::Clock { offset_ms: 3_600_031 },
        ]
    );
    assert_eq!((at.state, at.phase, at.iteration), (AnalyzerState::Idle, AnalyzerPhase::None, Some(0)));
    assert_eq!(at.after, Tick::ZERO);
    assert_eq!(world.server.connections(), 1);
}

async fn follow_three_iterations(mut world: World) {
    world.model().stamp = Some(900);
    world.start_measuring().await;
    let start = world.start();
    let news = world.listen(190 * SECOND).await;
    assert_eq!(stamps(&news), [900, 901, 902, 903], "the stale one, then each once");
    for (read, number) in results(&news).iter().skip(1).zip(1..) {
        assert_eq!((read.phase, read.iteration), (AnalyzerPhase::GasExchange, Some(number)));
        let late = read.read.since(tick(start + MINUTE * number));
        assert!(late > Duration::ZERO && late < 2 * SECOND, "{late:?}");
    }
    for (number, part) in [(0, 12), (0, 54), (1, 0), (1, 12), (1, 54), (2, 0), (2, 12), (2, 54), (3, 0)] {
        let change = tick(start + MINUTE * number + SECOND * part);
        let around = |seen: &&crate::domain::Seen| seen.after <= change && change <= seen.before;
        let seen = seen(&news).iter().find(around).copied().unwrap();
        assert!(seen.before.since(seen.after) < 3 * SECOND / 2, "{seen:?}");
        assert_eq!(seen.iteration, Some(number));
    }
    let order = |told: &AnalyzerNews| if let AnalyzerNews::Result(read) = told { read.iteration } else { None };
    let second = news.iter().position(|told| order(told) == Some(1)).unwrap();
    let before = seen(&news[..second]).last().unwrap().iteration;
    assert_eq!(before, Some(1), "the look that a result refers to is told before it");
}

#[tokio::test(start_paused = true)]
async fn a_measurement_is_followed_over_one_connection() {
    follow_three_iterations(World::new(Model::default())).await;
}

#[tokio::test(start_paused = true)]
async fn a_measurement_is_followed_although_the_server_hangs_up_after_each_reply() {
    follow_three_iterations(World::with(Model::default(), crate::device::fake::FakeServer::closing_after_reply)).await;
}

#[tokio::test(start_paused = true)]
async fn a_slow_analyzer_is_asked_little_and_an_idle_one_less() {
    let mut world = World::new(Model::default());
    world.listen(MINUTE).await;
    assert!(world.server.count("ASTS") <= 14, "{}", world.server.count("ASTS"));
    world.start_measuring().await;
    world.listen(2 * MINUTE).await;
    let before = world.server.count("ASTS");
    world.listen(MINUTE).await;
    let asked = world.server.count("ASTS") - before;
    assert!((55..=65).contains(&asked), "{asked}");
}

#[tokio::test(start_paused = true)]
async fn no_result_of_a_fast_analyzer_is_missed() {
    for (cycle, counts) in [(1000, true), (1000, false), (250, true)] {
        let cycle = Duration::from_millis(cycle);
        let mut world = World::new(Model { cycle, counts, ..Model::default() });
        world.start_measuring().await;
        let news = world.listen(cycle * 20 + cycle / 2).await;
        assert_eq!(stamps(&news), (1001..=1020).collect::<Vec<i64>>(), "{cycle:?}, counting: {counts}");
        for (read, number) in results(&news).iter().zip(1..) {
            assert_eq!(read.iteration, counts.then_some(number));
            assert_eq!(read.phase, AnalyzerPhase::GasExchange);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_iteration_that_begins_within_a_look_is_not_seen_in_the_phase_of_the_one_before() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(58 * SECOND).await;
    world.server.next("AITR", Fate::Late(5 * SECOND / 2));
    let seen = seen(&world.listen(10 * SECOND).await);
    assert_eq!((seen[0].phase, seen[0].iteration), (AnalyzerPhase::GasExchange, Some(1)), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn results_in_another_layout_are_set_back_and_read() {
    let mut world = World::new(Model { cycle: 20 * SECOND, ..Model::default() });
    world.start_measuring().await;
    world.listen(10 * SECOND).await;
    world.model().layout = [true; 4];
    let news = world.listen(15 * SECOND).await;
    assert_eq!(stamps(&news), [1001]);
}

#[tokio::test(start_paused = true)]
async fn an_old_analyzer_that_knows_little_is_followed_by_its_state() {
    let refused = vec!["ADEV", "ACLK", "AMST", "AITR", "SCON", "AERR"];
    let mut world = World::new(Model { refused, cycle: 20 * SECOND, ..Model::default() });
    world.start_measuring().await;
    let news = world.listen(50 * SECOND).await;
    assert_eq!(stamps(&news), [1001, 1002]);
    assert_eq!(results(&news)[0].iteration, None);
    assert!(world.server.count("AITR") <= 3, "a refusal is remembered");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_never_answered_is_left_out() {
    let mut world = World::new(Model::default());
    for _ in 0..2 {
        world.server.next("AITR", Fate::Silence);
    }
    let news = world.listen(MINUTE).await;
    assert!(matches!(news[0], AnalyzerNews::Online { .. }));
    assert_eq!(seen(&news)[0].iteration, None);
    assert_eq!(world.server.count("AITR"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_counter_that_has_worked_is_not_given_up() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    for _ in 0..2 {
        world.server.next("AITR", Fate::Silence);
    }
    let news = world.listen(2 * MINUTE).await;
    assert!(!news.iter().any(|told| matches!(told, AnalyzerNews::Offline { .. })));
    assert_eq!(results(&news)[0].iteration, Some(1));
}

#[tokio::test(start_paused = true)]
async fn an_analyzer_that_was_never_there_is_offline_at_once_and_told_once() {
    let mut world = World::with(Model::default(), |server| {
        server.unplug(true);
        server
    });
    let news = world.listen(SECOND / 2).await;
    let [AnalyzerNews::Offline { reason }] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!(
        reason,
        "cannot connect to 192.0.2.1:8888: connection refused; \
         check that the analyzer is on, that [analyzer] address is right, and the network between"
    );
    assert_eq!(world.listen(10 * MINUTE).await, []);
    world.server.unplug(false);
    let news = world.listen(MINUTE).await;
    let online = news.iter().filter(|told| matches!(told, AnalyzerNews::Online { .. })).count();
    assert_eq!((online, seen(&news).len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_short_failure_is_not_told_but_what_it_hid_is_bounded() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(30 * SECOND).await;
    world.server.next("ASTS", Fate::Close);
    world.server.next("ASTS", Fate::Close);
    world.server.next("ASTS", Fate::Close);
    let news = world.listen(10 * SECOND).await;
    let [AnalyzerNews::Seen(seen)] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!(seen.phase, AnalyzerPhase::Integration);
    assert!(seen.before.since(seen.after) > SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_once_and_its_newest_result_is_read_after_it() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    let start = world.start();
    world.listen(50 * SECOND).await;
    world.server.unplug(true);
    let news = world.listen(2 * MINUTE).await;
    assert!(matches!(news.as_slice(), [AnalyzerNews::Offline { .. }]), "{news:?}");
    world.server.unplug(false);
    let news = world.listen(40 * SECOND).await;
    assert!(matches!(news[0], AnalyzerNews::Online { .. }));
    let first = seen(&news)[0];
    assert!(first.after >= tick(start + 48 * SECOND) && first.after <= tick(start + 51 * SECOND), "{first:?}");
    assert_eq!(stamps(&news), [1002, 1003], "the one before is overwritten");
}

#[tokio::test(start_paused = true)]
async fn the_last_result_is_read_when_measuring_ends() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(59 * SECOND).await;
    let id = world.order(AnalyzerOrder::Stop);
    world.model().cancel_time = Duration::ZERO;
    assert_eq!(world.answer(id).await.1, Ok(AnalyzerAnswer::Stopped));
    world.model().stamp = Some(1001);
    assert_eq!(stamps(&world.listen(10 * SECOND).await), [1001]);
}

#[tokio::test(start_paused = true)]
async fn the_owner_ends_with_the_last_handle() {
    let world = World::new(Model::default());
    tokio::time::sleep(MINUTE).await;
    let World { analyzer, owner, .. } = world;
    let other = analyzer.clone();
    drop(analyzer);
    tokio::time::sleep(MINUTE).await;
    assert!(!owner.is_finished());
    drop(other);
    owner.await.unwrap();
}
