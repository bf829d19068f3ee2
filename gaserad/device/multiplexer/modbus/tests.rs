//! The driver against the plant's relay board over TCP and a pseudo-terminal, and against boards that misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::device::{Stream, serial};
use crate::simulator::tests::simulator;
use crate::simulator::{Faults, Simulator, listen_modbus, open_relays};

fn channel(number: u8) -> Channel {
    Channel::new(number).unwrap()
}

fn at(number: u8) -> Position {
    Position::At(channel(number), Verification::Readback)
}

fn settings(framing: Framing) -> ModbusSettings {
    ModbusSettings {
        framing,
        unit: 1,
        first_coil: 0,
        channels: 31,
        break_before_make: Some(Duration::from_millis(5)),
        timeout: Duration::from_millis(300),
    }
}

/// A pipe to the plant, in virtual time.
fn plant(faults: Faults) -> Dial {
    let simulator = simulator(faults).0;
    Dial::new("the plant", move || {
        let (near, far) = tokio::io::duplex(1024);
        let simulator = simulator.clone();
        tokio::spawn(async move { simulator.serve_modbus_tcp(far).await });
        async move { Ok(Box::new(near) as Box<dyn Stream>) }
    })
}

fn piped(faults: Faults, settings: ModbusSettings) -> Modbus {
    Modbus::new(plant(faults), settings)
}

async fn refused(faults: Faults, goal: u8) -> String {
    let fault = piped(faults, settings(Framing::Tcp)).go(channel(goal)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused, "{fault}");
    fault.text
}

async fn served() -> (Simulator, String) {
    let simulator = simulator(Faults::default()).0;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(listen_modbus(simulator.clone(), listener, CancellationToken::new()));
    (simulator, address)
}

#[tokio::test]
async fn over_tcp_every_channel_is_read_back_and_nothing_is_known_at_first() {
    let (_simulator, address) = served().await;
    let settings = ModbusSettings { break_before_make: None, ..settings(Framing::Tcp) };
    let mut driver = Modbus::new(Dial::tcp(&address), settings.clone());
    assert_eq!(driver.position().await, Ok(Position::Unknown));
    for number in [1, 31, 8, 9, 16, 16, 17] {
        assert_eq!(driver.go(channel(number)).await, Ok(at(number)));
        assert_eq!(driver.position().await, Ok(at(number)));
    }
    // The board stays as it is while nobody is connected.
    drop(driver);
    let mut driver = Modbus::new(Dial::tcp(&address), settings);
    assert_eq!((driver.position().await, driver.home().await), (Ok(at(17)), Ok(at(1))));
}

#[tokio::test]
async fn over_a_serial_line_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("relays");
    let serving = tokio::spawn(open_relays(simulator(Faults::default()).0, &link).unwrap());
    let mut driver = Modbus::new(serial::dial(link.to_str().unwrap(), 9600), settings(Framing::rtu(9600)));
    assert_eq!(driver.position().await, Ok(Position::Unknown));
    for number in [5, 31, 2] {
        assert_eq!(driver.go(channel(number)).await, Ok(at(number)));
    }
    assert_eq!(driver.home().await, Ok(at(1)));
    // Nobody there has this number.
    drop(driver);
    let elsewhere = ModbusSettings { unit: 9, timeout: Duration::from_millis(50), ..settings(Framing::rtu(9600)) };
    let mut driver = Modbus::new(serial::dial(link.to_str().unwrap(), 9600), elsewhere);
    let fault = driver.home().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("(unit 9) were asked to read its coils twice: no sound answer"), "{fault}");
    serving.abort();
}

#[tokio::test(start_paused = true)]
async fn a_board_that_writes_one_coil_at_a_time_is_written_so() {
    for break_before_make in [None, Some(Duration::from_millis(50))] {
        let settings = ModbusSettings { break_before_make, ..settings(Framing::Tcp) };
        let mut driver = piped(Faults { modbus_single_coils: true, ..Faults::default() }, settings);
        for number in [3, 30, 4] {
            assert_eq!(driver.go(channel(number)).await, Ok(at(number)));
        }
        assert!(driver.singly);
    }
}

