//! The sections in order, with what documents say of each: for the shipped file and the reference.

use super::gases::GasSettings;
use super::keys::{
    AnalyzerSettings, AuthSettings, GpioSection, GuardSettings, ListenSettings, LogSettings, MirrorSettings,
    ModbusSection, MultiplexerSettings, PlanDefaults, RetentionSettings, StoreSettings, StreamSettings, ViciSection,
};
use super::settings::ChannelSettings;
use super::table::{KeyRow, Keys};
use crate::domain::{Reactions, Site};

/// A section with its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionRows {
    /// As the shipped file has it, like `channels.1`.
    pub name: &'static str,
    pub renamed_from: Option<&'static str>,
    pub meaning: &'static str,
    /// It need not be there; the shipped file has it as a comment.
    pub is_optional: bool,
    /// What the shipped file shows below it.
    pub more: &'static str,
    pub rows: Vec<KeyRow>,
}

fn section<T: Keys>(name: &'static str, meaning: &'static str) -> SectionRows {
    SectionRows { name, renamed_from: None, meaning, is_optional: false, more: "", rows: T::rows() }
}

fn optional<T: Keys>(name: &'static str, meaning: &'static str, more: &'static str) -> SectionRows {
    SectionRows { is_optional: true, more, ..section::<T>(name, meaning) }
}

/// All sections with all keys.
pub fn sections() -> Vec<SectionRows> {
    vec![
        section::<ListenSettings>("listen", ""),
        section::<AuthSettings>("auth", ""),
        section::<AnalyzerSettings>("analyzer", ""),
        section::<MultiplexerSettings>("multiplexer", ""),
        section::<ViciSection>("multiplexer.vici", "For driver = \"vici\"."),
        optional::<GpioSection>("multiplexer.gpio", "For driver = \"gpio\".", ""),
        optional::<ModbusSection>("multiplexer.modbus", "For driver = \"modbus\".", ""),
        section::<PlanDefaults>("plan", "What a start uses unless it says otherwise."),
        SectionRows {
            renamed_from: Some("suspend"),
            ..section::<Reactions>(
                "pause",
                "What a run does when something gets in its way: \"go_on\", which flags the samples, or \"pause\", \
                 which also waits until it is gone or somebody says `gaseractl resume`. There is an alarm in either \
                 case.",
            )
        },
        optional::<GuardSettings>(
            "guard",
            "A condition that must hold before the next visit begins: a file, a command, or both.",
            "",
        ),
        section::<StoreSettings>("store", ""),
        optional::<MirrorSettings>(
            "store.mirror",
            "A copy of all run folders on another drive, like a USB stick, that may come and go: what was missed \
             meanwhile is copied when it is back. Nothing on the drive is ever removed. docs/storage.md says how to \
             have it mounted.",
            "",
        ),
        section::<RetentionSettings>("store.retention", ""),
        section::<StreamSettings>("stream", ""),
        section::<LogSettings>("log", ""),
        optional::<ChannelSettings>(
            "channels.1",
            "A section for each sample line that has a name, with what flux calculations need to know of it, and \
             what plans do otherwise on it. A run keeps the labels that it began with.",
            "[channels.12]\nlabel = \"span gas\"\nkind = \"span\"\nreference = { CO2 = 400.0, CH4 = 1.9 }\n",
        ),
        optional::<GasSettings>(
            "gases.\"71-43-2\"",
            "A section for each gas that needs more time than the others, like ammonia, which clings to the tubes, \
             and for what gaserad does not know of a gas, or knows otherwise. It is called by its CAS number or its \
             formula; only one that is called by a CAS number can be of a gas that gaserad does not know.",
            "[gases.\"7664-41-7\"]\ndiscard_first = 2\n",
        ),
        optional::<Site>(
            "site",
            "Where it is measured, and on which terms the data may be used: for datapackage.json and the files made \
             from it.",
            "",
        ),
    ]
}
