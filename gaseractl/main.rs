//! gaseractl starts, controls and watches measurements of gaserad: arguments in, one command, an exit code out.

mod args;
mod client;
mod command;
mod complete;
mod contexts;
mod endpoint;
mod failure;
mod new_file;
mod output;
mod planfile;
mod purge;
mod stream;
mod suggest;
mod terminal;
mod tls;
mod token;
mod view;
mod web;

use std::process::ExitCode;

use args::Args;
use failure::{Exit, Failure};
use output::Output;

fn main() -> ExitCode {
    let args = match Args::read() {
        Ok(args) => args,
        Err(usage) => return output::usage(&usage).into(),
    };
    let output = Output::new(&args.global);
    match execute(args, output) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output::failure(&failure);
            failure.exit.into()
        }
    }
}

fn execute(args: Args, output: Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::FAILURE, format!("cannot set up networking: {error}")))?;
    let result = runtime.block_on(command::execute(args, output));
    // A name look-up that still hangs must not keep the process.
    runtime.shutdown_background();
    result
}
