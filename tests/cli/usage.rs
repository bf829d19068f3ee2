//! What needs no daemon: help, usage errors, nobody there.

use super::support::{golden, run};

#[test]
fn the_help_is_the_manual() {
    for (name, args) in [
        ("help", &["--help"][..]),
        ("help_start", &["start", "--help"]),
        ("help_abort", &["abort", "--help"]),
        ("help_pause", &["pause", "--help"]),
        ("help_resume", &["resume", "--help"]),
        ("help_skip", &["skip", "--help"]),
        ("help_finish", &["finish", "--help"]),
        ("help_note", &["note", "--help"]),
        ("help_status", &["status", "--help"]),
        ("help_watch", &["watch", "--help"]),
        ("help_stream", &["stream", "--help"]),
        ("help_stream_test", &["stream", "test", "--help"]),
        ("help_runs", &["runs", "--help"]),
        ("help_runs_list", &["runs", "list", "--help"]),
        ("help_runs_show", &["runs", "show", "--help"]),
        ("help_runs_export", &["runs", "export", "--help"]),
        ("help_runs_tail", &["runs", "tail", "--help"]),
        ("help_runs_verify", &["runs", "verify", "--help"]),
        ("help_plan", &["plan", "--help"]),
        ("help_plan_check", &["plan", "check", "--help"]),
        ("help_plan_show", &["plan", "show", "--help"]),
        ("help_plan_list", &["plan", "list", "--help"]),
        ("help_schedule", &["schedule", "--help"]),
        ("help_schedule_list", &["schedule", "list", "--help"]),
        ("help_schedule_add", &["schedule", "add", "--help"]),
        ("help_schedule_rm", &["schedule", "rm", "--help"]),
        ("help_schedule_enable", &["schedule", "enable", "--help"]),
        ("help_schedule_disable", &["schedule", "disable", "--help"]),
        ("help_schedule_next", &["schedule", "next", "--help"]),
        ("help_analyzer", &["analyzer", "--help"]),
        ("help_analyzer_info", &["analyzer", "info", "--help"]),
        ("help_analyzer_tasks", &["analyzer", "tasks", "--help"]),
        ("help_analyzer_errors", &["analyzer", "errors", "--help"]),
        ("help_analyzer_clock", &["analyzer", "clock", "--help"]),
        ("help_analyzer_selftest", &["analyzer", "selftest", "--help"]),
        ("help_analyzer_ak", &["analyzer", "ak", "--help"]),
        ("help_mux", &["mux", "--help"]),
        ("help_mux_goto", &["mux", "goto", "--help"]),
        ("help_storage", &["storage", "--help"]),
        ("help_config", &["config", "--help"]),
        ("help_config_get", &["config", "get", "--help"]),
        ("help_config_check", &["config", "check", "--help"]),
        ("help_doctor", &["doctor", "--help"]),
        ("help_doctor_purge_test", &["doctor", "purge-test", "--help"]),
        ("help_context", &["context", "--help"]),
        ("help_context_add", &["context", "add", "--help"]),
        ("help_fleet_status", &["fleet", "status", "--help"]),
        ("help_completions", &["completions", "--help"]),
        ("help_man", &["man", "--help"]),
    ] {
        let done = run(args);
        assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{name}");
        golden(name, &done.stdout);
    }
}

#[test]
fn the_help_is_the_manual_of_what_is_kept() {
    for (name, args) in [
        ("help_runs_files", &["runs", "files", "--help"][..]),
        ("help_runs_get", &["runs", "get", "--help"]),
        ("help_runs_rm", &["runs", "rm", "--help"]),
        ("help_runs_restore", &["runs", "restore", "--help"]),
        ("help_runs_trash", &["runs", "trash", "--help"]),
        ("help_runs_empty_trash", &["runs", "empty-trash", "--help"]),
    ] {
        let done = run(args);
        assert_eq!((done.exit, done.stderr.as_str()), (0, ""), "{name}");
        golden(name, &done.stdout);
    }
}

#[test]
fn usage_errors_say_what_is_wrong_and_exit_2() {
    let mut text = String::new();
    for args in [
        &[][..],
        &["begin"],
        &["plan", "check"],
        &["start", "weekly.toml", "daily.toml"],
        &["start", "--purge", "-5s"],
        &["start", "--measure", "20"],
        &["start", "--measure", "99999999999999999999999d"],
        &["start", "--repeats", "0"],
        &["start", "--repeats", "-1"],
        &["start", "--iterations", "many"],
        &["start", "--sync", "pump"],
        &["start", "--dry-run", "--wait"],
        &["start", "--background", "31:0"],
        &["start", "--discard-first", "-1"],
        &["start", "--if-measuring", "ask"],
        &["analyzer", "selftest", "--last", "--no-wait"],
        &["mux", "goto", "32"],
        &["start", "--if-busy", "ask"],
        &["start", "--align", "0s"],
        &["start", "--align", "25h"],
        &["finish", "--after", "sample"],
        &["note"],
        &["skip", "3"],
        &["watch", "--channels", "4-2"],
        &["watch", "--since", "yesterday"],
        &["runs", "show"],
        &["runs", "export", "last", "--format", "xls"],
        &["runs", "export", "last", "--from", "yesterday"],
        &["runs", "rm"],
        &["runs", "rm", "--all", "last"],
        &["status", "--timeout", "soon"],
        &["status", "--endpoint", "gaserad.sock"],
        &["status", "--endpoint", "ftp://lab-pc:5001"],
        &["watch", "--fallback", "guess"],
        &["stream"],
        &["statsu"],
        &["runs", "tail"],
        &["config"],
        &["completions", "tcsh"],
        &["context", "add", "barn"],
        &["fleet"],
        &["doctor", "purge-test"],
        &["doctor", "purge-test", "--channel", "32"],
    ] {
        let done = run(args);
        assert_eq!((done.exit, done.stdout.as_str()), (2, ""), "{args:?}");
        text += &format!("$ gaseractl {}\n{}\n", args.join(" "), done.stderr);
    }
    golden("usage_errors", &text);
}

#[test]
fn a_daemon_that_is_not_there_is_exit_8_with_what_to_do() {
    for args in [&["status"][..], &["abort"], &["runs"], &["watch"], &["start"], &["start", "--wait"]] {
        let done = run(&[args, &["--endpoint", "unix:/nonexistent/gaserad.sock"]].concat());
        assert_eq!((done.exit, done.stdout.as_str()), (8, ""), "{args:?}");
        golden("unreachable", &done.stderr);
    }
}

#[test]
fn the_endpoint_may_come_from_the_environment() {
    let output = super::support::gaseractl()
        .args(["status", "--json"])
        .env("GASERACTL_ENDPOINT", "unix:/nonexistent/other.sock")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("unix:/nonexistent/other.sock (no such file or directory)"), "{stderr}");
}
