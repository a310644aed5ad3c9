//! The time zones of the world, from the table that the command brings along (IANA, through jiff).

use idoine::compile::Zones;
use jiff::Timestamp;
use jiff::tz::TimeZoneDatabase;
use std::sync::LazyLock;

/// The bundled table.
pub(crate) struct Bundled;

impl Zones for Bundled {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        offset(zone, instant)
    }
}

/// Not the machine's own table: that one may be years old, and other faces would decide otherwise.
static TABLE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Seconds that a zone is ahead of UTC at an instant in epoch milliseconds.
pub(crate) fn offset(zone: &str, instant: i64) -> Option<i32> {
    let zone = TABLE.get(zone).ok()?;
    Some(zone.to_offset(Timestamp::from_millisecond(instant).ok()?).seconds())
}
