//! Instants and lengths of time to the nanosecond, as CEL's timestamps and durations are (CEL specification, "Abstract types").

use crate::number::{digits_of, push_int, signed};
use crate::text::push;
use crate::time::{Civil, digits_before, leading, parse_written, push_two};

/// A number of seconds: since 1970-01-01T00:00:00Z, or of a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds {
    /// Whole seconds, rounded down.
    pub whole: i64,
    /// Nanoseconds on top of them, below 1,000,000,000.
    pub nanos: u32,
}

const BILLION: u32 = 1_000_000_000;
/// 0001-01-01T00:00:00Z.
const FIRST: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z.
const LAST: i64 = 253_402_300_799;
/// The units of lengths, in nanoseconds: `ms` before `m`. Micro with the letter u, the sign of its own, or the Greek letter.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];
/// Some 10,000 years, as `google.protobuf.Duration` allows.
const LONGEST: i64 = 315_576_000_000;

impl Seconds {
    /// Of a whole number of seconds.
    pub fn new(whole: i64) -> Seconds {
        Seconds { whole, nanos: 0 }
    }

    /// Of a number of milliseconds.
    pub fn from_millis(ms: i64) -> Seconds {
        Seconds { whole: ms.div_euclid(1000), nanos: ms.rem_euclid(1000) as u32 * 1_000_000 }
    }

    /// Epoch milliseconds, rounded down.
    pub fn millis(self) -> i64 {
        self.whole.saturating_mul(1000).saturating_add(i64::from(self.nanos / 1_000_000))
    }

    /// Itself, if it is an instant between the years 1 and 9999.
    #[inline(never)]
    pub fn instant(self) -> Option<Seconds> {
        (FIRST..=LAST).contains(&self.whole).then_some(self)
    }

    /// Itself, if it is a length of time that CEL knows.
    #[inline(never)]
    pub fn length(self) -> Option<Seconds> {
        let within = self.whole.unsigned_abs() <= LONGEST as u64 && (self.whole != LONGEST || self.nanos == 0);
        within.then_some(self)
    }

    /// The sum; `None` past 64 bits.
    #[inline(never)]
    pub fn plus(self, other: Seconds) -> Option<Seconds> {
        let nanos = self.nanos + other.nanos;
        let whole = self.whole.checked_add(other.whole)?.checked_add(i64::from(nanos / BILLION))?;
        Some(Seconds { whole, nanos: nanos % BILLION })
    }

    /// With the other sign; `None` past 64 bits.
    #[inline(never)]
    pub fn negated(self) -> Option<Seconds> {
        let whole = self.whole.checked_neg()?;
        if self.nanos == 0 {
            return Some(Seconds { whole, nanos: 0 });
        }
        Some(Seconds { whole: whole.checked_sub(1)?, nanos: BILLION - self.nanos })
    }

    /// The whole seconds, rounded towards zero: of a length of time.
    pub fn towards_zero(self) -> i64 {
        self.whole + i64::from(self.whole < 0 && self.nanos > 0)
    }

    /// The whole milliseconds, rounded towards zero: of a length of time.
    pub fn millis_towards_zero(self) -> i64 {
        let rounded_up = self.whole < 0 && !self.nanos.is_multiple_of(1_000_000);
        self.millis().saturating_add(i64::from(rounded_up))
    }

    /// The instant that an RFC 3339 text says (section 5.6): `2026-11-20T12:30:00.5+01:00`.
    pub fn parse_instant(text: &str) -> Option<Seconds> {
        let written =
            parse_written(text).filter(|written| written.seconds && matches!(written.separator, Some(b'T' | b't')))?;
        let whole = written.civil.to_millis() / 1000 - i64::from(written.offset()?);
        Seconds { whole, nanos: written.nanos }.instant()
    }

    /// The length that a text such as `1h30m`, `-1.5h` or `300ms` says (CEL specification, "duration"; the units are those of
    /// Go's `time.ParseDuration`).
    pub fn parse_length(text: &str) -> Option<Seconds> {
        let (negative, mut rest) = signed(text.as_bytes());
        let mut sum = Seconds::new(0);
        if rest == b"0" {
            return Some(sum);
        }
        loop {
            let whole = digits_before(rest);
            let mut behind = rest.get(whole.len()..)?;
            let mut fraction: &[u8] = b"";
            if let [b'.', decimals @ ..] = behind {
                fraction = digits_before(decimals);
                behind = decimals.get(fraction.len()..)?;
            }
            if whole.is_empty() && fraction.is_empty() {
                return None;
            }
            let (behind, unit) = UNITS.iter().find_map(|(name, unit)| Some((behind.strip_prefix(name.as_bytes())?, *unit)))?;
            sum = sum.plus(scaled(whole, fraction, unit)?)?;
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        if negative { sum.negated()?.length() } else { sum.length() }
    }

    /// RFC 3339 in UTC, with as many decimals as say something.
    pub fn write_instant(self, out: &mut String) {
        let civil = Civil::from_millis(self.whole.saturating_mul(1000));
        for padding in [1000, 100, 10] {
            if civil.year < padding {
                push(out, b'0');
            }
        }
        push_int(out, civil.year);
        for (sign, part) in
            [(b'-', civil.month), (b'-', civil.day), (b'T', civil.hour), (b':', civil.minute), (b':', civil.second)]
        {
            push(out, sign);
            push_two(out, part);
        }
        write_fraction(self.nanos, out);
        push(out, b'Z');
    }

    /// Seconds with as many decimals as say something, and `s`.
    pub fn write_length(self, out: &mut String) {
        let positive = if self.whole < 0 { self.negated().unwrap_or(self) } else { self };
        if self.whole < 0 {
            push(out, b'-');
        }
        push_int(out, positive.whole);
        write_fraction(positive.nanos, out);
        push(out, b's');
    }
}

/// So many units of so many nanoseconds each. A unit is less than a second, or at most 3600 of them.
fn scaled(whole: &[u8], fraction: &[u8], unit: u64) -> Option<Seconds> {
    const SECOND: u64 = BILLION as u64;
    let whole: u64 = if whole.is_empty() { 0 } else { digits_of(whole)? };
    let (seconds, nanos) = if unit < SECOND {
        let nanos = whole.checked_mul(unit)?;
        (nanos / SECOND, nanos % SECOND + leading(fraction, 9)? * unit / SECOND)
    } else {
        // As many digits as 64 bits hold with the longest unit.
        (whole.checked_mul(unit / SECOND)?, leading(fraction, 15)? * (unit / SECOND) / 1_000_000)
    };
    let whole = i64::try_from(seconds).ok()?.checked_add((nanos / SECOND) as i64)?;
    Some(Seconds { whole, nanos: (nanos % SECOND) as u32 })
}

fn write_fraction(nanos: u32, out: &mut String) {
    if nanos == 0 {
        return;
    }
    push(out, b'.');
    let (mut rest, mut unit) = (nanos, BILLION / 10);
    while rest > 0 && unit > 0 {
        push(out, b'0' + (rest / unit) as u8);
        rest %= unit;
        unit /= 10;
    }
}
