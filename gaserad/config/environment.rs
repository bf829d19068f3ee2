//! Where things lie when nobody says: as a system service, or for a user.

use std::path::{Path, PathBuf};

use super::address::Listen;
use super::settings::Origin;

/// What the process is told by its surroundings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Runs as a system service, not for one user.
    pub system: bool,
    /// `$STATE_DIRECTORY` and `$RUNTIME_DIRECTORY`, as systemd sets them.
    pub state_directory: Option<PathBuf>,
    pub runtime_directory: Option<PathBuf>,
    /// The user's directories for gaserad, by the XDG rules.
    pub user_config: Option<PathBuf>,
    pub user_state: Option<PathBuf>,
    pub user_runtime: Option<PathBuf>,
}

const CONFIG_FILE: &str = "gaserad.toml";
const SOCKET: &str = "gaserad.sock";
pub(super) const LOOPBACK: &str = "127.0.0.1:5001";

impl Environment {
    pub fn of_process() -> Self {
        let state_directory = first_path("STATE_DIRECTORY");
        let user = directories::ProjectDirs::from("", "", "gaserad");
        let user_path =
            |path: fn(&directories::ProjectDirs) -> Option<&Path>| user.as_ref().and_then(path).map(Path::to_owned);
        Self {
            system: state_directory.is_some() || rustix::process::geteuid().is_root(),
            state_directory,
            runtime_directory: first_path("RUNTIME_DIRECTORY"),
            user_config: user_path(|user| Some(user.config_dir())),
            user_state: user_path(directories::ProjectDirs::state_dir),
            user_runtime: user_path(directories::ProjectDirs::runtime_dir),
        }
    }

    /// The file that is read when none is named, if it exists.
    pub(super) fn config_file(&self) -> Option<PathBuf> {
        let directory = if self.system { Some(PathBuf::from("/etc/gaserad")) } else { self.user_config.clone() };
        directory.map(|directory| directory.join(CONFIG_FILE)).filter(|file| file.exists())
    }

    pub(super) fn state(&self) -> Option<(PathBuf, Origin)> {
        match (self.system, &self.state_directory) {
            (true, Some(directory)) => Some((directory.clone(), Origin::Environment("STATE_DIRECTORY"))),
            (true, None) => Some((PathBuf::from("/var/lib/gaserad"), Origin::Default)),
            (false, _) => self.user_state.clone().map(|directory| (directory, Origin::Default)),
        }
    }

    /// The listeners when none is configured; without a unix socket where a user has no directory for it.
    pub(super) fn listen(&self) -> (Vec<Listen>, Origin) {
        let (runtime, origin) = match (self.system, &self.runtime_directory) {
            (true, Some(directory)) => (Some(directory.clone()), Origin::Environment("RUNTIME_DIRECTORY")),
            (true, None) => (Some(PathBuf::from("/run/gaserad")), Origin::Default),
            (false, _) => (self.user_runtime.clone(), Origin::Default),
        };
        let socket = runtime.map(|directory| Listen::Unix(directory.join(SOCKET)));
        (socket.into_iter().chain([Listen::Tcp(LOOPBACK.to_owned())]).collect(), origin)
    }
}

/// systemd separates several directories by colons; the first is ours.
fn first_path(variable: &str) -> Option<PathBuf> {
    let value = std::env::var(variable).ok()?;
    value.split(':').next().filter(|path| !path.is_empty()).map(PathBuf::from)
}
