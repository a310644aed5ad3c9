//! What is stored of a visitor that a decision reads, beside traits: who they are, what they were assigned to, and how often
//! they saw what. Hosts hand it in as paths and texts; what can't be read is as if it was never stored.

use crate::context::parse_instant;
use crate::number::parse_uint;
use crate::text::{Cut, is_digits};
use crate::time::DAY_MS;
#[cfg(any(feature = "author", feature = "explain"))]
use crate::{number::push_int, time::exact_instant_text};

/// The longest id of a user, in characters.
const MOST_USER_ID: usize = 128;

/// The stored part of a visitor: paths and texts, read when they are asked for.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// No path twice.
    stored: Vec<(String, String)>,
    /// Whether a preview asks for variants.
    pub(crate) forces: bool,
}

/// A variant: one level for each factor, of which an experiment without factors has one. Eight bits for each, all of them set
/// where there is no such factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels(pub(crate) u64);

impl Levels {
    /// The most factors of an experiment.
    pub(crate) const MOST: u32 = 8;
    /// Of no factor.
    pub(crate) const NONE: Levels = Levels(u64::MAX);
    /// The baseline of each factor.
    pub(crate) const BASELINE: Levels = Levels(0);
    /// What is expected of an experience that does not have what was found.
    #[cfg(any(feature = "author", feature = "explain"))]
    pub(crate) const EXPECTED: &str = "a variant of the experience, with factors a level of each";
    /// What is no level.
    const ABSENT: u32 = 0xff;

    /// One level.
    pub(crate) fn one(level: u32) -> Levels {
        Levels::NONE.with(0, level)
    }

    /// These with the level of a factor that has none yet.
    #[must_use]
    pub(crate) fn with(self, factor: u32, level: u32) -> Levels {
        Levels(self.0 ^ u64::from(level & Levels::ABSENT ^ Levels::ABSENT) << ((8 * factor) & 63))
    }

    /// The level of a factor.
    pub(crate) fn level(self, factor: u32) -> u32 {
        (self.0 >> ((8 * factor) & 63)) as u32 & Levels::ABSENT
    }

    /// How many factors have a level.
    pub(crate) fn count(self) -> u32 {
        (0..Levels::MOST).take_while(|factor| self.level(*factor) != Levels::ABSENT).count() as u32
    }

