//! Who may reach gaserad from where: nothing is opened to other machines by accident.

use gasera::config::Secret;

use super::*;

fn beyond(more: &str) -> String {
    format!("[listen]\naddresses = [\"127.0.0.1:5001\", \"0.0.0.0:5443\"]\n{more}")
}

#[test]
fn other_machines_need_tokens_and_tls_or_a_word_that_plain_text_is_meant() {
    let bare = mistakes(&beyond(""));
    assert_eq!(bare.len(), 2, "{bare:#?}");
    assert!(bare[0].starts_with("gaserad.toml:2:32: \"0.0.0.0:5443\" can be reached from other machines"), "{bare:?}");
    let tokens = "[auth]\ntokens = \"/etc/gaserad/tokens\"\n";
    let no_tls = mistakes(&beyond(tokens));
    assert!(no_tls.len() == 1 && no_tls[0].contains("which needs TLS"), "{no_tls:?}");
    let no_tokens = mistakes(&beyond("tls_cert = \"/c\"\ntls_key = \"/k\"\n"));
    assert!(no_tokens.len() == 1 && no_tokens[0].contains("which needs tokens"), "{no_tokens:?}");

    let tls = format!("tls_cert = \"/c\"\ntls_key = \"credential:key\"\n{tokens}");
    let settings = read(&beyond(&tls)).unwrap();
    assert_eq!(settings.listen.tls(), Some((&Secret::File("/c".into()), &Secret::Credential("key".into()))));
    assert_eq!(settings.warnings, Vec::<String>::new());
    let plain = read(&beyond(&format!("plain_text = true\n{tokens}"))).unwrap();
    assert!(plain.warnings[0].contains("unencrypted"), "{:?}", plain.warnings);
}

#[test]
fn a_listener_on_the_command_line_is_held_to_the_same() {
    let overrides = Overrides { listen: vec!["192.168.0.5:5001".into()], ..Overrides::default() };
    let found = config::parse("", "gaserad.toml", &overrides, &service()).unwrap_err().to_string();
    assert!(found.starts_with("--listen: \"192.168.0.5:5001\" can be reached from other machines"), "{found}");
}

#[test]
fn contradictions_and_wildcards_are_refused() {
    for (text, says) in [
        ("[listen]\ntls_cert = \"/c\"\n", "2:12: tls_cert is of no use without tls_key"),
        (
            "[listen]\ntls_cert = \"/c\"\ntls_key = \"/k\"\nplain_text = true\n",
            "4:14: plain_text and tls_cert contradict",
        ),
        ("[listen]\norigins = [\"*\"]\n", "2:12: \"*\" is no origin"),
        ("[listen]\nhosts = [\"lab:80\"]\n", "2:10: \"lab:80\" is no host"),
        ("[auth]\nloopback = \"token\"\n", "2:12: loopback is \"token\", so there must be some"),
        ("[auth]\nloopback = \"closed\"\n", "it can be \"open\", \"token\""),
        ("[auth]\nviewers = [\"ada\"]\n", "2:11: viewers says who may only read, but without operators"),
        ("[auth]\noperators = [\"a b\"]\n", "2:14: \"a b\" is no user or group"),
        ("[auth]\npasswords = \"x\"\n", "passwords is not a key of [auth]"),
    ] {
        let found = mistakes(text);
        assert!(found.len() == 1 && found[0].contains(says), "{says}: {found:?}");
    }
}
