//! Which runs have been kept long enough. It only decides; the settings say by what, and somebody else removes them.

use std::time::Duration;

use crate::domain::{RunId, TrashedRun, Utc};

/// How long runs are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    pub keep: Option<Duration>,
    pub max_size: Option<u64>,
    pub min_runs: u32,
    /// Only what is on the mirror goes.
    pub mirrored: bool,
    /// The clock can be relied on: otherwise nothing is too old.
    pub clock_is_right: bool,
}

/// A run that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRun {
    pub id: RunId,
    pub started: Utc,
    /// `None` while it is under way.
    pub ended: Option<Utc>,
    pub bytes: u64,
    /// All of it is on the mirror that is there.
    pub mirrored: bool,
}

/// The runs that are to go into the trash, the oldest first, each with why.
pub fn to_prune(runs: &[KeptRun], rules: &Rules, now: Utc) -> Vec<(RunId, String)> {
    let mut sorted: Vec<&KeptRun> = runs.iter().collect();
    sorted.sort_by_key(|run| (run.started, run.id.clone()));
    let spared = usize::try_from(rules.min_runs).unwrap_or(usize::MAX);
    let may_go = sorted.len().saturating_sub(spared);
    let mut size: u64 = runs.iter().map(|run| run.bytes).sum();
    let mut going = Vec::new();
    for run in sorted.into_iter().take(may_go) {
        let Some(ended) = run.ended.filter(|_| run.mirrored || !rules.mirrored) else { continue };
        let why = too_old(ended, rules, now).or_else(|| too_much(size, rules));
        if let Some(why) = why {
            size = size.saturating_sub(run.bytes);
            going.push((run.id.clone(), why));
        }
    }
    going
}

fn too_old(ended: Utc, rules: &Rules, now: Utc) -> Option<String> {
    let keep = rules.keep.filter(|_| rules.clock_is_right)?;
    (since(ended, now) > keep).then(|| format!("it ended more than {} days ago", keep.as_secs() / 86_400))
}

fn too_much(size: u64, rules: &Rules) -> Option<String> {
    let most = rules.max_size?;
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    (size > most).then(|| format!("all runs take {} MB, more than max_size, {} MB", megabytes(size), megabytes(most)))
}

/// What has been in the trash long enough, the oldest first. Where the disk is nearly full, the one that was there longest
/// goes early.
pub fn to_purge(
    trash: &[TrashedRun],
    after: Duration,
    disk_is_low: bool,
    clock_is_right: bool,
    now: Utc,
) -> Vec<RunId> {
    let mut sorted: Vec<&TrashedRun> = trash.iter().collect();
    sorted.sort_by_key(|run| (run.trashed, run.started));
    let is_due = |run: &TrashedRun| clock_is_right && since(run.trashed, now) >= after;
    let due = sorted.iter().filter(|run| is_due(run)).count().max(usize::from(disk_is_low));
    sorted.into_iter().take(due).map(|run| run.id.clone()).collect()
}

