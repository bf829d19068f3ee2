//! Inquiries: what is told, and that asking costs the measurement nothing.

use std::time::Duration;

use super::model::{Model, World, ak, results, seen};
use super::{MINUTE, SECOND};
use crate::device::fake::Fate;
use crate::domain::instrument::{Inquiry, SelfTest, Told};
use crate::domain::{AnalyzerNews, DeviceErrors, FaultKind};

#[tokio::test(start_paused = true)]
async fn the_instrument_tells_of_itself() {
    let world = World::new(Model { refused: vec!["ANET"], ..Model::default() });
    let Told::Info(told) = world.analyzer.inquire(Inquiry::Info).await.unwrap() else { panic!() };
    assert_eq!((told.manufacturer.as_str(), told.serial.as_str()), ("Gasera Ltd", "030109"));
    assert_eq!((told.model.as_str(), told.firmware.as_str()), ("MINTS-GASERA-ONE", "010304"));
    assert_eq!((told.name.as_str(), told.network, told.inlets), ("lab 3", None, None));
    assert_eq!(told.parameters.len(), 2);
    assert_eq!(told.cell_temperature_c, Some(50.01));
    assert_eq!(told.unsupported, ["ANET"]);
}

#[tokio::test(start_paused = true)]
async fn tasks_are_told_with_what_the_analyzer_knows_of_each() {
    let world = World::new(Model::default());
    let Told::Tasks(told) = world.analyzer.inquire(Inquiry::Tasks).await.unwrap() else { panic!() };
    let names: Vec<&str> = told.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(names, ["Calibration task", "DEFAULT", "FLUSH"]);
    assert!(told.tasks.iter().all(|task| task.confirmed) && !told.ambiguous);
    let parameters = told.tasks[1].parameters.clone().unwrap();
    assert_eq!((parameters.gases.len(), parameters.pressure_mbar), (2, Some(850.0)));
    world.model().tasks = "11 Soil 2024 run 12 FLUSH";
    tokio::time::sleep(MINUTE).await;
    let Told::Tasks(told) = world.analyzer.inquire(Inquiry::Tasks).await.unwrap() else { panic!() };
    assert!(told.ambiguous);
    assert_eq!(told.raw, "11 Soil 2024 run 12 FLUSH");
}

