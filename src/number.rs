//! Numbers and text, small: the standard library's own reading and writing of doubles weighs more than a whole decision.

use crate::text::push;
use std::cmp::Ordering;

/// The most significant digits that a double holds exactly together with a power of ten up to 22.
const DIGITS: usize = 15;
/// Digits that are read; one more that is not zero stands for all behind them. No double's exact middle to the next has more.
const MOST_DIGITS: usize = 800;

/// Reads digits and nothing else.
pub(crate) fn parse_digits(text: &str) -> Option<u64> {
    digits_of(text.as_bytes())
}

/// As [`parse_digits`]: parts of bytes are taken without asking where characters begin.
#[inline(never)]
pub(crate) fn digits_of(text: &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for byte in text {
        let digit = u64::from(byte.wrapping_sub(b'0'));
        if digit > 9 || number > (u64::MAX - digit) / 10 {
            return None;
        }
        number = number * 10 + digit;
    }
    (!text.is_empty()).then_some(number)
}

/// Reads a whole number that is not negative, as the standard library does.
pub(crate) fn parse_uint(text: &str) -> Option<u64> {
    parse_digits(text.strip_prefix("+").unwrap_or(text))
}

/// Reads a whole number, as the standard library does.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    match text.strip_prefix("-") {
        Some(digits) => parse_digits(digits).filter(|number| *number <= 1 << 63).map(|number| (number as i64).wrapping_neg()),
        None => parse_uint(text).and_then(|number| i64::try_from(number).ok()),
    }
}

/// Reads a decimal number such as `-12.345` or `6.02e23`, rounded to the nearest double, halves to the even one (IEEE 754).
/// `None` for anything else, and for numbers too large for a double.
pub(crate) fn parse_double(text: &str) -> Option<f64> {
    let (negative, mut rest) = signed(text.as_bytes());
    let mut digits = Vec::new();
    let (mut any, mut point, mut power) = (false, false, 0i32);
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'0'..=b'9' => {
                any = true;
                power = power.saturating_sub(i32::from(point));
                if digits.len() < MOST_DIGITS {
                    if *byte > b'0' || !digits.is_empty() {
                        digits.push(byte - b'0');
                    }
                } else {
                    power = power.saturating_add(1);
                    if let Some(last) = digits.last_mut() {
                        // Whatever is dropped is no exact half.
                        *last |= u8::from(*byte > b'0');
                    }
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' => {
                power = power.saturating_add(parse_exponent(rest)?);
                rest = b"";
            }
            _ => return None,
        }
    }
    let value = if any { nearest(&digits, power)? } else { return None };
    Some(if negative { -value } else { value })
}

/// Whether a number is negative, and what is behind its sign.
pub(crate) fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = signed(text);
    let mut number = 0i32;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Beyond any double, whatever digits stand before it in a text of a reasonable length.
        number = (number * 10 + i32::from(digit)).min(1_000_000);
    }
    (!digits.is_empty()).then_some(if negative { -number } else { number })
}

/// The double nearest to `digits` times ten to the `power`; `None` when it is infinite.
fn nearest(digits: &[u8], power: i32) -> Option<f64> {
    let size = power.saturating_add(digits.len() as i32);
    if digits.is_empty() || size < -330 {
        return Some(0.0);
    }
    if size > 310 {
        return None;
    }
    if digits.len() <= DIGITS && power.unsigned_abs() <= 22 {
        let head = digits.iter().fold(0u64, |number, digit| number * 10 + u64::from(*digit));
        // Exact (Clinger, "How to Read Floating Point Numbers Accurately", the fast path).
        let scale = power_of_ten(power.unsigned_abs());
        return Some(if power < 0 { head as f64 / scale } else { head as f64 * scale });
    }
    let (mut rest, mut unit) = (Large::new(0), Large::new(1));
    for digit in digits {
        rest.multiply(10);
        rest.add(u32::from(*digit));
    }
    (0..power.max(0)).for_each(|_| rest.multiply(10));
    (0..(-power).max(0)).for_each(|_| unit.multiply(10));
    // The number is rest / unit * 2^exponent, in the end with a first factor of at least 1 and less than 2.
    let mut exponent = 0;
    while rest.compare(&unit) != Ordering::Less {
        unit.multiply(2);
        exponent += 1;
    }
    while rest.compare(&unit) == Ordering::Less {
        rest.multiply(2);
        exponent -= 1;
    }
    // A long division. Near zero a double has fewer bits.
    let bits = 53 + (exponent + 1022).min(0);
    if bits < 0 || exponent > 1023 {
        return (bits < 0).then_some(0.0);
    }
    let mut whole = 0;
    for _ in 0..bits {
        whole *= 2;
        if rest.compare(&unit) != Ordering::Less {
            rest.subtract(&unit);
            whole += 1;
        }
        rest.multiply(2);
    }
    let half = rest.compare(&unit);
    if half == Ordering::Greater || (half == Ordering::Equal && whole & 1 == 1) {
        whole += 1;
    }
    // The first bit of a double that is not near zero adds one to its exponent.
    Some(f64::from_bits((((exponent + 1022).max(0) as u64) << 52) + whole)).filter(|value| value.is_finite())
}

