//! Compiles the gRPC contract in `proto/` without a protoc on the machine, and lists the files of the dashboard.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use prost_types::FileDescriptorSet;

const CONTRACT: [&str; 4] =
    ["gasera/v1/gasera.proto", "gasera/v1/schedule.proto", "gasera/v1/storage.proto", "gasera/v1/archive.proto"];
const DASHBOARD: &str = "gaserad/dashboard";
/// What its page says, and what is served in place of it: nothing that is seen first waits for a second request.
const STYLE: &str = "<link rel=\"stylesheet\" href=\"/dashboard/style.css\">\n";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(CONTRACT)?;
    let descriptors = compiler.file_descriptor_set();

    let out: PathBuf = std::env::var("OUT_DIR")?.into();
    std::fs::write(out.join("calls.rs"), calls(&descriptors))?;

    // Server reflection hands these bytes to its clients.
    std::fs::write(out.join("gasera.bin"), compiler.encode_file_descriptor_set())?;

    tonic_prost_build::configure()
        .build_transport(false)
        .build_client(enabled("CLI"))
        .build_server(enabled("DAEMON"))
        .compile_fds(descriptors)?;
    list_dashboard(&out)?;
    stamp_commit();
    Ok(())
}

/// For each request its answer and its path, as Rust: a request belongs to one call.
fn calls(contract: &FileDescriptorSet) -> String {
    let mut text = String::new();
    for file in &contract.file {
        for service in &file.service {
            for call in &service.method {
                let message = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
                let (request, answer) = (message(call.input_type()), message(call.output_type()));
                let path = format!("/{}.{}/{}", file.package(), service.name(), call.name());
                text +=
                    &format!("impl Call for {request} {{ type Answer = {answer}; const PATH: &str = {path:?}; }}\n");
            }
        }
    }
    text
}

/// Names and contents of the dashboard's files, as Rust, so that a file that is added is served: as it is, and compressed.
fn list_dashboard(out: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DASHBOARD}");
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join(DASHBOARD);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_file() && !name.starts_with('.') && path.extension().is_some_and(|kind| kind != "md") {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let mut files = Vec::new();
    for name in &names {
        let mut path = folder.join(name);
        if name == "index.html" {
            let page = whole_page(&folder)?;
            path = out.join(name);
            std::fs::write(&path, page)?;
        }
        let small = out.join(format!("{name}.gz"));
        compress(&path, &small)?;
        let [path, small] = [&path, &small].map(|path| path.display().to_string());
        files.push(format!("({name:?}, include_bytes!({path:?}), include_bytes!({small:?})),"));
    }
    std::fs::write(out.join("dashboard.rs"), format!("&[\n{}\n]\n", files.join("\n")))?;
    Ok(())
}

fn compress(path: &Path, small: &Path) -> Result<(), Box<dyn Error>> {
    let mut encoder = GzEncoder::new(std::fs::File::create(small)?, Compression::best());
    encoder.write_all(&std::fs::read(path)?)?;
    encoder.finish()?;
    Ok(())
}

/// The page with its style in it, so that it is painted as soon as it has arrived.
fn whole_page(folder: &Path) -> Result<String, Box<dyn Error>> {
    let page = std::fs::read_to_string(folder.join("index.html"))?;
    let style = std::fs::read_to_string(folder.join("style.css"))?;
    if !page.contains(STYLE) {
        return Err(format!("{DASHBOARD}/index.html has no line {STYLE:?} to put the style in the place of").into());
    }
    Ok(page.replace(STYLE, &format!("<style>{style}</style>\n")))
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
