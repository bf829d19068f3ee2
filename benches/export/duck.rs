//! What `DuckDB` takes to write the same data from a table of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use gasera::domain::Format;

use crate::{Fallible, say};

const SCRIPT: &str = "
import duckdb, sys, time
source, folder, formats = sys.argv[1], sys.argv[2], sys.argv[3].split(',')
database = duckdb.connect(folder + '/duck.db')
database.execute(f\"CREATE TABLE t AS SELECT * FROM read_parquet('{source}')\")
database.execute('CHECKPOINT')
for format in formats:
    begun = time.perf_counter()
    database.execute(f\"COPY t TO '{folder}/duck.{format}' (FORMAT {format})\")
    print(format, time.perf_counter() - begun)
";

pub fn compare(took: &[(Format, f64, PathBuf)], folder: &Path) -> Fallible<()> {
    let Some(readers) = std::env::var_os("GASERA_READERS") else {
        return say(
            "not compared with DuckDB: tests/readers/install FOLDER installs it; then set GASERA_READERS=FOLDER",
        );
    };
    let Some((_, _, source)) = took.iter().find(|(format, ..)| *format == Format::Parquet) else { return Ok(()) };
    let both = took.iter().filter(|(format, ..)| matches!(format, Format::Csv | Format::Parquet));
    let names: Vec<&str> = both.map(|(format, ..)| format.as_str()).collect();
    let python = Path::new(&readers).join("venv/bin/python");
    let done = Command::new(python).args(["-c", SCRIPT]).arg(source).arg(folder).arg(names.join(",")).output()?;
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
    }
    for line in String::from_utf8(done.stdout)?.lines() {
        let (name, seconds) = line.split_once(' ').ok_or("DuckDB told something else")?;
        let theirs: f64 = seconds.parse()?;
        let ours =
            took.iter().find(|(format, ..)| format.as_str() == name).map_or(f64::NAN, |(_, seconds, _)| *seconds);
        say(&format!("{name:<12} DuckDB {theirs:.2} s, ours {ours:.2} s: {:.2} times as long", ours / theirs))?;
    }
    Ok(())
}
