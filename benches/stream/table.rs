//! Rounds of measurements, their medians, and the ratios between them.

use std::io;

use crate::cell::{Cell, Measured, Pace, measure};
use crate::server::Way;

pub fn head() {
    println!(
        "{:>7} {:>5} {:>6} {:>9} {:>9} {:>9} {:>12} {:>9} {:>9} {:>7}",
        "readers", "pace", "way", "cpu us/ev", "p50 ms", "p99 ms", "deliveries/s", "KiB each", "connect", "lost"
    );
}

/// Measures the three ways in turn, and prints their medians and ours against the others.
pub fn compare(cell: Cell, rounds: usize) -> io::Result<()> {
    let mut found: [Vec<Measured>; 3] = Default::default();
    for _ in 0..rounds {
        for (way, found) in Way::ALL.into_iter().zip(&mut found) {
            found.push(measure(way, cell)?);
        }
    }
    let [ours, epoll, axum] = found.map(|found| median(&found));
    for (way, found) in Way::ALL.into_iter().zip([&ours, &epoll, &axum]) {
        line(cell, way.name(), found);
    }
    for (name, other) in [("/epoll", &epoll), ("/axum", &axum)] {
        println!(
            "{:>7} {:>5} {name:>6} {:>9.2} {:>9.2} {:>9.2} {:>12.2} {:>9}",
            cell.readers,
            pace(cell),
            ours.cpu / other.cpu,
            ours.p50 / other.p50,
            ours.p99 / other.p99,
            ours.rate / other.rate,
            "",
        );
    }
    Ok(())
}

fn line(cell: Cell, way: &str, found: &Measured) {
    println!(
        "{:>7} {:>5} {way:>6} {:>9.2} {:>9.3} {:>9.3} {:>12.0} {:>9.2} {:>9.0} {:>7.0}",
        cell.readers,
        pace(cell),
        found.cpu,
        found.p50,
        found.p99,
        found.rate,
        found.memory,
        found.connect,
        found.lost
    );
}

fn pace(cell: Cell) -> String {
    match cell.pace {
        Pace::PerSecond(rate) => format!("{rate}/s"),
        Pace::FlatOut => "flat".to_owned(),
    }
}

fn median(found: &[Measured]) -> Measured {
    let of = |read: fn(&Measured) -> f64| {
        let mut values: Vec<f64> = found.iter().map(read).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Measured {
        cpu: of(|one| one.cpu),
        p50: of(|one| one.p50),
        p99: of(|one| one.p99),
        rate: of(|one| one.rate),
        memory: of(|one| one.memory),
        lost: of(|one| one.lost),
        connect: of(|one| one.connect),
    }
}
