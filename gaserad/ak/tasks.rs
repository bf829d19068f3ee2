//! The analyzer's list of tasks, whose names stand unquoted between the ids and may hold digits and blanks.
//!
//! `11 Soil 2024 run 12 FLUSH` can be read in more than one way. Of all readings with ascending ids the one with the
//! most tasks is taken; if there are several, the list is ambiguous and every candidate is kept, to be confirmed with
//! the analyzer before it is believed.

/// Numbers behind this many in a list of tasks are taken as parts of names.
const MOST_NUMBERS: usize = 14;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub id: u32,
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tasks {
    /// Of an ambiguous list, those of every reading.
    pub list: Vec<Task>,
    pub ambiguous: bool,
}

impl Tasks {
    /// `None` if it is no list of tasks at all.
    pub fn parse(data: &str) -> Option<Self> {
        if data.trim().is_empty() {
            return Some(Self::default());
        }
        if data.contains('"') {
            return quoted(data).map(|list| Self { list, ambiguous: false });
        }
        let words: Vec<&str> = data.split_whitespace().collect();
        let readings = best_readings(&words);
        let ambiguous = readings.len() > 1;
        let mut list: Vec<Task> = Vec::new();
        for task in readings.into_iter().flatten() {
            if !list.contains(&task) {
                list.push(task);
            }
        }
        (!list.is_empty()).then_some(Self { list, ambiguous })
    }

    /// By name, by name in other letters, or by id.
    pub fn find(&self, wanted: &str) -> Option<&Task> {
        let by = |test: &dyn Fn(&Task) -> bool| self.list.iter().find(|task| test(task));
        by(&|task| task.name == wanted)
            .or_else(|| by(&|task| task.name.eq_ignore_ascii_case(wanted)))
            .or_else(|| by(&|task| wanted.parse() == Ok(task.id)))
    }
}

/// `7 "Calibration task" 11 "TEST"`
fn quoted(data: &str) -> Option<Vec<Task>> {
    let parts: Vec<&str> = data.split('"').collect();
    let pairs =
        parts.chunks_exact(2).map(|pair| Some(Task { id: pair[0].trim().parse().ok()?, name: pair[1].to_owned() }));
    pairs.collect()
}

fn best_readings(words: &[&str]) -> Vec<Vec<Task>> {
    let starts: Vec<usize> =
        (0..words.len().saturating_sub(1)).filter(|at| words[*at].parse::<u32>().is_ok()).collect();
    if starts.first() != Some(&0) {
        return Vec::new();
    }
    // Each further number may begin a task or belong to a name.
    let optional = &starts[1..starts.len().min(MOST_NUMBERS + 1)];
    let masks = 0_u32..1 << optional.len();
    let mut best: Vec<Vec<Task>> = Vec::new();
    for mask in masks {
        let chosen = optional.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, at)| *at);
        let Some(reading) = read(words, &std::iter::once(0).chain(chosen).collect::<Vec<usize>>()) else { continue };
        let most = best.first().map_or(0, Vec::len);
        if reading.len() > most {
            best.clear();
        }
        if reading.len() >= most {
            best.push(reading);
        }
    }
    best
}

/// The tasks that begin at these words, if each has a name and the ids ascend.
fn read(words: &[&str], starts: &[usize]) -> Option<Vec<Task>> {
    let ends = starts.iter().skip(1).copied().chain([words.len()]);
    let tasks = starts.iter().zip(ends).map(|(start, end)| {
        let name = words[start + 1..end].join(" ");
        (!name.is_empty()).then_some(Task { id: words[*start].parse().ok()?, name })
    });
    let tasks: Vec<Task> = tasks.collect::<Option<_>>()?;
    tasks.is_sorted_by(|one, next| one.id < next.id).then_some(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(data: &str) -> Vec<(u32, String)> {
        Tasks::parse(data).unwrap().list.into_iter().map(|task| (task.id, task.name)).collect()
    }

    fn pair(id: u32, name: &str) -> (u32, String) {
        (id, name.into())
    }

    #[test]
    fn names_may_hold_blanks() {
        assert_eq!(list("7 Calibration task 11 TEST"), [pair(7, "Calibration task"), pair(11, "TEST")]);
        assert_eq!(list("7 Calibration task 11 DEFAULT 12 FLUSH").len(), 3);
        assert_eq!(list("11 5 12 FLUSH"), [pair(11, "5"), pair(12, "FLUSH")]);
        assert_eq!(list("7 \"Calibration task\" 11 \"TEST\""), [pair(7, "Calibration task"), pair(11, "TEST")]);
    }

    #[test]
    fn names_with_numbers_can_be_ambiguous_and_that_is_said() {
        let tasks = Tasks::parse("11 Soil 2024 run 12 FLUSH").unwrap();
        assert!(tasks.ambiguous);
        assert_eq!(tasks.find("Soil 2024 run").map(|task| task.id), Some(11));
        assert_eq!(tasks.find("flush").map(|task| task.id), Some(12));
    }

    #[test]
    fn no_tasks_and_no_list() {
        assert_eq!(list(""), []);
        assert_eq!(Tasks::parse("no list"), None);
        assert_eq!(Tasks::parse("5"), None);
    }

    #[test]
    fn a_list_full_of_numbers_takes_no_time() {
        let endless: Vec<String> = (1..2000).map(|number| number.to_string()).collect();
        assert!(Tasks::parse(&endless.join(" ")).is_some_and(|tasks| tasks.list.len() <= 2000));
    }
}
