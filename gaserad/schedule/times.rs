//! The moments that a cron expression means in a time zone.
//!
//! Where clocks are put forward, a job of fixed times (no field for minute or hour begins with `*`) that falls into the
//! hour that is left out is due once, at the moment when the clocks are put forward; other jobs have no such times.
//! Where clocks are put back, fixed times come once, in the first of the two hours; other jobs go on through both.

use cronexpr::Crontab;
use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::domain::Utc;

/// Changes of the clock that are looked through for the next time: far more than February 29 needs.
const MOST_CHANGES: usize = 64;

#[derive(Debug, Clone)]
pub struct Times {
    /// As if the clocks of the zone were those of UTC.
    fields: Crontab,
    zone: TimeZone,
    fixed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimesError {
    #[error(
        "{0:?} is no cron expression: it has five fields, minute, hour, day of month, month and day of week, \
         like \"0 */2 * * *\" or \"30 6 * * MON-FRI\""
    )]
    Fields(String),
    #[error("{0:?} is no cron expression: {1}")]
    Field(String, String),
    #[error("{0:?} is no time zone; zones are called like Europe/Berlin, America/New_York or UTC")]
    Zone(String),
}

impl Times {
    pub fn parse(cron: &str, zone: &str) -> Result<Self, TimesError> {
        let fields: Vec<&str> = cron.split_ascii_whitespace().collect();
        let [minute, hour, ..] = fields[..] else { return Err(TimesError::Fields(cron.to_owned())) };
        if fields.len() != 5 {
            return Err(TimesError::Fields(cron.to_owned()));
        }
        let fixed = !minute.starts_with('*') && !hour.starts_with('*');
        let fields = cronexpr::parse_crontab(&format!("{} UTC", fields.join(" ")))
            .map_err(|error| TimesError::Field(cron.to_owned(), first_line(&error.to_string())))?;
        let zone = TimeZone::get(zone).map_err(|_| TimesError::Zone(zone.to_owned()))?;
        Ok(Self { fields, zone, fixed })
    }

    /// The first time after `after`; `None` if none ever comes.
    pub fn after(&self, after: Utc) -> Option<Utc> {
        let mut from = Timestamp::from_microsecond(after.as_micros()).ok()?;
        for _ in 0..MOST_CHANGES {
            let offset = self.zone.to_offset(from);
            let change = self.zone.following(from).next().map(|change| change.timestamp());
            if let Some(found) = self.with_offset(from, offset, change) {
                return Some(utc(found));
            }
            let change = change?;
            if self.is_due_at(change, offset) {
                return Some(utc(change));
            }
            from = change;
        }
        None
    }

    /// The first time after `from` and before `until`, while the clocks have this offset.
    fn with_offset(&self, from: Timestamp, offset: Offset, until: Option<Timestamp>) -> Option<Timestamp> {
        let mut wall = as_utc(from, offset)?;
        loop {
            wall = self.fields.find_next(wall).ok()?.timestamp();
            let found = from_wall(wall, offset)?;
            if until.is_some_and(|until| found >= until) {
                return None;
            }
            if !(self.fixed && self.comes_again(wall, offset)) {
                return Some(found);
            }
        }
    }

    /// Whether the clocks showed this already, with another offset.
    fn comes_again(&self, wall: Timestamp, offset: Offset) -> bool {
        let shown = Offset::UTC.to_datetime(wall);
        matches!(self.zone.to_ambiguous_timestamp(shown).offset(),
            AmbiguousOffset::Fold { before, .. } if before != offset)
    }

    /// Whether a time falls on the moment of a change, or into what the change leaves out.
    fn is_due_at(&self, change: Timestamp, before: Offset) -> bool {
        let after = self.zone.to_offset(change);
        let (Some(left), Some(arrived)) = (as_utc(change, before), as_utc(change, after)) else { return false };
        // Put back, the clocks show again what was shown before.
        let from = if self.fixed && left < arrived { left } else { arrived };
        let moment_before = from.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap_or(from);
        let Some(wall) = self.fields.find_next(moment_before).ok().map(|next| next.timestamp()) else { return false };
        wall <= arrived && !(self.fixed && self.comes_again(wall, after))
    }

    /// As the clocks of the zone show it: `2026-03-29T03:00:00+02:00`.
    pub fn local(&self, at: Utc) -> String {
        let at = Timestamp::from_microsecond(at.as_micros()).unwrap_or_default();
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// What the clocks show, as if it were UTC.
fn as_utc(at: Timestamp, offset: Offset) -> Option<Timestamp> {
    at.checked_add(jiff::SignedDuration::from_secs(offset.seconds().into())).ok()
}

fn from_wall(wall: Timestamp, offset: Offset) -> Option<Timestamp> {
    wall.checked_sub(jiff::SignedDuration::from_secs(offset.seconds().into())).ok()
}

fn utc(at: Timestamp) -> Utc {
    Utc::from_micros(at.as_microsecond())
}

/// What the parser says goes over several lines that point at the mistake.
fn first_line(text: &str) -> String {
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    last.trim_start_matches(['^', ' ']).to_owned()
}
