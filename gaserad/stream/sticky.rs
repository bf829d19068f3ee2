//! The last event of each kind, for readers that come later: of results, the last of each channel.
//!
//! They come after the snapshot, without an id and marked as `"sticky": true`: whoever counts events must not count them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::Published;

/// How many are kept; the oldest make room.
const MOST: usize = 64;

/// Those are over when they are told, or told by the snapshot alone.
const NEVER: [&str; 2] = ["system.shutdown", "test"];

type Key = (String, Option<u8>);

#[derive(Debug, Default)]
pub struct Sticky(BTreeMap<Key, Published>);

impl Sticky {
    /// Keeps an event in place of the one of its kind before it.
    pub fn keep(&mut self, event: &Published) {
        if NEVER.contains(&event.name.as_str()) {
            return;
        }
        let key = (event.name.clone(), event.channel.filter(|_| event.name == "live_data"));
        if self.0.get(&key).is_some_and(|kept| kept.seq >= event.seq) {
            return;
        }
        self.0.insert(key, event.clone());
        if self.0.len() > MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, event)| event.seq).map(|(key, _)| key.clone())
        {
            self.0.remove(&oldest);
        }
    }

    /// Those up to event `last`, in order, marked.
    pub fn up_to(&self, last: u64) -> Vec<Published> {
        let mut events: Vec<Published> = self.0.values().filter(|event| event.seq <= last).map(marked).collect();
        events.sort_by_key(|event| event.seq);
        events
    }
}

fn marked(event: &Published) -> Published {
    let mut data: Value = serde_json::from_str(&event.data).unwrap_or_default();
    if let Some(object) = data.as_object_mut() {
        object.insert("sticky".into(), true.into());
    }
    Published { data: data.to_string(), ..event.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64, name: &str, channel: Option<u8>) -> Published {
        Published { seq, name: name.into(), run: None, channel, data: format!(r#"{{"n":{seq}}}"#) }
    }

    #[test]
    fn the_last_of_each_kind_stays_and_of_results_the_last_of_each_channel() {
        let mut sticky = Sticky::default();
        for (seq, name, channel) in [
            (1, "phase", Some(1)),
            (2, "live_data", Some(1)),
            (3, "live_data", Some(2)),
            (4, "phase", Some(2)),
            (5, "live_data", Some(1)),
            (6, "system.shutdown", None),
        ] {
            sticky.keep(&event(seq, name, channel));
        }
        // One from before, read late.
        sticky.keep(&event(1, "phase", Some(1)));
        let kept = sticky.up_to(9);
        assert_eq!(kept.iter().map(|event| event.seq).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(kept[0].data, r#"{"n":3,"sticky":true}"#);
        assert_eq!(sticky.up_to(4).len(), 2);
    }

    #[test]
    fn there_are_never_too_many() {
        let mut sticky = Sticky::default();
        (1..=200).for_each(|seq| sticky.keep(&event(seq, &format!("kind {seq}"), None)));
        let kept = sticky.up_to(u64::MAX);
        assert_eq!((kept.len(), kept[0].seq), (MOST, 137));
    }
}
