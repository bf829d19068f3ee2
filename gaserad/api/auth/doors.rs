//! Seats for connections, for each listener its own.
//!
//! A connection that has not asked for anything yet only waits at the door: when too many wait, the one that has waited
//! longest is sent away, so that who connects and says nothing takes nobody's place. One that asked takes a seat; a
//! stream leaves it again, since streams have places of their own ([`crate::stream::Settings`]). But it goes on being
//! one of its peer's connections, so that nobody takes all places.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::rate::network;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seats {
    /// Connections that have not asked for anything yet.
    pub waiting: usize,
    /// Connections that have.
    pub seated: usize,
    /// Of either kind and streams, of one peer of another machine.
    pub per_peer: usize,
}

pub struct Doors {
    seats: Seats,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    next: u64,
    /// In the order in which they came.
    waiting: BTreeMap<u64, CancellationToken>,
    seated: usize,
    peers: BTreeMap<IpAddr, usize>,
}

/// One connection. Dropping it makes room.
pub struct Pass {
    doors: Arc<Doors>,
    number: u64,
    counted: Option<Counted>,
    sent_away: CancellationToken,
    /// Something was asked for.
    asked: CancellationToken,
    seated: AtomicBool,
}

/// One of the connections of a peer of another machine, until the last of its clones is dropped.
#[derive(Clone)]
pub struct Counted {
    _one: Arc<One>,
}

struct One {
    doors: Arc<Doors>,
    peer: IpAddr,
}

/// Nobody can be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    #[error("all {0} connections are taken; try again soon")]
    House(usize),
    #[error("this peer has {0} connections open, which is the most that one may have; close some")]
    Peer(usize),
}

impl Doors {
    pub fn new(seats: Seats) -> Arc<Self> {
        Arc::new(Self { seats, inside: Mutex::default() })
    }

    /// Lets a connection wait. `peer` is given for those of other machines, who may have so many each.
    pub fn enter(self: &Arc<Self>, peer: Option<IpAddr>) -> Result<Pass, Full> {
        let peer = peer.map(network);
        let mut inside = self.lock();
        if let Some(peer) = peer {
            let open = inside.peers.entry(peer).or_default();
            if *open >= self.seats.per_peer {
                return Err(Full::Peer(self.seats.per_peer));
            }
            *open += 1;
        }
        let counted = peer.map(|peer| Counted { _one: Arc::new(One { doors: self.clone(), peer }) });
        while inside.waiting.len() >= self.seats.waiting.max(1) {
            inside.send_one_away();
        }
        inside.next += 1;
        let (number, sent_away) = (inside.next, CancellationToken::new());
        inside.waiting.insert(number, sent_away.clone());
        drop(inside);
        Ok(Pass {
            doors: self.clone(),
            number,
            counted,
            sent_away,
            asked: CancellationToken::new(),
            seated: AtomicBool::new(false),
        })
    }

    /// Sends away who has waited longest, when something else runs short.
    pub fn make_room(&self) -> bool {
        self.lock().send_one_away()
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn send_one_away(&mut self) -> bool {
        self.waiting.pop_first().inspect(|(_, sent_away)| sent_away.cancel()).is_some()
    }
}

impl Pass {
    /// The connection has asked for a stream: it goes on waiting at the door, as long as it likes.
    pub fn ask(&self) -> Result<(), Full> {
        self.asked.cancel();
        Ok(())
    }

    /// What the connection counts as for its peer, for whoever goes on with it.
    pub fn counted(&self) -> Option<Counted> {
        self.counted.clone()
    }

    /// Takes a seat: the connection has asked for something.
    pub fn sit(&self) -> Result<(), Full> {
        self.asked.cancel();
        if self.seated.load(Ordering::Relaxed) {
            return Ok(());
        }
        let most = self.doors.seats.seated;
        let mut inside = self.doors.lock();
        // Requests of one connection may come at the same time.
        if self.seated.load(Ordering::Relaxed) {
            return Ok(());
        }
        if inside.seated >= most {
            return Err(Full::House(most));
        }
        inside.waiting.remove(&self.number);
        inside.seated += 1;
        self.seated.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Ends when a connection that has no seat has waited too long, or others need its place.
    pub fn hopeless(&self, patience: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (sent_away, asked) = (self.sent_away.clone(), self.asked.clone());
        async move {
            let in_time = tokio::select! {
                () = sent_away.cancelled() => return,
                in_time = tokio::time::timeout(patience, asked.cancelled()) => in_time.is_ok(),
            };
            if in_time {
                sent_away.cancelled().await;
            }
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut inside = self.doors.lock();
        inside.waiting.remove(&self.number);
        inside.seated -= usize::from(self.seated.load(Ordering::Relaxed));
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let mut inside = self.doors.lock();
        let left = inside.peers.get(&self.peer).map_or(0, |open| open - 1);
        if left == 0 {
            inside.peers.remove(&self.peer);
        } else {
            inside.peers.insert(self.peer, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEATS: Seats = Seats { waiting: 3, seated: 2, per_peer: 2 };

    #[test]
    fn who_says_nothing_takes_nobodys_place() {
        let doors = Doors::new(SEATS);
        let silent: Vec<Pass> = (0..10_000).map(|_| doors.enter(None).unwrap()).collect();
        assert_eq!(doors.lock().waiting.len(), 3);
        let away = silent.iter().filter(|pass| pass.sent_away.is_cancelled()).count();
        assert!(away == 9_997 && !silent[9_999].sent_away.is_cancelled());
        let asks = doors.enter(None).unwrap();
        asks.sit().unwrap();
        asks.sit().unwrap();
        drop(silent);
        let inside = doors.lock();
        assert_eq!((inside.waiting.len(), inside.seated), (0, 1));
    }

    #[test]
    fn a_seat_is_free_again_when_its_connection_is_gone() {
        let doors = Doors::new(SEATS);
        let mut seated: Vec<Pass> = (0..2).map(|_| doors.enter(None).unwrap()).collect();
        for pass in &seated {
            pass.sit().unwrap();
        }
        let late = doors.enter(None).unwrap();
        assert_eq!(late.sit(), Err(Full::House(2)));
        seated.pop();
        late.sit().unwrap();
        assert!(doors.make_room() || doors.lock().waiting.is_empty());
    }

    #[test]
    fn one_peer_may_have_so_many() {
        let doors = Doors::new(Seats { waiting: 100, ..SEATS });
        let peer = Some("192.168.0.9".parse().unwrap());
        let first = doors.enter(peer).unwrap();
        let _second = doors.enter(peer).unwrap();
        assert_eq!(doors.enter(peer).err(), Some(Full::Peer(2)));
        doors.enter(Some("192.168.0.10".parse().unwrap())).unwrap();
        // What goes on without a seat still is the peer's.
        let stream = first.counted();
        drop(first);
        assert_eq!(doors.enter(peer).err(), Some(Full::Peer(2)));
        drop(stream);
        drop(doors.enter(peer).unwrap());
        assert_eq!(doors.lock().peers.len(), 1);
    }
}
