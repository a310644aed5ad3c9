//! What a cell says: numbers, instants, texts.

use idoine::learn::Rules;
use idoine::time::{Moment, parse_moment};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Number, Value};
use std::collections::HashMap;

/// The most digits of a number that is one by its look: what has more is an article or a telephone number, of which a double would
/// lose the end.
const MOST_DIGITS: usize = 15;

/// What the site's tracking plan and traits say of types; nothing is known of what they do not name.
#[derive(Default)]
pub(crate) struct Kinds {
    /// Of each event, by path below `properties`.
    events: HashMap<String, HashMap<String, String>>,
    /// Of traits, by name.
    traits: HashMap<String, String>,
    /// Whether the site's manifest is known.
    are_known: bool,
}

impl Kinds {
    /// Those of a site's live program.
    pub(crate) fn of(rules: &Rules) -> Kinds {
        let properties = |rule: &idoine::learn::rules::EventRule| {
            rule.properties.iter().map(|property| (property.path.clone(), property.kind.clone())).collect()
        };
        Kinds {
            events: rules.events.iter().map(|event| (event.name.clone(), properties(event))).collect(),
            traits: rules.traits.iter().map(|one| (one.name.clone(), one.kind.clone())).collect(),
            are_known: true,
        }
    }

    /// The type of an event's property. The plan says `products.price` of each product's.
    pub(crate) fn property(&self, event: &str, path: &[String]) -> Option<&str> {
        let of_event = self.events.get(event)?;
        let named: Vec<&str> = path.iter().map(String::as_str).filter(|part| !is_index(part)).collect();
        of_event.get(&named.join(".")).map(String::as_str)
    }

    /// The type of a trait.
    pub(crate) fn of_trait(&self, name: &str) -> Option<&str> {
        self.traits.get(name).map(String::as_str)
    }

    /// The names of the declared traits; `None` where the manifest is not known.
    pub(crate) fn traits(&self) -> Option<Vec<&str>> {
        let mut names: Vec<&str> = self.traits.keys().map(String::as_str).collect();
        names.sort_unstable();
        self.are_known.then_some(names)
    }
}

/// Whether a part of a path is a place in a list.
pub(crate) fn is_index(part: &str) -> bool {
    !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// A cell's value, of the type that it must have, or else by its look.
pub(crate) fn value(text: &str, kind: Option<&str>, zone: &TimeZone) -> Result<Value, String> {
    let wrong = |expected: &str| Err(format!("expected {expected}, found `{}`", shown(text)));
    match kind {
        None => Ok(by_look(text)),
        Some("bool") => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Ok(Value::Bool(true)),
            "false" | "0" | "no" => Ok(Value::Bool(false)),
            _ => wrong("true or false"),
        },
        Some("int") => match text.parse::<i64>() {
            Ok(number) => Ok(number.into()),
            Err(_) => wrong("a whole number such as 12"),
        },
        Some("double") => match number(text) {
            Some(number) => Ok(Value::Number(number)),
            None => wrong("a number such as 12.50"),
        },
        Some("timestamp") => match instant(text, zone) {
            Some(ms) => Ok(written(ms).into()),
            None => wrong(INSTANT),
        },
        Some("strings") => match text.starts_with('[') {
            true => match serde_json::from_str::<Vec<String>>(text) {
                Ok(list) => Ok(list.into()),
                Err(_) => wrong("a list of texts such as [\"a\", \"b\"]"),
            },
            false => Ok(text.split('|').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().into()),
        },
        // Texts, and whatever a later manifest may say.
        Some(_) => Ok(text.into()),
    }
}

/// What an instant looks like.
pub(crate) const INSTANT: &str = "a time such as 2026-11-20T12:30:00Z, 2026-11-20 12:30 or seconds since 1970";

fn by_look(text: &str) -> Value {
    match text {
        "true" => true.into(),
        "false" => false.into(),
        _ => {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            number(text).filter(|_| digits <= MOST_DIGITS).map_or_else(|| text.into(), Value::Number)
        }
    }
}

/// A number without anything around it. `007` and `+33` are none: those are what articles and telephones are called.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let leads = whole.len() > 1 && whole.starts_with('0');
    if leads || !are_digits(whole) || !part.is_none_or(are_digits) {
        return None;
    }
    match text.parse::<i64>() {
        Ok(number) if text != "-0" => Some(number.into()),
        _ => Number::from_f64(text.parse().ok()?),
    }
}

