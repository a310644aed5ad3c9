//! The visitor's sessions ([`crate::session`]), and what they seem to be about to do within the last.
//!
//! Sessions are the one thing that needs events in their order. A late event, older than the window, changes nothing of them. Parts are merged
//! as what several devices did: their sessions add up, and the last one, with its intents, is the one whose newest event is the newest.

use super::decay::Decayed;
use super::event::{Event, EventKind, cut};
use super::rules::{Intent, Rules};
use super::touches;
use crate::session::{Hit, Session};

/// How many intents are kept.
pub(crate) const MOST_INTENTS: usize = 16;
/// The longest name of an intent, in bytes, and the longest id of an event.
pub(crate) const MOST_ID: usize = 128;
/// No cap.
pub(crate) const UNCAPPED: i64 = 1 << 43;

/// Sessions of a visitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sessions {
    /// How many there were.
    pub(crate) count: u32,
    /// The last.
    pub(crate) last: Option<Session>,
    /// What was signalled in it, in the order of the names.
    pub(crate) intents: Vec<(String, Decayed)>,
}

impl Sessions {
    /// Takes the next event.
    pub(crate) fn add(&mut self, rules: &Rules, event: &Event) {
        let bounded = event.touch.as_ref().filter(|touch| touches::is_long(touch)).map(touches::bounded);
        let touch = bounded.as_ref().or(event.touch.as_ref());
        let hit = Hit { id: cut(&event.id, MOST_ID), at: event.at, page: event.kind == EventKind::Page, touch };
        let started = match &mut self.last {
            Some(session) => session.take(&hit, rules.session),
            None => {
                self.last = Some(Session::start(1, &hit));
                true
            }
        };
        if started {
            self.count = self.count.saturating_add(1);
            self.intents.clear();
        }
    }

    /// Takes a signal of an intent.
    pub(crate) fn signal(&mut self, rule: &Intent, name: &str, strength: i64, at: i64) {
        let place = match self.intents.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
            Ok(place) => place,
            Err(place) => {
                self.intents.insert(place, (name.to_owned(), Decayed::default()));
                place
            }
        };
        if let Some((_, score)) = self.intents.get_mut(place) {
            score.add(rule.half_life, UNCAPPED, at, strength);
        }
    }

    /// Takes another part's sessions.
    pub(crate) fn merge(&mut self, other: &Sessions) {
        let count = self.count.saturating_add(other.count);
        // All of it, so that no two that differ are equal.
        let key = |sessions: &Sessions| {
            let session = sessions.last.as_ref();
            session.map(|session| {
                let Session { number, started, last_event, last_id, touch, page_count } = session.clone();
                (last_event, last_id, started, page_count, number, touch, sessions.intents.clone())
            })
        };
        if other.last.is_some() && key(other) > key(self) {
            *self = other.clone();
        }
        self.count = count;
    }

    /// The last session, unless it is over at an instant.
    pub(crate) fn current(&self, rules: &Rules, now: i64) -> Option<&Session> {
        self.last.as_ref().filter(|session| now.saturating_sub(session.last_event) <= rules.session.timeout)
    }

    /// When it is over.
    pub(crate) fn over(&self, rules: &Rules) -> Option<i64> {
        Some(self.last.as_ref()?.last_event.saturating_add(rules.session.timeout).saturating_add(1))
    }

    /// The strongest intent of the session at an instant; of equal ones the first by name.
    pub(crate) fn intent(&self, rules: &Rules, now: i64) -> Option<&str> {
        self.current(rules, now)?;
        let rule = &rules.intent;
        let told = self.intents.iter().filter(|(_, score)| score.at(rule.half_life, UNCAPPED, now) >= rule.least.max(1));
        let strongest = told.reduce(|best, other| if other.1.strength() > best.1.strength() { other } else { best });
        strongest.map(|(name, _)| name.as_str())
    }

    /// When time alone makes it another: the strongest stays the strongest until none is told.
    pub(crate) fn next_intent(&self, rules: &Rules, now: i64) -> Option<i64> {
        let name = self.intent(rules, now)?;
        let rule = &rules.intent;
        let (_, score) = self.intents.iter().find(|(known, _)| known == name)?;
        let falls = score.falls_below(rule.half_life, UNCAPPED, rule.least.max(1), now);
        falls.into_iter().chain(self.over(rules)).min()
    }

    /// The rules are others: what was signalled by the old ones in this session is forgotten.
    pub(crate) fn keep(&mut self) {
        self.intents.clear();
    }
}
