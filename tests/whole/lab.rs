//! A plant, a daemon that measures on it, and ways to ask both.

use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Lines, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use gasera::simulator::Truth;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use super::{disk, usb};
use crate::support::processes::{Done, Process, Watchdog};
use crate::support::schema;

/// ASTS of an analyzer that does nothing.
pub const IDLE: u8 = 2;

pub fn gaserad(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gaserad"));
    command.env_clear().env("TZ", "UTC").args(args);
    command
}

/// How plant and daemon are set up.
#[derive(Clone)]
pub struct Design {
    /// How many times faster than the world both run.
    pub scale: u32,
    /// The plant's faults file.
    pub faults: &'static str,
    /// Lines for `[analyzer]`.
    pub analyzer: &'static str,
    /// Where the daemon looks for the analyzer, if not where it is.
    pub elsewhere: Option<String>,
    pub multiplexer: Multiplexer,
    /// Lines for `[store]`, and sections after it.
    pub store: &'static str,
    /// The state directory is a disk of its own, of so many bytes as mount(8) writes them.
    pub disk: Option<&'static str>,
    /// A drive of so many bytes can be mounted at `media` in the lab's folder.
    pub drive: Option<&'static str>,
}

/// What switches the lines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Multiplexer {
    Vici,
    RelaysOnTcp,
    RelaysOnSerial,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            scale: 100,
            faults: "",
            analyzer: "",
            elsewhere: None,
            multiplexer: Multiplexer::Vici,
            store: "",
            disk: None,
            drive: None,
        }
    }
}

/// The daemon ends before the plant, and the files go last.
pub struct Lab {
    pub daemon: Option<Process>,
    pub plant: Process,
    pub scale: String,
    disk: Option<&'static str>,
    drive: Option<&'static str>,
    /// `host:port` of the analyzer.
    ak: String,
    /// `host:port` of the daemon.
    http: String,
    folder: TempDir,
}

impl Lab {
    /// A lab whose daemon sees the analyzer.
    pub fn new(design: &Design) -> Self {
        let lab = Self::unseen(design);
        lab.until_online();
        lab
    }

    /// A lab whose daemon serves, whether it sees the analyzer or not.
    pub fn unseen(design: &Design) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scale = design.scale.to_string();
        let path = |name: &str| folder.path().join(name).display().to_string();
        fs::write(path("faults.toml"), design.faults).unwrap();
        let (flag, place) = match design.multiplexer {
            Multiplexer::Vici => ("--vici", path("vici")),
            Multiplexer::RelaysOnTcp => ("--modbus", "127.0.0.1:0".to_owned()),
            Multiplexer::RelaysOnSerial => ("--modbus", path("relays")),
        };
        let args = ["simulator", "--ak", "127.0.0.1:0", flag, &place, "--truth", &path("truth.jsonl")];
        let mut plant = Process::start(gaserad(&args).args(["--faults", &path("faults.toml"), "--time-scale", &scale]));
        let ak = plant.line_after("AK on ");
        let multiplexer = match design.multiplexer {
            Multiplexer::Vici => ("vici", "port", plant.line_after("VICI valve on ")),
            Multiplexer::RelaysOnTcp => ("modbus", "address", plant.line_after("Modbus relays on ")),
            Multiplexer::RelaysOnSerial => ("modbus", "port", plant.line_after("Modbus relays on ")),
        };
        fs::write(path("gaserad.toml"), settings(folder.path(), design, &ak, &multiplexer)).unwrap();
        let (disk, drive) = (design.disk, design.drive);
        let mut lab = Self { daemon: None, plant, scale, disk, drive, ak, http: String::new(), folder };
        lab.start_daemon();
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The daemon with the lab's settings, not started.
    pub fn command(&self) -> Command {
        let config = self.path("gaserad.toml").display().to_string();
        let plain = gaserad(&["--config", &config, "--time-scale", &self.scale]);
        match (self.disk, self.drive) {
            (Some(size), _) => disk::with_mount(&plain, &self.path("state"), size),
            (None, Some(size)) => usb::with_drive(&plain, self.folder.path(), size),
            (None, None) => plain,
        }
    }

    /// A file of the state directory, as the daemon sees it.
    pub fn state(&self, name: &str) -> PathBuf {
        let inside = self.path("state").join(name);
        match &self.daemon {
            Some(daemon) if self.disk.is_some() => disk::seen_by(daemon, &inside),
            _ => inside,
        }
    }

