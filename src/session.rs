//! Sessions: a visitor's events, divided by pauses. A pure fold over events; nothing here is stored, and no runtime calls it
//! yet.
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

/// A session. Its number and start name it among a visitor's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
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
        let Some(mut session) = previous else { return Session::start(1, event) };
        if event.id == session.last_id {
            return session;
        }
        let newer = event.at.saturating_sub(session.last_event);
        let before = session.started.saturating_sub(event.at);
        if newer > rules.timeout || before > LATE || newer >= 0 && rules.new_campaign && session.is_left_for(&event) {
            return Session::start(session.number.saturating_add(1), event);
        }
        if before > rules.timeout {
            return session;
        }
        session.page_count = session.page_count.saturating_add(u32::from(event.page));
        if newer >= 0 {
            session.last_event = event.at;
            session.last_id = event.id;
        }
        session
    }

    fn start(number: u32, event: SessionEvent) -> Session {
        let SessionEvent { id, at, page, touch } = event;
        Session { number, started: at, last_event: at, last_id: id, touch, page_count: u32::from(page) }
    }

    /// Whether something led to the event that did not lead to the session.
    fn is_left_for(&self, event: &SessionEvent) -> bool {
        let led = event.touch.as_ref().filter(|touch| !touch.is_direct());
        led.is_some_and(|touch| self.touch.as_ref().is_none_or(|own| !touch.is_same_campaign(own)))
    }
}
