//! Reading the tables of time zones.

use super::layout::Section;
use super::{Program, run};
use crate::time::Civil;
use crate::zone::{jan_1, same_calendar, unpack_change};

/// In so many years every calendar comes: 28 years, and twelve more where a century without a leap day breaks the cycle.
const CALENDARS: i64 = 40;

impl Program {
    /// The seconds that a zone is ahead of UTC at a second since 1970; `None` when the program has no table of it.
    pub(crate) fn zone_offset(&self, name: &str, seconds: i64) -> Option<i32> {
        let mut zones = (0..self.count(Section::Zones)).filter_map(|index| self.record::<4>(Section::Zones, index));
        let [_, start, len, repeats] = zones.find(|[zone, ..]| self.raw(*zone) == name.as_bytes())?;
        let seconds = repeated(seconds, i64::from(repeats));
        let changes = run(start, len);
        let change = |index| self.record::<2>(Section::ZoneChanges, index).map(unpack_change);
        // The last change that is not later; of times before the first change the clocks of then.
        let (mut low, mut high) = (changes.start, changes.end);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if change(middle)?.0 <= seconds { low = middle } else { high = middle }
        }
        Some(change(low)?.1)
    }
}

/// The same moment of the first year since `repeats` that has the same calendar.
fn repeated(seconds: i64, repeats: i64) -> i64 {
    let year = Civil::from_millis(seconds.saturating_mul(1000)).year;
    if year < repeats {
        return seconds;
    }
    let same = (repeats..repeats + CALENDARS).find(|other| same_calendar(*other, year));
    same.map_or(seconds, |other| seconds - jan_1(year) + jan_1(other))
}
