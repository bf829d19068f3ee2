//! Inside a room too, files depend on each other one way. A file depends on those whose items it names by a path; in the
//! engine, whose files share the methods of a turn, also on those whose methods it calls.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{MAY_IMPORT, code, part, root};

/// So many files of these rooms still stand in circles. The list is to become empty, and no number in it grows.
const CIRCULAR: [(&str, usize); 9] = [
    ("domain", 2),
    ("config", 17),
    ("simulator", 3),
    ("device", 13),
    ("store", 14),
    ("mirror", 3),
    ("stream", 3),
    ("api", 25),
    ("daemon", 14),
];

type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// The sources of a room by module, without tests. The room itself is the empty path.
fn modules(room: &str) -> BTreeMap<Module, String> {
    let base = root().join("gaserad").join(room);
    let is_test = |path: &Path| path.iter().any(|name| name == "tests" || name == "tests.rs");
    let files = part(room).into_iter().filter(|file| !is_test(file.strip_prefix(root()).unwrap()));
    let read = |file: std::path::PathBuf| {
        let code = code(&file);
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        let inside = file.strip_prefix(&base).map(|path| path.with_extension("")).unwrap_or_default();
        let names = inside.iter().map(|name| name.to_string_lossy().into_owned());
        (names.filter(|name| name != "mod").collect(), code)
    };
    files.map(read).collect()
}

/// Every path that a `use` tree names, and the name by which it is known.
fn leaves(prefix: &[String], tree: &str, found: &mut Vec<Module>) {
    let tree = tree.trim();
    if let Some((path, inner)) = tree.split_once('{').filter(|(path, _)| path.is_empty() || path.ends_with("::")) {
        let prefix = [prefix, &segments(path)].concat();
        let inner = inner.rsplit_once('}').map_or(inner, |(inner, _)| inner);
        let (mut depth, mut from) = (0, 0);
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            depth += i32::from(c == '{') - i32::from(c == '}');
            if c == ',' && depth == 0 {
                leaves(&prefix, &inner[from..at], found);
                from = at + 1;
            }
        }
    } else if !tree.is_empty() {
        let path = tree.split_once(" as ").map_or(tree, |(path, _)| path);
        found.push([prefix, &segments(path)].concat());
    }
}

fn segments(path: &str) -> Module {
    path.split("::").map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The paths of `use` items, and whether they are re-exported; and the code without them.
fn uses(code: &str) -> (Vec<(bool, Module)>, String) {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let item = line.trim_start();
        let public = item.starts_with("pub");
        let Some((_, tree)) = item.split_once("use ").filter(|(before, _)| {
            before.is_empty() || (before.starts_with("pub") && (before.trim_end() == "pub" || before.contains('(')))
        }) else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            tree.push_str(lines.next().unwrap_or(";"));
        }
        let mut found = Vec::new();
        leaves(&[], tree.split(';').next().unwrap_or_default(), &mut found);
        paths.extend(found.into_iter().map(|path| (public, path)));
    }
    (paths, rest)
}

/// Paths in the midst of code, but for those that only say who may see an item.
fn paths(code: &str) -> Vec<Module> {
    let code = code.replace("pub(in crate::", "");
    let part_of_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = code.split(|c: char| !part_of_path(c));
    words.filter(|word| word.contains("::")).map(segments).filter(|path| path.len() > 1).collect()
}

struct Room<'a> {
    name: &'a str,
    uses: BTreeMap<Module, Vec<(bool, Module)>>,
}

impl Room<'_> {
    /// The module that a path leads to from another one, through re-exports; none outside the room.
    fn target(&self, from: &[String], path: &[String]) -> Option<Module> {
        let mut at = from.to_vec();
        let mut path = path.iter().peekable();
        match path.peek()?.as_str() {
            "crate" => {
                path.next();
                path.next_if(|room| *room == self.name)?;
                at.clear();
            }
            "super" => {}
            "self" => {
                path.next();
            }
            child => {
                let child = [&at[..], &[child.to_owned()]].concat();
                self.uses.contains_key(&child).then_some(())?;
            }
        }
        while path.next_if(|name| *name == "super").is_some() {
            at.pop()?;
        }
        while let Some(name) = path.peek() {
            let below = [&at[..], &[(*name).clone()]].concat();
            if !self.uses.contains_key(&below) {
                break;
            }
            (at, _) = (below, path.next());
        }
        let item = path.next().cloned();
        let exported = self.uses[&at].iter().find(|(public, export)| *public && export.last() == item.as_ref());
        match exported.filter(|_| at != from) {
            Some((_, export)) => self.target(&at, export).or(Some(at)),
            None => Some(at),
        }
    }
}

fn imports(room: &str) -> Graph {
    let modules = modules(room);
    let parsed: BTreeMap<Module, _> = modules.iter().map(|(module, code)| (module.clone(), uses(code))).collect();
    let uses = parsed.iter().map(|(module, (uses, _))| (module.clone(), uses.clone())).collect();
    let room = Room { name: room, uses };
    let mut graph = Graph::new();
    for (module, (uses, rest)) in &parsed {
        let named = |path: &Module| path.last().is_some_and(|name| rest.contains(name.as_str()));
        let direct = uses.iter().filter(|(public, path)| !public || named(path)).map(|(_, path)| path.clone());
        let targets = direct.chain(paths(rest)).filter_map(|path| room.target(module, &path));
        graph.insert(module.clone(), targets.filter(|target| target != module).collect());
    }
    graph
}

