//! Whether it is there: nothing flaps, and what happened in a gap is told.

use super::model::{Model, World, results, seen, stamps};
use super::{MINUTE, SECOND};
use crate::device::fake::{FakeServer, Fate};
use crate::domain::{AnalyzerNews, AnalyzerOrder, AnalyzerState, IfMeasuring, Reconnection};

fn contacts(news: &[AnalyzerNews]) -> Vec<&AnalyzerNews> {
    let is = |told: &&AnalyzerNews| matches!(told, AnalyzerNews::Online { .. } | AnalyzerNews::Offline { .. });
    news.iter().filter(is).collect()
}

#[tokio::test(start_paused = true)]
async fn one_failure_of_any_kind_is_told_to_nobody_and_loses_no_result() {
    let fates = [
        Fate::Silence,
        Fate::Close,
        Fate::Half,
        Fate::Lost,
        Fate::Late(5 * SECOND),
        Fate::Pieces,
        Fate::Twice(SECOND / 100),
        Fate::Bytes(b"\x02 SSH-2.0\x03".to_vec()),
        Fate::Bytes(b"\x02 ACON 0 17 74-8".to_vec()),
    ];
    for fate in fates {
        for code in ["ASTS", "AMST", "AITR", "ACON", "AERR"] {
            let mut world = World::new(Model { cycle: 20 * SECOND, ..Model::default() });
            world.start_measuring().await;
            world.listen(15 * SECOND).await;
            world.server.next(code, fate.clone());
            let news = world.listen(50 * SECOND).await;
            assert!(contacts(&news).is_empty(), "{fate:?} of {code}: {news:?}");
            assert_eq!(stamps(&news), [1001, 1002, 1003], "{fate:?} of {code}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ten_seconds_without_a_reply_are_an_outage() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(30 * SECOND).await;
    world.server.unplug(true);
    let before = world.elapsed();
    let mut news = Vec::new();
    while news.is_empty() && world.elapsed() < before + MINUTE {
        news = world.listen(SECOND).await;
    }
    assert!(matches!(news.as_slice(), [AnalyzerNews::Offline { .. }]), "{news:?}");
    let took = world.elapsed().saturating_sub(before);
    assert!(took <= 16 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_absent_analyzer_is_tried_less_and_less_but_every_half_minute() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    world.server.unplug(true);
    world.listen(10 * MINUTE).await;
    let before = world.server.dials();
    world.listen(10 * MINUTE).await;
    let dials = world.server.dials() - before;
    // Every attempt is repeated once at most.
    assert!((18..=42).contains(&dials), "{dials}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_seen_and_what_it_lost_is_set_again() {
    let mut world = World::new(Model { cycle: 20 * SECOND, ..Model::default() });
    world.start_measuring().await;
    world.listen(30 * SECOND).await;
    world.server.unplug(true);
    world.model().reboot(40 * SECOND);
    world.listen(20 * SECOND).await;
    world.server.unplug(false);
    let news = world.listen(MINUTE).await;
    assert_eq!(contacts(&news).len(), 1, "{news:?}");
    let states: Vec<AnalyzerState> = seen(&news).iter().map(|seen| seen.state).collect();
    assert_eq!(states, [AnalyzerState::Initializing, AnalyzerState::Idle]);
    let layouts = world.server.count("SCON");
    assert!(layouts >= 2, "{layouts}");
    assert!(results(&news).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_breaks_no_connection_sets_the_layout_again() {
    let mut world = World::new(Model { cycle: 20 * SECOND, ..Model::default() });
    world.start_measuring().await;
    world.listen(30 * SECOND).await;
    world.model().reboot(5 * SECOND);
    world.model().layout = [true, true, false, true];
    world.model().first_stamp = 2000;
    world.listen(30 * SECOND).await;
    world.start_by_another();
    assert_eq!(stamps(&world.listen(50 * SECOND).await), [2001, 2002]);
}

#[tokio::test(start_paused = true)]
async fn another_instrument_under_the_same_address_introduces_itself() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    world.server.next("ADEV", Fate::Bytes(b"\x02 ADEV 0 \"Gasera Ltd\" \"030200\" \"TWO\" \"010304\"\x03".to_vec()));
    for _ in 0..3 {
        world.server.next("ASTS", Fate::Close);
    }
    let news = world.listen(20 * SECOND).await;
    assert!(matches!(&news[0], AnalyzerNews::Online { identity } if identity[1] == "030200"), "{news:?}");
    assert_eq!(contacts(&news).len(), 1);
}

/// What is told of an analyzer that measured before an outage, in which this happens to it.
async fn back_after(outage: impl FnOnce(&mut Model), fate: &Fate) -> Vec<Reconnection> {
    let mut world = World::new(Model { cycle: 20 * SECOND, ..Model::default() });
    world.start_measuring().await;
    world.listen(50 * SECOND).await;
    // It is asked a second time, and on a new connection, before that is a failure.
    (0..3).for_each(|_| world.server.next("ASTS", fate.clone()));
    outage(&mut world.model());
    let news = world.listen(2 * MINUTE).await;
    let told = |news: &AnalyzerNews| if let AnalyzerNews::Reconnected(told) = news { Some(*told) } else { None };
    news.iter().filter_map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_an_analyzer_after_questions_without_an_answer_is_told() {
    for (fate, program_was_down) in [(Fate::Silence, false), (Fate::Close, true)] {
        let back = |result_is_gone| [Reconnection { program_was_down, result_is_gone }];
        assert_eq!(back_after(|model| model.reboot(SECOND / 10), &fate).await, back(true), "{fate:?}");
        assert_eq!(back_after(Model::stop_by_hand, &fate).await, back(false), "{fate:?}");
        assert!(back_after(|_| (), &fate).await.is_empty(), "it measured on");
    }
}

#[tokio::test(start_paused = true)]
async fn another_analyzer_is_noticed_on_a_new_connection_that_failed_nothing() {
    let mut world = World::new(Model::default());
    world.listen(5 * SECOND).await;
    world.model().serial = "030200";
    world.server.next("ASTS", Fate::Close);
    let news = world.listen(5 * SECOND).await;
    assert!(matches!(contacts(&news)[..], [AnalyzerNews::Online { identity }] if identity[1] == "030200"), "{news:?}");
}

#[tokio::test(start_paused = true)]
async fn another_analyzer_is_noticed_where_no_connection_lasts() {
    let mut world = World::with(Model::default(), FakeServer::closing_after_reply);
    world.listen(20 * SECOND).await;
    world.model().serial = "030200";
    let news = world.listen(15 * SECOND).await;
    assert!(matches!(contacts(&news)[..], [AnalyzerNews::Online { identity }] if identity[1] == "030200"), "{news:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_on_an_analyzer_that_has_just_taken_the_address() {
    for order in [
        AnalyzerOrder::Start { task_id: 11 },
        AnalyzerOrder::Prepare { task: "DEFAULT".into(), save_on_device: false, if_measuring: IfMeasuring::Stop },
    ] {
        let mut world = World::new(Model::default());
        world.listen(7 * SECOND).await;
        world.model().serial = "030200";
        world.server.next("ASTS", Fate::Close);
        let fault = world.carry_out(order).await.unwrap_err();
        assert!(fault.text.contains("another analyzer answers at 192.0.2.1:8888 now"), "{fault}");
        assert_eq!((world.server.count("STAM"), world.server.count("SONL")), (0, 0));
    }
}
