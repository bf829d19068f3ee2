//! The rules of the house: who may import whom, what stays pure, and how large a room may be.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

mod circles;
mod names;

/// Each part of the library with the parts that it may import.
const MAY_IMPORT: [(&str, &[&str]); 18] = [
    ("domain", &[]),
    ("ak", &["domain"]),
    ("attribution", &["domain"]),
    ("config", &["domain"]),
    ("engine", &["domain", "attribution"]),
    ("schedule", &["domain"]),
    ("simulator", &["domain", "ak"]),
    ("device", &["domain", "ak", "config", "simulator"]),
    ("export", &["domain"]),
    ("store", &["domain", "export"]),
    ("mirror", &["domain", "store"]),
    ("stream", &["domain", "config"]),
    ("sse", &[]),
    ("runtime", &["domain", "config", "engine", "device", "store", "stream"]),
    ("proto", &["domain"]),
    // It is no Rust.
    ("dashboard", &[]),
    ("api", &["domain", "store", "stream", "runtime", "proto"]),
    (
        "daemon",
        &[
            "domain",
            "config",
            "engine",
            "export",
            "device",
            "schedule",
            "simulator",
            "store",
            "mirror",
            "stream",
            "runtime",
            "api",
            "proto",
        ],
    ),
];

const PURE: [&str; 7] = ["domain", "ak", "attribution", "engine", "export", "schedule", "sse"];
const IMPURE: [&str; 8] =
    ["tokio", "std::fs", "std::net", "std::thread", "std::env", "Instant::now", "SystemTime::now", "getrandom"];

const MOST_LINES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    rust.chain(folders.iter().flat_map(|folder| sources(folder))).collect()
}

/// The files of one part: `gaserad/x/…` and `gaserad/x.rs`.
fn part(name: &str) -> Vec<PathBuf> {
    let mut files = sources(&root().join("gaserad").join(name));
    let alone = root().join("gaserad").join(format!("{name}.rs"));
    files.extend(alone.exists().then_some(alone));
    files
}

/// The source without its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n")
}

/// The first names behind each `prefix`, in `use` trees too.
fn names_behind(code: &str, prefix: &str) -> BTreeSet<String> {
    let identifier = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{') {
            Some(tree) => names.extend(
                tree.split_once("};").map_or(tree, |(tree, _)| tree).split(',').map(|item| identifier(item.trim())),
            ),
            None => {
                names.insert(identifier(rest));
            }
        }
    }
    names
}

#[test]
fn every_part_imports_only_what_lies_below_it() {
    let mut seen = 0;
    for (name, allowed) in MAY_IMPORT {
        for file in part(name) {
            seen += 1;
            for imported in names_behind(&code(&file), "crate::") {
                let is_part =
                    MAY_IMPORT.iter().any(|(part, _)| *part == imported) || imported == "proto" || imported == "daemon";
                let fine = imported == name || allowed.contains(&imported.as_str());
                assert!(fine || !is_part, "{} imports {imported}; {name} may import {allowed:?}", file.display());
            }
        }
    }
    assert!(seen > 30, "only {seen} files were read");
}

#[test]
fn the_command_line_sees_the_contract_the_nouns_and_the_stream_only() {
    let files = sources(&root().join("gaseractl"));
    assert!(files.len() > 5);
    for file in files {
        for imported in names_behind(&code(&file), "gasera::") {
            assert!(["domain", "proto", "sse"].contains(&imported.as_str()), "{} imports {imported}", file.display());
        }
    }
}

#[test]
fn what_decides_is_pure() {
    for name in PURE {
        for file in part(name) {
            let code = code(&file);
            for impure in IMPURE {
                assert!(!code.contains(impure), "{} uses {impure}", file.display());
            }
        }
    }
}

#[test]
fn every_part_of_the_library_is_known_here() {
    let known: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    for entry in fs::read_dir(root().join("gaserad")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!path.is_dir() || known.contains(name.as_str()), "{name} has no place among the layers");
    }
}

#[test]
fn no_room_is_too_large() {
    for folder in ["gaserad", "gaseractl", "tests", "benches"] {
        for file in sources(&root().join(folder)) {
            let lines = fs::read_to_string(&file).unwrap().lines().count();
            assert!(lines <= MOST_LINES, "{} has {lines} lines; split it ({MOST_LINES} at most)", file.display());
        }
    }
}
