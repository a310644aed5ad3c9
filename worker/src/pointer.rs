//! The pointer of a site, `site:<id>` in the store: which version is live, and which versions are going to be.
//!
//! ```text
//! 0f3a5c1b2d4e6f70
//! 2026-11-27T00:00:00+01:00 91b2c3d4e5f60718
//! ```
//! The first line is the live version; whoever publishes with `wrangler kv` alone writes nothing else. The others are scheduled:
//! from its instant (RFC 3339) on, the newest of them is live.

use idoine::instant::Seconds;

/// The most scheduled versions.
pub const MOST_SCHEDULED: usize = 16;

/// What a pointer says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer {
    first: Option<String>,
    /// Epoch milliseconds and version, by instant; of equal instants the one that was written last comes last.
    scheduled: Vec<(i64, String)>,
}

impl Pointer {
    /// Reads a pointer. Lines that say nothing are left out and told: their numbers, from 1.
    pub fn read(text: &str) -> (Pointer, Vec<usize>) {
        let (mut pointer, mut bad) = (Pointer::default(), Vec::new());
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (at, (number, line)) in lines.enumerate() {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(version), None, None) if at == 0 && is_version(version) => pointer.first = Some(version.to_owned()),
                (Some(instant), Some(version), None) if is_version(version) && pointer.scheduled.len() < MOST_SCHEDULED => {
                    match instant_of(instant) {
                        Some(instant) => pointer.insert(instant, version),
                        None => bad.push(number + 1),
                    }
                }
                _ => bad.push(number + 1),
            }
        }
        (pointer, bad)
    }

    /// The pointer as it is stored.
    pub fn write(&self) -> String {
        let mut text = self.first.clone().unwrap_or_default();
        for (at, version) in &self.scheduled {
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(&instant_text(*at));
            text.push(' ');
            text.push_str(version);
        }
        text
    }

    /// The version that is live at an instant.
    pub fn live(&self, now: i64) -> Option<&str> {
        self.until(now).next_back()
    }

    /// The version that was live before that one, as far as the pointer tells.
    pub fn before(&self, now: i64) -> Option<&str> {
        let live = self.live(now);
        self.until(now).rev().find(|version| live.is_some_and(|live| live != *version))
    }

    /// What is still to come.
    pub fn upcoming(&self, now: i64) -> impl Iterator<Item = (i64, &str)> {
        self.scheduled.iter().filter(move |(at, _)| *at > now).map(|(at, version)| (*at, version.as_str()))
    }

    /// Whether anything is scheduled, or was.
    pub fn has_schedule(&self) -> bool {
        !self.scheduled.is_empty()
    }

    /// With another version that is live from now on. What is still to come stays.
    pub fn with_live(&self, version: &str, now: i64) -> Pointer {
        Pointer { first: Some(version.to_owned()), ..self.without_past(now) }
    }

    /// With a version that is going to be live, in the place of another one at the same instant; `None` when there are too many.
    pub fn with_scheduled(&self, at: i64, version: &str, now: i64) -> Option<Pointer> {
        let mut pointer = self.without_past(now);
        pointer.scheduled.retain(|(other, _)| *other != at);
        pointer.insert(at, version);
        (pointer.scheduled.len() <= MOST_SCHEDULED).then_some(pointer)
    }

    /// Without a version in what is still to come; `None` when it isn't there.
    pub fn without_scheduled(&self, version: &str, now: i64) -> Option<Pointer> {
        let mut pointer = self.without_past(now);
        let before = pointer.scheduled.len();
        pointer.scheduled.retain(|(_, other)| other != version);
        (pointer.scheduled.len() < before).then_some(pointer)
    }

    /// Puts a version behind all that are not later.
    fn insert(&mut self, at: i64, version: &str) {
        let place = self.scheduled.partition_point(|(other, _)| *other <= at);
        self.scheduled.insert(place, (at, version.to_owned()));
    }

    /// The same, without the steps that led to what is live.
    fn without_past(&self, now: i64) -> Pointer {
        let scheduled = self.upcoming(now).map(|(at, version)| (at, version.to_owned())).collect();
        Pointer { first: self.live(now).map(str::to_owned), scheduled }
    }

    /// The versions that have been live until an instant, in their order.
    fn until(&self, now: i64) -> impl DoubleEndedIterator<Item = &str> {
        let due = self.scheduled.iter().filter(move |(at, _)| *at <= now).map(|(_, version)| version.as_str());
        self.first.as_deref().into_iter().chain(due)
    }
}

