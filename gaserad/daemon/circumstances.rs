//! What each run keeps of the settings: how its channels and gases are described, where and with what it is measured.

use crate::config::{ChannelSettings, Choice, Settings, gas_table, print_config};
use crate::domain::{ChannelInfo, Provenance};
use crate::store::Circumstances;

pub(super) fn of(settings: &Settings) -> Circumstances {
    let driver = if settings.simulate { "simulated" } else { settings.multiplexer.driver.word() };
    Circumstances {
        channels: settings.channels.iter().map(|(channel, line)| (*channel, describe(line))).collect(),
        gases: gas_table(&settings.gases),
        provenance: Provenance {
            software: concat!("gaserad ", env!("CARGO_PKG_VERSION")).into(),
            analyzer_address: settings.analyzer.address.clone(),
            multiplexer: driver.into(),
            simulated: settings.simulate,
            site: settings.site.clone(),
            configuration: print_config(settings),
        },
    }
}

fn describe(line: &ChannelSettings) -> ChannelInfo {
    ChannelInfo {
        label: line.label.clone(),
        kind: line.kind,
        area_m2: line.area_m2,
        volume_m3: line.volume_m3,
        collar_offset_m: line.collar_offset_m,
        tube_length_m: line.tube_length_m,
        tube_id_mm: line.tube_id_mm,
        treatment: line.treatment.clone(),
        plot: line.plot.clone(),
        lat: line.lat,
        lon: line.lon,
        note: line.note.clone(),
        reference: line.reference.clone(),
    }
}
