//! What is asked of the actuator before anything moves.

use super::*;
use crate::device::multiplexer::vici::Dialect;
use crate::domain::FaultKind;

fn with(faults: Faults, settings: ViciSettings) -> (Simulator, Vici) {
    let simulator = plant(31, faults, 1);
    let driver = Vici::new(simulated::valve_dial(&simulator), settings, test_clock(1));
    (simulator, driver)
}

/// Neither looked at nor moved, and for what reason.
async fn refusal(faults: Faults, settings: ViciSettings) -> String {
    let (_, mut driver) = with(faults, settings);
    let fault = driver.go(channel(3)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused, "{fault}");
    assert_eq!(driver.position().await, Err(fault.clone()));
    fault.text
}

#[tokio::test(start_paused = true)]
async fn a_valve_with_too_few_ports_is_refused_before_anything_moves() {
    let simulator = plant(10, Faults::default(), 1);
    let mut driver = simulated::driver(&simulator, 12, test_clock(1));
    for answer in [driver.position().await, driver.go(channel(3)).await] {
        let fault = answer.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        assert!(fault.text.contains("has 10 ports, but 12 channels are configured"), "{fault}");
    }
    assert_eq!(simulated::driver(&simulator, 10, test_clock(1)).position().await, Ok(at(1)));
}

#[tokio::test(start_paused = true)]
async fn an_actuator_for_two_positions_is_refused_unless_its_settings_may_be_written() {
    let faults = || Faults { valve_am: Some(2), ..Faults::default() };
    let text = refusal(faults(), ViciSettings::new(31)).await;
    assert!(text.contains("AM is 2") && text.contains("send it AM3") && text.contains("write_settings"), "{text}");

    let (simulator, mut driver) = with(faults(), ViciSettings { write_settings: true, ..ViciSettings::new(31) });
    assert_eq!(driver.go(channel(3)).await, Ok(at(3)));
    // The actuator remembers it: whoever may not write has nothing to complain of.
    assert_eq!(simulated::driver(&simulator, 31, test_clock(1)).position().await, Ok(at(3)));
}

#[tokio::test(start_paused = true)]
async fn the_number_of_ports_is_written_only_if_it_differs_and_may_be() {
    let faults = || Faults { valve_np: Some(10), ..Faults::default() };
    let wanted = ViciSettings { ports: Some(31), ..ViciSettings::new(16) };
    let text = refusal(faults(), wanted.clone()).await;
    assert!(text.contains("set up for 10 ports, but ports = 31") && text.contains("NP31"), "{text}");

    let (_, mut driver) = with(faults(), ViciSettings { write_settings: true, ..wanted });
    assert_eq!(driver.go(channel(31)).await, Ok(at(31)));

    // The channels are no reason to believe that the valve has as many ports.
    let text = refusal(faults(), ViciSettings { write_settings: true, ..ViciSettings::new(16) }).await;
    assert!(text.contains("has 10 ports, but 16 channels"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_is_right_is_not_written() {
    let writes = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&writes);
    let dial = scripted(move |_, line| {
        if line.starts_with("AM3") || line.starts_with("NP1") {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        Some(introduces(line).unwrap_or_else(|| "CP04\r".into()))
    });
    let settings = ViciSettings { ports: Some(10), write_settings: true, ..ViciSettings::new(10) };
    assert_eq!(Vici::new(dial, settings, test_clock(1)).position().await, Ok(at(4)));
    assert_eq!(writes.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_setting_that_does_not_stay_is_refused() {
    let dial = scripted(|_, line| {
        Some(match line {
            "AM3" => String::new(),
            "AM" => "AM1\r".into(),
            other => introduces(other).unwrap_or_else(|| "CPA\r".into()),
        })
    });
    let settings = ViciSettings { write_settings: true, ..ViciSettings::new(10) };
    let fault = Vici::new(dial, settings, test_clock(1)).position().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.text.contains("was sent AM3, and its AM is 1"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn a_configured_dialect_refuses_the_other_one() {
    for (legacy_valve, wanted, other) in [(true, Dialect::Universal, "legacy"), (false, Dialect::Legacy, "universal")] {
        let faults = || Faults { legacy_valve, ..Faults::default() };
        let settings = ViciSettings { dialect: Some(wanted), ..ViciSettings::new(31) };
        let text = refusal(faults(), settings).await;
        assert!(text.contains(&format!("speaks the {other} dialect")) && text.contains("dialect = \"auto\""), "{text}");
        let right = if legacy_valve { Dialect::Legacy } else { Dialect::Universal };
        let (_, mut driver) = with(faults(), ViciSettings { dialect: Some(right), ..ViciSettings::new(31) });
        assert_eq!(driver.position().await, Ok(at(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn every_form_of_address_reaches_a_valve_with_an_id() {
    for (address, id) in [("3", '3'), ("/3", '3'), ("C", 'C'), ("/N", 'N')] {
        for legacy_valve in [false, true] {
            let faults = Faults { valve_id: Some(id), legacy_valve, ..Faults::default() };
            let (_, mut driver) = with(faults, ViciSettings { address: Some(address.into()), ..ViciSettings::new(31) });
            assert_eq!(driver.go(channel(3)).await, Ok(at(3)), "{address}");
        }
    }
    let faults = Faults { valve_id: Some('3'), ..Faults::default() };
    let (_, mut unaddressed) = with(faults, ViciSettings::new(31));
    let fault = unaddressed.position().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("the address"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn it_describes_itself_as_far_as_it_can() {
    let (_, mut universal) = with(Faults::default(), ViciSettings::new(31));
    universal.go(channel(3)).await.unwrap();
    universal.go(channel(5)).await.unwrap();
    let described = universal.describe().await.unwrap();
    assert_eq!(described.model, "GASERAD SIMULATED VALVE, 2026-01-15");
    assert_eq!(described.actuations, Some(2));
    let (_, mut legacy) = with(Faults { legacy_valve: true, ..Faults::default() }, ViciSettings::new(31));
    let described = legacy.describe().await.unwrap();
    assert_eq!((described.model.as_str(), described.actuations), ("GASERAD SIMULATED VALVE", None));
}
