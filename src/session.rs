//! Sessions: a visitor's events, divided by pauses. A pure fold over events; profiles keep the last one ([`crate::learn`]).
//!
//! - An event more than the time-out after the last one starts a session (Google Analytics 4; 30 minutes unless the manifest
//!   says otherwise). Midnight does not.
//! - Where the manifest wants it, so does an event that something else led to (another source, medium, campaign or click id),
//!   as in Universal Analytics. Direct page views never do.
//! - Events may be late: one that is not newer than the last counts in the session if it falls into it, and changes neither
//!   its start nor its end. One that falls before it belongs to a session that is over, and changes nothing.
//! - The last event again (its id) changes nothing. Whoever folds drops repetitions of earlier ones.
//! - An event more than [`LATE`] before the session means that a clock was wrong and is right again: it starts a session.

use crate::time::DAY_MS;
use crate::touch::Touch;

/// How late an event may be, in milliseconds.
pub const LATE: i64 = DAY_MS;

/// When a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(any(feature = "serde", feature = "learn"), derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct SessionRules {
    /// Milliseconds without an event after which it is.
    pub timeout: i64,
    /// Whether another campaign starts a session.
    pub new_campaign: bool,
}

/// As Google Analytics 4 has it.
impl Default for SessionRules {
    fn default() -> SessionRules {
        SessionRules { timeout: 30 * 60_000, new_campaign: false }
    }
}

/// What a session is told of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct SessionEvent {
    /// The event's id (`messageId`); no two events have the same.
    pub id: String,
    /// When, in epoch milliseconds.
    pub at: i64,
    /// Whether it is a page view.
    pub page: bool,
    /// Where the page view came from; `None` for other events.
    pub touch: Option<Touch>,
}

/// As much of an event, where it lies.
pub(crate) struct Hit<'a> {
    pub(crate) id: &'a str,
    pub(crate) at: i64,
    pub(crate) page: bool,
    pub(crate) touch: Option<&'a Touch>,
}

/// A session. Its number and start name it among a visitor's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(any(feature = "serde", feature = "learn"), derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Session {
    /// 1 for the visitor's first.
    pub number: u32,
    /// The instant of the event that started it, in epoch milliseconds.
    pub started: i64,
    /// The instant of its newest event.
    pub last_event: i64,
    /// The id of that event.
    pub last_id: String,
    /// Where its first event came from. It stays, whatever leads to later ones.
    pub touch: Option<Touch>,
    /// Page views in it.
    pub page_count: u32,
}

impl Session {
    /// The session after an event: the same with the event in it, or a new one.
    pub fn after(previous: Option<Session>, event: SessionEvent, rules: SessionRules) -> Session {
        let hit = Hit { id: &event.id, at: event.at, page: event.page, touch: event.touch.as_ref() };
        let Some(mut session) = previous else { return Session::start(1, &hit) };
        session.take(&hit, rules);
        session
    }

    /// Takes an event. Whether it starts a session, which is then this one.
    pub(crate) fn take(&mut self, hit: &Hit, rules: SessionRules) -> bool {
        if hit.id == self.last_id {
            return false;
        }
        let newer = hit.at.saturating_sub(self.last_event);
        let before = self.started.saturating_sub(hit.at);
        if newer > rules.timeout || before > LATE || newer >= 0 && rules.new_campaign && self.is_left_for(hit) {
            *self = Session::start(self.number.saturating_add(1), hit);
            return true;
        }
        if before > rules.timeout {
            return false;
        }
        self.page_count = self.page_count.saturating_add(u32::from(hit.page));
        if newer >= 0 {
            self.last_event = hit.at;
            self.last_id.clear();
            self.last_id.push_str(hit.id);
        }
        false
    }

    pub(crate) fn start(number: u32, hit: &Hit) -> Session {
        let Hit { id, at, page, touch } = *hit;
        Session {
            number,
            started: at,
            last_event: at,
            last_id: id.to_owned(),
            touch: touch.cloned(),
            page_count: u32::from(page),
        }
    }

    /// Whether something led to the event that did not lead to the session.
    fn is_left_for(&self, hit: &Hit) -> bool {
        let led = hit.touch.filter(|touch| !touch.is_direct());
        led.is_some_and(|touch| self.touch.as_ref().is_none_or(|own| !touch.is_same_campaign(own)))
    }
}
