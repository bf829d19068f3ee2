//! Where plans are kept by name: `NAME.toml` in one of a few directories.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// A longer file is not a plan.
const LARGEST: u64 = 1 << 20;
const ENDING: &str = ".toml";

/// A plan as it lies there, not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPlan {
    pub name: String,
    pub path: PathBuf,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error("{0:?} is not the name of a plan; a name has letters, digits, dots, dashes and underscores")]
    Name(String),
    #[error("there is no plan {name:?}; {}", places(.directories))]
    NotFound { name: String, directories: Vec<PathBuf> },
    #[error("the plan {} cannot be read: {error}", .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
}

fn places(directories: &[PathBuf]) -> String {
    let names: Vec<String> = directories.iter().map(|directory| directory.display().to_string()).collect();
    format!("plans are kept as NAME.toml in {}", names.join(" or "))
}

/// The plan of that name in the first directory that has it.
pub fn find_plan(directories: &[PathBuf], name: &str) -> Result<KeptPlan, ShelfError> {
    if !is_name(name) {
        return Err(ShelfError::Name(name.to_owned()));
    }
    for directory in directories {
        let path = directory.join(format!("{name}{ENDING}"));
        match read(&path) {
            Ok(text) => return Ok(KeptPlan { name: name.to_owned(), path, text }),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(ShelfError::Unreadable { path, error }),
        }
    }
    Err(ShelfError::NotFound { name: name.to_owned(), directories: directories.to_vec() })
}

/// All plans by their names; one that cannot be read does not hide the others.
pub fn list_plans(directories: &[PathBuf]) -> Result<Vec<Result<KeptPlan, ShelfError>>, ShelfError> {
    let mut plans = BTreeMap::new();
    for directory in directories {
        for name in names(directory).map_err(|error| ShelfError::Unreadable { path: directory.clone(), error })? {
            plans.entry(name.clone()).or_insert_with(|| find_plan(directories, &name));
        }
    }
    Ok(plans.into_values().collect())
}

fn names(directory: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry?.file_name();
        let name = file.to_str().and_then(|file| file.strip_suffix(ENDING)).filter(|name| is_name(name));
        names.extend(name.map(ToOwned::to_owned));
    }
    Ok(names)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A name leads to no other directory.
fn is_name(name: &str) -> bool {
    let fine = |c: char| c.is_alphanumeric() || "._-".contains(c);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(fine)
}

fn read(path: &Path) -> io::Result<String> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > LARGEST {
        return Err(io::Error::other("it is not a file of at most 1 MiB"));
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_found_by_its_name_in_the_first_directory_that_has_it() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let directories = [first.path().to_owned(), PathBuf::from("/nonexistent"), second.path().to_owned()];
        fs::write(first.path().join("weekly.toml"), "repeats = 1").unwrap();
        fs::write(second.path().join("weekly.toml"), "repeats = 2").unwrap();
        fs::write(second.path().join("barn north.toml"), "").unwrap();
        fs::write(second.path().join("v1.2.toml"), "").unwrap();
        fs::create_dir(second.path().join("folder.toml")).unwrap();
        assert_eq!(find_plan(&directories, "weekly").unwrap().text, "repeats = 1");
        let listed = list_plans(&directories).unwrap();
        let names: Vec<_> = listed.iter().filter_map(|plan| plan.as_ref().ok()).map(|plan| &plan.name).collect();
        assert_eq!(names, ["v1.2", "weekly"]);
        assert_eq!(listed.len(), 3, "the one that cannot be read is told too");
        let missing = find_plan(&directories, "daily").unwrap_err().to_string();
        assert!(missing.starts_with("there is no plan \"daily\"; plans are kept as NAME.toml in "), "{missing}");
        for name in ["", "../weekly", ".weekly", "a/b", "barn north", "a\0b"] {
            assert!(matches!(find_plan(&directories, name), Err(ShelfError::Name(_))), "{name:?}");
        }
    }
}
