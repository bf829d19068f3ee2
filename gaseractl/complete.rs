//! What may stand where the cursor is: worked out of the command line as clap knows it. What only the daemon knows is
//! named, and asked by [`crate::command`].

use clap::builder::ValueHint;
use clap::{Arg, Command};

/// What the word at the cursor may become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedWord {
    /// Known here, each with what it is for.
    pub words: Vec<(String, String)>,
    /// What to ask the daemon for.
    pub names: Option<CompletionNames>,
    pub files: bool,
    /// What of the word is to be kept before each candidate: `--task=`.
    pub before: String,
    /// What of the word is there of the candidate.
    pub begun: String,
}

/// What has names that only the daemon knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionNames {
    Runs,
    Trashed,
    Tasks,
    Plans,
    Channels,
    Settings,
    Schedules,
    Contexts,
}

/// `words` are those behind the program's name, the last one as far as it is there.
pub fn wanted(root: &Command, words: &[String]) -> WantedWord {
    let (begun, done) = words.split_last().map_or(("", words), |(last, done)| (last.as_str(), done));
    let mut place = CompletionPlace { root, command: root, positionals: 0, option: None, plain: false };
    for word in done {
        place.pass(word);
    }
    place.wanted(begun)
}

/// Where in the command line the cursor is.
struct CompletionPlace<'a> {
    root: &'a Command,
    command: &'a Command,
    /// How many were given to this command.
    positionals: usize,
    /// The option whose value comes next.
    option: Option<&'a Arg>,
    /// Behind `--`.
    plain: bool,
}

impl<'a> CompletionPlace<'a> {
    fn pass(&mut self, word: &str) {
        if self.option.take().is_some() {
            return;
        }
        match word {
            "--" => self.plain = true,
            _ if self.plain => self.positionals += 1,
            _ if word.starts_with("--") => self.option = if word.contains('=') { None } else { self.long(&word[2..]) },
            _ if word.len() > 1 && word.starts_with('-') => {
                self.option = word.chars().last().and_then(|letter| self.find(|arg| arg.get_short() == Some(letter)));
            }
            _ => match self.command.find_subcommand(word).filter(|_| self.positionals == 0) {
                Some(command) => self.command = command,
                None => self.positionals += 1,
            },
        }
        self.option = self.option.filter(|option| option.get_action().takes_values());
    }

    /// The options that may stand here: those of the command, and those that may stand anywhere.
    fn options(&self) -> impl Iterator<Item = &'a Arg> {
        let own = self.command.get_arguments().filter(|arg| !arg.is_positional());
        let elsewhere = !std::ptr::eq(self.command, self.root);
        own.chain(self.root.get_arguments().filter(move |arg| elsewhere && arg.is_global_set()))
    }

    fn find(&self, is: impl Fn(&Arg) -> bool) -> Option<&'a Arg> {
        self.options().find(|arg| is(arg))
    }

    fn long(&self, name: &str) -> Option<&'a Arg> {
        self.find(|arg| arg.get_long() == Some(name))
    }

    fn wanted(&self, word: &str) -> WantedWord {
        if let Some(option) = self.option {
            return values(option, word);
        }
        if let (false, true, Some((name, begun))) = (self.plain, word.starts_with("--"), word.split_once('=')) {
            let found = self.long(&name[2..]).map(|option| values(option, begun)).unwrap_or_default();
            return WantedWord { before: format!("{name}="), ..found };
        }
        if !self.plain && word.starts_with('-') && word != "-" {
            return WantedWord { words: self.option_names(), begun: word.into(), ..WantedWord::default() };
        }
        let mut positionals = self.command.get_arguments().filter(|arg| arg.is_positional());
        let mut found = positionals.nth(self.positionals).map(|arg| values(arg, word)).unwrap_or_default();
        if self.positionals == 0 {
            found.words.extend(self.commands());
        }
        WantedWord { begun: word.into(), ..found }
    }

    fn option_names(&self) -> Vec<(String, String)> {
        let shown = self.options().filter(|arg| !arg.is_hide_set());
        let named = shown.filter_map(|arg| Some((format!("--{}", arg.get_long()?), line(arg.get_help()))));
        named.chain([("--help".to_owned(), "Print help".to_owned())]).collect()
    }

    fn commands(&self) -> impl Iterator<Item = (String, String)> {
        let shown = self.command.get_subcommands().filter(|command| !command.is_hide_set());
        shown.map(|command| (command.get_name().to_owned(), line(command.get_about())))
    }
}

