//! Where runs are kept beside the state directory, and for how long.

use super::*;

#[test]
fn everything_is_kept_and_nothing_mirrored_unless_somebody_says_so() {
    let settings = read("").unwrap();
    assert_eq!(settings.mirror, None);
    assert_eq!((settings.retention.keep, settings.retention.max_size), (None, None));
    let mirror = read("[store.mirror]\ndirectory = \"/media/usb0/gasera\"").unwrap().mirror.unwrap();
    assert_eq!((mirror.directory.as_path(), mirror.require_mount), (Path::new("/media/usb0/gasera"), true));
    let text = "[store.retention]\nkeep = \"365d\"\nmax_size = \"1.5TB\"\nmin_runs = 0\nmirrored = false\ntrash_after = \"0s\"";
    let retention = read(text).unwrap().retention;
    assert_eq!(retention.keep, Some(Duration::from_secs(365 * 86_400)));
    assert_eq!((retention.max_size, retention.min_runs, retention.mirrored), (Some(1_500_000_000_000), 0, false));
    let printed = config::print_config(&read(text).unwrap());
    assert_eq!(read(&printed).unwrap().retention, retention, "{printed}");
}

#[test]
fn mistakes_about_it_have_their_place() {
    let text = r#"
[store]
directory = "/var/lib/gaserad"
[store.mirror]
directory = "/var/lib/gaserad/mirror"
require_mounts = false
[store.retention]
keep = "2h"
max_size = "20"
min_runs = -1
"#;
    assert_eq!(
        mistakes(text),
        [
            "gaserad.toml:5:13: directory is \"/var/lib/gaserad/mirror\", which is the state directory or within it; name a place on another disk",
            "gaserad.toml:6:1: require_mounts is not a key of [store.mirror]; did you mean require_mount?",
            "gaserad.toml:8:8: keep is 2h; it can be 24h to 876000h",
            "gaserad.toml:9:12: max_size is \"20\"; write a size with its unit, like \"500MB\", \"20GB\" or \"1.5TB\"",
            "gaserad.toml:10:12: min_runs is -1; it can be 0 to 1000000",
        ]
    );
    assert_eq!(
        mistakes("[store.mirror]\nrequire_mount = true"),
        ["gaserad.toml:1:8: the mirror needs a directory, like directory = \"/media/usb0/gasera\""]
    );
}
