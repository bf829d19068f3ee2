//! Real pseudo-terminals: what a serial port does.

use super::*;
use crate::device::multiplexer::Multiplexer;
use crate::device::serial;
use crate::simulator::open_valve;

#[tokio::test]
async fn the_driver_moves_the_valve_through_a_real_serial_port() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("valve");
    // Fast, since this happens in real time.
    let scale = 100;
    for legacy_valve in [false, true] {
        let simulator = plant(31, Faults { legacy_valve, ..Faults::default() }, scale);
        let serving = tokio::spawn(open_valve(simulator, &link).unwrap());
        // Twice: the port survives being closed, and the valve stays where it was.
        for stands in [1, 2] {
            let dial = serial::dial(link.to_str().unwrap(), 9600);
            let settings = ViciSettings::new(31);
            let mut driver = Vici::new(dial.clone(), settings, test_clock(scale));
            assert_eq!(driver.position().await, Ok(at(stands)));
            assert_eq!(driver.go(channel(17)).await, Ok(at(17)));
            assert_eq!(driver.home().await, Ok(at(1)));
            assert_eq!(driver.go(channel(2)).await, Ok(at(2)));
            let taken = dial.open().await.err().unwrap();
            assert_eq!(taken.kind(), std::io::ErrorKind::ResourceBusy);
        }
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
        assert!(link.symlink_metadata().is_err());
    }
}
