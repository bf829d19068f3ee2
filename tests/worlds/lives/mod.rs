//! Whole lives in virtual time: the real runtime on the real store, around engine, owners, sessions and drivers, on a
//! plant as bytes, with people who ask for this and that, a host whose power fails, whose disk is full and whose clock is
//! set.
//!
//! `LIVES=20000 cargo test lives:: -- --nocapture` is a longer run, with `FIRST=5001` from that one on, and
//! `LIFE=17 cargo test one_life_again -- --nocapture` one of them again.

mod disk;
mod fate;
mod host;
mod judge;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gasera::domain::{Control, Phase};
use tokio::time::sleep;

use crate::support::stack::in_virtual_time;
use crate::support::stack::wire::Line;
use fate::{Life, PARK};
use host::{Host, is_gone};
use judge::{Figures, Kept};

const LIVES: u64 = 150;
/// However slow everything is, nothing is under way by then. Four runs and as many as wait (6 at most) have 3 channels
/// twice, each with 2 minutes of purge and measuring and at most two iterations of 45 s to linger: 6 x 6 x 3.5 minutes are
/// 126; the rest is for grace, stops and parking.
const LONGEST: Duration = Duration::from_secs(3 * 3600);

/// A life to its end, and what its journal then says.
fn live(seed: u64) -> Result<(Figures, Vec<String>), String> {
    in_virtual_time(async {
        let mut life = Life::new(seed);
        let mut host = Host::new(&life.design, &life.settings);
        host.boot();
        for _ in 0..life.dice.between(4, 14) {
            sleep(life.dice.seconds(0, 60)).await;
            let boots = host.boots();
            life.happen(&mut host).await;
            if let (true, Some(store)) = (host.boots() > boots, host.store()) {
                judge::begins(&host, &store).await?;
            }
        }
        settle(&mut host).await?;
        let figures =
            Figures { boots: host.boots(), crashes: host.crashes(), full: host.disk.refusals(), ..Figures::default() };
        host.shut_down().await;
        host.boot();
        let store = host.store().ok_or("no store in the end")?;
        let mut all = judge::ended(&host, &store, PARK.min(life.design.channels)).await?;
        answered(&mut host, &store).await?;
        all.add(figures);
        let lines = Kept::of(&store).await.lines;
        host.shut_down().await;
        Ok((all, lines))
    })
}

/// All is well again, whoever waits is helped on, and nothing is under way any more.
async fn settle(host: &mut Host) -> Result<(), String> {
    host.analyzer_wire.be(Line::Sound);
    host.valve_wire.be(Line::Sound);
    let end = host.now() + LONGEST;
    loop {
        sleep(Duration::from_secs(60)).await;
        let status = host.status().await;
        if host.now() > end {
            return Err(format!("it does not settle: {status:?}"));
        }
        let Some(status) = status else { continue };
        if status.run.is_none() && status.queued.is_empty() {
            break;
        }
        if status.phase == Phase::Paused {
            host.ask(async |handle: gasera::runtime::Handle, who| handle.control(Control::Resume, who).await.map(drop));
        }
    }
    // What is owed to the devices is done by then.
    sleep(Duration::from_secs(120)).await;
    Ok(())
}

/// Whoever asked has one answer, which the audit has once; whose daemon was gone may have none there.
async fn answered(host: &mut Host, store: &gasera::store::Store) -> Result<(), String> {
    let audit = store.audit().await.map_err(|error| error.to_string())?;
    for asked in std::mem::take(&mut host.asked) {
        let who = asked.who;
        let times = audit.iter().filter(|entry| entry.who == who).count();
        let answer = tokio::time::timeout(Duration::from_secs(1), asked.answer).await;
        let answer = answer.map_err(|_| format!("{who} has no answer"))?.map_err(|error| error.to_string())?;
        let gone = answer.is_err_and(|denied| is_gone(&denied));
        if times > 1 || (times == 0 && !gone) {
            return Err(format!("{who} was answered, and the audit has that {times} times"));
        }
    }
    Ok(())
}

fn caught(seed: u64) -> Result<(Figures, Vec<String>), String> {
    std::panic::catch_unwind(|| live(seed)).unwrap_or_else(|_| Err("it panicked".into()))
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect(variable))
}

#[test]
fn whatever_befalls_a_daemon_what_it_said_is_kept_and_what_is_kept_is_true() {
    let (first, count) = (number("FIRST", 1), number("LIVES", LIVES));
    let (next, tally) = (AtomicU64::new(first), Mutex::new((Figures::default(), Vec::new())));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return;
            }
            // A longer run that does not come to its end shows which life it is.
            if count > LIVES {
                println!("LIFE={seed} begins");
            }
            let outcome = caught(seed);
            let mut tally = tally.lock().unwrap();
            match outcome {
                Ok((figures, _)) => tally.0.add(figures),
                Err(what) => {
                    println!("LIFE={seed}: {what:.700}");
                    tally.1.push((seed, what));
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let (figures, mut wrong) = tally.into_inner().unwrap();
    println!("{figures:#?}");
    wrong.sort();
    let first: Vec<String> = wrong.iter().take(8).map(|(seed, what)| format!("LIFE={seed}: {what:.700}")).collect();
    let seeds: Vec<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    assert!(wrong.is_empty(), "{} lives of {count} went wrong, {seeds:?}\n{}", wrong.len(), first.join("\n"));
    assert!(figures.good > 0 && figures.crashes > 0 && figures.full > 0, "{figures:?}");
}

#[test]
fn a_life_is_the_same_again_to_the_last_line_of_its_journal() {
    for seed in 1..=6 {
        let (first, again) = (caught(seed), caught(seed));
        assert_eq!(first, again, "LIFE={seed}");
    }
}

#[test]
fn one_life_again() {
    let seed = number("LIFE", 1);
    let (figures, lines) = live(seed).unwrap_or_else(|what| panic!("LIFE={seed}: {what}"));
    println!("{figures:#?}\n{}", lines.len());
}
