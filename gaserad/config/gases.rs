//! The rules of `[gases]`: each gas is called by its CAS number or, if it is known, by its formula.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::keys::GasTimes;
use super::kind::{ValueKind, custom, name, number, quoted};
use super::section::{Section, Source, suggestion};
use super::table::{Keys, join};
use crate::domain::gas::GASES;
use crate::domain::{Cas, GasFacts, GasTable};

/// What plans do otherwise for one gas, and how it is described.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GasSettings {
    pub times: GasTimes,
    pub facts: GasFacts,
}

join! { GasSettings { times: GasTimes, facts: GasFacts } }

/// `[gases]` of the configuration, where gases are described too.
pub(super) fn described(source: &Source<'_>, section: Section<'_>) -> BTreeMap<Cas, GasSettings> {
    each(source, section, "gases", |section, cas, others: &BTreeMap<Cas, GasSettings>| {
        let facts = GasFacts::read(section);
        if let Some(formula) = &facts.formula
            && let Some(other) = taken(formula, cas, others)
        {
            let place = section.place_of("formula").unwrap_or_default();
            section.wrong(
                &place,
                format!("formula {formula} is that of the gas {other}; a column needs a name of its own"),
            );
        }
        facts
    })
}

/// The other gas that has this formula.
fn taken(formula: &str, cas: &Cas, others: &BTreeMap<Cas, GasSettings>) -> Option<String> {
    let own = others.iter().find(|(_, other)| other.facts.formula.as_deref() == Some(formula));
    let known = GASES.iter().find(|gas| gas.formula.eq_ignore_ascii_case(formula)).map(|gas| gas.cas);
    own.map(|(cas, _)| cas.0.as_str()).or(known).filter(|other| *other != cas.0).map(str::to_owned)
}

/// What is different for single gases in a plan. `table` is what the section is called.
pub(super) fn settings(source: &Source<'_>, section: Section<'_>, table: &str) -> BTreeMap<Cas, GasSettings> {
    each(source, section, table, |_, _, _| GasFacts::default())
}

fn each(
    source: &Source<'_>,
    section: Section<'_>,
    table: &str,
    describe: impl Fn(&mut Section<'_>, &Cas, &BTreeMap<Cas, GasSettings>) -> GasFacts,
) -> BTreeMap<Cas, GasSettings> {
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
        let times = GasTimes::read(&mut section);
        let facts = describe(&mut section, &cas, &gases);
        for row in GasSettings::rows() {
            source.rename(&format!("{table}.{name}.{}", row.key), format!("{}.{}", path(&cas), row.key));
        }
        section.finish();
        gases.insert(cas, GasSettings { times, facts });
    }
    gases
}

/// All gases, with what the settings say of some.
pub fn gas_table(gases: &BTreeMap<Cas, GasSettings>) -> GasTable {
    GasTable::new(gases.iter().map(|(cas, gas)| (cas.clone(), gas.facts.clone())))
}

pub(super) fn formula(text: &str) -> Result<String, String> {
    let shape = text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(|c| c.is_ascii_alphanumeric());
    let refused = || format!("is {text:?}; write it like \"C6H6\": letters and digits, at most 20");
    if shape && text.len() <= 20 { Ok(text.to_owned()) } else { Err(refused()) }
}

pub(super) fn color(text: &str) -> Result<String, String> {
    let digits =
        text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()));
    let refused = || format!("is {text:?}; write it like \"#1f77b4\"");
    digits.map(|_| text.to_owned()).ok_or_else(refused)
}

/// `{ CO2 = 400.0 }`: how much of which gas there is, ppm.
pub(super) fn reference() -> ValueKind<BTreeMap<Cas, f64>> {
    custom("table of gases, in ppm", read_reference, |contents: &BTreeMap<Cas, f64>| {
        let contents = contents.iter().map(|(cas, ppm)| format!("{} = {}", quoted(&cas.0), toml::Value::Float(*ppm)));
        format!("{{ {} }}", contents.collect::<Vec<_>>().join(", "))
    })
}

fn read_reference(value: &DeValue<'_>) -> Result<BTreeMap<Cas, f64>, String> {
    let DeValue::Table(table) = value else {
        return Err(format!(
            "is {}; write what the gas contains in ppm, like {{ CO2 = 400.0, CH4 = 1.9 }}",
            name(value)
        ));
    };
    let mut contents = BTreeMap::new();
    for (name, value) in table {
        let cas = cas(name.get_ref()).map_err(|complaint| format!("is wrong: {complaint}"))?;
        let ppm = number(value.get_ref()).filter(|ppm| (0.0..=1e6).contains(ppm));
        let ppm = ppm.ok_or_else(|| format!("gives {} no number of 0 to 1000000 ppm", name.get_ref()))?;
        if contents.insert(cas, ppm).is_some() {
            return Err(format!("names {} twice", name.get_ref()));
        }
    }
    Ok(contents)
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
