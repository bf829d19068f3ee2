//! What the live view knows: fed by the stream, the connection and keys; shown by [`super::draw`]. It reads no clock:
//! `now` is how long the view has been there.

pub mod history;
pub mod keys;
pub mod visits;

use std::collections::VecDeque;
use std::time::Duration;

use gasera::domain::{Event, RunId, Severity, Status, Utc};

use super::line;
use super::model::Model;
use crate::output::Paint;
use crate::stream::reconnect::ReconnectState;
use crate::stream::{Notice, SaidByStream};
use history::PlotHistory;
use keys::{Act, Foot, Key, Order};
use visits::ScreenVisits;

/// gaserad says something at least every 10 s; after this, what is shown is called stale.
const STALE: Duration = Duration::from_secs(12);
const MOST_LINES: usize = 200;
const MOST_ALARMS: usize = 50;
/// How long an answer stands in the bottom line.
const SAID: Duration = Duration::from_secs(20);

/// How the connection does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Badge {
    Connected,
    /// Nothing was heard for so long.
    Stale(Duration),
    /// It is tried again after so long.
    Reconnecting(Duration),
    Polling,
    Disconnected,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    pub at: Utc,
    pub severity: Severity,
    pub text: String,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Notable,
    Doubtful,
    Bad,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenLine {
    pub time: String,
    /// What kind of thing it is.
    pub name: String,
    pub text: String,
    pub tone: Tone,
}

#[derive(Debug)]
pub struct Screen {
    pub endpoint: String,
    pub model: Model,
    pub history: PlotHistory,
    pub visits: ScreenVisits,
    /// The newest first.
    pub alarms: VecDeque<Alarm>,
    /// The newest first.
    pub log: VecDeque<ScreenLine>,
    pub foot: Foot,
    pub help: bool,
    /// The gas that is plotted; the first one if nobody chose.
    gas: Option<String>,
    link: ReconnectState,
    link_since: Duration,
    heard: Duration,
    said: Duration,
}

impl Screen {
    pub fn new(endpoint: String, gas: Option<String>) -> Self {
        Self {
            endpoint,
            model: Model::default(),
            history: PlotHistory::default(),
            visits: ScreenVisits::default(),
            alarms: VecDeque::new(),
            log: VecDeque::new(),
            foot: Foot::default(),
            help: false,
            gas,
            link: ReconnectState::Connected,
            link_since: Duration::ZERO,
            heard: Duration::ZERO,
            said: Duration::ZERO,
        }
    }

    pub fn status(&self) -> Option<&Status> {
        self.model.status.as_ref()
    }

    pub fn run(&self) -> Option<&RunId> {
        self.status()?.run.as_ref().map(|run| &run.id)
    }

    /// gaserad is there, whatever it said.
    pub fn heard(&mut self, now: Duration) {
        self.heard = now;
    }

    /// Takes note of what gaserad said.
    pub fn apply(&mut self, notice: &Notice, now: Duration) {
        self.heard(now);
        self.model.apply(notice, now);
        match &notice.said {
            SaidByStream::Snapshot(status) => self.know(status),
            SaidByStream::Event(event) => self.happened(event, notice),
            SaidByStream::Progress(_) | SaidByStream::Gap | SaidByStream::Other => {}
        }
    }

    /// Takes note of how things stand.
    pub fn prime(&mut self, status: &Status, now: Duration) {
        self.model.know(status, now);
        self.know(status);
    }

    fn know(&mut self, status: &Status) {
        if let Some(data) = &status.live_data {
            self.history.add(data);
        }
    }

    fn happened(&mut self, event: &Event, notice: &Notice) {
        self.visits.apply(event);
        match event {
            Event::LiveData(data) => self.history.add(data),
            Event::Alarm { severity, code, text, .. } => {
                let at = notice.timestamp().map_or_else(|| Utc::from_micros(0), super::words::moment);
                self.alarms.push_front(Alarm { at, severity: *severity, text: format!("{code}: {text}") });
                self.alarms.truncate(MOST_ALARMS);
            }
            _ => {}
        }
    }

    /// Puts what happened into the log.
    pub fn tell(&mut self, notice: &Notice) {
        let Some(line::LineParts { time, name, text }) = line::parts(notice, Paint(false)) else { return };
        self.push(ScreenLine { time, name, text, tone: tone(notice) });
    }

    fn push(&mut self, line: ScreenLine) {
        self.log.push_front(line);
        self.log.truncate(MOST_LINES);
    }

