//! What pages have to know of a profile, as few bytes: they travel in a sealed cookie, and come back with the next request, perhaps days
//! later. So each reading carries its value, and what time alone will make of it.
//!
//! ```text
//! version, second of writing, user, session, entries of readings
//! entry   = gap to the id before, head, value, changes (seconds since the last, value), end (seconds since the last)
//! ```
//!
//! Numbers are variable-length (LEB128); instants count seconds. An entry's id has 16 bits: the MurmurHash3 of the reading's path.
//! Paths of one program that share an id are told apart by the order of their bytes: the first has it, the next takes the hash with the
//! seed 1, and so on. What a program does not know is ignored; what it knows and the projection does not have is unknown.

use super::event::cut;
use super::read::{kind, next_change, read, second, text};
use super::rules::{Reading, Rules, What};
use super::site::Site;
use super::state::State;
use crate::bucket::murmur3_32;
use crate::context::{Kind, Value};

const VERSION: u8 = 1;
/// No projection has more bytes: what is too much is left out, and is unknown then.
pub const MOST_BYTES: usize = 700;
/// How far ahead changes are told.
const HORIZON: i64 = 60 * crate::time::DAY_MS;
/// How many changes of a reading are told.
const MOST_CHANGES: usize = 8;
/// The longest text of a value.
const MOST_TEXT: usize = 120;

/// Bits of an entry's head beside the kind of its value.
const UNKNOWN_AT_FIRST: u8 = 8;
const CHANGES: u8 = 16;
const ENDS: u8 = 32;

/// The value of a reading, and what time alone makes of it.
struct Timeline {
    id: u16,
    kind: Kind,
    /// From when on, in seconds since the writing; the first is 0.
    values: Vec<(u64, Option<Value>)>,
    /// From when on nothing is known.
    end: Option<u64>,
}

/// The id of each reading that pages have to know.
fn ids(rules: &Rules) -> Vec<(u16, &Reading)> {
    let mut readings: Vec<&Reading> = rules.readings.iter().filter(|reading| reading.on_pages).collect();
    readings.sort_by(|one, other| one.path.cmp(&other.path));
    let mut ids: Vec<(u16, &Reading)> = Vec::with_capacity(readings.len());
    for reading in readings {
        let free = (0..=u32::MAX).map(|seed| murmur3_32(reading.path.as_bytes(), seed) as u16);
        // Never searches long: a program has far fewer fields than there are ids.
        let mut free = free.take(1 << 16).filter(|id| !ids.iter().any(|(known, _)| known == id));
        if let Some(id) = free.next() {
            ids.push((id, reading));
        }
    }
    ids.sort_by_key(|(id, _)| *id);
    ids
}

/// The bytes that pages have to know of a profile at an instant. `user`: who the visitor is known to be.
pub fn encode(rules: &Rules, state: &State, site: &Site, now: i64, user: Option<&str>) -> Vec<u8> {
    let now = second(now).max(0);
    let mut timelines: Vec<Timeline> =
        ids(rules).into_iter().filter_map(|(id, reading)| timeline(rules, state, site, now, id, &reading.what)).collect();
    loop {
        let bytes = written(now, user, &timelines);
        if bytes.len() <= MOST_BYTES {
            return bytes;
        }
        // The changes that are furthest ahead go first.
        let furthest = timelines.iter_mut().filter(|timeline| timeline.values.len() > 1);
        if let Some(timeline) = furthest.max_by_key(|timeline| timeline.values.last().map(|(at, _)| *at)) {
            timeline.end = timeline.values.pop().map(|(at, _)| at);
        } else if timelines.pop().is_none() {
            return bytes;
        }
    }
}

fn timeline(rules: &Rules, state: &State, site: &Site, now: i64, id: u16, what: &What) -> Option<Timeline> {
    let mut values: Vec<(u64, Option<Value>)> = vec![(0, told(read(rules, state, site, now, what)))];
    let (mut at, mut end) = (now, None);
    while let Some(change) = next_change(rules, state, site, at, what) {
        let seconds = change.saturating_sub(now).div_euclid(1000) as u64;
        if change.saturating_sub(now) > HORIZON || values.len() > MOST_CHANGES {
            end = Some(seconds);
            break;
        }
        let value = told(read(rules, state, site, change, what));
        if values.last().is_some_and(|(_, last)| *last != value) {
            values.push((seconds, value));
        }
        at = change;
    }
    let known = values.iter().any(|(_, value)| value.is_some());
    known.then_some(Timeline { id, kind: kind(rules, what), values, end })
}

