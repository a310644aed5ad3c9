//! What pages have to know of a profile, as few bytes: they travel in a sealed cookie, and come back with the next request, perhaps days
//! later. So each reading carries its value, and what time alone will make of it.
//!
//! ```text
//! version, second of writing, user, session, entries
//! entry   = gap to the id before, head, value [, number of changes, changes] [, end]
//! change  = time since the last one, value           end = time since the last change, from when on nothing is known
//! ```
//!
//! Numbers are variable-length (LEB128), lowest bits first. Times of changes count from the minute of writing: in minutes where they are whole
//! ones, as nearly all are, else in seconds; a number that changes is told by its difference. Entries are readings, and what was shown: paths
//! as [`crate::profile`] reads them. An entry's id is 19 bits of the MurmurHash3 of its path, of which a hundred, sorted, have gaps of two
//! bytes. Paths of one program that share them are told apart by the order of their bytes: the first has it, the next takes the hash with the
//! seed 1, and so on. What a program does not know is ignored; what it knows and the projection does not have is unknown. Two programs could
//! give one id to two paths of one type, one that the later has no more and one that is new in it: one pair in 500,000, and only until the
//! visitor's next event.
//!
//! No projection is larger than [`MOST_BYTES`]. What is too much goes in this order, and is unknown then, never wrong: the changes that are
//! furthest ahead, one by one; then whole entries, those first that changed least recently.

mod next;
mod same;
mod slots;

pub use next::next;
pub use same::same;
pub use slots::slots;

use super::event::cut;
use super::exposures::Shown;
use super::read::{Reader as Read, kind, millionths, second, text};
use super::rules::{Reading, Rules, What};
use super::site::Site;
use super::state::State;
use crate::bucket::murmur3_32;
use crate::context::{Kind, Value};
use crate::number::push_int;
use crate::time::DAY_MS;

const VERSION: u8 = 1;
/// The most bytes: sealed, with what seals it, and in base64, they are a cookie below 1 KB.
pub const MOST_BYTES: usize = 720;
/// How far ahead changes are told.
const HORIZON: i64 = 60 * DAY_MS;
/// How many changes of a reading are told.
const MOST_CHANGES: usize = 8;
/// The longest text of a value.
const MOST_TEXT: usize = 120;
/// The longest id of a user.
const MOST_USER: usize = 256;
/// The bits of an id.
const ID: u32 = 0x0007_ffff;

/// What follows an entry's head, by its lowest three bits.
mod code {
    pub(super) const BOOL: u8 = 0;
    pub(super) const INT: u8 = 1;
    /// Decimal: three bits say how many of six decimals are left out.
    pub(super) const DOUBLE: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const LIST: u8 = 4;
    pub(super) const TIME: u8 = 5;
    /// The place in the list of words that the reading may be.
    pub(super) const WORD: u8 = 6;
    /// What was shown: counts, or levels of a variant.
    pub(super) const SHOWN: u8 = 7;
}

/// Bits of an entry's head beside that. Of what was shown, the first says that it is a variant.
const UNKNOWN_AT_FIRST: u8 = 8;
const CHANGES: u8 = 16;
const ENDS: u8 = 32;

/// What an id stands for.
#[derive(Debug)]
pub(crate) enum Path {
    /// The place of a reading in the rules.
    Reading(usize),
    /// `assignment.<experience>`, `seen.<experience>`, `seen_group.<group>`, `seen_site`.
    Shown(String),
}

impl Path {
    fn text<'a>(&'a self, rules: &'a Rules) -> &'a str {
        match self {
            Path::Reading(place) => rules.readings.get(*place).map_or("", |reading| &reading.path),
            Path::Shown(path) => path,
        }
    }
}

