//! The configuration: TOML as people write it, to checked [`Settings`].
//!
//! A mistake never hides another one: all are reported at once, each with its line and column. A flag wins over the
//! file, the file over what systemd sets in the environment, and that over the defaults. Nothing is opened or tried
//! out here: an address may be well written and still lead nowhere.

mod access;
mod address;
mod check;
mod environment;
mod gases;
mod gpio;
mod keeping;
mod mistake;
mod modbus;
mod multiplexer;
mod plan;
mod plan_file;
mod plan_shelf;
mod print;
mod section;
mod settings;
mod size;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

pub use access::{AuthSettings, NetworkSettings, Secret};
pub use environment::Environment;
pub use gases::gas_table;
pub use mistake::{ConfigError, Mistake};
pub use plan_file::parse_plan;
pub use plan_shelf::{KeptPlan, ShelfError, find_plan, list_plans};
pub use print::{Printed, list_config, print_config};
pub use settings::{
    AnalyzerSettings, ChannelSettings, Choice, Dialect, Direction, Driver, GasSettings, Gpio, GpioUnit, GuardSettings,
    Listen, MirrorSettings, Modbus, ModbusLink, MultiplexerSettings, OnRestart, Origin, Origins, PlanDefaults,
    RetentionSettings, SessionKind, Settings, StoreSettings, StreamSettings, Vici,
};

use section::{Section, Source};

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overrides {
    /// In place of all configured listeners, if there are any.
    pub listen: Vec<String>,
    pub state_dir: Option<PathBuf>,
    pub simulate: bool,
}

/// Reads the file at `path`, or the default one if that exists, or takes the defaults.
pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Settings, ConfigError> {
    let environment = Environment::of_process();
    let Some(path) = path.map(Path::to_owned).or_else(|| environment.config_file()) else {
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
    let settings = check::settings(&source, Section::root(&source, document.get_ref()), overrides, environment);
    let mut mistakes = source.mistakes.take();
    mistakes.sort();
    mistakes.dedup();
    if mistakes.is_empty() { Ok(settings) } else { Err(ConfigError(mistakes)) }
}
