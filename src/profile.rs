//! What is stored of a visitor that a decision reads, beside traits: who they are, what they were assigned to, and how often
//! they saw what. Hosts hand it in as paths and texts; what can't be read is as if it was never stored.

use crate::context::parse_instant;
use crate::number::parse_uint;
use crate::text::Cut;
use crate::time::DAY_MS;

/// The longest id of a user, in characters.
const MOST_USER_ID: usize = 128;

/// The stored part of a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Who the visitor is, where a site knows its users.
    pub(crate) user_id: Option<String>,
    /// Epoch milliseconds of the moment when the session began.
    pub(crate) session_start: Option<i64>,
    /// The variants that were assigned, by experience.
    pub(crate) assignments: Vec<(String, Levels)>,
    /// What was seen, by its path: `seen.<experience>`, `seen_group.<group>` or `seen_site`.
    pub(crate) seen: Vec<(String, Seen)>,
    /// The variants that a preview asks for, by experience.
    pub(crate) forced: Vec<(String, Levels)>,
}

/// A variant: one level for each factor, of which an experiment without factors has one. Eight bits for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Levels {
    pub(crate) bits: u64,
    pub(crate) count: u32,
}

impl Levels {
    /// The most factors of an experiment.
    pub(crate) const MOST: u32 = 8;

    /// One level.
    pub(crate) fn one(level: u32) -> Levels {
        Levels::default().with(level)
    }

    /// These and one more.
    #[must_use]
    pub(crate) fn with(self, level: u32) -> Levels {
        Levels { bits: self.bits | u64::from(level & 0xff) << ((8 * self.count) & 63), count: self.count + 1 }
    }

    /// The level of a factor.
    pub(crate) fn level(self, factor: u32) -> u32 {
        (self.bits >> ((8 * factor) & 63)) as u32 & 0xff
    }

    /// Reads levels such as `2` or `1,0`.
    fn parse(text: &str) -> Option<Levels> {
        let mut levels = Levels::default();
        for part in text.parts(b',') {
            let level = parse_uint(part).filter(|level| *level < 0xff && levels.count < Levels::MOST)?;
            levels = levels.with(level as u32);
        }
        Some(levels)
    }
}

/// How often something was seen. The counts of session, day and week are those of the session, day and week of `last`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Times in the session, on the day, in the week, and at all.
    pub(crate) counts: [u32; 4],
    /// Epoch milliseconds of the last time.
    pub(crate) last: i64,
}

impl Seen {
    /// Reads `session,day,week,total,last`.
    fn parse(text: &str) -> Option<Seen> {
        let mut parts = text.parts(b',');
        let mut seen = Seen::default();
        for count in &mut seen.counts {
            *count = parse_uint(parts.next()?)?.min(u64::from(u32::MAX)) as u32;
        }
        seen.last = parse_instant(parts.next()?)?;
        parts.next().is_none().then_some(seen)
    }

    /// The counts as they are at an instant: what was seen in another session, on another day or in another week counts no more.
    /// `offset`: the seconds that the visitor's clock is ahead of UTC.
    pub(crate) fn at(&self, now: i64, offset: i32, session_start: Option<i64>) -> [u32; 4] {
        let day = |instant: i64| instant.saturating_add(i64::from(offset) * 1000).div_euclid(DAY_MS);
        // The first day of 1970 was a Thursday; weeks begin on Monday.
        let week = |instant: i64| (day(instant) + 3).div_euclid(7);
        let [session, on_day, in_week, total] = self.counts;
        [
            if session_start.is_none_or(|start| self.last >= start) { session } else { 0 },
            if day(self.last) == day(now) { on_day } else { 0 },
            if week(self.last) == week(now) { in_week } else { 0 },
            total,
        ]
    }
}

const A_VARIANT: &str = "a variant such as 1, or one level for each factor such as 1,0";

impl Profile {
    /// Sets what a path stands for; empty text removes it. `None` when it is no path of a profile, else whether the text could
    /// be read, and what was expected if not.
    pub(crate) fn put(&mut self, path: &str, text: &str) -> Option<Result<(), &'static str>> {
        let (read, expected) = if path == "visitor.user_id" {
            self.user_id = Some(text.to_owned()).filter(|id| !id.is_empty() && id.chars().count() <= MOST_USER_ID);
            (self.user_id.is_some(), "1 to 128 characters")
        } else if path == "visitor.session_start" {
            self.session_start = parse_instant(text);
            (self.session_start.is_some(), "an instant such as 2026-11-20T12:30:00Z")
        } else if let Some(id) = path.strip_prefix("assignment.") {
            (replace(&mut self.assignments, id, Levels::parse(text)), A_VARIANT)
        } else if let Some(id) = path.strip_prefix("variant.") {
            (replace(&mut self.forced, id, Levels::parse(text)), A_VARIANT)
        } else if path == "seen_site" || path.starts_with("seen.") || path.starts_with("seen_group.") {
            (replace(&mut self.seen, path, Seen::parse(text)), "session,day,week,total,last: four counts and an instant")
        } else {
            return None;
        };
        Some(if read || text.is_empty() { Ok(()) } else { Err(expected) })
    }

    /// What is stored under a key.
    pub(crate) fn find<'a, T>(pairs: &'a [(String, T)], prefix: &str, key: &[u8]) -> Option<&'a T> {
        let is_it = |known: &str| known.as_bytes().strip_prefix(prefix.as_bytes()) == Some(key);
        pairs.iter().find(|(known, _)| is_it(known)).map(|(_, value)| value)
    }
}

/// Puts a value in the place of the one of that name, or removes it; whether there is one now.
fn replace<T>(pairs: &mut Vec<(String, T)>, name: &str, value: Option<T>) -> bool {
    pairs.retain(|(known, _)| known != name);
    let found = value.is_some();
    pairs.extend(value.map(|value| (name.to_owned(), value)));
    found
}