/// The id of everything that pages have to know, in the order of the ids.
pub(crate) fn ids(rules: &Rules) -> Vec<(u32, Path)> {
    let on_pages = rules.readings.iter().enumerate().filter(|(_, reading)| reading.on_pages);
    let mut paths: Vec<Path> = on_pages.map(|(place, _)| Path::Reading(place)).collect();
    let mut site = false;
    let mut groups: Vec<&str> = Vec::new();
    for rule in &rules.experiences {
        if rule.sticky {
            paths.push(Path::Shown(format!("assignment.{}", rule.id)));
        }
        if rule.capped {
            paths.push(Path::Shown(format!("seen.{}", rule.id)));
        }
        groups.extend(rule.groups.iter().map(String::as_str));
        site |= rule.site;
    }
    groups.sort_unstable();
    groups.dedup();
    paths.extend(groups.into_iter().map(|group| Path::Shown(format!("seen_group.{group}"))));
    if site {
        paths.push(Path::Shown("seen_site".to_owned()));
    }
    paths.sort_by(|one, other| one.text(rules).cmp(other.text(rules)));
    let mut ids: Vec<(u32, Path)> = Vec::with_capacity(paths.len());
    for path in paths {
        // Never searches long: a program has far fewer paths than there are ids.
        let free = (0..1024).map(|seed| murmur3_32(path.text(rules).as_bytes(), seed) & ID);
        let place = free.map(|id| (id, ids.binary_search_by_key(&id, |(known, _)| *known)));
        if let Some((id, place)) = place.filter_map(|(id, place)| Some((id, place.err()?))).next() {
            ids.insert(place, (id, path));
        }
    }
    ids
}

/// One entry, before it is written.
struct Entry {
    id: u32,
    /// When what it tells last changed.
    changed: i64,
    told: Told,
}

enum Told {
    /// A reading by its code: its values, each with the seconds since the writing from when on it holds, the first 0; and from when on nothing
    /// is known.
    Timeline(u8, Vec<(u64, Option<Value>)>, Option<u64>, &'static [&'static str]),
    /// The level of each factor.
    Variant(Vec<u64>),
    /// In the session, on the day, in the week, at all; and the seconds since.
    Seen([u32; 4], u64),
}

/// The bytes that pages have to know of a profile at an instant. `user`: who the visitor is known to be.
pub fn encode(rules: &Rules, state: &State, site: &Site, now: i64, user: Option<&str>) -> Vec<u8> {
    let now = second(now).max(0);
    let mut entries: Vec<Entry> = Vec::new();
    for (id, path) in &rules.index().ids {
        let found = match path {
            Path::Reading(place) => {
                rules.readings.get(*place).and_then(|reading| timeline(rules, state, site, now, &reading.what))
            }
            Path::Shown(path) => shown(rules, state, now, path),
        };
        entries.extend(found.map(|(changed, told)| Entry { id: *id, changed, told }));
    }
    let mut head = vec![VERSION];
    put(&mut head, now as u64 / 1000);
    put_text(&mut head, cut(user.unwrap_or_default(), MOST_USER));
    match &state.sessions.last {
        Some(session) => {
            let over = state.sessions.over(rules).unwrap_or(now).saturating_add(999);
            head.push(1);
            put_signed(&mut head, session.started.div_euclid(1000));
            put_signed(&mut head, seconds_between(session.started, over));
        }
        None => head.push(0),
    }
    let mut sizes: Vec<usize> = entries.iter().map(|entry| written(entry).len()).collect();
    while head.len() + gaps(&entries) + sizes.iter().sum::<usize>() > MOST_BYTES {
        let last_change = |entry: &Entry| match &entry.told {
            Told::Timeline(_, values, ..) if values.len() > 1 => values.last().map(|(at, _)| *at),
            _ => None,
        };
        let furthest = entries.iter().map(last_change).enumerate().max_by_key(|(_, at)| *at);
        if let Some((place, Some(_))) = furthest {
            if let (Some(entry), Some(size)) = (entries.get_mut(place), sizes.get_mut(place)) {
                if let Told::Timeline(_, values, end, _) = &mut entry.told {
                    *end = values.pop().map(|(at, _)| at);
                }
                *size = written(entry).len();
            }
        } else if let Some((place, _)) = entries.iter().enumerate().min_by_key(|(_, entry)| (entry.changed, entry.id)) {
            entries.remove(place);
            sizes.remove(place);
        } else {
            break;
        }
    }
    let mut before = 0;
    for entry in &entries {
        put(&mut head, u64::from(entry.id - before));
        before = entry.id;
        head.extend(written(entry));
    }
    head
}

/// How many bytes the gaps between ids take.
fn gaps(entries: &[Entry]) -> usize {
    let before = std::iter::once(0).chain(entries.iter().map(|entry| entry.id));
    entries
        .iter()
        .zip(before)
        .map(|(entry, before)| {
            if entry.id - before < 1 << 7 {
                1
            } else if entry.id - before < 1 << 14 {
                2
            } else {
                3
            }
        })
        .sum()
}