#[tokio::test(start_paused = true)]
async fn a_coil_that_does_not_obey_is_a_fault_that_names_what_is_on() {
    let stuck = refused(Faults { coil_stuck: Some(5), ..Faults::default() }, 5).await;
    assert!(stuck.contains("the coil of channel 5 alone, and no coil is on"), "{stuck}");
    let welded = Faults { coil_welded: Some(4), ..Faults::default() };
    let text = refused(welded.clone(), 5).await;
    assert!(text.contains("switch all coils off, and the coil of channel 4 is on"), "{text}");
    let at_once = ModbusSettings { break_before_make: None, ..settings(Framing::Tcp) };
    let mut driver = piped(welded, at_once);
    let fault = driver.go(channel(5)).await.unwrap_err();
    assert!(fault.text.contains("the coils of channels 4, 5 are on"), "{fault}");
    let several = driver.position().await.unwrap_err();
    assert!(several.text.contains("is to have one coil on, and the coils of channels 4, 5 are on"), "{several}");
    assert_eq!(driver.go(channel(4)).await, Ok(at(4)));
}

#[tokio::test(start_paused = true)]
async fn exceptions_and_silence_are_told_apart() {
    let text = refused(Faults { modbus_exception: Some(2), ..Faults::default() }, 5).await;
    assert!(text.contains("exception 2") && text.contains("first_coil"), "{text}");
    for (faults, complaint) in [
        (Faults { modbus_exception: Some(11), ..Faults::default() }, "gateway at the plant"),
        (Faults { modbus_silent: true, ..Faults::default() }, "no sound answer within 300ms"),
    ] {
        let fault = piped(faults, settings(Framing::Tcp)).go(channel(5)).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Offline);
        assert!(fault.text.contains(complaint), "{fault}");
    }
    let busy = refused(Faults { modbus_exception: Some(6), ..Faults::default() }, 5).await;
    assert!(busy.contains("exception 6"), "{busy}");
}

#[tokio::test(start_paused = true)]
async fn coils_of_others_on_the_same_board_are_left_alone() {
    let settings = ModbusSettings { first_coil: 4, channels: 8, ..settings(Framing::Tcp) };
    let board = plant(Faults::default());
    let mut other = Modbus::new(board.clone(), ModbusSettings { first_coil: 0, channels: 4, ..settings.clone() });
    assert_eq!(other.go(channel(3)).await, Ok(at(3)));
    let mut driver = Modbus::new(board, settings);
    for number in [8, 1] {
        assert_eq!(driver.go(channel(number)).await, Ok(at(number)));
        assert_eq!(other.position().await, Ok(at(3)));
    }
    let fault = driver.go(channel(9)).await.unwrap_err();
    assert!(fault.text.contains("channels 1 to 8"), "{fault}");
    let beyond = ModbusSettings { first_coil: 30, channels: 8, ..driver.settings };
    let fault = piped(Faults::default(), beyond).position().await.unwrap_err();
    assert!(fault.text.contains("exception 2"), "{fault}");
}

