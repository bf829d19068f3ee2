//! What somebody probably meant.

/// Of the names the one that is written nearly so.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = wanted.to_lowercase();
    let near = names.map(|name| (distance(&folded, &name.to_lowercase()), name));
    let (distance, name) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= wanted.chars().count().div_ceil(3).min(3)).then_some(name)
}

/// Also of the beginning of a name: a run may be named by it.
fn distance(wanted: &str, name: &str) -> usize {
    let length = wanted.chars().count();
    let beginning: String = name.chars().take(length).collect();
    let of_beginning = if length >= 4 { strsim::damerau_levenshtein(wanted, &beginning) } else { usize::MAX };
    strsim::damerau_levenshtein(wanted, name).min(of_beginning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognized_and_another_name_is_not() {
        let near = |wanted: &str| nearest(wanted, ["weekly", "daily", "01KAHRUN5Q"].into_iter());
        assert_eq!(near("wekly"), Some("weekly"));
        assert_eq!(near("Dayly"), Some("daily"));
        assert_eq!(near("01KAHRNU"), Some("01KAHRUN5Q"));
        assert_eq!(near("01KBHRUN"), Some("01KAHRUN5Q"));
        assert_eq!(near("monthly"), None);
        assert_eq!(near("x"), None);
        assert_eq!(nearest("x", std::iter::empty()), None);
    }
}
