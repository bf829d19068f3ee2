//! What ten readers that never read do to a hundred others, and what becomes of them.
//!
//! The same server and the same hundred readers all the time: a window without the ten and one with them, in turn, so that
//! whatever else the machine does meets both alike.

use std::io;
use std::time::{Duration, Instant};

use crate::cell::{finish, gather};
use crate::server::Way;
use crate::warden::Role;

const READERS: usize = 100;
const STALLED: usize = 10;
/// Events of a window, and how many a second; both windows together are over before anybody is cut off.
const WINDOW: &str = "paced 600 200";
/// Fills the buffers of those that do not read.
const FILL: &str = "flat 1";
/// How long it is waited until those that do not read are cut off.
const CUT: Duration = Duration::from_secs(20);

pub fn compare(rounds: usize) -> io::Result<()> {
    println!(
        "\n{:>7} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>14}",
        "way", "p50 ms", "p99 ms", "+10 p50", "+10 p99", "/p50", "/p99", "KiB of each"
    );
    for way in [Way::Ours, Way::Epoll, Way::Axum] {
        let mut scene = Scene::start(way)?;
        let rounds = (0..rounds).map(|_| scene.round()).collect::<io::Result<Vec<Round>>>()?;
        let of = |read: fn(&Round) -> f64| median(rounds.iter().map(read).collect());
        println!(
            "{:>7} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.2} {:>9.2} {:>14.1}  {}",
            way.name(),
            of(|round| round.without.0),
            of(|round| round.without.1),
            of(|round| round.with.0),
            of(|round| round.with.1),
            of(|round| round.with.0 / round.without.0),
            of(|round| round.with.1 / round.without.1),
            of(|round| round.memory),
            scene.end()?,
        );
    }
    Ok(())
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Median and 99th percentile of a window, milliseconds.
pub type Times = (f64, f64);

struct Round {
    without: Times,
    with: Times,
    /// Of each stalled reader in the server, KiB.
    memory: f64,
}

struct Scene {
    server: Role,
    load: Role,
    address: String,
}

impl Scene {
    fn start(way: Way) -> io::Result<Self> {
        let mut server = Role::start(&["serve", way.name()])?;
        let (address, mut load) = (server.answers.line()?, Role::start(&["load"])?);
        load.ask(&format!("connect {address} {READERS}"))?;
        gather(&mut server, READERS)?;
        let mut scene = Self { server, load, address };
        // What is the first time only.
        scene.window(FILL)?;
        scene.window(WINDOW)?;
        Ok(scene)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn round(&mut self) -> io::Result<Round> {
        self.window(FILL)?;
        let (without, before) = self.window(WINDOW)?;
        self.stall(STALLED)?;
        gather(&mut self.server, READERS + STALLED)?;
        self.window(FILL)?;
        let (with, after) = self.window(WINDOW)?;
        self.stall(0)?;
        let memory = (after as f64 - before as f64) / 1024.0 / STALLED as f64;
        Ok(Round { without, with, memory })
    }

    fn stall(&mut self, readers: usize) -> io::Result<()> {
        let order = format!("stall {} {readers}", self.address);
        self.load.ask(&order).map(drop)
    }

    /// What the hundred have of these events, and the memory of the server then.
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    fn window(&mut self, order: &str) -> io::Result<(Times, u64)> {
        let first = self.server.ask("usage")?[3];
        self.load.orders.give("collect")?;
        self.server.orders.give(order)?;
        let (published, found) = finish(&mut self.server, &mut self.load, first)?;
        Ok(((found[2] as f64 / 1e3, found[3] as f64 / 1e3), published[1]))
    }

    /// How long those that do not read are kept.
    fn end(mut self) -> io::Result<String> {
        self.stall(STALLED)?;
        gather(&mut self.server, READERS + STALLED)?;
        self.window(FILL)?;
        let begun = Instant::now();
        while begun.elapsed() < CUT {
            self.window("paced 20 200")?;
            if self.server.ask("usage")?[2] <= READERS as u64 {
                return Ok(format!("cut off after {:.1} s", begun.elapsed().as_secs_f64()));
            }
        }
        Ok(format!("not cut off within {} s", CUT.as_secs()))
    }
}
