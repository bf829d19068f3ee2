//! Every edge between the states, and every delay.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn patience(attempts: u32, polls: bool) -> LinkPatience {
    LinkPatience { attempts: Some(attempts), polls, ..LinkPatience::default() }
}

fn opened(patience: LinkPatience) -> StreamLink {
    let mut link = StreamLink::new(patience);
    link.open();
    link.opened();
    link
}

fn in_state(state: LinkState) -> StreamLink {
    let mut link = opened(LinkPatience::default());
    match state {
        LinkState::Disconnected => link.close(),
        LinkState::Connecting => {
            link.close();
            link.open();
        }
        LinkState::Connected => {}
        LinkState::Reconnecting => assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(SECOND)),
        LinkState::Error => link.refused(),
    }
    assert_eq!(link.state(), state);
    link
}

/// What happens, and where it leads from each state in turn.
type Edge = (&'static str, fn(&mut StreamLink), [LinkState; 5]);

#[test]
fn every_state_has_its_way_out_of_everything_that_happens() {
    use LinkState::{Connected, Connecting, Disconnected, Error, Reconnecting};
    let from = [Disconnected, Connecting, Connected, Reconnecting, Error];
    let edges: [Edge; 6] = [
        ("open", StreamLink::open, [Connecting, Connecting, Connected, Reconnecting, Connecting]),
        ("opened", StreamLink::opened, [Disconnected, Connected, Connected, Connected, Error]),
        ("heard", |link| link.heard(SECOND, true), from),
        (
            "lost",
            |link| assert!(matches!(link.lost(Loss::Broken, 0.5), NextAttempt::Wait(_) | NextAttempt::GiveUp)),
            [Disconnected, Reconnecting, Reconnecting, Reconnecting, Error],
        ),
        ("refused", StreamLink::refused, [Error; 5]),
        ("closed", StreamLink::close, [Disconnected; 5]),
    ];
    for (what, happens, to) in edges {
        for (from, to) in from.into_iter().zip(to) {
            let mut link = in_state(from);
            happens(&mut link);
            assert_eq!(link.state(), to, "{what} in {from:?}");
        }
    }
    assert_eq!(StreamLink::default().state(), Disconnected);
}

#[test]
fn what_is_closed_or_refused_is_not_tried_again() {
    for state in [LinkState::Disconnected, LinkState::Error] {
        assert_eq!(in_state(state).lost(Loss::Broken, 0.5), NextAttempt::GiveUp, "{state:?}");
    }
}

#[test]
fn delays_double_from_one_second_to_thirty_and_any_part_of_them_is_waited() {
    let mut link = opened(LinkPatience::default());
    for longest in [1, 2, 4, 8, 16, 30, 30, 30] {
        let mut other = link.clone();
        assert_eq!(other.lost(Loss::Broken, 0.25), NextAttempt::Wait(seconds(longest) / 4));
        assert_eq!(other.clone().lost(Loss::Broken, 0.0), NextAttempt::Wait(Duration::ZERO));
        assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(longest)));
    }
    for _ in 0..1000 {
        assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(30)));
    }
}

#[test]
fn the_server_says_what_doubles_unless_the_user_does() {
    let mut link = opened(LinkPatience::default());
    link.asked_to_retry_after(seconds(2));
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(2)));
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(4)));

    for (asked, waited) in [(Duration::ZERO, SHORTEST_BASE), (seconds(3600), seconds(30))] {
        let mut link = opened(LinkPatience::default());
        link.asked_to_retry_after(asked);
        assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(waited));
    }

    let none =
        LinkPatience { first_delay: Some(Duration::ZERO), longest_delay: Duration::ZERO, ..LinkPatience::default() };
    assert_eq!(opened(none).lost(Loss::Broken, 1.0), NextAttempt::Wait(SHORTEST_BASE));

    let mine = LinkPatience { first_delay: Some(seconds(3)), longest_delay: seconds(5), ..LinkPatience::default() };
    let mut link = opened(mine);
    link.asked_to_retry_after(seconds(2));
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(3)));
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(5)));
}

#[test]
fn only_a_healthy_stream_makes_the_delay_short_again() {
    let mut link = opened(LinkPatience::default());
    for longest in [1, 2, 4] {
        assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(longest)));
        link.opened();
        link.heard(seconds(9), false);
    }
    let healthy: [(Duration, bool); 2] = [(seconds(10), false), (Duration::ZERO, true)];
    for (since_opened, event) in healthy {
        let mut link = link.clone();
        link.heard(since_opened, event);
        assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(SECOND));
        // What comes late says nothing of the next connection.
        link.heard(seconds(60), true);
        assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(2)));
    }
}

#[test]
fn an_announced_restart_is_waited_for_and_then_the_delays_are_as_ever() {
    let mut link = opened(LinkPatience::default());
    assert_eq!(link.lost(Loss::Restart(seconds(5)), 0.5), NextAttempt::Wait(Duration::from_millis(5500)));
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(SECOND));
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(seconds(2)));
    // One that announces nothing else is no better than one that drops.
    assert_eq!(link.lost(Loss::Restart(Duration::ZERO), 1.0), NextAttempt::Wait(seconds(4)));
    let mut link = opened(LinkPatience::default());
    assert_eq!(link.lost(Loss::Restart(seconds(86400)), 0.0), NextAttempt::Wait(MOST_PATIENCE));
}

#[test]
fn nobody_comes_before_the_server_asked_for() {
    let mut link = opened(LinkPatience::default());
    assert_eq!(link.lost(Loss::Asked(seconds(10)), 0.0), NextAttempt::Wait(seconds(10)));
    assert_eq!(link.lost(Loss::Asked(seconds(10)), 0.5), NextAttempt::Wait(Duration::from_millis(10_500)));
    for _ in 0..4 {
        link.lost(Loss::Broken, 1.0);
    }
    assert_eq!(link.lost(Loss::Asked(seconds(10)), 1.0), NextAttempt::Wait(seconds(30)));
    assert_eq!(link.lost(Loss::Asked(seconds(86400)), 0.0), NextAttempt::Wait(MOST_PATIENCE));
}

#[test]
fn after_so_many_attempts_it_is_given_up() {
    let mut link = opened(patience(2, false));
    assert!(matches!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(_)));
    assert!(matches!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(_)));
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::GiveUp);
    assert_eq!((link.state(), link.is_polling()), (LinkState::Error, false));
    link.open();
    assert_eq!(link.state(), LinkState::Connecting);
    assert!(matches!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(_)));
}

#[test]
fn or_it_is_polled_and_the_stream_is_tried_now_and_then() {
    let mut link = opened(patience(1, true));
    link.lost(Loss::Broken, 1.0);
    for _ in 0..3 {
        assert_eq!(link.lost(Loss::Broken, 0.0), NextAttempt::Poll(seconds(30)));
        assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Poll(seconds(27)));
        assert_eq!((link.state(), link.is_polling()), (LinkState::Reconnecting, true));
    }
    link.opened();
    assert!(!link.is_polling());
    // A stream that opens and breaks at once is polled again at once.
    assert_eq!(link.lost(Loss::Broken, 0.0), NextAttempt::Poll(seconds(30)));
    link.opened();
    link.heard(SECOND, true);
    assert_eq!(link.lost(Loss::Broken, 1.0), NextAttempt::Wait(SECOND));
    assert!(!link.is_polling());
}
