//! Time zones as runtimes know them: how far a clock is ahead of UTC, over a stretch of time. No table of the world's zones
//! is in any runtime: hosts pass the visitor's, and the compiler writes those that a manifest names into the program.

use crate::context::{Context, Field};
#[cfg(feature = "serde")]
use crate::number::parse_int;
use crate::program::Program;
#[cfg(feature = "serde")]
use crate::text::{Cut, trim};
use crate::time::parse_offset;

/// How many seconds a zone is ahead of UTC over time. Empty where the zone is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offsets(Vec<(i64, Option<i32>)>);

/// Length of the blocks of time that [`Offsets::around`] works with, in seconds.
#[cfg(any(feature = "author", feature = "serde"))]
const BLOCK: i64 = 400 * 86_400;
/// The shortest time for which clocks were ever changed, or are planned to be, is an hour less than a week (a summer time of
/// Brazil's north in 2000, Palestine's around a Ramadan in autumn): whoever looks this often, in seconds, misses no change.
#[cfg(any(feature = "author", feature = "serde"))]
pub(crate) const STEP: i64 = 6 * 86_400;

impl Offsets {
    /// From entries in the order of time: the second since 1970 from which one holds, and the seconds ahead of UTC from then
    /// on; `None` where it is not known from then on.
    pub fn new(entries: Vec<(i64, Option<i32>)>) -> Offsets {
        Offsets(entries)
    }

    /// The entries as JavaScript hosts pass them: seconds since 1970 and seconds ahead of UTC in turn, no number (NaN) for
    /// what is not known.
    pub fn from_numbers(numbers: &[f64]) -> Offsets {
        let mut entries = Vec::with_capacity(numbers.len() / 2);
        for [from, seconds] in numbers.as_chunks::<2>().0 {
            // `as` saturates.
            entries.push((*from as i64, seconds.is_finite().then_some(*seconds as i32)));
        }
        Offsets(entries)
    }

    /// Reads entries such as `1761440400 3600, 1774746000 7200, 1831680000`, whose last is not known. What can't be read is
    /// left out.
    #[cfg(feature = "serde")]
    pub(crate) fn parse(text: &str) -> Offsets {
        let mut entries = Vec::new();
        for entry in text.parts(b',') {
            let (from, seconds) = trim(entry).cut(b' ').unwrap_or((trim(entry), ""));
            if let Some(from) = parse_int(from) {
                entries.push((from, parse_int(seconds).and_then(|seconds| i32::try_from(seconds).ok())));
            }
        }
        Offsets(entries)
    }

    /// As [`Offsets::parse`] reads them.
    #[cfg(all(feature = "explain", feature = "serde"))]
    pub(crate) fn text(&self) -> String {
        let entry = |(from, seconds): &(i64, Option<i32>)| match seconds {
            Some(seconds) => format!("{from} {seconds}"),
            None => from.to_string(),
        };
        self.0.iter().map(entry).collect::<Vec<_>>().join(", ")
    }

    /// What a host knows of a zone around an instant (epoch milliseconds), from a function that tells the seconds ahead of
    /// UTC at an instant: three blocks of 400 days, counted from 1970, the instant in the middle one. So neighbouring
    /// instants get the same answer, which a host may keep. worker/js/host.js and www/src/zone.ts follow the same rule.
    #[cfg(any(feature = "author", feature = "serde"))]
    pub fn around(instant: i64, offset: impl Fn(i64) -> Option<i32>) -> Offsets {
        let at = |seconds: i64| offset(seconds.saturating_mul(1000));
        let start = (instant.div_euclid(1000).div_euclid(BLOCK) - 1) * BLOCK;
        let mut entries = vec![(start, at(start))];
        changes(start, start + 3 * BLOCK, at, |from, seconds| entries.push((from, seconds)));
        if entries.iter().all(|(_, seconds)| seconds.is_none()) {
            return Offsets::default();
        }
        entries.push((start + 3 * BLOCK, None));
        Offsets(entries)
    }

    /// The seconds ahead of UTC at a second since 1970; `None` where that is not known.
    pub fn at(&self, seconds: i64) -> Option<i32> {
        self.0.iter().rev().find(|(from, _)| *from <= seconds)?.1
    }