    /// Reads levels such as `2` or `1,0`.
    pub(crate) fn parse(text: &str) -> Option<Levels> {
        let mut levels = Levels::NONE;
        for (part, factor) in text.parts(b',').zip(0..) {
            let level = parse_uint(part).filter(|level| *level < 0xff && factor < Levels::MOST)?;
            levels = levels.with(factor, level as u32);
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
            let part = parts.next()?;
            // More digits than fit say more than any cap, not nothing.
            let large = !part.is_empty() && is_digits(part);
            let number = parse_uint(part).or(large.then_some(u64::MAX))?;
            *count = number.min(u64::from(u32::MAX)) as u32;
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

impl Profile {
    /// Keeps the text of a path, in place of an earlier one.
    pub(crate) fn put(&mut self, path: &str, text: &str) {
        self.forces |= path.starts_with("variant.");
        match self.stored.iter_mut().find(|(known, _)| known == path) {
            Some((_, known)) => *known = text.to_owned(),
            None => self.stored.push((path.to_owned(), text.to_owned())),
        }
    }

    /// The text of a path.
    #[inline(never)]
    fn find(&self, prefix: &str, key: &[u8]) -> Option<&str> {
        let is_it = |known: &str| known.as_bytes().strip_prefix(prefix.as_bytes()) == Some(key);
        self.stored.iter().find(|(known, _)| is_it(known)).map(|(_, text)| text.as_str())
    }

    /// Who the visitor is, where a site knows its users.
    pub(crate) fn user_id(&self) -> Option<&str> {
        // Each character has one byte that continues none.
        let characters = |id: &str| id.bytes().filter(|byte| byte & 0xc0 != 0x80).count();
        self.find("visitor.user_id", b"").filter(|id| (1..=MOST_USER_ID).contains(&characters(id)))
    }

    /// Epoch milliseconds of the moment when the session began.
    pub(crate) fn session_start(&self) -> Option<i64> {
        self.find("visitor.session_start", b"").and_then(parse_instant)
    }

    /// The variant of an experience that is stored by its kind: assigned (`assignment.`), or asked for by a preview (`variant.`).
    pub(crate) fn levels(&self, kind: &str, experience: &[u8]) -> Option<Levels> {
        self.find(kind, experience).and_then(Levels::parse)
    }

    /// What was seen of an experience (`seen.`), a group (`seen_group.`) or the whole site (`seen_site`).
    pub(crate) fn seen(&self, kind: &str, key: &[u8]) -> Option<Seen> {
        self.find(kind, key).and_then(Seen::parse)
    }
}

/// What a path stands for.
#[cfg(any(feature = "author", feature = "explain"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    UserId,
    SessionStart,
    Variant,
    Seen,
}

#[cfg(any(feature = "author", feature = "explain"))]
impl Kind {
    /// What a path stands for; `None` when it is no path of a profile.
    fn of(path: &str) -> Option<Kind> {
        match path.cut(b'.').unwrap_or((path, "")) {
            ("visitor", "user_id") => Some(Kind::UserId),
            ("visitor", "session_start") => Some(Kind::SessionStart),
            ("assignment" | "variant", key) if !key.is_empty() => Some(Kind::Variant),
            ("seen" | "seen_group", key) if !key.is_empty() => Some(Kind::Seen),
            _ => (path == "seen_site").then_some(Kind::Seen),
        }
    }

    /// What texts are expected.
    fn expected(self) -> &'static str {
        match self {
            Kind::UserId => "1 to 128 characters",
            Kind::SessionStart => "an instant such as 2026-11-20T12:30:00Z",
            Kind::Variant => "a variant such as 1, or one level for each factor such as 1,0",
            Kind::Seen => "session,day,week,total,last: four counts and an instant",
        }
    }
}

#[cfg(any(feature = "author", feature = "explain"))]
impl Profile {
    /// What can be read: paths, and texts in the one way of writing them.
    pub(crate) fn readable(&self) -> impl Iterator<Item = (&str, String)> {
        self.stored.iter().filter_map(|(path, _)| Some((path.as_str(), self.written(path)?)))
    }

    /// Whether the text of a path can be read, and what was expected if not; empty text stands for nothing. `None` when it is no
    /// path of a profile.
    pub(crate) fn check(path: &str, text: &str) -> Option<Result<(), &'static str>> {
        let kind = Kind::of(path)?;
        let mut profile = Profile::default();
        profile.put(path, text);
        let read = text.is_empty() || profile.written(path).is_some();
        Some(if read { Ok(()) } else { Err(kind.expected()) })
    }

    /// The text of a path in the one way of writing it; `None` where it can't be read, or is no path of a profile.
    fn written(&self, path: &str) -> Option<String> {
        let mut text = String::new();
        match Kind::of(path)? {
            Kind::UserId => text.push_str(self.user_id()?),
            Kind::SessionStart => text = exact_instant_text(self.session_start()?),
            Kind::Variant => {
                let levels = self.levels(path, b"")?;
                for factor in 0..levels.count() {
                    if factor > 0 {
                        text.push(',');
                    }
                    push_int(&mut text, i64::from(levels.level(factor)));
                }
            }
            Kind::Seen => {
                let seen = self.seen(path, b"")?;
                for count in seen.counts {
                    push_int(&mut text, i64::from(count));
                    text.push(',');
                }
                text.push_str(&exact_instant_text(seen.last));
            }
        }
        Some(text)
    }
}

/// What can't be read makes no difference.
#[cfg(any(feature = "author", feature = "explain"))]
impl PartialEq for Profile {
    fn eq(&self, other: &Profile) -> bool {
        let has_all = |one: &Profile, of: &Profile| of.readable().all(|(path, text)| one.written(path) == Some(text));
        has_all(self, other) && has_all(other, self)
    }
}
