//! What starts go by unless they say otherwise: `[plan]`, `[channels.N]`, and where the valve is parked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use toml::de::DeValue;

use super::check::absolute;
use super::gases;
use super::section::{Section, Source, kind};
use super::settings::{ChannelSettings, PlanDefaults};
use crate::domain::{Background, Channel, ChannelKind, Plan, Sync};

const LABEL_MAX: usize = 100;
const FIVE_MINUTES: Duration = Duration::from_secs(300);

/// Where the valve is sent when a run is over, as it is written; what the multiplexer has is not yet known.
pub(super) struct Park {
    channel: Option<Channel>,
    place: Range<usize>,
}

impl Park {
    pub(super) fn within(self, source: &Source<'_>, count: u8) -> Option<Channel> {
        let number = self.channel.map_or(0, Channel::number);
        if number > count {
            let text = format!("park is {number}; this multiplexer has channels 1 to {count}");
            source.wrong(&self.place, text);
        }
        self.channel.filter(|_| number <= count)
    }
}

/// Reads `[multiplexer] park`.
pub(super) fn park(section: &mut Section<'_>) -> Park {
    let read = |value: &DeValue<'_>| match value {
        DeValue::String(text) if text == "home" => Ok(Some(Channel::HOME)),
        DeValue::String(text) if text == "stay" => Ok(None),
        DeValue::String(text) => Err(format!("is {text:?}; it can be \"home\", \"stay\", or the number of a channel")),
        DeValue::Integer(integer) if integer.radix() == 10 => {
            let channel = integer.as_str().parse().ok().and_then(Channel::new);
            let refused = || format!("is {integer}; it can be 1 to {}, \"home\" or \"stay\"", Channel::MAX);
            channel.map(Some).ok_or_else(refused)
        }
        other => Err(format!("is {}; it can be \"home\", \"stay\", or the number of a channel", kind(other))),
    };
    let channel = section.read("park", read).unwrap_or(Some(Channel::HOME));
    Park { channel, place: section.place_of("park").unwrap_or_default() }
}

pub(super) fn defaults(mut section: Section<'_>, park: Option<Channel>, count: u8) -> PlanDefaults {
    let settings = PlanDefaults {
        purge: section.duration("purge", FIVE_MINUTES, Duration::ZERO..=Plan::MAX_DURATION),
        measure: section.duration("measure", FIVE_MINUTES, Plan::MIN_MEASURE..=Plan::MAX_DURATION),
        repeats: section.integer("repeats", 1, 1..=Plan::MAX_REPEATS),
        sync: section.choice("sync", Sync::Analyzer),
        discard_first: section.integer("discard_first", 0, 0..=Plan::MAX_DISCARD),
        background: background(&mut section, count),
        overlap: section.boolean("overlap", true),
        park,
        directory: section.checked("directory", |text| absolute(text, "/etc/gaserad/plans")),
    };
    section.finish();
    settings
}

fn background(section: &mut Section<'_>, count: u8) -> Option<Background> {
    let number = section.optional_integer("background", 1..=u32::from(count));
    let every = section.integer("background_every", Background::EVERY, 1..=u32::from(Channel::MAX));
    if section.place_of("background").is_none()
        && let Some(place) = section.place_of("background_every")
    {
        section.wrong(&place, "background_every needs background, the channel that is measured so often");
    }
    let channel = number.and_then(|number| Channel::new(u8::try_from(number).ok()?))?;
    Some(Background { channel, every })
}

/// What is configured for the other way to leave a channel.
pub(super) fn of_no_use(plan: &PlanDefaults, channels: &BTreeMap<Channel, ChannelSettings>) -> Vec<String> {
    if plan.sync == Sync::Analyzer {
        return Vec::new();
    }
    let unused = |key: &str| {
        format!("{key} is of no use with [plan] sync = \"dwell\"; only a start with --sync analyzer goes by it")
    };
    let iterations = channels.iter().filter(|(_, line)| line.iterations.is_some());
    let iterations = iterations.map(|(channel, _)| unused(&format!("[channels.{channel}] iterations")));
    plan.background.map(|_| unused("[plan] background")).into_iter().chain(iterations).collect()
}

pub(super) fn channels(section: Section<'_>, count: u8) -> BTreeMap<Channel, ChannelSettings> {
    let mut channels = BTreeMap::new();
    let mut labels: BTreeMap<String, Channel> = BTreeMap::new();
    for (name, mut section) in section.sections() {
        let Some(channel) = number(name, &section, count) else { continue };
        let settings = self::channel(&mut section);
        if let (Some(place), ChannelKind::Sample | ChannelKind::Background) =
            (section.place_of("reference"), settings.kind)
        {
            section.wrong(&place, "reference is for a channel whose kind is zero, span or target");
        }
        if !settings.label.is_empty()
            && let Some(other) = labels.insert(settings.label.clone(), channel)
        {
            let place = section.place_of("label").unwrap_or_default();
            section.wrong(&place, format!("label {:?} is the label of channel {other} too", settings.label));
        }
        section.finish();
        channels.insert(channel, settings);
    }
    channels
}

/// The channel that a section is called by.
pub(super) fn number(name: &str, section: &Section<'_>, count: u8) -> Option<Channel> {
    let number = name.parse::<u8>().ok().filter(|number| number.to_string() == name && *number <= count);
    let channel = number.and_then(Channel::new);
    if channel.is_none() {
        section.wrong_here(format!("channel {name} does not exist; this multiplexer has channels 1 to {count}"));
    }
    channel
}

/// A short name on one line.
pub(super) fn label(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("contains a line break or another control character".to_owned());
    }
    let length = text.chars().count();
    if length > LABEL_MAX {
        return Err(format!("has {length} characters; it can have {LABEL_MAX}"));
    }
    Ok(text.trim().to_owned())
}

fn channel(section: &mut Section<'_>) -> ChannelSettings {
    ChannelSettings {
        label: section.checked("label", label).unwrap_or_default(),
        kind: section.choice("kind", ChannelKind::Sample),
        purge: section.optional_duration("purge", Duration::ZERO..=Plan::MAX_DURATION),
        measure: section.optional_duration("measure", Plan::MIN_MEASURE..=Plan::MAX_DURATION),
        iterations: section.optional_integer("iterations", 1..=Plan::MAX_ITERATIONS),
        discard_first: section.optional_integer("discard_first", 0..=Plan::MAX_DISCARD),
        area_m2: section.number("area_m2", 1e-6..=1e6),
        volume_m3: section.number("volume_m3", 1e-9..=1e6),
        collar_offset_m: section.number("collar_offset_m", -10.0..=10.0),
        tube_length_m: section.number("tube_length_m", 0.0..=10_000.0),
        tube_id_mm: section.number("tube_id_mm", 0.01..=1000.0),
        treatment: section.string("treatment").unwrap_or_default(),
        plot: section.string("plot").unwrap_or_default(),
        lat: section.number("lat", -90.0..=90.0),
        lon: section.number("lon", -180.0..=180.0),
        note: section.string("note").unwrap_or_default(),
        reference: section.read("reference", gases::reference).unwrap_or_default(),
    }
}
