//! What is asked of the actuator before anything moves.

use super::*;
use crate::device::multiplexer::Multiplexer;
use crate::domain::FaultKind;

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
