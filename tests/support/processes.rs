//! Processes that a test starts, listens to and ends. None outlives its test.
//!
//! Nothing here waits for a time: lines and ends are waited for as they come, and what never comes is cut off by a
//! watchdog, so that a test fails instead of hanging.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// What takes longer than this is stuck, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(180);
/// How long a process may take to end on SIGTERM, in steps.
const GRACE_STEPS: u32 = 1000;
const GRACE_STEP: Duration = Duration::from_millis(20);

/// Does something unless it is dropped in time.
pub struct Watchdog {
    alive: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    pub fn new(bite: impl FnOnce() + Send + 'static) -> Self {
        Self::after(LIMIT, bite)
    }

    fn after(limit: Duration, bite: impl FnOnce() + Send + 'static) -> Self {
        let (alive, heard) = channel();
        let thread = spawn(move || {
            if heard.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                bite();
            }
        });
        Self { alive: Some(alive), thread: Some(thread) }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.alive = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// How a process ended, and all that it said.
#[derive(Debug)]
pub struct Done {
    /// -1 if a signal ended it.
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

pub struct Process {
    name: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    said: String,
    stderr: Option<JoinHandle<String>>,
    watchdog: Option<Watchdog>,
}

impl Process {
    pub fn start(command: &mut Command) -> Self {
        Self::start_for(LIMIT, command)
    }

    /// One that may take longer than others.
    pub fn start_for(limit: Duration, command: &mut Command) -> Self {
        let name = format!("{command:?}");
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(&name);
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut errors = child.stderr.take().unwrap();
        let stderr = spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let pid = pid(&child);
        let watchdog = Watchdog::after(limit, move || {
            let _ = kill_process(pid, Signal::KILL);
        });
        Self { name, child, stdout, said: String::new(), stderr: Some(stderr), watchdog: Some(watchdog) }
    }

    /// The next line of stdout; `None` at its end.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = self.stdout.read_line(&mut line).unwrap();
        self.said += &line;
        (count > 0).then(|| line.trim_end().to_owned())
    }

    /// What follows `beginning` on the first line that begins so.
    pub fn line_after(&mut self, beginning: &str) -> String {
        let found = self.find_line_after(beginning);
        found.unwrap_or_else(|| panic!("{} ended, or was stuck, before it said {beginning:?}", self.name))
    }

    /// The same of a process that may end before.
    pub fn find_line_after(&mut self, beginning: &str) -> Option<String> {
        while let Some(line) = self.line() {
            if let Some(rest) = line.strip_prefix(beginning) {
                return Some(rest.to_owned());
            }
        }
        None
    }

    pub fn pid(&self) -> Pid {
        pid(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(pid(&self.child), signal).unwrap();
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Done {
        while self.line().is_some() {}
        let status = self.child.wait().unwrap();
        self.watchdog = None;
        let stderr = self.stderr.take().map(JoinHandle::join).unwrap().unwrap();
        Done { exit: exit_code(status), stdout: std::mem::take(&mut self.said), stderr }
    }

    /// Tells it to end, and waits until it has.
    pub fn terminate(self) -> Done {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Ends it without telling it.
    pub fn kill(self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    pub fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let _ = kill_process(pid(&self.child), Signal::TERM);
        for _ in 0..GRACE_STEPS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            sleep(GRACE_STEP);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(stderr) = self.stderr.take() else { return };
        self.watchdog = None;
        self.end();
        let stderr = stderr.join().unwrap_or_default();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}{stderr}---", self.name, self.said);
        }
    }
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}
