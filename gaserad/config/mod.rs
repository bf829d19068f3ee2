//! The configuration: TOML as people write it, to checked [`Settings`].
//!
//! A mistake never hides another one: all are reported at once, each with its line and column. A flag wins over the
//! file, the file over what systemd sets in the environment, and that over the defaults. Nothing is opened or tried
//! out here: an address may be well written and still lead nowhere.
//!
//! [`keys`] is the table of all keys; [`table`] tells how it is written. The other modules have the rules between keys.

mod access;
mod address;
mod environment;
mod gases;
mod gpio;
mod keys;
mod kind;
mod mistake;
mod modbus;
mod multiplexer;
mod plan;
mod plan_file;
mod plan_shelf;
mod print;
mod reference;
mod reload;
mod section;
mod settings;
mod size;
mod table;
mod words;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use access::Secret;
pub use address::Listen;
pub use environment::Environment;
pub use gases::{GasSettings, gas_table};
pub use gpio::GpioUnit;
pub use keys::{
    AnalyzerSettings, AuthSettings, ChannelTimes, GasTimes, GpioSection, GuardSettings, ListenSettings, LogSettings,
    MirrorSettings, ModbusSection, MultiplexerSettings, PlanDefaults, RetentionSettings, StoreSettings, StreamSettings,
    ViciSection,
};
pub use mistake::{ConfigError, Mistake};
pub use modbus::ModbusLink;
pub use plan_file::parse_plan;
pub use plan_shelf::{KeptPlan, ShelfError, find_plan, list_plans};
pub use print::{Printed, list_config, print_config};
pub use reference::{SectionRows, sections};
pub use reload::{Reloaded, SettingChange, reloaded};
pub use settings::{ChannelSettings, Origin, Origins, Settings};
pub use table::KeyRow;
pub use words::{Choice, Dialect, Direction, Driver, Loopback, OnRestart, SessionMode};

use section::{Section, Source};

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// In place of all configured listeners, if there are any.
    pub listen: Vec<String>,
    pub state_dir: Option<PathBuf>,
    pub simulate: bool,
    pub log_level: Option<String>,
}

/// The file to read: the one at `path`, or the default one if that exists.
pub fn locate(path: Option<&Path>) -> Option<PathBuf> {
    path.map(Path::to_owned).or_else(|| Environment::of_process().config_file())
}

/// Reads the file at `path`, or the default one if that exists, or takes the defaults.
pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Settings, ConfigError> {
    let environment = Environment::of_process();
    let Some(path) = locate(path) else {
        return parse("", "no configuration file", overrides, &environment);
    };
    let file = path.display().to_string();
    let bytes = std::fs::read(&path).map_err(|error| {
        let text = format!("the file cannot be read: {error}; check its name and who may read it");
        ConfigError(vec![Mistake { file: file.clone(), line: 0, column: 0, text }])
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let (line, column) = mistake::place(&String::from_utf8_lossy(&bytes[..error.valid_up_to()]), usize::MAX);
        ConfigError(vec![Mistake { file: file.clone(), line, column, text: "this is not UTF-8 text".into() }])
    })?;
    parse(text, &file, overrides, &environment)
}

/// Reads `text`; `file` is what mistakes and origins call it.
pub fn parse(
    text: &str,
    file: &str,
    overrides: &Overrides,
    environment: &Environment,
) -> Result<Settings, ConfigError> {
    let source = Source::new(file, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        source.wrong(&error.span().unwrap_or_default(), error.message());
    }
    let settings = Settings::read(&source, Section::root(&source, document.get_ref()), overrides, environment);
    let mistakes = source.mistakes();
    if mistakes.is_empty() { Ok(settings) } else { Err(ConfigError(mistakes)) }
}