/// A board over TCP that answers as `respond` says, with the request's number, unit and data. Connections count from 1.
async fn scripted(respond: impl Fn(usize, u16, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Dial {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let respond = Arc::new(respond);
    tokio::spawn(async move {
        let connections = AtomicUsize::new(0);
        while let Ok((stream, _)) = listener.accept().await {
            let connection = connections.fetch_add(1, Ordering::Relaxed) + 1;
            tokio::spawn(converse(stream, connection, respond.clone()));
        }
    });
    Dial::tcp(&address)
}

async fn converse(mut stream: TcpStream, connection: usize, respond: Arc<impl Fn(usize, u16, &[u8]) -> Vec<u8>>) {
    let mut header = [0; 7];
    while stream.read_exact(&mut header).await.is_ok() {
        let mut pdu = vec![0; usize::from(u16::from_be_bytes([header[4], header[5]])) - 1];
        stream.read_exact(&mut pdu).await.unwrap();
        let answer = respond(connection, u16::from_be_bytes([header[0], header[1]]), &pdu);
        stream.write_all(&answer).await.unwrap();
    }
}

/// A frame around the answer `pdu`.
fn framed(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).unwrap();
    [&transaction.to_be_bytes()[..], &[0, 0], &length.to_be_bytes(), &[unit], pdu].concat()
}

/// Coil 3 of 31 is on.
const THIRD: [u8; 6] = [1, 4, 0b100, 0, 0, 0];

#[tokio::test]
async fn an_answer_to_another_request_or_of_another_unit_is_none() {
    for (transaction, unit) in [(u16::MAX, 1), (0, 2)] {
        let spoil = move |sent: u16| if transaction == 0 { sent } else { transaction };
        let dial = scripted(move |connection, sent, _| match connection {
            1 => framed(spoil(sent), unit, &[1, 4, 0b10, 0, 0, 0]),
            _ => framed(sent, 1, &THIRD),
        })
        .await;
        // The first connection is given up, and the second tells the truth.
        assert_eq!(Modbus::new(dial, settings(Framing::Tcp)).position().await, Ok(at(3)));
        let always = scripted(move |_, sent, _| framed(spoil(sent), unit, &THIRD)).await;
        let fault = Modbus::new(always, settings(Framing::Tcp)).position().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Offline);
        assert!(fault.text.contains("what came is no answer to it"), "{fault}");
    }
}

#[tokio::test]
async fn an_answer_with_too_few_coils_or_to_another_function_is_none() {
    for pdu in [&[1, 1, 0b100][..], &[2, 4, 0b100, 0, 0, 0], &[15, 0, 0, 0, 31]] {
        let dial = scripted(move |_, sent, _| framed(sent, 1, pdu)).await;
        let fault = Modbus::new(dial, settings(Framing::Tcp)).position().await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Offline, "{fault}");
    }
}

#[tokio::test]
async fn a_board_that_went_away_is_found_again_by_the_next_order() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let board = simulator(Faults::default()).0;
    let cancel = CancellationToken::new();
    let serving = tokio::spawn(listen_modbus(board.clone(), listener, cancel.clone()));
    let mut driver = Modbus::new(Dial::tcp(&address.to_string()), settings(Framing::Tcp));
    assert_eq!(driver.go(channel(7)).await, Ok(at(7)));
    cancel.cancel();
    serving.await.unwrap();
    let fault = driver.position().await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Offline);
    assert!(fault.text.contains("cannot be opened"), "{fault}");
    let listener = TcpListener::bind(address).await.unwrap();
    tokio::spawn(listen_modbus(board, listener, CancellationToken::new()));
    assert_eq!(driver.position().await, Ok(at(7)));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_answer_on_a_serial_line_is_none() {
    let connections = Arc::new(AtomicUsize::new(0));
    let board = simulator(Faults::default()).0;
    let dial = Dial::new("/dev/ttyTEST", move || {
        let (near, mut far) = tokio::io::duplex(1024);
        let (board, first) = (board.clone(), connections.fetch_add(1, Ordering::Relaxed) == 0);
        tokio::spawn(async move {
            if !first {
                return board.serve_modbus_rtu(far).await;
            }
            let mut request = [0; 8];
            far.read_exact(&mut request).await.unwrap();
            far.write_all(&[1, 1, 4, 0b100, 0, 0, 0, 0xDE, 0xAD]).await.unwrap();
            std::future::pending::<()>().await;
        });
        async move { Ok(Box::new(near) as Box<dyn Stream>) }
    });
    let mut driver = Modbus::new(dial, settings(Framing::rtu(9600)));
    assert_eq!(driver.position().await, Ok(Position::Unknown));
    assert_eq!(driver.go(channel(9)).await, Ok(at(9)));
}
