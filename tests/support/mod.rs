//! What the native tests share.
#![allow(dead_code, missing_docs, clippy::unwrap_used)] // Not every test needs all of it.

use idoine::Offsets;
use idoine::compile::Zones;
use serde_json::Value;

/// The time zones of the world.
pub struct Iana;

impl Zones for Iana {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        offset(zone, instant)
    }
}

/// Seconds that a zone is ahead of UTC at an instant in epoch milliseconds.
pub fn offset(zone: &str, instant: i64) -> Option<i32> {
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).ok()?;
    Some(zone.to_offset(jiff::Timestamp::from_millisecond(instant).ok()?).seconds())
}

/// What is known of a zone around an instant in epoch milliseconds.
pub fn offsets(zone: &str, instant: i64) -> Offsets {
    Offsets::around(instant, |instant| offset(zone, instant))
}

/// A text, or its lines.
pub fn source(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        lines => serde_json::from_value::<Vec<String>>(lines.clone()).unwrap().join("\n"),
    }
}
