//! Input that means harm, or no sense: refused in words, while orders go on and nothing grows.
//!
//! All of it is bounded in number, over real sockets of the loopback interface.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use super::lab::gaserad;
use crate::support::processes::{Done, Process};

/// A daemon with a simulated instrument, on which this machine needs a token over TCP.
pub struct House {
    daemon: Process,
    pub http: String,
    pub operator: String,
    pub viewer: String,
    folder: TempDir,
}

const LISTEN: &str = "max_connections = 20";
const STREAM: &str = "max_connections = 30";

impl House {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let token = |role: &str, name: &str| {
            let done = Process::start(&mut gaserad(&["new-token", role, name, "--file", &at("tokens")])).wait();
            assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{done:?}");
            done.stdout.trim().to_owned()
        };
        let (operator, viewer) = (token("operator", "ada"), token("viewer", "screen"));
        let settings = format!(
            "[listen]\naddresses = [\"unix:{}\", \"127.0.0.1:0\"]\n{LISTEN}\n[stream]\n{STREAM}\n[store]\ndirectory = \
             \"{}\"\n[auth]\ntokens = \"{}\"\nloopback = \"token\"\n",
            at("sock"),
            at("state"),
            at("tokens")
        );
        fs::write(at("gaserad.toml"), settings).unwrap();
        let args = ["--config", &at("gaserad.toml"), "--simulate", "--time-scale", "20", "--log-level", "error"];
        let mut daemon = Process::start(&mut gaserad(&args));
        daemon.line_after("listening on unix:");
        let http = daemon.line_after("listening on http://");
        Self { daemon, http, operator, viewer, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ctl(&self, args: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaseractl"));
        let endpoint = format!("unix:{}", self.path("sock").display());
        command.env_clear().env("TZ", "UTC").env("USER", "ada").args(args).args(["--endpoint", &endpoint]);
        Process::start(&mut command).wait()
    }

    /// The answer to a request, whatever comes before the connection is closed.
    fn ask(&self, head: &str, body: &[u8]) -> String {
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let head = format!("{head}\r\nConnection: close\r\n{length}\r\n");
        read(self.say(&[head.as_bytes(), body].concat()))
    }

    fn say(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // Who is refused early may be cut off while it still talks.
        let _ = stream.write_all(bytes);
        stream
    }

    fn get(&self, path: &str, more: &str) -> String {
        let token = &self.operator;
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}{more}"), &[])
    }

    /// A number that the kernel tells of the daemon, like `VmRSS` in kB.
    fn of_daemon(&self, key: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.daemon.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.trim_start_matches(':').split_whitespace().next().unwrap().parse().unwrap()
    }

    fn audited(&self, what: &str) -> Vec<String> {
        let store = Connection::open(self.path("state/state.sqlite")).unwrap();
        let mut rows = store.prepare("SELECT who || ': ' || what || ': ' || result FROM audit ORDER BY seq").unwrap();
        let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).filter(|row| row.contains(what)).collect()
    }

    #[track_caller]
    fn assert_obeys(&self) {
        for args in [&["start", "--channels", "1-2", "--measure", "10m"][..], &["status"], &["abort"]] {
            let done = self.ctl(args);
            assert_eq!(done.exit, 0, "{args:?}: {done:?}");
        }
    }
}