/// Exact up to 10^22.
fn power_of_ten(exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |power, _| power * 10.0)
}

/// A positive double as a whole number times a power of two.
fn parts(value: f64) -> (u64, i32) {
    let bits = value.to_bits();
    let (exponent, fraction) = ((bits >> 52) as i32 & 0x7ff, bits & ((1 << 52) - 1));
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// A whole number of any size, lowest 32 bits first, without leading zeros.
struct Large(Vec<u32>);

impl Large {
    fn new(number: u64) -> Large {
        let mut large = Large(vec![number as u32, (number >> 32) as u32]);
        large.trim();
        large
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    #[inline(never)]
    fn multiply(&mut self, by: u32) {
        let mut carry = 0u64;
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(by) + carry;
            *word = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn add(&mut self, number: u32) {
        let mut carry = u64::from(number);
        for word in &mut self.0 {
            let sum = u64::from(*word) + carry;
            *word = sum as u32;
            carry = sum >> 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Doubles it so many times.
    fn double(&mut self, times: i32) {
        for _ in 0..times / 31 {
            self.multiply(1 << 31);
        }
        self.multiply(1 << (times % 31));
    }

    #[inline(never)]
    fn compare(&self, other: &Large) -> Ordering {
        let mut ordering = self.0.len().cmp(&other.0.len());
        if ordering.is_eq() {
            for (word, other) in self.0.iter().zip(&other.0) {
                ordering = word.cmp(other).then(ordering);
            }
        }
        ordering
    }

    /// Takes away a number that is not larger.
    #[inline(never)]
    fn subtract(&mut self, other: &Large) {
        let mut borrow = 0i64;
        let mut words = other.0.iter();
        for word in &mut self.0 {
            let difference = i64::from(*word) - i64::from(words.next().copied().unwrap_or(0)) - borrow;
            *word = difference as u32;
            borrow = i64::from(difference < 0);
        }
        self.trim();
    }
}

/// The first `count` decimal digits of a positive double, correctly rounded, as one number, and the power of ten of its first.
fn decimal(value: f64, count: u32) -> (u64, i32) {
    let (whole, exponent) = parts(value);
    let (mut rest, mut unit) = (Large::new(whole), Large::new(1));
    rest.double(exponent.max(0));
    unit.double((-exponent).max(0));
    let mut power = 0;
    let larger = |rest: &Large, unit: &Large| {
        let mut ten = Large(unit.0.clone());
        ten.multiply(10);
        rest.compare(&ten) != Ordering::Less
    };
    while larger(&rest, &unit) {
        unit.multiply(10);
        power += 1;
    }
    while rest.compare(&unit) == Ordering::Less {
        rest.multiply(10);
        power -= 1;
    }
    let mut digits = 0u64;
    for place in 0..count {
        if place > 0 {
            rest.multiply(10);
        }
        digits *= 10;
        while rest.compare(&unit) != Ordering::Less {
            rest.subtract(&unit);
            digits += 1;
        }
    }
    rest.multiply(2);
    let half = rest.compare(&unit);
    if half == Ordering::Greater || (half == Ordering::Equal && digits & 1 == 1) {
        digits += 1;
    }
    if digits == 10u64.pow(count) { (digits / 10, power + 1) } else { (digits, power) }
}

/// Millionths as a share of one, such as `0.05`.
#[cfg(any(feature = "author", feature = "explain"))]
pub(crate) fn share_text(millionths: u32) -> String {
    let mut text = String::new();
    push_double(&mut text, f64::from(millionths) / f64::from(crate::bucket::MILLION));
    text
}

/// A double as text, as [`push_double`] writes it.
#[cfg(feature = "serde")]
#[derive(Debug, Clone, Copy)]
pub struct Double(pub f64);

#[cfg(feature = "serde")]
impl std::fmt::Display for Double {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        display_double(&self.0, f)
    }
}

/// In WebAssembly all doubles are written so: the standard library's own code for that is ten times as long (see
/// `scripts/lib/trim.mjs`, which knows it by this function's name).
#[cfg(feature = "serde")]
#[inline(never)]
fn display_double(number: &f64, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let mut text = String::new();
    push_double(&mut text, *number);
    f.write_str(&text)
}

/// Appends the shortest decimal number that reads as the same double, as ECMAScript's `Number::toString` writes it.
pub(crate) fn push_double(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("NaN");
        return;
    }
    if number < 0.0 {
        push(out, b'-');
    }
    let value = number.abs();
    if value == 0.0 {
        push(out, b'0');
        return;
    }
    if value.is_infinite() {
        out.push_str("Infinity");
        return;
    }
    let (mut text, mut read) = (String::new(), Vec::new());
    let mut power = 0;
    for count in 1..=17u32 {
        let (digits, first) = decimal(value, count);
        text.clear();
        push_int(&mut text, digits as i64);
        power = first;
        read.clear();
        for byte in text.bytes() {
            read.push(byte - b'0');
        }
        if nearest(&read, first + 1 - count as i32) == Some(value) {
            break;
        }
    }
    while text.ends_with("0") {
        text.pop();
    }
    let digits = text.as_str();
    let (head, tail) = digits.split_at_checked(1).unwrap_or((digits, ""));
    let length = digits.len() as i32;
    let zeros = |out: &mut String, count: i32| (0..count).for_each(|_| push(out, b'0'));
    if !(-6..21).contains(&power) {
        out.push_str(head);
        if !tail.is_empty() {
            push(out, b'.');
            out.push_str(tail);
        }
        out.push_str(if power < 0 { "e" } else { "e+" });
        push_int(out, i64::from(power));
    } else if power < 0 {
        out.push_str("0.");
        zeros(out, -power - 1);
        out.push_str(digits);
    } else if let Some((whole, fraction)) = digits.split_at_checked(power as usize + 1).filter(|(_, rest)| !rest.is_empty()) {
        out.push_str(whole);
        push(out, b'.');
        out.push_str(fraction);
    } else {
        out.push_str(digits);
        zeros(out, power + 1 - length);
    }
}

/// Appends a whole number in decimal.
pub(crate) fn push_int(out: &mut String, number: i64) {
    if number < 0 {
        push(out, b'-');
    }
    push_uint(out, number.unsigned_abs());
}

/// Appends a whole number in decimal.
pub(crate) fn push_uint(out: &mut String, number: u64) {
    let mut digits = [0u8; 20];
    let mut rest = number;
    let mut count = 0;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        count += 1;
        if rest == 0 {
            break;
        }
    }
    for digit in digits.iter().skip(20 - count) {
        push(out, *digit);
    }
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
        push(out, b'-');
    }
    push_int(out, (rounded / scale) as i64);
    let (mut rest, mut place) = (rounded % scale, scale / 10);
    if place > 0 {
        push(out, b'.');
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

    fn written(number: f64) -> String {
        let mut text = String::new();
        push_double(&mut text, number);
        text
    }

    proptest! {
        #[test]
        fn reads_what_the_standard_library_reads(text in "-?[0-9]{1,30}(\\.[0-9]{0,30})?([eE][+-]?[0-9]{1,3})?") {
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(parse_double(&text), Some(expected).filter(|number| number.is_finite()), "{}", text);
        }

        #[test]
        fn what_is_written_reads_as_the_same(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let text = written(number);
            prop_assert_eq!(parse_double(&text), Some(number));
            prop_assert_eq!(text.parse::<f64>().unwrap(), number);
            // As short as the standard library's, which is the shortest.
            let digits = |text: &str| text.split('e').next().unwrap().trim_matches('-').replace('.', "").trim_matches('0').len();
            prop_assert_eq!(digits(&text), digits(&format!("{number:e}")));
        }

        #[test]
        fn halves_are_read_exactly(bits: u64) {
            let number = f64::from_bits(bits >> 1);
            prop_assume!(number.is_finite() && number > 1e-290 && number < 1e15);
            // The exact middle between two doubles has many digits; one more or less decides.
            let (whole, exponent) = parts(number);
            let middle = format!("{}e0", exact(whole * 2 + 1, exponent - 1));
            prop_assert_eq!(parse_double(&middle), middle.parse().ok());
        }

        #[test]
        fn whole_numbers_are_written_as_the_standard_library_writes_them(number: i64, other: u64) {
            let mut text = String::new();
            push_int(&mut text, number);
            prop_assert_eq!(text, number.to_string());
            let mut text = String::new();
            push_uint(&mut text, other);
            prop_assert_eq!(text, other.to_string());
        }
    }

    /// The decimal text of a whole number times a power of two.
    fn exact(whole: u64, exponent: i32) -> String {
        let mut digits = Vec::new();
        let mut number = Large::new(whole);
        number.double(exponent.max(0));
        let places = (-exponent).max(0);
        (0..places).for_each(|_| number.multiply(5));
        while !number.0.is_empty() {
            let mut rest = 0u64;
            for word in number.0.iter_mut().rev() {
                let value = rest << 32 | u64::from(*word);
                *word = (value / 10) as u32;
                rest = value % 10;
            }
            number.trim();
            digits.push(b'0' + rest as u8);
        }
        let mut text: String = digits.iter().rev().map(|digit| *digit as char).collect();
        while text.len() <= places as usize {
            text.insert(0, '0');
        }
        text.insert(text.len() - places as usize, '.');
        text.trim_end_matches('.').to_owned()
    }

    #[test]
    fn the_ends_of_the_range_are_read_as_the_standard_library_reads_them() {
        for text in [
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "7.4109846876186981e-324",
            "7.4109846876186982e-324",
            "2.2250738585072008e-308",
            "2.2250738585072011e-308",
            "2.2250738585072012e-308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "17976931348623158079e289",
        ] {
            assert_eq!(parse_double(text), text.parse().ok().filter(|number: &f64| number.is_finite()), "{text}");
        }
        // The exact middle between zero and the least, and between the least and the next.
        for (whole, read) in [(1, 0.0), (3, 1e-323)] {
            assert_eq!(parse_double(&exact(whole, -1075)), Some(read));
        }
    }

    #[test]
    fn writes_as_javascript_does() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-4.5e-3, "-0.0045"),
            (123.456, "123.456"),
            (1e21, "1e+21"),
            (1e20, "100000000000000000000"),
            (1.5e-7, "1.5e-7"),
            (1e-6, "0.000001"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            assert_eq!(written(number), text);
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
        for bad in
            ["", "-", ".", "e5", "1e", "1e+", "NaN", "inf", "1.2.3", "1,5", " 1", "0x1", "--1", "٣", "1e400", &"9".repeat(400)]
        {
            assert_eq!(parse_double(bad), None, "{bad}");
        }
        assert_eq!(parse_double("-.5"), Some(-0.5));
        assert_eq!(parse_double("7."), Some(7.0));
        assert_eq!(parse_double("1e-999999999999"), Some(0.0));
        assert_eq!(parse_double(&format!("0.{}1e500", "0".repeat(499))), Some(1.0));
        for (number, text) in [(0, "0"), (i64::MIN, "-9223372036854775808"), (i64::MAX, "9223372036854775807")] {
            let mut out = String::new();
            push_int(&mut out, number);
            assert_eq!(out, text);
        }
    }
}
