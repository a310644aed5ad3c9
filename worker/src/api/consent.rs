//! `/_idoine/consent`: what the visitor agreed to. Opt-in: until a visitor agrees to something, nothing is stored.

use super::bad_request;
use crate::answer::Answer;
use crate::visit::Visit;
use crate::{host, identity};
use idoine::consent::{Consent, Purpose};
use idoine::cookies;
use serde::{Deserialize, Serialize};

/// 395 days: thirteen months at most.
const MAX_AGE: u32 = 395 * 24 * 60 * 60;

/// What the visitor agreed to.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "Consent"))]
pub struct State {
    /// The purposes.
    granted: Vec<&'static str>,
    /// Whether they were asked and have answered.
    decided: bool,
}

/// What the visitor agreed to, and what is stored of them: the host adds that (`worker/js/consent.js`).
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Agreed")]
#[allow(dead_code)] // It is described and nothing else.
pub struct Agreed {
    /// The purposes.
    granted: Vec<String>,
    /// Whether they were asked and have answered.
    decided: bool,
    /// Where they agreed to personalization and profiles are kept: paths and texts, as `GET /_idoine/profile` tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<std::collections::BTreeMap<String, String>>,
}

/// What the visitor agrees to.
#[derive(Deserialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "ConsentChoice"))]
pub struct Choice {
    /// The purposes: `personalization`, `analytics`, `marketing`. All others are refused.
    granted: Vec<String>,
}

fn state(consent: Consent, decided: bool) -> Answer {
    Answer::json(&State { granted: consent.granted().map(Purpose::name).collect(), decided })
}

pub fn get(visit: &Visit) -> Answer {
    let (consent, decided) = visit.consent();
    state(consent, decided)
}

pub fn post(visit: &Visit, body: &[u8]) -> Answer {
    let choice = serde_json::from_slice::<Choice>(body).ok();
    let Some(chosen) = choice.and_then(|choice| purposes(&choice.granted)) else {
        return bad_request("Expected {\"granted\": [..]} with some of personalization, analytics, marketing.");
    };
    // What the browser refuses for its person is not stored as agreed to.
    let gpc = visit.header("sec-gpc") == Some("1");
    let consent = Consent::of_request(Some(&chosen.cookie_value()), gpc);
    let secure = if visit.is_local() { "" } else { "; Secure" };
    let cookie = |name: &str, value: &str, max_age: u32, http_only: &str| {
        format!("{name}={value}; Path=/; SameSite=Lax; Max-Age={max_age}{secure}{http_only}")
    };
    let answer = state(consent, true).with("set-cookie", cookie(cookies::CONSENT, &consent.cookie_value(), MAX_AGE, ""));
    if consent == Consent::default() {
        return answer.with("set-cookie", cookie(cookies::ID, "", 0, "; HttpOnly"));
    }
    match visit.id() {
        // An id keeps the age that it had when it was given.
        Some(_) => answer,
        None => {
            let id = identity::sign(visit.key().as_deref(), &host::new_id());
            answer.with("set-cookie", cookie(cookies::ID, &id, MAX_AGE, "; HttpOnly"))
        }
    }
}

fn purposes(names: &[String]) -> Option<Consent> {
    names.iter().try_fold(Consent::default(), |consent, name| Some(consent.with(Purpose::from_name(name)?, true)))
}
