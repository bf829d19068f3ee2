//! What a running daemon takes of a changed configuration: told by the table, key by key.

use std::collections::BTreeSet;

use gasera::config::{Reloaded, SettingChange, reloaded, sections};

use super::*;

fn reload(before: &str, after: &str) -> Reloaded {
    reloaded(&read(before).unwrap(), &read(after).unwrap())
}

fn keys(changes: &[SettingChange]) -> Vec<&str> {
    changes.iter().map(|change| change.key.as_str()).collect()
}

#[test]
fn what_can_change_changes_and_the_rest_is_told_and_stays() {
    let before = "[analyzer]\npoll = \"1s\"\n[plan]\npurge = \"1m\"\n[stream]\nring = 100\nmax_connections = 5\n";
    let after = "[analyzer]\npoll = \"2s\"\n[plan]\npurge = \"2m\"\n[stream]\nring = 200\nmax_connections = 6\n\
                 [store.retention]\nkeep = \"30d\"\n[channels.2]\nlabel = \"barn\"\n[pause]\ndisk = \"pause\"\n";
    let Reloaded { settings, changed, needs_restart } = reload(before, after);
    let here = ["channels.2.kind", "channels.2.label", "plan.purge", "store.retention.keep", "stream.max_connections"];
    assert_eq!(keys(&changed), here);
    assert_eq!(keys(&needs_restart), ["analyzer.poll", "pause.disk", "stream.ring"]);
    let purge = changed.iter().find(|change| change.key == "plan.purge").unwrap();
    assert_eq!((purge.was.as_deref(), purge.is.as_deref()), (Some("\"1m\""), Some("\"2m\"")));
    assert_eq!((settings.stream.ring, settings.stream.max_connections), (100, 6));
    assert_eq!(settings.analyzer.poll, Duration::from_secs(1));
    // What needed a restart is told again, until there was one.
    let again = reloaded(&settings, &read(after).unwrap());
    assert_eq!(
        (again.changed.len(), keys(&again.needs_restart)),
        (0, vec!["analyzer.poll", "pause.disk", "stream.ring"])
    );
}

#[test]
fn sections_that_come_and_go_are_taken_as_a_whole() {
    let mirror = "[store.mirror]\ndirectory = \"/media/x\"\n";
    let guard = "[guard]\nfile = \"/run/hold\"\n";
    let come = reload("", &format!("{mirror}{guard}[site]\nname = \"Barn\"\n"));
    assert_eq!(keys(&come.changed), ["site.name", "store.mirror.directory", "store.mirror.require_mount"]);
    assert_eq!(keys(&come.needs_restart), ["guard.every", "guard.file", "guard.timeout"]);
    assert!(come.settings.mirror.is_some() && come.settings.guard.is_none());
    let gone = reload(mirror, "");
    assert_eq!((gone.settings.mirror, gone.changed.len()), (None, 2));
}

#[test]
fn certificate_is_exchanged_but_neither_added_nor_taken_away() {
    let with =
        |name: &str| format!("[listen]\ntls_cert = \"/c/{name}\"\ntls_key = \"/k/{name}\"\nhosts = [\"{name}\"]\n");
    let exchanged = reload(&with("a"), &with("b"));
    assert_eq!(keys(&exchanged.changed), ["listen.hosts", "listen.tls_cert", "listen.tls_key"]);
    for (before, after) in [(String::new(), with("a")), (with("a"), String::new())] {
        let other = reload(&before, &after);
        assert_eq!(keys(&other.changed), ["listen.hosts"]);
        assert_eq!(keys(&other.needs_restart), ["listen.tls_cert", "listen.tls_key"]);
    }
}

/// Sections that need not be there are taken or left as a whole, so that none is in effect by half.
#[test]
fn rows_of_an_optional_section_reload_together() {
    for section in sections().into_iter().filter(|section| section.is_optional) {
        let kinds: BTreeSet<bool> = section.rows.iter().map(|row| row.reloads).collect();
        assert_eq!(kinds.len(), 1, "{}", section.name);
    }
}

/// Every value of the shipped file that can be another one, reloaded alone, lands where the table says.
#[test]
fn each_key_reloads_or_not_as_the_table_says() {
    let changes = [
        ("listen.hosts", "[listen]\nhosts = [\"lab\"]"),
        ("listen.origins", "[listen]\norigins = [\"https://lab\"]"),
        ("listen.max_connections", "[listen]\nmax_connections = 11"),
        ("listen.connects_per_second", "[listen]\nconnects_per_second = 11"),
        ("listen.orders_per_second", "[listen]\norders_per_second = 11"),
        ("auth.tokens", "[auth]\ntokens = \"/t\""),
        ("auth.operators", "[auth]\noperators = [\"ada\"]"),
        ("analyzer.address", "[analyzer]\naddress = \"x:1\""),
        ("analyzer.task", "[analyzer]\ntask = \"7\""),
        ("multiplexer.settle", "[multiplexer]\nsettle = \"1s\""),
        ("multiplexer.channels", "[multiplexer]\nchannels = 3"),
        ("plan.measure", "[plan]\nmeasure = \"1m\""),
        ("pause.valve", "[pause]\nvalve = \"pause\""),
        ("store.min_free_mb", "[store]\nmin_free_mb = 7"),
        ("store.directory", "[store]\ndirectory = \"/data\""),
        ("store.retention.min_runs", "[store.retention]\nmin_runs = 7"),
        ("stream.heartbeat", "[stream]\nheartbeat = \"7s\""),
        ("stream.ring", "[stream]\nring = 77"),
        ("log.level", "[log]\nlevel = \"debug\""),
        ("site.name", "[site]\nname = \"Barn\""),
    ];
    for (path, text) in changes {
        let (name, key) = path.rsplit_once('.').unwrap();
        let all = sections();
        let section = all.iter().find(|section| section.name == name).unwrap();
        let row = section.rows.iter().find(|row| row.key == key).unwrap();
        let Reloaded { changed, needs_restart, .. } = reload("", text);
        let (told, other) = if row.reloads { (&changed, &needs_restart) } else { (&needs_restart, &changed) };
        assert_eq!((keys(told), keys(other)), (vec![path], vec![]), "{path}");
    }
}