    pub fn start_daemon(&mut self) {
        let mut daemon = Process::start(&mut self.command());
        daemon.line_after("listening on unix:");
        self.http = daemon.line_after("listening on http://");
        self.daemon = Some(daemon);
    }

    /// Where the daemon listens on TCP, as `host:port`.
    pub fn address(&self) -> &str {
        &self.http
    }

    /// Analyzer and valve say nothing any more, until they are thawed.
    pub fn freeze(&self) {
        self.plant.signal(Signal::STOP);
    }

    pub fn thaw(&self) {
        self.plant.signal(Signal::CONT);
    }

    /// Where the analyzer is, as `host:port`.
    pub fn analyzer(&self) -> &str {
        &self.ak
    }

    /// Begins the daemon anew; it looks for the analyzer elsewhere.
    pub fn look_elsewhere(&mut self, place: &str) {
        let config = self.path("gaserad.toml");
        let settings = fs::read_to_string(&config).unwrap().replacen(&self.ak, place, 1);
        fs::write(&config, settings).unwrap();
        self.daemon.take().map(Process::terminate);
        self.start_daemon();
        self.until_online();
    }

    /// Begins the daemon anew, at a port that it has again when it is started again: for readers that know no other place.
    pub fn keep_port(&mut self) {
        // Below those that the kernel gives away: no connection can have it meanwhile.
        let first = u16::try_from(std::process::id() % 10_000).unwrap() + 20_000;
        let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
        let port = (first..32_000).find(is_free).expect("one of two thousand ports is free");
        let config = self.path("gaserad.toml");
        let settings = fs::read_to_string(&config).unwrap();
        fs::write(&config, settings.replacen("\"127.0.0.1:0\"", &format!("\"127.0.0.1:{port}\""), 1)).unwrap();
        self.daemon.take().map(Process::terminate);
        self.start_daemon();
        self.until_online();
    }

    fn until_online(&self) {
        self.events(None).until_online();
    }

    pub fn gaseractl(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gaseractl"));
        let endpoint = format!("unix:{}", self.path("sock").display());
        command.env_clear().env("TZ", "UTC").env("COLUMNS", "200").env("USER", "ada");
        command.args(args).args(["--endpoint", &endpoint]);
        command
    }

    /// Runs gaseractl to its end.
    pub fn ctl(&self, args: &[&str]) -> Done {
        self.begin(args).wait()
    }

    /// Starts gaseractl, and leaves it running.
    pub fn begin(&self, args: &[&str]) -> Process {
        Process::start(&mut self.gaseractl(args))
    }

    /// Runs `gaseractl …` with `--json`, which must be granted.
    pub fn ask(&self, args: &[&str]) -> Value {
        let done = Process::start(self.gaseractl(args).arg("--json")).wait();
        assert_eq!(done.exit, 0, "{done:?}");
        crate::cli::json::check(args, &done.stdout);
        serde_json::from_str(&done.stdout).unwrap()
    }

    /// What happens from now on, after all that happened since event `after`.
    pub fn events(&self, after: Option<u64>) -> Events {
        Events::open(&self.http, after)
    }

    /// All events of the run that ended last, and those before it.
    pub fn events_to_the_end_of(&self, run: &str) -> Vec<Value> {
        let mut events = self.events(Some(0));
        let mut all = Vec::new();
        loop {
            let event = events.until(|event| !event["id"].is_null());
            let over = event["type"] == "run.finished" && event["data"]["run"]["id"] == run;
            all.push(event);
            if over {
                return all;
            }
        }
    }

    /// Asks the analyzer as another client would, like `STPM K0`; gives the words of the reply to that.
    pub fn as_another_client(&self, request: &str) -> Vec<String> {
        self.try_as_another_client(request).unwrap()
    }

    /// Once: what it tells the analyzer to do may not be repeated.
    fn try_as_another_client(&self, request: &str) -> io::Result<Vec<String>> {
        let mut stream = TcpStream::connect(&self.ak)?;
        write!(stream, "\x02 {request} \x03")?;
        let mut bytes = Vec::new();
        for byte in BufReader::new(stream).bytes() {
            match byte? {
                0x02 => bytes.clear(),
                0x03 if bytes.trim_ascii_start().starts_with(&request.as_bytes()[..4]) => {
                    let text = String::from_utf8_lossy(&bytes);
                    return Ok(text.split_whitespace().map(str::to_owned).collect());
                }
                byte => bytes.push(byte),
            }
        }
        Err(io::Error::new(ErrorKind::UnexpectedEof, format!("{request} was not replied to")))
    }

