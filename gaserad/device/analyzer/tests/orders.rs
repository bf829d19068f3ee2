//! Each order, and what comes of it when the analyzer does not obey.

use std::time::Duration;

use super::model::{Model, World, seen};
use super::{MINUTE, SECOND};
use crate::device::fake::Fate;
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, AnalyzerState, AnalyzerTime, Cas, DeviceErrors, Fault, FaultKind,
    IfMeasuring,
};

const START: AnalyzerOrder = AnalyzerOrder::Start { task_id: 11 };

fn prepare(task: &str, save_on_device: bool) -> AnalyzerOrder {
    AnalyzerOrder::Prepare { task: task.into(), save_on_device, if_measuring: IfMeasuring::Refuse }
}

fn refusal(answer: Result<AnalyzerAnswer, Fault>) -> (FaultKind, String) {
    let fault = answer.unwrap_err();
    (fault.kind, fault.text)
}

#[tokio::test(start_paused = true)]
async fn to_prepare_finds_the_task_and_notes_what_is_there() {
    let mut world = World::new(Model { stamp: Some(900), ..Model::default() });
    let answer = world.carry_out(prepare("default", true)).await;
    let Ok(AnalyzerAnswer::Prepared { held: Some(held), .. }) = &answer else { panic!("{answer:?}") };
    assert_eq!((held.stamp, held.readings.len()), (AnalyzerTime(900), 1));
    let prepared = AnalyzerAnswer::Prepared {
        task_id: 11,
        gases: vec![Cas("74-82-8".into()), Cas("7732-18-5".into())],
        baseline: Some(AnalyzerTime(900)),
        held: Some(held.clone()),
        errors: DeviceErrors(vec!["8002".into()]),
        adopted: false,
    };
    assert_eq!(answer, Ok(prepared));
    assert_eq!(world.server.asked().iter().filter(|asked| asked.starts_with("SONL")).count(), 1);
    assert!(world.server.asked().contains(&"SONL 0".to_owned()));
    assert!(world.carry_out(prepare("12", false)).await.is_ok());
    assert!(world.server.asked().contains(&"SONL 1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_not_there_is_answered_with_those_that_are() {
    let mut world = World::new(Model::default());
    let text = "the analyzer at 192.0.2.1:8888 has no task \"Soil\"; \
                it has Calibration task (id 7), DEFAULT (id 11), FLUSH (id 12); choose one with --task";
    assert_eq!(refusal(world.carry_out(prepare("Soil", false)).await), (FaultKind::TaskUnknown, text.into()));
    world.model().tasks = "";
    let text = "the analyzer at 192.0.2.1:8888 has no task \"Soil\": it has no tasks at all; \
                create one on its display, then name it with --task";
    assert_eq!(refusal(world.carry_out(prepare("Soil", false)).await), (FaultKind::TaskUnknown, text.into()));
}

#[tokio::test(start_paused = true)]
async fn an_ambiguous_task_has_to_be_confirmed() {
    let mut world = World::new(Model { tasks: "11 Soil 2024 run 12 FLUSH", ..Model::default() });
    for _ in 0..4 {
        world.server.next("ATSP", Fate::Bytes(b"\x02 ATSP 1\x03".to_vec()));
    }
    let (kind, text) = refusal(world.carry_out(prepare("Soil 2024 run", false)).await);
    assert_eq!(kind, FaultKind::TaskUnknown);
    assert!(text.ends_with("name the task by its id"), "{text}");
    let by_id = world.carry_out(prepare("11", false)).await.unwrap();
    assert!(matches!(by_id, AnalyzerAnswer::Prepared { task_id: 11, ref gases, .. } if gases.is_empty()));
    world.server.next("ATSP", Fate::Bytes(b"\x02 ATSP 0 74-82-8 850 1 1 6\x03".to_vec()));
    while world.carry_out(prepare("Soil 2024 run", false)).await.is_err() {}
    assert!(world.server.count("ATSP") <= 6);
}

#[tokio::test(start_paused = true)]
async fn an_analyzer_that_is_not_idle_is_busy() {
    for (state, words) in [(3, "in self-test"), (4, "in malfunction"), (6, "calibrating")] {
        let mut world = World::new(Model { state, ..Model::default() });
        let (kind, text) = refusal(world.prepare().await);
        assert_eq!(kind, FaultKind::Busy);
        assert!(text.starts_with(&format!("the analyzer at 192.0.2.1:8888 is {words}; wait")), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn storage_that_cannot_be_switched_matters_only_if_it_is_wanted() {
    let mut world = World::new(Model { refused: vec!["SONL", "ATSP"], ..Model::default() });
    assert!(world.carry_out(prepare("DEFAULT", false)).await.is_ok());
    let (kind, text) = refusal(world.carry_out(prepare("DEFAULT", true)).await);
    assert_eq!(kind, FaultKind::Refused);
    assert!(text.ends_with("start without saving on the device"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_refused_is_answered_with_the_reply() {
    let mut world = World::new(Model { refused: vec!["STAM"], ..Model::default() });
    world.prepare().await.unwrap();
    let (kind, text) = refusal(world.carry_out(START).await);
    assert_eq!(kind, FaultKind::Refused);
    assert!(text.contains("the answer to STAM was \"STAM 1\""), "{text}");
    assert_eq!(world.server.count("STAM"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_reply_is_lost_is_seen_to_have_happened() {
    let mut world = World::new(Model::default());
    world.prepare().await.unwrap();
    world.server.next("STAM", Fate::Lost);
    assert_eq!(world.carry_out(START).await, Ok(AnalyzerAnswer::Started));
    assert_eq!(world.server.count("STAM"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_lost_is_seen_not_to_have_happened() {
    let mut world = World::new(Model::default());
    world.prepare().await.unwrap();
    world.server.next("STAM", Fate::Silence);
    let (kind, text) = refusal(world.carry_out(START).await);
    assert_eq!(kind, FaultKind::Refused);
    assert!(text.contains("was lost, and after 10s it is idle"), "{text}");
    assert_eq!(world.server.count("STAM"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_analyzer_that_agrees_to_start_and_does_not_has_refused() {
    let mut world = World::new(Model { start_delay: MINUTE, ..Model::default() });
    world.prepare().await.unwrap();
    let began = world.elapsed();
    let (kind, text) = refusal(world.carry_out(START).await);
    assert_eq!(kind, FaultKind::Refused);
    assert!(text.contains("accepted the start of task 11, and after 10s it is idle"), "{text}");
    assert!((world.elapsed().saturating_sub(began)).abs_diff(10 * SECOND) < SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_analyzer_that_goes_away_while_it_starts_may_be_measuring() {
    let mut world = World::new(Model { start_delay: 5 * SECOND, ..Model::default() });
    world.prepare().await.unwrap();
    let id = world.order(START);
    world.listen(2 * SECOND).await;
    world.server.unplug(true);
    let (news, answer) = world.answer(id).await;
    assert!(matches!(news.as_slice(), [AnalyzerNews::Offline { .. }]), "{news:?}");
    let (kind, text) = refusal(answer);
    assert_eq!(kind, FaultKind::Offline);
    assert!(text.contains("it may be measuring"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_a_start_and_all_that_waits() {
    let mut world = World::new(Model { start_delay: 300 * SECOND / 1000, ..Model::default() });
    world.prepare().await.unwrap();
    let start = world.order(START);
    tokio::time::sleep(SECOND / 10).await;
    assert_eq!(world.server.count("STAM"), 1);
    let waiting = world.order(prepare("DEFAULT", false));
    let look = world.order(AnalyzerOrder::Look);
    let began = world.elapsed();
    let stop = world.order(AnalyzerOrder::Stop);
    assert_eq!(world.answer(start).await.1.unwrap_err().kind, FaultKind::Superseded);
    assert_eq!(world.answer(waiting).await.1.unwrap_err().kind, FaultKind::Superseded);
    let (news, answer) = world.answer(stop).await;
    assert_eq!(answer, Ok(AnalyzerAnswer::Stopped));
    let states: Vec<AnalyzerState> = seen(&news).iter().map(|seen| seen.state).collect();
    assert_eq!(states, [AnalyzerState::Measuring, AnalyzerState::Cancelling, AnalyzerState::Idle]);
    assert!(world.elapsed().saturating_sub(began) < 3 * SECOND, "the analyzer itself takes two");
    assert_eq!(world.answer(look).await.1, Ok(AnalyzerAnswer::Looked));
}

#[tokio::test(start_paused = true)]
async fn a_stop_overtakes_a_preparation_within_one_question() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    for code in ["ATSK", "ATSP"] {
        world.server.next(code, Fate::Late(2 * SECOND));
    }
    let preparing = world.order(prepare("DEFAULT", false));
    tokio::time::sleep(SECOND).await;
    let stop = world.order(AnalyzerOrder::Stop);
    assert_eq!(world.answer(preparing).await.1.unwrap_err().kind, FaultKind::Superseded);
    assert_eq!(world.answer(stop).await.1, Ok(AnalyzerAnswer::Stopped));
    assert_eq!((world.server.count("ATSK"), world.server.count("ATSP")), (1, 0));
    assert_eq!(world.server.count("STPM"), 0, "it was idle all the time");
}

#[tokio::test(start_paused = true)]
async fn a_stop_returns_when_the_analyzer_is_idle() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(20 * SECOND).await;
    let began = world.elapsed();
    assert_eq!(world.carry_out(AnalyzerOrder::Stop).await, Ok(AnalyzerAnswer::Stopped));
    let took = world.elapsed().saturating_sub(began);
    assert!(took >= 2 * SECOND && took < 5 * SECOND / 2, "{took:?}");
    assert_eq!(world.server.count("STPM"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_is_not_obeyed_is_repeated() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    for _ in 0..3 {
        world.server.next("STPM", Fate::Bytes(b"\x02 STPM 1\x03".to_vec()));
    }
    assert_eq!(world.carry_out(AnalyzerOrder::Stop).await, Ok(AnalyzerAnswer::Stopped));
    assert!(world.server.count("STPM") >= 2);
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.model().refused = vec!["STPM"];
    let (kind, text) = refusal(world.carry_out(AnalyzerOrder::Stop).await);
    assert_eq!(kind, FaultKind::Refused);
    assert!(text.contains("was told to stop, and after 30s it is measuring"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_analyzer_that_broke_down_needs_no_stop() {
    let mut world = World::new(Model { state: 4, ..Model::default() });
    assert_eq!(world.carry_out(AnalyzerOrder::Stop).await, Ok(AnalyzerAnswer::Stopped));
    assert_eq!(world.server.count("STPM"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_an_analyzer_that_comes_back_but_not_for_ever() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.server.unplug(true);
    let stop = world.order(AnalyzerOrder::Stop);
    tokio::time::sleep(15 * SECOND).await;
    world.server.unplug(false);
    assert_eq!(world.answer(stop).await.1, Ok(AnalyzerAnswer::Stopped));

    world.start_measuring().await;
    world.server.unplug(true);
    let (kind, text) = refusal(world.carry_out(AnalyzerOrder::Stop).await);
    assert_eq!(kind, FaultKind::Offline);
    assert!(text.contains("it may still be measuring"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_order_to_an_absent_analyzer_is_answered_at_once() {
    let mut world = World::with(Model::default(), |server| {
        server.unplug(true);
        server
    });
    world.listen(10 * MINUTE).await;
    for order in [AnalyzerOrder::Look, prepare("DEFAULT", false), START] {
        let began = world.elapsed();
        let (kind, text) = refusal(world.carry_out(order).await);
        assert_eq!(kind, FaultKind::Offline);
        assert!(text.contains("cannot connect to 192.0.2.1:8888"), "{text}");
        assert!(world.elapsed().saturating_sub(began) < SECOND);
    }
    world.server.unplug(false);
    let id = world.order(AnalyzerOrder::Look);
    let (news, answer) = world.answer(id).await;
    assert_eq!(answer, Ok(AnalyzerAnswer::Looked));
    assert!(matches!(news[0], AnalyzerNews::Online { .. }), "{news:?}");
}

#[tokio::test(start_paused = true)]
async fn a_preparation_ends_with_the_connection() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    for _ in 0..2 {
        world.server.next("ATSK", Fate::Silence);
    }
    let (kind, text) = refusal(world.prepare().await);
    assert_eq!(kind, FaultKind::Offline);
    assert!(text.starts_with("cannot prepare the analyzer: 192.0.2.1:8888 gave no reply to ATSK"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_look_tells_what_is_new_before_it_is_answered() {
    let mut world = World::new(Model::default());
    world.start_measuring().await;
    world.listen(Duration::from_millis(11_400)).await;
    tokio::time::sleep(SECOND * 65 / 100).await;
    let id = world.order(AnalyzerOrder::Look);
    let (news, answer) = world.answer(id).await;
    assert_eq!(answer, Ok(AnalyzerAnswer::Looked));
    assert!(seen(&news).iter().any(|seen| seen.before.since(seen.after) <= SECOND), "{news:?}");
}
