//! Many readers that drop and come back at random, while the daemon is killed once and stopped once: each is told
//! everything, once and in order.
//!
//! `CHURN=60 cargo test --test tests churn:: -- --nocapture` takes a minute with 1,000 of them; `SEED=…` draws other moments.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use serde_json::Value;

use super::lab::{Design, Lab};
use crate::support::frames::{Answer, Frame};
use crate::support::processes::Watchdog;

/// How long the loop waits for sockets; it counts for those that are away.
const TURN: Duration = Duration::from_millis(5);
/// At most so many turns a client is away: about a second.
const LONGEST_AWAY: u64 = 200;
/// At most so many events, and progress among them, are read from one connection.
const LONGEST_STAY: u64 = 60;

/// The same decisions for the same seed, as far as the world is the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What is known in common by the clients and by who restarts the daemon.
#[derive(Default)]
struct World {
    /// `host:port`; every life of the daemon has another.
    place: Mutex<String>,
    /// The last event that there will be, once that is known.
    last: AtomicU64,
    given_up: AtomicBool,
}

#[derive(Debug, Default)]
struct Counts {
    connections: u64,
    refused: u64,
    /// Connections that the client left.
    left: u64,
    /// Those that the daemon's end took away.
    lost: u64,
    read: u64,
    gaps: u64,
    /// What the daemon said of them.
    reasons: BTreeSet<String>,
    duplicates: u64,
    /// Events that were told differently to somebody else.
    different: u64,
}

struct Client {
    stream: Option<TcpStream>,
    asked: bool,
    /// One in eight has HTTP/1.0, for which the daemon writes in another way.
    version: &'static str,
    answer: Answer,
    last: u64,
    /// Turns until it comes, or events until it leaves.
    until: u64,
}

struct Crowd {
    poll: Poll,
    clients: Vec<Client>,
    dice: Dice,
    counts: Counts,
    told: BTreeMap<u64, (String, String)>,
    world: Arc<World>,
}

impl Crowd {
    fn new(clients: usize, begun: u64, world: Arc<World>) -> Self {
        let mut dice = Dice(number("SEED", 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut client = |index: usize| Client {
            stream: None,
            asked: false,
            version: if index.is_multiple_of(8) { "1.0" } else { "1.1" },
            answer: Answer::default(),
            last: begun,
            until: dice.below(LONGEST_AWAY) + 1,
        };
        let clients = (0..clients).map(&mut client).collect();
        Self { poll: Poll::new().unwrap(), clients, dice, counts: Counts::default(), told: BTreeMap::new(), world }
    }

    /// Until everybody has the last event.
    fn run(mut self) -> Self {
        let mut events = Events::with_capacity(1024);
        while !self.is_done() {
            assert!(!self.world.given_up.load(Ordering::Relaxed), "some have not everything: {:?}", self.counts);
            self.poll.poll(&mut events, Some(TURN)).unwrap();
            for event in &events {
                let Token(index) = event.token();
                if event.is_writable() {
                    self.ask(index);
                }
                self.read(index);
            }
            (0..self.clients.len()).for_each(|index| self.wait(index));
        }
        self
    }

    fn is_done(&self) -> bool {
        let last = self.world.last.load(Ordering::Relaxed);
        last > 0 && self.clients.iter().all(|client| client.last >= last)
    }

    /// One turn of somebody who is away.
    fn wait(&mut self, index: usize) {
        let client = &mut self.clients[index];
        if client.stream.is_some() {
            return;
        }
        client.until -= 1;
        if client.until > 0 {
            return;
        }
        let place = self.world.place.lock().unwrap().parse().unwrap();
        let Ok(mut stream) = TcpStream::connect(place) else { return self.leave(index) };
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(index), interest).unwrap();
        client.stream = Some(stream);
        (client.asked, client.answer) = (false, Answer::default());
        client.until = self.dice.below(LONGEST_STAY) + 1;
        self.counts.connections += 1;
    }

    fn ask(&mut self, index: usize) {
        let Client { stream: Some(stream), asked: asked @ false, version, last, .. } = &mut self.clients[index] else {
            return;
        };
        let request = format!(
            "GET /events HTTP/{version}\r\nHost: localhost\r\nAccept: text/event-stream\r\nLast-Event-ID: {last}\r\n\r\n"
        );
        // What went wrong shows when it reads.
        *asked = stream.write_all(request.as_bytes()).is_ok();
    }

    fn read(&mut self, index: usize) {
        let mut bytes = [0; 16 * 1024];
        while let Some(stream) = &mut self.clients[index].stream {
            match stream.read(&mut bytes) {
                Ok(0) => self.lose(index),
                Ok(read) => self.take(index, &bytes[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.lose(index),
            }
        }
    }

    fn take(&mut self, index: usize, bytes: &[u8]) {
        let answer = &mut self.clients[index].answer;
        let frames = answer.feed(bytes);
        if answer.status.is_some_and(|status| status != 200) {
            self.counts.refused += 1;
            return self.leave(index);
        }
        for frame in frames {
            self.hear(index, frame);
            let client = &mut self.clients[index];
            client.until = client.until.saturating_sub(1);
            if client.until == 0 && self.world.last.load(Ordering::Relaxed) == 0 {
                // What else has come is thrown away, as by somebody who ends in the middle.
                self.counts.left += 1;
                return self.leave(index);
            }
        }
    }

    fn hear(&mut self, index: usize, frame: Frame) {
        let (client, counts) = (&mut self.clients[index], &mut self.counts);
        if frame.kind == "gap" {
            counts.gaps += 1;
            counts.reasons.insert(frame.data.clone());
        }
        let Some(id) = frame.id.filter(|_| frame.kind != "snapshot") else { return };
        counts.read += 1;
        counts.gaps += u64::from(id > client.last + 1);
        counts.duplicates += u64::from(id <= client.last);
        client.last = id;
        let told = (frame.kind, frame.data);
        let same = self.told.entry(id).or_insert_with(|| told.clone()) == &told;
        counts.different += u64::from(!same);
    }

    fn lose(&mut self, index: usize) {
        self.counts.lost += u64::from(self.clients[index].asked);
        self.leave(index);
    }

    fn leave(&mut self, index: usize) {
        self.clients[index].stream = None;
        self.clients[index].until = self.dice.below(LONGEST_AWAY) + 1;
    }
}

fn number(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).map_or(otherwise, |text| text.parse().expect(variable))
}

/// A connection has two ends, in two processes, and the daemon inherits what is allowed here.
fn raise_descriptors(wanted: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }).unwrap();
    }
}