    /// The analyzer's state as it says itself (ASTS). A connection that breaks, as some plants' do, is made anew.
    pub fn analyzer_state(&self) -> u8 {
        const TRIES: usize = 5;
        let replies = (0..TRIES).map(|_| self.try_as_another_client("ASTS K0"));
        let is_there = |reply: &io::Result<Vec<String>>| match reply {
            Ok(_) => true,
            Err(error) => {
                use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
                let broke = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof].contains(&error.kind());
                assert!(broke, "ASTS cannot be asked: {error}");
                false
            }
        };
        let reply = replies.into_iter().find(is_there).expect("one of the connections holds").unwrap();
        let [code, error, state] = &reply[..] else { panic!("{reply:?} is no state") };
        assert_eq!((code.as_str(), error.as_str()), ("ASTS", "0"), "{reply:?} is no state");
        state.parse().unwrap()
    }

    #[track_caller]
    pub fn assert_idle(&self) {
        assert_eq!(self.analyzer_state(), IDLE, "the analyzer is not idle");
    }

    /// Waits for the news that the analyzer is idle, told after event `after`.
    pub fn until_idle(&self, after: u64) {
        self.events(Some(after)).until(|event| event["type"] == "device.status" && event["data"]["code"] == IDLE);
        self.assert_idle();
    }

    /// What each iteration so far really sampled.
    pub fn truth(&self) -> Vec<Truth> {
        let text = fs::read_to_string(self.path("truth.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn settings(folder: &Path, design: &Design, ak: &str, multiplexer: &(&str, &str, String)) -> String {
    let folder = folder.display();
    let (address, more) = (design.elsewhere.as_deref().unwrap_or(ak), design.analyzer);
    let store = design.store.replace("FOLDER", &folder.to_string());
    let (driver, key, place) = multiplexer;
    format!(
        "[listen]\naddresses = [\"unix:{folder}/sock\", \"127.0.0.1:0\"]\n\
         [analyzer]\naddress = \"{address}\"\n{more}\n\
         [multiplexer]\ndriver = \"{driver}\"\n[multiplexer.{driver}]\n{key} = \"{place}\"\n\
         [store]\ndirectory = \"{folder}/state\"\n{store}\n"
    )
}

/// The daemon's stream as lines of JSON.
pub struct Events {
    lines: Lines<BufReader<TcpStream>>,
    _watchdog: Watchdog,
}

impl Events {
    fn open(address: &str, after: Option<u64>) -> Self {
        Self::try_open(address, after).unwrap()
    }

    /// The stream of a daemon that may end at any moment.
    pub fn try_open(address: &str, after: Option<u64>) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        let after = after.map_or_else(String::new, |seq| format!("&last_event_id={seq}"));
        // Without the chunks of HTTP/1.1 the body is lines and nothing else.
        write!(stream, "GET /events?format=jsonl{after} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let other = stream.try_clone()?;
        let watchdog = Watchdog::new(move || drop(other.shutdown(Shutdown::Both)));
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next().unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into()))?;
        assert!(status.contains(" 200 "), "{status}");
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        Ok(Self { lines, _watchdog: watchdog })
    }

    /// Skips to the first event like this.
    #[track_caller]
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = self.find(wanted);
        found.expect("the stream ended, or was stuck, before what is waited for")
    }

    /// Until the analyzer is seen.
    pub fn until_online(&mut self) {
        self.until(|event| match event["type"].as_str() {
            Some("snapshot") => event["data"]["analyzer"]["online"] == true,
            Some("device.connection") => event["data"]["online"] == true,
            _ => false,
        });
    }

    /// The phase of a run that is waited for.
    #[track_caller]
    pub fn until_phase(&mut self, phase: &str) -> Value {
        self.until(|event| event["type"] == "phase" && event["data"]["phase"] == phase)
    }

    /// The same until the stream ends.
    pub fn rest(self) -> Vec<Value> {
        self.collect()
    }
}

impl Iterator for Events {
    type Item = Value;

    /// `None` when the stream has ended, in order or not.
    fn next(&mut self) -> Option<Value> {
        loop {
            let line = self.lines.next()?.ok()?;
            let Ok(event) = serde_json::from_str::<Value>(&line) else { continue };
            let mistakes = schema::mistakes(event["type"].as_str().unwrap_or_default(), &event["data"]);
            assert!(mistakes.is_empty(), "{event}: {mistakes:#?}");
            // What is kept of the time before is not what is waited for.
            if event["data"]["sticky"] != true {
                return Some(event);
            }
        }
    }
}
