//! The rules of `[plan]` and `[channels]`: what starts go by fits the multiplexer and itself.

use std::collections::BTreeMap;

use super::keys::PlanDefaults;
use super::section::{Section, Source};
use super::settings::ChannelSettings;
use super::table::Keys;
use crate::domain::{Background, Channel, ChannelKind, Sync};

impl PlanDefaults {
    /// The channel that is measured again and again, and after how many others.
    pub fn background(&self) -> Option<Background> {
        let every = self.background_every.map_or(Background::EVERY, u32::from);
        Some(Background { channel: Channel::new(self.background?)?, every })
    }

    pub(super) fn checked(mut section: Section<'_>, count: u8) -> Self {
        let settings = Self::read(&mut section);
        match (section.place_of("background"), settings.background) {
            (Some(place), Some(number)) if number > count => {
                section.wrong(&place, format!("background is {number}; it can be 1 to {count}"));
            }
            (None, _) => {
                if let Some(place) = section.place_of("background_every") {
                    let text = "background_every needs background, the channel that is measured so often";
                    section.wrong(&place, text);
                }
            }
            _ => {}
        }
        section.finish();
        settings
    }
}

/// What is configured for the other way to leave a channel.
pub(super) fn warn_of_no_use(source: &Source<'_>, plan: &PlanDefaults, channels: &BTreeMap<Channel, ChannelSettings>) {
    if plan.sync == Sync::Analyzer {
        return;
    }
    let unused = |key: &str| {
        source.warn(format!(
            "{key} is of no use with [plan] sync = \"dwell\"; only a start with --sync analyzer goes by it"
        ));
    };
    if plan.background.is_some() {
        unused("[plan] background");
    }
    for (channel, _) in channels.iter().filter(|(_, line)| line.times.iterations.is_some()) {
        unused(&format!("[channels.{channel}] iterations"));
    }
}

pub(super) fn channels(section: Section<'_>, count: u8) -> BTreeMap<Channel, ChannelSettings> {
    let mut channels = BTreeMap::new();
    let mut labels: BTreeMap<String, Channel> = BTreeMap::new();
    for (name, mut section) in section.sections() {
        let Some(channel) = number(name, &section, count) else { continue };
        let settings = ChannelSettings::read(&mut section);
        let label = &settings.info.label;
        if let (Some(place), ChannelKind::Sample | ChannelKind::Background) =
            (section.place_of("reference"), settings.info.kind)
        {
            section.wrong(&place, "reference is for a channel whose kind is zero, span or target");
        }
        if !label.is_empty()
            && let Some(other) = labels.insert(label.clone(), channel)
        {
            let place = section.place_of("label").unwrap_or_default();
            section.wrong(&place, format!("label {label:?} is the label of channel {other} too"));
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
