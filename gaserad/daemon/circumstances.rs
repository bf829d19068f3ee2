//! What each run keeps of the settings: how its channels and gases are described, where and with what it is measured.

use crate::config::{Choice, Settings, gas_table, print_config};
use crate::domain::Provenance;
use crate::store::Circumstances;

pub(super) fn of(settings: &Settings) -> Circumstances {
    let driver = if settings.simulate { "simulated" } else { settings.driver().word() };
    Circumstances {
        channels: settings.channels.iter().map(|(channel, line)| (*channel, line.info.clone())).collect(),
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
