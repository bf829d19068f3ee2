//! The merged message: the whole state as one unnamed JSON object, as GaseraMux sends it to its dashboards.
//!
//! Channels and repeats are 0-based there, except the channel of a result.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::frame;
use crate::domain::event::LiveData;
use crate::domain::status::AnalyzerStatus;
use crate::domain::{AnalyzerPhase, AnalyzerState, Attribution, Phase, Status, UsbEvent, UsbNews};

/// The state as the messages tell it.
#[derive(Debug, Clone, PartialEq)]
pub struct MergedMessage {
    base: Map<String, Value>,
    devices: Value,
}

impl MergedMessage {
    pub fn of(status: &Status) -> Self {
        Self { base: base(status), devices: devices(&status.analyzer, has_drive(status)) }
    }

    /// Whether a message without its devices would say the same.
    pub fn repeats(&self, other: &Self) -> bool {
        self.base == other.base
    }

    pub fn same_devices(&self, other: &Self) -> bool {
        self.devices == other.devices
    }

    /// What every message says.
    pub fn plain(&self) -> Bytes {
        write(self.base.clone())
    }

    /// With the state of the devices: the message after it changed.
    pub fn with_devices(&self) -> Bytes {
        let mut object = self.base.clone();
        object.insert("device_status".into(), self.devices.clone());
        write(object)
    }

    /// With a result, if it is one of a known channel.
    pub fn with_result(&self, data: &LiveData) -> Option<Bytes> {
        let mut object = self.base.clone();
        object.insert("live_data".into(), result(data)?);
        Some(write(object))
    }

    /// With the drive of the mirror, when it came or went.
    pub fn with_drive(&self, news: &UsbNews) -> Option<Bytes> {
        if !matches!(news.event, UsbEvent::Mounted | UsbEvent::Unmounted) {
            return None;
        }
        let (mut object, mut devices) = (self.base.clone(), self.devices.clone());
        devices["usb"]["mounted"] = news.mounted.into();
        object.insert("usb_mounted".into(), news.mounted.into());
        object.insert("usb_event".into(), news.event.as_str().into());
        object.insert("device_status".into(), devices);
        Some(write(object))
    }

    /// Everything there is: the message that a reader gets first.
    pub fn complete(&self, status: &Status) -> Bytes {
        let mut object = self.base.clone();
        object.insert("device_status".into(), self.devices.clone());
        let live = status.live_data.as_ref().filter(|_| status.run.is_some()).and_then(result);
        if let Some(live) = live {
            object.insert("live_data".into(), live);
        }
        write(object)
    }
}

/// The keys are in order: that is how a JSON object of ours is kept.
fn write(object: Map<String, Value>) -> Bytes {
    frame::message(&Value::Object(object).to_string())
}

fn base(status: &Status) -> Map<String, Value> {
    let progress = &status.progress;
    let object = json!({
        "phase": phase_name(progress.phase),
        "current_channel": progress.current_channel,
        "next_channel": progress.next_channel,
        "percent": progress.percent,
        "overall_percent": progress.overall_percent,
        "repeat_index": progress.repeat_index,
        "repeat_total": progress.repeat_total,
        "enabled_count": progress.enabled_count,
        "step_index": progress.step_index,
        "total_steps": progress.total_steps,
        "elapsed_seconds": progress.elapsed_seconds,
        "tt_seconds": progress.tt_seconds,
        "connection": { "online": status.analyzer.online },
        "usb_mounted": has_drive(status),
        "usb_event": null,
    });
    match object {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn has_drive(status: &Status) -> bool {
    status.mirror.as_ref().is_some_and(|mirror| mirror.mounted)
}

fn devices(analyzer: &AnalyzerStatus, mounted: bool) -> Value {
    json!({
        "buzzer": { "enabled": false },
        "connection": { "online": analyzer.online },
        "usb": { "mounted": mounted },
        "gasera": {
            "online": analyzer.online,
            "status": analyzer.status.map(AnalyzerState::words),
            "status_code": analyzer.status_code,
            "phase": analyzer.phase.map(AnalyzerPhase::words),
        },
    })
}

/// The words of GaseraMux: it calls the purge PAUSED, and knows no failure, only that a run did not go through.
fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Failed => Phase::Aborted.as_str(),
        Phase::Purging => Phase::Paused.as_str(),
        other => other.as_str(),
    }
}

fn result(data: &LiveData) -> Option<Value> {
    let channel = data.channel.filter(|_| data.attribution == Attribution::Exact)?;
    let components: Vec<Value> = data
        .components
        .iter()
        .map(|gas| json!({ "label": gas.label, "ppm": gas.ppm, "color": gas.color, "cas": gas.cas }))
        .collect();
    Some(json!({
        "timestamp": data.sampled.to_local_string("%Y-%m-%d %H:%M:%S"),
        "phase": phase_name(data.phase),
        "channel": channel,
        "repeat": data.repeat.map_or(0, |repeat| repeat.saturating_sub(1)),
        "components": components,
        "extras": {
            "run_id": data.run_id,
            "seq": data.seq,
            "sampled": data.sampled,
            "device_timestamp": data.device_timestamp,
            "iteration": data.iteration,
            "attribution": data.attribution,
            "discard": data.discard,
            "qc": data.qc,
            "flags": data.flags,
            "units": data.units,
        },
    }))
}
