//! How often a peer may do something: a few at once, and then so many a second.
//!
//! Peers of this machine are not counted; those of one IPv6 network count as one. What is remembered is bounded.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Peers that are remembered; a peer that is forgotten begins anew.
const PEERS: usize = 4096;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limited {
    Connect,
    Control,
    WrongToken,
    /// Something that is kept in the audit, of somebody known or of anybody.
    Refused,
    RefusedStranger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// One more after each such time,
    pub every: Duration,
    /// and so many at once after a rest.
    pub burst: u32,
}

impl Rate {
    pub const fn new(every: Duration, burst: u32) -> Self {
        Self { every, burst }
    }

    /// So many a second, and five times as many at once.
    pub fn per_second(number: u32) -> Self {
        Self::new(Duration::from_secs(1) / number.max(1), number.saturating_mul(5).max(1))
    }
}

/// Counts by peer. Time is that of the world, from any beginning.
#[derive(Default)]
pub struct Rates {
    /// When all that was done would be paid for.
    paid: Mutex<BTreeMap<(IpAddr, Limited), Duration>>,
}

impl Rates {
    /// Counts one; or says how long to wait, and counts nothing.
    pub fn count(&self, peer: IpAddr, what: Limited, rate: Rate, now: Duration) -> Result<(), Duration> {
        self.check(peer, what, rate, now)?;
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let until = paid.entry((network(peer), what)).or_default();
        *until = (*until).max(now) + rate.every;
        if paid.len() > PEERS {
            paid.retain(|_, until| *until > now);
        }
        if paid.len() > PEERS {
            let oldest = paid.iter().min_by_key(|(_, until)| **until).map(|(key, _)| *key);
            oldest.map(|key| paid.remove(&key));
        }
        Ok(())
    }

    /// Whether one more would be allowed.
    pub fn check(&self, peer: IpAddr, what: Limited, rate: Rate, now: Duration) -> Result<(), Duration> {
        let paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let owed = paid.get(&(network(peer), what)).map_or(Duration::ZERO, |until| until.saturating_sub(now));
        let most = rate.every * (rate.burst.max(1) - 1);
        match owed.checked_sub(most) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }
}

/// One host has as many IPv6 addresses of its network as it likes.
pub fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Whole seconds, rounded up, for people and for Retry-After.
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::new(Duration::from_millis(500), 5);

    fn peer(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_few_at_once_and_then_so_many_a_second() {
        let rates = Rates::default();
        let ada = peer("192.168.0.9");
        let at = |ms| rates.count(ada, Limited::Control, RATE, Duration::from_millis(ms));
        for _ in 0..5 {
            at(0).unwrap();
        }
        assert_eq!(at(0), Err(Duration::from_millis(500)));
        assert_eq!(at(499), Err(Duration::from_millis(1)));
        at(500).unwrap();
        assert!(at(500).is_err());
        rates.count(ada, Limited::Connect, RATE, Duration::ZERO).unwrap();
        rates.count(peer("192.168.0.10"), Limited::Control, RATE, Duration::ZERO).unwrap();
        for _ in 0..5 {
            at(60_000).unwrap();
        }
        assert!(at(60_000).is_err());
        assert_eq!((seconds(Duration::from_millis(1)), seconds(Duration::ZERO)), (1, 0));
    }

    #[test]
    fn asking_whether_costs_nothing() {
        let rates = Rates::default();
        for _ in 0..100 {
            rates.check(peer("10.0.0.1"), Limited::WrongToken, RATE, Duration::ZERO).unwrap();
        }
    }

    #[test]
    fn a_network_counts_as_one_and_many_do_not_grow() {
        let rates = Rates::default();
        for host in 0..5 {
            rates.count(peer(&format!("2001:db8:0:1::{host}")), Limited::Connect, RATE, Duration::ZERO).unwrap();
        }
        assert!(rates.count(peer("2001:db8:0:1:ffff::"), Limited::Connect, RATE, Duration::ZERO).is_err());
        assert_eq!(network(peer("::ffff:10.0.0.1")), peer("10.0.0.1"));
        for host in 0..10_000_u32 {
            let _ = rates.count(IpAddr::from(host.to_be_bytes()), Limited::Connect, RATE, Duration::ZERO);
        }
        assert!(rates.paid.lock().unwrap().len() <= PEERS);
    }
}
