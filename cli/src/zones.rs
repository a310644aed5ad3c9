//! The time zones of the world, from the table that the command brings along (IANA, through jiff).

use idoine::Offsets;
use idoine::compile::Zones;
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::LazyLock;

/// The bundled table.
pub(crate) struct Bundled;

impl Zones for Bundled {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        at(&TABLE.get(zone).ok()?, instant)
    }
}

/// Not the machine's own table: that one may be years old, and other faces would decide otherwise.
static TABLE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone by its name.
pub(crate) fn zone(name: &str) -> Option<TimeZone> {
    TABLE.get(name).ok()
}

/// What is known of a zone around an instant in epoch milliseconds.
pub(crate) fn offsets(zone: &str, instant: i64) -> Offsets {
    TABLE.get(zone).map(|zone| Offsets::around(instant, |instant| at(&zone, instant))).unwrap_or_default()
}

fn at(zone: &TimeZone, instant: i64) -> Option<i32> {
    Some(zone.to_offset(Timestamp::from_millisecond(instant).ok()?).seconds())
}
