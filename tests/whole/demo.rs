//! What a newcomer types first.

use std::fs;
use std::path::Path;

use super::lab::gaserad;
use super::verdict::{is_good, rows};
use crate::support::processes::Process;

#[test]
fn the_demonstration_measures_and_says_where_its_data_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = gaserad(&["--demo", "--time-scale", "600"]);
    let done = Process::start(command.env("TMPDIR", folder.path())).wait();
    assert_eq!(done.exit, 0, "{done:?}");
    assert_eq!(done.stderr, "");
    let path = done.stdout.lines().find_map(|line| line.strip_prefix("The data:  ")).expect(&done.stdout);
    assert!(Path::new(path).starts_with(folder.path()), "{path}");
    assert!(rows(&fs::read_to_string(path).unwrap()).iter().any(is_good), "{path}");
    assert!(done.stdout.contains("What to type next:") && done.stdout.contains("gaseractl start"), "{done:?}");
}
