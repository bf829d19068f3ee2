//! `gaseractl completions` and `man`: what shells and manuals know of the command line.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::{CommandSession, names};
use crate::args::{Args, CompleteWords, Shell};
use crate::complete;
use crate::contexts;
use crate::failure::{Exit, Failure};
use crate::output::{self, Output};

pub fn completions(shell: Shell) -> Result<Exit, Failure> {
    output::bytes(match shell {
        Shell::Bash => include_bytes!("../shell/completion.bash"),
        Shell::Zsh => include_bytes!("../shell/completion.zsh"),
        Shell::Fish => include_bytes!("../shell/completion.fish"),
    })?;
    Ok(Exit::DONE)
}

/// Says nothing of what goes wrong: it would stand in the middle of what somebody types.
pub async fn complete_words(
    global: crate::args::Global,
    output: Output,
    asked: CompleteWords,
) -> Result<Exit, Failure> {
    let bash = asked.shell == Shell::Bash;
    let words = if bash { complete::joined(&asked.words) } else { asked.words };
    let wanted = complete::wanted(&Args::command(), &words);
    let known = match wanted.names {
        None => Vec::new(),
        Some(kind) => match contexts::endpoints(&typed(global, &words)) {
            Ok(endpoints) => names::all(&CommandSession::new(output, endpoints), kind).await,
            Err(_) => Vec::new(),
        },
    };
    complete::lines(&wanted, known, !bash).iter().try_for_each(|line| output::line(line))?;
    Ok(Exit::DONE)
}

/// With the daemon that the words name, so that its names are offered.
fn typed(mut global: crate::args::Global, words: &[String]) -> crate::args::Global {
    let value = |option: &str| {
        let follows = words.windows(2).find(|pair| pair[0] == option).map(|pair| pair[1].clone());
        follows.or_else(|| words.iter().find_map(|word| Some(word.strip_prefix(option)?.strip_prefix('=')?.to_owned())))
    };
    if let Some(context) = value("--context") {
        (global.context, global.endpoint) = (Some(context), None);
    }
    if let Some(endpoint) = value("--endpoint").and_then(|text| text.parse().ok()) {
        global.endpoint = Some(endpoint);
    }
    for (option, place) in [("--token-file", &mut global.token_file), ("--ca-file", &mut global.ca_file)] {
        if let Some(path) = value(option) {
            *place = Some(path.into());
        }
    }
    global
}

pub fn man(output: Output, directory: Option<&Path>) -> Result<Exit, Failure> {
    let mut root = Args::command();
    root.build();
    let Some(directory) = directory else {
        output::bytes(&page(root)?.1)?;
        return Ok(Exit::DONE);
    };
    let pages = pages(root)?;
    for (name, page) in &pages {
        let path = directory.join(name);
        std::fs::write(&path, page).map_err(|error| cannot_write(&path, &error))?;
    }
    output.note(&format!("wrote {} pages to {}", pages.len(), directory.display()));
    Ok(Exit::DONE)
}

/// The page of a command and those of the commands below it, each with the name of its file.
fn pages(command: Command) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let below: Vec<Command> = command.get_subcommands().filter(|below| !below.is_hide_set()).cloned().collect();
    let mut found = vec![page(command)?];
    for command in below {
        found.extend(pages(command)?);
    }
    Ok(found)
}

fn page(command: Command) -> Result<(String, Vec<u8>), Failure> {
    let page = Man::new(command).manual("gaserad");
    let mut text = Vec::new();
    let rendered = page.render(&mut text);
    rendered.map_err(|error| Failure::new(Exit::FAILURE, format!("cannot make the manual page: {error}")))?;
    Ok((page.get_filename(), text))
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::FAILURE, format!("cannot write {}: {error}; is the folder there, and yours?", path.display()))
}
