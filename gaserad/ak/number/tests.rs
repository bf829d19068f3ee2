//! Every notation of every number, and texts that are none.

use proptest::prelude::*;

use super::*;

fn alone(text: &str) -> Result<(f64, bool), Flaw> {
    read(text, Marks::of([text].into_iter()))
}

/// The numbers of one reply.
fn together(texts: &[&str]) -> Vec<Result<f64, Flaw>> {
    let marks = Marks::of(texts.iter().copied());
    texts.iter().map(|text| read(text, marks).map(|(ppm, _)| ppm)).collect()
}

#[test]
fn a_number_is_read_in_every_notation() {
    for (text, ppm) in [
        ("5.2", 5.2),
        ("+5.0", 5.0),
        ("-0.25", -0.25),
        ("\u{2212}0.25", -0.25),
        (".5", 0.5),
        ("5.", 5.0),
        ("4E2", 400.0),
        ("4.1e+02", 410.0),
        ("4,1E-02", 0.041),
        ("1.5D+03", 1500.0),
        ("500,003", 500.003),
        ("0,919439", 0.919_439),
        ("7125,4", 7125.4),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1,234,567", 1_234_567.0),
        ("1.234.567", 1_234_567.0),
        ("-1.234.567,25", -1_234_567.25),
        ("1\u{2009}234.5", 1234.5),
        ("1\u{202f}234,5", 1234.5),
        ("1\u{a0}234", 1234.0),
        ("1'234.5", 1234.5),
        ("12\u{2019}345\u{2019}678", 12_345_678.0),
        ("5.2ppm", 5.2),
        ("5.2PPM", 5.2),
        ("5,2ppmv", 5.2),
        ("5.2\u{a0}ppm", 5.2),
        ("5200ppb", 5.2),
        ("0.04%", 400.0),
        ("4e2ppm", 400.0),
        ("\"5.2\"", 5.2),
    ] {
        assert_eq!(alone(text), Ok((ppm, false)), "{text}");
    }
    assert_eq!(alone("#12.5"), Ok((12.5, true)));
    assert_eq!(alone("#-1E-3"), Ok((-0.001, true)));
}

#[test]
fn a_text_that_can_mean_two_numbers_is_none() {
    assert_eq!(together(&["500,003", "0.919"]), [Err(Flaw::Unreadable), Ok(0.919)]);
    assert_eq!(together(&["500,003", "1,234.5"]), [Err(Flaw::Unreadable), Ok(1234.5)]);
    assert_eq!(together(&["500.003", "0,919"]), [Err(Flaw::Unreadable), Ok(0.919)]);
    assert_eq!(together(&["500.003", "1.234,5"]), [Err(Flaw::Unreadable), Ok(1234.5)]);
    assert_eq!(together(&["500,003", "2,000", "7125,400"]), [Ok(500.003), Ok(2.0), Ok(7125.4)]);
    assert_eq!(together(&["500.003", "2.000"]), [Ok(500.003), Ok(2.0)]);
    assert_eq!(together(&["500,003", "OVER", "7"]), [Ok(500.003), Err(Flaw::OverRange), Ok(7.0)]);
}

#[test]
fn a_text_that_is_no_number_is_unreadable() {
    for text in [
        "",
        "#",
        "##1",
        "#NaN",
        "NaN",
        "nan(ind)",
        "-nan",
        "NULL",
        "NA",
        "N/A",
        "---",
        "****",
        "1.#QNAN",
        "1.#R",
        "-1.#IND",
        "-1.#J",
        "1.2.3",
        "1,2,3",
        "12,34.5",
        "1,234,56",
        "1.234,567.8",
        "1'23",
        "1'234,567.8",
        "5 2",
        "5.2mg/m3",
        "5.2ppt",
        "0x1F",
        "1e",
        "1e+",
        "e5",
        "5.2*",
        "+-5",
        "--5",
        "-",
        "+",
        ".",
        ",",
        "(5.2)",
        "1_000",
        "OOR",
        "½",
        "٥",
        "5\u{fffd}2",
        ">x",
        "ppm",
        "%",
    ] {
        assert_eq!(alone(text), Err(Flaw::Unreadable), "{text}");
    }
}

#[test]
fn a_word_or_a_bound_beyond_the_range_says_on_which_side() {
    for text in [
        "OVER",
        "over",
        "#OVER",
        "OVER-RANGE",
        "over_range",
        "OVERRANGE",
        "Ovr",
        "O.L.",
        "HIGH",
        "INF",
        "inf",
        "+inf",
        "Infinity",
        "1.#INF",
        "1.#INF00",
        "1,#INF",
        "1.#J",
        "1.#IO",
        ">5000",
        ">=5000",
        "\u{2265}5e3",
        "> 5000ppm",
        ">",
        ">MAX",
        "1e999",
    ] {
        assert_eq!(alone(text), Err(Flaw::OverRange), "{text}");
    }
    for text in ["UNDER", "under-range", "LOW", "-inf", "-1.#INF", "-OVER", "<0.1", "<=0,1", "<LOD", "<", "-1e999"] {
        assert_eq!(alone(text), Err(Flaw::UnderRange), "{text}");
    }
}

/// The thousands of a decimal text apart, as a locale would.
fn apart(text: &str, group: &str, decimal: &str) -> String {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut groups: Vec<String> = Vec::new();
    let mut rest = whole;
    while rest.len() > 3 {
        let (more, last) = rest.split_at(rest.len() - 3);
        groups.insert(0, last.to_owned());
        rest = more;
    }
    groups.insert(0, rest.to_owned());
    format!("{sign}{}{decimal}{fraction}", groups.join(group))
}

proptest! {
    #[test]
    fn a_number_reads_back_in_every_notation(number in prop_oneof![
        prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::NEGATIVE,
        -1e7..1e7_f64,
        (-10_000_000..10_000_000_i32).prop_map(|thousandths| f64::from(thousandths) / 1e3),
    ]) {
        prop_assume!(number.is_finite());
        let plain = format!("{number}");
        let mut notations = vec![
            plain.clone(),
            plain.replace('.', ","),
            plain.replace('-', "\u{2212}"),
            format!("{number:e}"),
            format!("{number:E}").replace('.', ","),
            format!("{number:E}").replace('E', "D"),
            format!("{plain}ppm"),
            format!("{plain}\u{2009}ppm"),
            format!("\"{plain}\""),
            apart(&plain, "\u{202f}", ","),
            apart(&plain, "\u{a0}", "."),
            apart(&plain, "\u{2019}", "."),
        ];
        if number.is_sign_positive() {
            notations.push(format!("+{plain}"));
        }
        for (group, decimal) in [(",", "."), (".", ",")] {
            notations.push(apart(&plain, group, decimal));
        }
        for text in notations {
            prop_assert_eq!(alone(&text), Ok((number, false)), "{}", text);
            let restricted = format!("#{text}");
            prop_assert_eq!(alone(&restricted), Ok((number, true)), "{}", restricted);
        }
    }

    #[test]
    fn any_text_is_a_finite_number_or_says_why_not(text in ".{0,24}", other in "[0-9.,#eE+<> a-z\u{a0}'-]{0,12}") {
        for text in [text.as_str(), other.as_str()] {
            let marks = Marks::of([text, other.as_str()].into_iter());
            if let Ok((ppm, _)) = read(text, marks) {
                prop_assert!(ppm.is_finite());
            }
        }
    }
}
