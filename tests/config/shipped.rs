//! What is installed with the daemon: the configuration, the unit, the user.

use std::process::Command;

use gasera::config::{Choice, ModbusLink};
use gasera::domain::{Background, Cas, ChannelKind};

use super::*;

#[test]
fn the_shipped_file_is_valid_and_says_the_defaults() {
    let settings = read(&shipped("gaserad.toml")).unwrap();
    // What has no default names a device that is not there before somebody says which one is.
    let vici = settings.vici.clone().unwrap();
    assert!(vici.port.ends_with("NAME-OF-THE-ADAPTER"), "{vici:?}");
    let named = format!("[multiplexer]\ndriver = \"vici\"\n[multiplexer.vici]\nport = {:?}\n", vici.port);
    assert_eq!(values(settings.clone()), values(read_as_it_is(&named).unwrap()));
    assert_eq!(settings.warnings, Vec::<String>::new());
    let unsaid: Vec<_> = settings.origins.iter().filter(|(_, origin)| **origin == Origin::Default).collect();
    let without_default = |path: &str| {
        path.starts_with("plan.background")
            || path.starts_with("guard.")
            || path.starts_with("site.")
            || path == "plan.directory"
            || path.starts_with("store.mirror.")
            || ["store.retention.keep", "store.retention.max_size"].contains(&path)
            || ["listen.tls_cert", "listen.tls_key", "auth.tokens", "auth.operators", "auth.viewers"].contains(&path)
            || path.starts_with("multiplexer.") && path.matches('.').count() == 2
    };
    assert!(unsaid.iter().all(|(path, _)| without_default(path)), "{unsaid:?}");
}

#[test]
fn what_the_shipped_file_leaves_commented_out_is_valid_too() {
    let settings = uncommented("vici");
    let first = &settings.channels[&Channel::HOME];
    assert_eq!((first.info.label.as_str(), first.info.kind), ("barn north", ChannelKind::Sample));
    assert_eq!(
        (first.info.area_m2, first.info.lat, first.info.note.as_str()),
        (Some(0.25), Some(52.4), "moved in March")
    );
    assert_eq!((first.times.purge, first.times.iterations), (Some(Duration::from_secs(600)), Some(3)));
    assert_eq!(settings.plan_directories(), [PathBuf::from("/etc/gaserad/plans")]);
    assert_eq!(settings.vici.as_ref().unwrap().address.as_deref(), Some("3"));
    assert_eq!(uncommented("gpio").gpio.unwrap().units().len(), 2);
    assert_eq!(uncommented("modbus").modbus.unwrap().link(), ModbusLink::Tcp("192.168.0.7:502".into()));
    assert_eq!(settings.plan.background(), Some(Background { channel: Channel::new(31).unwrap(), every: 4 }));
    assert_eq!(settings.auth.tokens, Some(config::Secret::File("/etc/gaserad/tokens".into())));
    assert!(settings.listen.tls().is_some() && settings.auth.operators.is_some() && settings.auth.viewers.is_some());
    assert_eq!(settings.mirror.unwrap().directory, Path::new("/media/usb0/gasera"));
    assert_eq!(settings.retention.max_size, Some(20_000_000_000));
    assert_eq!(settings.guard.unwrap().command.len(), 3);
    assert_eq!(settings.gases[&Cas("7664-41-7".into())].times.discard_first, 2);
    let benzene = settings.gases.get(&Cas("71-43-2".into())).map(|gas| gas.facts.formula.clone());
    assert_eq!(benzene, Some(Some("C6H6".into())));
    let span = &settings.channels[&Channel::new(12).unwrap()];
    assert_eq!(span.info.reference[&Cas("124-38-9".into())], 400.0);
    assert_eq!((settings.site.name.as_str(), settings.site.altitude_m), ("Barn 4", Some(80.0)));
}

/// All that the shipped file leaves commented out, with this driver and without the sections of the others.
fn uncommented(driver: &str) -> Settings {
    let plain = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned();
    let text: Vec<String> = shipped("gaserad.toml").lines().map(plain).collect();
    let mut kept = String::new();
    let mut skips = false;
    for line in text {
        if line.starts_with('[') {
            let other = line.strip_prefix("[multiplexer.").and_then(|rest| rest.strip_suffix(']'));
            skips = other.is_some_and(|other| other != driver);
        }
        if !skips {
            kept += &format!("{line}\n");
        }
    }
    read_as_it_is(&kept.replace("driver = \"vici\"", &format!("driver = {driver:?}"))).unwrap()
}

#[test]
fn each_configuration_that_the_readme_shows_is_valid_and_drives_what_it_says() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let shown: Vec<&str> =
        readme.split("```toml\n").skip(1).map(|rest| rest.split_once("```").expect("an end").0).collect();
    let mut drivers = Vec::new();
    for text in shown {
        let settings = read(text).unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"));
        assert_eq!(settings.warnings, Vec::<String>::new(), "{text}");
        drivers.push(settings.driver().word());
    }
    assert!(["vici", "gpio", "modbus"].iter().all(|driver| drivers.contains(driver)), "{drivers:?}");
}

#[test]
fn the_unit_and_the_user_fit_together() {
    let (unit, users) = (shipped("gaserad.service"), shipped("gaserad.sysusers"));
    for line in [
        "Type=notify",
        "User=gaserad",
        "StateDirectory=gaserad",
        "RestartPreventExitStatus=64 78",
        "ExecReload=/bin/kill -HUP $MAINPID",
    ] {
        assert!(unit.lines().any(|found| found == line), "{line}");
    }
    assert!(users.lines().any(|line| line.starts_with("u gaserad ")));
}

#[test]
fn systemd_finds_the_unit_well_confined() {
    let version =
        Command::new("systemd-analyze").arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version).split_whitespace().nth(1).and_then(|word| word.parse::<u32>().ok());
    // Older ones cannot judge a unit that is not installed, and not every machine has one.
    if version.is_none_or(|version| version < 252) {
        return;
    }
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/gaserad.service");
    let verdict = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=20", "--no-pager"])
        .arg(unit)
        .output()
        .unwrap();
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stdout));
}
