//! What words look like. Without colors, what matters is bold or reversed.

use gasera::domain::{Phase, Severity};
use ratatui::style::{Color, Modifier, Style};

use crate::view::screen::Tone;
use crate::view::screen::visits::VisitMark;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub color: bool,
}

impl Theme {
    fn colored(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    pub fn plain(self) -> Style {
        self.colored(Color::Reset)
    }

    pub fn bold(self) -> Style {
        self.plain().add_modifier(Modifier::BOLD)
    }

    pub fn dim(self) -> Style {
        self.plain().add_modifier(Modifier::DIM)
    }

    pub fn reversed(self) -> Style {
        self.plain().add_modifier(Modifier::REVERSED)
    }

    pub fn good(self) -> Style {
        self.colored(Color::Green)
    }

    pub fn busy(self) -> Style {
        self.colored(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub fn doubtful(self) -> Style {
        self.colored(Color::Yellow)
    }

    pub fn bad(self) -> Style {
        self.colored(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub fn phase(self, phase: Phase) -> Style {
        match phase {
            Phase::Idle => self.bold(),
            Phase::Measuring => self.good().add_modifier(Modifier::BOLD),
            Phase::Homing | Phase::Switching | Phase::Purging => self.busy(),
            Phase::Paused => self.doubtful().add_modifier(Modifier::BOLD),
            Phase::Aborted | Phase::Failed => self.bad(),
        }
    }

    pub fn mark(self, mark: VisitMark) -> Style {
        match mark {
            VisitMark::NotPlanned => self.dim(),
            VisitMark::Pending => self.plain(),
            VisitMark::Purging | VisitMark::Measuring => self.busy().add_modifier(Modifier::REVERSED),
            VisitMark::Paused => self.doubtful().add_modifier(Modifier::REVERSED),
            VisitMark::Awaited => self.colored(Color::Cyan),
            VisitMark::Done => self.good(),
            VisitMark::Empty => self.bad(),
            VisitMark::Skipped => self.doubtful(),
        }
    }

    pub fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain => self.plain(),
            Tone::Notable => self.bold(),
            Tone::Doubtful => self.doubtful(),
            Tone::Bad => self.bad(),
        }
    }

    pub fn severity(self, severity: Severity) -> Style {
        if severity == Severity::Warning { self.doubtful() } else { self.bad() }
    }
}
