//! One measurement: a server, its readers, and events at some pace.

use std::io;
use std::time::{Duration, Instant};

use crate::server::Way;
use crate::warden::{Role, numbers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    PerSecond(u64),
    /// As fast as the slowest reader allows.
    FlatOut,
}

#[derive(Debug, Clone, Copy)]
pub struct Cell {
    pub readers: usize,
    pub pace: Pace,
    pub seconds: u64,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Measured {
    /// Processor time for a delivery, microseconds.
    pub cpu: f64,
    pub p50: f64,
    pub p99: f64,
    /// Deliveries per second.
    pub rate: f64,
    /// Beyond the idle server, KiB for each reader.
    pub memory: f64,
    pub lost: f64,
    /// Until all were connected, milliseconds.
    pub connect: f64,
}

/// How long the readers are given to connect.
const CONNECTING: Duration = Duration::from_secs(30);
const SETTLE: Duration = Duration::from_millis(300);

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
pub fn measure(way: Way, cell: Cell) -> io::Result<Measured> {
    let mut server = Role::start(&["serve", way.name()])?;
    let address = server.answers.line()?;
    let idle = server.ask("usage")?;
    let mut load = Role::start(&["load"])?;
    let connect = load.ask(&format!("connect {address} {}", cell.readers))?;
    gather(&mut server, cell.readers)?;
    load.orders.give("collect")?;
    std::thread::sleep(SETTLE);
    let before = server.ask("usage")?;
    let begun = Instant::now();
    server.orders.give(&match cell.pace {
        Pace::PerSecond(rate) => format!("paced {} {rate}", rate * cell.seconds),
        Pace::FlatOut => format!("flat {}", cell.seconds),
    })?;
    let (published, found) = finish(&mut server, &mut load, before[3])?;
    let took = begun.elapsed().as_secs_f64();
    let after = server.ask("usage")?;
    Ok(Measured {
        cpu: (after[0] - before[0]) as f64 / 1e3 / found[0] as f64,
        p50: found[2] as f64 / 1e3,
        p99: found[3] as f64 / 1e3,
        rate: found[0] as f64 / took,
        memory: published[1].saturating_sub(idle[1]) as f64 / 1024.0 / cell.readers as f64,
        lost: found[1] as f64,
        connect: connect[0] as f64 / 1e3,
    })
}

/// Waits until so many readers are connected and answered.
pub fn gather(server: &mut Role, readers: usize) -> io::Result<()> {
    let begun = Instant::now();
    while server.ask("usage")?[2] < readers as u64 {
        if begun.elapsed() > CONNECTING {
            return Err(io::Error::other("the readers did not get through"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Passes on how far the readers are until all after event `first` is published and read; what the server and the readers
/// say of it.
pub fn finish(server: &mut Role, load: &mut Role, first: u64) -> io::Result<(Vec<u64>, Vec<u64>)> {
    let Role { orders: load_orders, answers: load_answers, .. } = load;
    let Role { orders: server_orders, answers: server_answers, .. } = server;
    std::thread::scope(|scope| {
        let reading = scope.spawn(move || {
            loop {
                let line = load_answers.line()?;
                match line.strip_prefix("done ") {
                    Some(found) => return io::Result::Ok(numbers(found)),
                    None => server_orders.give(&line)?,
                }
            }
        });
        let published = numbers(&server_answers.line()?);
        load_orders.give(&(published[3] - first).to_string())?;
        let found = reading.join().map_err(|_| io::Error::other("a thread panicked"))??;
        Ok((published, found))
    })
}
