//! What changes the instrument: sent once, then seen.

use super::model::{Model, World, stamps};
use super::{MINUTE, SECOND};
use crate::device::fake::Fate;
use crate::domain::{
    AnalyzerAnswer, AnalyzerNews, AnalyzerOrder, AnalyzerTime, Fault, FaultKind, IfMeasuring, Service,
};

fn served(answer: Result<AnalyzerAnswer, Fault>) -> String {
    match answer {
        Ok(AnalyzerAnswer::Served(text)) => text,
        other => panic!("{other:?}"),
    }
}

const SENT_ONCE: [(&str, &str); 5] = [
    ("STAM 11", "it is measuring"),
    ("STAT DEFAULT", "it is measuring"),
    ("STST", "self-test runs"),
    ("RDEV", "it restarts"),
    ("SNET 0 10.0.0.7 255.0.0.0 10.0.0.1", "has this network"),
];

#[tokio::test(start_paused = true)]
async fn what_was_obeyed_although_its_reply_was_lost_is_seen_and_not_sent_again() {
    for fate in [Fate::Lost, Fate::CloseAndObey] {
        for (line, seen) in SENT_ONCE {
            let mut world = World::new(Model::default());
            world.listen(SECOND).await;
            world.server.next(&line[..4], fate.clone());
            let text = served(world.serve(line).await);
            assert!(text.contains("was lost, but") && text.contains(seen), "{line}: {text}");
            assert_eq!(world.server.count(&line[..4]), 1, "{line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_lost_on_its_way_is_not_sent_again_and_not_said_to_be_done() {
    for fate in [Fate::Silence, Fate::Close] {
        for (line, _) in SENT_ONCE {
            let mut world = World::new(Model::default());
            world.listen(SECOND).await;
            world.server.next(&line[..4], fate.clone());
            let fault = world.serve(line).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Offline, "{line}: {fault}");
            assert!(fault.text.contains(&format!("to {} was lost", &line[..4])), "{line}: {fault}");
            assert_eq!(world.server.count(&line[..4]), 1, "{line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_self_test_is_not_begun_while_one_is_under_way() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    served(world.serve("STST").await);
    for order in [AnalyzerOrder::Serve(Service::SelfTest), AnalyzerOrder::Serve(Service::Ak(super::model::ak("STST")))]
    {
        let fault = world.carry_out(order).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Busy);
        assert!(fault.text.contains("tests itself already; a self-test takes about two minutes"), "{fault}");
    }
    assert_eq!(world.server.count("STST"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_answered_with_the_reply_and_what_was_seen() {
    for (line, seen) in &SENT_ONCE[..4] {
        let mut world = World::new(Model::default());
        world.listen(SECOND).await;
        let text = served(world.serve(line).await);
        assert!(text.starts_with(&format!("{} 0; ", &line[..4])) && text.contains(seen), "{text}");
    }
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    let text = served(world.serve("SNET 0 10.0.0.7 255.0.0.0 10.0.0.1").await);
    assert!(text.contains("takes effect when the analyzer is started again"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_or_nonsense_is_a_refusal() {
    let mut world = World::new(Model { self_test: false, ..Model::default() });
    world.listen(SECOND).await;
    let fault = world.carry_out(AnalyzerOrder::Serve(Service::SelfTest)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.text.contains("\"STST 1\""), "{fault}");
    for line in ["STAM DEFAULT", "SNET 1", "XY", "SCON 1 2 3"] {
        let asked = world.server.asked().len();
        assert_eq!(world.serve(line).await.unwrap_err().kind, FaultKind::Refused, "{line}");
        assert!(!world.server.asked()[asked..].contains(&line.to_owned()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_accepted_restart_that_does_not_come_is_told() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    world.model().deaf = true;
    let fault = world.serve("RDEV").await.unwrap_err();
    assert_eq!((fault.kind, world.server.count("RDEV")), (FaultKind::Refused, 1));
    assert!(fault.text.contains("after 15s it is not seen to be so: idle"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_restart_is_followed_and_the_layout_set_again() {
    let mut world = World::new(Model::default());
    world.listen(SECOND).await;
    let layouts = world.server.count("SCON");
    served(world.serve("RDEV").await);
    let news = world.listen(MINUTE).await;
    assert!(!news.iter().any(|told| matches!(told, AnalyzerNews::Offline { .. })), "{news:?}");
    assert!(world.server.count("SCON") > layouts);
}

#[tokio::test(start_paused = true)]
async fn a_raw_stop_stops() {
    let mut world = World::new(Model::default());
    world.start_by_another();
    world.listen(30 * SECOND).await;
    assert_eq!(served(world.serve("STPM").await), "it has stopped");
    assert_eq!(world.server.count("STPM"), 1);
    assert_eq!(served(world.serve("STPM").await), "STPM 0; nothing was being measured");
}

#[tokio::test(start_paused = true)]
async fn another_layout_is_set_back_and_that_is_said() {
    let mut world = World::new(Model { cycle: 20 * SECOND, ..Model::default() });
    world.start_by_another();
    world.listen(10 * SECOND).await;
    for line in ["SCON 0 1 1", "SCOR 124-38-9 74-82-8"] {
        let text = served(world.serve(line).await);
        assert!(text.contains("then set back to time, CAS number and concentration"), "{text}");
        assert_eq!(world.server.asked().last().unwrap(), "SCON 1 1 1");
    }
    assert_eq!(stamps(&world.listen(15 * SECOND).await), [1001]);
}

#[tokio::test(start_paused = true)]
async fn what_is_safe_to_repeat_is_answered_in_its_own_words() {
    let mut world = World::new(Model::default());
    world.server.next("SONL", Fate::Silence);
    assert_eq!(served(world.serve("SONL 1").await), "SONL 0");
    assert_eq!(served(world.serve("ASTS").await), "ASTS 0 2");
}

#[tokio::test(start_paused = true)]
async fn a_measurement_of_somebody_else_is_refused_with_both_ways_out() {
    let mut world = World::new(Model::default());
    world.start_by_another();
    world.listen(70 * SECOND).await;
    let fault = world.prepare().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Busy);
    assert_eq!(
        fault.text,
        "the analyzer at 192.0.2.1:8888 is measuring (iteration 1) already, and not for this daemon; have it stopped \
         first with --if-measuring stop, or its measurement taken over with --if-measuring adopt"
    );
    assert_eq!(world.server.count("STPM"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_measurement_of_somebody_else_can_be_stopped() {
    let mut world = World::new(Model::default());
    world.start_by_another();
    world.listen(70 * SECOND).await;
    let answer = world.prepare_if(IfMeasuring::Stop).await.unwrap();
    let AnalyzerAnswer::Prepared { task_id: 11, adopted: false, baseline, .. } = answer else { panic!("{answer:?}") };
    assert_eq!(baseline, Some(AnalyzerTime(1001)));
    assert_eq!(world.server.count("STPM"), 1);
    assert_eq!(world.carry_out(AnalyzerOrder::Start { task_id: 11 }).await, Ok(AnalyzerAnswer::Started));
}

#[tokio::test(start_paused = true)]
async fn a_measurement_of_somebody_else_can_be_adopted() {
    let mut world = World::new(Model::default());
    world.start_by_another();
    world.listen(70 * SECOND).await;
    let answer = world.prepare_if(IfMeasuring::Adopt).await.unwrap();
    let AnalyzerAnswer::Prepared { task_id: 11, adopted: true, baseline, gases, .. } = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((baseline, gases.len()), (Some(AnalyzerTime(1001)), 2));
    assert_eq!((world.server.count("STPM"), world.server.count("STAM")), (0, 0));
    assert_eq!(stamps(&world.listen(MINUTE).await), [1001, 1002], "what was there before is told to be");
}

#[tokio::test(start_paused = true)]
async fn an_idle_analyzer_is_not_adopted_but_prepared() {
    let mut world = World::new(Model::default());
    for choice in [IfMeasuring::Adopt, IfMeasuring::Stop] {
        let answer = world.prepare_if(choice).await;
        assert!(matches!(answer, Ok(AnalyzerAnswer::Prepared { adopted: false, .. })), "{answer:?}");
    }
    assert_eq!(world.server.count("STPM"), 0);
}