fn since(then: Utc, now: Utc) -> Duration {
    Duration::from_micros(u64::try_from(now.as_micros() - then.as_micros()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    /// Run `n` began on day `n`, took a day, and a hundred bytes.
    fn run(day: i64) -> KeptRun {
        KeptRun {
            id: RunId(format!("R{day:02}")),
            started: Utc::from_micros(day * DAY),
            ended: Some(Utc::from_micros((day + 1) * DAY)),
            bytes: 100,
            mirrored: true,
        }
    }

    fn runs() -> Vec<KeptRun> {
        // In whatever order they come.
        [3, 0, 4, 1, 2].map(run).to_vec()
    }

    fn rules() -> Rules {
        Rules { clock_is_right: true, ..Rules::default() }
    }

    fn days(days: u64) -> Duration {
        Duration::from_secs(days * 86_400)
    }

    fn pruned(runs: &[KeptRun], rules: &Rules) -> Vec<String> {
        to_prune(runs, rules, Utc::from_micros(10 * DAY)).into_iter().map(|(run, _)| run.0).collect()
    }

    #[test]
    fn without_rules_everything_is_kept() {
        assert!(pruned(&runs(), &rules()).is_empty());
    }

    #[test]
    fn what_ended_too_long_ago_goes_the_oldest_first() {
        // They ended 9, 8, 7, 6 and 5 days ago.
        let rules = Rules { keep: Some(days(7)), ..rules() };
        assert_eq!(pruned(&runs(), &rules), ["R00", "R01"]);
        assert!(pruned(&runs(), &Rules { clock_is_right: false, ..rules }).is_empty());
    }

    #[test]
    fn the_oldest_go_until_the_others_fit() {
        assert_eq!(pruned(&runs(), &Rules { max_size: Some(300), ..rules() }), ["R00", "R01"]);
        assert_eq!(pruned(&runs(), &Rules { max_size: Some(299), ..rules() }), ["R00", "R01", "R02"]);
        assert!(pruned(&runs(), &Rules { max_size: Some(500), ..rules() }).is_empty());
        // Both rules together, and what is too old counts no more.
        let both = Rules { keep: Some(days(7)), max_size: Some(300), ..rules() };
        assert_eq!(pruned(&runs(), &both), ["R00", "R01"]);
    }

    #[test]
    fn the_newest_ones_the_one_under_way_and_what_is_not_mirrored_stay() {
        let mut runs = runs();
        let all = Rules { max_size: Some(0), ..rules() };
        assert_eq!(pruned(&runs, &all).len(), 5);
        assert_eq!(pruned(&runs, &Rules { min_runs: 3, ..all.clone() }), ["R00", "R01"]);
        assert!(pruned(&runs, &Rules { min_runs: 9, ..all.clone() }).is_empty());
        runs.iter_mut().find(|run| run.id.0 == "R04").unwrap().ended = None;
        runs.iter_mut().find(|run| run.id.0 == "R01").unwrap().mirrored = false;
        assert_eq!(pruned(&runs, &all), ["R00", "R01", "R02", "R03"]);
        assert_eq!(pruned(&runs, &Rules { mirrored: true, ..all }), ["R00", "R02", "R03"]);
    }

    #[test]
    fn each_says_why() {
        let reasons = to_prune(&runs(), &Rules { keep: Some(days(7)), ..rules() }, Utc::from_micros(10 * DAY));
        assert_eq!(reasons[0].1, "it ended more than 7 days ago");
        let big = KeptRun { bytes: 30_000_000, ..run(0) };
        let reasons = to_prune(&[big], &Rules { max_size: Some(20_000_000), ..rules() }, Utc::from_micros(0));
        assert_eq!(reasons[0].1, "all runs take 30 MB, more than max_size, 20 MB");
    }

    fn trashed(day: i64) -> TrashedRun {
        let at = Utc::from_micros(day * DAY);
        TrashedRun {
            id: RunId(format!("R{day}")),
            label: String::new(),
            started: at,
            records: 0,
            trashed: at,
            who: String::new(),
        }
    }

    #[test]
    fn what_is_in_the_trash_goes_in_its_time_and_one_earlier_where_there_is_no_room() {
        let trash = [trashed(8), trashed(2), trashed(5)];
        let now = Utc::from_micros(10 * DAY);
        let purged = |after, low, right| {
            to_purge(&trash, days(after), low, right, now).into_iter().map(|run| run.0).collect::<Vec<_>>()
        };
        assert_eq!(purged(5, false, true), ["R2", "R5"]);
        assert!(purged(9, false, true).is_empty());
        assert_eq!(purged(9, true, true), ["R2"]);
        assert_eq!(purged(0, true, true), ["R2", "R5", "R8"]);
        assert!(purged(0, false, false).is_empty(), "nobody knows how long ago that was");
        assert_eq!(purged(0, true, false), ["R2"]);
        assert!(to_purge(&[], days(0), true, true, now).is_empty());
    }
}
