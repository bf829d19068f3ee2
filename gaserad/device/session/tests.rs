use super::*;
use crate::device::fake::{FakeServer, Fate};
use crate::domain::AnalyzerState;

fn idle() -> FakeServer {
    FakeServer::new(|request| if request.code == "ASTS" { "ASTS 0 2".into() } else { format!("{} 0", request.code) })
}

fn auto(server: &FakeServer) -> Session {
    Session::new(server.dial(), SessionMode::Auto)
}

async fn state(session: &mut Session) -> AnalyzerState {
    session.ask(&Command::State).await.unwrap().state().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_is_asked_over_one_connection() {
    let server = idle();
    let mut session = auto(&server);
    for _ in 0..3 {
        assert_eq!(state(&mut session).await, AnalyzerState::Idle);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_up_after_each_reply_is_asked_each_thing_once() {
    let server = idle().closing_after_reply();
    for mode in [SessionMode::Auto, SessionMode::Persistent, SessionMode::Oneshot] {
        let before = server.asked().len();
        let mut session = Session::new(server.dial(), mode);
        for _ in 0..4 {
            assert_eq!(state(&mut session).await, AnalyzerState::Idle);
        }
        session.ask(&Command::Start { task: 11 }).await.unwrap();
        assert_eq!(server.asked().len() - before, 5, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_question_per_connection_if_that_is_wanted() {
    let server = idle();
    let mut session = Session::new(server.dial(), SessionMode::Oneshot);
    for _ in 0..3 {
        state(&mut session).await;
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test(start_paused = true)]
async fn noise_and_pieces_and_a_late_reply_are_no_trouble() {
    let server = idle();
    server.next("ASTS", Fate::Pieces);
    server.next("ASTS", Fate::Late(Duration::from_millis(2900)));
    let mut session = auto(&server);
    assert_eq!(state(&mut session).await, AnalyzerState::Idle);
    assert_eq!(state(&mut session).await, AnalyzerState::Idle);
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn replies_to_other_questions_are_discarded() {
    let server = idle();
    server.next("ASTS", Fate::Bytes(b"\x02 ACON 0 10 74-82-8 1\x03\x02 ASTS 0 5\x03".to_vec()));
    assert_eq!(state(&mut auto(&server)).await, AnalyzerState::Measuring);
}

#[tokio::test(start_paused = true)]
async fn after_a_late_reply_the_connection_is_not_used_again() {
    let server = idle();
    server.next("ASTS", Fate::Late(Duration::from_secs(4)));
    let mut session = auto(&server);
    assert_eq!(state(&mut session).await, AnalyzerState::Idle);
    assert_eq!((server.count("ASTS"), server.connections()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn after_a_malformed_reply_the_connection_is_not_used_again() {
    let server = idle();
    server.next("ASTS", Fate::Bytes(b"\x02 ASTS\x03".to_vec()));
    let mut session = auto(&server);
    assert_eq!(state(&mut session).await, AnalyzerState::Idle);
    assert_eq!(server.connections(), 2);
    for _ in 0..2 {
        server.next("ASTS", Fate::Bytes(b"\x02 SSH-2.0\x03".to_vec()));
    }
    let error = session.ask(&Command::State).await.unwrap_err();
    assert!(matches!(error, AskError::Malformed { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_question_without_a_reply_is_asked_twice_and_no_more() {
    let server = idle();
    for _ in 0..2 {
        server.next("ASTS", Fate::Silence);
    }
    let error = auto(&server).ask(&Command::State).await.unwrap_err();
    assert_eq!(error.to_string(), "192.0.2.1:8888 gave no reply to ASTS: nothing came within 3 s");
    assert_eq!(server.count("ASTS"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_start_is_never_asked_twice() {
    for fate in [Fate::Silence, Fate::Close, Fate::Lost, Fate::Bytes(b"\x02 ST".to_vec())] {
        let server = idle();
        let mut session = auto(&server);
        for _ in 0..2 {
            state(&mut session).await;
        }
        server.next("STAM", fate);
        let error = session.ask(&Command::Start { task: 11 }).await.unwrap_err();
        assert!(matches!(&error, AskError::Lost { code, .. } if code == "STAM"), "{error}");
        assert_eq!(server.count("STAM"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_is_delivered_although_the_server_has_restarted() {
    let server = idle();
    let mut session = auto(&server);
    state(&mut session).await;
    state(&mut session).await;
    server.next("ASTS", Fate::Close);
    state(&mut session).await;
    session.ask(&Command::Start { task: 11 }).await.unwrap().done(&Command::Start { task: 11 }).unwrap();
    assert_eq!(server.count("STAM"), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_there_is_unreachable() {
    let server = idle();
    server.unplug(true);
    let error = auto(&server).ask(&Command::State).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect to 192.0.2.1:8888: connection refused");
    let nowhere = Dial::new("192.0.2.9:8888", std::future::pending);
    let error = Session::new(nowhere, SessionMode::Auto).ask(&Command::State).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot connect to 192.0.2.9:8888: nothing answered within 2 s");
}

#[tokio::test(start_paused = true)]
async fn after_a_stray_reply_the_connection_is_not_used_again() {
    let strays: [&[u8]; 3] = [
        b"\x02 ACON 0 10 74-82-8 1\x03\x02 ASTS 0 2\x03",
        b"\x02 ASTS 0 2\x03\x02 ASTS 0 5\x03",
        b"\x02 ASTS 0 2\x03\r\n\x02 AS",
    ];
    for stray in strays {
        let server = idle();
        server.next("ASTS", Fate::Bytes(stray.to_vec()));
        let mut session = auto(&server);
        assert_eq!(state(&mut session).await, AnalyzerState::Idle);
        assert_eq!(state(&mut session).await, AnalyzerState::Idle);
        assert_eq!((server.count("ASTS"), server.connections()), (2, 2), "{stray:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_comes_twice_is_not_taken_for_the_answer_to_the_next_question() {
    let server = idle();
    server.next("ASTS", Fate::Twice(Duration::from_millis(50)));
    let mut session = auto(&server);
    state(&mut session).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.next("ASTS", Fate::Bytes(b"\x02 ASTS 0 5\x03".to_vec()));
    assert_eq!(state(&mut session).await, AnalyzerState::Measuring);
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn noise_between_two_replies_costs_no_connection() {
    let server = idle();
    server.next("ASTS", Fate::Bytes(b"~#\x03\x02 ASTS 0 2\x03\r\n #~".to_vec()));
    let mut session = auto(&server);
    for _ in 0..3 {
        assert_eq!(state(&mut session).await, AnalyzerState::Idle);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn half_a_reply_that_stalls_is_thrown_away_with_its_connection() {
    let server = idle();
    server.next("ASTS", Fate::Half);
    let mut session = auto(&server);
    assert_eq!(state(&mut session).await, AnalyzerState::Idle);
    assert_eq!((server.count("ASTS"), server.connections()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_question_that_was_given_up_leaves_no_connection_behind() {
    let server = idle();
    server.next("ASTS", Fate::Late(Duration::from_secs(1)));
    let mut session = auto(&server);
    let given_up = timeout(Duration::from_millis(500), session.ask(&Command::State)).await;
    assert!(given_up.is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.next("ASTS", Fate::Bytes(b"\x02 ASTS 0 5\x03".to_vec()));
    assert_eq!(state(&mut session).await, AnalyzerState::Measuring);
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_close_after_the_first_reply_is_a_habit_only_if_it_comes_again() {
    let server = idle();
    let mut session = auto(&server);
    state(&mut session).await;
    server.next("ASTS", Fate::Close);
    for _ in 0..5 {
        state(&mut session).await;
    }
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_must_not_be_repeated_is_asked_twice() {
    let network = crate::domain::instrument::Network {
        dhcp: true,
        address: String::new(),
        netmask: String::new(),
        gateway: String::new(),
    };
    let commands = [
        Command::Start { task: 11 },
        Command::StartByName("DEFAULT".into()),
        Command::SelfTest,
        Command::Reboot,
        Command::SetNetwork(network),
    ];
    for command in commands {
        for fate in [Fate::Silence, Fate::Close, Fate::Lost, Fate::CloseAndObey, Fate::Half] {
            let server = idle();
            let mut session = auto(&server);
            state(&mut session).await;
            server.next(command.code(), fate.clone());
            let error = session.ask(&command).await.unwrap_err();
            assert!(matches!(&error, AskError::Lost { .. }), "{error}");
            assert_eq!(server.count(command.code()), 1, "{command:?}, {fate:?}");
        }
    }
}
