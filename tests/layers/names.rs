//! A type name stands once in the whole tree.

use std::collections::BTreeMap;
use std::path::Path;

use super::{code, root, sources};

/// So many names are still those of two types or more. The number is to become 0, and does not grow.
const REPEATED: usize = 23;

/// The names of the types that a file defines, without its tests.
fn defined(path: &Path) -> Vec<String> {
    let code = code(path);
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let name = |line: &str| {
        let rest = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) "));
        let rest = rest.or_else(|| line.strip_prefix("pub ")).unwrap_or(line);
        let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
        let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
        Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
    };
    code.lines().filter_map(name).collect()
}

#[test]
fn type_names_stand_once() {
    let is_test = |path: &Path| path.iter().any(|part| part == "tests" || part == "tests.rs");
    let files = ["gaserad", "gaseractl"].iter().flat_map(|top| sources(&root().join(top)));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files.filter(|file| !is_test(file.strip_prefix(root()).unwrap())) {
        for name in defined(&file) {
            found.entry(name).or_default().push(file.strip_prefix(root()).unwrap().display().to_string());
        }
    }
    assert!(found.len() > 500, "only {} types were found", found.len());
    found.retain(|_, files| files.len() > 1);
    let shown: Vec<String> = found.iter().map(|(name, files)| format!("{name}: {}", files.join(", "))).collect();
    let most = format!("{} names are used twice, {REPEATED} at most:\n{}", found.len(), shown.join("\n"));
    assert!(found.len() <= REPEATED, "{most}");
    assert!(found.len() == REPEATED, "take the smaller number into the test: {most}");
}
