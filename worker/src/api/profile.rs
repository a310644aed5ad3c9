//! `GET /_idoine/profile`: what is stored of the visitor, as far as pages are decided with it. For decisions in the page: behind the Worker it
//! is not needed.

use crate::answer::Answer;
use crate::rules;
use crate::visit::{USER_ID, Visit};
use idoine::{Context, Program};
use serde::{Serialize, Serializer};

/// What is stored of the visitor, as far as pages are decided with it.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "Profile"))]
pub struct Stored {
    /// The program's version.
    version: String,
    /// Whether the visitor is logged in by an identity token.
    verified: bool,
    /// Paths and texts, as a visitor's `profile` takes them.
    #[serde(serialize_with = "as_map")]
    #[cfg_attr(any(test, feature = "openapi"), schemars(with = "std::collections::BTreeMap<String, String>"))]
    profile: Vec<(String, String)>,
}

/// What is stored of the visitor now, and what follows for the page that asked: the host adds that.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ProfileNow")]
#[allow(dead_code)] // It is described and nothing else.
pub struct StoredNow {
    #[serde(flatten)]
    stored: Stored,
    /// The slots that read something of the profile that changed by this: a page may decide them again (`decide`). Absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<Vec<String>>,
}

/// What is to be known of the visitor from now on.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)] // It is described and nothing else: JavaScript reads it, here and below (`worker/js/rights.js`).
pub struct Corrections {
    /// Traits that visitors may change, each with its value (text, a number, true or false, a list of texts), or null where there is to be none.
    traits: std::collections::BTreeMap<String, serde_json::Value>,
    /// A token that proves the user who is logged in, as `identity` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Who asks for all that is held of them.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "camelCase")]
#[allow(dead_code)]
pub struct ExportAsked {
    /// A token that proves the user who is logged in, as `identity` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// Whether events in the bucket are wanted, which take longest to find: they are, unless this is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    exported: Option<bool>,
    /// The id that the page's events say, where a page of static files keeps it: a secret of its browser. A signed id in the cookies counts before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    anonymous_id: Option<String>,
    /// The `next` of the answer before: more of the events in the bucket, and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// What an owner wants of all that is held.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)]
pub struct OwnerExportAsked {
    /// Whether events in the bucket are wanted, which take longest to find: they are, unless this is false.
    #[serde(skip_serializing_if = "Option::is_none")]
    exported: Option<bool>,
    /// The `next` of the answer before: more of the events in the bucket, and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// What an export answers.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(untagged)]
#[allow(dead_code)]
pub enum Exported {
    Held(Box<Held>),
    Page(HeldPage),
}

/// More of the events in the bucket EVENTS_BUCKET.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(deny_unknown_fields)]
#[allow(dead_code)]
pub struct HeldPage {
    /// Those that were found in the objects that this page looked at: there may be none, and more on the next.
    exported: Vec<serde_json::Value>,
    /// What the next page is asked for by, as `after`; null where all objects were looked at.
    next: Option<String>,
}

/// All that is held of a visitor.
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[allow(dead_code)]
pub struct Held {
    /// `idoine.export.v1`.
    format: String,
    /// When, RFC 3339.
    at: String,
    /// The site's id.
    site: String,
    /// `anonymousId` of the browser, `userId`, and all `browsers` that are theirs.
    who: std::collections::BTreeMap<String, serde_json::Value>,
    /// `choice`: what holds for each purpose; `history`: each choice as it was made, the newest first.
    consents: std::collections::BTreeMap<String, serde_json::Value>,
    /// Every source's value of every trait, with what it is kept for.
    traits: Vec<serde_json::Value>,
    /// What was made of events, as the owner reads it; null without a program.
    facts: Option<std::collections::BTreeMap<String, serde_json::Value>>,
    /// The audiences that they are in.
    audiences: Vec<String>,
    /// Events that are still there.
    events: Vec<serde_json::Value>,
    /// What the owner's teams noted.
    notes: Vec<serde_json::Value>,
    /// Their tags.
    tags: Vec<serde_json::Value>,
    /// What is on its way to a sink, or was not taken by it: `sink` and `event`.
    waiting: Vec<serde_json::Value>,
    /// Events in the bucket EVENTS_BUCKET, the first page of them; absent where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    exported: Option<Vec<serde_json::Value>>,
    /// What the next page is asked for by, as `after`; null where all objects were looked at, absent with `exported`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// Who of the owner's read or exported the profile: `at`, `by`, `what`.
    accesses: Vec<serde_json::Value>,
}

fn as_map<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(path, text)| (path, text)))
}

pub fn get(visit: &Visit, program: &Program) -> Answer {
    let facts = visit.facts(program, format!("{}/", visit.origin()), visit.overrides.clone().unwrap_or_default());
    let context = Context::derive(program, &facts);
    let rules = rules::of(program);
    let verified = facts.profile.iter().any(|(path, _)| path == USER_ID);
    let is_personal =
        |path: &str| rules.traits.iter().any(|rule| rule.personal && path.strip_prefix("profile.") == Some(&rule.name));
    let may_be_told = |path: &str| match program.field(path) {
        // Who holds the browser is not always who was known in it.
        Some(_) if is_personal(path) && !verified => false,
        Some((field, _)) => context.get(field).is_some(),
        None => path != USER_ID,
    };
    let mut profile = facts.profile.clone();
    profile.retain(|(path, _)| may_be_told(path));
    Answer::json(&Stored { version: program.version(), verified, profile })
}
