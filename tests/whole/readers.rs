//! Readers that others wrote, as they are: Chromium's EventSource, the npm packages `eventsource` and
//! `eventsource-parser`, Python's `httpx-sse`, `grpcio` and `openapi-python-client`, and curl.
//!
//! `tests/readers/install FOLDER` installs them, and `GASERA_READERS=FOLDER` says where. Without it nothing is tested
//! here, which is said on stderr; with `CI=true` that is a failure.

use std::collections::BTreeSet;
use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{JoinHandle, spawn};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::lab::{Design, Lab};
use super::verdict::{exported, rows};
use crate::support::frames::Frames;
use crate::support::processes::Process;

const RESUME: &str = "on_restart = \"resume\"\nmax_outage = \"30d\"";

/// Where the readers are installed.
pub struct Tools(PathBuf);

impl Tools {
    pub fn find() -> Option<Self> {
        if let Some(folder) = env::var_os("GASERA_READERS") {
            return Some(Self(folder.into()));
        }
        assert!(env::var_os("CI").is_none(), "GASERA_READERS does not say where the standard readers are installed");
        let _ = writeln!(
            std::io::stderr(),
            "NOT TESTED: the standard readers of the stream. tests/readers/install FOLDER installs them; \
             then set GASERA_READERS=FOLDER"
        );
        None
    }

    /// A reader of ours around one of theirs: a script and what it is given.
    fn command(&self, script: &str, args: &[&str]) -> Command {
        let mut command = match Path::new(script).extension().and_then(|language| language.to_str()) {
            Some("py") => Command::new(self.0.join("venv/bin/python")),
            Some("R") => Command::new("Rscript"),
            _ => Command::new("node"),
        };
        command.arg(self.0.join(script)).args(args);
        command
    }

    /// A line of a shell that finds the binaries of this build and the tools.
    pub fn shell(&self, line: &str) -> Command {
        let ours = Path::new(env!("CARGO_BIN_EXE_gaseractl")).parent().unwrap().to_owned();
        let theirs = std::path::absolute(self.0.join("venv/bin")).unwrap();
        let known = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
        let paths = env::join_paths([ours, theirs].into_iter().chain(known)).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", line]).env("PATH", paths);
        command
    }

    /// What looks at the page in a browser, a script that is told where the page is.
    fn story(&self, script: &str, args: &[&str]) -> Command {
        let mut command = Command::new("node");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dashboard").join(script)).args(args);
        command.env("GASERA_READERS", std::path::absolute(&self.0).unwrap());
        command
    }
}

/// Somebody who follows the stream in a process of its own, and what it told.
pub struct Reader {
    name: &'static str,
    lines: Receiver<Value>,
    seen: Vec<Value>,
    thread: JoinHandle<()>,
}

impl Reader {
    pub fn start(tools: &Tools, name: &'static str, args: &[&str]) -> Self {
        Self::read(name, &mut tools.command(name, args), |line| {
            Some(serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}")))
        })
    }

    /// A browser that looks at the page, and what is told of it.
    pub fn look(tools: &Tools, script: &'static str, args: &[&str]) -> Self {
        Self::read(script, &mut tools.story(script, args), |line| {
            Some(serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}")))
        })
    }

    fn curl(url: &str) -> Self {
        let mut frames = Frames::default();
        Self::read("curl", Command::new("curl").args(["--no-buffer", "--silent", "--show-error", url]), move |line| {
            let frame = frames.line(line)?;
            Some(json!({ "id": frame.id.map(|id| id.to_string()), "type": frame.kind, "data": frame.data }))
        })
    }

    fn read(
        name: &'static str,
        command: &mut Command,
        mut understand: impl FnMut(&str) -> Option<Value> + Send + 'static,
    ) -> Self {
        let mut process = Process::start(command);
        let (told, lines) = channel();
        let thread = spawn(move || {
            while let Some(line) = process.line() {
                let Some(line) = understand(&line) else { continue };
                let over = name == "curl" && line["type"] == "run.finished";
                let _ = told.send(line);
                if over {
                    return process.kill();
                }
            }
            let done = process.wait();
            assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{name}: {done:?}");
        });
        Self { name, lines, seen: Vec::new(), thread }
    }

    #[track_caller]
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) {
        loop {
            let Ok(line) = self.lines.recv() else { panic!("{} ended too early: {:#?}", self.name, self.seen) };
            self.seen.push(line);
            if self.seen.last().is_some_and(&wanted) {
                return;
            }
        }
    }

    /// All that it told.
    pub fn wait(mut self) -> (&'static str, Vec<Value>) {
        self.seen.extend(self.lines.iter());
        self.thread.join().unwrap_or_else(|_| panic!("{} failed: {:#?}", self.name, self.seen));
        (self.name, self.seen)
    }
}

fn is_open(line: &Value) -> bool {
    line["state"] == "open"
}

fn is_sample(line: &Value) -> bool {
    line["type"] == "live_data"
}

/// What is kept of a run: what readers are held against.
struct Kept {
    events: Vec<(u64, String, Value)>,
    /// The types of what is never lost.
    types: BTreeSet<String>,
}

