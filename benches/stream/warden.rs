//! What a process is allowed and what it uses.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Keeps this process to one core, where there are several.
pub fn pin(core: usize) {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    let _ = rustix::thread::sched_setaffinity(None, &cores);
}

/// Lets others on the same core go first, who measure what this process does to a server.
pub fn give_way() {
    let _ = rustix::process::nice(15);
}

/// The processor time that this process has used.
pub fn cpu() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(used.tv_sec.unsigned_abs(), u32::try_from(used.tv_nsec).unwrap_or_default())
}

/// The memory of this process that is in use, bytes.
pub fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * rustix::param::page_size() as u64
}

/// This program again, in a role; it ends when it is dropped.
pub struct Role {
    child: Child,
    pub orders: Orders,
    pub answers: Answers,
}

pub struct Orders(ChildStdin);

pub struct Answers(BufReader<ChildStdout>);

impl Role {
    pub fn start(arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child has no pipes"));
        };
        Ok(Self { child, orders: Orders(orders), answers: Answers(BufReader::new(answers)) })
    }

    pub fn ask(&mut self, text: &str) -> io::Result<Vec<u64>> {
        self.orders.give(text)?;
        Ok(numbers(&self.answers.line()?))
    }
}

impl Orders {
    pub fn give(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.0, "{text}")
    }
}

impl Answers {
    pub fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the process that was asked has ended"));
        }
        Ok(line.trim().to_owned())
    }
}

pub fn numbers(line: &str) -> Vec<u64> {
    line.split(' ').filter_map(|word| word.parse().ok()).collect()
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
