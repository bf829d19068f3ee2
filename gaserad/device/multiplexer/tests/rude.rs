//! Actuators of all wordings: which are moved, and which never are.

use std::sync::Mutex;

use super::*;
use crate::domain::FaultKind;

/// What an actuator answers to `CP`, `AM` and `NP`; an empty text is silence.
#[derive(Debug, Clone, Copy)]
struct Manner {
    cp: &'static str,
    am: &'static str,
    np: &'static str,
    address: &'static str,
    write: bool,
}

const BAD: &str = "Bad command";
const UNIVERSAL: Manner = Manner { cp: "CP01", am: "AM3", np: "NP10", address: "", write: false };
const LG1: Manner = Manner { cp: "Position is  = 1", am: "AM = 3", np: "NP = 10", ..UNIVERSAL };
const LEGACY: Manner = Manner { am: BAD, ..LG1 };

/// The answer to an order to channel 3, and all that the actuator was sent that could move it or set it.
async fn ordered(manner: Manner) -> (Result<Position, Fault>, Vec<String>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let orders = Arc::clone(&sent);
    let Manner { cp, am, np, address, write } = manner;
    let dial = scripted(move |_, line| {
        let command = line.strip_prefix(address)?;
        let reply = match command {
            "CP" if orders.lock().unwrap().iter().any(|order| order == "GO03") => cp.replace('1', "3"),
            "CP" => cp.into(),
            "AM" => am.into(),
            "NP" => np.into(),
            "VR" => "RUDE".into(),
            "CNT" => BAD.into(),
            order => {
                orders.lock().unwrap().push(order.to_owned());
                String::new()
            }
        };
        Some(if reply.is_empty() { reply } else { format!("{reply}\r") })
    });
    let settings = ViciSettings {
        address: (!address.is_empty()).then(|| address.to_owned()),
        write_settings: write,
        ..ViciSettings::new(10)
    };
    let answer = Vici::new(dial, settings, test_clock(1)).go(channel(3)).await;
    let sent = sent.lock().unwrap().clone();
    (answer, sent)
}