/// Calls of methods and functions that one file of the room defines and no other.
fn calls(room: &str) -> Graph {
    let modules = modules(room);
    let identifier = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut defined: BTreeMap<String, BTreeSet<&Module>> = BTreeMap::new();
    for (module, code) in &modules {
        for (at, _) in code.match_indices("fn ") {
            defined.entry(identifier(&code[at + 3..])).or_default().insert(module);
        }
    }
    let mut graph = Graph::new();
    for (module, code) in &modules {
        let called = code.match_indices(['.', ':']).map(|(at, _)| identifier(&code[at + 1..]));
        let called = called.filter(|name| code.contains(&format!("{name}(")));
        let targets = called.filter_map(|name| defined.get(&name).filter(|files| files.len() == 1)?.first().copied());
        graph.insert(module.clone(), targets.filter(|target| *target != module).cloned().collect());
    }
    graph
}

/// All that a file depends on, by however many steps.
fn reached(graph: &Graph, from: &Module) -> BTreeSet<Module> {
    let (mut seen, mut ahead) = (BTreeSet::new(), vec![from]);
    while let Some(module) = ahead.pop() {
        let new = graph.get(module).into_iter().flatten().filter(|target| seen.insert((*target).clone()));
        ahead.extend(new);
    }
    seen
}

/// The files that depend on themselves by way of others, with those of their circles that they depend on.
fn in_circles(graph: &Graph) -> Graph {
    let reach: BTreeMap<&Module, BTreeSet<Module>> =
        graph.keys().map(|module| (module, reached(graph, module))).collect();
    let circular = graph.iter().filter(|(module, _)| reach[module].contains(*module));
    circular
        .map(|(module, targets)| {
            let back = targets.iter().filter(|target| reach[target].contains(module)).cloned().collect();
            (module.clone(), back)
        })
        .collect()
}

fn shown(graph: &Graph) -> String {
    let line = |(module, targets): (&Module, &BTreeSet<Module>)| {
        let targets: Vec<String> = targets.iter().map(|target| target.join("::")).collect();
        format!("  {} -> {}", module.join("::"), targets.join(", "))
    };
    graph.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn files_of_a_room_import_each_other_one_way() {
    let listed: BTreeMap<&str, usize> = CIRCULAR.into();
    for (room, _) in MAY_IMPORT {
        let circles = in_circles(&imports(room));
        let (found, most) = (circles.len(), listed.get(room).copied().unwrap_or_default());
        assert!(found <= most, "{room}: {found} files in circles, {most} at most:\n{}", shown(&circles));
        assert!(found > 0 || most == 0, "{room} has no circles any more; take it off the list");
    }
}

#[test]
fn files_of_the_engine_call_each_other_one_way() {
    let calls = calls("engine");
    assert!(calls.values().map(BTreeSet::len).sum::<usize>() > 100, "calls are not found");
    let circles = in_circles(&calls);
    assert!(circles.is_empty(), "{}", shown(&circles));
}

#[test]
fn circles_are_found_and_ways_without_return_are_not() {
    let module = |name: &str| vec![name.to_owned()];
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in edges {
            graph.entry(module(to)).or_default();
            graph.entry(module(from)).or_default().insert(module(to));
        }
        graph
    };
    let circle = in_circles(&graph(&[("top", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("c", "ground")]));
    assert_eq!(circle.into_keys().collect::<Vec<_>>(), [module("a"), module("b"), module("c")]);
    assert!(in_circles(&graph(&[("top", "a"), ("top", "b"), ("a", "ground"), ("b", "a")])).is_empty());

    let (found, rest) =
        uses("pub use a::{B, c::{D, E as F}};\nuse super::{\n    g,\n    h::I,\n};\nfn f() { g::j(); }\n");
    let found: Vec<String> = found.iter().map(|(public, path)| format!("{public} {}", path.join("::"))).collect();
    assert_eq!(found, ["true a::B", "true a::c::D", "true a::c::E", "false super::g", "false super::h::I"]);
    assert_eq!(paths(&rest), [segments("g::j")]);
}

/// A stage or an event that is new is to be thought of everywhere.
#[test]
fn no_match_of_the_engine_is_silent_on_stages_and_events() {
    let indent = |line: &str| line.len() - line.trim_start().len();
    for (module, code) in modules("engine") {
        let lines: Vec<&str> = code.lines().collect();
        let wild = lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("_ =>"));
        for (at, line) in wild {
            let arms =
                lines[..at].iter().rev().take_while(|before| indent(before) >= indent(line) || before.is_empty());
            let what = arms
                .filter(|arm| indent(arm) == indent(line))
                .find(|arm| arm.contains("Stage::") || arm.contains("What::"));
            assert_eq!(what, None, "{}: `_ =>` hides what is new", module.join("::"));
        }
    }
}
