//! The simulator as a process of its own would run it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{simulator, test_clock};
use crate::simulator::{Faults, SimulatorOptions, Unplugged, open_valve, run};

fn options() -> SimulatorOptions {
    SimulatorOptions {
        ak: "127.0.0.1:0".into(),
        vici: None,
        modbus: None,
        cycle: Duration::from_secs(58),
        channels: 31,
        faults: None,
        truth: None,
        seed: 1,
    }
}

async fn failure(options: SimulatorOptions) -> String {
    run(options, test_clock(1), CancellationToken::new(), |_| ()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn it_says_where_it_is_and_takes_its_link_away_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (link, truth) = (folder.path().join("valve"), folder.path().join("truth.jsonl"));
    let options = SimulatorOptions { vici: Some(link.clone()), truth: Some(truth.clone()), ..options() };
    let (cancel, (tell, told)) = (CancellationToken::new(), oneshot::channel());
    let running = run(options, test_clock(1), cancel.clone(), |ready| tell.send(ready.clone()).unwrap());
    let running = tokio::spawn(running);
    let ready = told.await.unwrap();
    assert_eq!(ready.vici.as_deref(), Some(link.as_path()));
    assert!(std::fs::read_link(&link).unwrap().starts_with("/dev/pts"));
    let mut stream = TcpStream::connect(ready.ak).await.unwrap();
    stream.write_all(b"\x02 ASTS K0 \x03").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 0x02);
    cancel.cancel();
    running.await.unwrap().unwrap();
    assert!(link.symlink_metadata().is_err() && truth.exists());
}

#[tokio::test]
async fn the_relay_board_is_on_tcp_or_on_a_serial_port() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("relays");
    for place in ["127.0.0.1:0", link.to_str().unwrap()] {
        let options = SimulatorOptions { modbus: Some(place.into()), ..options() };
        let (cancel, (tell, told)) = (CancellationToken::new(), oneshot::channel());
        let running = run(options, test_clock(1), cancel.clone(), |ready| tell.send(ready.clone()).unwrap());
        let running = tokio::spawn(running);
        let modbus = told.await.unwrap().modbus.unwrap();
        if place.contains('/') {
            assert!(modbus == place && std::fs::read_link(&link).unwrap().starts_with("/dev/pts"));
        } else {
            let mut stream = TcpStream::connect(&modbus).await.unwrap();
            stream.write_all(&[0, 7, 0, 0, 0, 6, 1, 1, 0, 0, 0, 8]).await.unwrap();
            let mut answer = [0; 10];
            stream.read_exact(&mut answer).await.unwrap();
            assert_eq!(answer, [0, 7, 0, 0, 0, 4, 1, 1, 1, 0]);
        }
        cancel.cancel();
        running.await.unwrap().unwrap();
        assert!(link.symlink_metadata().is_err());
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let nowhere = PathBuf::from("/nonexistent/file");
    let faults = failure(SimulatorOptions { faults: Some(nowhere.clone()), ..options() }).await;
    assert!(faults.contains("cannot read the faults file /nonexistent/file"), "{faults}");
    let truth = failure(SimulatorOptions { truth: Some(nowhere.clone()), ..options() }).await;
    assert!(truth.contains("cannot write the truth file /nonexistent/file"), "{truth}");
    let valve = failure(SimulatorOptions { vici: Some(nowhere), ..options() }).await;
    assert!(valve.contains("cannot put the valve's serial port at /nonexistent/file"), "{valve}");
    for place in ["/nonexistent/file", "127.0.0.1:99999", "nonsense"] {
        let modbus = failure(SimulatorOptions { modbus: Some(place.into()), ..options() }).await;
        assert!(modbus.contains(&format!("cannot serve Modbus at {place}")), "{modbus}");
    }
    let address = failure(SimulatorOptions { ak: "127.0.0.1:99999".into(), ..options() }).await;
    assert!(address.contains("cannot listen for AK on 127.0.0.1:99999"), "{address}");
}

#[tokio::test]
async fn a_stale_link_is_replaced_and_anything_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (simulator, _) = simulator(Faults::default());
    let link = folder.path().join("valve");
    std::os::unix::fs::symlink("/dev/pts/nonexistent", &link).unwrap();
    let serving = open_valve(simulator.clone(), &link).unwrap();
    assert!(link.exists());
    drop(serving);
    assert!(link.symlink_metadata().is_err());

    let file = folder.path().join("notes.txt");
    std::fs::write(&file, "mine").unwrap();
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&file, &elsewhere).unwrap();
    for taken in [&file, &elsewhere] {
        let error = open_valve(simulator.clone(), taken).err().unwrap();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(taken).unwrap(), "mine");
    }
}

#[tokio::test]
async fn a_pulled_plug_hangs_up_and_the_port_is_back_under_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let (link, other) = (folder.path().join("valve"), folder.path().join("other"));
    let after = Duration::from_millis(50);
    let outage = Unplugged { after, length: Some(after), link: Some(other.clone()) };
    let (simulator, _) = simulator(Faults { serial_unplugged: Some(outage), ..Faults::default() });
    let serving = tokio::spawn(open_valve(simulator, &link).unwrap());
    let before = std::fs::read_link(&link).unwrap();
    let mut port = serial2_tokio::SerialPort::open(&link, 9600).unwrap();
    // Nothing more comes: the end of what there is, or an error.
    assert!(port.read_u8().await.is_err());
    while !other.exists() {
        tokio::task::yield_now().await;
    }
    assert!(link.symlink_metadata().is_err());
    // The old port is still open, and so has its name to itself.
    assert_ne!(std::fs::read_link(&other).unwrap(), before);
    let mut port = serial2_tokio::SerialPort::open(&other, 9600).unwrap();
    port.write_all(b"CP\r").await.unwrap();
    let mut reply = [0; 5];
    port.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"CP01\r");
    serving.abort();
}
