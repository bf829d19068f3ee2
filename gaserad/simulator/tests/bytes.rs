//! The analyzer over byte streams.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::simulator;
use crate::ak::frame::Decoder;
use crate::simulator::{Faults, listen_analyzer};

/// Sends a request as the instrument's documentation writes it, and gives the reply's text.
pub(super) async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> Option<String> {
    stream.write_all(format!("\x02 {request} \x03").as_bytes()).await.unwrap();
    let mut decoder = Decoder::default();
    let mut byte = [0];
    loop {
        if stream.read(&mut byte).await.unwrap() == 0 {
            return None;
        }
        decoder.push(&byte);
        if let Some(frame) = decoder.next_frame() {
            return Some(frame.text.trim().to_owned());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_measurement_over_one_connection_gives_a_result_and_its_truth() {
    let (simulator, sink) = simulator(Faults::default());
    let mut stream = simulator.connect_analyzer();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 2");
    assert_eq!(ask(&mut stream, "ACON K0").await.unwrap(), "ACON 1");
    assert_eq!(ask(&mut stream, "STAM K0 11").await.unwrap(), "STAM 0");
    tokio::time::sleep(Duration::from_secs(60)).await;
    let result = ask(&mut stream, "ACON K0").await.unwrap();
    let truth = sink.truth();
    assert_eq!(truth.len(), 1);
    assert!(result.starts_with(&format!("ACON 0 {} 74-82-8 ", truth[0].stamp)), "{result}");
    assert!(truth[0].clean && truth[0].channel == 1);
}

#[tokio::test(start_paused = true)]
async fn several_connections_see_one_plant() {
    let (simulator, _) = simulator(Faults::default());
    let (mut one, mut other) = (simulator.connect_analyzer(), simulator.connect_analyzer());
    assert_eq!(ask(&mut one, "STAM K0 11").await.unwrap(), "STAM 0");
    assert_eq!(ask(&mut other, "ASTS K0").await.unwrap(), "ASTS 0 5");
}

#[tokio::test(start_paused = true)]
async fn a_server_may_close_after_every_reply() {
    let (simulator, _) = simulator(Faults { close_after_reply: true, ..Faults::default() });
    let mut stream = simulator.connect_analyzer();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 2");
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn junk_comes_before_the_reply_and_never_within_it() {
    let (simulator, _) = simulator(Faults { junk: true, ..Faults::default() });
    let mut stream = simulator.connect_analyzer();
    assert_eq!(ask(&mut stream, "ATSK K0").await.unwrap(), "ATSK 0 7 Calibration task 11 DEFAULT 12 FLUSH");
    stream.write_all(b"\x02 ASTS K0 \x03").await.unwrap();
    let mut first = [0; 1];
    stream.read_exact(&mut first).await.unwrap();
    assert_ne!(first[0], 0x02);
}

#[tokio::test(start_paused = true)]
async fn slow_replies_come_late_and_silence_gives_none() {
    let (slow, _) = simulator(Faults { slow_reply: Duration::from_millis(500), ..Faults::default() });
    let mut stream = slow.connect_analyzer();
    let early = tokio::time::timeout(Duration::from_millis(499), ask(&mut stream, "ASTS K0")).await;
    assert!(early.is_err());
    let (silent, _) = simulator(Faults { analyzer_silent_after: Some(Duration::ZERO), ..Faults::default() });
    let mut stream = silent.connect_analyzer();
    assert!(tokio::time::timeout(Duration::from_secs(3600), ask(&mut stream, "ASTS K0")).await.is_err());
}

#[tokio::test]
async fn the_listener_serves_tcp_until_it_is_cancelled() {
    let (simulator, _) = simulator(Faults::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cancel = CancellationToken::new();
    let serving = tokio::spawn(listen_analyzer(simulator, listener, cancel.clone()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut stream, "ASTS K0").await.unwrap(), "ASTS 0 2");
    cancel.cancel();
    serving.await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
}