    /// Whether nothing is known at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries, in the order of time.
    pub fn entries(&self) -> &[(i64, Option<i32>)] {
        &self.0
    }
}

/// Tells each change of a zone's clocks in a stretch of time, in its order: the first second of it and what holds from then
/// on. The zone is looked at every [`STEP`]; what lies between is found by halving.
#[cfg(any(feature = "author", feature = "serde"))]
pub(crate) fn changes<T: PartialEq>(start: i64, end: i64, at: impl Fn(i64) -> T, mut found: impl FnMut(i64, T)) {
    let (mut before, mut known) = (start, at(start));
    while before < end {
        let after = (before + STEP).min(end);
        let next = at(after);
        while known != next {
            let (mut low, mut high) = (before, after);
            // Invariant: at `low` it is as known, at `high` it is not.
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if at(middle) == known { low = middle } else { high = middle }
            }
            if high == end {
                return;
            }
            (before, known) = (high, at(high));
            found(high, at(high));
        }
        before = after;
    }
}

/// The seconds that a zone is ahead of UTC at a second since 1970: `UTC`, a fixed offset such as `+02:00`, a zone that the
/// program has a table of, or the visitor's own. `None` where it is not known.
pub(crate) fn offset_in(program: &Program, context: &Context, zone: &str, seconds: i64) -> Option<i32> {
    if utc(zone) {
        return Some(0);
    }
    if let Some(fixed) = parse_offset(zone) {
        return Some(fixed);
    }
    if let Some(seconds) = program.zone_offset(zone, seconds) {
        return Some(seconds);
    }
    (context.text(Field::GeoTimezone) == Some(zone)).then(|| context.offsets.at(seconds))?
}

/// Whether a zone's name is one of UTC.
pub(crate) fn utc(name: &str) -> bool {
    matches!(name, "UTC" | "Z" | "GMT")
}

/// The second since 1970 at which a year begins in UTC.
pub(crate) fn jan_1(year: i64) -> i64 {
    days_of(year) * 86_400
}

/// Days from 1970 to a year's first.
fn days_of(year: i64) -> i64 {
    let before = year - 1;
    before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
}

/// Whether two years begin on the same day of the week and have as many days: their rules of summer time give the same dates.
pub(crate) fn same_calendar(one: i64, other: i64) -> bool {
    let days = |year| days_of(year + 1) - days_of(year);
    (days_of(one) - days_of(other)) % 7 == 0 && days(one) == days(other)
}

/// A change of clocks in two words: the low half of its second since 1970; eight more bits of that, and 24 of the offset.
#[cfg(feature = "author")]
pub(crate) fn pack_change((from, offset): (i64, i32)) -> [u32; 2] {
    [from as u32, ((from >> 32) as u32) << 24 | offset as u32 & 0xff_ffff]
}

