//! Streams as bytes on a connection.

use tokio::net::TcpSocket;

use super::*;
use crate::domain::Published;

async fn ask(daemon: &Daemon, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&daemon.place).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// What comes until it contains `end`, or until the connection ends.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut buffer) = (String::new(), vec![0; 1 << 16]);
    while !text.contains(end) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
    }
    text
}

#[tokio::test]
async fn a_stream_is_a_chunked_answer_with_an_orderly_end() {
    let daemon = Daemon::start().await;
    let mut stream = ask(&daemon, &get("/events")).await;
    let begin = until(&mut stream, "event: snapshot").await;
    let (head, _) = begin.split_once("\r\n\r\n").unwrap();
    for line in [
        "HTTP/1.1 200 OK",
        "content-type: text/event-stream; charset=utf-8",
        "transfer-encoding: chunked",
        "date: Thu, 15 Jan 2026 08:03:12 GMT",
    ] {
        assert!(head.lines().any(|found| found == line), "{head}");
    }
    daemon
        .hub
        .publish(vec![published(1, &Event::SystemShutdown { reason: "the end".into(), restart_expected_s: None })]);
    let end = until(&mut stream, "no more").await;
    assert!(end.contains("event: system.shutdown") && end.ends_with("\n\n\r\n0\r\n\r\n"), "{end}");
}

#[tokio::test]
async fn an_old_client_gets_the_stream_without_chunks() {
    let daemon = Daemon::start().await;
    let mut stream = ask(&daemon, "GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n").await;
    let begin = until(&mut stream, "event: snapshot").await;
    assert!(begin.contains("\r\n\r\nretry: 2000\nevent: connected\n") && !begin.contains("chunked"), "{begin}");
}

#[tokio::test]
async fn a_stream_may_follow_another_answer_on_its_connection() {
    let daemon = Daemon::start().await;
    let mut stream = ask(&daemon, &format!("{}{}", get("/healthz"), get("/events"))).await;
    let text = until(&mut stream, "event: snapshot").await;
    assert!(text.contains("\r\n\r\nok\n") && text.contains("event: connected"), "{text}");
}

