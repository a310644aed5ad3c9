//! `POST /_idoine/api/rollback`: an earlier version becomes live again. Without one in the body, that which was live before.

use super::program::{Current, of_site};
use super::{no_version, object, unavailable};
use crate::answer::Answer;
use crate::api::{BODY_LIMIT, bad_request, too_large};
use crate::audit::Entry;
use crate::pointer::is_version;
use crate::tokens::Bearer;
use crate::visit::Visit;
use serde_json::Value;

pub async fn post(visit: &Visit, bearer: &Bearer) -> Answer {
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let Some(asked) = asked(&body) else {
        return bad_request("Expected {\"version\": \"<16 hex digits>\"}, or {} for the version that was live before.");
    };
    let current = match Current::read(visit).await {
        Ok(current) => current,
        Err(trouble) => return unavailable(visit, &trouble),
    };
    let Some(version) = asked.or_else(|| current.previous().map(str::to_owned)) else {
        return Answer::error(409, "no_previous", "Which version was live before is not known: name one.");
    };
    match of_site(visit, &version).await {
        Ok(Some(_)) => {}
        Ok(None) => return no_version(),
        Err(trouble) => return unavailable(visit, &trouble),
    }
    let changed = current.changed(current.pointer.with_live(&version, current.now));
    let entry = Entry::new(bearer, "rollback").with("version", Some(&version)).with("previous", current.live());
    match changed.store(visit, &entry).await {
        Ok(()) => changed.answer(visit, [("version", Value::from(version))]),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

/// The version that a body names, if it names one; `None` for a body that is none.
fn asked(body: &[u8]) -> Option<Option<String>> {
    if body.is_empty() {
        return Some(None);
    }
    match object(body, &["version"])?.get("version") {
        None | Some(Value::Null) => Some(None),
        Some(version) => version.as_str().filter(|version| is_version(version)).map(|version| Some(version.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn a_body_names_a_version_or_none() {
        for body in ["", "{}", "{\"version\":null}"] {
            assert_eq!(asked(body.as_bytes()), Some(None), "{body}");
        }
        assert_eq!(asked(b"{\"version\":\"0123456789abcdef\"}"), Some(Some("0123456789abcdef".to_owned())));
        for body in [
            "[]",
            "[\"0123456789abcdef\"]",
            "{\"version\":1}",
            "{\"version\":\"x\"}",
            "{\"verison\":\"0123456789abcdef\"}",
            "null",
            "x",
        ] {
            assert_eq!(asked(body.as_bytes()), None, "{body}");
        }
    }
}
