//! `POST /_idoine/api/rollback`: an earlier version becomes live again. Without one in the body, that which was live before.

use super::program::{Current, State, of_site};
use super::{no_version, unavailable};
use crate::answer::Answer;
use crate::api::{BODY_LIMIT, bad_request, too_large};
use crate::audit::Entry;
use crate::pointer::is_version;
use crate::tokens::Bearer;
use crate::visit::Visit;
use serde::{Deserialize, Serialize};

/// Where to go back to; the version that was live before where it is left out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "RollbackAsked"))]
pub struct Asked {
    version: Option<String>,
}

/// What is live now.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct RolledBack {
    version: String,
    #[serde(flatten)]
    state: State,
}

pub async fn post(visit: &Visit, bearer: &Bearer) -> Answer {
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let asked = if body.is_empty() { Some(Asked::default()) } else { object(&body) };
    let Some(asked) = asked.filter(|asked| asked.version.as_deref().is_none_or(is_version)) else {
        return bad_request("Expected {\"version\": \"<16 hex digits>\"}, or {} for the version that was live before.");
    };
    let current = match Current::read(visit).await {
        Ok(current) => current,
        Err(trouble) => return unavailable(visit, &trouble),
    };
    let Some(version) = asked.version.or_else(|| current.previous().map(str::to_owned)) else {
        return Answer::error(409, "no_previous", "Which version was live before is not known: name one.");
    };
    match of_site(visit, &version).await {
        Ok(Some(_)) => {}
        Ok(None) => return no_version(),
        Err(trouble) => return unavailable(visit, &trouble),
    }
    let changed = current.changed(current.pointer.with_live(&version, current.now));
    let mut entry = Entry::new(bearer, "rollback");
    entry.version = Some(version.clone());
    entry.previous = current.live().map(str::to_owned);
    match changed.store(visit, &entry).await {
        Ok(()) => Answer::json(&RolledBack { version, state: changed.state(visit) }),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

/// A list is no object, though serde would take its items for the fields.
fn object<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok().filter(|_| body.trim_ascii_start().starts_with(b"{"))
}
