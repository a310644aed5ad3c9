//! What is described of the addresses that take events. JavaScript answers them (`worker/js/events/collect.js`), and asks here for what
//! the program says (`worker/src/collect.rs`).
#![allow(dead_code, reason = "it describes what JavaScript reads and writes")]

use crate::answer::Failure;
use crate::plan::Violation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Events, in our own format.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// The events: 500 at most, each of 32 KB of JSON and 8 levels.
    #[schemars(length(max = 500))]
    events: Vec<Event>,
    /// When they were sent, by the sender's clock: an instant, or epoch milliseconds.
    sent_at: Option<Value>,
    /// The write key, where no header names it.
    write_key: Option<String>,
}

/// An event.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Event {
    /// What it is.
    #[serde(rename = "type")]
    kind: Kind,
    /// Of `track`: what was done.
    #[schemars(length(min = 1, max = 200))]
    event: Option<String>,
    /// Of `page`: its name.
    #[schemars(length(min = 1, max = 200))]
    name: Option<String>,
    /// No two events have the same: what is sent again counts once.
    #[schemars(length(min = 1, max = 200))]
    message_id: Option<String>,
    /// The browser; the cookie's id outranks it.
    #[schemars(length(min = 1, max = 200))]
    anonymous_id: Option<String>,
    /// The user.
    #[schemars(length(min = 1, max = 200))]
    user_id: Option<String>,
    /// Of `alias`: what `userId` was called before.
    #[schemars(length(min = 1, max = 200))]
    previous_id: Option<String>,
    /// Of `group`: what the user belongs to.
    #[schemars(length(min = 1, max = 200))]
    group_id: Option<String>,
    /// When it was: an instant, or epoch milliseconds; when it came where it says nothing.
    timestamp: Option<Value>,
    /// What it is about.
    properties: Option<Map<String, Value>>,
    /// Of `identify`: what is known of the user.
    traits: Option<Map<String, Value>>,
    /// `page`, `campaign`, `locale`, `timezone` and `consent.categoryPreferences`; all else is left out.
    context: Option<Map<String, Value>>,
}

/// What an event is.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "EventType")]
pub enum Kind {
    Page,
    Track,
    Identify,
    Group,
    Alias,
    Exposure,
}

/// What became of events.
#[derive(Serialize, schemars::JsonSchema)]
pub struct Collected {
    /// One for each event, in their order.
    results: Vec<Collecting>,
    /// The slots that read something of the visitor's profile that these events changed: a page may decide them again (`decide`). Only where they
    /// agreed to personalization; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    slots: Vec<String>,
}

/// What became of an event.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "EventResult")]
pub struct Collecting {
    /// `accepted`, `duplicate` (it was here already), `dropped`, `rejected` (it can't be read) or `failed` (to be sent again).
    status: String,
    /// Why it was dropped: `no_consent`, `no_key` (the Worker has no `IDOINE_KEY`, so no profiles), `preview` or `counted` (without its visitor).
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Wrong>,
    /// In what it is otherwise than the tracking plan says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

/// What is wrong with an event.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "EventError")]
pub struct Wrong {
    /// For programs.
    code: String,
    /// What was expected.
    message: String,
    /// Where in the body, as a JSON pointer.
    path: String,
}

/// Why events are to be sent again.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "NotCollected")]
pub enum Unkept {
    /// Some failed.
    Some(Collected),
    /// None can be taken.
    None(Failure<'static>),
}

/// What a compatible client is told.
#[derive(Serialize, schemars::JsonSchema)]
#[schemars(rename = "Taken")]
pub struct Taken {
    /// Whether its events were taken.
    success: bool,
    /// What is wrong with the one event that it sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Wrong>,
}

/// Why a compatible client's events were not taken.
#[derive(Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "NotTaken")]
pub enum Untaken {
    /// The event, or a shard.
    Taken(Taken),
    /// The request.
    Failure(Failure<'static>),
}
