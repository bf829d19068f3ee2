//! What `gaseractl completions` and `gaseractl man` can be told.

use std::path::PathBuf;

use clap::ValueEnum;

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  gaseractl completions bash > ~/.local/share/bash-completion/completions/gaseractl
  gaseractl completions zsh  > ~/.zfunc/_gaseractl       with fpath+=~/.zfunc before compinit in ~/.zshrc
  gaseractl completions fish > ~/.config/fish/completions/gaseractl.fish

Commands and options are completed, and runs, plans, tasks and channels as the daemon tells them at that moment; nothing \
if it does not answer within half a second.";

#[derive(Debug, clap::Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct Completions {
    /// The shell that is to complete
    pub shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What the scripts of `completions` call.
#[derive(Debug, clap::Args)]
pub struct CompleteWords {
    pub shell: Shell,
    /// The words behind `gaseractl` up to the cursor; the last one is to be completed
    #[arg(last = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

const MAN_EXAMPLES: &str = "\
Examples:
  gaseractl man | man -l -
  sudo gaseractl man --dir /usr/local/share/man/man1";

#[derive(Debug, clap::Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct Man {
    /// Write gaseractl.1 and a page for each command into this folder
    #[arg(long, value_name = "D")]
    pub dir: Option<PathBuf>,
}
