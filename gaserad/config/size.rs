//! Sizes as people write them: `500MB`, `20GB`, `1.5TB`, `16GiB`.

const UNITS: [(&str, u64); 9] = [
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Bytes; what is wrong goes on after the name of what was read.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let refused = || format!("is {text:?}; write a size with its unit, like \"500MB\", \"20GB\" or \"1.5TB\"");
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(refused)?;
    let (number, unit) = (&text[..end], text[end..].trim());
    let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(refused)?.1;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().map_err(|_| refused())?;
    if fraction.len() > 9 {
        return Err(refused());
    }
    let places = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let part: u64 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| refused())? };
    let part = u128::from(part) * u128::from(unit) / u128::from(places);
    let whole = whole.checked_mul(unit).ok_or_else(refused)?;
    whole.checked_add(u64::try_from(part).map_err(|_| refused())?).ok_or_else(refused)
}

/// The same bytes in the largest unit of which it is a whole number.
pub(super) fn format(bytes: u64) -> String {
    let fits = |(_, unit): &&(&str, u64)| bytes >= *unit && bytes.is_multiple_of(*unit);
    let (name, unit) = UNITS.iter().find(fits).unwrap_or(&("B", 1));
    format!("{}{name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_reads_back_as_it_is_written_out() {
        for (text, bytes) in [
            ("20GB", 20_000_000_000),
            ("500 mb", 500_000_000),
            ("1.5TB", 1_500_000_000_000),
            ("16GiB", 17_179_869_184),
            ("0.25kB", 250),
            ("0B", 0),
            ("7B", 7),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
            assert_eq!(parse(&format(bytes)), Ok(bytes), "{}", format(bytes));
        }
        assert_eq!((format(20_000_000_000), format(1 << 34)), ("20GB".to_owned(), "16GiB".to_owned()));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in ["", "20", "GB", "-1GB", "1..5GB", "20 bananas", "99999999999TB", ".5GB", "1.0000000001GB"] {
            assert!(parse(text).unwrap_err().contains("20GB"), "{text}");
        }
    }
}
