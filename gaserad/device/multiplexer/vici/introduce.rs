//! What is asked of an actuator on every new connection, before anything moves: is it the one that it has to be?
//!
//! `AM` and `NP` are the actuator's memory and say what valve it turns. A wrong one is not corrected behind anybody's
//! back: a valve with two positions and stops, driven as one with many, is a broken valve. So by default a mismatch is
//! a refusal that says what to set, and only `write_settings` writes, only what differs, and reads it back.

use std::time::Duration;

use super::ViciSettings;
use super::contact::{Contact, Trouble, if_known};
use super::dialect::{self, Dialect};

/// What `AM` has to be for a valve with many positions.
const MULTIPOSITION: u32 = 3;
/// How long an actuator may take to object to a setting.
const OBJECTION: Duration = Duration::from_millis(100);

/// What is known of an actuator that is fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actuator {
    pub dialect: Dialect,
    pub ports: u32,
    /// What it says of itself; empty if it does not.
    pub model: String,
}

pub async fn introduce(contact: &mut Contact, settings: &ViciSettings) -> Result<Actuator, Trouble> {
    let dialect = contact.ask("CP", dialect::position).await?.dialect;
    if let Some(wanted) = settings.dialect.filter(|wanted| *wanted != dialect) {
        return Err(Trouble::Unfit(format!(
            "speaks the {} dialect, but dialect = {:?} is configured; write dialect = \"auto\"",
            dialect.word(),
            wanted.word()
        )));
    }
    if dialect == Dialect::Universal {
        check_mode(contact, settings).await?;
    }
    let ports = check_ports(contact, settings).await?;
    let model = if_known(contact.ask_text("VR").await)?.unwrap_or_default();
    Ok(Actuator { dialect, ports, model })
}

/// Some early actuators have no modes; those for two positions show as such by their position.
async fn check_mode(contact: &mut Contact, settings: &ViciSettings) -> Result<(), Trouble> {
    let Some(mode) = if_known(contact.ask("AM", dialect::mode).await)? else { return Ok(()) };
    if mode == MULTIPOSITION {
        return Ok(());
    }
    if !settings.write_settings {
        return Err(Trouble::Unfit(format!(
            "is set up for a valve with two positions (AM is {mode}); if the valve has many, send it AM3, or let gaserad \
             do that with write_settings = true"
        )));
    }
    write(contact, "AM", MULTIPOSITION, dialect::mode).await
}

async fn check_ports(contact: &mut Contact, settings: &ViciSettings) -> Result<u32, Trouble> {
    let has = contact.ask("NP", dialect::ports).await?;
    let channels = settings.channels;
    let has = match settings.ports.map(u32::from) {
        Some(wanted) if wanted != has && settings.write_settings => {
            write(contact, "NP", wanted, dialect::ports).await?;
            wanted
        }
        Some(wanted) if wanted != has => {
            return Err(Trouble::Unfit(format!(
                "is set up for {has} ports, but ports = {wanted} is configured; if the valve has {wanted}, send it \
                 NP{wanted}, or let gaserad do that with write_settings = true"
            )));
        }
        _ => has,
    };
    if has < u32::from(channels) {
        return Err(Trouble::Unfit(format!(
            "has {has} ports, but {channels} channels are configured; set channels to {has} or less, or set NP to the \
             number of ports that the valve really has"
        )));
    }
    Ok(has)
}

async fn write(
    contact: &mut Contact,
    code: &str,
    value: u32,
    read: impl Fn(&str) -> Option<u32>,
) -> Result<(), Trouble> {
    let command = format!("{code}{value}");
    tracing::warn!("setting the valve actuator: {command}; it remembers that");
    contact.order(&command, OBJECTION).await?;
    let now = contact.ask(code, read).await?;
    if now == value {
        return Ok(());
    }
    Err(Trouble::Unfit(format!("was sent {command}, and its {code} is {now} all the same; set it at the actuator")))
}
