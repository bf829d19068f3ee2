//! Arguments, settings, the daemon, an exit code; nothing else.

mod args;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use gasera::config::{self, Overrides};
use gasera::daemon::access::{self, Material};
use gasera::daemon::{self, Daemon, DaemonFailure, Surroundings, demo};
use gasera::domain::{Clock, Tick};
use gasera::runtime::clock::HostClock;
use gasera::simulator::{self, SimulatorOptions};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::fmt::Formatter;
use tracing_subscriber::fmt::format::{DefaultFields, Format};
use tracing_subscriber::{EnvFilter, reload};

use args::{DaemonArgs, DaemonCommand, SimulatorArgs};

fn main() -> ExitCode {
    let args = match DaemonArgs::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are asked for; everything else is a mistake in the arguments.
            let code = if error.use_stderr() { ExitCode::from(DaemonFailure::USAGE) } else { ExitCode::SUCCESS };
            // A closed stdout or stderr leaves nobody to tell.
            let _ = error.print();
            return code;
        }
    };
    let log = log_to_stderr(&args);
    match run(args, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let sentence = failure.sentence();
            // Several mistakes stand each on its own line, with file, line and column for editors to find.
            let name = if sentence.contains('\n') { "" } else { "gaserad: " };
            say(io::stderr(), &format!("{name}{sentence}"));
            failure.code()
        }
    }
}

fn run(args: DaemonArgs, log: Log) -> Result<(), DaemonFailure> {
    let overrides = args.overrides();
    match &args.command {
        Some(DaemonCommand::CheckConfig { file }) => {
            let file = file.as_deref().or(args.config.as_deref());
            let settings = config::load(file, &overrides)?;
            settings.warnings.iter().for_each(|warning| say(io::stderr(), &format!("warning: {warning}")));
            let unreadable = Material::read(&settings)?.unreadable;
            for text in unreadable {
                say(io::stderr(), &format!("warning: not checked: {text}"));
            }
            say(io::stdout(), "the configuration is valid");
            return Ok(());
        }
        Some(DaemonCommand::PrintConfig) => {
            let settings = config::load(args.config.as_deref(), &overrides)?;
            say(io::stdout(), config::print_config(&settings).trim_end());
            return Ok(());
        }
        Some(DaemonCommand::NewToken { role, name, file }) => {
            let (token, line) = access::new_token(*role, name, file.as_deref())?;
            say(io::stdout(), &token);
            if let Some(line) = line {
                say(io::stderr(), &line);
            }
            return Ok(());
        }
        Some(DaemonCommand::Simulator(_)) | None => {}
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(anyhow::Error::from)?;
    runtime.block_on(async {
        match args.command {
            Some(DaemonCommand::Simulator(simulator)) => simulate(simulator, args.time_scale.unwrap_or(1.0)).await,
            _ if args.demo => demo::run(&overrides, args.time_scale, &mut io::stdout()).await,
            _ => serve(surroundings(args.config.as_deref(), overrides, log), args.time_scale.unwrap_or(1.0)).await,
        }
    })
}

/// The same file is read again at each reload, also if it is the default one and has vanished.
fn surroundings(file: Option<&Path>, overrides: Overrides, log: Log) -> Surroundings {
    let file = config::locate(file);
    let read = move || config::load(file.as_deref(), &overrides);
    let log = move |level: &str| {
        // It fails only where nothing is logged any more.
        let _ = log.reload(filter(level));
    };
    Surroundings { read: Arc::new(read), log: Arc::new(log) }
}

async fn serve(surroundings: Surroundings, scale: f64) -> Result<(), DaemonFailure> {
    let daemon = Daemon::start(surroundings, scale).await?;
    daemon.names.iter().for_each(|name| say(io::stdout(), &format!("listening on {name}")));
    daemon::sd_notify_best_effort(&[sd_notify::NotifyState::Ready]);
    daemon.until_stopped().await
}

async fn simulate(args: SimulatorArgs, scale: f64) -> Result<(), DaemonFailure> {
    let clock: Arc<dyn Clock> = Arc::new(HostClock::new(Tick::ZERO, None, scale));
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        // Without signals it runs until it is killed.
        let _ = daemon::asked_to_stop().await;
        stop.cancel();
    });
    let options = SimulatorOptions::try_from(args)?;
    simulator::run(options, clock, cancel, |ready| {
        say(io::stdout(), &format!("AK on {}", ready.ak));
        if let Some(link) = &ready.vici {
            say(io::stdout(), &format!("VICI valve on {}", link.display()));
        }
        if let Some(place) = &ready.modbus {
            say(io::stdout(), &format!("Modbus relays on {place}"));
        }
    })
    .await?;
    Ok(())
}

fn say(mut to: impl Write, line: &str) {
    // Nobody listens any more: there is nobody to tell.
    let _ = writeln!(to, "{line}").and_then(|()| to.flush());
}

/// What the log's level can be changed by.
type Log = reload::Handle<EnvFilter, Formatter<DefaultFields, Format, fn() -> io::Stderr>>;

fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_new(level).unwrap_or_else(|_| "info".into())
}

fn log_to_stderr(args: &DaemonArgs) -> Log {
    let quiet = args.demo || args.command.is_some();
    let level = args.log_level.clone().unwrap_or_else(|| if quiet { "error" } else { "info" }.into());
    let subscriber = tracing_subscriber::fmt()
        .with_writer(io::stderr as fn() -> io::Stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_env_filter(filter(&level))
        .with_filter_reloading();
    let handle = subscriber.reload_handle();
    subscriber.init();
    handle
}
