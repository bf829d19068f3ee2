//! Everything that is printed goes through here: data to stdout, all else to stderr.

use std::borrow::Cow;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::{Color, Global};
use crate::failure::{Exit, Failure};

/// How often a line moves that says what is waited for.
const MOVES: Duration = Duration::from_millis(250);

/// Shows what clap has to say: help to stdout, a usage error to stderr.
pub fn usage(message: &clap::Error) -> Exit {
    // Nobody is left to tell if this fails.
    let _ = message.print();
    if message.use_stderr() { Exit::USAGE } else { Exit::DONE }
}

#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    /// Somebody looks at stdout who can be shown moving pictures.
    pub terminal: bool,
    /// Colors on stdout.
    pub paint: Paint,
}

impl Output {
    pub fn new(global: &Global) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let terminal = io::stdout().is_terminal() && !dumb;
        let color = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !set("NO_COLOR"),
        };
        Self { json: global.json, quiet: global.quiet, terminal, paint: Paint(color) }
    }

    /// Tells whoever looks on; not with -q.
    pub fn note(self, text: &str) {
        if !self.quiet {
            complain(text);
        }
    }
}

/// Rings the bell of the terminal.
pub fn ring() {
    let _ = io::stderr().lock().write_all(b"\x07");
}

/// Writes data.
pub fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|error| broken(&error))
}

/// Writes data and ends the line.
pub fn line(text: &str) -> Result<(), Failure> {
    bytes(format!("{text}\n").as_bytes())
}

pub fn object(value: &serde_json::Value) -> Result<(), Failure> {
    line(&value.to_string())
}

pub fn failure(failure: &Failure) {
    if failure.text.is_empty() {
        return;
    }
    // Several mistakes stand each on its own line, with file, line and column for editors to find.
    let name = if failure.text.contains('\n') { "" } else { "gaseractl: " };
    complain(&format!("{name}{}", failure.text));
}

fn complain(text: &str) {
    // A closed stderr is no reason to do anything else than what was asked.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn broken(error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::quiet();
    }
    Failure::new(Exit::FAILURE, format!("cannot write to stdout: {error}"))
}

/// Colors, or none.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    fn with(self, style: Style, text: &str) -> Cow<'_, str> {
        if self.0 { Cow::Owned(format!("{style}{text}{style:#}")) } else { Cow::Borrowed(text) }
    }

    pub fn bold(self, text: &str) -> Cow<'_, str> {
        self.with(Style::new().bold(), text)
    }

    pub fn dim(self, text: &str) -> Cow<'_, str> {
        self.with(Style::new().dimmed(), text)
    }

    pub fn good(self, text: &str) -> Cow<'_, str> {
        self.with(AnsiColor::Green.on_default(), text)
    }

    pub fn busy(self, text: &str) -> Cow<'_, str> {
        self.with(AnsiColor::Cyan.on_default().bold(), text)
    }

    pub fn doubtful(self, text: &str) -> Cow<'_, str> {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    pub fn bad(self, text: &str) -> Cow<'_, str> {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }
}

/// Says on stderr what is waited for: on a terminal in a line that moves, and is gone afterwards.
pub struct WaitingOutput(Option<ProgressBar>);

impl WaitingOutput {
    pub fn new(output: Output, text: &str) -> Self {
        if output.quiet || !io::stderr().is_terminal() {
            output.note(text);
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{spinner} {msg}: {elapsed}");
        let bar =
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner())).with_message(text.to_owned());
        bar.enable_steady_tick(MOVES);
        Self(Some(bar))
    }
}

/// How far something is, of which the end is known: on a terminal, and gone afterwards.
pub struct Advancing(Option<ProgressBar>);

impl Advancing {
    /// Only where nothing else is shown there.
    pub fn new(output: Output, alone: bool) -> Self {
        if output.quiet || !alone || !io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} samples, {eta} left");
        Self(Some(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))))
    }

    /// So many of so many; it is silent about what has no end.
    pub fn at(&self, done: u64, of: u64) {
        if let Some(bar) = self.0.as_ref().filter(|_| of > 0) {
            bar.set_length(of);
            bar.set_position(done);
        }
    }
}

impl Drop for Advancing {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Drop for WaitingOutput {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
