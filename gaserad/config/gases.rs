//! `[gases]`: what is different for single gases. Each is called by its CAS number or, if it is known, by its formula.

use std::collections::BTreeMap;

use super::section::{Section, Source, suggestion};
use super::settings::GasSettings;
use crate::domain::gas::GASES;
use crate::domain::{Cas, Plan};

/// `table` is what the section is called.
pub(super) fn settings(source: &Source<'_>, section: Section<'_>, table: &str) -> BTreeMap<Cas, GasSettings> {
    let mut gases = BTreeMap::new();
    let mut names: BTreeMap<Cas, &str> = BTreeMap::new();
    for (name, mut section) in section.sections() {
        let cas = match cas(name) {
            Ok(cas) => cas,
            Err(complaint) => {
                section.wrong_here(complaint);
                continue;
            }
        };
        if let Some(other) = names.insert(cas.clone(), name) {
            section.wrong_here(format!("{name} is the gas of [{table}.{other}] too"));
        }
        let discard_first = section.integer("discard_first", 0, 0..=Plan::MAX_DISCARD);
        source.rename(&format!("{table}.{name}.discard_first"), format!("{}.discard_first", path(&cas)));
        section.finish();
        gases.insert(cas, GasSettings { discard_first });
    }
    gases
}

/// How the section of a gas is called, however it was written.
pub(super) fn path(cas: &Cas) -> String {
    format!("gases.\"{cas}\"")
}

fn cas(name: &str) -> Result<Cas, String> {
    if let Some(gas) = GASES.iter().find(|gas| gas.formula.eq_ignore_ascii_case(name)) {
        return Ok(Cas(gas.cas.to_owned()));
    }
    if let Some(end) = check_digit(name) {
        let refused = || format!("{name} is not a CAS number: one that begins like this ends in {end}");
        return if name.ends_with(end) { Ok(Cas(name.to_owned())) } else { Err(refused()) };
    }
    let formulas = GASES.map(|gas| gas.formula);
    let hint = suggestion(name, &formulas);
    Err(format!(
        "{name} is not a gas that is known here; write its CAS number, like \"7664-41-7\", or its formula: {hint}"
    ))
}

/// The digit that a CAS number must end in; `None` if this is not the shape of one.
fn check_digit(name: &str) -> Option<char> {
    let parts: Vec<&str> = name.split('-').collect();
    let [first, second, last] = parts[..] else { return None };
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let shape =
        (2..=7).contains(&first.len()) && second.len() == 2 && last.len() == 1 && parts.iter().all(|part| digits(part));
    let weighted = (1..).zip(first.chars().chain(second.chars()).rev());
    let sum: u32 = weighted.map(|(weight, digit)| weight * digit.to_digit(10).unwrap_or(0)).sum();
    char::from_digit(sum % 10, 10).filter(|_| shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_in_the_table_ends_as_it_must() {
        for gas in GASES {
            assert_eq!(cas(gas.cas), Ok(Cas(gas.cas.into())), "{}", gas.name);
            assert_eq!(cas(gas.formula), Ok(Cas(gas.cas.into())));
        }
    }

    #[test]
    fn a_gas_need_not_be_known_but_its_number_must_be_one() {
        assert_eq!(cas("71-43-2"), Ok(Cas("71-43-2".into())));
        assert!(cas("71-43-3").unwrap_err().contains("ends in 2"));
        assert!(cas("NH4").unwrap_err().contains("did you mean NH3?"));
        for name in ["xyz", "", "71-432", "1-43-2", "7a-43-2"] {
            assert!(cas(name).is_err(), "{name}");
        }
    }
}
