//! When time alone changes what a projection says.

use super::{Path, Reader, VERSION, code, minute, second};
use crate::learn::rules::{Reading, Rules};

/// The first instant behind `now`, in epoch milliseconds, at which a projection says something else of some readings; `None` where it never does,
/// and where the bytes are no projection of this version.
pub fn next(rules: &Rules, bytes: &[u8], now: i64, is_read: impl Fn(&Reading) -> bool) -> Option<i64> {
    let mut reader = Reader(bytes);
    if reader.byte()? != VERSION {
        return None;
    }
    let written = i64::try_from(reader.number()?).ok()?.checked_mul(1000)?;
    // A clock that is behind: it is as it was written.
    let now = second(now).max(written);
    reader.text()?;
    if reader.byte()? > 0 {
        reader.signed()?;
        reader.signed()?;
    }
    let ids = &rules.index().ids;
    let (mut id, mut first) = (0u64, i64::MAX);
    while !reader.0.is_empty() {
        id = id.checked_add(reader.number()?)?;
        let known = ids.binary_search_by_key(&id, |(known, _)| u64::from(*known)).ok().and_then(|place| ids.get(place));
        let head = reader.byte()?;
        if head & 7 == code::SHOWN {
            reader.shown(head & super::UNKNOWN_AT_FIRST > 0, written)?;
            continue;
        }
        let reading = if let Some((_, Path::Reading(place))) = known { rules.readings.get(*place) } else { None };
        let is_read = reading.is_some_and(&is_read);
        let mut take = |seconds: u64| {
            let at = i64::try_from(seconds).ok().and_then(|seconds| minute(written).checked_add(seconds.checked_mul(1000)?));
            if let Some(at) = at.filter(|at| is_read && *at > now) {
                first = first.min(at);
            }
        };
        let words = reading.map_or(&[][..], |reading| reading.what.words());
        let end = reader.each(head, words, &mut |at, _| take(at))?;
        end.into_iter().for_each(take);
    }
    (first < i64::MAX).then_some(first)
}
