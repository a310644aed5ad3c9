//! Calendar arithmetic on the proleptic Gregorian calendar (algorithms after Howard Hinnant, "chrono-Compatible
//! Low-Level Date Algorithms") and the ISO 8601 texts that manifests and visitors use.

use crate::number::{digits_of, parse_digits};
use crate::text::{Cut, push};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;
/// Milliseconds in an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds in a minute.
pub const MINUTE_MS: i64 = 60_000;

/// A date and time without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year, may be negative.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999.
    pub millisecond: u16,
}

impl Civil {
    /// The civil time of an instant, in milliseconds since 1970-01-01T00:00:00 of the same clock.
    pub fn from_millis(ms: i64) -> Civil {
        let days = ms.div_euclid(DAY_MS);
        let in_day = ms.rem_euclid(DAY_MS);
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8,
            hour: (in_day / 3_600_000) as u8,
            minute: (in_day / 60_000 % 60) as u8,
            second: (in_day / 1000 % 60) as u8,
            millisecond: (in_day % 1000) as u16,
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00 of the same clock.
    pub fn to_millis(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        let seconds = i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        days * DAY_MS + seconds * 1000 + i64::from(self.millisecond)
    }

    /// Day of the year, from 1.
    pub fn day_of_year(self) -> i64 {
        let start = Civil { month: 1, day: 1, ..self };
        (self.to_millis() - start.to_millis()) / DAY_MS + 1
    }

    /// Day of the week, 0 = Sunday (as CEL's `getDayOfWeek`).
    pub fn weekday(self) -> i64 {
        (self.to_millis().div_euclid(DAY_MS) + 4).rem_euclid(7)
    }
}

/// A moment as it is written: with an offset (`Z`, `+01:00`) it is an instant; without one it is the time of a zone that
/// the reader of it must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Epoch milliseconds.
    Instant(i64),
    /// A date, or a date and time, in an unnamed zone.
    Local(Civil),
}

/// A date, and perhaps a time, as they are written in the ISO 8601 extended format.
pub(crate) struct Written<'a> {
    /// Whole seconds; a day of the calendar.
    pub(crate) civil: Civil,
    pub(crate) nanos: u32,
    /// Between date and time; nothing where there is no time.
    pub(crate) separator: Option<u8>,
    /// Whether seconds are written.
    pub(crate) seconds: bool,
    /// How many decimals the seconds have.
    pub(crate) decimals: usize,
    /// What follows.
    pub(crate) zone: &'a str,
}

impl Written<'_> {
    /// Seconds ahead of UTC; `None` where nothing that says so follows.
    pub(crate) fn offset(&self) -> Option<i32> {
        match self.zone.as_bytes().first()? {
            b'Z' | b'z' if self.zone.len() == 1 => Some(0),
            b'+' | b'-' => parse_offset(self.zone),
            _ => None,
        }
    }
}

/// Reads `2026-11-20`, `2026-11-20T14:00`, `2026-11-20T14:00:30.250`, and whatever follows a time. `None` when it is anything
/// else, or no day of the calendar.
pub(crate) fn parse_written(text: &str) -> Option<Written<'_>> {
    let bytes = text.as_bytes();
    let sign = |at: usize| bytes.get(at).copied();
    // So many digits at a place, behind a sign.
    let part = |behind: u8, at: usize, length: usize| {
        let digits = bytes.get(at..at + length).filter(|_| at == 0 || sign(at - 1) == Some(behind))?;
        digits_of(digits)
    };
    let mut civil = Civil {
        year: part(0, 0, 4)? as i64,
        month: part(b'-', 5, 2)? as u8,
        day: part(b'-', 8, 2)? as u8,
        hour: 0,
        minute: 0,
        second: 0,
        millisecond: 0,
    };
    let (separator, mut nanos, mut decimals) = (sign(10), 0, 0);
    let mut end = 10;
    if let Some(separator) = separator {
        civil.hour = part(separator, 11, 2)? as u8;
        civil.minute = part(b':', 14, 2)? as u8;
        end = 16;
    }
    let seconds = sign(end) == Some(b':');
    if seconds {
        civil.second = part(b':', 17, 2)? as u8;
        end = 19;
        if sign(end) == Some(b'.') {
            let fraction = digits_before(bytes.get(20..)?);
            decimals = fraction.len();
            nanos = leading(fraction, 9).filter(|_| decimals > 0)? as u32;
            end += 1 + decimals;
        }
    }
    // What the calendar or the clock does not have comes back as something else.
    let real = Civil::from_millis(civil.to_millis()) == civil;
    let zone = text.get(end..).filter(|_| real)?;
    Some(Written { civil, nanos, separator, seconds, decimals, zone })
}

