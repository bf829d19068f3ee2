//! Values that are one of a few words.

use crate::domain::{AfterRestart, ChannelKind, Reaction, StampMeaning, Sync};

/// A value that is one of a few words.
pub trait Choice: Copy + PartialEq + 'static {
    const ALL: &'static [(&'static str, Self)];
    /// Words of earlier versions, each with the one in its place.
    const RENAMED: &'static [(&'static str, &'static str)] = &[];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

/// Whether the AK server keeps a connection open after its reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionMode {
    /// As long as the server keeps it open.
    #[default]
    Auto,
    Persistent,
    /// For one question.
    Oneshot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    Simulated,
    Gpio,
    Vici,
    Modbus,
}

/// How a VICI actuator words its replies. The orders are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Microelectric actuators: `Position is  = 3`, `NP = 10`.
    Legacy,
    /// Universal and modular actuators: `CP03`, `NP10`.
    Universal,
}

/// Which way the rotor of a valve turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Shortest,
    /// Counting up.
    Clockwise,
    /// Counting down.
    Counterclockwise,
}

/// What happens to a run that a crash or a power loss interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnRestart {
    Resume,
    End,
}

/// Who may do everything over TCP from this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    Open,
    Token,
}

impl Choice for SessionMode {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("persistent", Self::Persistent), ("oneshot", Self::Oneshot)];
}

impl Choice for Option<StampMeaning> {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", None), ("sampling", Some(StampMeaning::Sampling)), ("calculated", Some(StampMeaning::Calculated))];
}

impl Choice for Driver {
    const ALL: &'static [(&'static str, Self)] =
        &[("simulated", Self::Simulated), ("gpio", Self::Gpio), ("vici", Self::Vici), ("modbus", Self::Modbus)];
}

impl Choice for Option<Dialect> {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", None), ("legacy", Some(Dialect::Legacy)), ("universal", Some(Dialect::Universal))];
}

impl Choice for Direction {
    const ALL: &'static [(&'static str, Self)] =
        &[("shortest", Self::Shortest), ("cw", Self::Clockwise), ("ccw", Self::Counterclockwise)];
}

impl Choice for Reaction {
    const ALL: &'static [(&'static str, Self)] = &[("go_on", Self::GoOn), ("pause", Self::Pause)];
    const RENAMED: &'static [(&'static str, &'static str)] = &[("suspend", "pause")];
}

impl Choice for AfterRestart {
    const ALL: &'static [(&'static str, Self)] = &[("resume", Self::Resume), ("fail", Self::Fail)];
}

impl Choice for OnRestart {
    const ALL: &'static [(&'static str, Self)] = &[("resume", Self::Resume), ("end", Self::End)];
}

impl Choice for Loopback {
    const ALL: &'static [(&'static str, Self)] = &[("open", Self::Open), ("token", Self::Token)];
}

impl Choice for Sync {
    const ALL: &'static [(&'static str, Self)] = &[("analyzer", Self::Analyzer), ("dwell", Self::Dwell)];
}

impl Choice for ChannelKind {
    const ALL: &'static [(&'static str, Self)] = &Self::ALL;
}
