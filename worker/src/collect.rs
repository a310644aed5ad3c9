//! What the program says of events that were sent (`worker/js/events/collect.js`): which pages may send them, whose consent they
//! need, and what is otherwise than planned.

use crate::cors::Caller;
use crate::host::Sent;
use crate::plan::{self, Violation};
use crate::visit::origin_of;
use crate::{host, json, program, rules};
use idoine::consent::{Choice, Consent, Purpose, Signals, may_measure};
use idoine::learn::Rules;
use idoine::learn::rules::PurposeName;
use idoine::{Context, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;

/// What of an event is looked at.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    event: Cow<'a, str>,
    #[serde(default)]
    properties: Map<String, Value>,
    #[serde(default)]
    traits: Map<String, Value>,
}

/// What is said of a request that brings events.
#[derive(Serialize)]
struct Judged<'a> {
    /// The program's version; without a program nothing is known of what may be kept.
    version: Option<String>,
    /// The page's origin, where it is another host of the site's: it may read the answer.
    origin: Option<&'a str>,
    /// Whether a page of the site sent it, and whether one of another site did.
    own: bool,
    foreign: bool,
    /// Whether it is a bot that asks.
    bot: bool,
    /// One for each event, in their order.
    events: Vec<Judgement>,
}

/// What is said of an event.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Judgement {
    /// Without whose consent it is not kept.
    purpose: String,
    /// The same of those of its traits that are declared.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    traits: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    violations: Vec<Violation>,
}

/// Judges events, a JSON list, that come with a request to `url`, by the site's program that is at hand. `sent` is what came with the request
/// (`sentWith` of `worker/js/host.js`); `trusted` says whether their sender holds a secret of the site's. The answer is JSON.
#[wasm_bindgen]
pub fn judge(site: &str, url: &str, sent: &str, events: &str, trusted: bool) -> Result<String, JsValue> {
    let Sent { headers, cf, .. } = host::read_sent(sent);
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let caller = Caller { origin: header("origin"), site: header("sec-fetch-site"), own: origin_of(url) };
    let program = program::at_hand(site);
    let program = program.as_deref();
    let origin = program.and_then(|program| caller.trusted_origin(program.hosts()));
    let own = caller.is_same_origin() || origin.is_some();
    let request = Request { headers: headers.clone(), cf, ..Request::default() };
    let judged = Judged {
        version: program.map(|program| program.version()),
        origin,
        own,
        foreign: !own && caller.is_another_site(),
        bot: program.is_some_and(|program| Context::is_of_bot(program, &request)),
        events: match program {
            Some(program) => judgements(&rules::of(program), events, trusted).ok_or_else(|| JsValue::from_str("events"))?,
            None => Vec::new(),
        },
    };
    serde_json::to_string(&judged).map_err(|_| JsValue::from_str("judged"))
}

/// The bit of `agreed` that says that what a visitor does may be counted without them.
const MEASURED: u8 = 1 << Purpose::ALL.len();

/// The purposes that hold for a request by the site's program that is at hand, a bit for each in the order of their codes, and behind them whether
/// it is counted without the visitor; `undefined` without a program. `cookie` is the value of the choice's cookie, `gpc` and `dnt` whether the
/// browser sends those.
#[wasm_bindgen]
pub fn agreed(site: &str, cookie: Option<String>, gpc: bool, dnt: bool) -> Option<u8> {
    let program = program::at_hand(site)?;
    let (signals, terms) = (Signals { gpc, dnt }, program.terms());
    let is_measured = may_measure(cookie.as_deref().and_then(Choice::read), signals, terms);
    Some(Consent::of_request(cookie.as_deref(), signals, terms).bits() | if is_measured { MEASURED } else { 0 })
}

/// What is said of each event of a list; `None` when it is none.
pub(crate) fn judgements(rules: &Rules, events: &str, trusted: bool) -> Option<Vec<Judgement>> {
    let events: Vec<Event<'_>> = json::read(events).ok()?;
    Some(events.iter().map(|event| judgement(rules, event, trusted)).collect())
}

fn judgement(rules: &Rules, event: &Event<'_>, trusted: bool) -> Judgement {
    let rule = plan::rule(rules, &event.kind, &event.event);
    let purpose_of = |name: &str| Some(rules.traits.iter().find(|rule| rule.name == name)?.purpose.0.clone());
    let traits = match &*event.kind {
        "identify" => event.traits.keys().filter_map(|name| Some((name.clone(), purpose_of(name)?))).collect(),
        _ => BTreeMap::new(),
    };
    Judgement {
        purpose: rule.map(|rule| rule.purpose.0.clone()).unwrap_or_else(|| PurposeName::default().0),
        traits,
        violations: plan::violations(rules, rule, &event.kind, &event.properties, trusted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use idoine::learn::rules::{EventRule, TraitRule};

    #[test]
    fn events_and_traits_need_their_own_purposes() {
        let purpose = |name: &str| PurposeName(name.to_owned());
        let rules = Rules {
            events: vec![EventRule { name: "Ad Clicked".to_owned(), purpose: purpose("marketing"), ..EventRule::default() }],
            traits: vec![TraitRule { name: "email".to_owned(), purpose: purpose("marketing"), ..TraitRule::default() }],
            ..Rules::default()
        };
        let events = r#"[
            { "type": "track", "event": "Ad Clicked" },
            { "type": "track", "event": "Ad\u0020Closed", "traits": { "email": 1 } },
            { "type": "identify", "userId": "u", "traits": { "email": "a", "size": [1] } }
        ]"#;
        let judged = judgements(&rules, events, false).unwrap();
        let purposes: Vec<_> = judged.iter().map(|one| one.purpose.as_str()).collect();
        assert_eq!(purposes, ["marketing", "analytics", "analytics"]);
        assert!(judged[0].violations.is_empty() && judged[1].traits.is_empty());
        assert_eq!(judged[1].violations[0].code, "unknown_event");
        assert_eq!(judged[2].traits, BTreeMap::from([("email".to_owned(), "marketing".to_owned())]));
        assert!(judgements(&rules, "{}", false).is_none());
    }
}
