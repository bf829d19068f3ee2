//! Who is let in, over real sockets: tokens, cookies, names, origins, TLS, and places.

use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsConnector, client};

use super::*;
use crate::api::auth::{Names, Role, Seats, Token, Tokens};

pub fn access() -> Access {
    let lines = [Token::line(Role::Operator, "ada", "chief"), Token::line(Role::Viewer, "screen", "wall")];
    let names = Names { hosts: Vec::new(), origins: vec!["https://dashboard.example.org".into()] };
    Access { tokens: Tokens::parse(&lines.join("\n")).unwrap(), loopback_open: false, names, ..Access::local() }
}

pub async fn guarded(access: Access) -> Daemon {
    Daemon::guarded(Settings::default(), access, None).await
}

/// gRPC over TCP, with a token.
async fn call(daemon: &Daemon, token: &str) -> Result<(), tonic::Status> {
    let stream = TcpStream::connect(&daemon.place).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = tonic::Request::new(proto::AbortMeasurementRequest::default());
    if !token.is_empty() {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    GaseraServiceClient::new(Channel(sender)).abort_measurement(request).await.map(drop)
}

#[tokio::test]
async fn who_may_read_may_not_give_orders_and_who_is_unknown_may_do_neither() {
    let daemon = guarded(access()).await;
    for (token, code, reason) in [
        ("", Code::Unauthenticated, "TOKEN_MISSING"),
        ("guess", Code::Unauthenticated, "TOKEN_WRONG"),
        ("wall", Code::PermissionDenied, "NOT_PERMITTED"),
    ] {
        let status = call(&daemon, token).await.unwrap_err();
        assert_eq!((status.code(), status.get_details_error_info().unwrap().reason.as_str()), (code, reason));
    }
    assert_eq!(daemon.measuring.asked.lock().unwrap().len(), 0);
    call(&daemon, "chief").await.unwrap();
    let asked = daemon.measuring.asked.lock().unwrap().clone();
    assert!(asked.len() == 1 && asked[0].starts_with("abort by token ada from 127.0.0.1:"), "{asked:?}");

    let (status, text) = daemon.get("/status").await;
    assert!(status == StatusCode::UNAUTHORIZED && text.contains("gaseractl --token-file"), "{status} {text}");
    let shown = daemon.ask(Method::GET, "/status", &[("authorization", "Bearer wall")]).await;
    assert_eq!(shown.status(), StatusCode::OK);
    let missing = daemon.ask(Method::GET, "/events", &[]).await;
    assert_eq!(missing.headers()["www-authenticate"], "Bearer realm=\"gaserad\"");
}

#[tokio::test]
async fn orders_in_vain_are_kept_but_not_without_end() {
    let daemon = guarded(access()).await;
    call(&daemon, "wall").await.unwrap_err();
    let kept = daemon.ledger.0.lock().unwrap().clone();
    assert_eq!(kept[0].what, "AbortMeasurement");
    assert!(kept[0].result.contains("token screen from 127.0.0.1:"), "{kept:?}");
    for _ in 0..200 {
        let answer = daemon.ask(Method::POST, "/events/test", &[("authorization", "Bearer guess")]).await;
        assert!([StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS].contains(&answer.status()));
    }
    assert!(daemon.ledger.0.lock().unwrap().len() <= 51);
}

/// Posts a body, and gives the answer's status, cookie and text.
pub async fn post(daemon: &Daemon, path: &str, headers: &[(&str, &str)], body: &str) -> (StatusCode, String, String) {
    let stream = TcpStream::connect(&daemon.place).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().method(Method::POST).uri(path).header("host", &daemon.place);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let body = http_body_util::Full::new(Bytes::from(body.to_owned()));
    let answer = sender.send_request(request.body(body).unwrap()).await.unwrap();
    let cookie = answer.headers().get("set-cookie").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
    let (status, text) = whole(answer).await;
    (status, cookie, text)
}

#[tokio::test]
async fn a_browser_logs_in_follows_the_stream_and_logs_out() {
    let daemon = guarded(access()).await;
    let (status, cookie, text) = post(&daemon, "/login", &[], "guess").await;
    assert!(status == StatusCode::UNAUTHORIZED && cookie.is_empty(), "{status} {text}");
    let (status, cookie, text) =
        post(&daemon, "/login", &[("content-type", "application/json")], r#"{"token":"wall"}"#).await;
    assert!(status == StatusCode::OK && text.contains("\"role\":\"viewer\""), "{status} {text}");
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let mut reader = Reader::open(&daemon, "/events", &[("cookie", pair)]).await;
    assert_eq!(reader.next().await.unwrap().name, "connected");
    let order = daemon.ask(Method::POST, "/events/test", &[("cookie", pair)]).await;
    assert_eq!(order.status(), StatusCode::FORBIDDEN);
    assert_eq!(post(&daemon, "/logout", &[("cookie", pair)], "").await.0, StatusCode::OK);
    assert_eq!(daemon.ask(Method::GET, "/events", &[("cookie", pair)]).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn pages_from_elsewhere_are_turned_away_unless_they_are_listed() {
    let daemon = guarded(Access { loopback_open: true, ..access() }).await;
    for (name, value) in [("host", "evil.example"), ("origin", "http://evil.example"), ("origin", "null")] {
        for path in ["/events", "/status", "/gasera/api/measurement/events", "/nothing"] {
            let answer = daemon.ask(Method::GET, path, &[(name, value)]).await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{name} {value} {path}");
            assert!(!answer.headers().contains_key("access-control-allow-origin"));
        }
    }
    let listed = "https://dashboard.example.org";
    for path in ["/events", "/status", "/nothing"] {
        let answer = daemon.ask(Method::GET, path, &[("origin", listed)]).await;
        assert_eq!(answer.headers()["access-control-allow-origin"], listed, "{path}");
    }
    let asks = [("origin", listed), ("access-control-request-method", "POST")];
    let preflight = daemon.ask(Method::OPTIONS, "/events/subscribe", &asks).await;
    assert_eq!(preflight.status(), StatusCode::NO_CONTENT);
    assert!(preflight.headers()["access-control-allow-methods"].to_str().unwrap().contains("POST"));
    let foreign = [("origin", "http://evil.example"), ("access-control-request-method", "POST")];
    let refused = daemon.ask(Method::OPTIONS, "/events/subscribe", &foreign).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let (status, text) = daemon.get("/events?token=chief").await;
    assert!(status == StatusCode::BAD_REQUEST && text.contains("does not belong into an address"), "{text}");
}

#[tokio::test]
async fn no_get_changes_anything() {
    let daemon = Daemon::start().await;
    let paths = [
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/status",
        "/status/stream?ids=1",
        "/events/schema",
        "/events/stats",
        "/events/connections",
        "/events/connections/1",
        "/events/subscribe",
        "/events/test",
        "/sse/test-event",
        "/runs",
        "/runs/last",
        "/runs/last/samples.csv",
        "/login",
        "/logout",
        "/control/start",
        "/control/abort",
        "/plan/check",
        "/me",
        "/gasera/start",
        "/gasera/abort",
        "/gasera.v1.GaseraService/AbortMeasurement",
        "/gasera.v1.GaseraService/StartMeasurement",
    ];
    for path in paths {
        for method in [Method::GET, Method::HEAD] {
            let answer = daemon.ask(method, path, &[]).await;
            assert!(!answer.headers().contains_key("set-cookie"), "{path}");
        }
    }
    assert_eq!(*daemon.measuring.asked.lock().unwrap(), [""; 0]);
    assert!(daemon.ledger.0.lock().unwrap().is_empty());
}

/// Whatever the method, so that nobody learns more than they may.
#[tokio::test]
async fn what_changes_something_is_never_read_and_needs_an_operator() {
    let daemon = guarded(access()).await;
    let (viewer, operator) = ([("authorization", "Bearer wall")], [("authorization", "Bearer chief")]);
    for path in ["/events/test", "/sse/test-event", "/events/connections/7", "/control/start", "/control/note"] {
        for path in [path.to_owned(), format!("/v1{path}")] {
            assert_eq!(daemon.ask(Method::GET, &path, &viewer).await.status(), StatusCode::FORBIDDEN, "{path}");
            let answer = daemon.ask(Method::GET, &path, &operator).await;
            assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        }
    }
    for path in ["/events", "/status", "/metrics", "/events/connections", "/status/stream", "/runs/last/samples.csv"] {
        let answer = daemon.ask(Method::POST, path, &viewer).await;
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
}

#[tokio::test]
async fn who_says_nothing_is_sent_away_and_keeps_nobody_out() {
    let seats = Seats { waiting: 20, seated: 2, per_peer: 64 };
    let daemon = guarded(Access { seats, ..Access::local() }).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(&daemon.place).await.unwrap());
    }
    assert_eq!(daemon.get("/healthz").await.0, StatusCode::OK);
    // The longest waiting one has been closed, the last one has not.
    assert_eq!(silent[0].read(&mut [0]).await.unwrap(), 0);
    assert!(silent[199].try_read(&mut [0]).is_err());
}

#[tokio::test]
async fn a_head_that_does_not_come_to_its_end_is_not_waited_for() {
    let daemon = guarded(Access { head_within: Duration::from_millis(100), ..Access::local() }).await;
    for beginning in ["", "G", "GET /status HTTP/1.1\r\nhost: localhost\r\nx: ", "PRI * HTT"] {
        let mut slow = TcpStream::connect(&daemon.place).await.unwrap();
        slow.write_all(beginning.as_bytes()).await.unwrap();
        let mut told = Vec::new();
        // Closed or reset, and at most told why.
        let _ = slow.read_to_end(&mut told).await;
        assert!(told.is_empty() || told.starts_with(b"HTTP/1.1 408"), "{beginning}: {told:?}");
    }
}

#[tokio::test]
async fn heads_and_bodies_are_bounded() {
    let daemon = Daemon::start().await;
    let long = "x".repeat(50_000);
    let answer = daemon.ask(Method::GET, "/status", &[("x-long", &long)]).await;
    let (status, text) = whole(answer).await;
    assert!(status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE && text.contains("32768 bytes"), "{status} {text}");
    let many: Vec<(String, &str)> = (0..200).map(|number| (format!("x-{number}"), "y")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let answer = daemon.ask(Method::GET, "/status", &many).await;
    assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    let (status, _, text) = post(&daemon, "/login", &[], &"x".repeat(9000)).await;
    assert!(status == StatusCode::PAYLOAD_TOO_LARGE && text.contains("8192 bytes"), "{status} {text}");
    let answer = daemon.ask(Method::POST, "/login", &[("content-length", "999999999999")]).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn when_all_places_are_taken_the_socket_still_answers_and_so_does_tcp_when_one_is_free() {
    let seats = Seats { waiting: 100, seated: 2, per_peer: 64 };
    let daemon = guarded(Access { seats, ..Access::local() }).await;
    let mut taken = Vec::new();
    for _ in 0..2 {
        let stream = TcpStream::connect(&daemon.place).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::get("/healthz").header("host", "localhost").body(Empty::<Bytes>::new()).unwrap();
        assert_eq!(sender.send_request(request).await.unwrap().status(), StatusCode::OK);
        taken.push((sender, connection));
    }
    let answer = daemon.ask(Method::GET, "/status", &[]).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "5");
    daemon.grpc().await.abort_measurement(proto::AbortMeasurementRequest::default()).await.unwrap();
    // Streams have places of their own.
    Reader::open(&daemon, "/events", &[]).await;
    taken.clear();
    while daemon.get("/status").await.0 != StatusCode::OK {
        tokio::task::yield_now().await;
    }
}

fn certified() -> (TlsAcceptor, TlsConnector) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let provider = || Arc::new(ring::default_provider());
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (TlsAcceptor::from(Arc::new(server)), TlsConnector::from(Arc::new(client)))
}

async fn over_tls(daemon: &Daemon, connector: &TlsConnector) -> client::TlsStream<TcpStream> {
    let stream = TcpStream::connect(&daemon.place).await.unwrap();
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

#[tokio::test]
async fn everything_goes_over_tls_too() {
    let (acceptor, connector) = certified();
    let daemon = Daemon::guarded(Settings::default(), access(), Some(acceptor)).await;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(over_tls(&daemon, &connector).await)).await.unwrap();
    tokio::spawn(connection);
    let authorized = |path: &str| {
        Request::get(path)
            .header("host", "localhost")
            .header("authorization", "Bearer wall")
            .header("origin", "https://localhost")
    };
    let answer = sender.send_request(authorized("/events").body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut reader = Reader { body: answer.into_body(), text: String::new() };
    assert_eq!(reader.next().await.unwrap().name, "connected");

    let tls = over_tls(&daemon, &connector).await;
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(tls)).await.unwrap();
    tokio::spawn(connection);
    let mut client = GaseraServiceClient::new(Channel(sender));
    let mut request = tonic::Request::new(proto::GetStatusRequest {});
    request.metadata_mut().insert("authorization", "Bearer wall".parse().unwrap());
    client.get_status(request).await.unwrap();
}

#[tokio::test]
async fn who_does_not_speak_tls_is_told_nothing() {
    let (acceptor, _) = certified();
    let daemon = Daemon::guarded(Settings::default(), access(), Some(acceptor)).await;
    let mut plain = TcpStream::connect(&daemon.place).await.unwrap();
    plain.write_all(b"GET /status HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut told = Vec::new();
    let _ = plain.read_to_end(&mut told).await;
    assert!(!told.starts_with(b"HTTP"), "{told:?}");
}

#[tokio::test]
async fn who_may_only_read_changes_what_is_in_no_streams_but_their_own() {
    let daemon = guarded(access()).await;
    let mut ids = Vec::new();
    let mut readers = Vec::new();
    for token in ["wall", "chief"] {
        let mut reader = Reader::open(&daemon, "/events", &[("authorization", &format!("Bearer {token}"))]).await;
        ids.push(reader.next().await.unwrap().data["connection_id"].as_str().unwrap().to_owned());
        readers.push(reader);
    }
    let (own, foreign) = (&ids[0], &ids[1]);
    for (token, id, status) in [("wall", own, 200), ("wall", foreign, 403), ("chief", own, 200), ("wall", own, 200)] {
        let path = format!("/events/subscribe?connection_id={id}");
        let (found, _, text) =
            post(&daemon, &path, &[("authorization", &format!("Bearer {token}"))], r#"{"types":["alarm"]}"#).await;
        assert_eq!(found.as_u16(), status, "{token} {text}");
        assert_eq!(text.contains("somebody else's"), status == 403, "{text}");
    }
}

/// An address of this machine that is not loopback.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent.
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().unwrap().ip())
}

#[tokio::test]
async fn streams_are_among_the_connections_that_one_other_machine_may_have() {
    let Some(address) = own_address() else {
        return println!("NOT TESTED: this machine has no address but loopback");
    };
    let seats = Seats { waiting: 20, seated: 20, per_peer: 3 };
    let daemon = Daemon::at(&format!("{address}:0"), Settings::default(), Access { seats, ..access() }, None).await;
    let viewer = [("authorization", "Bearer wall")];
    let mut readers = Vec::new();
    for _ in 0..3 {
        let mut reader = Reader::open(&daemon, "/events", &viewer).await;
        // Its connection is taken over by then.
        assert_eq!(reader.next().await.unwrap().name, "connected");
        readers.push(reader);
    }
    let mut refused = TcpStream::connect(&daemon.place).await.unwrap();
    let mut text = String::new();
    refused.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 503") && text.contains("close some"), "{text}");
    readers.pop();
    while daemon.hub.clients() > 2 {
        tokio::task::yield_now().await;
    }
    let mut reader = Reader::open(&daemon, "/events", &viewer).await;
    assert_eq!(reader.next().await.unwrap().name, "connected");
}
