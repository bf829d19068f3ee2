//! The event that is measured: about 600 bytes on the wire, with the moment at which it was published.

use std::time::{SystemTime, UNIX_EPOCH};

/// What comes before the moment and the number; nothing else in the stream has it.
pub const MARK: u8 = b'@';
/// Nanoseconds since the epoch.
const STAMP: usize = 19;
const NUMBER: usize = 8;
/// How long a mark is with what follows it.
pub const LENGTH: usize = 1 + STAMP + NUMBER;

pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or_default()
}

/// A change of phase, as it is published now.
pub fn payload(seq: u64) -> String {
    let at = now();
    format!(
        "{{\"timestamp\":1768464192.345,\"at\":\"@{at:019}{seq:08}\",\"run_id\":\"01JHN5E6M0Q8ZJ5V3T0W1X2Y3Z\",\
         \"phase\":\"MEASURING\",\"previous\":\"PURGING\",\"channel\":7,\"visit_id\":{seq},\"repeat\":2,\
         \"until\":\"2026-01-15T08:03:12.345Z\",\"reason\":\"measuring until the fourth good iteration is complete\",\
         \"progress\":{{\"phase\":\"MEASURING\",\"current_channel\":6,\"next_channel\":7,\"next_enabled_channel\":8,\
         \"percent\":33,\"overall_percent\":16,\"repeat_index\":1,\"repeat_total\":10,\"enabled_count\":31,\
         \"step_index\":38,\"total_steps\":310,\"elapsed_seconds\":12345.67,\"tt_seconds\":98765.0}}}}"
    )
}

pub fn frame(seq: u64, data: &str) -> String {
    format!("id: {seq}\nevent: phase\ndata: {data}\n\n")
}

/// The moment and the number of a mark, if that is what it is.
pub fn read(mark: &[u8]) -> Option<(u64, u64)> {
    let text = std::str::from_utf8(mark.get(1..LENGTH)?).ok()?;
    Some((text[..STAMP].parse().ok()?, text[STAMP..].parse().ok()?))
}
