//! What is asked of an actuator on every new connection, before anything moves: is it the one that it has to be?
//!
//! `AM` and `NP` are the actuator's memory and say what valve it turns. A wrong one is not corrected behind anybody's
//! back: a valve with two positions and stops, driven as one with many, is a broken valve. So by default a mismatch is
//! a refusal that says what to set, and only `write_settings` writes, only what differs, and reads it back.
//!
//! How replies are worded decides nothing, since a universal actuator may word them as a legacy one does (`LG1`). A valve
//! is moved if `AM` says that it has many positions and `CP` does not object. Where there is no such command, and the
//! actuator clearly says so, twice, a number as its position and more than two ports stand for it. Whatever is less clear
//! is a refusal.

use std::time::Duration;

use super::ViciSettings;
use super::contact::{Contact, Trouble, if_known};
use super::dialect::{self, Dialect, Mode, ReportedPosition, ValveStanding};

/// What `AM` has to be for a valve with many positions.
const MULTIPOSITION: u32 = 3;
/// No valve with many positions has fewer.
const FEWEST_PORTS: u32 = 3;
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

/// Where it says that it stands, with the reply as it came.
type Said = (ValveStanding, String);

pub async fn introduce(contact: &mut Contact, settings: &ViciSettings) -> Result<Actuator, Trouble> {
    let standing = ask_position(contact).await?;
    let dialect = standing.0.dialect;
    if let Some(wanted) = settings.dialect.filter(|wanted| *wanted != dialect) {
        return Err(Trouble::Unfit(format!(
            "speaks the {} dialect, but dialect = {:?} is configured; write dialect = \"auto\"",
            dialect.word(),
            wanted.word()
        )));
    }
    let mode = ask_mode(contact).await?;
    let standing = check_mode(contact, settings, mode, standing).await?;
    let ports = check_ports(contact, settings).await?;
    check_position(&standing, mode, ports)?;
    let model = if_known(contact.ask_text("VR").await)?.unwrap_or_default();
    Ok(Actuator { dialect, ports, model })
}

async fn ask_position(contact: &mut Contact) -> Result<Said, Trouble> {
    contact.ask("CP", |reply| dialect::position(reply).map(|standing| (standing, reply.to_owned()))).await
}

/// `None` if it has no such command. Noise can make a bad command of any, so it has to say so twice.
async fn ask_mode(contact: &mut Contact) -> Result<Option<Mode>, Trouble> {
    let mut mode = if_known(contact.ask("AM", dialect::mode).await);
    if matches!(mode, Ok(None)) {
        mode = if_known(contact.ask("AM", dialect::mode).await);
    }
    mode.map_err(|trouble| trouble.unclear("AM", "3 is a valve with many positions, 1 and 2 are such with two"))
}

/// Where it stands once its mode is right.
async fn check_mode(
    contact: &mut Contact,
    settings: &ViciSettings,
    mode: Option<Mode>,
    said: Said,
) -> Result<Said, Trouble> {
    let two_positions = said.0.whereabouts == ReportedPosition::TwoPosition;
    match mode {
        Some(Mode::TwoPositions(mode)) if !settings.write_settings => Err(Trouble::Unfit(format!(
            "is set up for a valve with two positions (AM is {mode}); if the valve has many, send it AM3, or let gaserad \
             do that with write_settings = true"
        ))),
        Some(Mode::TwoPositions(_)) => {
            let three = |reply: &str| dialect::mode(reply).map(Mode::number);
            write(contact, "AM", MULTIPOSITION, three).await?;
            ask_position(contact).await
        }
        None if two_positions => Err(Trouble::Unfit(format!(
            "stands on A or B (it answers {:?} to CP), as a valve with two positions, and knows no AM3 to be set up for \
             many; it is not moved: see that it is the multiposition valve, and the only one on that port",
            said.1
        ))),
        Some(Mode::Multiposition) | None => Ok(said),
    }
}

/// What it says of its position and its ports must not contradict that it has many positions.
fn check_position((standing, reply): &Said, mode: Option<Mode>, ports: u32) -> Result<(), Trouble> {
    let objection = match standing.whereabouts {
        ReportedPosition::TwoPosition => {
            format!("answers {reply:?} to CP, as one with two positions, although it is set up for many (AM is 3)")
        }
        ReportedPosition::At(port) if port == 0 || port > ports => {
            format!("answers {reply:?} to CP, but has ports 1 to {ports} (NP)")
        }
        ReportedPosition::At(_) | ReportedPosition::Near if mode.is_none() && ports < FEWEST_PORTS => {
            format!("has {ports} ports (NP) and no AM to say whether its valve has many positions")
        }
        ReportedPosition::At(_) | ReportedPosition::Near => return Ok(()),
    };
    Err(Trouble::Unfit(format!("{objection}; it is not moved: see which valve it turns, and set AM and NP to that")))
}

async fn check_ports(contact: &mut Contact, settings: &ViciSettings) -> Result<u32, Trouble> {
    let asked = contact.ask("NP", dialect::ports).await;
    let has = asked.map_err(|trouble| trouble.unclear("NP", "how many ports the valve has"))?;
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
