//! What became of many rude worlds, by habit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::habit::Habit;
use super::judge::{Account, Verdict, Wrong};

#[derive(Debug)]
pub struct Failed {
    pub seed: u64,
    habits: Vec<Habit>,
    wrong: BTreeSet<Wrong>,
    /// The worst one.
    reason: String,
}

#[derive(Debug, Default)]
struct Row {
    worlds: usize,
    account: Account,
    /// How many worlds went wrong in each way, and how many of those have no other habit.
    wrong: BTreeMap<Wrong, (usize, usize)>,
}

#[derive(Debug, Default)]
pub struct Tally {
    /// `None` is all of them.
    rows: BTreeMap<Option<&'static str>, Row>,
    pub failed: Vec<Failed>,
}

const POLITE: &str = "(polite)";

impl Tally {
    pub fn add(&mut self, seed: u64, habits: &[Habit], verdict: Verdict) {
        let kinds: BTreeSet<Wrong> = verdict.wrong.iter().map(|(wrong, _)| *wrong).collect();
        let mut names: Vec<Option<&'static str>> = habits.iter().map(|habit| Some(habit.name())).collect();
        if names.is_empty() {
            names.push(Some(POLITE));
        }
        names.push(None);
        for name in names {
            let row = self.rows.entry(name).or_default();
            row.worlds += 1;
            row.account += verdict.account;
            for wrong in &kinds {
                let (all, alone) = row.wrong.entry(*wrong).or_default();
                *all += 1;
                *alone += usize::from(habits.len() < 2);
            }
        }
        if let Some((_, reason)) = verdict.wrong.into_iter().min_by_key(|(wrong, _)| *wrong) {
            self.failed.push(Failed { seed, habits: habits.to_vec(), wrong: kinds, reason });
        }
    }

    pub fn polite(&self) -> Account {
        self.rows.get(&Some(POLITE)).map_or_else(Account::default, |row| row.account)
    }

    /// Of each way to go wrong: how many worlds did, and behind the stroke, how many of those have no other habit.
    pub fn table(&self) -> String {
        let mut table = format!(
            "{:27}{:>7}{:>11}{:>7}{:>7}{:>7}{:>8}{:>7}",
            "habit", "worlds", "iterations", "owed", "good", "told", "share", "runs"
        );
        for wrong in Wrong::ALL {
            let _ = write!(table, "{:>9}", wrong.name());
        }
        for (name, Row { worlds, account, wrong }) in &self.rows {
            let Account { runs, iterations, owed, paid, told, .. } = account;
            let share = percent(*paid, *owed);
            let name = name.unwrap_or("all");
            let _ =
                write!(table, "\n{name:27}{worlds:>7}{iterations:>11}{owed:>7}{paid:>7}{told:>7}{share:>8}{runs:>7}");
            for kind in Wrong::ALL {
                let (all, alone) = wrong.get(&kind).copied().unwrap_or_default();
                let shown = if all == 0 { "-".to_owned() } else { format!("{all}/{alone}") };
                let _ = write!(table, "{shown:>9}");
            }
        }
        table
    }

    /// The worlds that went wrong, a line each.
    pub fn list(&self) -> String {
        let line = |failed: &Failed| {
            let habits: Vec<&str> = failed.habits.iter().map(|habit| habit.name()).collect();
            let wrong: Vec<&str> = failed.wrong.iter().map(|wrong| wrong.name()).collect();
            format!("RUDE={} [{}] {}: {}", failed.seed, habits.join(" + "), wrong.join(", "), failed.reason)
        };
        self.failed.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// In tenths, rounded down.
fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let permille = part * 1000 / whole;
    format!("{}.{} %", permille / 10, permille % 10)
}