/// The seconds from one instant to another, each at the beginning of its second.
fn seconds_between(from: i64, to: i64) -> i64 {
    second(to).saturating_sub(second(from)) / 1000
}

/// The beginning of an instant's minute: what is counted by periods changes with one.
fn minute(ms: i64) -> i64 {
    ms.saturating_sub(ms.rem_euclid(60_000))
}

fn timeline(rules: &Rules, state: &State, site: &Site, now: i64, what: &What) -> Option<(i64, Told)> {
    let reader = Read::at(rules, state, site, now);
    let fits = |value: &Value| match value {
        Value::Double(number) => millionths(*number).unsigned_abs() < 1 << 58,
        value => text(value).len() <= MOST_TEXT,
    };
    let told = |value: Option<Value>| value.filter(fits);
    let mut values: Vec<(u64, Option<Value>)> = vec![(0, told(reader.read(what)))];
    let (mut at, mut end) = (now, None);
    while let Some(change) = Read::at(rules, state, site, at).next_second(what) {
        let seconds = seconds_between(minute(now), change).max(0) as u64;
        // At the end of time nothing comes behind.
        if change <= at || change.saturating_sub(now) > HORIZON || values.len() > MOST_CHANGES {
            end = Some(seconds);
            break;
        }
        let value = told(Read::at(rules, state, site, change).read(what));
        if values.last().is_some_and(|(_, last)| *last != value) {
            values.push((seconds, value));
        }
        at = change;
    }
    let known = values.iter().any(|(_, value)| value.is_some());
    let words = what.words();
    let code = match kind(rules, what) {
        Kind::Bool => code::BOOL,
        Kind::Int => code::INT,
        Kind::Double => code::DOUBLE,
        Kind::String if !words.is_empty() => code::WORD,
        Kind::String | Kind::Map => code::TEXT,
        Kind::Strings => code::LIST,
        Kind::Timestamp => code::TIME,
    };
    known.then(|| (reader.changed(what), Told::Timeline(code, values, end, words)))
}

/// What was shown, by its path.
fn shown(rules: &Rules, state: &State, now: i64, path: &str) -> Option<(i64, Told)> {
    let (kind, name) = path.split_once('.').unwrap_or((path, ""));
    let all = || state.exposures.all(rules);
    if kind == "assignment" {
        let (at, levels) = all().find(|(rule, _)| rule.id == name)?.1.variant.as_ref()?;
        let levels = levels.split(',').map(|level| level.parse().ok());
        return Some((*at, Told::Variant(levels.collect::<Option<_>>()?)));
    }
    let seen = match kind {
        "seen" => all().find(|(rule, _)| rule.id == name)?.1.shown,
        "seen_group" => {
            let members = all().filter(|(rule, _)| rule.groups.iter().any(|group| group == name));
            members.fold(Shown::default(), |mut sum, (_, exposed)| {
                sum.add(&exposed.shown);
                sum
            })
        }
        _ => state.exposures.site,
    };
    let session = state.sessions.last.as_ref().map(|session| session.started);
    let ago = seconds_between(seen.last, now).max(0) as u64;
    (seen.total > 0).then(|| (seen.last, Told::Seen(seen.counts(session), ago)))
}

