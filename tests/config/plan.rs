//! What starts go by: plans, channels, gases, the stamp, and where the valve is parked.

use super::*;

#[test]
fn what_plans_go_by_is_checked_like_all_else() {
    let text = r#"
[multiplexer]
channels = 8
park = 9
[plan]
discard_first = 1001
background = 9
overlap = "no"
[channels.1]
iterations = 0
measure = "0s"
[gases.NH4]
[gases.CO2]
[gases."124-38-9"]
[gases."7664-41-8"]
[gases.CH4]
discard = 2
"#;
    let expected = [
        "4:8: park is 9; this multiplexer has channels 1 to 8",
        "6:17: discard_first is 1001; it can be 0 to 1000",
        "7:14: background is 9; it can be 1 to 8",
        "8:11: overlap is text; it must be true or false",
        "10:14: iterations is 0; it can be 1 to 100000",
        "11:11: measure is 0s; it can be 1s to 24h",
        "12:8: NH4 is not a gas that is known here; write its CAS number, like \"7664-41-7\", or its formula: did you mean NH3?",
        "13:8: CO2 is the gas of [gases.124-38-9] too",
        "15:8: 7664-41-8 is not a CAS number: one that begins like this ends in 7",
        "17:1: discard is not a key of [gases.CH4]; did you mean discard_first?",
    ];
    let expected: Vec<String> = expected.iter().map(|text| format!("gaserad.toml:{text}")).collect();
    assert_eq!(mistakes(text), expected);
    for (park, complaint) in [
        ("\"hme\"", "park is \"hme\"; it can be \"home\", \"stay\", or the number of a channel"),
        ("0", "park is 0; it can be 1 to 31, \"home\" or \"stay\""),
        ("true", "park is true or false; it can be \"home\", \"stay\", or the number of a channel"),
    ] {
        assert_eq!(mistakes(&format!("[multiplexer]\npark = {park}\n")), [format!("gaserad.toml:2:8: {complaint}")]);
    }
    let alone = mistakes("[plan]\nbackground_every = 2\n");
    assert_eq!(alone, ["gaserad.toml:2:20: background_every needs background, the channel that is measured so often"]);
}

#[test]
fn what_the_other_timing_needs_is_a_warning() {
    let text = "[plan]\nsync = \"dwell\"\nbackground = 2\n[channels.3]\niterations = 2\n";
    let warnings = read(text).unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].starts_with("[plan] background is of no use") && warnings[1].contains("[channels.3] iterations")
    );
    let told = read("[analyzer]\nstamp = \"sampling\"\n[multiplexer]\npark = \"stay\"\n").unwrap();
    assert_eq!(
        (told.warnings, told.analyzer.stamp, told.multiplexer.park),
        (vec![], Some(StampMeaning::Sampling), None)
    );
    assert_eq!(read("").unwrap().multiplexer.park, Some(Channel::HOME));
}

#[test]
fn an_interrupted_run_is_resumed_unless_that_is_not_wanted() {
    let settings = read("").unwrap();
    assert_eq!(settings.store.on_restart, OnRestart::Resume);
    let told = read("[store]\non_restart = \"resume\"\nmax_outage = \"2h\"\n").unwrap();
    assert_eq!((told.warnings, told.store.max_outage), (vec![], Duration::from_secs(7200)));
    assert_eq!(read("[store]\non_restart = \"end\"\n").unwrap().store.on_restart, OnRestart::End);
}