fn line(text: Option<&clap::builder::StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

fn values(arg: &Arg, begun: &str) -> WantedWord {
    let possible = arg.get_possible_values();
    let words = possible.iter().filter(|value| !value.is_hide_set());
    let words = words.map(|value| (value.get_name().to_owned(), line(value.get_help())));
    // A switch is offered as such, not as true or false.
    let words = if arg.get_action().takes_values() { words.collect() } else { Vec::new() };
    let names = names(arg.get_id().as_str());
    let hint = arg.get_value_hint();
    let files = !matches!(hint, ValueHint::Unknown | ValueHint::Other) || names == Some(CompletionNames::Plans);
    WantedWord { words, names, files, before: String::new(), begun: begun.into() }
}

/// What is meant by an argument of that id.
fn names(id: &str) -> Option<CompletionNames> {
    Some(match id {
        "run" | "runs" => CompletionNames::Runs,
        "trashed" => CompletionNames::Trashed,
        "task" => CompletionNames::Tasks,
        "plan" => CompletionNames::Plans,
        "channel" | "channels" | "background" | "from_channel" => CompletionNames::Channels,
        "key" => CompletionNames::Settings,
        "schedule" => CompletionNames::Schedules,
        "context" | "name" => CompletionNames::Contexts,
        _ => return None,
    })
}

/// The candidates that begin as the word does, a line each, with what they are for behind a tab.
pub fn lines(wanted: &WantedWord, names: Vec<(String, String)>, keeps_before: bool) -> Vec<String> {
    let before = if keeps_before { wanted.before.as_str() } else { "" };
    let fitting = wanted.words.iter().cloned().chain(names).filter(|(word, _)| word.starts_with(&wanted.begun));
    let one_line = |text: &str| text.replace(char::is_control, " ");
    let mut lines: Vec<String> =
        fitting.map(|(word, about)| format!("{before}{}\t{}", one_line(&word), one_line(&about))).collect();
    lines.extend(wanted.files.then(|| ":files".to_owned()));
    lines
}

/// The words of a bash that takes them apart at `=`.
pub fn joined(words: &[String]) -> Vec<String> {
    let mut joined: Vec<String> = Vec::new();
    let mut open = false;
    for word in words {
        match joined.last_mut() {
            Some(last) if word == "=" && last.starts_with("--") && !last.contains('=') => {
                last.push('=');
                open = true;
            }
            Some(last) if open => {
                last.push_str(word);
                open = false;
            }
            _ => joined.push(word.clone()),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::args::Args;

    fn at(line: &str) -> WantedWord {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        wanted(&Args::command(), &words)
    }

    fn offered(line: &str) -> Vec<String> {
        lines(&at(line), Vec::new(), true).iter().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn commands_are_offered_and_what_is_hidden_is_not() {
        assert_eq!(offered("sta"), ["start", "status"]);
        assert_eq!(
            offered("runs "),
            [
                "list",
                "show",
                "export",
                "tail",
                "verify",
                "files",
                "get",
                "rm",
                "restore",
                "trash",
                "empty-trash",
                "drift"
            ]
        );
        assert_eq!(offered("complete"), Vec::<String>::new());
        assert_eq!(offered("--json --color never analyzer se"), ["selftest"]);
        assert_eq!(offered("completions "), ["bash", "zsh", "fish"]);
    }

    #[test]
    fn options_are_those_of_the_command_and_the_global_ones() {
        assert_eq!(offered("start --it"), ["--iterations"]);
        assert_eq!(offered("runs export --endp"), ["--endpoint"]);
        assert_eq!(offered("runs export --iter"), Vec::<String>::new());
    }

    #[test]
    fn values_are_offered_behind_their_option() {
        assert_eq!(offered("start --sync "), ["analyzer", "dwell"]);
        assert_eq!(offered("start --sync=d"), ["--sync=dwell"]);
        assert_eq!(offered("--color "), ["auto", "always", "never"]);
        assert_eq!(offered("runs export last -o "), [":files"]);
    }

    #[test]
    fn what_only_the_daemon_knows_is_named() {
        for (line, names) in [
            ("runs show ", Some(CompletionNames::Runs)),
            ("runs export --format csv 01", Some(CompletionNames::Runs)),
            ("runs show last ", None),
            ("abort ", Some(CompletionNames::Runs)),
            ("start ", Some(CompletionNames::Plans)),
            ("start --task ", Some(CompletionNames::Tasks)),
            ("start --task=A", Some(CompletionNames::Tasks)),
            ("start weekly --channels ", Some(CompletionNames::Channels)),
            ("mux goto ", Some(CompletionNames::Channels)),
            ("config get ", Some(CompletionNames::Settings)),
            ("--context ", Some(CompletionNames::Contexts)),
            ("context rm ", Some(CompletionNames::Contexts)),
            ("schedule rm ", Some(CompletionNames::Schedules)),
            ("schedule next ", Some(CompletionNames::Schedules)),
            ("schedule add ", None),
            ("doctor purge-test --from ", Some(CompletionNames::Channels)),
            ("runs export --from ", None),
            ("start -- ", Some(CompletionNames::Plans)),
        ] {
            assert_eq!(at(line).names, names, "{line}");
        }
    }

    #[test]
    fn a_bash_may_take_options_apart() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(joined(&words(&["start", "--task", "=", "AB", "x"])), words(&["start", "--task=AB", "x"]));
        assert_eq!(joined(&words(&["start", "--task", "="])), words(&["start", "--task="]));
        assert_eq!(joined(&words(&["note", "a", "=", "b"])), words(&["note", "a", "=", "b"]));
    }

    #[test]
    fn only_what_begins_so_is_offered_with_what_it_is_for() {
        let names = vec![("01KA".to_owned(), "barn\nnorth".to_owned()), ("02".to_owned(), String::new())];
        assert_eq!(lines(&at("runs show 01"), names.clone(), true), ["01KA\tbarn north"]);
        assert_eq!(lines(&at("start --task=0"), names.clone(), true), ["--task=01KA\tbarn north", "--task=02\t"]);
        assert_eq!(lines(&at("start --task=0"), names, false), ["01KA\tbarn north", "02\t"]);
    }
}
