//! Whether a browser has to be sent its projection again.

use super::{CHANGES, ENDS, Reader, UNKNOWN_AT_FIRST, VERSION, code, second};

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

/// What is told from a second on: of whom, the session, and all entries. `None` when the bytes are no projection of this version.
fn told(bytes: &[u8], from: u64) -> Option<(&str, Option<(i64, i64)>, Vec<Told>)> {
    let mut reader = Reader(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    let written = reader.number()?;
    let user = reader.text()?;
    let session = if reader.byte()? > 0 { Some((reader.signed()?, reader.signed()?)) } else { None };
    let mut all = Vec::new();
    let mut id = 0u64;
    while !reader.0.is_empty() {
        id = id.checked_add(reader.number()?)?;
        let head = reader.byte()?;
        if head & 7 == code::SHOWN {
            let written = i64::try_from(written).ok()?.checked_mul(1000)?;
            let text = reader.shown(head & UNKNOWN_AT_FIRST > 0, written)?;
            all.push(Told { id, head, values: vec![(from, Some(text))], end: None });
            continue;
        }
        let first = if head & UNKNOWN_AT_FIRST > 0 { None } else { Some(reader.plain(head)?) };
        let mut values = vec![(from, first)];
        let changes = if head & CHANGES > 0 { reader.number()? } else { 0 };
        let mut at = written;
        for _ in 0..changes {
            let number = reader.number()?;
            at = at.checked_add(number >> 1)?;
            let value = if number & 1 > 0 { Some(reader.plain(head)?) } else { None };
            if at <= from {
                values.clear();
            }
            values.push((at.max(from), value));
        }
        let end = if head & ENDS > 0 { Some(at.checked_add(reader.number()?)?) } else { None };
        // What is over says nothing, nor does what is unknown and stays so.
        let is_known = values.iter().any(|(_, value)| value.is_some());
        if is_known && end.is_none_or(|end| end > from) {
            all.push(Told { id, head: head & 7, values, end });
        }
    }
    Some((user, session, all))
}

impl Reader<'_> {
    /// A value as text that differs where values do; of words their places.
    fn plain(&mut self, head: u8) -> Option<String> {
        match head & 7 {
            code::WORD => Some(self.number()?.to_string()),
            code => Some(self.value(code, &[])?.text()),
        }
    }
}
