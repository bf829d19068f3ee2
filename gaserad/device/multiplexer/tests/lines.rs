//! Whatever comes along the line beside answers.

use super::*;
use crate::domain::FaultKind;

#[tokio::test(start_paused = true)]
async fn echoes_stray_lines_and_every_line_end_are_tolerated() {
    let ordered = AtomicUsize::new(0);
    let dial = scripted(move |_, line| {
        Some(match line {
            "NP" => "NP\r\nNP10\r\n".to_owned(),
            "AM" | "CNT" => format!("{line}\r\n\r\nBad command\r\n"),
            "VR" => "VR\r\nTEN PORTS\r\n\r\n2026-01-15\n".to_owned(),
            "CP" if ordered.load(Ordering::Relaxed) > 0 => "\nGO03\r\n\r\nPosition is = 3\n".to_owned(),
            "CP" => "Position is  = 1\r\n".to_owned(),
            echo => {
                ordered.fetch_add(1, Ordering::Relaxed);
                format!("{echo}\r\nmoving\n")
            }
        })
    });
    let mut driver = vici(dial);
    assert_eq!(driver.go(channel(3)).await, Ok(at(3)));
    assert_eq!(driver.describe().await.unwrap().model, "TEN PORTS, 2026-01-15");
}

#[tokio::test(start_paused = true)]
async fn a_line_left_over_from_before_does_not_answer_the_next_question() {
    // Every answer is followed by one about a port where the valve is not.
    let dial = obedient(|port| format!("CP{port:02}\rCP09\r"));
    let mut driver = vici(dial);
    for number in [2, 5, 3] {
        assert_eq!(driver.go(channel(number)).await, Ok(at(number)));
        assert_eq!(driver.position().await, Ok(at(number)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_too_late_is_not_taken_for_the_next_one() {
    let (stands, asked) = (AtomicU8::new(1), AtomicUsize::new(0));
    let dial = scripted(move |connection, line| {
        if let Some(port) = line.strip_prefix("GO") {
            stands.store(port.parse().unwrap(), Ordering::Relaxed);
            return Some(String::new());
        }
        if let Some(reply) = introduces(line) {
            return Some(reply);
        }
        // The first question is answered only when the second one comes, if it comes on the same connection.
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        let stale = if connection == 1 && !first { "CP09\r" } else { "" };
        Some(if first { String::new() } else { format!("{stale}CP{:02}\r", stands.load(Ordering::Relaxed)) })
    });
    assert_eq!(vici(dial).position().await, Ok(at(1)));
}

#[tokio::test(start_paused = true)]
async fn an_address_goes_before_every_command_and_may_come_before_replies() {
    let orders = AtomicUsize::new(0);
    let dial = scripted(move |_, line| {
        Some(match line {
            "/ANP" => "/ANP10\r".to_owned(),
            "/ACP" if orders.load(Ordering::Relaxed) > 0 => "/ACP06\r".to_owned(),
            "/ACP" => "CP01\r".to_owned(),
            "/AGO06" => {
                orders.fetch_add(1, Ordering::Relaxed);
                String::new()
            }
            other => format!("Bad command {other}\r"),
        })
    });
    let settings = ViciSettings { address: Some("/A".into()), ..ViciSettings::new(10) };
    assert_eq!(Vici::new(dial, settings, test_clock(1)).go(channel(6)).await, Ok(at(6)));
}

#[tokio::test(start_paused = true)]
async fn a_refused_order_is_repeated_once_in_case_the_line_garbled_it() {
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let dial = scripted(move |_, line| {
        if line.starts_with("GO") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Some(introduces(line).unwrap_or_else(|| if line == "CP" { "CP01\r".into() } else { "Bad command\r".into() }))
    });
    let fault = vici(dial).go(channel(3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.text.contains("GO03") && fault.text.contains("Bad command"), "{fault}");
    assert_eq!(orders.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_talks_nonsense_is_refused_in_bounded_time() {
    for nonsense in ["hello\r", "\u{2}\u{3}garbage\r\n\r\n", &"x".repeat(2000)] {
        let nonsense = nonsense.to_owned();
        let mut driver = vici(scripted(move |_, _| Some(nonsense.clone())));
        let (answer, time) = timed(driver.position()).await;
        assert!(answer.is_err() && time < Duration::from_secs(5), "{time:?}");
    }
}