/// Restarts the daemon after a third and after two thirds of the visits; gives the events to the end of the run.
fn restarted(lab: &mut Lab, world: &World, visits: u64, begun: u64) -> Vec<Value> {
    for (part, signal) in [(1, Signal::KILL), (2, Signal::TERM)] {
        let mut events = lab.events(Some(begun));
        (0..visits * part / 3).for_each(|_| drop(events.until_phase("MEASURING")));
        let daemon = lab.daemon.take().unwrap();
        daemon.signal(signal);
        daemon.wait();
        lab.start_daemon();
        lab.address().clone_into(&mut world.place.lock().unwrap());
    }
    let run = lab.ask(&["status"])["run"]["id"].as_str().expect("the run goes on").to_owned();
    let mut all = lab.events_to_the_end_of(&run);
    all.retain(|event| event["id"].as_u64() > Some(begun));
    all
}

#[test]
fn who_drops_and_comes_back_misses_nothing_over_two_restarts() {
    let seconds = number("CHURN", 15);
    let clients = if seconds < 60 { 200 } else { 1000 };
    raise_descriptors(4096);
    let store = "on_restart = \"resume\"\nmax_outage = \"30d\"\n[stream]\nmax_connections = 4000";
    let mut lab = Lab::new(&Design { store, ..Design::default() });
    let begun = lab.ask(&["status"])["seq"].as_u64().unwrap();
    // A visit takes a hundred seconds, which is one of the world's.
    let repeats = (seconds / 5).to_string();
    let plan = ["start", "--channels", "1-5", "--repeats", &repeats, "--purge", "10s", "--measure", "85s"];
    assert_eq!(lab.ctl(&[&plan[..], &["--sync", "dwell"]].concat()).exit, 0);

    let world = Arc::new(World { place: Mutex::new(lab.address().to_owned()), ..World::default() });
    let seen = world.clone();
    let watchdog = Watchdog::new(move || seen.given_up.store(true, Ordering::Relaxed));
    let crowd = Crowd::new(clients, begun, world.clone());
    let crowd = spawn(move || crowd.run());
    let all = restarted(&mut lab, &world, seconds / 5 * 5, begun);
    world.last.store(all.last().unwrap()["id"].as_u64().unwrap(), Ordering::Relaxed);
    let Crowd { counts, told, .. } = crowd.join().unwrap();
    drop(watchdog);

    eprintln!("{clients} clients, {} events, 2 restarts: {counts:?}", all.len());
    assert_eq!((counts.gaps, counts.duplicates, counts.different), (0, 0, 0), "{counts:?}");
    assert!(counts.left > clients as u64 && counts.lost > clients as u64 / 2, "{counts:?}");
    for event in all {
        let (kind, data) = &told[&event["id"].as_u64().unwrap()];
        assert_eq!(*kind, event["type"], "{event}");
        assert_eq!(serde_json::from_str::<Value>(data).unwrap(), event["data"]);
    }
}