/// An instant in epoch milliseconds. What names no zone is of the given one; digits alone are seconds, or milliseconds, since 1970.
pub(crate) fn instant(text: &str, zone: &TimeZone) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        return match text.len() {
            9..=11 => number.checked_mul(1000),
            12..=14 => Some(number),
            _ => None,
        };
    }
    match parse_moment(text)? {
        Moment::Instant(ms) => Some(ms),
        Moment::Local(civil) => {
            let small = |number: u8| i8::try_from(number).ok();
            let date_time = DateTime::new(
                i16::try_from(civil.year).ok()?,
                small(civil.month)?,
                small(civil.day)?,
                small(civil.hour)?,
                small(civil.minute)?,
                small(civil.second)?,
                i32::from(civil.millisecond).checked_mul(1_000_000)?,
            );
            Some(date_time.ok()?.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond())
        }
    }
}

/// An instant as the API takes it.
pub(crate) fn written(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.to_string())
}

/// A text as a message may show it.
pub(crate) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() { format!("{cut}...") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_is_what_it_looks_like() {
        for (text, expected) in [
            ("12", json!(12)),
            ("-3", json!(-3)),
            ("12.50", json!(12.5)),
            ("0", json!(0)),
            ("0.5", json!(0.5)),
            ("true", json!(true)),
            ("True", json!("True")),
            // What is called by digits stays whole.
            ("007", json!("007")),
            ("+33612345678", json!("+33612345678")),
            ("4006381333931234", json!("4006381333931234")),
            ("12,50", json!("12,50")),
            ("1e3", json!("1e3")),
            ("NaN", json!("NaN")),
            (".5", json!(".5")),
            ("5.", json!("5.")),
            ("-", json!("-")),
        ] {
            assert_eq!(value(text, None, &TimeZone::UTC), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_plan_says_more_than_the_look() {
        let utc = TimeZone::UTC;
        assert_eq!(value("42", Some("string"), &utc), Ok(json!("42")));
        assert_eq!(value("1", Some("bool"), &utc), Ok(json!(true)));
        assert_eq!(value("12", Some("double"), &utc), Ok(json!(12)));
        assert_eq!(value("a | b", Some("strings"), &utc), Ok(json!(["a", "b"])));
        assert_eq!(value("[\"a|b\"]", Some("strings"), &utc), Ok(json!(["a|b"])));
        assert_eq!(value("2024-02-01", Some("timestamp"), &utc), Ok(json!("2024-02-01T00:00:00Z")));
        for (text, kind, said) in [
            ("12,50", "double", "expected a number such as 12.50, found `12,50`"),
            ("1.5", "int", "expected a whole number such as 12, found `1.5`"),
            ("maybe", "bool", "expected true or false, found `maybe`"),
            ("[1]", "strings", "expected a list of texts such as [\"a\", \"b\"], found `[1]`"),
        ] {
            assert_eq!(value(text, Some(kind), &utc), Err(said.to_owned()));
        }
    }

    #[test]
    fn an_instant_is_read_in_its_zone() {
        let paris = TimeZone::get("Europe/Paris").unwrap();
        for (text, utc, in_paris) in [
            ("2024-07-01T12:00:00Z", 1_719_835_200_000, 1_719_835_200_000),
            ("2024-07-01 12:00:00", 1_719_835_200_000, 1_719_828_000_000),
            ("2024-07-01", 1_719_792_000_000, 1_719_784_800_000),
            ("2024-01-01T00:00:00", 1_704_067_200_000, 1_704_063_600_000),
            ("1719835200", 1_719_835_200_000, 1_719_835_200_000),
            ("1719835200123", 1_719_835_200_123, 1_719_835_200_123),
        ] {
            assert_eq!(instant(text, &TimeZone::UTC), Some(utc), "{text}");
            assert_eq!(instant(text, &paris), Some(in_paris), "{text}");
        }
        for text in ["", "yesterday", "01/07/2024", "2024-13-01", "12"] {
            assert_eq!(instant(text, &paris), None, "{text}");
        }
    }
}