impl Kept {
    /// Out of the store: the daemon was started after it, and has nothing else.
    fn of(lab: &mut Lab, run: &str, begun: u64) -> Self {
        lab.daemon.take().map(Process::terminate);
        lab.start_daemon();
        let events = lab.events_to_the_end_of(run).into_iter().map(|event| {
            (event["id"].as_u64().unwrap(), event["type"].as_str().unwrap().to_owned(), event["data"].clone())
        });
        let events: Vec<_> = events.filter(|(id, ..)| *id > begun).collect();
        assert!(events.iter().map(|(id, ..)| *id).eq((begun + 1..).take(events.len())), "{events:#?}");
        let types = events.iter().map(|(_, kind, _)| kind.clone()).collect();
        Self { events, types }
    }

    fn carbon_dioxide(&self) -> Vec<(String, f64)> {
        let samples = self.events.iter().filter(|(_, kind, _)| kind == "live_data");
        let value = |data: &Value| {
            let gases = data["components"].as_array().unwrap();
            gases.iter().find(|gas| gas["formula"] == "CO2").unwrap()["ppm"].as_f64().unwrap()
        };
        samples.map(|(_, _, data)| (data["channel"].to_string(), value(data))).collect()
    }

    /// All of it was told, once and in order, and nothing was told to be lost.
    fn assert_read_by(&self, (name, lines): &(&'static str, Vec<Value>)) {
        let kinds = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
        assert_eq!((kinds("gap"), kinds("connected") > 0), (0, true), "{name}: {lines:#?}");
        let parse = |line: &Value| {
            let id = line["id"].as_str().unwrap().parse().unwrap();
            let data = serde_json::from_str(line["data"].as_str().unwrap()).unwrap();
            (id, line["type"].as_str().unwrap().to_owned(), data)
        };
        let lossless = lines.iter().filter(|line| line["type"].as_str().is_some_and(|kind| self.types.contains(kind)));
        let read: Vec<(u64, String, Value)> = lossless.map(parse).collect();
        let ids = |events: &[(u64, String, Value)]| events.iter().map(|(id, ..)| *id).collect::<Vec<_>>();
        assert_eq!(ids(&read), ids(&self.events), "{name}");
        assert_eq!(read, self.events, "{name}");
    }
}

fn run_of(lab: &Lab) -> String {
    lab.ask(&["runs", "show", "last"])["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_standard_reader_reads_the_whole_run() {
    let Some(tools) = Tools::find() else { return };
    let mut lab = Lab::new(&Design::default());
    let begun = lab.ask(&["status"])["seq"].as_u64().unwrap();
    let url = format!("http://{}/events?since={begun}", lab.address());
    let scripts = ["chromium.mjs", "npm-eventsource.mjs", "npm-parser.mjs", "python-httpx-sse.py"];
    let mut readers: Vec<_> = scripts.map(|script| Reader::start(&tools, script, &[&url])).into();
    for reader in &mut readers {
        reader.until(is_open);
    }
    readers.push(Reader::curl(&url));
    let done = lab.ctl(&["start", "--channels", "1-3", "--purge", "6s", "--measure", "20s", "--wait"]);
    assert_eq!(done.exit, 0, "{done:?}");
    let read: Vec<_> = readers.into_iter().map(Reader::wait).collect();

    let run = run_of(&lab);
    let kept = Kept::of(&mut lab, &run, begun);
    for one in &read {
        kept.assert_read_by(one);
    }
    let samples: Vec<(String, f64)> =
        exported(&lab).iter().map(|row| (row["channel"].clone(), row["co2_ppm"].parse().unwrap())).collect();
    assert_eq!(kept.carbon_dioxide(), samples, "the stream and the export tell the same");
}

/// The two that connect again by themselves, and the two that leave it to who uses them.
#[test]
fn standard_readers_that_connect_again_lose_nothing_over_restarts() {
    let Some(tools) = Tools::find() else { return };
    let mut lab = Lab::new(&Design { store: RESUME, ..Design::default() });
    lab.keep_port();
    let begun = lab.ask(&["status"])["seq"].as_u64().unwrap();
    let url = format!("http://{}/events?since={begun}", lab.address());
    let scripts = ["chromium.mjs", "npm-eventsource.mjs", "npm-parser.mjs", "python-httpx-sse.py"];
    let mut readers = scripts.map(|script| Reader::start(&tools, script, &[&url]));
    for reader in &mut readers {
        reader.until(is_open);
    }
    let plan = ["--channels", "1-3", "--repeats", "2", "--purge", "6s", "--measure", "20s"];
    assert_eq!(lab.ctl(&[&["start"], &plan[..]].concat()).exit, 0);
    for signal in [Signal::KILL, Signal::TERM] {
        for reader in &mut readers {
            reader.until(is_sample);
        }
        let daemon = lab.daemon.take().unwrap();
        daemon.signal(signal);
        daemon.wait();
        lab.start_daemon();
        for reader in &mut readers {
            reader.until(is_open);
        }
    }
    let read = readers.map(Reader::wait);

    let run = run_of(&lab);
    let kept = Kept::of(&mut lab, &run, begun);
    for one in &read {
        kept.assert_read_by(one);
    }
}

/// What a run of three channels is to look like.
const PHASES: [&str; 12] = [
    "IDLE",
    "HOMING",
    "PAUSED",
    "MEASURING",
    "SWITCHING",
    "PAUSED",
    "MEASURING",
    "SWITCHING",
    "PAUSED",
    "MEASURING",
    "SWITCHING",
    "IDLE",
];

#[test]
fn the_merged_messages_drive_a_dashboard_in_a_browser() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design { scale: 20, ..Design::default() });
    let url = format!("http://{}/gasera/api/measurement/events", lab.address());
    let mut dashboard = Reader::start(&tools, "chromium.mjs", &[&url, "dashboard"]);
    dashboard.until(|line| line["phase"] == "IDLE");
    let plan = ["--channels", "1-3", "--purge", "30s", "--measure", "70s", "--sync", "dwell", "--wait"];
    let run = lab.begin(&[&["start"], &plan[..]].concat());
    let (_, lines) = dashboard.wait();
    run.wait();

