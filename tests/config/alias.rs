//! Configurations of earlier versions: what was renamed is read, with a warning.

use gasera::domain::{Reaction, Reactions};

use super::*;

const RELEASED: &str = include_str!("released/0.1.0.toml");
/// What `gaserad print-config` of that version made of it.
const PRINTED: &str = include_str!("released/0.1.0-printed.toml");

#[test]
fn file_of_an_earlier_version_gives_the_settings_it_gave_then() {
    let settings = read_as_it_is(RELEASED).unwrap();
    let plain = |settings: Settings| Settings { warnings: Vec::new(), ..values(settings) };
    assert_eq!(plain(read_as_it_is(PRINTED).unwrap()), plain(settings.clone()));
    let renamed = RELEASED.replace("\npause = ", "\npurge = ").replace("[suspend]", "[pause]");
    let renamed = renamed.replace("\"suspend\"", "\"pause\"");
    assert_eq!(values(read_as_it_is(&renamed).unwrap()), plain(settings.clone()));
    assert_eq!(settings.plan.purge, Duration::from_secs(240));
    assert_eq!(settings.channels[&Channel::HOME].times.purge, Some(Duration::from_secs(600)));
    let pause = Reactions { analyzer_errors: Reaction::Pause, ..Reactions::default() };
    assert_eq!(settings.pause, pause);
    // Line by line, as that version had printed it; keys that came later are not in there.
    let now = config::print_config(&settings).replace("purge = ", "pause = ").replace("[pause]", "[suspend]");
    let now = now.replace("\"pause\"", "\"suspend\"");
    let value = |line: &str| line.split(" # ").next().unwrap().trim().to_owned();
    let now: Vec<String> = now.lines().map(value).collect();
    for line in PRINTED.lines().map(value).filter(|line| !line.ends_with("= \"\"")) {
        assert!(now.contains(&line), "{line}");
    }
}

#[test]
fn old_name_is_read_with_a_warning_that_has_the_new_one() {
    let warnings = read_as_it_is(RELEASED).unwrap().warnings;
    let places = |name: &str| {
        let line = RELEASED.lines().position(|line| line.starts_with(name)).unwrap();
        format!("gaserad.toml:{}:", line + 1)
    };
    for (name, says) in [
        ("pause = \"4m\"", "1: pause is called purge now; the old name is still read"),
        ("pause = \"10m\"", "1: pause is called purge now; the old name is still read"),
        ("[suspend]", "2: [suspend] is called [pause] now; the old name is still read"),
        ("analyzer_errors", "19: analyzer_errors = \"suspend\" is written \"pause\" now; the old word is still read"),
    ] {
        let warning = format!("{}{says}", places(name));
        assert!(warnings.contains(&warning), "{warning} in {warnings:#?}");
    }
    assert_eq!(warnings.len(), 4, "{warnings:#?}");
    let origin = read_as_it_is(RELEASED).unwrap().origins["plan.purge"].to_string();
    assert!(origin.ends_with("of gaserad.toml"), "{origin}");
}

#[test]
fn old_and_new_name_together_are_a_mistake_with_both_places() {
    let text = "[plan]\npause = \"1m\"\nmeasure = \"5m\"\npurge = \"2m\"\n[suspend]\ndisk = \"go_on\"\n[pause]\n";
    assert_eq!(
        mistakes(text),
        [
            "gaserad.toml:2:1: pause is the older name of purge, which stands at 4:1; leave one out",
            "gaserad.toml:5:2: [suspend] is the older name of [pause], which stands at 7:2; leave one out",
        ]
    );
}

#[test]
fn mistake_under_an_old_name_has_its_place() {
    assert_eq!(
        mistakes("[plan]\npause = 5\n[suspend]\ndisc = \"go_on\"\nclock = \"wait\"\n"),
        [
            "gaserad.toml:2:9: pause is a number; write a duration as text, like \"30s\" or \"5m\"",
            "gaserad.toml:4:1: disc is not a key of [pause]; did you mean disk?",
            "gaserad.toml:5:9: clock is \"wait\"; it can be \"go_on\", \"pause\"",
        ]
    );
}
