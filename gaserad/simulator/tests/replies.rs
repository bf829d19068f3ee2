//! How the analyzer's replies arrive.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::bytes::ask;
use super::simulator;
use crate::simulator::{Faults, When, listen_analyzer};

const LONG: Duration = Duration::from_secs(3600);

async fn is_mute(stream: &mut DuplexStream) -> bool {
    stream.write_all(b"\x02 ASTS K0 \x03").await.unwrap();
    tokio::time::timeout(LONG, stream.read_u8()).await.is_err()
}

fn every(count: u32) -> When {
    When { every: Some(count), ..When::default() }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_reply_is_half_a_reply_and_the_connection_stays_open_and_mute() {
    let (simulator, _) = simulator(Faults { reply_stalls: Some(every(2)), ..Faults::default() });
    let mut stream = simulator.connect_analyzer();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 2");
    stream.write_all(b"\x02 ATSK K0 \x03").await.unwrap();
    let whole = b"\x02 ATSK 0 7 Calibration task 11 DEFAULT 12 FLUSH\x03";
    let mut half = vec![0; whole.len() / 2];
    stream.read_exact(&mut half).await.unwrap();
    assert_eq!(half, &whole[..whole.len() / 2]);
    assert!(is_mute(&mut stream).await);
    let mut other = simulator.connect_analyzer();
    assert_eq!(ask(&mut other, "ASTS K0").await.unwrap(), "ASTS 0 2");
}

#[tokio::test(start_paused = true)]
async fn a_reply_may_come_byte_by_byte() {
    let (simulator, _) = simulator(Faults { reply_byte_by_byte: true, ..Faults::default() });
    let mut stream = simulator.connect_analyzer();
    stream.write_all(b"\x02 ASTS K0 \x03").await.unwrap();
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut bytes = [0; 64];
    while pieces.concat().last() != Some(&3) {
        let count = stream.read(&mut bytes).await.unwrap();
        pieces.push(bytes[..count].to_vec());
    }
    assert_eq!(pieces.concat(), b"\x02 ASTS 0 2\x03");
    assert!(pieces.iter().all(|piece| piece.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_stray_reply_is_never_one_to_the_question() {
    let (simulator, _) = simulator(Faults { unsolicited: Some(every(1)), ..Faults::default() });
    let mut stream = simulator.connect_analyzer();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "AERR 0 8012");
    let mut rest = [0; 11];
    stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"\x02 ASTS 0 2\x03");
    assert_eq!(ask(&mut stream, "AERR K0").await.unwrap(), "ASTS 0 4");
}

#[tokio::test(start_paused = true)]
async fn some_commands_are_neither_obeyed_nor_answered() {
    let (simulator, _) = simulator(Faults { silent_to: vec!["STAM".into()], ..Faults::default() });
    let mut stream = simulator.connect_analyzer();
    let silent = tokio::time::timeout(LONG, ask(&mut stream, "STAM K0 11")).await;
    assert!(silent.is_err());
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 2");
}

#[tokio::test(start_paused = true)]
async fn a_reboot_ends_every_connection_and_none_is_served_until_it_is_back() {
    let (simulator, _) = simulator(Faults::default());
    let (mut one, mut idle) = (simulator.connect_analyzer(), simulator.connect_analyzer());
    assert_eq!(ask(&mut idle, "ASTS K0").await.unwrap(), "ASTS 0 2");
    assert_eq!(ask(&mut one, "RDEV K0").await.unwrap(), "RDEV 0");
    assert_eq!(ask(&mut one, "ASTS K0").await.unwrap(), "ASTS 0 2");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(ask(&mut one, "ASTS K0").await, None);
    assert_eq!(ask(&mut simulator.connect_analyzer(), "ASTS K0").await, None);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(ask(&mut simulator.connect_analyzer(), "ASTS K0").await.unwrap(), "ASTS 0 0");
    assert_eq!(ask(&mut idle, "ASTS K0").await, None, "its connection is one of before");
}

#[tokio::test]
async fn a_reset_is_a_reset_over_tcp() {
    let (simulator, _) = simulator(Faults { reset: Some(every(2)), ..Faults::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let serving = tokio::spawn(listen_analyzer(simulator, listener, cancel.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 2");
    stream.write_all(b"\x02 STAM K0 11 \x03").await.unwrap();
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 5", "it had obeyed");
    cancel.cancel();
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_reset_ends_a_connection_in_this_process_without_a_reply() {
    let after = Duration::from_secs(10);
    let (simulator, _) = simulator(Faults { reset: Some(When { after, ..When::default() }), ..Faults::default() });
    let mut stream = simulator.connect_analyzer();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 2");
    tokio::time::sleep(after).await;
    assert_eq!(ask(&mut stream, "ASTS K0").await, None);
    assert_eq!(ask(&mut simulator.connect_analyzer(), "ASTS K0").await.unwrap(), "ASTS 0 2");
}
