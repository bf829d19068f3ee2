//! pause, resume, skip, finish, note: what is asked of the daemon, and what is said of its answer.

use tonic::Code;

use super::fake::{Fake, Script, refusal};
use super::support::run;

const ALL: [&[&str]; 7] = [
    &["pause"],
    &["pause", "--now"],
    &["resume"],
    &["skip"],
    &["finish"],
    &["finish", "--after", "repeat"],
    &["note", "cows", "let out"],
];

#[test]
fn each_is_asked_in_the_name_of_the_user_and_told_in_words() {
    let expected = [
        ("PauseMeasurement", "ada now false", "pauses after the sample under way; go on with `gaseractl resume`"),
        ("PauseMeasurement", "ada now true", "pauses at once; go on with `gaseractl resume`"),
        ("ResumeMeasurement", "ada", "goes on"),
        ("SkipVisit", "ada", "leaves the channel under way for the next one"),
        ("FinishMeasurement", "ada Channel", "ends after the channel under way"),
        ("FinishMeasurement", "ada Repeat", "ends after the repeat under way"),
        ("AddNote", "ada \"cows let out\"", ""),
    ];
    for (args, (call, detail, words)) in ALL.iter().zip(expected) {
        let fake = Fake::new(Script::default());
        let done = run(&[args, &["--endpoint", &fake.unix][..]].concat());
        let told =
            if words.is_empty() { "noted with run 01KAHRUN\n".into() } else { format!("run 01KAHRUN {words}\n") };
        assert_eq!((done.exit, done.stdout, done.stderr.as_str()), (0, told, ""), "{args:?}");
        assert_eq!(fake.calls(), [call, detail]);
    }
}

#[test]
fn json_and_quiet_give_the_run() {
    let fake = Fake::new(Script::default());
    for args in ALL {
        let json = run(&[args, &["--json", "--endpoint", &fake.unix]].concat());
        assert_eq!((json.exit, json.stdout.as_str()), (0, "{\"run_id\":\"01KAHRUN\"}\n"), "{args:?}");
        let quiet = run(&[args, &["-q", "--endpoint", &fake.unix]].concat());
        assert_eq!((quiet.exit, quiet.stdout.as_str(), quiet.stderr.as_str()), (0, "01KAHRUN\n", ""), "{args:?}");
    }
}

#[test]
fn what_is_refused_now_is_exit_3_with_the_sentence_of_the_daemon() {
    for reason in ["NOT_NOW", "NO_RUN"] {
        let control = Err(refusal(Code::FailedPrecondition, reason, "cannot do it: it is ending already"));
        let fake = Fake::new(Script { control, ..Script::default() });
        for args in ALL {
            let done = run(&[args, &["--endpoint", &fake.unix]].concat());
            assert_eq!((done.exit, done.stdout.as_str()), (3, ""), "{args:?} {reason}");
            assert_eq!(done.stderr, "gaseractl: cannot do it: it is ending already\n");
        }
    }
}

#[test]
fn a_note_may_begin_with_a_hyphen() {
    let fake = Fake::new(Script::default());
    let done = run(&["note", "--endpoint", &fake.unix, "--", "-5 °C", "outside"]);
    assert_eq!((done.exit, fake.calls()), (0, vec!["AddNote".into(), "ada \"-5 °C outside\"".into()]));
}
