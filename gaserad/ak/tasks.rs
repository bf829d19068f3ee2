//! The list of tasks. Its names are unquoted and may hold blanks and numbers, so that a list can read in several ways:
//! `11 Soil 2024 run 12 FLUSH` is a task "Soil 2024 run" or a task "Soil" and a task 2024.
//!
//! A reading starts with an id and gives every id a name. Ids ascend on every instrument seen, so the reading with the
//! most tasks among those with ascending ids is taken. If there are several, or if numbers are left over that could be
//! ids, the list is ambiguous: the analyzer itself then has to confirm an id before it is used.

use super::words::{Word, words};

/// Longer lists are not from an analyzer.
const MOST_NUMBERS: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTask {
    pub id: u32,
    /// With single blanks between its words.
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tasks {
    pub list: Vec<ListedTask>,
    pub ambiguous: bool,
    words: Vec<String>,
    /// Where an id may stand: the place of the word, and the number.
    ids: Vec<(usize, u32)>,
}

impl Tasks {
    /// `None` if the data are no list of tasks.
    pub(super) fn read(data: &str) -> Option<Self> {
        let words = words(data);
        let Some(end) = words.len().checked_sub(1) else { return Some(Self::default()) };
        // The last word can only be a name.
        let numbers = words[..end].iter().map(Word::number).enumerate();
        let ids: Vec<(usize, u32)> = numbers.filter_map(|(place, number)| Some((place, number?))).collect();
        if ids.first()?.0 != 0 || ids.len() > MOST_NUMBERS {
            return None;
        }
        let (chain, unique) = longest_ascending(&ids);
        let ambiguous = !unique || most_starts(&ids) > chain.len();
        let words: Vec<String> = words.into_iter().map(|word| word.text).collect();
        let list = name(&chain, &words);
        Some(Self { list, ambiguous, words, ids })
    }

    /// The ids under which `wanted` can be found, the most credible first: tasks of that very name, then of that name
    /// in other letters, then the id itself. All readings of the list count, not only the one that was taken.
    pub fn find(&self, wanted: &str) -> Vec<u32> {
        let wanted: Vec<&str> = wanted.split_whitespace().collect();
        if wanted.is_empty() {
            return Vec::new();
        }
        let exact = self.ids_before(|words| words.iter().copied().eq(wanted.iter().copied()));
        if !exact.is_empty() {
            return exact;
        }
        let lower = wanted.join(" ").to_lowercase();
        let similar = self.ids_before(|words| words.join(" ").to_lowercase() == lower);
        if !similar.is_empty() {
            return similar;
        }
        let number = lower.parse().ok().filter(|wanted| self.ids.iter().any(|(_, id)| id == wanted));
        number.into_iter().collect()
    }

    /// Whether the reading that was taken holds a task of this id.
    pub fn lists(&self, id: u32) -> bool {
        self.list.iter().any(|task| task.id == id)
    }

    /// The ids whose name, in some reading of the list, passes the test.
    fn ids_before(&self, test: impl Fn(&[&str]) -> bool) -> Vec<u32> {
        let ends = || self.ids.iter().map(|(place, _)| *place).chain([self.words.len()]);
        let named = self.ids.iter().filter(|(place, _)| {
            ends().filter(|end| *end > place + 1).any(|end| {
                let name: Vec<&str> =
                    self.words[place + 1..end].iter().flat_map(|word| word.split_whitespace()).collect();
                test(&name)
            })
        });
        let mut found: Vec<u32> = named.map(|(_, id)| *id).collect();
        found.sort_by_key(|id| !self.lists(*id));
        found.dedup();
        found
    }
}

/// The longest chain of ids that starts at the first, ascends, and leaves room for a name behind each; and whether it
/// is the only one of that length. Among several the one with the smaller ids is taken: ids are small numbers.
fn longest_ascending(ids: &[(usize, u32)]) -> (Vec<(usize, u32)>, bool) {
    struct Best {
        length: usize,
        unique: bool,
        next: Option<usize>,
    }
    let mut best: Vec<Best> = Vec::new();
    // From the back: the best chain that starts at each id. `best` is filled in reverse.
    for (place, id) in ids.iter().rev() {
        let mut here = Best { length: 1, unique: true, next: None };
        for (at, tail) in best.iter().enumerate() {
            let (next_place, next_id) = ids[ids.len() - 1 - at];
            if next_place < place + 2 || next_id <= *id {
                continue;
            }
            let smaller = here.next.is_none_or(|old| next_id < ids[ids.len() - 1 - old].1);
            if tail.length + 1 > here.length {
                here = Best { length: tail.length + 1, unique: tail.unique, next: Some(at) };
            } else if tail.length + 1 == here.length {
                here.unique = false;
                here.next = if smaller { Some(at) } else { here.next };
            }
        }
        best.push(here);
    }
    let first = best.len() - 1;
    let chain = std::iter::successors(Some(first), |at| best[*at].next).map(|at| ids[ids.len() - 1 - at]);
    (chain.collect(), best[first].unique)
}

/// How many tasks there are if every number that can be an id is one.
fn most_starts(ids: &[(usize, u32)]) -> usize {
    let mut free_from = 0;
    ids.iter()
        .filter(|(place, _)| {
            *place >= free_from && {
                free_from = place + 2;
                true
            }
        })
        .count()
}

/// A task whose name is nothing but quotes is left out: it can be asked for by its id only.
fn name(chain: &[(usize, u32)], words: &[String]) -> Vec<ListedTask> {
    let ends = chain.iter().skip(1).map(|(place, _)| *place).chain([words.len()]);
    let named =
        chain.iter().zip(ends).map(|((place, id), end)| ListedTask { id: *id, name: words[place + 1..end].join(" ") });
    named.filter(|task| !task.name.trim().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks(data: &str) -> Tasks {
        Tasks::read(data).unwrap()
    }

    fn list(data: &str) -> Vec<(u32, String)> {
        tasks(data).list.into_iter().map(|task| (task.id, task.name)).collect()
    }

    fn named<const N: usize>(tasks: [(u32, &str); N]) -> Vec<(u32, String)> {
        tasks.map(|(id, name)| (id, name.to_owned())).to_vec()
    }

    #[test]
    fn names_may_hold_blanks() {
        let data = "7 Calibration task 11 DEFAULT 12 FLUSH";
        assert_eq!(list(data), named([(7, "Calibration task"), (11, "DEFAULT"), (12, "FLUSH")]));
        assert!(!tasks(data).ambiguous);
        assert_eq!(list("7 Calibration task 11 TEST"), named([(7, "Calibration task"), (11, "TEST")]));
    }

    #[test]
    fn a_number_that_can_only_be_a_name_is_one() {
        assert_eq!(list("11 5 12 FLUSH"), named([(11, "5"), (12, "FLUSH")]));
        assert!(!tasks("11 5 12 FLUSH").ambiguous);
        assert_eq!(list("11 Soil 2024"), named([(11, "Soil 2024")]));
    }

    #[test]
    fn numbers_in_names_make_a_list_ambiguous() {
        let data = "11 Soil 2024 run 12 FLUSH";
        assert_eq!(list(data), named([(11, "Soil 2024 run"), (12, "FLUSH")]));
        assert!(tasks(data).ambiguous);
        assert_eq!(tasks(data).find("Soil 2024 run"), [11]);
        assert_eq!(tasks(data).find("flush"), [12]);
        assert_eq!(tasks(data).find("run"), [2024]);
        assert_eq!(tasks(data).find("2024"), [2024]);
        assert!(tasks("12 FLUSH 7 Calibration").ambiguous, "the ids do not ascend");
        assert_eq!(tasks("12 FLUSH 7 Calibration").find("Calibration"), [7]);
    }

    #[test]
    fn quoted_names_leave_no_doubt() {
        let data = "11 \"Soil 2024 run\" 12 FLUSH";
        assert_eq!(list(data), named([(11, "Soil 2024 run"), (12, "FLUSH")]));
        assert!(!tasks(data).ambiguous);
        assert_eq!(tasks(data).find("Soil 2024 run"), [11]);
    }

    #[test]
    fn a_task_without_a_name_is_found_by_its_id() {
        let tasks = tasks("11 \"\" 12 FLUSH");
        assert_eq!(list("11 \"\" 12 FLUSH"), named([(12, "FLUSH")]));
        assert_eq!((tasks.find("11"), tasks.find("flush")), (vec![11], vec![12]));
        assert_eq!(tasks.find(""), [0_u32; 0]);
    }

    #[test]
    fn a_task_is_found_by_its_name_before_its_id() {
        let tasks = tasks("5 Default 11 5 12 default 13 DEFAULT");
        assert_eq!(tasks.find("5"), [11]);
        assert_eq!(tasks.find("default"), [12]);
        assert_eq!(tasks.find("dEFAULT"), [5, 12, 13]);
        assert_eq!(tasks.find("13"), [13]);
        assert_eq!(tasks.find("14"), [0_u32; 0]);
    }

    #[test]
    fn no_tasks_is_an_empty_list_and_anything_else_is_none() {
        assert_eq!(Tasks::read(" "), Some(Tasks::default()));
        for data in ["DEFAULT", "11", "DEFAULT 11 x", "x 1"] {
            assert_eq!(Tasks::read(data), None, "{data}");
        }
    }

    #[test]
    fn a_list_full_of_numbers_is_read_in_reasonable_time() {
        let data = "1 a ".repeat(MOST_NUMBERS);
        assert_eq!(tasks(&data).list.len(), 1);
        assert_eq!(Tasks::read(&"1 a ".repeat(MOST_NUMBERS + 1)), None);
    }
}
