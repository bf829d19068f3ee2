//! What describes a measurement without changing it: gases, reference channels, the site.

use gasera::config::{gas_table, print_config};
use gasera::domain::{Cas, ChannelKind, Site};

use super::*;

const TEXT: &str = r##"
[channels.3]
label = "span gas"
kind = "span"
reference = { CO2 = 400, "74-82-8" = 1.9 }
[gases."71-43-2"]
formula = "C6H6"
name = "Benzene"
color = "#8c6d31"
molar_mass = 78.11
[gases.CO2]
color = "#000000"
[site]
name = "Barn 4"
lat = 52.4
altitude_m = -3
license = "CC-BY-4.0"
"##;

#[test]
fn gases_references_and_the_site_are_read_and_printed_again() {
    let settings = read(TEXT).unwrap();
    let span = &settings.channels[&Channel::new(3).unwrap()];
    assert_eq!(span.info.kind, ChannelKind::Span);
    let reference: Vec<_> = span.info.reference.iter().map(|(cas, ppm)| (cas.0.as_str(), *ppm)).collect();
    assert_eq!(reference, [("124-38-9", 400.0), ("74-82-8", 1.9)]);
    let table = gas_table(&settings.gases);
    let benzene = table.info(&Cas("71-43-2".into()));
    assert_eq!((benzene.label().as_str(), benzene.molar_mass_g_mol), ("Benzene (C₆H₆, 71-43-2)", Some(78.11)));
    let dioxide = table.info(&Cas("124-38-9".into()));
    assert_eq!((dioxide.color.as_str(), dioxide.column.as_str()), ("#000000", "co2_ppm"));
    assert_eq!((settings.site.lat, settings.site.altitude_m), (Some(52.4), Some(-3.0)));
    let again = read(&print_config(&settings)).unwrap();
    assert_eq!((again.channels, again.gases, again.site), (settings.channels, settings.gases, settings.site));
    assert_eq!(read("").unwrap().site, Site::default());
}

#[test]
fn what_cannot_be_is_told_with_its_place() {
    let text = r#"
[channels.1]
reference = { CO2 = 400.0 }
[channels.2]
kind = "target"
reference = { NH4 = 1.0 }
[channels.3]
kind = "target"
reference = { CO2 = -1.0 }
[channels.4]
kind = "zero"
reference = 3
[gases.CO2]
formula = "CH4"
color = "red"
[gases."71-43-2"]
formula = "c6h6"
[site]
lat = 91
place = "x"
"#;
    let found = mistakes(text);
    let expected = [
        "3:13: reference is for a channel whose kind is zero, span or target",
        "6:13: reference is wrong: NH4 is not a gas that is known here",
        "9:13: reference gives CO2 no number of 0 to 1000000 ppm",
        "12:13: reference is a number; write what the gas contains in ppm, like { CO2 = 400.0, CH4 = 1.9 }",
        "14:11: formula CH4 is that of the gas 74-82-8; a column needs a name of its own",
        "15:9: color is \"red\"; write it like \"#1f77b4\"",
        "17:11: formula is \"c6h6\"; write it like \"C6H6\"",
        "19:7: lat is out of range",
        "20:1: place is not a key of [site]",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(&format!("gaserad.toml:{expected}")), "{found}");
    }
}