    /// Takes note of how the connection does.
    pub fn link(&mut self, state: ReconnectState, sentence: &str, now: Duration) {
        let time = super::words::time(self.model.now(now));
        let tone = if state == ReconnectState::Connected { Tone::Notable } else { Tone::Doubtful };
        self.push(ScreenLine { time, name: "connection".into(), text: sentence.into(), tone });
        if state == ReconnectState::Connected {
            self.heard = now;
        }
        (self.link, self.link_since) = (state, now);
    }

    pub fn badge(&self, now: Duration) -> Badge {
        let silent = now.saturating_sub(self.heard);
        match &self.link {
            ReconnectState::Connected if silent >= STALE => Badge::Stale(silent),
            ReconnectState::Connected => Badge::Connected,
            ReconnectState::Reconnecting { wait, .. } => {
                Badge::Reconnecting((self.link_since + *wait).saturating_sub(now))
            }
            ReconnectState::Polling { .. } => Badge::Polling,
            ReconnectState::Lost(_) => Badge::Disconnected,
        }
    }

    /// Why there is no news.
    pub fn trouble(&self) -> Option<&str> {
        match &self.link {
            ReconnectState::Connected => None,
            ReconnectState::Reconnecting { why, .. } | ReconnectState::Polling { why } => Some(why),
            ReconnectState::Lost(failure) => Some(&failure.text),
        }
    }

    /// What a key does that is not done in here.
    pub fn press(&mut self, key: Key) -> Act {
        if std::mem::take(&mut self.help) && key != Key::Interrupt && key != Key::Stop {
            return Act::Nothing;
        }
        let run = self.run().cloned();
        let act = self.foot.press(key, run.as_ref());
        match act {
            Act::NextGas => self.next_gas(),
            Act::Help => self.help = true,
            _ => {}
        }
        act
    }

    /// What gaserad answered to an order.
    pub fn answered(&mut self, order: Order, run: &RunId, answer: Result<String, String>, now: Duration) {
        // While another order is being asked for, that stays.
        if let Foot::Confirm(..) = self.foot {
            let good = answer.is_ok();
            let (Ok(text) | Err(text)) = answer;
            let tone = if good { Tone::Notable } else { Tone::Bad };
            let time = super::words::time(self.model.now(now));
            return self.push(ScreenLine { time, name: order.verb().into(), text, tone });
        }
        self.said = now;
        self.foot = match answer {
            Ok(text) => Foot::Said { text, good: true },
            Err(text) => Foot::Said { text: format!("Cannot {} run {run}: {text}", order.verb()), good: false },
        };
    }

    /// Once a second: what was said long enough ago makes room.
    pub fn pass(&mut self, now: Duration) {
        if matches!(self.foot, Foot::Said { .. }) {
            // A sentence of which the time is not known yet begins now.
            if self.said == Duration::ZERO {
                self.said = now;
            } else if now.saturating_sub(self.said) >= SAID {
                self.foot = Foot::Keys;
            }
        } else {
            self.said = Duration::ZERO;
        }
    }

    /// The gas that is plotted, with its place among all of them.
    pub fn gas(&self) -> Option<(usize, Vec<String>)> {
        let gases = self.history.gases();
        let chosen = self.gas.as_ref().and_then(|chosen| gases.iter().position(|gas| gas.eq_ignore_ascii_case(chosen)));
        (!gases.is_empty()).then(|| (chosen.unwrap_or(0), gases))
    }

    /// A gas that was asked for and that the analyzer does not measure.
    pub fn unknown_gas(&self) -> Option<&str> {
        let (chosen, gases) = (self.gas.as_deref()?, self.history.gases());
        let unknown = !gases.is_empty() && !gases.iter().any(|gas| gas.eq_ignore_ascii_case(chosen));
        unknown.then_some(chosen)
    }

    fn next_gas(&mut self) {
        if let Some((chosen, gases)) = self.gas() {
            self.gas = gases.get((chosen + 1) % gases.len()).cloned();
        }
    }
}

fn tone(notice: &Notice) -> Tone {
    match &notice.said {
        SaidByStream::Gap => Tone::Doubtful,
        SaidByStream::Event(event) => match &**event {
            Event::Alarm { severity: Severity::Warning, .. } => Tone::Doubtful,
            Event::Alarm { .. } | Event::DeviceConnection { online: false, .. } => Tone::Bad,
            Event::RunStarted { .. } | Event::RunFinished { .. } | Event::RunUpdated(_) => Tone::Notable,
            Event::DeviceErrors { codes, .. } if !codes.is_empty() => Tone::Doubtful,
            _ => Tone::Plain,
        },
        _ => Tone::Plain,
    }
}

#[cfg(test)]
pub mod tests;