#[tokio::test(start_paused = true)]
async fn a_multiposition_valve_is_moved_in_every_wording() {
    for manner in [
        UNIVERSAL,
        LG1,
        LEGACY,
        Manner { am: "AM  = 3", ..LG1 },
        Manner { am: "am = 03", np: "np=10", cp: "position is=1", ..LG1 },
        Manner { am: "AM3 (multiposition)", np: "NP = 10 ports", ..UNIVERSAL },
        Manner { am: "Actuator Mode = 3", ..LG1 },
        Manner { am: "Unknown command", ..LG1 },
        Manner { cp: "3Position is  = 1", am: "3AM = 3", np: "3NP = 10", address: "3", ..LG1 },
        Manner { cp: "/3CP01", am: "/3AM3", np: "/3NP10", address: "/3", ..UNIVERSAL },
        Manner { cp: "3CP01", am: "3AM3", np: "3NP10", address: "/3", ..UNIVERSAL },
    ] {
        let (answer, sent) = ordered(manner).await;
        assert_eq!((answer, sent), (Ok(at(3)), vec!["GO03".to_owned()]), "{manner:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_be_a_valve_with_two_positions_is_never_moved() {
    for (manner, says) in [
        (Manner { am: "AM1", ..UNIVERSAL }, "AM is 1"),
        (Manner { am: "AM = 2", ..LG1 }, "AM is 2"),
        (Manner { am: "AM  = 2", cp: "Position is  = A", np: BAD, ..LG1 }, "AM is 2"),
        (Manner { am: "am=1", ..LG1 }, "AM is 1"),
        (Manner { am: "3AM = 1", cp: "3Position is = 1", np: "3NP = 10", address: "3", ..LG1 }, "AM is 1"),
        (Manner { am: "AM2 two position without stops", ..UNIVERSAL }, "AM is 2"),
        // Not understood.
        (Manner { am: "AM = ?", ..LG1 }, "answers \"AM = ?\""),
        (Manner { am: "AM4", ..UNIVERSAL }, "answers \"AM4\""),
        (Manner { am: "AM3 two position", ..UNIVERSAL }, "answers \"AM3 two position\""),
        (Manner { am: "ERROR", ..LG1 }, "answers \"ERROR\""),
        (Manner { am: "?", ..UNIVERSAL }, "answers \"?\""),
        (Manner { am: "", ..LEGACY }, "was asked AM"),
        (Manner { am: "4AM3", ..UNIVERSAL }, "answers \"4AM3\""),
        // No AM, and nothing else that says so clearly.
        (Manner { cp: "Position is  = A", ..LEGACY }, "answers \"Position is  = A\" to CP"),
        (Manner { cp: "CPB", am: BAD, ..UNIVERSAL }, "answers \"CPB\" to CP"),
        (Manner { cp: "Position is near to = B", ..LEGACY }, "to CP"),
        (Manner { np: BAD, ..LEGACY }, "was asked NP"),
        (Manner { np: "", ..LEGACY }, "was asked NP"),
        (Manner { np: "NP = many", ..LEGACY }, "answers \"NP = many\""),
        (Manner { np: "NP = 9", ..LEGACY }, "has 9 ports, but 10 channels"),
        // They contradict each other.
        (Manner { cp: "CPA", ..UNIVERSAL }, "although it is set up for many"),
        (Manner { cp: "Position is  = 12", ..LG1 }, "has ports 1 to 10"),
        (Manner { cp: "CPA", am: "AM3", write: true, ..UNIVERSAL }, "although it is set up for many"),
        (Manner { am: "AM = ?", write: true, ..LG1 }, "answers \"AM = ?\""),
    ] {
        let (answer, sent) = ordered(manner).await;
        let fault = answer.unwrap_err();
        assert!(fault.text.contains(says), "{manner:?}: {fault}");
        assert_eq!((fault.kind, sent), (FaultKind::Refused, Vec::<String>::new()), "{manner:?}: {fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_ports_and_no_mode_may_be_a_valve_with_two_positions() {
    let dial = scripted(|_, line| {
        Some(match line {
            "CP" => "Position is  = 1\r".into(),
            "NP" => "NP = 2\r".into(),
            "AM" | "CNT" => "Bad command\r".into(),
            "VR" => "EHMA\r".into(),
            order => panic!("{order}"),
        })
    });
    let fault = Vici::new(dial, ViciSettings::new(2), test_clock(1)).go(channel(2)).await.unwrap_err();
    assert!(fault.text.contains("has 2 ports (NP) and no AM"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn noise_that_makes_a_bad_command_of_the_question_is_asked_through() {
    let asked = AtomicUsize::new(0);
    let dial = scripted(move |_, line| {
        Some(match line {
            "AM" if asked.fetch_add(1, Ordering::Relaxed) == 0 => "Bad command\r".into(),
            "AM" => "AM1\r".into(),
            other => introduces(other).unwrap_or_else(|| "CP01\r".into()),
        })
    });
    let fault = vici(dial).go(channel(3)).await.unwrap_err();
    assert!(fault.text.contains("AM is 1"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_valve_that_is_set_to_two_positions_later_is_not_moved() {
    let asked = AtomicUsize::new(0);
    let dial = scripted(move |_, line| {
        assert!(!line.starts_with("GO"), "{line}");
        Some(match line {
            "CP" if asked.fetch_add(1, Ordering::Relaxed) < 2 => "CP01\r".into(),
            "CP" => "CPA\r".into(),
            other => introduces(other).unwrap(),
        })
    });
    let mut driver = vici(dial);
    assert_eq!(driver.position().await, Ok(at(1)));
    let fault = driver.go(channel(3)).await.unwrap_err();
    assert!(fault.text.contains("stands on A or B (CP)") && fault.text.contains("not moved"), "{fault}");
}
