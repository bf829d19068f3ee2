//! A configuration that changes under a daemon that runs: what takes effect, what waits for a restart, what is refused.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use rusqlite::Connection;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::lab::gaserad;
use crate::cli;
use crate::support::processes::{Done, Process};

/// A daemon with a simulated instrument, whose configuration is a base and what a test adds to it.
struct House {
    daemon: Process,
    http: String,
    folder: TempDir,
}

impl House {
    fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, more);
        let config = folder.path().join("gaserad.toml").display().to_string();
        let mut daemon = Process::start(&mut gaserad(&["--config", &config, "--simulate", "--time-scale", "100"]));
        daemon.line_after("listening on unix:");
        let http = daemon.line_after("listening on http://");
        Self { daemon, http, folder }
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

    /// What it prints with `--json`.
    #[track_caller]
    fn told(&self, args: &[&str]) -> Value {
        let done = self.ctl(&[args, &["--json"]].concat());
        assert_eq!(done.exit, 0, "{done:?}");
        cli::json::check(args, &done.stdout);
        serde_json::from_str(&done.stdout).unwrap()
    }

    fn reload(&self, more: &str) -> Value {
        write(&self.folder, more);
        self.told(&["config", "reload"])
    }

    fn get(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        let shown = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{shown}Connection: close\r\n\r\n").unwrap();
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A reader of the stream, once it is answered, and with what.
    fn stream(&self) -> (TcpStream, String) {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        write!(stream, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        (stream, String::from_utf8_lossy(&first).into_owned())
    }

    fn value(&self, key: &str) -> String {
        self.ctl(&["config", "get", key, "-q"]).stdout.trim().to_owned()
    }

    fn audited(&self) -> Vec<(String, String)> {
        let store = Connection::open(self.path("state/state.sqlite")).unwrap();
        let mut rows =
            store.prepare("SELECT who, result FROM audit WHERE what = 'config reload' ORDER BY seq").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Has it reload by a signal, and waits until what came of it is in the audit.
    fn hang_up(&self) -> String {
        let signalled = || self.audited().into_iter().filter(|(who, _)| who == "SIGHUP");
        let before = signalled().count();
        self.daemon.signal(Signal::HUP);
        loop {
            if let Some((_, result)) = signalled().nth(before) {
                return result;
            }
            // Each question takes a while; nothing else is waited for.
            assert_eq!(self.ctl(&["status"]).exit, 0);
        }
    }
}

fn write(folder: &TempDir, more: &str) {
    let at = folder.path().display();
    let base =
        format!("listen.addresses = [\"unix:{at}/sock\", \"127.0.0.1:0\"]\nstore.directory = \"{at}/state\"\n{more}");
    fs::write(folder.path().join("gaserad.toml"), base.replace("FOLDER", &at.to_string())).unwrap();
}

fn keys(changes: &Value) -> Vec<&str> {
    changes.as_array().unwrap().iter().map(|change| change["key"].as_str().unwrap()).collect()
}

fn secret(house: &TempDir, name: &str, text: &str) {
    let path = house.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn token(name: &str) -> (String, String) {
    let done = Process::start(&mut gaserad(&["new-token", "operator", name])).wait();
    (done.stdout.trim().to_owned(), done.stderr)
}

#[test]
fn labels_reload_and_a_run_under_way_keeps_its_own() {
    let house = House::new("channels.1.label = \"stable\"\n");
    assert!(house.get("/channels", "").contains("stable"));
    let start = ["start", "--channels", "1", "--purge", "10s", "--measure", "1h", "--repeats", "9"];
    let begun = house.ctl(&start);
    assert_eq!(begun.exit, 0, "{begun:?}");
    let reloaded = house.reload("channels.1.label = \"hayloft\"\nsite.name = \"Barn 4\"\n");
    assert_eq!(keys(&reloaded["changed"]), ["channels.1.label", "site.name"]);
    assert_eq!(reloaded["changed"][0]["was"], "\"stable\"");
    assert_eq!(reloaded["needs_restart"], Value::Array(Vec::new()));
    let told = house.get("/channels", "");
    assert!(told.contains("hayloft") && !told.contains("stable"), "{told}");
    assert_eq!(house.ctl(&["abort", "--wait"]).exit, 0);
    assert_eq!(house.ctl(&["start", "--channels", "1", "--purge", "10s", "--measure", "70s", "--wait"]).exit, 0);
    let listed = house.told(&["runs", "list"]);
    let run =
        |number: usize| listed["runs"][number]["run_id"].as_str().or(listed["runs"][number]["id"].as_str()).unwrap();
    let files = |run: &str| {
        let file = |name: &str| house.ctl(&["runs", "get", run, name]).stdout;
        file("channels.csv") + &file("samples.csv") + &file("datapackage.json")
    };
    let (first, second) = (files(run(1)), files(run(0)));
    assert!(first.contains("stable") && !first.contains("hayloft") && !first.contains("Barn 4"), "{first}");
    assert!(second.contains("hayloft") && !second.contains("stable") && second.contains("Barn 4"), "{second}");
    assert_eq!(house.ctl(&["runs", "verify", run(1)]).exit, 0);
}

#[test]
fn tokens_and_roles_reload_and_no_secret_is_shown() {
    let (folder, (old, old_line), (new, new_line)) = (tempfile::tempdir().unwrap(), token("ada"), token("bob"));
    secret(&folder, "tokens", &old_line);
    let tokens = format!("auth.tokens = \"{}/tokens\"\n", folder.path().display());
    let house = House::new(&tokens);
    assert!(house.get("/status", "").starts_with("HTTP/1.1 200"), "loopback is open");
    let closed = format!("{tokens}auth.loopback = \"token\"\n");
    assert_eq!(keys(&house.reload(&closed)["changed"]), ["auth.loopback"]);
    let status = |token: &str| house.get("/status", token)[9..12].to_owned();
    assert_eq!((status("x"), status(&old), status(&new)), ("401".into(), "200".into(), "401".into()));
    secret(&folder, "tokens", &new_line);
    let reloaded = house.ctl(&["config", "reload", "--json"]);
    assert!(!reloaded.stdout.contains(&new) && !reloaded.stdout.contains(new_line.trim()), "{reloaded:?}");
    let reloaded: Value = serde_json::from_str(&reloaded.stdout).unwrap();
    assert_eq!(
        (keys(&reloaded["changed"]), &reloaded["changed"][0]["is"]),
        (vec!["auth.tokens"], &"other content".into())
    );
    assert_eq!((status(&old), status(&new)), ("401".into(), "200".into()));
    // A file that others can read is refused, and the tokens from before hold.
    fs::set_permissions(folder.path().join("tokens"), fs::Permissions::from_mode(0o644)).unwrap();
    let refused = house.ctl(&["config", "reload"]);
    assert!(refused.exit == 2 && refused.stderr.contains("its mode is 644"), "{refused:?}");
    assert_eq!(status(&new), "200");
}

#[test]
fn certificate_reloads() {
    let folder = tempfile::tempdir().unwrap();
    let write = || {
        let made = rcgen::generate_simple_self_signed(vec!["lab-pc".into()]).unwrap();
        secret(&folder, "cert.pem", &made.cert.pem());
        secret(&folder, "key.pem", &made.signing_key.serialize_pem());
    };
    write();
    let at = folder.path().display();
    let house = House::new(&format!("listen.tls_cert = \"{at}/cert.pem\"\nlisten.tls_key = \"{at}/key.pem\"\n"));
    assert_eq!(keys(&house.told(&["config", "reload"])["changed"]), Vec::<&str>::new());
    write();
    let reloaded = house.told(&["config", "reload"]);
    assert_eq!(keys(&reloaded["changed"]), ["listen.tls_cert"]);
    assert!(!reloaded.to_string().contains("BEGIN"), "{reloaded}");
    fs::write(folder.path().join("cert.pem"), "no certificate").unwrap();
    let refused = house.ctl(&["config", "reload"]);
    assert!(refused.exit == 2 && refused.stderr.contains("no certificate in"), "{refused:?}");
}

#[test]
fn limits_of_the_stream_reload() {
    let house = House::new("stream.max_connections = 1\n");
    let (kept, first) = house.stream();
    assert_eq!((first.as_str(), house.stream().1.as_str()), ("HTTP/1.1 200", "HTTP/1.1 503"));
    let reloaded = house.reload("stream.max_connections = 2\nstream.heartbeat = \"1s\"\nstream.ring = 50\n");
    assert_eq!(keys(&reloaded["changed"]), ["stream.heartbeat", "stream.max_connections"]);
    assert_eq!(keys(&reloaded["needs_restart"]), ["stream.ring"]);
    let (mut second, answer) = house.stream();
    assert_eq!((answer.as_str(), house.stream().1.as_str()), ("HTTP/1.1 200", "HTTP/1.1 503"));
    // The heartbeat of the default would not come while the test runs.
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains("event: heartbeat") {
        let mut bytes = [0; 512];
        let count = second.read(&mut bytes).unwrap();
        assert!(count > 0, "the stream ended");
        heard.extend(&bytes[..count]);
    }
    drop(kept);
}

#[test]
fn retention_and_mirror_reload() {
    let house = House::new("");
    let measured = ["start", "--channels", "1", "--purge", "10s", "--measure", "70s", "--wait"];
    assert_eq!(house.ctl(&measured).exit, 0);
    let copy = "[store.mirror]\ndirectory = \"FOLDER/copy\"\nrequire_mount = false\n";
    fs::create_dir(house.path("copy")).unwrap();
    let reloaded = house.reload(copy);
    assert_eq!(keys(&reloaded["changed"]), ["store.mirror.directory", "store.mirror.require_mount"]);
    while house.told(&["storage"])["mirror"]["state"] != "current" {}
    let copied = fs::read_dir(house.path("copy")).unwrap().count();
    assert!(copied > 0, "the run is on the mirror");
    let reloaded = house.reload(&format!("{copy}[store.retention]\nmax_size = \"1B\"\nmin_runs = 0\n"));
    assert_eq!(keys(&reloaded["changed"]), ["store.retention.max_size", "store.retention.min_runs"]);
    while house.told(&["runs", "trash"])["trash"].as_array().unwrap().is_empty() {}
    let gone = house.reload("");
    assert_eq!(gone["changed"].as_array().unwrap().len(), 4, "{gone}");
    assert_eq!(house.told(&["storage"])["mirror"], Value::Null);
    assert_eq!(house.told(&["status"])["mirror"], Value::Null);
}

#[test]
fn least_free_space_reloads() {
    let house = House::new("");
    let start = ["start", "--channels", "1", "--measure", "1h"];
    assert_eq!(house.ctl(&start).exit, 0);
    assert_eq!(house.ctl(&["abort", "--wait"]).exit, 0);
    let storage = || -> Value { serde_json::from_str(&house.ctl(&["storage", "--json"]).stdout).unwrap() };
    let free_mb = storage()["free_bytes"].as_u64().unwrap() / 1_000_000;
    let least = (2 * free_mb).min(1_000_000);
    if least <= free_mb {
        eprintln!("skipped: more is free than [store] min_free_mb can ask for");
        return;
    }
    let reloaded = house.reload(&format!("store.min_free_mb = {least}\n"));
    assert_eq!(keys(&reloaded["changed"]), ["store.min_free_mb"]);
    assert_eq!(storage()["min_free_bytes"], least * 1_000_000);
    let refused = house.ctl(&start);
    assert!(refused.exit == 3 && refused.stderr.contains(&format!("min_free_mb asks for {least}")), "{refused:?}");
}

#[test]
fn plan_and_log_level_reload_and_the_instrument_waits() {
    let house = House::new("log.level = \"error\"\n");
    let reloaded =
        house.reload("log.level = \"debug\"\nplan.purge = \"2m\"\nanalyzer.poll = \"2s\"\nmultiplexer.channels = 8\n");
    assert_eq!(keys(&reloaded["changed"]), ["log.level", "plan.purge"]);
    assert_eq!(keys(&reloaded["needs_restart"]), ["analyzer.poll", "multiplexer.channels"]);
    assert_eq!((house.value("plan.purge"), house.value("analyzer.poll")), ("\"2m\"".into(), "\"1s\"".into()));
    let dry = house.told(&["start", "--dry-run", "--channels", "1"]);
    assert!(dry.to_string().contains("120"), "{dry}");
    assert_eq!(
        house.ctl(&["start", "--dry-run", "--channels", "31"]).exit,
        0,
        "there are 31 channels until the restart"
    );
    let again = house.told(&["config", "reload"]);
    assert_eq!(
        (keys(&again["changed"]), keys(&again["needs_restart"])),
        (vec![], vec!["analyzer.poll", "multiplexer.channels"])
    );
    let audited = house.audited();
    assert!(audited[0].0.contains("ada"), "{audited:?}");
    assert!(audited[0].1.starts_with("changed: log.level, plan.purge; needs a restart: analyzer.poll"), "{audited:?}");
    let said = house.daemon.terminate().stderr;
    assert!(said.contains("config reload: changed: nothing"), "logged at the new level: {said}");
}

#[test]
fn check_config_tells_of_older_names() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "plan.pause = \"1m\"\nsuspend.disk = \"suspend\"\n");
    let config = folder.path().join("gaserad.toml").display().to_string();
    let done = Process::start(&mut gaserad(&["check-config", &config, "--simulate"])).wait();
    assert_eq!((done.exit, done.stdout.as_str()), (0, "the configuration is valid\n"), "{done:?}");
    for says in [
        ":3:6: pause is called purge now",
        ":4:1: [suspend] is called [pause] now",
        ":4:16: disk = \"suspend\" is written \"pause\" now",
    ] {
        assert!(done.stderr.contains(&format!("warning: {config}{says}")), "{says}: {}", done.stderr);
    }
}

#[test]
fn broken_or_vanished_file_changes_nothing_and_is_told() {
    let house = House::new("plan.purge = \"3m\"\n");
    write(&house.folder, "plan.purge = \"1m\"\nplan.purg = 7\nstream.ring = 1\n");
    let result = house.hang_up();
    for place in ["gaserad.toml:4:6: purg is not a key of [plan]; did you mean purge?", "gaserad.toml:5:15: ring is 1"]
    {
        assert!(result.starts_with("refused: ") && result.contains(place), "{place}: {result}");
    }
    assert_eq!(house.value("plan.purge"), "\"3m\"");
    let refused = house.ctl(&["config", "reload"]);
    assert!(refused.exit == 2 && refused.stderr.contains("gaserad.toml:4:6: purg is not a key"), "{refused:?}");

    fs::remove_file(house.path("gaserad.toml")).unwrap();
    let result = house.hang_up();
    assert!(result.contains("gaserad.toml: the file cannot be read: No such file"), "{result}");
    assert_eq!(house.value("plan.purge"), "\"3m\"");

    write(&house.folder, "plan.pause = \"1m\"\n");
    let result = house.hang_up();
    assert_eq!(result, "changed: plan.purge; needs a restart: nothing");
    assert_eq!(house.value("plan.purge"), "\"1m\"");
    let warnings = house.told(&["config", "get"])["warnings"].to_string();
    assert!(warnings.contains("pause is called purge now"), "{warnings}");
    assert_eq!(house.daemon.terminate().exit, 0);
}