#[tokio::test]
async fn readers_of_different_views_side_by_side_get_each_their_own() {
    let daemon = Daemon::start().await;
    let paths = ["/events?since=0", "/events?since=0", "/events?since=0&types=alarm", "/events?since=0&format=jsonl"];
    let mut streams = Vec::new();
    for path in paths {
        let mut stream = ask(&daemon, &get(path)).await;
        until(&mut stream, "connected").await;
        streams.push(stream);
    }
    daemon.publish(1..=50);
    daemon
        .hub
        .publish(vec![published(51, &Event::SystemShutdown { reason: "the end".into(), restart_expected_s: None })]);
    let mut found = Vec::new();
    for stream in &mut streams {
        let text = until(stream, "no more").await;
        found.push((text.matches("device.phase").count(), text.matches("system.shutdown").count()));
    }
    assert_eq!(found, [(50, 1), (50, 1), (0, 1), (50, 1)]);
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the time is virtual")]
async fn a_silent_stream_is_kept_alive_by_comments() {
    let daemon = Daemon::with(Settings { keepalive: Duration::from_secs(8), ..Settings::default() }).await;
    let mut stream = ask(&daemon, &get("/events")).await;
    until(&mut stream, "event: snapshot").await;
    for _ in 0..2 {
        let begun = tokio::time::Instant::now();
        assert_eq!(until(&mut stream, ": keep-alive").await.matches(": keep-alive\n\n\r\n").count(), 1);
        let after = begun.elapsed();
        assert!((Duration::from_secs(6)..=Duration::from_secs(9)).contains(&after), "{after:?}");
    }
}

#[tokio::test]
async fn a_client_that_talks_where_it_should_listen_is_sent_away() {
    let daemon = Daemon::start().await;
    let mut stream = ask(&daemon, &get("/events")).await;
    until(&mut stream, "event: snapshot").await;
    stream.write_all(&[b'x'; 6000]).await.unwrap();
    until(&mut stream, "no more").await;
    while daemon.hub.clients() > 0 {
        tokio::task::yield_now().await;
    }
}

/// Until everybody has left, of the virtual time.
#[expect(clippy::disallowed_methods, reason = "the time is virtual")]
async fn until_empty(daemon: &Daemon) -> Duration {
    let begun = tokio::time::Instant::now();
    while daemon.hub.clients() > 0 && begun.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    begun.elapsed()
}

/// More than anything keeps for a reader that does not read.
async fn flood(daemon: &Daemon, events: u64) {
    let padding = "x".repeat(1000);
    for seq in 1..=events {
        let event = Published { data: json!({ "n": seq, "padding": padding }).to_string(), ..numbered(seq) };
        daemon.history.keep(std::slice::from_ref(&event));
        daemon.hub.publish(vec![event]);
        if seq % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// The last event that came whole; 0 if none did.
fn last_id(text: &str) -> u64 {
    let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
    whole.rsplit_once("id: ").and_then(|(_, rest)| rest.lines().next()?.parse().ok()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn clients_that_never_read_are_cut_off_in_time_and_made_whole_when_they_return() {
    const EVENTS: u64 = 3000;
    for ring in [64, 5000] {
        let daemon = Daemon::with(Settings { ring, ..Settings::default() }).await;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut sleeper = socket.connect(daemon.place.parse().unwrap()).await.unwrap();
        sleeper.write_all(get("/events?since=0").as_bytes()).await.unwrap();
        flood(&daemon, EVENTS).await;
        while daemon.hub.clients() == 0 {
            tokio::task::yield_now().await;
        }
        let after = until_empty(&daemon).await;
        assert!(after <= Duration::from_secs(15), "{after:?}");
        let last = last_id(&until(&mut sleeper, "no more").await);
        assert!(last < EVENTS, "{last}");
        let mut again = Reader::open(&daemon, "/events", &[("last-event-id", &last.to_string())]).await;
        let missed = usize::try_from(EVENTS - last).unwrap();
        assert_eq!(again.ids(missed).await, (last + 1..=EVENTS).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the time is virtual")]
async fn a_stream_that_is_not_read_is_cut_off_from_its_connection_over_http2() {
    let daemon = Daemon::start().await;
    let stream = UnixStream::connect(&daemon.socket).await.unwrap();
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(65_535).initial_connection_window_size(1 << 20);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut ask = async |path: &str| {
        let request = Request::builder().uri(format!("http://localhost{path}")).body(Empty::<Bytes>::new()).unwrap();
        sender.send_request(request).await.unwrap()
    };
    let sleeper = ask("/events?since=0").await;
    let mut awake = ask("/events?types=alarm").await.into_body();
    assert_eq!(daemon.hub.clients(), 2);
    let begun = tokio::time::Instant::now();
    flood(&daemon, 1000).await;
    while daemon.hub.clients() > 1 {
        tokio::select! {
            frame = awake.frame() => drop(frame.unwrap().unwrap()),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        assert!(begun.elapsed() <= Duration::from_secs(15));
    }
    let counted = daemon.hub.counts().left;
    assert_eq!(counted.get("stalled"), Some(&1), "{counted:?}");
    let mut body = sleeper.into_body();
    let (mut text, mut ended) = (Vec::new(), None);
    while ended.is_none() {
        match body.frame().await {
            Some(Ok(frame)) => text.extend_from_slice(&frame.into_data().unwrap_or_default()),
            other => ended = Some(other),
        }
    }
    assert!(matches!(ended, Some(Some(Err(_)))), "a stream that is cut off has no end of its own");
    let last = last_id(&String::from_utf8_lossy(&text));
    assert!((1..1000).contains(&last), "{last}");
    let mut again = Reader::open(&daemon, "/events", &[("last-event-id", &last.to_string())]).await;
    assert_eq!(again.ids(usize::try_from(1000 - last).unwrap()).await, (last + 1..=1000).collect::<Vec<_>>());
    // Whoever shares the connection loses nothing.
    assert_eq!(whole(ask("/healthz").await).await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_from_the_unix_socket_is_cut_off_in_time() {
    let daemon = Daemon::start().await;
    let mut sleeper = UnixStream::connect(&daemon.socket).await.unwrap();
    sleeper.write_all(get("/events?since=0").as_bytes()).await.unwrap();
    while daemon.hub.clients() == 0 {
        tokio::task::yield_now().await;
    }
    flood(&daemon, 1000).await;
    let after = until_empty(&daemon).await;
    assert!(after <= Duration::from_secs(15), "{after:?}");
}
