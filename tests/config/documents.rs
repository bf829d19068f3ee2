//! The shipped configuration and the reference of all keys, as the table of keys makes them. `BLESS=1` writes them.

use std::env;
use std::fmt::Write as _;

use gasera::config::{KeyRow, SectionRows, sections};

use super::*;

const WIDTH: usize = 120;

const SHIPPED: &str = r#"# gaserad: the configuration, with every key at its default, but for driver and port of the multiplexer, which have none.
# Before the first start, write which multiplexer it is ([multiplexer]), and where the analyzer is ([analyzer] address).
# Until then gaserad serves, says what it does not find, and starts no run.
#
# Check a change before it takes effect: gaserad check-config /etc/gaserad/gaserad.toml
# Have it taken without a restart:       systemctl reload gaserad, or gaseractl config reload, which says what needs one
# See what is in effect, and from where: gaserad print-config
#
# A duration is text with a unit: "250ms", "30s", "5m", "1h30m". An unknown key is an error. All keys with their bounds:
# docs/configuration.md
"#;

const REFERENCE: &str = "# Configuration

All keys of `gaserad.toml`, made from the table that gaserad reads it by ([gaserad/config/keys](../gaserad/config/keys)).
The shipped file, [systemd/gaserad.toml](../systemd/gaserad.toml), has them with examples.

- `gaserad check-config FILE` tells every mistake with line and column. So does `gaseractl config check FILE`, without opening the
  files that are named in it.
- `gaserad print-config` and `gaseractl config get` tell what is in effect, each value with its origin: a flag, a line of the file,
  the environment, or the default.
- A duration is text with a unit: `\"250ms\"`, `\"30s\"`, `\"5m\"`, `\"1h30m\"`, `\"7d\"`.
- A key that was renamed is read by its older name too, with a warning. Both together are a mistake.

## Reload

`gaseractl config reload`, `systemctl reload gaserad` and SIGHUP have gaserad read the file again, with the files of tokens, certificate
and key. Flags go before the file as at the start. With any mistake nothing changes, and all goes on as before. Otherwise keys with
**yes** below take effect at once, and the answer lists what changed and what needs a restart. Who asked and what came of it
is in the audit.

| changed | what happens |
|---|---|
| tokens, roles, hosts, origins | the next request is judged by them. A stream that is open stays open until it ends: `DELETE /events/connections/{id}` closes it |
| certificate | new connections are shown it. TLS begins or ends at a restart only |
| labels and what is known of channels, site | a run keeps what it began with; the next one has the new ones |
| plan, task, park, settle | the next start goes by them |
| limits of the stream | streams that are open stay, also if there are more than may be |
| retention | old runs are looked after at once |
| least free space | the next look at the disk, within seconds, goes by it |
| mirror | the old one copies what is left, for a few seconds at most, and the new one begins |

What measures keeps its settings until a restart: the devices, patience, reactions, the guard, gases, where the data is.
";

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("# {word}"));
        } else {
            let _ = write!(line, " {word}");
        }
    }
    lines.join("\n") + "\n"
}

/// Its doc comment, as one text.
fn meaning(row: &KeyRow) -> String {
    row.meaning.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn shipped_row(section: &SectionRows, row: &KeyRow) -> String {
    let bounds = row.shape.split_once(", ").map_or(String::new(), |(_, bounds)| format!(" {bounds}."));
    let bounds = bounds.replace(" at most", " At most");
    let key = row.key;
    match (row.example, &row.default) {
        (Some(example), _) if row.is_needed && !section.is_optional => {
            wrapped(&(meaning(row) + &bounds)) + &format!("{key} = {example}\n")
        }
        (None, Some(default)) if !section.is_optional => {
            wrapped(&(meaning(row) + &bounds)) + &format!("{key} = {default}\n")
        }
        (Some(example), _) => wrapped(&(meaning(row) + &bounds)) + &format!("#{key} = {example}\n"),
        (None, Some(default)) if default != "{  }" => {
            wrapped(&(meaning(row) + &bounds)) + &format!("#{key} = {default}\n")
        }
        // Nothing is to be shown but that it is there.
        (None, _) => wrapped(&format!("{key} = … {}", meaning(row))),
    }
}

fn shipped_file() -> String {
    let mut text = SHIPPED.to_owned();
    for section in sections() {
        text += "\n";
        if !section.meaning.is_empty() {
            text += &wrapped(section.meaning);
        }
        let mark = if section.is_optional { "#" } else { "" };
        text += &format!("{mark}[{}]\n", section.name);
        text.extend(section.rows.iter().map(|row| shipped_row(&section, row)));
        if !section.more.is_empty() {
            text += "\n";
            text.extend(section.more.lines().map(|line| format!("#{line}\n")));
        }
    }
    text
}

fn reference() -> String {
    let mut text = REFERENCE.to_owned();
    for section in sections() {
        let name = section.name.replace("channels.1", "channels.N").replace("\"71-43-2\"", "GAS");
        let was = |old: Option<&str>| old.map_or(String::new(), |old| format!(" It was called `{old}`."));
        text += &format!("\n## [{name}]\n\n");
        let about = format!("{}{}", section.meaning, was(section.renamed_from));
        if !about.is_empty() {
            text += &format!("{}\n\n", about.trim());
        }
        text += "| key | value | default | reload | meaning |\n|---|---|---|---|---|\n";
        for row in &section.rows {
            let default = row.default.as_ref().filter(|default| *default != "\"\"" && *default != "{  }");
            let default = default.map_or(String::new(), |default| format!("`{default}`"));
            let reloads = if row.reloads { "yes" } else { "restart" };
            let (key, shape, meaning) = (row.key, &row.shape, meaning(row) + &was(row.renamed_from));
            text += &format!("| `{key}` | {shape} | {default} | {reloads} | {meaning} |\n");
        }
    }
    text
}

fn holds(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, made).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == made,
        "{name} is not what the table of keys says; BLESS=1 cargo test config::documents writes it"
    );
}

#[test]
fn shipped_file_is_made_from_the_table() {
    holds("systemd/gaserad.toml", &shipped_file());
}

#[test]
fn reference_is_made_from_the_table() {
    holds("docs/configuration.md", &reference());
}

#[test]
fn every_row_says_what_it_means_once() {
    for section in sections() {
        let mut keys: Vec<&str> = section.rows.iter().map(|row| row.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), section.rows.len(), "{}", section.name);
        for row in &section.rows {
            assert!(meaning(row).ends_with('.') || meaning(row).ends_with("]."), "{}.{}", section.name, row.key);
            assert!(row.renamed_from != Some(row.key), "{}.{}", section.name, row.key);
        }
    }
}
