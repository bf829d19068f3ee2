//! The analyzer's system parameters: about a hundred, some without limits or without a unit.

/// Name, value, least, greatest, unit.
const NAMED: [[&str; 5]; 18] = [
    ["AllowNegResults", "1", "0", "1", "NULL"],
    ["CellPressure", "850.3", "NULL", "NULL", "mbar"],
    ["CellTemp", "45.02", "NULL", "NULL", "degC"],
    ["CellTempSetPoint", "45", "20", "60", "degC"],
    ["ChopperFrequency", "71.4", "NULL", "NULL", "Hz"],
    ["DatabaseVersion", "12", "NULL", "NULL", "NULL"],
    ["FlushBypassTime", "1", "0", "600", "s"],
    ["FlushCellTime", "1", "0", "600", "s"],
    ["HousingTemp", "31.7", "NULL", "NULL", "degC"],
    ["InletFilter", "NULL", "NULL", "NULL", "NULL"],
    ["MicGain", "12", "0", "31", "dB"],
    ["PumpRate", "100", "0", "100", "%"],
    ["SourceIntensity", "0.982", "0", "1.5", "NULL"],
    ["SourceVoltage", "11.9", "0", "15", "V"],
    ["StoreRawSpectra", "0", "0", "1", "NULL"],
    ["UsageTimeMeasure", "1234", "NULL", "NULL", "h"],
    ["UsageTimePump", "1310", "NULL", "NULL", "h"],
    ["UsageTimeSource", "2204", "NULL", "NULL", "h"],
];
/// So many filters, with so many parameters each.
const FILTERS: usize = 10;
const OF_FILTER: [[&str; 5]; 8] = [
    ["Position", "0", "0", "9", "NULL"],
    ["CenterWavelength", "7.85", "NULL", "NULL", "um"],
    ["Bandwidth", "0.12", "NULL", "NULL", "um"],
    ["IntegrationTime", "5", "0.5", "50", "s"],
    ["Gain", "1", "0.5", "2", "NULL"],
    ["Offset", "0", "-10", "10", "uPa"],
    ["LowLimit", "NULL", "NULL", "NULL", "ppm"],
    ["HighLimit", "NULL", "NULL", "NULL", "ppm"],
];

/// Name, value, least, greatest and unit of each.
fn all() -> impl Iterator<Item = (String, [&'static str; 4])> {
    let named = NAMED.into_iter().map(|[name, rest @ ..]| (name.to_owned(), rest));
    let of_filter = (1..=FILTERS)
        .flat_map(|filter| OF_FILTER.map(|[name, rest @ ..]| (format!("Filter{filter:02}{name}"), rest)).into_iter());
    named.chain(of_filter)
}

/// As ASYP gives them.
pub(super) fn list() -> String {
    let entry = |(name, fields): (String, [&str; 4])| format!("{name},{}", fields.join(","));
    all().map(entry).collect::<Vec<_>>().join(" ")
}

/// As APAR finds one, in whatever letters its name is written.
pub(super) fn find(wanted: &str) -> Option<&'static str> {
    all().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, [value, ..])| value)
}
