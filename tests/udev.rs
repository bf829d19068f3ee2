//! The udev rules that are shipped, as far as they can be judged without a device.

use std::path::PathBuf;
use std::process::Command;

fn rules() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("systemd/60-gaserad-serial.rules")
}

/// The lines in force and those that are left commented out for people to fill in, each split into its parts.
fn lines() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(rules()).unwrap();
    let in_force =
        text.lines().map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line));
    in_force
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split(',').map(|part| part.trim().to_owned()).collect())
        .collect()
}

#[test]
fn every_part_of_a_rule_is_a_key_an_operator_and_a_value_in_quotes() {
    let lines = lines();
    assert!(lines.len() > 8, "{lines:?}");
    for part in lines.iter().flatten() {
        let (left, right) = part.split_once('=').unwrap_or_else(|| panic!("{part}"));
        let value = right.strip_prefix('=').unwrap_or(right);
        let quoted = value.len() > 2 && value.starts_with('"') && value.ends_with('"');
        assert!(quoted && value.matches('"').count() == 2, "{part}");
        let key = left.trim_end_matches(['!', '+']);
        let (name, attribute) = key.split_once('{').map_or((key, "x}"), |(name, attribute)| (name, attribute));
        assert!(name.chars().all(|letter| letter.is_ascii_uppercase()) && attribute.ends_with('}'), "{part}");
    }
}

#[test]
fn every_jump_leads_forward_to_a_label() {
    let parts: Vec<String> = lines().concat();
    let labels: Vec<usize> = (0..parts.len()).filter(|at| parts[*at].starts_with("LABEL=")).collect();
    for (at, part) in parts.iter().enumerate() {
        if let Some(target) = part.strip_prefix("GOTO=") {
            let found = labels.iter().find(|label| parts[**label] == format!("LABEL={target}"));
            assert!(found.is_some_and(|label| *label > at), "{part}");
        }
    }
}

#[test]
fn a_port_gets_its_group_a_unit_and_no_modem_manager() {
    let parts: Vec<String> = lines().concat();
    let unit = std::fs::read_to_string(rules().with_file_name("gaserad.service")).unwrap();
    assert!(unit.contains("SupplementaryGroups=dialout"));
    for wanted in ["GROUP=\"dialout\"", "TAG+=\"systemd\"", "ENV{ID_MM_DEVICE_IGNORE}=\"1\"", "SYMLINK+=\"vici0\""] {
        assert!(parts.iter().any(|part| part == wanted), "{wanted}");
    }
}

#[test]
fn udev_itself_finds_no_mistake() {
    let knows = Command::new("udevadm").args(["verify", "--help"]).output();
    // Older ones cannot judge a file, and not every machine has one.
    if !knows.is_ok_and(|output| output.status.success()) {
        return;
    }
    let verdict = Command::new("udevadm").args(["verify", "--resolve-names=never"]).arg(rules()).output().unwrap();
    assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stderr));
}
