//! What `DuckDB` takes to write the same data from a table of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use gasera::domain::Format;

use crate::{Fallible, Took, say};

const SCRIPT: &str = "
import duckdb, sys, time
source, folder, formats = sys.argv[1], sys.argv[2], sys.argv[3].split(',')
database = duckdb.connect(folder + '/duck.db')
database.execute('SET enable_progress_bar = false')
database.execute(f\"CREATE TABLE t AS SELECT * FROM read_parquet('{source}')\")
database.execute('CHECKPOINT')
for format in formats:
    begun, worked = time.perf_counter(), time.process_time()
    database.execute(f\"COPY t TO '{folder}/duck.{format}' (FORMAT {format})\")
    print(format, time.perf_counter() - begun, time.process_time() - worked)
";

pub fn compare(took: &[(Format, Took, PathBuf)], folder: &Path) -> Fallible<()> {
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
        let [name, wall, cpu] = line.split(' ').collect::<Vec<_>>()[..] else { continue };
        let Some((_, ours, _)) = took.iter().find(|(format, ..)| format.as_str() == name) else { continue };
        let (wall, cpu): (f64, f64) = (wall.parse()?, cpu.parse()?);
        let (longer, more) = (ours.seconds / wall, ours.processor / cpu);
        say(&format!(
            "{name:<12} DuckDB {wall:.2} s, {cpu:.2} s of processor; ours {longer:.2} times as long, {more:.2} times the processor"
        ))?;
    }
    Ok(())
}