/// Whatever comes before the connection is closed.
fn read(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[track_caller]
fn assert_told(answer: &str, status: &str, words: &str) {
    let begins = format!("HTTP/1.1 {status} ");
    assert!(answer.starts_with(&begins) && answer.contains(words), "not {status} and {words:?}: {answer}");
}

#[test]
fn requests_that_mean_harm_are_refused_in_words() {
    let house = House::new();
    let token = format!("Authorization: Bearer {}", house.operator);
    let get =
        |host: &str, more: &str| house.ask(&format!("GET /events HTTP/1.1\r\nHost: {host}\r\n{token}{more}"), &[]);
    assert_told(&get("evil.example", ""), "403", "does not answer for host");
    assert_told(&get("localhost", "\r\nOrigin: http://evil.example"), "403", "pages of");
    assert_told(&get("localhost", &format!("\r\nX-Long: {}", "x".repeat(40_000))), "431", "32768 bytes are the most");
    let huge = get("localhost", &format!("\r\nX-Long: {}", "x".repeat(4_000_000)));
    assert!(huge.is_empty() || huge.starts_with("HTTP/1.1 431"), "{}", &huge[..huge.len().min(300)]);

    let absurd = "a,".repeat(2000);
    for (query, words) in [
        ("types=nothing", "run.finished"),
        ("channels=0", "channel 0"),
        ("channels=1-4294967295", "channel"),
        ("channels=99999999999999999999", "channel"),
        ("since=-1", "event id"),
        ("since=99999999999999999999999", "event id"),
        (&format!("types={absurd}"), "event"),
    ] {
        assert_told(&house.get(&format!("/events?{query}"), ""), "400", words);
    }
    assert_told(&house.get("/status?token=x", ""), "400", "does not belong into an address");
    assert_told(&house.get("/runs/..%2f..%2fetc%2fpasswd", ""), "404", "no run");
    assert_told(&house.get("/%00/../..", ""), "404", "there is nothing");

    let post =
        |path: &str, body: &[u8]| house.ask(&format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{token}"), body);
    assert_told(&post("/login", &vec![b'x'; 100_000]), "413", "8192 bytes");
    assert_told(&post("/login", "x".repeat(5_000_000).as_bytes()), "413", "4194304 bytes");
    assert_told(&post("/status", b"{}"), "405", "does not know POST");
    assert_told(&house.ask(&format!("DELETE /runs HTTP/1.1\r\nHost: localhost\r\n{token}"), &[]), "405", "DELETE");
    for nonsense in ["\0\0\0\0\0\0\0\0", "GET", "\u{16}\u{3}\u{1}\u{2}", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense"] {
        let stream = house.say(nonsense.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let answer = read(stream);
        assert!(!answer.contains("200 OK"), "{nonsense:?}: {answer}");
    }
    house.assert_obeys();
}

#[test]
fn a_thousand_wrong_tokens_open_nothing_and_leave_little_behind() {
    let house = House::new();
    let guess = |number| {
        let head = format!("POST /events/test HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess{number}");
        house.ask(&head, &[])
    };
    let answers: Vec<String> = (0..1000).map(guess).collect();
    let told =
        |status: &str| answers.iter().filter(|answer| answer.starts_with(&format!("HTTP/1.1 {status} "))).count();
    let (wrong, often) = (told("401"), told("429"));
    assert!(wrong >= 20 && often > 0 && wrong + often == 1000, "{wrong} wrong, {often} too often");
    assert!(answers[0].contains("www-authenticate: Bearer") && answers[0].contains("not known here"), "{}", answers[0]);
    assert!(answers[999].contains("retry-after: ") || answers[999].contains("401"), "{}", answers[999]);
    house.assert_obeys();
    let kept = house.audited("TOKEN_WRONG");
    assert!((1..=60).contains(&kept.len()), "{} entries of {kept:?}", kept.len());
    assert!(kept[0].contains("POST /events/test") && !kept[0].contains("guess"), "{}", kept[0]);
}

#[test]
fn a_viewer_looks_on_and_that_it_tried_more_is_kept() {
    let house = House::new();
    let ask = |request: &str| {
        house.ask(&format!("{request} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}", house.viewer), &[])
    };
    assert_told(&ask("GET /status"), "200", "\"phase\"");
    assert_told(&ask("POST /events/test"), "403", "this needs the role operator, and token screen from 127.0.0.1:");
    // Entries are written one after the other: what was asked later is kept later.
    house.assert_obeys();
    let kept = house.audited("NOT_PERMITTED");
    assert!(kept.len() == 1 && kept[0].contains("POST /events/test"), "{kept:?}");
    assert!(house.audited("abort").iter().all(|entry| entry.starts_with("ada (user ")), "{:?}", house.audited("abort"));
}

/// Sockets of this process, as many as the system grants, and not more than wanted.
fn sockets(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let granted = getrlimit(Resource::Nofile).current.map_or(wanted, |limit| usize::try_from(limit).unwrap_or(wanted));
    wanted.min(granted.saturating_sub(500))
}

#[test]
fn ten_thousand_connections_that_say_nothing_keep_nobody_out() {
    let house = House::new();
    // Every place that there is for streams and for others.
    let hold = |path: &str| {
        let mut stream = TcpStream::connect(&house.http).unwrap();
        let token = &house.viewer;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        (stream, String::from_utf8_lossy(&first).into_owned())
    };
    let streams: Vec<_> = (0..30).map(|_| hold("/events")).collect();
    assert!(streams.iter().all(|(_, first)| first == "HTTP/1.1 200"));
    assert_told(&house.get("/events", ""), "503", "retry-after");
    let before = house.of_daemon("VmRSS");

    let silent: Vec<io::Result<TcpStream>> = (0..sockets(10_000)).map(|_| TcpStream::connect(&house.http)).collect();
    let count = silent.iter().filter(|stream| stream.is_ok()).count();
    assert!(count == silent.len() && count > 100, "{count} of {}", silent.len());
    assert_told(&house.get("/status", ""), "200", "\"phase\"");
    house.assert_obeys();
    let files = fs::read_dir(format!("/proc/{}/fd", house.daemon.pid())).unwrap().count();
    assert!(files < 200, "{files} files are open");
    let grown = house.of_daemon("VmRSS").saturating_sub(before);
    assert!(grown < 30_000, "{grown} kB more");
    drop((silent, streams));
    house.assert_obeys();
}

#[test]
fn nothing_is_opened_to_other_machines_without_tokens_and_tls() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gaserad.toml");
    let path = file.display().to_string();
    let run = |text: &str, args: &[&str]| {
        fs::write(&file, text).unwrap();
        Process::start(&mut gaserad(args)).wait()
    };
    let open = "[listen]\naddresses = [\"0.0.0.0:0\"]\n";
    for args in [&["check-config", &path][..], &["--config", &path, "--simulate"]] {
        let done = run(open, args);
        assert_eq!((done.exit, done.stdout.as_str()), (78, ""), "{done:?}");
        for words in ["which needs tokens", "which needs TLS"] {
            let told = format!("{path}:2:14: \"0.0.0.0:0\" can be reached from other machines, {words}");
            assert!(done.stderr.contains(&told), "{done:?}");
        }
    }
    let tokens = folder.path().join("tokens");
    fs::write(&tokens, "operator ada 12\n").unwrap();
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o600)).unwrap();
    let valve = "[multiplexer]\ndriver = \"vici\"\n[multiplexer.vici]\nport = \"/dev/serial/by-id/valve\"\n";
    let named = format!("{open}plain_text = true\n[auth]\ntokens = \"{}\"\n{valve}", tokens.display());
    let done = run(&named, &["check-config", &path]);
    assert_eq!(done.exit, 78, "{done:?}");
    assert!(done.stderr.contains("tokens:1:1: the third word is not the SHA-256"), "{done:?}");
    fs::set_permissions(&tokens, fs::Permissions::from_mode(0o644)).unwrap();
    let done = run(&named, &["check-config", &path]);
    assert!(done.exit == 78 && done.stderr.contains("others can get at it (its mode is 644)"), "{done:?}");
}
