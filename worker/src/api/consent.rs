//! `/_idoine/consent`: what the visitor agreed to, and what they are asked. What is said counts by the rules of `src/consent.rs`.

use super::{bad_request, parameter};
use crate::answer::Answer;
use crate::visit::{MAX_AGE, Visit};
use crate::{host, identity, pointer};
use idoine::Program;
use idoine::consent::{By, Choice, Consent, Purpose, Terms, may_measure};
use idoine::cookies;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What the visitor agreed to.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "Consent"))]
pub struct State {
    /// The purposes that hold: agreed to, or where the site asks so not refused; and not refused by the browser.
    granted: Vec<&'static str>,
    /// Whether they were asked, in the wording of today, and have answered.
    decided: bool,
    /// What they said of each purpose.
    choice: Said,
    /// The version of the wording in which they were asked, and when they answered (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    /// Who made the choice: `visitor`, asked by the site; `platform`, asked by its consent platform; `default`, nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'static str>,
    /// The purposes that they refused the site itself, or withdrew there: no platform grants them.
    own: Vec<&'static str>,
    /// Whether what they do is counted by day and name, without them: in the mode `measurement-exempt`, unless they or their browser refuse it.
    measured: bool,
    /// What the browser refuses for its person.
    signals: Sent,
}

/// What was said of each purpose: `granted`, `refused`, `withdrawn`, or `unasked`.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "ConsentChoices"))]
struct Said {
    personalization: &'static str,
    analytics: &'static str,
    marketing: &'static str,
}

/// What the browser sends: Global Privacy Control, and Do Not Track.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "ConsentSignals"))]
struct Sent {
    gpc: bool,
    dnt: bool,
}

/// What the visitor agreed to, with what the site tells of it (`notice`).
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ConsentWithNotice")]
#[allow(dead_code)] // It is described and nothing else.
pub struct Told {
    #[serde(flatten)]
    state: State,
    /// How visitors are asked, by which purposes, and what is asked of them: as the manifest says it. Left out with `?notice=0`, and without a
    /// program.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<std::collections::BTreeMap<String, serde_json::Value>>,
}

/// What the visitor agreed to, and what is stored of them: the host adds that (`worker/js/consent.js`).
#[cfg(any(test, feature = "openapi"))]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "Agreed")]
#[allow(dead_code)] // It is described and nothing else.
pub struct Agreed {
    #[serde(flatten)]
    state: State,
    /// Where they agreed to personalization and profiles are kept: paths and texts, as `GET /_idoine/profile` tells them.
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<std::collections::BTreeMap<String, String>>,
    /// The slots that read something of that which the page does not know yet; absent where there are none. What else follows from the purposes is
    /// not in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<Vec<String>>,
}

/// What the visitor agrees to.
#[derive(Deserialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "ConsentChoice"))]
pub struct Agrees<'a> {
    /// The purposes: `personalization`, `analytics`, `marketing`. All others are refused, or withdrawn where they were agreed to.
    #[serde(borrow)]
    granted: Vec<Cow<'a, str>>,
    /// The version of the wording that they saw (default today's).
    version: Option<u32>,
    /// Who asked them: `visitor` for the site itself (default), or `platform`.
    #[serde(borrow)]
    by: Option<Cow<'a, str>>,
}

fn state(consent: Consent, choice: Option<Choice>, visit: &Visit, terms: Terms) -> State {
    let said = |purpose| match choice.as_ref().filter(|choice| choice.by != By::Default) {
        Some(choice) if choice.granted.has(purpose) => "granted",
        Some(choice) if choice.withdrawn.has(purpose) => "withdrawn",
        Some(choice) if choice.denied.has(purpose) => "refused",
        _ => "unasked",
    };
    let signals = visit.signals();
    State {
        granted: consent.granted().map(Purpose::name).collect(),
        decided: choice.is_some_and(|choice| choice.is_made(terms)),
        choice: Said {
            personalization: said(Purpose::Personalization),
            analytics: said(Purpose::Analytics),
            marketing: said(Purpose::Marketing),
        },
        version: choice.map(|choice| choice.version),
        at: choice.filter(|choice| choice.at > 0).map(|choice| pointer::instant_text(choice.at.saturating_mul(1000))),
        by: choice.map(|choice| match choice.by {
            By::Visitor => "visitor",
            By::Platform => "platform",
            By::Default => "default",
        }),
        own: choice.unwrap_or_default().own.granted().map(Purpose::name).collect(),
        measured: may_measure(choice, signals, terms),
        signals: Sent { gpc: signals.gpc, dnt: signals.dnt },
    }
}

/// Who asked is the program's to say; without one nothing is known but what holds everywhere.
pub fn get(visit: &Visit, program: Option<&Program>) -> Answer {
    let terms = program.map(Program::terms).unwrap_or_default();
    let answer = Answer::json(&state(visit.consent(terms), visit.choice(), visit, terms));
    match program.map(Program::notice).filter(|notice| !notice.is_empty()) {
        Some(notice) if parameter(visit, "notice").as_deref() != Some("0") => answer.with_field("notice", notice),
        _ => answer,
    }
}

pub fn post(visit: &Visit, program: Option<&Program>, body: &[u8]) -> Answer {
    let terms = program.map(Program::terms).unwrap_or_default();
    let said = serde_json::from_slice::<Agrees<'_>>(body).ok();
    let Some(said) = said.and_then(|said| read(&said, terms)) else {
        return bad_request(
            "Expected {\"granted\": [..]} with some of personalization, analytics, marketing; beside it \"version\" of the wording, and \"by\": visitor or platform.",
        );
    };
    let choice = Choice::after(visit.choice(), Choice { at: host::now() / 1000, ..said }, visit.signals());
    let value = choice.value();
    let consent = Consent::of_request(Some(&value), visit.signals(), terms);
    let answer = Answer::json(&state(consent, Some(choice), visit, terms))
        .with("set-cookie", visit.cookie(cookies::CONSENT, &value, MAX_AGE, false));
    if consent == Consent::default() {
        return answer.with("set-cookie", visit.cookie(cookies::ID, "", 0, true));
    }
    match visit.id() {
        // An id keeps the age that it had when it was given.
        Some(_) => answer,
        None => {
            let id = identity::sign(visit.key().as_deref(), &host::new_id());
            answer.with("set-cookie", visit.cookie(cookies::ID, &id, MAX_AGE, true))
        }
    }
}

/// What was said; `None` where it can't be read. A wording that there is not yet was seen by nobody.
fn read(said: &Agrees<'_>, terms: Terms) -> Option<Choice> {
    let granted = said
        .granted
        .iter()
        .try_fold(Consent::default(), |consent, name| Some(consent.with(Purpose::from_name(name)?, true)))?;
    let by = match said.by.as_deref() {
        None | Some("visitor") => By::Visitor,
        Some("platform") => By::Platform,
        Some(_) => return None,
    };
    let version = said.version.unwrap_or(terms.version.max(1));
    (version <= terms.version.max(1)).then_some(Choice { granted, version, by, ..Choice::default() })
}
