//! The bugs of `tests/mutants/` can still be planted. Whether each is caught is for `tests/mutants/run`, which builds
//! everything anew for every one of them and is not part of this.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn patches() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("tests/mutants")).unwrap();
    let mut patches: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.sort();
    assert!(patches.len() >= 12, "only {} bugs are kept", patches.len());
    patches
}

/// Why git cannot be asked about these sources, if it cannot. In a folder of another repository it would leave out, without
/// a word, whatever lies elsewhere.
fn without_git() -> Option<String> {
    match Command::new("git").current_dir(root()).args(["rev-parse", "--show-prefix"]).output() {
        Err(error) => Some(format!("git cannot be run: {error}")),
        Ok(told) if !told.status.success() => Some("these sources are not in a git repository".into()),
        Ok(told) if !told.stdout.trim_ascii().is_empty() => {
            Some("these sources are a part of another repository".into())
        }
        Ok(_) => None,
    }
}

#[test]
fn every_planted_bug_still_applies_to_the_sources() {
    if let Some(why) = without_git() {
        eprintln!("skipped: {why}");
        return;
    }
    for patch in patches() {
        let checked =
            Command::new("git").current_dir(root()).args(["apply", "--check", "-C1"]).arg(&patch).output().unwrap();
        let error = String::from_utf8_lossy(&checked.stderr);
        assert!(
            checked.status.success(),
            "{} does not apply any more; plant the bug where it belongs now: {error}",
            patch.display()
        );
    }
}

#[test]
fn every_planted_bug_says_what_is_wrong_and_which_tests_are_to_notice() {
    for patch in patches() {
        let text = std::fs::read_to_string(&patch).unwrap();
        let mut lines = text.lines();
        let wrong = lines.next().and_then(|line| line.strip_prefix("Wrong: "));
        assert!(wrong.is_some_and(|wrong| wrong.len() > 20), "{}", patch.display());
        let tests = lines.next().and_then(|line| line.strip_prefix("Tests: "));
        let filters =
            tests.and_then(|tests| tests.strip_prefix("--lib -- ").or(tests.strip_prefix("--test tests -- ")));
        assert!(filters.is_some_and(|filters| filters.contains("::")), "{}", patch.display());
    }
}
