//! Whether a browser has to be sent its projection again.

use super::{Found, Reader, UNKNOWN_AT_FIRST, VERSION, code, minute, second};

/// What is told of a path from an instant on; texts stand for values, and instants are seconds since 1970.
#[derive(PartialEq)]
struct Told {
    id: u64,
    head: u8,
    /// Values, each with when it begins to hold.
    values: Vec<(u64, Option<String>)>,
    /// From when on nothing is known.
    end: Option<u64>,
}

/// Whether two projections say the same from an instant on, whenever they were written. What can't be read says nothing.
pub fn same(one: &[u8], other: &[u8], now: i64) -> bool {
    let from = second(now).max(0) as u64 / 1000;
    match (told(one, from), told(other, from)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

/// A whole projection.
#[derive(PartialEq)]
struct Whole<'a> {
    user: &'a str,
    session: Option<(i64, i64)>,
    entries: Vec<Told>,
}

/// What is told from a second on. `None` when the bytes are no projection of this version.
fn told(bytes: &[u8], from: u64) -> Option<Whole<'_>> {
    let mut reader = Reader(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    let written = reader.number()?;
    let user = reader.text()?;
    let session = if reader.byte()? > 0 { Some((reader.signed()?, reader.signed()?)) } else { None };
    let mut entries = Vec::new();
    let mut id = 0u64;
    while !reader.0.is_empty() {
        id = id.checked_add(reader.number()?)?;
        let head = reader.byte()?;
        if head & 7 == code::SHOWN {
            let written = i64::try_from(written).ok()?.checked_mul(1000)?;
            let text = reader.shown(head & UNKNOWN_AT_FIRST > 0, written)?;
            entries.push(Told { id, head, values: vec![(from, Some(text))], end: None });
            continue;
        }
        // Times of changes count from the minute of writing.
        let base = minute(i64::try_from(written).ok()?.checked_mul(1000)?) as u64 / 1000;
        let mut values: Vec<(u64, Option<String>)> = Vec::new();
        let end = reader.each(head, &[], &mut |at, value| {
            let at = at.saturating_add(base);
            if at <= from {
                values.clear();
            }
            values.push((at.max(from), value.as_ref().map(Found::plain)));
        })?;
        let end = end.map(|end| end.saturating_add(base));
        // What is over says nothing, nor does what is unknown and stays so.
        let is_known = values.iter().any(|(_, value)| value.is_some());
        if is_known && end.is_none_or(|end| end > from) {
            entries.push(Told { id, head: head & 7, values, end });
        }
    }
    Some(Whole { user, session, entries })
}

impl Found<'_> {
    /// A text that differs where values do; of words their places.
    fn plain(&self) -> String {
        match self {
            Found::Word(place, _) => place.to_string(),
            found => found.text(),
        }
    }
}
