//! The owner's API below `/_idoine/api/`: publishing, going back, who did what, preview links. It takes a bearer token, is for
//! no page of another site, and its answers are nobody else's.

mod audiences;
mod audit;
mod counted;
mod dead_letters;
#[cfg(any(test, feature = "openapi"))]
pub mod described;
mod import;
mod preview;
mod profile;
mod program;
mod rollback;

use super::{not_allowed, not_found, unauthorized};
use crate::answer::Answer;
use crate::audit::{Entry, write};
use crate::cors::Caller;
use crate::host;
use crate::route::{Access, Route};
use crate::routes::Endpoint;
use crate::tokens::{self, Bearer, Role};
use crate::visit::Visit;
use serde_json::{Map, Value};

/// Answers a request to an address of the owner's.
pub async fn answer(visit: &Visit, route: &Route, key: &str, caller: &Caller<'_>) -> Answer {
    if caller.is_another_site() {
        return Answer::error(403, "forbidden", "This address is not for pages of another site.");
    }
    let Some(bearer) = tokens::bearer(visit) else { return unauthorized() };
    let Some(operation) = route.operation(visit.method()) else { return not_allowed(route) };
    let role = if operation.access == Access::OwnerPublish { Role::Publish } else { Role::Read };
    if bearer.role < role {
        refused(visit, &bearer).await;
        return Answer::error(403, "forbidden", "This takes a token with the role `publish`.");
    }
    match (route.endpoint, operation.method) {
        (Endpoint::Programs, "POST") => program::post(visit, &bearer).await,
        (Endpoint::Programs, "DELETE") => program::cancel(visit, &bearer).await,
        (Endpoint::Programs, _) => program::list(visit).await,
        (Endpoint::Version, _) => program::get(visit).await,
        (Endpoint::Rollback, _) => rollback::post(visit, &bearer).await,
        (Endpoint::Audit, _) => audit::get(visit).await,
        (Endpoint::DeadLetters, "POST") => dead_letters::post(visit, &bearer).await,
        (Endpoint::DeadLetters, _) => dead_letters::get(visit).await,
        (Endpoint::Import, _) => import::post(visit, &bearer).await,
        (Endpoint::Link, _) => preview::post(visit, &bearer).await,
        (
            Endpoint::Facts
            | Endpoint::Notes
            | Endpoint::Note
            | Endpoint::Tags
            | Endpoint::Tag
            | Endpoint::Accesses
            | Endpoint::ProfileExport,
            method,
        ) => profile::answer(visit, &bearer, (route.endpoint, method), key).await,
        (Endpoint::EraseProfile, _) => profile::erase(visit, &bearer, key).await,
        (Endpoint::Receipt, _) => profile::receipt(visit, key).await,
        (Endpoint::Audiences, "POST") => audiences::renew(visit, &bearer).await,
        (Endpoint::Audiences, _) => audiences::counts(visit).await,
        (Endpoint::Violations, _) => counted::get(visit, "violations", 30).await,
        (Endpoint::Consents, _) => counted::get(visit, "choices", 400).await,
        (Endpoint::Measured, _) => counted::get(visit, "measured", 400).await,
        (Endpoint::Members, _) => audiences::members(visit, &bearer, key).await,
        _ => not_found(),
    }
}

/// Notes an attempt at what a token is not good for.
async fn refused(visit: &Visit, bearer: &Bearer) {
    let what: String = format!("{} {}", visit.method(), visit.path()).chars().take(100).collect();
    let entry = Entry::new(bearer, "refused").with("what", Some(&what));
    if let Err(trouble) = write(visit, &entry).await {
        host::log(
            "error",
            "audit_lost",
            &format!("an attempt without the role for it is not in the trail: {trouble}"),
            &visit.site,
        );
    }
}

/// What a failure of the store is to a caller.
fn unavailable(visit: &Visit, trouble: &str) -> Answer {
    host::log("error", "store_failed", trouble, &visit.site);
    Answer::error(503, "unavailable", "The store did not take it, or does not answer: try again.").with("retry-after", "1")
}

fn no_version() -> Answer {
    Answer::error(404, "no_version", "The store has no such version of this site.")
}

/// A body that is a JSON object with these fields at most: one that is misspelt must not be taken for one that is left out.
fn object(body: &[u8], fields: &[&str]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(body).ok()? {
        Value::Object(object) if object.keys().all(|key| fields.contains(&key.as_str())) => Some(object),
        _ => None,
    }
}
