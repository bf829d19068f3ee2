//! How long somebody who asks for the status waits, while others do their worst.
//!
//! One server; a window in which nothing else happens, and one with the load, in turn. The load and who asks share the
//! second core, where the load gives way: what is waited for is the server.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::cell::{finish, gather};
use crate::slow::{Times, median};
use crate::warden::{self, Role};

const ASK: &[u8] = b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
const HALF: &[u8] = b"GET /status HTTP/1.1\r\nHost: local";
const WRONG: &[u8] = b"GET /status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\n\r\n";
const WINDOW: Duration = Duration::from_secs(2);
/// A round flat out, longer than a window.
const FLAT: &str = "flat 3";
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(4);
const READERS: usize = 1000;
pub const GIVING_WAY: &str = "giving way";

#[derive(Debug, Clone, Copy)]
enum Load {
    Readers,
    /// The same, but nobody waits until they have begun: they fall behind the ring at once.
    Returning,
    HalfOpen,
    WrongTokens,
}

impl Load {
    const ALL: [(&'static str, Self); 4] = [
        ("1000 readers flat out", Self::Readers),
        ("1000 readers far behind", Self::Returning),
        ("10000 half-open connections", Self::HalfOpen),
        ("a flood of wrong tokens", Self::WrongTokens),
    ];
}

pub fn compare(rounds: usize) -> io::Result<()> {
    warden::pin(1);
    println!(
        "\n{:>28} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "GET /status beside", "p50 ms", "p99 ms", "with p50", "with p99", "/p50", "/p99"
    );
    for (name, load) in Load::ALL {
        let mut server = Role::start(&["serve", "ours"])?;
        let address = server.answers.line()?;
        ask(&address, WINDOW)?;
        let mut found = Vec::new();
        for _ in 0..rounds {
            vacate(&mut server)?;
            found.push((ask(&address, WINDOW)?, load.beside(&mut server, &address)?));
        }
        let of = |read: fn(&(Times, Times)) -> f64| median(found.iter().map(read).collect());
        println!(
            "{name:>28} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.2} {:>9.2}",
            of(|(idle, _)| idle.0),
            of(|(idle, _)| idle.1),
            of(|(_, with)| with.0),
            of(|(_, with)| with.1),
            of(|(idle, with)| with.0 / idle.0),
            of(|(idle, with)| with.1 / idle.1),
        );
    }
    Ok(())
}

impl Load {
    /// What is waited for an answer while this goes on.
    fn beside(self, server: &mut Role, address: &str) -> io::Result<Times> {
        match self {
            Self::Readers | Self::Returning => {
                vacate(server)?;
                let mut load = Role::start(&["load", GIVING_WAY])?;
                load.ask(&format!("connect {address} {READERS}"))?;
                if matches!(self, Self::Readers) {
                    gather(server, READERS)?;
                }
                let first = server.ask("usage")?[3];
                load.orders.give("collect")?;
                server.orders.give(FLAT)?;
                std::thread::scope(|scope| {
                    let asking = scope.spawn(|| ask(address, WINDOW));
                    finish(server, &mut load, first)?;
                    asking.join().map_err(|_| io::Error::other("a thread panicked"))?
                })
            }
            Self::HalfOpen | Self::WrongTokens => {
                let mut load = Role::start(&[if matches!(self, Self::HalfOpen) { "half" } else { "flood" }, address])?;
                load.answers.line()?;
                ask(address, WINDOW)
            }
        }
    }
}

/// Waits until nobody reads any more.
fn vacate(server: &mut Role) -> io::Result<()> {
    while server.ask("usage")?[2] > 0 {
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Ten thousand that begin to ask and do not go on.
pub fn half_open(address: &str) -> io::Result<()> {
    warden::pin(1);
    warden::give_way();
    let mut open = Vec::new();
    for _ in 0..10_000 {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(HALF)?;
        open.push(stream);
    }
    println!("{}", open.len());
    wait_for_the_end()
}

/// Four that try tokens as fast as they are answered.
pub fn flood(address: &str) -> io::Result<()> {
    warden::pin(1);
    warden::give_way();
    for _ in 0..4 {
        let address = address.to_owned();
        std::thread::spawn(move || {
            // Some answers end the connection.
            while let Ok(mut stream) = TcpStream::connect(&address) {
                while exchange(&mut stream, WRONG).is_ok() {}
            }
        });
    }
    println!("4");
    wait_for_the_end()
}

fn wait_for_the_end() -> io::Result<()> {
    io::stdin().read_to_end(&mut Vec::new()).map(drop)
}

/// Median and 99th percentile of what is waited for answers, milliseconds.
fn ask(address: &str, time: Duration) -> io::Result<Times> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < time {
        let asked = Instant::now();
        exchange(&mut stream, ASK)?;
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(PAUSE);
    }
    times.sort_by(f64::total_cmp);
    let at = |hundredths: usize| times.get(times.len() * hundredths / 100).copied().unwrap_or(f64::NAN);
    Ok((at(50), at(99)))
}

/// A request and the whole answer to it.
fn exchange(stream: &mut TcpStream, request: &[u8]) -> io::Result<()> {
    stream.write_all(request)?;
    let (mut text, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        text.extend_from_slice(&buffer[..read]);
        let Some(head) = memchr::memmem::find(&text, b"\r\n\r\n") else { continue };
        let length = std::str::from_utf8(&text[..head])
            .unwrap_or_default()
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ").and_then(|length| length.parse::<usize>().ok()));
        if length.is_none_or(|length| text.len() >= head + 4 + length) {
            return Ok(());
        }
    }
}