/// The digits that bytes begin with.
#[inline(never)]
pub(crate) fn digits_before(bytes: &[u8]) -> &[u8] {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.get(..count).unwrap_or_default()
}

/// The first `count` of a fraction's digits as a number; those that are missing are zeros, those behind them are dropped.
pub(crate) fn leading(digits: &[u8], count: usize) -> Option<u64> {
    let mut sum = 0;
    for place in 0..count {
        let digit = digits.get(place).map_or(0, |digit| digit.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        sum = sum * 10 + u64::from(digit);
    }
    Some(sum)
}

/// Reads `2026-11-20`, `2026-11-20T14:00`, `2026-11-20T14:00:30.250`, each time optionally with `Z` or `+01:00`
/// (ISO 8601 extended format). `None` when it is anything else, or no day of the calendar.
pub fn parse_moment(text: &str) -> Option<Moment> {
    let written = parse_written(text).filter(|written| written.decimals <= 9)?;
    let civil = Civil { millisecond: (written.nanos / 1_000_000) as u16, ..written.civil };
    if written.zone.is_empty() {
        return matches!(written.separator, None | Some(b'T' | b' ')).then_some(Moment::Local(civil));
    }
    if !matches!(written.separator, Some(b'T' | b' ')) || written.zone == "z" {
        return None;
    }
    Some(Moment::Instant(civil.to_millis() - i64::from(written.offset()?) * 1000))
}

fn digits(text: &str, len: usize) -> Option<u32> {
    parse_digits(text).filter(|_| text.len() == len).map(|number| number as u32)
}

/// Seconds of an offset such as `+01:00`, `-02:30`, or `02:00`, which is ahead.
pub(crate) fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => (1, text),
    };
    let (hours, minutes) = rest.cut(b':')?;
    let (hours, minutes) = (digits(hours, 2)? as i32, digits(minutes, 2)? as i32);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// An instant as `2026-11-20T12:30:00Z`, with milliseconds where it has any.
#[cfg(any(feature = "author", feature = "explain", feature = "serde"))]
pub(crate) fn instant_text(ms: i64) -> String {
    let at = Civil::from_millis(ms);
    let mut text = format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", at.year, at.month, at.day, at.hour, at.minute, at.second);
    if at.millisecond > 0 {
        text.push_str(&format!(".{:03}", at.millisecond));
    }
    text.push('Z');
    text
}

/// As [`instant_text`], or epoch milliseconds for a year that [`parse_moment`] does not read.
#[cfg(any(feature = "author", feature = "explain"))]
pub(crate) fn exact_instant_text(ms: i64) -> String {
    if (0..10_000).contains(&Civil::from_millis(ms).year) { instant_text(ms) } else { ms.to_string() }
}

/// Two digits with a leading zero.
pub(crate) fn push_two(out: &mut String, number: u8) {
    push(out, b'0' + number / 10 % 10);
    push(out, b'0' + number % 10);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_agree_with_a_time_library_over_many_centuries() {
        for day in (-800_000..800_000).step_by(97) {
            let ms = day * DAY_MS + 45_296_789;
            let civil = Civil::from_millis(ms);
            let expected = jiff::Timestamp::from_millisecond(ms).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
            assert_eq!(civil.year, i64::from(expected.year()));
            assert_eq!((civil.month, civil.day), (expected.month() as u8, expected.day() as u8));
            assert_eq!((civil.hour, civil.minute, civil.second, civil.millisecond), (12, 34, 56, 789));
            assert_eq!(civil.weekday(), i64::from(expected.weekday().to_sunday_zero_offset()));
            assert_eq!(civil.to_millis(), ms);
        }
    }

    #[test]
    fn reads_moments() {
        let instant = |text| match parse_moment(text) {
            Some(Moment::Instant(ms)) => Some(ms),
            _ => None,
        };
        assert_eq!(instant("2026-11-20T14:00:00Z"), Some(1_795_183_200_000));
        assert_eq!(instant("2026-11-20T14:00+01:00"), Some(1_795_179_600_000));
        assert_eq!(instant("2026-11-20 14:00:00.25Z"), Some(1_795_183_200_250));
        assert!(matches!(parse_moment("2024-02-29"), Some(Moment::Local(_))));
        for bad in [
            "",
            "2026",
            "2026-11",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-11-20T",
            "2026-11-20T24:00",
            "20-11-2026",
            "2026-11-20T14:00+1",
            "2026-11-20T14:00:00.",
            "2026-11-20Tx",
            "+2026-11-20",
            "2026-11-20T1é:00",
        ] {
            assert_eq!(parse_moment(bad), None, "{bad}");
        }
    }
}
