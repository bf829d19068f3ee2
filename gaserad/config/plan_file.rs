//! A plan in a file: TOML as people write it, to a [`PlanRequest`] that makes a valid plan.
//!
//! Its keys are those of a start. They need no section; what is different on one channel stands in `[channel.3]`, and
//! what is different for one gas in `[gas.NH3]`. Mistakes are reported as those of the configuration are.

use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::keys::{ChannelTimes, task};
use super::kind::{choice, custom, flag, label, name, span, whole, words};
use super::mistake::ConfigError;
use super::section::{Section, Source};
use super::table::Keys;
use super::{gases, plan};
use crate::domain::channel::parse_list;
use crate::domain::{
    Background, BackgroundRequest, Channel, ChannelPlan, Plan, PlanDraft, PlanError, PlanRequest, Sync,
};

const CHANNELS_TABLE: &str = "is a table; in a plan it is the list of all channels, like \"1-8,12\", and what is \
                              different on one channel stands in [channel.3]";

/// Reads `text`; `file` is what mistakes call it. It is held against `defaults`, which fill in what it does not say.
pub fn parse_plan(text: &str, file: &str, defaults: &PlanDraft) -> Result<PlanRequest, ConfigError> {
    let source = Source::flat(file, text, "of a plan");
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let place = error.span().unwrap_or_default();
        // Beside `channels = "1-8"`, a `[channels.3]` is no TOML any more.
        let second = text.get(place.clone()) == Some("channels");
        let complaint = if second { format!("channels {CHANNELS_TABLE}") } else { error.message().to_owned() };
        source.wrong(&place, complaint);
    }
    let mut root = Section::root(&source, document.get_ref());
    let request = request(&source, &mut root, defaults);
    if source.mistakes.borrow().is_empty()
        && let Err(error) = request.clone().plan(defaults.clone())
    {
        let place = root.place_of("channels");
        place.map_or_else(|| source.wrong_outside(file, error.to_string()), |at| source.wrong(&at, error.to_string()));
    }
    root.finish();
    let mistakes = source.mistakes();
    if mistakes.is_empty() { Ok(request) } else { Err(ConfigError(mistakes)) }
}

fn request(source: &Source<'_>, root: &mut Section<'_>, defaults: &PlanDraft) -> PlanRequest {
    let count = defaults.channel_count;
    let mut request = PlanRequest {
        channels: root.take("channels", custom("", move |value| channels(value, count), String::clone)),
        repeats: root.take("repeats", whole(1..=Plan::MAX_REPEATS)),
        purge: root.take_renamed("purge", "pause", span(Duration::ZERO..=Plan::MAX_DURATION)),
        measure: root.take("measure", span(Plan::MIN_MEASURE..=Plan::MAX_DURATION)),
        iterations: root.take("iterations", whole(1..=Plan::MAX_ITERATIONS)),
        task: root.take("task", task()),
        sync: root.take("sync", choice()),
        save_on_device: root.take("save_on_device", flag()),
        label: root.take("label", label()),
        note: root.take("note", words()),
        operator: root.take("operator", label()),
        discard_first: root.take("discard_first", whole(0..=Plan::MAX_DISCARD)),
        background: background(root, count),
        overlap: root.take("overlap", flag()),
        ..PlanRequest::default()
    };
    let dwell = request.sync.unwrap_or(defaults.sync) == Sync::Dwell;
    if dwell {
        refuse(root, "iterations", &PlanError::IterationsInDwell);
        if matches!(request.background, Some(BackgroundRequest::Channel { .. })) {
            refuse(root, "background", &PlanError::BackgroundInDwell);
        }
    }
    let list = request.channels.as_deref().unwrap_or("all");
    let mut measured = parse_list(list, count).unwrap_or_default();
    if let Some(BackgroundRequest::Channel { channel, .. }) = request.background {
        measured.push(channel);
    }
    request.exceptions = exceptions(root.section("channel"), &measured, count, dwell);
    let gases = gases::settings(source, root.section("gas"), "gas");
    request.gas_discards = gases.into_iter().map(|(cas, gas)| (cas, gas.times.discard_first)).collect();
    request
}

fn refuse(section: &Section<'_>, key: &str, error: &PlanError) {
    if let Some(place) = section.place_of(key) {
        section.wrong(&place, error.to_string());
    }
}

/// `"1-8,12"`, `[1, 2, 12]`, or `3`.
fn channels(value: &DeValue<'_>, count: u8) -> Result<String, String> {
    let text = match value {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| one_of_many(item.get_ref())).collect();
            items.ok_or("holds what is no channel; write it like [1, 2, 12]")?.join(",")
        }
        DeValue::Table(_) => return Err(CHANNELS_TABLE.into()),
        other => return Err(format!("is {}; write it like \"1-8,12,!5\" or \"all\"", name(other))),
    };
    match parse_list(&text, count) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("is wrong: {error}")),
    }
}

fn one_of_many(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(integer) => Some(integer.to_string()),
        DeValue::String(text) => Some(text.clone().into_owned()),
        _ => None,
    }
}

fn background(root: &mut Section<'_>, count: u8) -> Option<BackgroundRequest> {
    let every = root.take("background_every", whole(1..=u32::from(Channel::MAX)));
    let read = move |value: &DeValue<'_>| match value {
        DeValue::String(text) if text == "none" => Ok(BackgroundRequest::None),
        DeValue::Integer(integer) => {
            let number = integer.as_str().parse::<u8>().ok().filter(|number| *number <= count);
            let channel = number.and_then(Channel::new);
            channel
                .map(|channel| BackgroundRequest::Channel { channel, every })
                .ok_or_else(|| format!("is {integer}; it can be 1 to {count}, or \"none\""))
        }
        other => Err(format!("is {}; it can be the number of a channel, or \"none\"", name(other))),
    };
    let asked = root.take("background", custom("", read, |_| String::new()));
    if root.place_of("background").is_none()
        && let Some(place) = root.place_of("background_every")
    {
        let usual = Background::EVERY;
        root.wrong(
            &place,
            format!("background_every needs background, the channel that is measured so often; {usual} is usual"),
        );
    }
    asked
}

fn exceptions(section: Section<'_>, measured: &[Channel], count: u8, dwell: bool) -> Vec<ChannelPlan> {
    let mut exceptions = Vec::new();
    for (name, mut section) in section.sections() {
        let Some(channel) = plan::number(name, &section, count) else { continue };
        if !measured.contains(&channel) {
            section.wrong_here(format!("channel {channel} is not one of the channels of this plan"));
        }
        let times = ChannelTimes::read(&mut section);
        exceptions.push(ChannelPlan {
            channel,
            purge: times.purge,
            measure: times.measure,
            iterations: times.iterations,
            discard_first: times.discard_first,
        });
        if dwell {
            refuse(&section, "iterations", &PlanError::IterationsInDwell);
        }
        section.finish();
    }
    exceptions
}
