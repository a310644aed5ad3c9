//! Schedules: dates of the site's time zone become instants.

use super::{Compiler, Zones};
use crate::manifest::{Schedule, Spanned};
use crate::time::{Civil, DAY_MS, Moment, instant_text, parse_moment};

impl Compiler<'_, '_, '_> {
    /// The first instant and the one at which it is over, in epoch milliseconds.
    pub(super) fn schedule(&mut self, schedule: Option<&Schedule>) -> (i64, i64) {
        let (from, until) = schedule.map_or((None, None), |schedule| (schedule.from.as_ref(), schedule.until.as_ref()));
        let start = from.and_then(|text| self.instant(text));
        let end = until.and_then(|text| self.instant(text));
        if let (Some(from), Some(until), Some(start), Some(end)) = (from, until, start, end)
            && start >= end
        {
            let help = self.skipped(from, start);
            self.error_with_help(until, "the schedule is over before it begins", help);
        }
        (start.unwrap_or(i64::MIN), end.unwrap_or(i64::MAX))
    }

    pub(super) fn instant(&mut self, text: &Spanned<String>) -> Option<i64> {
        match parse_moment(&text.value) {
            Some(Moment::Instant(instant)) => Some(instant),
            Some(Moment::Local(civil)) => Some(resolve(self.zones, self.site_zone(), civil)),
            None => {
                self.error(
                    text,
                    "expected a date that exists, such as 2026-11-20, or a time such as 2026-11-20T09:00 or 2026-11-20T09:00:00Z",
                );
                None
            }
        }
    }

    fn site_zone(&self) -> &str {
        self.manifest.site.timezone.as_ref().map_or("UTC", |zone| zone.value.as_str())
    }

    /// That clocks skip a time, and as which it is read.
    pub(super) fn skipped(&self, text: &Spanned<String>, instant: i64) -> Option<String> {
        let Some(Moment::Local(civil)) = parse_moment(&text.value) else { return None };
        let read = instant + offset(self.zones, self.site_zone(), instant);
        (read != civil.to_millis()).then(|| {
            let read = instant_text(read);
            format!("clocks skip {}: it is read as {}", text.value, read.get(..16).unwrap_or_default())
        })
    }
}

/// Milliseconds that a zone is ahead of UTC.
fn offset(zones: &dyn Zones, zone: &str, instant: i64) -> i64 {
    i64::from(zones.offset(zone, instant).unwrap_or(0)) * 1000
}

/// The instant of a local time: the earlier of two where clocks go back, and as many hours later as clocks skip where they
/// go forward (RFC 5545, section 3.3.5).
fn resolve(zones: &dyn Zones, zone: &str, civil: Civil) -> i64 {
    let local = civil.to_millis();
    let offset = |instant| offset(zones, zone, instant);
    let (before, after) = (offset(local - DAY_MS), offset(local + DAY_MS));
    let (one, other) = (local - before, local - after);
    let instants = [one.min(other), one.max(other)];
    let exact = instants.into_iter().find(|instant| instant + offset(*instant) == local);
    exact.unwrap_or(local - before)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Iana;

    impl Zones for Iana {
        fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
            let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).ok()?;
            Some(zone.to_offset(jiff::Timestamp::from_millisecond(instant).ok()?).seconds())
        }
    }

    #[test]
    fn local_times_agree_with_a_time_library_through_every_change_of_clocks() {
        for zone in ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"] {
            let expected = |civil: Civil| {
                let date = jiff::civil::date(civil.year as i16, civil.month as i8, civil.day as i8);
                let time = date.at(civil.hour as i8, civil.minute as i8, 0, 0);
                let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
                time.to_zoned(zone).unwrap().timestamp().as_millisecond()
            };
            for half_hour in 0..2 * 24 * 366 {
                let civil = Civil::from_millis(1_767_225_600_000 + half_hour * 1_800_000);
                assert_eq!(resolve(&Iana, zone, civil), expected(civil), "{zone} {civil:?}");
            }
        }
    }
}
