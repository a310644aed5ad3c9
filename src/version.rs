//! Versions and their precedence (Semantic Versioning 2.0.0, sections 9 to 11), read more generously: any number of numbers,
//! missing ones count as 0, and a `v` may stand before them. Browsers and systems have versions such as `17.2`.

use crate::text::{Cut, is_digits};
use std::cmp::Ordering;

/// Whether a text is a version.
pub fn is_version(text: &str) -> bool {
    let (numbers, pre) = split(text);
    let identifiers = |text: &str, digits: bool| {
        let allowed = |byte: &u8| byte.is_ascii_digit() || (!digits && (byte.is_ascii_alphabetic() || *byte == b'-'));
        text.parts(b'.').all(|part| !part.is_empty() && part.as_bytes().iter().all(allowed))
    };
    let behind = |text: &str| identifiers(text, false);
    identifiers(numbers, true) && pre.is_none_or(behind) && text.cut(b'+').is_none_or(|(_, build)| behind(build))
}

/// The order of two versions. Build metadata does not count.
pub fn compare(left: &str, right: &str) -> Ordering {
    let ((left, left_pre), (right, right_pre)) = (split(left), split(right));
    let (mut lefts, mut rights) = (left.parts(b'.'), right.parts(b'.'));
    loop {
        let (left, right) = (lefts.next(), rights.next());
        if left.is_none() && right.is_none() {
            break;
        }
        let ordering = numbers(left.unwrap_or("0"), right.unwrap_or("0"));
        if ordering.is_ne() {
            return ordering;
        }
    }
    match (left_pre, right_pre) {
        (None, None) => Ordering::Equal,
        // A pre-release comes before its release.
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(left), Some(right)) => pre_releases(left, right),
    }
}

/// The numbers, and the pre-release if there is one.
fn split(text: &str) -> (&str, Option<&str>) {
    let text = text.strip_prefix("v").or(text.strip_prefix("V")).unwrap_or(text);
    let text = text.cut(b'+').map_or(text, |(before, _)| before);
    text.cut(b'-').map_or((text, None), |(numbers, pre)| (numbers, Some(pre)))
}

/// Digits without the zeros before them.
fn without_zeros(digits: &str) -> &str {
    let zeros = digits.bytes().take_while(|byte| *byte == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

/// Order of two runs of digits of any length.
fn numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (without_zeros(left), without_zeros(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

fn pre_releases(left: &str, right: &str) -> Ordering {
    let (mut lefts, mut rights) = (left.parts(b'.'), right.parts(b'.'));
    loop {
        let (left, right) = match (lefts.next(), rights.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => (left, right),
        };
        let ordering = match (is_digits(left), is_digits(right)) {
            (true, true) => numbers(left, right),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => left.cmp(right),
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_that_of_the_specification() {
        // The specification's own example (section 11), and versions as systems write them.
        let ordered = [
            "0.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "v1.0.1",
            "1.2",
            "1.10",
            "17.2.1",
            "126.0.6478.126",
            "99999999999999999999999999",
        ];
        for (at, left) in ordered.iter().enumerate() {
            assert!(is_version(left), "{left}");
            for (other, right) in ordered.iter().enumerate() {
                assert_eq!(compare(left, right), at.cmp(&other), "{left} {right}");
            }
        }
        for (left, right) in [("17", "17.0.0"), ("1.0.0+a", "1.0.0+b"), ("v2", "2.0"), ("01.2", "1.2")] {
            assert_eq!(compare(left, right), Ordering::Equal, "{left} {right}");
        }
        for bad in ["", "v", "1.", ".1", "1..2", "1.x", "1-", "1.0-a..b", "1.0+", "1.0-ä", "-1", "1 2"] {
            assert!(!is_version(bad), "{bad}");
        }
    }
}
