//! Plans in files: every mistake at once with its place, and what is written is what is asked.

use std::collections::BTreeMap;

use gasera::domain::{BackgroundRequest, Cas, ChannelPlan, Plan, PlanDraft, PlanRequest};

use super::*;

fn asked(text: &str) -> Result<PlanRequest, ConfigError> {
    config::parse_plan(text, "a.toml", &PlanDraft { channel_count: 16, ..PlanDraft::default() })
}

fn wrong(text: &str) -> Vec<String> {
    asked(text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where there may be none")]
fn seconds(seconds: u64) -> Option<Duration> {
    Some(Duration::from_secs(seconds))
}

#[test]
fn an_empty_file_asks_for_nothing() {
    assert_eq!(asked("").unwrap(), PlanRequest::default());
}

#[test]
fn every_key_of_the_example_is_read_and_it_is_a_plan() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan.toml")).unwrap();
    let defaults = PlanDraft::default();
    let request = config::parse_plan(&text, "plan.toml", &defaults).unwrap();
    let channel = |number| Channel::new(number).unwrap();
    let expected = PlanRequest {
        channels: Some("1-8".into()),
        repeats: Some(12),
        purge: seconds(300),
        measure: seconds(600),
        iterations: Some(3),
        task: Some("DEFAULT".into()),
        sync: Some(Sync::Analyzer),
        save_on_device: Some(false),
        label: Some("barn north".into()),
        note: Some("weekly round".into()),
        operator: Some("ada".into()),
        discard_first: Some(1),
        background: Some(BackgroundRequest::Channel { channel: channel(31), every: Some(4) }),
        overlap: Some(true),
        park: None,
        exceptions: vec![ChannelPlan { purge: seconds(600), iterations: Some(5), ..ChannelPlan::new(channel(3)) }],
        gas_discards: BTreeMap::from([(Cas("7664-41-7".into()), 2)]),
    };
    assert_eq!(request, expected);
    let plan: Plan = request.plan(defaults).unwrap();
    assert_eq!((plan.visits_per_repeat(), plan.repeats), (10, 12));
}

#[test]
fn every_mistake_of_a_plan_is_reported_at_once_with_line_and_column() {
    let text = r#"channels = "1-4,17"
repeat = 3
repeats = 0
pause = 5
measure = "0s"
iterations = "many"
task = " "
sync = "pump"
label = "two\nlines"
background = 17
overlap = "no"
[channels.3]
pause = "1m"
[channel.40]
[channel.9]
area = 1
[gas.NH4]
[gass.NH3]
"#;
    let text = text.replace("[channels.3]\npause = \"1m\"\n", "");
    let expected = [
        "1:12: channels is wrong: channel 17 does not exist; this multiplexer has channels 1 to 16",
        "2:1: repeat is not a key of a plan; did you mean repeats?",
        "3:11: repeats is 0; it can be 1 to 100000",
        "4:9: pause is a number; write a duration as text, like \"30s\" or \"5m\"",
        "5:11: measure is 0s; it can be 1s to 24h",
        "6:14: iterations is text; it must be a whole number",
        "7:8: task is empty; name the analyzer's task, like \"DEFAULT\"",
        "8:8: sync is \"pump\"; it can be \"analyzer\", \"dwell\"",
        "9:9: label contains a line break or another control character",
        "10:14: background is 17; it can be 1 to 16, or \"none\"",
        "11:11: overlap is text; it must be true or false",
        "12:10: channel 40 does not exist; this multiplexer has channels 1 to 16",
        "14:1: area is not a key of [channel.9]; known are purge, measure, iterations, discard_first",
        "15:6: NH4 is not a gas that is known here; write its CAS number, like \"7664-41-7\", or its formula: did you mean NH3?",
        "16:2: [gass] is not a section; did you mean gas?",
    ];
    let expected: Vec<String> = expected.iter().map(|text| format!("a.toml:{text}")).collect();
    assert_eq!(wrong(&text), expected);
}

#[test]
fn channels_are_a_list_in_one_of_its_shapes() {
    for (text, channels) in [("\"all,!3\"", "all,!3"), ("[1, 2, \"5-7\"]", "1,2,5-7"), ("7", "7")] {
        assert_eq!(asked(&format!("channels = {text}")).unwrap().channels.as_deref(), Some(channels));
    }
    for (text, says) in [
        ("channels = \"4-2\"", "a.toml:1:12: channels is wrong: \"4-2\" counts down"),
        ("channels = []", "a.toml:1:12: channels is wrong: no channel is selected"),
        ("channels = [true]", "a.toml:1:12: channels holds what is no channel"),
        ("channels = 1.5", "a.toml:1:12: channels is a number"),
        ("[channels.3]\npause = \"1m\"", "channels is a table; in a plan it is the list of all channels"),
        ("channels = \"1-4\"\n[channels.3]\npause = \"1m\"", "a.toml:2:2: channels is a table; in a plan"),
    ] {
        let found = wrong(text);
        assert!(found[0].contains(says), "{text}: {found:?}");
    }
}

#[test]
fn what_does_not_go_together_is_told_where_it_stands() {
    let dwell = "sync = \"dwell\"\nchannels = \"1-4\"\niterations = 2\nbackground = 9\n[channel.2]\niterations = 1\n";
    let found = wrong(dwell);
    let places: Vec<&str> = found.iter().map(|mistake| &mistake[..11]).collect();
    assert_eq!(places, ["a.toml:3:14", "a.toml:4:14", "a.toml:6:14"], "{found:?}");
    assert!(found[0].ends_with("with \"dwell\" a channel is left after its measure time"), "{found:?}");
    let elsewhere = wrong("channels = \"1-4\"\nbackground = 9\n[channel.9]\npause = \"1m\"\n[channel.5]\n");
    assert_eq!(elsewhere, ["a.toml:5:10: channel 5 is not one of the channels of this plan"]);
    let alone = wrong("background_every = 2\n");
    assert!(alone[0].starts_with("a.toml:1:20: background_every needs background,"), "{alone:?}");
    let only = wrong("channels = 3\nbackground = 3\n");
    assert!(only[0].starts_with("a.toml:1:12: only the background channel 3 is selected"), "{only:?}");
    let none = asked("sync = \"dwell\"\nbackground = \"none\"\n").unwrap();
    assert_eq!(none.background, Some(BackgroundRequest::None));
}

proptest! {
    #[test]
    fn no_text_makes_a_plan_panic(text in any::<String>()) {
        let _ = asked(&text);
    }
}
