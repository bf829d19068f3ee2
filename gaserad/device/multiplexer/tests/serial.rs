//! Real pseudo-terminals: what a serial port does.

use std::path::Path;

use super::*;
use crate::device::serial;
use crate::domain::FaultKind;
use crate::simulator::{Unplugged, open_valve};

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

/// The plant's valve at `link`, whose plug is pulled at 400 s of plant time for 100 s; a hundred times as fast. A busy
/// machine needs these four seconds to come so far.
fn unplugged(link: &Path) -> tokio::task::JoinHandle<()> {
    let outage = Unplugged { after: Duration::from_secs(400), length: Some(Duration::from_secs(100)), link: None };
    let simulator = plant(31, Faults { serial_unplugged: Some(outage), ..Faults::default() }, SCALE);
    tokio::spawn(open_valve(simulator, link).unwrap())
}

const SCALE: u32 = 100;

fn desk(link: &Path) -> Desk {
    let dial = serial::dial(link.to_str().unwrap(), 9600);
    Desk::with_clock(Vici::new(dial, ViciSettings::new(31), test_clock(SCALE)), test_clock(SCALE))
}

#[tokio::test]
async fn a_serial_port_that_comes_back_as_another_one_is_opened_by_its_stable_name() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("valve");
    let serving = unplugged(&link);
    let before = std::fs::read_link(&link).unwrap();
    let mut desk = desk(&link);
    desk.found(1).await;
    desk.order(1, ValveOrder::Goto(channel(3)));
    assert_eq!(desk.next_answer().await, (1, Ok(at(3))));
    let Report::Valve(ValveNews::Lost(fault)) = desk.next().await else { panic!("the loss is not told") };
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("there is no such port now; see that it is plugged in"), "{fault}");
    // While it is away an order fails, and says why.
    desk.order(2, ValveOrder::Goto(channel(4)));
    let (id, answer) = desk.next_answer().await;
    assert_eq!((id, answer.unwrap_err().kind), (2, FaultKind::Offline));
    // Read back and described anew: the valve has not moved meanwhile.
    desk.found(3).await;
    assert_ne!(std::fs::read_link(&link).unwrap(), before);
    desk.order(3, ValveOrder::Goto(channel(4)));
    assert_eq!(desk.next_answer().await, (3, Ok(at(4))));
    serving.abort();
}

#[tokio::test]
async fn a_port_that_another_program_claimed_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("valve");
    let serving = tokio::spawn(open_valve(plant(31, Faults::default(), 1), &link).unwrap());
    let claimed = std::fs::File::options().read(true).write(true).open(&link).unwrap();
    rustix::fs::flock(&claimed, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let dial = serial::dial(link.to_str().unwrap(), 9600);
    let mut driver = Vici::new(dial, ViciSettings::new(31), test_clock(1));
    let fault = driver.position().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("another program has the port open"), "{fault}");
    drop(claimed);
    assert_eq!(driver.position().await, Ok(at(1)));
    serving.abort();
}
