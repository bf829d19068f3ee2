//! What is to be copied, decided from what is known of two files. It touches neither.

/// What is known of a file without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirroredSight {
    /// Which file it is: one that was put in the place of another is another one.
    pub identity: (u64, i64, u32),
    pub length: u64,
    /// Seconds and nanoseconds.
    pub changed: (i64, i64),
}

/// What was found when a file was copied last, while the same drive was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirroredFiles {
    pub sight: MirroredSight,
    /// So much of it is on the drive, and was compared or written.
    pub copied: u64,
}

/// How a file on the drive is brought up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorStep {
    /// Compare what is there from so far on, and append what follows if that is equal; else replace it.
    AppendAfter(u64),
    Replace,
}

/// How much of what was copied already is looked at again before something is appended.
const AGAIN: u64 = 4096;

/// `there` is the length of the file on the drive, if there is one.
pub fn step(known: Option<&MirroredFiles>, now: &MirroredSight, there: Option<u64>) -> MirrorStep {
    let Some(there) = there else { return MirrorStep::Replace };
    if there > now.length {
        return MirrorStep::Replace;
    }
    let same = known.filter(|known| known.sight.identity == now.identity && now.length >= known.sight.length);
    match same {
        // A little of it again, so that a drive on which it is another file is found out.
        Some(known) if known.copied == there => MirrorStep::AppendAfter(known.copied.saturating_sub(AGAIN)),
        _ => MirrorStep::AppendAfter(0),
    }
}

/// Whether the drive need not even be asked.
pub fn is_settled(known: Option<&MirroredFiles>, now: &MirroredSight) -> bool {
    known.is_some_and(|known| known.sight == *now && known.copied == now.length)
}

/// What of a run's folder is mirrored: not drafts that become something else, nor what we left on a drive ourselves.
pub fn is_mirrored(name: &str) -> bool {
    let draft = |end: &str| name.rsplit_once('.').is_some_and(|(_, extension)| extension == end);
    !name.starts_with('.') && !draft("new") && !draft("part") && !draft("tmp") && !is_being_packed(name)
}

/// A full part of the raw log is `raw.000001.aklog` only until it is compressed.
fn is_being_packed(name: &str) -> bool {
    name.strip_prefix("raw.").is_some_and(|rest| rest.strip_suffix(".aklog").is_some())
}

/// What a file is called on the drive until it is complete.
pub fn draft_of(name: &str) -> String {
    format!(".{name}.part")
}

/// Whether [`draft_of`] something is called so.
pub fn is_draft(name: &str) -> bool {
    name.starts_with('.') && name.len() > ".part".len() && draft_ends(name)
}

fn draft_ends(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| extension == "part")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: MirroredSight = MirroredSight { identity: (7, 1, 0), length: 10_000, changed: (5, 0) };

    fn known(length: u64, copied: u64) -> MirroredFiles {
        MirroredFiles { sight: MirroredSight { length, changed: (4, 0), ..NOW }, copied }
    }

    #[test]
    fn what_is_missing_or_longer_on_the_drive_is_written_whole() {
        assert_eq!(step(None, &NOW, None), MirrorStep::Replace);
        assert_eq!(step(Some(&known(9000, 9000)), &NOW, None), MirrorStep::Replace);
        assert_eq!(step(None, &NOW, Some(10_001)), MirrorStep::Replace);
    }

    #[test]
    fn what_nobody_knows_is_compared_from_the_beginning() {
        assert_eq!(step(None, &NOW, Some(9000)), MirrorStep::AppendAfter(0));
        assert_eq!(step(None, &NOW, Some(10_000)), MirrorStep::AppendAfter(0));
        // Another file has come into its place.
        let other = MirroredFiles { sight: MirroredSight { identity: (8, 1, 0), ..NOW }, copied: 9000 };
        assert_eq!(step(Some(&other), &NOW, Some(9000)), MirrorStep::AppendAfter(0));
        // It was cut off and has grown again, or the drive has lost what it had.
        assert_eq!(step(Some(&known(20_000, 9000)), &NOW, Some(9000)), MirrorStep::AppendAfter(0));
        assert_eq!(step(Some(&known(9000, 9000)), &NOW, Some(8000)), MirrorStep::AppendAfter(0));
    }

    #[test]
    fn what_has_grown_is_appended_to() {
        assert_eq!(step(Some(&known(9000, 9000)), &NOW, Some(9000)), MirrorStep::AppendAfter(4904));
        assert_eq!(step(Some(&known(100, 100)), &NOW, Some(100)), MirrorStep::AppendAfter(0));
    }

    #[test]
    fn a_file_that_is_as_it_was_needs_no_look_at_the_drive() {
        let known = MirroredFiles { sight: NOW, copied: 10_000 };
        assert!(is_settled(Some(&known), &NOW));
        assert!(!is_settled(Some(&known), &MirroredSight { changed: (6, 0), ..NOW }));
        assert!(!is_settled(Some(&MirroredFiles { copied: 9000, ..known }), &NOW));
        assert!(!is_settled(None, &NOW));
    }

    #[test]
    fn drafts_are_not_mirrored() {
        assert!(["samples.csv", "datapackage.json", "raw.aklog", "raw.000001.aklog.gz"].into_iter().all(is_mirrored));
        assert!(
            !["samples.csv.new", ".samples.csv.part", ".hidden", "x.tmp", "raw.000001.aklog"]
                .into_iter()
                .any(is_mirrored)
        );
        assert!(is_draft(&draft_of("samples.csv")));
        assert!(!is_draft("samples.csv") && !is_draft(".part"));
    }
}