fn written(entry: &Entry) -> Vec<u8> {
    let mut out = Vec::new();
    match &entry.told {
        Told::Variant(levels) => {
            out.push(code::SHOWN | UNKNOWN_AT_FIRST);
            put(&mut out, levels.len() as u64);
            levels.iter().for_each(|level| put(&mut out, *level));
        }
        Told::Seen(counts, ago) => {
            out.push(code::SHOWN);
            counts.iter().for_each(|count| put(&mut out, u64::from(*count)));
            put(&mut out, *ago);
        }
        Told::Timeline(code, values, end, words) => {
            let first = values.first().and_then(|(_, value)| value.as_ref());
            let changes = values.len().saturating_sub(1);
            let flag = |is: bool, bit: u8| if is { bit } else { 0 };
            let flags = flag(first.is_none(), UNKNOWN_AT_FIRST) | flag(changes > 0, CHANGES) | flag(end.is_some(), ENDS);
            out.push(code | flags);
            if let Some(value) = first {
                put_value(&mut out, value, words);
            }
            if changes > 0 {
                put(&mut out, changes as u64);
            }
            let (mut last, mut known) = (0, first);
            for (at, value) in values.iter().skip(1) {
                put_time(&mut out, at.saturating_sub(last), value.is_some());
                last = *at;
                match (value, known) {
                    (Some(Value::Int(number)), Some(Value::Int(before))) => put_signed(&mut out, number.wrapping_sub(*before)),
                    (Some(value), _) => put_value(&mut out, value, words),
                    (None, _) => {}
                }
                known = value.as_ref();
            }
            if let Some(end) = end {
                put_time(&mut out, end.saturating_sub(last), false);
            }
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

/// A length of time in seconds, and a bit.
fn put_time(out: &mut Vec<u8>, seconds: u64, bit: bool) {
    let whole = seconds.is_multiple_of(60);
    put(out, (if whole { seconds / 60 } else { seconds }) << 2 | u64::from(!whole) << 1 | u64::from(bit));
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put_value(out: &mut Vec<u8>, value: &Value, words: &[&str]) {
    match value {
        Value::Bool(flag) => out.push(u8::from(*flag)),
        Value::Int(number) => put_signed(out, *number),
        Value::Timestamp(ms) => put_signed(out, ms.div_euclid(1000)),
        Value::Double(number) => {
            let (mut number, mut left_out) = (millionths(*number), 0);
            while left_out < 6 && number % 10 == 0 {
                number /= 10;
                left_out += 1;
            }
            let magnitude = number.unsigned_abs() << 4 | left_out << 1 | u64::from(number < 0);
            put(out, magnitude);
        }
        Value::String(word) if !words.is_empty() => {
            put(out, words.iter().position(|known| known == word).unwrap_or(words.len()) as u64);
        }
        Value::String(_) | Value::Strings(_) | Value::Map(_) => put_text(out, &text(value)),
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
    let now = second(now).max(written);
    let seconds = seconds_between(minute(written), now) as u64;
    let mut pairs = Vec::new();
    let user = reader.text()?;
    if !user.is_empty() {
        pairs.push(("visitor.user_id".to_owned(), user.to_owned()));
    }
    if reader.byte()? > 0 {
        let started = reader.signed()?.checked_mul(1000)?;
        let over = started.checked_add(reader.signed()?.checked_mul(1000)?)?;
        // Nothing was seen yet in the session that comes after it.
        pairs.push(("visitor.session_start".to_owned(), number_text(if now >= over { over } else { started })));
    }
    let ids = &rules.index().ids;
    let mut id = 0u64;
    while !reader.0.is_empty() {
        id = id.checked_add(reader.number()?)?;
        let known = ids.binary_search_by_key(&id, |(known, _)| u64::from(*known)).ok().and_then(|place| ids.get(place));
        let known = known.map(|(_, path)| path);
        let head = reader.byte()?;
        if head & 7 == code::SHOWN {
            let text = reader.shown(head & UNKNOWN_AT_FIRST > 0, written)?;
            if let Some(Path::Shown(path)) = known
                && path.starts_with("assignment.") == (head & UNKNOWN_AT_FIRST > 0)
            {
                pairs.push((path.clone(), text));
            }
            continue;
        }
        let reading = if let Some(Path::Reading(place)) = known { rules.readings.get(*place) } else { None };
        let words = reading.map_or(&[][..], |reading| reading.what.words());
        let value = reader.timeline(head, seconds, words)?;
        if let (Some(Reading { path, what, .. }), Some(value)) = (reading, value)
            && value.is_of(kind(rules, what))
        {
            pairs.push((path.clone(), value.text()));
        }
    }
    Some(pairs)
}

fn number_text(number: i64) -> String {
    let mut text = String::new();
    push_int(&mut text, number);
    text
}

/// A value that was read.
enum Found<'a> {
    Value(Value),
    Text(u8, &'a str),
    /// Its place in the list, and what stands there.
    Word(u64, Option<&'a str>),
}

impl Found<'_> {
    fn int(&self) -> Option<i64> {
        if let Found::Value(Value::Int(number)) = self { Some(*number) } else { None }
    }

    fn is_of(&self, kind: Kind) -> bool {
        match self {
            Found::Value(Value::Bool(_)) => kind == Kind::Bool,
            Found::Value(Value::Int(_)) => kind == Kind::Int,
            Found::Value(Value::Double(_)) => kind == Kind::Double,
            Found::Value(Value::Timestamp(_)) => kind == Kind::Timestamp,
            Found::Value(_) => false,
            Found::Word(..) => kind == Kind::String,
            Found::Text(code, _) => match kind {
                Kind::String => *code == code::TEXT,
                Kind::Map => *code == code::TEXT,
                Kind::Strings => *code == code::LIST,
                _ => false,
            },
        }
    }

    fn text(&self) -> String {
        match self {
            Found::Value(value) => text(value),
            Found::Text(_, text) | Found::Word(_, Some(text)) => (*text).to_owned(),
            Found::Word(_, None) => String::new(),
        }
    }
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
        // The tenth byte has one bit.
        let last = self.byte().filter(|byte| *byte < 2)?;
        Some(number | u64::from(last) << 63)
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn time(&mut self) -> Option<(u64, bool)> {
        let number = self.number()?;
        let unit = if number & 2 > 0 { 1 } else { 60 };
        Some(((number >> 2).checked_mul(unit)?, number & 1 > 0))
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn value(&mut self, code: u8, words: &[&'a str]) -> Option<Found<'a>> {
        Some(match code {
            code::BOOL => Found::Value(Value::Bool(self.byte()? > 0)),
            code::INT => Found::Value(Value::Int(self.signed()?)),
            code::TIME => Found::Value(Value::Timestamp(self.signed()?.checked_mul(1000)?)),
            code::DOUBLE => {
                let magnitude = self.number()?;
                let scale = (0..magnitude >> 1 & 7).fold(1, |scale: i64, _| scale * 10);
                let number = ((magnitude >> 4) as i64).checked_mul(scale)?;
                Found::Value(Value::Double(super::read::double(if magnitude & 1 > 0 { -number } else { number })))
            }
            code::WORD => {
                let place = self.number()?;
                Found::Word(place, usize::try_from(place).ok().and_then(|place| words.get(place)).copied())
            }
            _ => Found::Text(code, self.text()?),
        })
    }

    /// The value after so many seconds, where one is known then.
    fn timeline(&mut self, head: u8, seconds: u64, words: &[&'a str]) -> Option<Option<Found<'a>>> {
        let mut now = None;
        let end = self.each(head, words, &mut |at, value| {
            if at <= seconds {
                now = value;
            }
        })?;
        let ended = end.is_some_and(|end| end <= seconds);
        Some(now.filter(|value| !ended && !matches!(value, Found::Word(_, None))))
    }

    /// Each value, and the seconds since the minute of writing from when on it holds, the first 0; and from when on nothing is known.
    fn each(&mut self, head: u8, words: &[&'a str], take: &mut dyn FnMut(u64, Option<Found<'a>>)) -> Option<Option<u64>> {
        let code = head & 7;
        let first = if head & UNKNOWN_AT_FIRST > 0 { None } else { Some(self.value(code, words)?) };
        let (mut at, mut before) = (0u64, first.as_ref().and_then(Found::int));
        take(at, first);
        let changes = if head & CHANGES > 0 { self.number()? } else { 0 };
        for _ in 0..changes {
            let (since, is_some) = self.time()?;
            at = at.checked_add(since)?;
            let next = match before {
                _ if !is_some => None,
                Some(before) => Some(Found::Value(Value::Int(before.wrapping_add(self.signed()?)))),
                None => Some(self.value(code, words)?),
            };
            before = next.as_ref().and_then(Found::int);
            take(at, next);
        }
        Some(if head & ENDS > 0 { Some(at.checked_add(self.time()?.0)?) } else { None })
    }

    /// What was shown, as [`crate::profile`] reads it.
    fn shown(&mut self, is_variant: bool, written: i64) -> Option<String> {
        let mut text = String::new();
        let count = if is_variant { self.number()?.min(8) } else { 4 };
        for place in 0..count {
            if place > 0 {
                text.push(',');
            }
            crate::number::push_uint(&mut text, self.number()?);
        }
        if !is_variant {
            text.push(',');
            let ago = i64::try_from(self.number()?).ok()?.checked_mul(1000)?;
            push_int(&mut text, written.checked_sub(ago)?);
        }
        Some(text)
    }
}
