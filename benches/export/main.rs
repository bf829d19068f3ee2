//! How fast runs are exported, how much memory that takes, and how fast `DuckDB` writes the same data.
//!
//! `cargo bench --bench export -- [--records N | --full] [--state-dir DIR] [--formats csv,parquet,…]`
//!
//! A store of N records of five gases (a million; with `--full` ten) is made by SQL through the store's own tables, and is
//! left there if the directory is named. With `GASERA_READERS=FOLDER` (`tests/readers/install FOLDER`) `DuckDB` reads what
//! was exported into a table of its own and writes it with COPY, before the same disk and on the same processors.

mod duck;
mod made;
mod memory;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gasera::domain::{Format, RunId, Wanted};
use gasera::export::ExportJob;
use gasera::store::{ChannelLabels, Store};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::mpsc;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

struct Options {
    records: u32,
    directory: Option<PathBuf>,
    formats: Vec<Format>,
}

fn options() -> Fallible<Options> {
    let mut options =
        Options { records: 1_000_000, directory: None, formats: vec![Format::Csv, Format::Parquet, Format::Netcdf] };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} wants a value"));
        match arg.as_str() {
            "--full" => options.records = 10_000_000,
            "--records" => options.records = value()?.parse()?,
            "--state-dir" => options.directory = Some(value()?.into()),
            "--formats" => {
                options.formats = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?;
            }
            // Cargo says this of every benchmark.
            "--bench" => {}
            other => return Err(format!("{other} is not known; see the head of benches/export/main.rs").into()),
        }
    }
    Ok(options)
}

fn main() -> Fallible<()> {
    let options = options()?;
    let temporary = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let directory = options.directory.clone().unwrap_or_else(|| temporary.path().join("state"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let run = runtime.block_on(made::store(&directory, options.records))?;
    let store = runtime.block_on(async { Store::open(&directory, ChannelLabels::new()) })?.0;
    say(&format!(
        "{:<12} {:>12} {:>10} {:>9} {:>11} {:>10}",
        "export", "records/s", "MB/s", "seconds", "processor s", "peak RSS"
    ))?;
    let mut took = Vec::new();
    for format in options.formats {
        let path = temporary.path().join(format!("export.{}", format.extension()));
        took.push((format, runtime.block_on(export(&store, &run, format, &path))?, path));
    }
    runtime.block_on(store.close());
    duck::compare(&took, temporary.path())
}

fn say(line: &str) -> Fallible<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

#[expect(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn now() -> Instant {
    Instant::now()
}

/// What an export took.
struct Took {
    seconds: f64,
    processor: f64,
}

/// Of all threads of this process.
fn processor() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.try_into().unwrap_or(0), spent.tv_nsec.try_into().unwrap_or(0))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
async fn export(store: &Store, run: &RunId, format: Format, path: &Path) -> Fallible<Took> {
    let sheet = store.sheet(run).await?;
    let records = sheet.last_record;
    memory::forget_the_peak();
    let (begun, worked) = (now(), processor());
    let job = ExportJob::new(Wanted::of(format), vec![sheet])?;
    let (pieces, mut made) = mpsc::channel(1);
    let exporting = {
        let store = store.clone();
        tokio::spawn(async move { store.export_as(job, pieces).await })
    };
    let mut file = File::create(path)?;
    let mut bytes = 0;
    while let Some(piece) = made.recv().await {
        let piece = piece?;
        bytes += piece.bytes.len();
        file.write_all(&piece.bytes)?;
    }
    exporting.await?;
    let (seconds, processor) = (begun.elapsed().as_secs_f64(), processor().saturating_sub(worked).as_secs_f64());
    let peak = memory::peak_mb();
    let (rate, volume) = (f64::from(records) / seconds, bytes as f64 / 1e6 / seconds);
    say(&format!("{:<12} {rate:>12.0} {volume:>10.0} {seconds:>9.2} {processor:>11.2} {peak:>7} MB", format.as_str()))?;
    Ok(Took { seconds, processor })
}