/// Whether a text is a version: 16 lower-case hex digits.
pub fn is_version(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Epoch milliseconds of an instant (RFC 3339).
pub fn instant_of(text: &str) -> Option<i64> {
    Seconds::parse_instant(text).map(Seconds::millis)
}

/// An instant (RFC 3339, in UTC).
pub fn instant_text(ms: i64) -> String {
    let mut text = String::new();
    Seconds::from_millis(ms).write_instant(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbb";
    const C: &str = "cccccccccccccccc";

    fn at(text: &str) -> i64 {
        instant_of(text).unwrap()
    }

    #[test]
    fn versions_are_sixteen_hex_digits() {
        assert!(is_version("0123456789abcdef"));
        for bad in ["", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef0", "../../site:shop00"] {
            assert!(!is_version(bad), "{bad}");
        }
    }

    #[test]
    fn one_line_is_the_live_version() {
        for text in [A, &format!("{A}\n"), &format!("  {A} \r\n\r\n")] {
            let (pointer, bad) = Pointer::read(text);
            assert_eq!((pointer.live(0), pointer.before(0), bad), (Some(A), None, vec![]), "{text:?}");
            assert_eq!(pointer.write(), A);
        }
    }

    #[test]
    fn the_newest_that_is_due_is_live() {
        let (pointer, bad) = Pointer::read(&format!("{A}\n2026-11-28T00:00:00Z {C}\n2026-11-27T00:00:00+01:00 {B}\n"));
        assert_eq!(bad, Vec::<usize>::new());
        for (now, live, before, upcoming) in [
            ("2026-11-26T22:59:59.999Z", A, None, 2),
            ("2026-11-26T23:00:00Z", B, Some(A), 1),
            ("2026-11-28T00:00:00Z", C, Some(B), 0),
        ] {
            assert_eq!(pointer.live(at(now)), Some(live), "{now}");
            assert_eq!(pointer.before(at(now)), before, "{now}");
            assert_eq!(pointer.upcoming(at(now)).count(), upcoming, "{now}");
        }
        assert_eq!(pointer.write(), format!("{A}\n2026-11-26T23:00:00Z {B}\n2026-11-28T00:00:00Z {C}"));
        assert_eq!(Pointer::read(&pointer.write()), (pointer, vec![]));
    }

    #[test]
    fn a_bad_line_is_told_and_the_rest_stays() {
        let text = format!(
            "{A}\n2026-11-27 {B}\n{C}\n2026-11-27T00:00:00Z {B} x\n2026-11-27T00:00:00Z secret\n2026-11-27T00:00:00Z {B}"
        );
        let (pointer, bad) = Pointer::read(&text);
        assert_eq!(bad, [2, 3, 4, 5]);
        assert_eq!((pointer.live(0), pointer.live(i64::MAX)), (Some(A), Some(B)));
        let (pointer, bad) = Pointer::read(&format!("nonsense\n2026-11-27T00:00:00Z {B}"));
        assert_eq!((bad, pointer.live(0), pointer.live(i64::MAX)), (vec![1], None, Some(B)));
        let many: Vec<_> = (10..30).map(|day| format!("2026-11-{day}T00:00:00Z {B}")).collect();
        let (pointer, bad) = Pointer::read(&format!("{A}\n{}", many.join("\n")));
        assert_eq!((bad, pointer.upcoming(0).count()), (vec![18, 19, 20, 21], MOST_SCHEDULED));
    }

    #[test]
    fn changes_keep_what_is_still_to_come() {
        let (pointer, _) = Pointer::read(&format!("{A}\n2026-11-27T00:00:00Z {B}\n2026-11-28T00:00:00Z {C}"));
        let now = at("2026-11-27T12:00:00Z");
        assert_eq!(pointer.with_live(A, now).write(), format!("{A}\n2026-11-28T00:00:00Z {C}"));
        let scheduled = pointer.with_scheduled(at("2026-11-28T00:00:00Z"), A, now).unwrap();
        assert_eq!(scheduled.write(), format!("{B}\n2026-11-28T00:00:00Z {A}"));
        assert_eq!(pointer.without_scheduled(C, now).unwrap().write(), B);
        assert_eq!(pointer.without_scheduled(B, now), None, "what is live already is no longer scheduled");
        let mut full = Pointer::default();
        for hour in 1..=MOST_SCHEDULED as i64 {
            full = full.with_scheduled(hour * 3_600_000, A, 0).unwrap();
        }
        assert_eq!(full.with_scheduled(1, B, 0), None);
        assert!(full.with_scheduled(3_600_000, B, 0).is_some(), "in the place of another one");
        assert_eq!(Pointer::read(&full.write()), (full, vec![]));
    }
}