/// What [`pack_change`] packed.
pub(crate) fn unpack_change([low, rest]: [u32; 2]) -> (i64, i32) {
    (i64::from(rest as i32 >> 24) << 32 | i64::from(low), (rest << 8) as i32 >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Civil;
    use jiff::Timestamp;
    use jiff::tz::TimeZoneDatabase;

    #[test]
    fn every_change_of_clocks_around_an_instant_is_found_in_every_zone() {
        let zones = TimeZoneDatabase::bundled();
        for name in zones.available() {
            let zone = zones.get(name.as_str()).unwrap();
            let at = |instant: i64| Some(zone.to_offset(Timestamp::from_millisecond(instant).unwrap()).seconds());
            // From 1912 to 2149.
            for block in (-53..164).step_by(3) {
                let offsets = Offsets::around((block * BLOCK + BLOCK / 2) * 1000, at);
                let (start, end) = ((block - 1) * BLOCK, (block + 2) * BLOCK);
                let mut expected = vec![(start, at(start * 1000))];
                let changes = zone.following(Timestamp::from_second(start).unwrap());
                for change in changes.take_while(|change| change.timestamp().as_second() < end) {
                    let seconds = Some(change.offset().seconds());
                    // Some change the name of the time alone.
                    if expected.last().unwrap().1 != seconds {
                        expected.push((change.timestamp().as_second(), seconds));
                    }
                }
                expected.push((end, None));
                assert_eq!(offsets.entries(), expected, "{} in block {block}", name.as_str());
            }
        }
    }

    #[test]
    fn years_begin_where_the_calendar_says() {
        for year in -400..3000 {
            let civil = Civil { year, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0 };
            assert_eq!(jan_1(year) * 1000, civil.to_millis());
        }
        assert!(same_calendar(2026, 2015) && same_calendar(2026, 1998) && same_calendar(2024, 1996));
        assert!(!same_calendar(2026, 2032) && !same_calendar(2024, 2018) && !same_calendar(2100, 2096));
    }

    #[test]
    fn changes_fit_two_words() {
        for change in
            [(0, 0), (-2_208_988_800, -39_600), (5_711_904_000, 50_400), (-1, -1), (1 << 32, 3600), (-(1 << 38), 1 << 22)]
        {
            assert_eq!(unpack_change(pack_change(change)), change);
        }
    }

    #[test]
    fn a_zone_is_utc_or_fixed_or_the_programs_or_the_visitors() {
        struct Iana;
        impl crate::compile::Zones for Iana {
            fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
                let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
                Some(zone.to_offset(Timestamp::from_millisecond(instant).ok()?).seconds())
            }
        }
        let source = r#"{ "site": { "id": "x", "timezone": "Europe/Paris" } }"#;
        let program = crate::compile::compile(source, &Iana).unwrap();
        let request = |zone: &str| crate::Request {
            cf: vec![("timezone".to_owned(), zone.to_owned())],
            now: 150_000,
            // Not Tokyo's: it shows whose answer it is.
            offsets: Offsets::from_numbers(&[100.0, 7.0, 200.0, f64::NAN]),
            ..crate::Request::default()
        };
        let context = Context::derive(&program, &request("Asia/Tokyo"));
        for (zone, seconds, expected) in [
            ("UTC", 0, Some(0)),
            ("Z", i64::MAX, Some(0)),
            ("GMT", i64::MIN, Some(0)),
            ("+02:00", 0, Some(7200)),
            ("-02:30", 0, Some(-9000)),
            ("-00:30", 0, Some(-1800)),
            ("02:00", 0, Some(7200)),
            ("23:59", 0, Some(86_340)),
            ("24:00", 0, None),
            ("2:00", 0, None),
            ("+2", 0, None),
            ("", 0, None),
            ("Europe/Paris", 1_795_177_800, Some(3600)),
            ("Europe/Paris", 1_784_030_400, Some(7200)),
            ("Europe/Paris", 5_700_000_000, Some(7200)),
            ("Asia/Tokyo", 100, Some(7)),
            ("Asia/Tokyo", 199, Some(7)),
            ("Asia/Tokyo", 200, None),
            ("Asia/Tokyo", 99, None),
            ("Asia/Seoul", 150, None),
        ] {
            assert_eq!(offset_in(&program, &context, zone, seconds), expected, "{zone} at {seconds}");
        }
        // The program's table goes before what the host says of the visitor's own zone.
        let context = Context::derive(&program, &request("Europe/Paris"));
        assert_eq!(offset_in(&program, &context, "Europe/Paris", 150), Some(3600));
    }

    #[test]
    fn nothing_is_known_outside_the_entries() {
        let offsets = Offsets::from_numbers(&[100.0, 3600.0, 200.0, -1800.0, 300.0, f64::NAN, 7.0]);
        let told = [99, 100, 199, 200, 299, 300, i64::MAX].map(|seconds| offsets.at(seconds));
        assert_eq!(told, [None, Some(3600), Some(3600), Some(-1800), Some(-1800), None, None]);
        assert_eq!(Offsets::default().at(0), None);
        assert_eq!(Offsets::around(0, |_| None), Offsets::default());
        for instant in [i64::MIN, i64::MAX] {
            assert_eq!(Offsets::around(instant, |_| None), Offsets::default());
        }
    }
}
