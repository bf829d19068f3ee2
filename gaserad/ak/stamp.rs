//! The time stamp of a result, however its firmware prints it: pure.

/// In the unit of [`read_stamp`].
pub(super) const SECOND: i64 = 1_000_000;
/// 9999-12-31T23:59:59Z. A larger number is no time stamp in seconds.
const LATEST: i64 = 253_402_300_799;
/// Of a stamp in milliseconds, microseconds and nanoseconds, from 2001 to 2286; and what one of each is of a second.
const FINER: [(usize, i128); 3] = [(13, 1_000), (16, 1_000_000), (19, 1_000_000_000)];

/// Microseconds since the epoch. Seconds, with a fraction or without, or in exponent notation; milliseconds and finer as
/// whole numbers of so many digits; a date and a time in UTC.
pub(super) fn read_stamp(text: &str) -> Option<i64> {
    let micros = of_number(text).or_else(|| of_date(text))?;
    (0..=LATEST * SECOND + SECOND - 1).contains(&micros).then_some(micros)
}

fn of_number(text: &str) -> Option<i64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?),
        None => (text, 0_usize),
    };
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    // Where the seconds are rounded away, one stamp would be that of many results.
    let (shifted, fraction) = fraction.split_at_checked(exponent)?;
    let whole = format!("{whole}{shifted}");
    let number: i128 = whole.parse().ok()?;
    if number <= i128::from(LATEST) {
        let fraction: String = fraction.chars().chain("000000".chars()).take(6).collect();
        return i64::try_from(number * i128::from(SECOND) + fraction.parse::<i128>().ok()?).ok();
    }
    let length = whole.trim_start_matches('0').len();
    let (_, of_a_second) = FINER.into_iter().find(|(digits, _)| *digits == length)?;
    i64::try_from(number * i128::from(SECOND) / of_a_second).ok()
}

/// As ACLK has it.
fn of_date(text: &str) -> Option<i64> {
    let time = text.trim_end_matches('Z').parse::<jiff::civil::DateTime>().ok()?;
    let shaped = text.contains(['T', 't']) && text.contains(':');
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    shaped.then(|| zoned.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: i64 = 1_706_785_295;

    #[test]
    fn a_stamp_is_read_in_every_notation() {
        for (text, micros) in [
            ("1706785295", STAMP * SECOND),
            ("+1706785295", STAMP * SECOND),
            ("1706785295.0", STAMP * SECOND),
            ("1706785295.", STAMP * SECOND),
            ("1706785295.25", STAMP * SECOND + 250_000),
            ("1706785295,25", STAMP * SECOND + 250_000),
            ("1706785295.123456789", STAMP * SECOND + 123_456),
            ("1.706785295e9", STAMP * SECOND),
            ("1.70678529525E+09", STAMP * SECOND + 250_000),
            ("1706785295250", STAMP * SECOND + 250_000),
            ("1706785295250.5", STAMP * SECOND + 250_000),
            ("1706785295250123", STAMP * SECOND + 250_123),
            ("1706785295250123456", STAMP * SECOND + 250_123),
            ("2024-02-01T11:01:35", STAMP * SECOND),
            ("2024-02-01T11:01:35.25Z", STAMP * SECOND + 250_000),
            ("0", 0),
            ("10", 10 * SECOND),
        ] {
            assert_eq!(read_stamp(text), Some(micros), "{text}");
        }
    }

    #[test]
    fn what_is_no_stamp_or_lost_its_seconds_is_none() {
        for text in [
            "",
            "-5",
            "x",
            "1.7068e9",
            "1.70679E+09",
            "1e400",
            "1706785295-",
            "74-82-8",
            "0x65bb",
            "17067852952501",
            "nan",
            "1.2.3",
            "99999999999999999999",
            "253402300800",
            "2024-02-01",
            "11:01:35",
            "yesterday",
            "1e-3",
            "+",
        ] {
            assert_eq!(read_stamp(text), None, "{text}");
        }
    }
}