/// A value that is short enough.
fn told(value: Option<Value>) -> Option<Value> {
    value.filter(|value| text(value).len() <= MOST_TEXT)
}

fn written(now: i64, user: Option<&str>, timelines: &[Timeline]) -> Vec<u8> {
    let mut out = vec![VERSION];
    put(&mut out, now as u64 / 1000);
    put_text(&mut out, cut(user.unwrap_or_default(), 512));
    let mut before = 0;
    for timeline in timelines {
        put(&mut out, u64::from(timeline.id - before));
        before = timeline.id;
        let first = timeline.values.first().and_then(|(_, value)| value.as_ref());
        let changes = timeline.values.len().saturating_sub(1);
        let flag = |is: bool, bit: u8| if is { bit } else { 0 };
        let head = timeline.kind as u8
            | flag(first.is_none(), UNKNOWN_AT_FIRST)
            | flag(changes > 0, CHANGES)
            | flag(timeline.end.is_some(), ENDS);
        out.push(head);
        if let Some(value) = first {
            put_value(&mut out, value);
        }
        if changes > 0 {
            put(&mut out, changes as u64);
        }
        let mut last = 0;
        for (at, value) in timeline.values.iter().skip(1) {
            put(&mut out, (at - last) << 1 | u64::from(value.is_some()));
            last = *at;
            if let Some(value) = value {
                put_value(&mut out, value);
            }
        }
        if let Some(end) = timeline.end {
            put(&mut out, end.saturating_sub(last));
        }
    }
    out
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push(number as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, (number << 1 ^ number >> 63) as u64);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Bool(flag) => out.push(u8::from(*flag)),
        Value::Int(number) => put_signed(out, *number),
        Value::Timestamp(ms) => put_signed(out, ms.div_euclid(1000)),
        // Readings are millionths; whatever else is written as it is.
        Value::Double(_) | Value::String(_) | Value::Strings(_) | Value::Map(_) => put_text(out, &text(value)),
    }
}

/// What a projection says at an instant: paths and texts, for [`crate::Request::profile`]. `None` when the bytes are no projection of this
/// version.
pub fn open(rules: &Rules, bytes: &[u8], now: i64) -> Option<Vec<(String, String)>> {
    let mut reader = Reader(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    let written = i64::try_from(reader.number()?).ok()?.checked_mul(1000)?;
    // A clock that is behind: it is as it was written.
    let seconds = second(now).saturating_sub(written).max(0) as u64 / 1000;
    let mut pairs = Vec::new();
    let user = reader.text()?;
    if !user.is_empty() {
        pairs.push(("visitor.user_id".to_owned(), user.to_owned()));
    }
    let ids = ids(rules);
    let mut id = 0u64;
    while !reader.0.is_empty() {
        id = id.checked_add(reader.number()?)?;
        let head = reader.byte()?;
        let kind = *Kind::ALL.get(usize::from(head & 7))?;
        let mut value = if head & UNKNOWN_AT_FIRST > 0 { None } else { Some(reader.value(kind)?) };
        let changes = if head & CHANGES > 0 { reader.number()? } else { 0 };
        let mut at = 0u64;
        for _ in 0..changes {
            let number = reader.number()?;
            at = at.checked_add(number >> 1)?;
            let next = if number & 1 > 0 { Some(reader.value(kind)?) } else { None };
            if at <= seconds {
                value = next;
            }
        }
        if head & ENDS > 0 && at.checked_add(reader.number()?)? <= seconds {
            value = None;
        }
        let known = ids.binary_search_by_key(&id, |(known, _)| u64::from(*known)).ok().and_then(|place| ids.get(place));
        if let (Some((_, reading)), Some(value)) =
            (known.filter(|(_, reading)| self::kind(rules, &reading.what) == kind), value)
        {
            pairs.push((reading.path.clone(), text(&value)));
        }
    }
    Some(pairs)
}

/// Bytes that are read from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        // The last byte has one bit.
        let last = self.byte().filter(|byte| *byte < 2)?;
        Some(number | u64::from(last) << 63)
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn value(&mut self, kind: Kind) -> Option<Value> {
        match kind {
            Kind::Bool => Some(Value::Bool(self.byte()? > 0)),
            Kind::Int => Some(Value::Int(self.signed()?)),
            Kind::Timestamp => Some(Value::Timestamp(self.signed()?.checked_mul(1000)?)),
            kind => Value::parse(kind, self.text()?),
        }
    }
}
