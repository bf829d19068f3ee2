//! The valve, or the relay board, on a pseudo-terminal: for a driver it is a serial port like any other.

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};
use tokio::io::Join;
use tokio::net::unix::pipe::{Receiver, Sender};

use super::mishap::Unplugged;
use super::serve::Simulator;

/// How often a claim to the port that its holder left behind is taken away.
const RELEASE: Duration = Duration::from_millis(500);

/// Opens a pseudo-terminal with the valve on it and a symbolic link to it at `link`. The future serves it for ever,
/// through whatever the faults do to its plug; dropping it removes the link. A link left behind by another simulator
/// is replaced, anything else is not.
pub fn open_valve(simulator: Simulator, link: &Path) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let terminal = PlantTerminal::open()?;
    let link = TerminalLink::create(&terminal.path, link)?;
    Ok(async move {
        match simulator.serial_unplugged() {
            Some(outage) => serve_with_outage(terminal, link, &simulator, outage).await,
            None => terminal.serve(&simulator).await,
        }
    })
}

/// The same for the relay board, which speaks Modbus RTU and is never unplugged.
pub fn open_relays(simulator: Simulator, link: &Path) -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let terminal = PlantTerminal::open()?;
    let link = TerminalLink::create(&terminal.path, link)?;
    Ok(async move {
        terminal.serve_relays(&simulator).await;
        drop(link);
    })
}

/// The port hangs up on whoever has it open, and is back later as another one.
async fn serve_with_outage(terminal: PlantTerminal, link: TerminalLink, simulator: &Simulator, outage: Unplugged) {
    let place = outage.link.unwrap_or_else(|| link.at.clone());
    let unplugged = async {
        tokio::time::sleep(simulator.outside(outage.after)).await;
        // While the old one is there, or the new one might get its name.
        PlantTerminal::open()
    };
    let next = tokio::select! {
        () = terminal.serve(simulator) => return,
        next = unplugged => next,
    };
    drop(link);
    match outage.length {
        Some(length) => tokio::time::sleep(simulator.outside(length)).await,
        None => std::future::pending().await,
    }
    let plugged_in = next.and_then(|next| Ok((TerminalLink::create(&next.path, &place)?, next)));
    match plugged_in {
        Ok((_link, terminal)) => terminal.serve(simulator).await,
        Err(error) => tracing::error!("cannot put the valve's serial port back at {}: {error}", place.display()),
    }
}

/// The plant's end of the line.
struct PlantTerminal {
    /// Tokio's pipes read and write any descriptor; a terminal has two directions, and so two of them.
    ends: Join<Receiver, Sender>,
    /// Held open, or the line would hang up whenever the last driver closes it.
    port: OwnedFd,
    path: PathBuf,
}

impl PlantTerminal {
    fn open() -> io::Result<Self> {
        let fd = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&fd)?;
        rustix::pty::unlockpt(&fd)?;
        let name = rustix::pty::ptsname(&fd, Vec::new())?;
        let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let port = rustix::fs::open(&path, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        let mut attributes = tcgetattr(&port)?;
        attributes.make_raw();
        tcsetattr(&port, OptionalActions::Now, &attributes)?;
        rustix::fs::fcntl_setfl(&fd, OFlags::RDWR | OFlags::NONBLOCK)?;
        let writer = Sender::from_owned_fd_unchecked(fd.try_clone()?)?;
        let ends = tokio::io::join(Receiver::from_owned_fd_unchecked(fd)?, writer);
        Ok(Self { ends, port, path })
    }

    async fn serve(mut self, simulator: &Simulator) {
        tokio::select! {
            () = simulator.serve_valve(&mut self.ends) => {}
            () = release(&self.port) => {}
        }
    }

    async fn serve_relays(mut self, simulator: &Simulator) {
        tokio::select! {
            () = simulator.serve_modbus_rtu(&mut self.ends) => {}
            () = release(&self.port) => {}
        }
    }
}

/// Whoever claimed a real port for itself loses it by ending. Here the port stays open on our side, and with it the
/// claim of one that was killed.
async fn release(port: &OwnedFd) {
    loop {
        tokio::time::sleep(RELEASE).await;
        if ioctl_tiocnxcl(port).is_err() {
            return std::future::pending().await;
        }
    }
}

/// A symbolic link that lasts as long as this does.
struct TerminalLink {
    at: PathBuf,
    port: PathBuf,
}

impl TerminalLink {
    fn create(port: &Path, at: &Path) -> io::Result<Self> {
        if at.symlink_metadata().is_ok() {
            make_way(at)?;
        }
        std::os::unix::fs::symlink(port, at)?;
        Ok(Self { at: at.to_owned(), port: port.to_owned() })
    }
}

impl Drop for TerminalLink {
    fn drop(&mut self) {
        // Another simulator may have put its own there; then it is not ours to remove.
        if std::fs::read_link(&self.at).is_ok_and(|target| target == self.port) {
            let _ = std::fs::remove_file(&self.at);
        }
    }
}

/// A link that leads nowhere or to a pseudo-terminal was a simulator's.
fn make_way(at: &Path) -> io::Result<()> {
    let taken = |why: &str| {
        let sentence = format!("{} {why}; it is left alone, choose another path or remove it", at.display());
        Err(io::Error::new(io::ErrorKind::AlreadyExists, sentence))
    };
    let Ok(target) = std::fs::read_link(at) else { return taken("exists and is no symbolic link") };
    if at.exists() && !target.starts_with("/dev/pts") {
        return taken("is a link to something else than a pseudo-terminal");
    }
    std::fs::remove_file(at)
}
