//! Time zones that a manifest names, as tables: the runtimes know no zone but the visitor's.

use super::{Compiler, Zones, is_zone_name};
use crate::program::layout::Section;
use crate::time::parse_offset;
use crate::zone::{changes, jan_1, pack_change, same_calendar, utc};

/// The first year that a table knows. Before it the clocks are taken to stand as they stood then.
const FIRST: i64 = 1900;
/// The last year up to which the rule that a table ends with was compared with what the host knows.
const LAST: i64 = 2150;

impl Compiler<'_, '_, '_> {
    /// Whether a runtime will know this zone: UTC, a fixed offset, or a zone of the world, whose table then gets into the
    /// program.
    pub(super) fn zone(&mut self, name: &str) -> bool {
        if utc(name) || parse_offset(name).is_some() || self.zone_names.iter().any(|known| known == name) {
            return true;
        }
        let Some(table) = table(self.zones, name) else { return false };
        self.zone_names.push(name.to_owned());
        let start = self.builder.next(Section::ZoneChanges);
        for change in &table.changes {
            self.builder.push(Section::ZoneChanges, &pack_change(*change));
        }
        let name = self.builder.text(name);
        self.builder.push(Section::Zones, &[name, start, table.changes.len() as u32, table.repeats as u32]);
        true
    }
}

struct Table {
    /// The second since 1970 from which an offset holds, and the seconds ahead of UTC.
    changes: Vec<(i64, i32)>,
    /// From this year on every year is as the first one since then with the same calendar.
    repeats: i64,
}

fn table(zones: &dyn Zones, name: &str) -> Option<Table> {
    zones.offset(name, 0).filter(|_| is_zone_name(name))?;
    let at = |seconds: i64| zones.offset(name, seconds * 1000).unwrap_or_default();
    let start = jan_1(FIRST);
    let mut all = vec![(start, at(start))];
    changes(start, jan_1(LAST + 1), at, |from, seconds| all.push((from, seconds)));

    // A year's clocks: how far ahead they are when it begins, and their changes in it.
    let clocks = |year: i64| {
        let (start, end) = (jan_1(year), jan_1(year + 1));
        let first = all.iter().rev().find(|(from, _)| *from <= start).map_or(0, |(_, seconds)| *seconds);
        let within = all.iter().filter(|(from, _)| (start + 1..end).contains(from));
        std::iter::once((0, first)).chain(within.map(|(from, seconds)| (from - start, *seconds))).collect::<Vec<_>>()
    };
    // Back from the last year as long as all years with the same calendar have the same clocks.
    let mut repeats = LAST;
    let mut known: Vec<(i64, Vec<(i64, i32)>)> = Vec::new();
    for year in (FIRST..=LAST).rev() {
        let own = clocks(year);
        match known.iter().find(|(other, _)| same_calendar(*other, year)) {
            Some((_, other)) if *other != own => break,
            Some(_) => {}
            None => known.push((year, own)),
        }
        repeats = year;
    }
    // Later changes are never looked up.
    let last = known.iter().filter_map(|(year, _)| (repeats..=LAST).find(|other| same_calendar(*other, *year))).max();
    let end = jan_1(last.unwrap_or(LAST) + 1);
    all.retain(|(from, _)| *from < end);
    Some(Table { changes: all, repeats })
}

#[cfg(test)]
mod tests {
    use crate::compile::{Zones, compile};
    use crate::program::Program;
    use jiff::tz::TimeZoneDatabase;

    struct Iana;

    impl Zones for Iana {
        fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
            let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
            Some(zone.to_offset(jiff::Timestamp::from_millisecond(instant).ok()?).seconds())
        }
    }

    fn program(zone: &str) -> Program {
        let manifest = format!(r#"{{ "site": {{ "id": "x", "timezone": "{zone}" }} }}"#);
        compile(&manifest, &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"))
    }

    #[test]
    fn tables_agree_with_a_time_library_for_six_centuries() {
        // Those that gave up their rules, skipped a day, change by half an hour or plan by the moon are among them.
        for zone in [
            "Europe/Paris",
            "Europe/Dublin",
            "America/New_York",
            "America/St_Johns",
            "America/Sao_Paulo",
            "Australia/Lord_Howe",
            "Asia/Kolkata",
            "Asia/Kathmandu",
            "Asia/Tehran",
            "Asia/Gaza",
            "Pacific/Apia",
            "Pacific/Chatham",
            "Africa/Casablanca",
            "Africa/Cairo",
            "Etc/UTC",
        ] {
            let program = program(zone);
            let expected = TimeZoneDatabase::bundled().get(zone).unwrap();
            let at = |seconds: i64| expected.to_offset(jiff::Timestamp::from_second(seconds).unwrap()).seconds();
            let (start, end) = (super::jan_1(1900), super::jan_1(2500));
            // Every few days at another hour, and around each change.
            let steps = (start..end).step_by(400_009).chain([start, end]);
            let changes = expected.following(jiff::Timestamp::from_second(start).unwrap());
            let changes = changes.map(|change| change.timestamp().as_second()).take_while(|second| *second < end);
            for second in steps.chain(changes.flat_map(|second| [second - 1, second, second + 1])) {
                assert_eq!(program.zone_offset(zone, second), Some(at(second)), "{zone} at {second}");
            }
        }
    }

    #[test]
    fn tables_are_small_and_there_once() {
        // Two world wars and fifty years of summer time.
        let paris = program("Europe/Paris").bytes().len() - program("UTC").bytes().len();
        assert!(paris < 1500, "{paris} bytes");
        let kolkata = program("Asia/Kolkata").bytes().len() - program("UTC").bytes().len();
        assert!(kolkata < 150, "{kolkata} bytes");
    }

    #[test]
    fn a_zone_that_is_not_in_the_program_is_unknown() {
        let program = program("Europe/Paris");
        assert_eq!(program.zone_offset("Europe/Berlin", 0), None);
        assert_eq!(program.zone_offset("europe/paris", 0), None);
        assert_eq!(program.zone_offset("Europe/Paris", i64::MIN), Some(561));
        assert!(program.zone_offset("Europe/Paris", i64::MAX).is_some());
    }
}
