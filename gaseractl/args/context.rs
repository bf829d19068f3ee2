//! What `gaseractl context` and `gaseractl fleet` can be told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use crate::endpoint::Endpoint;

const CONTEXT_EXAMPLES: &str = "\
A context is a daemon with a name: where it listens, the file of its token, whom to trust for its certificate. They are \
kept in $XDG_CONFIG_HOME/gaseractl/config.toml, or ~/.config/gaseractl/config.toml:
  current = \"barn\"
  [contexts.barn]
  endpoint = \"https://barn-pc:5001\"
  token_file = \"/home/ada/barn.token\"
  ca_file = \"/home/ada/barn.pem\"

What counts, the first one first: the options --endpoint and --context; GASERACTL_ENDPOINT; GASERACTL_CONTEXT; the \
current context; the unix socket of this machine, then http://127.0.0.1:5001. The token and the certificates are those of \
the context only where its endpoint is taken, and --token-file, --ca-file and their variables count more.

Examples:
  gaseractl context add barn https://barn-pc:5001 --token ~/barn.token --use
  gaseractl --context barn status
  gaseractl fleet status

With --json, list prints {\"file\",\"current\",\"contexts\":[{\"name\",\"endpoint\",\"token_file\",\"ca_file\",\"current\"}]}";

#[derive(Debug, clap::Args)]
#[command(after_help = CONTEXT_EXAMPLES)]
pub struct ContextArgs {
    #[command(subcommand)]
    pub command: ContextCommand,
}

#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// The contexts, and which is the current one
    List,
    /// Make one the current one
    Use {
        /// Its name, or - for none
        name: String,
    },
    /// Keep a daemon by name; one that is kept by that name already is replaced
    Add(AddContext),
    /// Forget one
    Rm {
        /// Its name
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct AddContext {
    /// One word of letters, digits, dots, - and _
    pub name: String,
    /// unix:/path, http://host:port or https://host:port
    #[arg(value_name = "ENDPOINT")]
    pub at: Endpoint,
    /// The file with its token
    #[arg(long, value_name = "FILE")]
    pub token: Option<PathBuf>,
    /// The certificates, in PEM, of those who may vouch for it
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Make it the current one
    #[arg(long = "use")]
    pub make_current: bool,
}

const FLEET_EXAMPLES: &str = "\
All contexts are asked at the same time, each for --timeout at most, or 5 s. Exit code 8 if one of them does not answer.

With --json:
  {\"daemons\":[{\"context\",\"endpoint\",\"reachable\",\"error\",\"exit\",\"status\":{…}}]}
where \"status\" is as in `gaseractl status --json`, or null.";

#[derive(Debug, clap::Args)]
pub struct Fleet {
    #[command(subcommand)]
    pub command: FleetCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum FleetCommand {
    /// What each daemon of the contexts is doing, side by side
    #[command(after_help = FLEET_EXAMPLES)]
    Status,
}

impl Fleet {
    /// How long one daemon may take if nobody says.
    pub const PATIENCE: Duration = Duration::from_secs(5);
}
