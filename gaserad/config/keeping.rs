//! `[store.mirror]` and `[store.retention]`: where runs are kept beside the state directory, and for how long.

use std::path::Path;
use std::time::Duration;

use super::check::{absolute, days};
use super::section::Section;
use super::settings::{MirrorSettings, RetentionSettings};
use super::size;

const HUNDRED_YEARS: Duration = days(36_500);

/// `state` is the state directory, in which no copy of it is any use.
pub(super) fn mirror(mut section: Section<'_>, state: &Path) -> Option<MirrorSettings> {
    let directory = section.checked("directory", |text| {
        let directory = absolute(text, "/media/usb0/gasera")?;
        if directory.starts_with(state) || state.starts_with(&directory) {
            return Err(format!(
                "is {text:?}, which is the state directory or within it; name a place on another disk"
            ));
        }
        Ok(directory)
    });
    let require_mount = section.boolean("require_mount", true);
    let is_there = section.is_there();
    if is_there && section.place_of("directory").is_none() {
        section.wrong_here("the mirror needs a directory, like directory = \"/media/usb0/gasera\"");
    }
    section.finish();
    let directory = directory?;
    Some(MirrorSettings { directory, require_mount }).filter(|_| is_there)
}

pub(super) fn retention(mut section: Section<'_>) -> RetentionSettings {
    let keep = section.optional_duration("keep", days(1)..=HUNDRED_YEARS);
    let max_size = section.checked("max_size", size::parse);
    let settings = RetentionSettings {
        keep,
        max_size,
        min_runs: section.integer("min_runs", 10, 0..=1_000_000),
        mirrored: section.boolean("mirrored", true),
        trash_after: section.duration("trash_after", days(30), Duration::ZERO..=HUNDRED_YEARS),
    };
    section.finish();
    settings
}
