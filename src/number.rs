//! Numbers and text, small: the standard library's own reading of doubles weighs more than the rest of a decision.

/// The most significant digits that a double holds exactly together with a power of ten up to 22.
const DIGITS: u32 = 15;

/// Reads a decimal number such as `-12.345`. Digits past the fifteenth significant one are dropped; what is read is exact
/// before them (Clinger, "How to Read Floating Point Numbers Accurately", the fast path). `None` for exponents, more than
/// 22 decimal places or anything else that is no such number.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || fraction.len() > 22 || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut mantissa, mut significant, mut dropped) = (0u64, 0, 0);
    for digit in digits() {
        if significant < DIGITS {
            mantissa = mantissa * 10 + u64::from(digit - b'0');
            significant += u32::from(mantissa > 0);
        } else {
            dropped += 1;
        }
    }
    let exponent = dropped - fraction.len() as i32;
    if exponent > 22 {
        return None;
    }
    let power = power_of_ten(exponent.unsigned_abs());
    let value = if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power };
    Some(if negative { -value } else { value })
}

/// Exact up to 10^22.
fn power_of_ten(exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * 10.0)
}

/// Appends a whole number in decimal.
pub(crate) fn push_int(out: &mut String, number: i64) {
    let mut digits = [0u8; 20];
    let mut rest = number.unsigned_abs();
    let mut count = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.extend(digits.iter().skip(20 - count).map(|digit| *digit as char));
}

/// Appends a number rounded to that many decimals (at most 6, half away from zero), all of them written. Says whether it
/// could: numbers of more than 15 digits are not written.
pub(crate) fn push_fixed(out: &mut String, number: f64, decimals: u32) -> bool {
    let scale = 10u64.pow(decimals.min(6));
    let scaled = number.abs() * scale as f64;
    if scaled.is_nan() || scaled >= 1e15 {
        return false;
    }
    let rounded = (scaled + 0.5) as u64;
    if number < 0.0 && rounded > 0 {
        out.push('-');
    }
    push_int(out, (rounded / scale) as i64);
    let (mut rest, mut place) = (rounded % scale, scale / 10);
    if place > 0 {
        out.push('.');
    }
    while place > 0 {
        out.push((b'0' + (rest / place) as u8) as char);
        rest %= place;
        place /= 10;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_the_standard_library_reads(whole in -999_999i64..999_999, fraction in 0u32..1_000_000, places in 0usize..7) {
            let text = if places == 0 { whole.to_string() } else { format!("{whole}.{:0places$}", fraction % 10u32.pow(places as u32)) };
            prop_assert_eq!(parse_double(&text), text.parse().ok(), "{}", text);
        }

        #[test]
        fn writes_what_the_standard_library_writes(number: i64) {
            let mut text = String::new();
            push_int(&mut text, number);
            prop_assert_eq!(text, number.to_string());
        }

        #[test]
        fn long_numbers_stay_near(number in -180.0f64..180.0) {
            let text = format!("{number:.17}");
            prop_assert!((parse_double(&text).unwrap() - number).abs() <= number.abs() * 1e-14);
        }
    }

    #[test]
    fn writes_decimals() {
        let cases = [
            (48.8566, 2, "48.86"),
            (-2.3522, 2, "-2.35"),
            (2.0, 2, "2.00"),
            (0.996, 2, "1.00"),
            (-0.004, 2, "0.00"),
            (0.05, 1, "0.1"),
            (-0.5, 0, "-1"),
            (179.999_999_9, 6, "180.000000"),
            (7.0, 0, "7"),
            (0.0, 3, "0.000"),
            (123_456.007, 2, "123456.01"),
            (0.000_001, 6, "0.000001"),
        ];
        for (number, decimals, text) in cases {
            let mut out = String::new();
            assert!(push_fixed(&mut out, number, decimals), "{number}");
            assert_eq!(out, text, "{number}");
        }
        for bad in [1e15, -1e300, f64::NAN, f64::INFINITY] {
            assert!(!push_fixed(&mut String::new(), bad, 2), "{bad}");
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for bad in ["", "-", ".", "1e5", "NaN", "inf", "1.2.3", "1,5", " 1", "0x1", "--1", "٣", &"9".repeat(400)] {
            assert_eq!(parse_double(bad), None, "{bad}");
        }
        assert_eq!(parse_double("-.5"), Some(-0.5));
        assert_eq!(parse_double("7."), Some(7.0));
        for (number, text) in [(0, "0"), (i64::MIN, "-9223372036854775808"), (i64::MAX, "9223372036854775807")] {
            let mut out = String::new();
            push_int(&mut out, number);
            assert_eq!(out, text);
        }
    }
}
