//! How much the analyzer is asked, and how late its news are.

use std::time::Duration;

use super::model::{Model, World, results, seen, stamps};
use super::{MINUTE, SECOND, tick};
use crate::domain::Tick;

const HOUR: u32 = 3600;
const LATENCY: Duration = Duration::from_millis(20);

/// The longest that any result was on its way after it was available.
async fn longest_delay(model: Model, hour: Duration) -> (World, Duration) {
    let cycle = model.cycle;
    let mut world = World::with(model, |server| server.slow(LATENCY));
    world.start_measuring().await;
    let start = world.start();
    let news = world.listen(hour).await;
    let fresh = results(&news);
    assert_eq!(fresh.len(), usize::try_from(hour.as_millis() / cycle.as_millis()).unwrap(), "{:?}", stamps(&news));
    let delays = fresh.iter().zip(1_u32..).map(|(read, number)| read.read.since(tick(start + cycle * number)));
    let longest = delays.max().unwrap();
    for (read, number) in fresh.iter().zip(1_u32..) {
        let available = tick(start + cycle * number);
        assert!(read.after <= available && available <= read.read, "{read:?} was available at {available:?}");
        assert!(read.after < read.asked && read.asked < read.read);
    }
    (world, longest)
}

#[tokio::test(start_paused = true)]
async fn in_an_hour_of_measuring_little_is_asked_and_results_come_within_a_second() {
    let cycle = Duration::from_millis(57_300);
    let (world, longest) = longest_delay(Model { cycle, ..Model::default() }, SECOND * HOUR + SECOND / 2).await;
    assert!(longest <= SECOND, "{longest:?}");
    let asked = |code: &str| world.server.count(code);
    for code in ["ASTS", "AMST", "AITR"] {
        assert!((3500..=4000).contains(&asked(code)), "{code}: {}", asked(code));
    }
    // One at the end of each iteration, and one in five seconds.
    assert!((560..=850).contains(&asked("ACON")), "ACON: {}", asked("ACON"));
    assert!((320..=365).contains(&asked("AERR")), "AERR: {}", asked("AERR"));
    assert!((6..=12).contains(&asked("ACLK")), "ACLK: {}", asked("ACLK"));
    assert!(asked("ADEV") == 1 && asked("SCON") <= 2 && asked("ATSK") == 1, "{:?}", asked("SCON"));
}

#[tokio::test(start_paused = true)]
async fn without_phases_and_counter_every_look_reads_the_results() {
    let model = Model { cycle: 23 * SECOND, refused: vec!["AMST", "AITR"], ..Model::default() };
    let (world, longest) = longest_delay(model, 10 * MINUTE).await;
    assert!(longest <= SECOND, "{longest:?}");
    assert!(world.server.count("ACON") + 40 >= world.server.count("ASTS"));
    assert!(world.server.count("AMST") <= 3 && world.server.count("AITR") <= 3);
}

#[tokio::test(start_paused = true)]
async fn without_phases_a_result_is_bounded_by_the_poll() {
    let model = Model { cycle: 23 * SECOND, refused: vec!["AMST", "AITR"], ..Model::default() };
    let mut world = World::new(model);
    world.start_measuring().await;
    for read in results(&world.listen(5 * MINUTE).await) {
        assert!(read.read.since(read.after) <= SECOND, "{read:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_late_is_waited_for() {
    for late in [SECOND * 3 / 2, 6 * SECOND] {
        let mut world = World::with(Model::default(), |server| server.slow(LATENCY));
        world.model().result_delay = late;
        world.start_measuring().await;
        let start = world.start();
        let news = world.listen(10 * MINUTE).await;
        for (read, number) in results(&news).iter().zip(1_u32..) {
            let delay = read.read.since(tick(start + MINUTE * number + late));
            assert!(delay <= SECOND + 5 * LATENCY, "{delay:?}");
        }
        assert_eq!(results(&news).len(), 9);
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_hour_is_quiet() {
    let mut world = World::new(Model::default());
    let news = world.listen(SECOND * HOUR).await;
    assert!(news.len() <= 6, "{news:?}");
    assert!(world.server.count("ASTS") <= 740, "{}", world.server.count("ASTS"));
    assert!(world.server.count("ACON") <= 2);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_bounded_by_the_look_before_and_the_look_that_saw_it() {
    let mut world = World::with(Model::default(), |server| server.slow(LATENCY));
    world.start_measuring().await;
    let start = world.start();
    let news = world.listen(5 * MINUTE).await;
    let edges = |number: u32| [0, 12, 54].map(|part| tick(start + MINUTE * number + part * SECOND));
    for change in (1..4).flat_map(edges) {
        let within = |seen: &&crate::domain::Seen| seen.after <= change && change <= seen.before;
        let seen = seen(&news).iter().find(within).copied().unwrap();
        assert!(seen.after < seen.asked && seen.asked < seen.before && seen.after > Tick::ZERO, "{seen:?}");
        assert!(seen.before.since(seen.asked) <= 5 * LATENCY, "{seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn poll_after_a_gap_is_told_although_it_found_nothing_new() {
    let mut world = World::new(Model { cycle: MINUTE, refused: vec!["AITR"], ..Model::default() });
    world.start_measuring().await;
    let before = seen(&world.listen(20 * SECOND).await);
    // The process stands still for a whole iteration.
    tokio::time::advance(MINUTE).await;
    let after = seen(&world.listen(3 * SECOND).await);
    assert_eq!(after[0].phase, before.last().unwrap().phase, "it looks as if nothing had happened");
    assert!(after[0].before.since(after[0].after) >= MINUTE, "{after:?}");
    assert_eq!(after.len(), 1, "and then there is nothing to tell: {after:?}");
}
