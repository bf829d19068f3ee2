//! The systemd unit that is shipped.

use super::*;

#[test]
fn the_unit_and_the_user_fit_together() {
    let (unit, users) = (shipped("gaserad.service"), shipped("gaserad.sysusers"));
    for line in ["Type=notify", "User=gaserad", "StateDirectory=gaserad", "RestartPreventExitStatus=64 78"] {
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
