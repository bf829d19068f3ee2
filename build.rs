//! Compiles the gRPC contract in `proto/` without a protoc on the machine.

use std::error::Error;
use std::path::{Path, PathBuf};

const CONTRACT: [&str; 2] = ["gasera/v1/gasera.proto", "gasera/v1/schedule.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(CONTRACT)?;
    let descriptors = compiler.file_descriptor_set();

    // Server reflection hands these bytes to its clients.
    let out: PathBuf = std::env::var("OUT_DIR")?.into();
    std::fs::write(out.join("gasera.bin"), compiler.encode_file_descriptor_set())?;

    tonic_prost_build::configure()
        .build_transport(false)
        .build_client(enabled("CLI"))
        .build_server(enabled("DAEMON"))
        .compile_fds(descriptors)?;
    stamp_commit();
    Ok(())
}

fn enabled(feature: &str) -> bool {
    std::env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
}

/// `GASERA_COMMIT` is the commit the binaries were built from, or empty outside a checkout.
fn stamp_commit() {
    if Path::new(".git/HEAD").exists() {
        println!("cargo::rerun-if-changed=.git/HEAD");
    }
    let commit = std::process::Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default();
    println!("cargo::rustc-env=GASERA_COMMIT={commit}");
}
