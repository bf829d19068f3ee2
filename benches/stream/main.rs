//! From publishing an event to its bytes at up to ten thousand readers, over loopback.
//!
//! Three servers side by side: this project's, a bare epoll loop that writes each event to each reader (what the kernel
//! alone costs), and a plain axum server over a broadcast channel (what is usually written). Each runs in a process of
//! its own on the first core, the readers in another on the second. Rounds are interleaved and medians are shown; their
//! ratios are what holds from machine to machine.
//!
//! `cargo bench --bench stream` takes about five minutes, with `-- --full` about half an hour. `-- --only 1000` measures
//! one number of readers, `-- --only slow` what readers that do not read do to the others,
//! `-- --only control` how long others wait for an answer.

#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

mod cell;
mod control;
mod epoll;
mod event;
mod load;
mod plain;
mod server;
mod slow;
mod still;
mod table;
mod warden;

use std::io;

use crate::cell::{Cell, Pace};
use crate::server::Way;

/// Two descriptors for each reader, one at either end, in two processes.
const DESCRIPTORS: u64 = 20_000;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    raise_descriptors();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["serve", way] => server::run(Way::named(way)?),
        ["load"] => load::run(),
        ["load", control::GIVING_WAY] => {
            warden::give_way();
            load::run()
        }
        ["half", address] => control::half_open(address),
        ["flood", address] => control::flood(address),
        rest => compare(rest),
    }
}

fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
    let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum });
}

fn compare(arguments: &[&str]) -> io::Result<()> {
    let full = arguments.contains(&"--full");
    let only = arguments.iter().skip_while(|argument| **argument != "--only").nth(1);
    let chosen = |name: &str| only.is_none_or(|only| *only == name);
    let (counts, rounds): (&[usize], usize) =
        if full { (&[100, 1000, 5000, 10_000], 5) } else { (&[100, 1000, 10_000], 1) };
    table::head();
    for &readers in counts.iter().filter(|count| chosen(&count.to_string())) {
        for pace in [Pace::PerSecond(2), Pace::PerSecond(10), Pace::FlatOut] {
            // The few readers of the short round are where small times are told; they are cheap.
            let rounds = if full || readers <= 1000 { rounds.max(3) } else { rounds };
            table::compare(Cell { readers, pace, seconds: if full { 5 } else { 2 } }, rounds)?;
        }
    }
    if chosen("slow") {
        slow::compare(if full { 15 } else { 3 })?;
    }
    if chosen("control") {
        control::compare(if full { 15 } else { 3 })?;
    }
    Ok(())
}
