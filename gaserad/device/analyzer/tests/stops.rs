//! A stop overtakes all that waits and all that is under way.

use std::time::Duration;

use super::model::{Model, World, ak};
use super::{MINUTE, SECOND};
use crate::device::fake::Fate;
use crate::domain::instrument::Inquiry;
use crate::domain::{AnalyzerAnswer, AnalyzerOrder, FaultKind, IfMeasuring, Service};

const ANSWERED_LATE: Duration = Duration::from_secs(2);

/// How long after the stop was ordered STPM was sent.
async fn until_stpm(world: &mut World) -> Duration {
    let before = world.server.count("STPM");
    let began = world.elapsed();
    let id = world.order(AnalyzerOrder::Stop);
    while world.server.count("STPM") == before {
        assert!(world.elapsed().saturating_sub(began) < MINUTE, "never");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = world.elapsed().saturating_sub(began);
    assert_eq!(world.answer(id).await.1, Ok(AnalyzerAnswer::Stopped));
    took
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_look_that_stalls() {
    for code in ["ASTS", "AMST", "AITR", "ACON"] {
        let mut world = World::new(Model::default());
        world.start_measuring().await;
        world.listen(30 * SECOND).await;
        let before = world.server.count(code);
        for fate in [Fate::Half, Fate::Silence] {
            world.server.next(code, fate);
        }
        while world.server.count(code) == before {
            world.listen(Duration::from_millis(10)).await;
        }
        let took = until_stpm(&mut world).await;
        assert!(took <= SECOND / 2, "{code}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_is_only_slow_is_awaited_before_the_stop() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(30 * SECOND).await;
    let connections = world.server.connections();
    let before = world.server.count("ASTS");
    world.server.next("ASTS", Fate::Late(SECOND * 3 / 10));
    while world.server.count("ASTS") == before {
        world.listen(Duration::from_millis(10)).await;
    }
    assert!(until_stpm(&mut world).await <= SECOND / 2);
    assert_eq!(world.server.connections(), connections);
}

#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_an_inquiry_and_the_inquiry_is_answered_after_it() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(30 * SECOND).await;
    world.server.next("ANET", Fate::Late(ANSWERED_LATE));
    let analyzer = world.analyzer.clone();
    let inquiry = tokio::spawn(async move { analyzer.inquire(Inquiry::Info).await });
    while world.server.count("ANET") == 0 {
        world.listen(Duration::from_millis(10)).await;
    }
    assert!(until_stpm(&mut world).await <= SECOND / 2);
    assert!(inquiry.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_look_that_a_stop_interrupts_is_answered_after_it() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(30 * SECOND).await;
    world.server.next("AMST", Fate::Late(ANSWERED_LATE));
    let look = world.order(AnalyzerOrder::Look);
    tokio::time::sleep(SECOND / 10).await;
    let began = world.elapsed();
    let stop = world.order(AnalyzerOrder::Stop);
    assert_eq!(world.answer(stop).await.1, Ok(AnalyzerAnswer::Stopped));
    assert!(world.elapsed().saturating_sub(began) < 3 * SECOND);
    assert_eq!(world.answer(look).await.1, Ok(AnalyzerAnswer::Looked));
}

#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_the_stop_within_a_preparation() {
    let mut world = World::new(Model { cancel_time: 20 * SECOND, ..Model::default() });
    world.start_by_another();
    world.listen(30 * SECOND).await;
    let task = "DEFAULT".to_owned();
    let preparing =
        world.order(AnalyzerOrder::Prepare { task, save_on_device: false, if_measuring: IfMeasuring::Stop });
    tokio::time::sleep(SECOND).await;
    let stop = world.order(AnalyzerOrder::Stop);
    assert_eq!(world.answer(preparing).await.1.unwrap_err().kind, FaultKind::Superseded);
    assert_eq!(world.answer(stop).await.1, Ok(AnalyzerAnswer::Stopped));
    assert_eq!(world.server.count("ATSK"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_stalls_is_given_up_for_the_stop_and_stopped_if_it_was_obeyed() {
    let mut world = World::new(Model::default());
    world.prepare().await.unwrap();
    world.server.next("STAM", Fate::Lost);
    let start = world.order(AnalyzerOrder::Start { task_id: 11 });
    tokio::time::sleep(SECOND / 10).await;
    let stop = world.order(AnalyzerOrder::Stop);
    let fault = world.answer(start).await.1.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Superseded);
    assert!(fault.text.contains("the reply to STAM was not awaited"), "{fault}");
    assert_eq!(world.answer(stop).await.1, Ok(AnalyzerAnswer::Stopped));
    assert_eq!((world.server.count("STAM"), world.server.count("STPM")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_a_service_and_says_that_it_may_have_been_obeyed() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    world.server.next("STST", Fate::Lost);
    let service = world.order(AnalyzerOrder::Serve(Service::Ak(ak("STST"))));
    tokio::time::sleep(SECOND / 10).await;
    let began = world.elapsed();
    let stop = world.order(AnalyzerOrder::Stop);
    let fault = world.answer(service).await.1.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Superseded);
    assert!(world.elapsed().saturating_sub(began) <= SECOND / 2);
    assert!(fault.text.contains("the reply to STST was not awaited"), "{fault}");
    let answer = world.answer(stop).await.1;
    assert!(answer.is_err(), "a self-test of two minutes outlasts the patience: {answer:?}");
}