#[tokio::test(start_paused = true)]
async fn errors_clock_and_self_test_are_told() {
    let world = World::new(Model::default());
    let inquire = |inquiry| world.analyzer.inquire(inquiry);
    assert_eq!(inquire(Inquiry::Errors).await, Ok(Told::Errors(DeviceErrors(vec!["8002".into()]))));
    assert_eq!(inquire(Inquiry::SelfTest).await, Ok(Told::SelfTest(SelfTest::Passed)));
    tokio::time::sleep(10 * SECOND).await;
    let Told::Clock(told) = inquire(Inquiry::Clock).await.unwrap() else { panic!() };
    assert!(told.offset_ms.abs_diff(3_600_000) < 50, "{told:?}");
    let apart = told.analyzer.0 * 1000 - told.host.as_micros() / 1000;
    assert!((told.offset_ms - 1000..=told.offset_ms).contains(&apart), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_firmware_cannot_tell_is_a_refusal() {
    let world = World::new(Model { refused: vec!["ACLK", "ASTR"], ..Model::default() });
    for inquiry in [Inquiry::Clock, Inquiry::SelfTest] {
        let fault = world.analyzer.inquire(inquiry).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.text.contains("firmware"), "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_raw_question_is_answered_as_it_came_and_a_raw_order_refused() {
    let world = World::new(Model::default());
    let inquire = |line| world.analyzer.inquire(Inquiry::Ak(ak(line)));
    assert_eq!(inquire("asts").await, Ok(Told::Ak("ASTS 0 2".into())));
    assert_eq!(inquire("ATSP 99").await, Ok(Told::Ak("ATSP 1".into())));
    assert_eq!(inquire("AXYZ 1").await, Ok(Told::Ak("AXYZ 1".into())));
    for line in ["STPM", "STAM 11", "RDEV", "SCON 1 1 1", "SONL 0", "XXXX", "ASTS 5", ""] {
        let asked = world.server.asked().len();
        assert_eq!(inquire(line).await.unwrap_err().kind, FaultKind::Refused, "{line}");
        assert_eq!(world.server.asked().len(), asked, "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_many_ask_at_once_is_asked_once() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    let before = world.server.asked().len();
    let mut clients = Vec::new();
    for _ in 0..200 {
        for inquiry in [Inquiry::Info, Inquiry::Tasks, Inquiry::SelfTest] {
            let analyzer = world.analyzer.clone();
            clients.push(tokio::spawn(async move { analyzer.inquire(inquiry).await }));
        }
    }
    for client in clients {
        assert!(client.await.unwrap().is_ok());
    }
    for code in ["ANAM", "ANET", "ASYP", "AMPS", "APAR", "ATSK", "ASTR"] {
        assert_eq!(world.server.count(code), 1, "{code}");
    }
    assert!(world.server.asked().len() - before < 20, "{:?}", &world.server.asked()[before..]);
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_never_stops_asking_slows_no_look() {
    let mut world = World::with(Model::default(), |server| server.slow(SECOND / 50));
    world.start_measuring().await;
    for _ in 0..50 {
        let analyzer = world.analyzer.clone();
        tokio::spawn(async move {
            loop {
                for inquiry in [Inquiry::Info, Inquiry::Tasks, Inquiry::Errors, Inquiry::Clock] {
                    let _ = analyzer.inquire(inquiry).await;
                    tokio::time::sleep(SECOND / 100).await;
                }
            }
        });
    }
    let looks = world.server.count("ASTS");
    let questions = world.server.asked().len();
    let news = world.listen(10 * MINUTE + 5 * SECOND).await;
    assert!((600..=720).contains(&(world.server.count("ASTS") - looks)), "{}", world.server.count("ASTS") - looks);
    assert_eq!(results(&news).len(), 10);
    let all = world.server.asked().len() - questions;
    assert!(all < 600 * 7, "{all}");
    let longest = seen(&news).windows(2).map(|pair| pair[1].before.since(pair[1].after)).max().unwrap();
    assert!(longest <= SECOND * 13 / 10, "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_older_than_what_was_ordered() {
    let mut world = World::new(Model::default());
    let network = || world.analyzer.inquire(Inquiry::Ak(ak("ANET")));
    assert!(matches!(network().await, Ok(Told::Ak(raw)) if raw.contains("192.168.20.112")));
    world.serve("SNET 0 10.0.0.7 255.0.0.0 10.0.0.1").await.unwrap();
    let told = world.analyzer.inquire(Inquiry::Ak(ak("ANET"))).await;
    assert!(matches!(&told, Ok(Told::Ak(raw)) if raw.contains("10.0.0.7")), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn an_absent_analyzer_tells_nothing_and_is_not_tried_by_everybody() {
    let mut world = World::with(Model::default(), |server| {
        server.unplug(true);
        server
    });
    world.listen(5 * MINUTE).await;
    let before = world.server.dials();
    for _ in 0..100 {
        let fault = world.analyzer.inquire(Inquiry::Info).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Offline);
        assert!(fault.text.contains("cannot connect to 192.0.2.1:8888"), "{fault}");
    }
    assert!(world.server.dials() - before <= 3, "{}", world.server.dials() - before);
}

#[tokio::test(start_paused = true)]
async fn a_look_comes_between_the_questions_of_a_long_inquiry() {
    let mut world = World::with(Model::default(), |server| server.slow(SECOND * 3 / 10));
    world.start_measuring().await;
    world.listen(20 * SECOND).await;
    let before = world.server.asked().len();
    world.analyzer.inquire(Inquiry::Info).await.unwrap();
    let asked = world.server.asked()[before..].to_vec();
    let place = |code: &str| asked.iter().position(|asked| asked.starts_with(code)).unwrap();
    assert!((place("ANAM")..place("APAR")).contains(&place("ASTS")), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn who_went_away_is_not_asked_for() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    world.server.next("ANAM", Fate::Late(2 * SECOND));
    let asking = tokio::time::timeout(Duration::from_millis(500), world.analyzer.inquire(Inquiry::Info));
    assert!(asking.await.is_err());
    let news = world.listen(MINUTE).await;
    assert!(!news.iter().any(|told| matches!(told, AnalyzerNews::Offline { .. })));
    assert_eq!(world.server.count("ASYP"), 0);
}
