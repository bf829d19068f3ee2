//! A terminal as people sit at: a real pseudo-terminal, and what stands on its screen.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread::spawn;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// For what is shown in an instant; whoever waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Terminal {
    child: Child,
    keyboard: File,
    output: Receiver<Vec<u8>>,
    /// Kept open: what its settings are when nobody else has it any more is to be seen.
    line: File,
    usual: Termios,
    pub screen: Picture,
}

impl Terminal {
    /// Runs a command on a terminal of this size.
    pub fn run(mut command: Command, columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let line = OpenOptions::new().read(true).write(true).open(name).unwrap();
        tcsetwinsize(&line, size(columns, rows)).unwrap();
        let usual = tcgetattr(&line).unwrap();
        command.env("TERM", "xterm-256color");
        command.stdin(line.try_clone().unwrap()).stdout(line.try_clone().unwrap()).stderr(line.try_clone().unwrap());
        let child = command.spawn().unwrap();
        drop(command);
        let keyboard = File::from(master);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, output) = channel();
        spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length) = reader.read(&mut buffer) {
                if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = Picture::new(columns, rows);
        Self { child, keyboard, output, line, usual, screen }
    }

    /// Waits until the screen shows it.
    pub fn until(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let shown = self.screen.text();
            if wanted(&shown) {
                return shown;
            }
            let Ok(bytes) = self.output.recv_timeout(PATIENCE) else { panic!("it was never shown; this is:\n{shown}") };
            self.screen.feed(&bytes);
        }
    }

    pub fn until_shown(&mut self, text: &str) -> String {
        self.until(|shown| shown.contains(text))
    }

    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// What a window does when it is given another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen.resize(columns, rows);
        tcsetwinsize(&self.line, size(columns, rows)).unwrap();
        self.signal(Signal::WINCH);
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code, and what stands on the screen in the end; it must have been given back as it was.
    pub fn wait(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        // All that was written before the end is here already, in one piece or several.
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.screen.feed(&bytes);
        }
        let now = tcgetattr(&self.line).unwrap();
        assert_eq!((now.local_modes, now.input_modes), (self.usual.local_modes, self.usual.input_modes));
        assert_eq!((self.screen.alternate, self.screen.hidden), (false, false), "{}", self.screen.text());
        (code, self.screen.text())
    }
}

const fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// What stands on the screen of a terminal that knows what the view says to it.
pub struct Picture {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// A sequence that is not complete yet.
    rest: Vec<u8>,
    /// What stood there before a full-screen program came.
    below: Vec<Vec<char>>,
    pub alternate: bool,
    pub hidden: bool,
}

impl Picture {
    fn new(columns: u16, rows: u16) -> Self {
        let rows = vec![vec![' '; columns.into()]; rows.into()];
        Self { below: rows.clone(), rows, row: 0, column: 0, rest: Vec::new(), alternate: false, hidden: false }
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        for part in [&mut self.rows, &mut self.below] {
            part.resize(rows.into(), Vec::new());
            for row in part.iter_mut() {
                row.resize(columns.into(), ' ');
            }
        }
    }

    pub fn text(&self) -> String {
        self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned() + "\n").collect()
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.rest.extend(bytes);
        let pending = std::mem::take(&mut self.rest);
        let (text, rest) = match std::str::from_utf8(&pending) {
            Ok(text) => (text, &[][..]),
            Err(error) => {
                let (valid, rest) = pending.split_at(error.valid_up_to());
                (std::str::from_utf8(valid).unwrap(), rest)
            }
        };
        let mut left = text;
        while let Some(first) = left.chars().next() {
            if first != '\x1b' {
                self.put(first);
                left = &left[first.len_utf8()..];
                continue;
            }
            let Some(end) = left.char_indices().skip(2).find(|(_, letter)| letter.is_ascii_alphabetic()) else { break };
            self.control(&left[2..end.0], end.1);
            left = &left[end.0 + 1..];
        }
        self.rest = [left.as_bytes(), rest].concat();
    }

    fn put(&mut self, letter: char) {
        match letter {
            '\r' => self.column = 0,
            '\n' => self.row = (self.row + 1).min(self.rows.len() - 1),
            '\x07' => {}
            _ => {
                if let Some(cell) = self.rows.get_mut(self.row).and_then(|row| row.get_mut(self.column)) {
                    *cell = letter;
                }
                self.column += 1;
            }
        }
    }

    fn control(&mut self, parameters: &str, letter: char) {
        match (parameters, letter) {
            (place, 'H') => {
                let mut numbers = place.split(';').map(|number| number.parse().unwrap_or(1_usize));
                self.row = numbers.next().unwrap_or(1) - 1;
                self.column = numbers.next().unwrap_or(1) - 1;
            }
            ("2", 'J') => self.rows.iter_mut().for_each(|row| row.fill(' ')),
            ("?1049", 'h') if !self.alternate => {
                self.alternate = true;
                self.below.clone_from(&self.rows);
            }
            ("?1049", 'l') if self.alternate => {
                self.alternate = false;
                self.rows.clone_from(&self.below);
                (self.row, self.column) = (0, 0);
            }
            ("?25", 'l') => self.hidden = true,
            ("?25", 'h') => self.hidden = false,
            _ => {}
        }
    }
}
