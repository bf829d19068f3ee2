//! What is asked of the daemon, and how hard it is tried.

use std::time::Duration;

use gasera::sse::LinkPatience;

use crate::web::escape;

/// The daemon says something at least every ten seconds; after this it is not there any more.
const DEAD_AFTER: Duration = Duration::from_secs(45);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionQuery {
    /// Event types as people write them; empty for all.
    pub types: String,
    pub channels: String,
    /// Replay what came after this event.
    pub since: Option<u64>,
    /// How often in a row to try to connect again; `None` for ever.
    pub attempts: Option<u32>,
    /// After those poll the state, instead of giving up.
    pub polls: bool,
    /// A daemon that has no place for one more reader is waited for from the beginning.
    pub queues: bool,
    /// The delay that doubles; `None` for what the daemon asks for.
    pub first_delay: Option<Duration>,
    pub longest_delay: Duration,
    /// Without a byte for so long, the connection is dead.
    pub dead_after: Duration,
}

impl Default for SubscriptionQuery {
    fn default() -> Self {
        Self {
            types: String::new(),
            channels: String::new(),
            since: None,
            attempts: None,
            polls: false,
            queues: false,
            first_delay: None,
            longest_delay: LinkPatience::default().longest_delay,
            dead_after: DEAD_AFTER,
        }
    }
}

impl SubscriptionQuery {
    pub fn path(&self) -> String {
        let pairs = [("types", &self.types), ("channels", &self.channels)];
        let given: Vec<String> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| format!("{key}={}", escape(value)))
            .collect();
        if given.is_empty() { "/events".to_owned() } else { format!("/events?{}", given.join("&")) }
    }

    pub fn patience(&self) -> LinkPatience {
        LinkPatience {
            first_delay: self.first_delay,
            longest_delay: self.longest_delay,
            attempts: self.attempts,
            polls: self.polls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_go_into_the_query() {
        let query = |types: &str, channels: &str| {
            SubscriptionQuery { types: types.into(), channels: channels.into(), ..SubscriptionQuery::default() }.path()
        };
        assert_eq!(query("", ""), "/events");
        assert_eq!(query("run.*,live_data", "1-8,!5"), "/events?types=run.*,live_data&channels=1-8,!5");
        assert_eq!(query("", "1 & 2"), "/events?channels=1%20%26%202");
    }
}
