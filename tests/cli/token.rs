//! A daemon beyond this machine: a token, and TLS. Real certificates, made for each test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::fake::{Action, Fake, Script};
use super::support::{Done, gaseractl, greeting, run, status};

const TOKEN: &str = "0123-abcd";

fn token_file(folder: &TempDir, token: &str) -> String {
    let path = folder.path().join(token);
    std::fs::write(&path, format!("{token}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.display().to_string()
}

fn script() -> Script {
    let idle = status(None, None, 40);
    let streams = vec![vec![Action::Send(greeting(&idle)), Action::Hang]];
    let pages = vec![("/events/stats", 200, r#"{"active_clients":1}"#.to_owned())];
    Script { streams, pages, status: serde_json::to_string(&idle).unwrap(), token: Some(TOKEN), ..Script::default() }
}

/// One command over each of the ways to the daemon: gRPC, HTTP, the stream.
const WAYS: [&[&str]; 3] =
    [&["status", "-q"], &["stream", "stats", "-q"], &["watch", "--timeout", "2s", "--types", "phase"]];

#[test]
fn the_token_is_shown_over_every_way_to_the_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let file = token_file(&folder, TOKEN);
    let fake = Fake::new(script());
    for (args, exit) in WAYS.into_iter().zip([0, 0, 124]) {
        let done = run(&[args, &["--endpoint", &fake.http, "--token-file", &file]].concat());
        assert_eq!(done.exit, exit, "{args:?} {done:?}");
    }
    let done = gaseractl().args(["status", "-q", "--endpoint", &fake.unix]).env("GASERACTL_TOKEN_FILE", &file).output();
    assert_eq!(done.unwrap().status.code(), Some(0));
}

#[test]
fn without_the_right_token_it_is_exit_11_and_never_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = token_file(&folder, "9999");
    let fake = Fake::new(script());
    for args in WAYS {
        let done = run(&[args, &["--endpoint", &fake.unix]].concat());
        assert!(done.exit == 11 && done.stderr.contains("a token is needed"), "{args:?} {done:?}");
        let done = run(&[args, &["--endpoint", &fake.unix, "--token-file", &wrong]].concat());
        assert!(done.exit == 11 && done.stderr.contains("this token is not known here"), "{args:?} {done:?}");
        assert!(!done.stderr.contains("9999"), "{done:?}");
    }
    assert_eq!(fake.calls(), [""; 0]);
}

#[test]
fn a_token_that_others_can_read_is_not_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = token_file(&folder, TOKEN);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let fake = Fake::new(script());
    let done = run(&["status", "--endpoint", &fake.http, "--token-file", &file]);
    assert_eq!((done.exit, fake.calls().len()), (2, 0), "{done:?}");
    assert!(done.stderr.contains("others can get at it (its mode is 644); run `chmod 600 /"), "{done:?}");
}

/// An authority and the certificate that it gave to a daemon.
struct Certified {
    authority: PathBuf,
    acceptor: TlsAcceptor,
}

fn certified(folder: &Path, name: &str) -> Certified {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, format!("authority of {name}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = folder.join(format!("{name}.pem"));
    std::fs::write(&authority, params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Certified { authority, acceptor: TlsAcceptor::from(Arc::new(config)) }
}

fn over_tls(fake: &Fake, args: &[&str], authority: &Path) -> Done {
    let authority = authority.display().to_string();
    run(&[args, &["--endpoint", &fake.http, "--ca-file", &authority]].concat())
}

#[test]
fn everything_goes_over_tls_to_a_daemon_that_is_vouched_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = token_file(&folder, TOKEN);
    let Certified { authority, acceptor } = certified(folder.path(), "127.0.0.1");
    let fake = Fake::new(Script { tls: Some(acceptor), ..script() });
    assert!(fake.http.starts_with("https://"));
    for (args, exit) in WAYS.into_iter().zip([0, 0, 124]) {
        let done = over_tls(&fake, &[args, &["--token-file", &file]].concat(), &authority);
        assert_eq!(done.exit, exit, "{args:?} {done:?}");
    }
    assert_eq!(fake.calls(), ["GetStatus", "GET /events/stats", "GET /events?types=phase"]);
    let done = over_tls(&fake, WAYS[0], &authority);
    assert_eq!(done.exit, 11, "{done:?}");
}

#[test]
fn a_daemon_that_nobody_vouches_for_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = token_file(&folder, TOKEN);
    let ours = certified(folder.path(), "127.0.0.1");
    let other = certified(folder.path(), "lab-pc");
    for (acceptor, authority, why) in
        [(&ours.acceptor, &other.authority, "UnknownIssuer"), (&other.acceptor, &other.authority, "not valid for name")]
    {
        let fake = Fake::new(Script { tls: Some(acceptor.clone()), ..script() });
        let done = over_tls(&fake, &["status", "--token-file", &file], authority);
        assert_eq!(done.exit, 8, "{done:?}");
        assert!(done.stderr.contains(why) && done.stderr.contains("--ca-file names"), "{done:?}");
        assert!(fake.calls().iter().all(|call| call.starts_with("no handshake")), "{:?}", fake.calls());
    }
}

#[test]
fn a_daemon_that_speaks_plainly_is_not_taken_for_one_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let authority = certified(folder.path(), "127.0.0.1").authority;
    let fake = Fake::new(script());
    let https = fake.http.replace("http:", "https:");
    let done = run(&["status", "--endpoint", &https, "--ca-file", &authority.display().to_string()]);
    assert!(done.exit == 8 && done.stderr.contains("the TLS handshake failed"), "{done:?}");
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = token_file(&folder, TOKEN);
    for (path, why) in
        [("/nonexistent/ca.pem", "cannot read the certificates in /nonexistent/ca.pem"), (&file, "there is none")]
    {
        let done = run(&["status", "--endpoint", "https://lab-pc", "--ca-file", path]);
        assert!(done.exit == 2 && done.stderr.contains(why), "{done:?}");
    }
}
