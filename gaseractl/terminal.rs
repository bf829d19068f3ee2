//! The terminal as a full screen: taken over, drawn on, and given back as it was, however it ends.

use std::io::{self, IsTerminal, Read, Stdout, Write};
use std::sync::Once;

use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::terminal::{
    self, Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::crossterm::{cursor, execute, style};
use ratatui::layout::Rect;
use ratatui::{TerminalOptions, Viewport};
use rustix::process::{Signal, getpid, kill_process};
use tokio::sync::mpsc;

use crate::failure::{Exit, Failure};
use crate::view::screen::keys::Key;

/// Where nobody says how large it is.
const USUAL: Rect = Rect { x: 0, y: 0, width: 80, height: 24 };

type TerminalScreen = ratatui::Terminal<CrosstermBackend<Stdout>>;

pub struct Terminal {
    screen: TerminalScreen,
    area: Rect,
    /// `None` if there is nobody to press any.
    keys: Option<mpsc::UnboundedReceiver<Key>>,
}

impl Terminal {
    pub fn open(color: bool) -> Result<Self, Failure> {
        style::force_color_output(color);
        give_back_after_a_panic();
        // From here on it is given back by being dropped.
        let area = area();
        let mut terminal = Self { screen: blank(area)?, area, keys: None };
        terminal.enter()?;
        if io::stdin().is_terminal() {
            terminal.keys = Some(listen());
        }
        Ok(terminal)
    }

    /// Takes the terminal over, once more if somebody else had it in between.
    pub fn enter(&mut self) -> Result<(), Failure> {
        if io::stdin().is_terminal() {
            enable_raw_mode().map_err(|error| broken(&error))?;
        }
        execute!(io::stdout(), EnterAlternateScreen, cursor::Hide).map_err(|error| broken(&error))?;
        self.wipe(area())
    }

    /// Begins with an empty screen of this size. The terminal is not asked for anything: an answer would take its time on
    /// a slow line, and some give none.
    fn wipe(&mut self, area: Rect) -> Result<(), Failure> {
        execute!(io::stdout(), Clear(ClearType::All)).map_err(|error| broken(&error))?;
        (self.screen, self.area) = (blank(area)?, area);
        Ok(())
    }

    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> Result<(), Failure> {
        let area = area();
        if area != self.area {
            self.wipe(area)?;
        }
        self.screen.draw(draw).map(drop).map_err(|error| broken(&error))
    }

    /// The next key; never, if there are none.
    pub async fn key(&mut self) -> Option<Key> {
        match &mut self.keys {
            Some(keys) => keys.recv().await,
            None => std::future::pending().await,
        }
    }

    /// Gives the terminal back and stops, until the shell lets us go on.
    pub fn stop() {
        give_back();
        let _ = kill_process(getpid(), Signal::TSTP);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// How large it is now.
fn area() -> Rect {
    match terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => Rect::new(0, 0, width, height),
        _ => USUAL,
    }
}

fn blank(area: Rect) -> Result<TerminalScreen, Failure> {
    let options = TerminalOptions { viewport: Viewport::Fixed(area) };
    ratatui::Terminal::with_options(CrosstermBackend::new(io::stdout()), options).map_err(|error| broken(&error))
}

/// Whatever fails now, there is nobody left to tell.
fn give_back() {
    let mut stdout = io::stdout();
    let _ = execute!(stdout, LeaveAlternateScreen, cursor::Show);
    let _ = stdout.flush();
    let _ = disable_raw_mode();
}

/// What a panic has to say is to be read.
fn give_back_after_a_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            usual(panic);
        }));
    });
}

/// Keys are waited for by a thread of its own, which ends with the process.
fn listen() -> mpsc::UnboundedReceiver<Key> {
    let (sender, pressed) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 256];
        loop {
            match io::stdin().lock().read(&mut bytes) {
                Ok(0) => break,
                Ok(length) if keys(&bytes[..length]).into_iter().any(|key| sender.send(key).is_err()) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => break,
                _ => {}
            }
        }
    });
    pressed
}

/// The keys among what came at once. Those that are told by a sequence, like arrows, are none of ours.
fn keys(bytes: &[u8]) -> Vec<Key> {
    match bytes {
        [] => Vec::new(),
        [0x1b] => vec![Key::Escape],
        [0x1b, ..] => vec![Key::Other],
        [first, rest @ ..] => std::iter::once(key(*first)).chain(keys(rest)).collect(),
    }
}

fn key(byte: u8) -> Key {
    match byte {
        0x03 => Key::Interrupt,
        0x1a => Key::Stop,
        0x0c => Key::Repaint,
        b'\t' | b' '..=b'~' => Key::Char(char::from(byte)),
        _ => Key::Other,
    }
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(Exit::FAILURE, format!("cannot draw on the terminal: {error}; `--format table` writes lines instead"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_sequences_and_from_those_with_control() {
        assert_eq!(keys(b"ay"), [Key::Char('a'), Key::Char('y')]);
        assert_eq!(keys(b"\x03\x1a\x0c\x01"), [Key::Interrupt, Key::Stop, Key::Repaint, Key::Other]);
        assert_eq!(keys(b"q\x1b[A"), [Key::Char('q'), Key::Other], "an arrow is not an A");
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
        assert_eq!(keys("é".as_bytes()), [Key::Other, Key::Other]);
    }
}
