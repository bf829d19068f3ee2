//! Plans as files on this side: which are meant, and what is in them. What they mean is up to the daemon.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use gasera::proto::PlanFile;

use crate::failure::{Exit, Failure};

/// A longer file is not a plan.
const LARGEST: u64 = 1 << 20;
pub const STDIN: &str = "-";

/// A file, stdin, or the name of a plan that the daemon keeps.
pub fn named(plan: &str) -> Result<PlanFile, Failure> {
    let ends = Path::new(plan).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    if plan == STDIN || plan.contains('/') || ends {
        return file(Path::new(plan));
    }
    Ok(PlanFile { name: plan.to_owned(), toml: None })
}

/// A file, or stdin.
pub fn file(path: &Path) -> Result<PlanFile, Failure> {
    let (name, bytes) = if path == Path::new(STDIN) {
        ("stdin".to_owned(), bytes(io::stdin().lock()))
    } else {
        (path.display().to_string(), File::open(path).and_then(bytes))
    };
    let bytes = bytes.map_err(|error| unreadable(&name, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        Failure::new(Exit::USAGE, format!("{name}:{line}:{column}: this is not UTF-8 text"))
    })?;
    Ok(PlanFile { name, toml: Some(text) })
}

fn bytes(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it has more than 1 MiB, which no plan has"));
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Failure {
    let exit = if error.kind() == ErrorKind::NotFound { Exit::NOT_FOUND } else { Exit::FAILURE };
    Failure::new(exit, format!("cannot read the plan {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_file_and_a_word_is_a_name() {
        assert_eq!(named("weekly").unwrap(), PlanFile { name: "weekly".into(), toml: None });
        assert_eq!(named("v1.2").unwrap().toml, None);
        for path in ["/nonexistent/weekly", "./nonexistent", "nonexistent.toml", "nonexistent.TOML"] {
            assert_eq!(named(path).unwrap_err().exit, Exit::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn what_is_no_text_is_told_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        std::fs::write(&path, b"repeats = 1\nlabel = \"S\xFCd\"\n").unwrap();
        let failure = file(&path).unwrap_err();
        assert!(failure.text.ends_with("a.toml:2:11: this is not UTF-8 text"), "{failure}");
        assert_eq!(failure.exit, Exit::USAGE);
        assert!(file(folder.path()).is_err());
    }
}