    let broken: Vec<_> = lines.iter().filter(|line| !line["broken"].is_null() || !line["state"].is_null()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let phases: Vec<_> = lines.iter().filter(|line| line["shows"] == "phase").map(|line| &line["phase"]).collect();
    assert_eq!(phases, PHASES, "{lines:#?}");
    let toasts: Vec<_> = lines.iter().filter(|line| !line["toast"].is_null()).collect();
    assert_eq!(toasts, [&json!({ "toast": "complete", "done": 3, "total": 3 })]);
    let shown = |what: &str| lines.iter().filter(|line| line["shows"] == what).count();
    assert_eq!((shown("footer"), shown("timer"), shown("no timer")), (1, 1, 1), "{lines:#?}");
    let exact = |row: &&super::verdict::Row| row["attribution"] == "exact";
    let done = lab.ctl(&["runs", "export", "last"]);
    let kept: Vec<String> = rows(&done.stdout).iter().filter(exact).map(|row| row["channel"].clone()).collect();
    let results = lines.iter().filter(|line| line["shows"].is_null()).filter_map(|line| line.get("result"));
    assert_eq!(results.map(|result| result["channel"].to_string()).collect::<Vec<_>>(), kept, "{lines:#?}");
}

#[test]
fn a_run_is_controlled_by_what_reflection_tells_of_the_calls() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    let (_, lines) = Reader::start(&tools, "python-grpc.py", &[lab.address()]).wait();
    let told = |key: &str| lines.iter().find_map(|line| line.get(key)).unwrap_or_else(|| panic!("{key}: {lines:#?}"));
    let services = told("services").as_array().unwrap();
    for service in ["gasera.v1.GaseraService", "grpc.health.v1.Health"] {
        assert!(services.contains(&service.into()), "{services:?}");
    }
    assert!(told("calls").as_array().unwrap().contains(&"ExportRun".into()), "{lines:#?}");
    assert_eq!(told("health")["status"], "SERVING");
    assert_eq!((&told("before")["phase"], &told("before")["run"]), (&"IDLE".into(), &Value::Null));
    let run = &told("started")["run_id"];
    assert_eq!((&told("meanwhile")["run"]["id"], &told("aborted")["run_id"]), (run, run), "{lines:#?}");
    assert_eq!((told("again")["code"].as_str(), &told("after")["run"]), (Some("FAILED_PRECONDITION"), &Value::Null));
    assert_eq!(told("calls_off")["code"], "FAILED_PRECONDITION");
    let aborted = lab.ask(&["runs", "show", "last"]);
    assert_eq!((&aborted["id"], &aborted["outcome"]), (run, &"aborted".into()), "{aborted}");
}

#[test]
fn a_client_made_of_the_openapi_document_measures() {
    let Some(tools) = Tools::find() else { return };
    let lab = Lab::new(&Design::default());
    let (_, lines) = Reader::start(&tools, "python-openapi.py", &[lab.address()]).wait();
    let told = |key: &str| lines.iter().find_map(|line| line.get(key)).unwrap_or_else(|| panic!("{key}: {lines:#?}"));
    assert_eq!((told("valid"), told("unsupported")), (&"3.1.0".into(), &json!([])), "{lines:#?}");
    assert_eq!(told("generated").as_array().map(|all| all.len() as u64), told("operations").as_u64(), "{lines:#?}");
    assert_eq!(
        (told("errors"), told("refused"), told("field")),
        (&json!([]), &"PLAN_INVALID".into(), &"channels".into())
    );
    assert_eq!((told("outcome"), told("visits")), (&"completed".into(), &3.into()), "{lines:#?}");
    let run = lab.ask(&["runs", "show", "last"]);
    assert_eq!((&run["id"], &run["records"]), (told("started"), told("records")), "{run}");
    let kept: Vec<Value> =
        exported(&lab).iter().map(|row| json!({ "channel": row["channel"], "co2_ppm": row["co2_ppm"] })).collect();
    assert_eq!(told("samples"), &Value::from(kept), "{lines:#?}");
}
