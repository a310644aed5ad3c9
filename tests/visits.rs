//! Touches and sessions: the language-neutral cases, and laws that hold for any visits.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use idoine::compile::compile;
use idoine::session::{Session, SessionEvent, SessionRules};
use idoine::touch::{Touch, Touches};
use idoine::visitor::Visitor;
use idoine::{Context, Program};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::Iana;

const DAY: i64 = 86_400_000;

fn cases(text: &str) -> Vec<Value> {
    let document: Value = serde_json::from_str(text).unwrap();
    document["cases"].as_array().unwrap().clone()
}

fn program(manifest: &Value) -> Program {
    compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn touches(visits: impl IntoIterator<Item = Touch>, window: i64) -> Touches {
    visits.into_iter().fold(Touches::default(), |touches, visit| touches.with(visit, window))
}

/// The sessions that events make, each as it was last.
fn sessions(events: impl IntoIterator<Item = SessionEvent>, rules: SessionRules) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for event in events {
        let previous = sessions.last().cloned();
        let session = Session::after(previous, event, rules);
        if sessions.last().is_some_and(|last| last.number == session.number) {
            sessions.pop();
        }
        sessions.push(session);
    }
    sessions
}

#[test]
fn first_and_last_touches() {
    let cases = cases(include_str!("spec/touches.json"));
    assert!(cases.len() >= 25);
    for case in cases {
        let visits: Vec<Touch> = serde_json::from_value(case["visits"].clone()).unwrap();
        let expected = |key: &str| case[key].as_u64().map(|index| visits[index as usize].clone());
        let found = touches(visits.clone(), case["window"].as_i64().unwrap());
        assert_eq!((found.first, found.last), (expected("first"), expected("last")), "{}", case["name"]);
    }
}

#[test]
fn sessions_of_events() {
    let cases = cases(include_str!("spec/sessions.json"));
    assert!(cases.len() >= 25);
    for case in cases {
        let events: Vec<SessionEvent> = serde_json::from_value(case["events"].clone()).unwrap();
        let rules: SessionRules = serde_json::from_value(case["rules"].clone()).unwrap();
        let found: Vec<Value> = (sessions(events, rules).iter())
            .map(|session| {
                json!({ "number": session.number, "started": session.started, "last_event": session.last_event,
                    "page_count": session.page_count, "source": session.touch.as_ref().map(|touch| &touch.source) })
            })
            .collect();
        assert_eq!(Value::Array(found), case["sessions"], "{}", case["name"]);
    }
}

#[test]
fn a_program_has_the_rules_of_its_manifest() {
    let standard = program(&json!({ "site": { "id": "x" } }));
    assert_eq!(standard.session_rules(), SessionRules { timeout: 30 * 60_000, new_campaign: false });
    assert_eq!(standard.attribution_window(), 90 * DAY);
    let session = json!({ "timeout_minutes": 45, "new_campaign": true, "attribution_days": 7 });
    let own = program(&json!({ "site": { "id": "x" }, "sources": { "session": session } }));
    assert_eq!(own.session_rules(), SessionRules { timeout: 45 * 60_000, new_campaign: true });
    assert_eq!(own.attribution_window(), 7 * DAY);
}

#[test]
fn a_touch_is_what_the_context_says_of_the_source() {
    let program = program(&json!({ "site": { "id": "x", "hosts": ["shop.example"] } }));
    let touch = |visitor: Value| {
        let visitor: Visitor = serde_json::from_value(visitor).unwrap();
        Touch::of(&Context::derive(&program, &visitor.request(0, support::offsets)))
    };
    let url = "https://shop.example/?utm_source=fb&utm_medium=paid&utm_campaign=spring&fbclid=secret";
    let found = touch(json!({ "url": url, "now": 42, "headers": { "referer": "https://l.facebook.com/" } }));
    let text = str::to_owned;
    let expected = Touch {
        at: 42,
        source: text("fb"),
        medium: text("paid"),
        campaign: text("spring"),
        channel: text("Paid Social"),
        referrer_host: text("l.facebook.com"),
        click_id: text("fbclid"),
    };
    assert_eq!(found, expected);
    assert!(!found.is_direct());
    assert!(touch(json!({ "url": "https://shop.example/" })).is_direct());
    assert!(
        touch(json!({ "url": "https://shop.example/b", "headers": { "referer": "https://www.shop.example/a" } })).is_direct()
    );
}

fn any_touch() -> impl Strategy<Value = Touch> {
    let source = prop_oneof![Just(("(direct)", "(none)")), Just(("google", "organic")), Just(("news", "email"))];
    (0..400i64, source).prop_map(|(at, (source, medium))| Touch {
        at,
        source: source.to_owned(),
        medium: medium.to_owned(),
        ..Touch::default()
    })
}

/// Visits of different instants, in any order.
fn visits() -> impl Strategy<Value = Vec<Touch>> {
    prop::collection::vec(any_touch(), 0..8)
        .prop_map(|mut visits| {
            visits.sort_by_key(|visit| visit.at);
            visits.dedup_by_key(|visit| visit.at);
            visits
        })
        .prop_shuffle()
}

fn events() -> impl Strategy<Value = Vec<SessionEvent>> {
    let event = (prop_oneof![0..200i64, any::<i64>()], any::<bool>(), prop::option::of(any_touch()));
    prop::collection::vec(event, 0..12).prop_map(|events| {
        let event = |(index, (at, page, touch)): (usize, (i64, bool, Option<Touch>))| SessionEvent {
            id: index.to_string(),
            at,
            page,
            touch,
        };
        events.into_iter().enumerate().map(event).collect()
    })
}

proptest! {
    /// The definition, said without a fold.
    #[test]
    fn touches_do_not_depend_on_the_order(visits in visits(), window in 0..400i64) {
        let mut sorted = visits.clone();
        sorted.sort_by_key(|visit| visit.at);
        let led = sorted.iter().rfind(|visit| !visit.is_direct());
        let last = match (led, sorted.last()) {
            (Some(led), Some(latest)) if latest.at - led.at <= window => Some(led),
            (Some(led), Some(latest)) if !latest.is_direct() => Some(led),
            (_, latest) => latest,
        };
        let expected = Touches { first: sorted.first().cloned(), last: last.cloned() };
        prop_assert_eq!(touches(visits.clone(), window), expected.clone());
        prop_assert_eq!(touches(visits.iter().chain(&visits).cloned(), window), expected);
    }

    #[test]
    fn no_event_is_counted_twice_or_ends_before_it_starts(events in events(), timeout in 0..100i64, new_campaign: bool) {
        let rules = SessionRules { timeout, new_campaign };
        let found = sessions(events.clone(), rules);
        let pages: usize = found.iter().map(|session| session.page_count as usize).sum();
        prop_assert!(pages <= events.iter().filter(|event| event.page).count());
        for (index, session) in found.iter().enumerate() {
            prop_assert_eq!(session.number as usize, index + 1);
            prop_assert!(session.started <= session.last_event);
        }
        prop_assert_eq!(found.is_empty(), events.is_empty());
    }

    /// Events in their order: cut wherever a pause is longer than the time-out, and nowhere else.
    #[test]
    fn events_in_order_are_cut_at_pauses(mut pauses in prop::collection::vec(0..60i64, 1..12)) {
        let rules = SessionRules { timeout: 30, new_campaign: false };
        let mut at = 0;
        let events: Vec<SessionEvent> = (pauses.iter().enumerate())
            .map(|(index, pause)| {
                at += pause;
                SessionEvent { id: index.to_string(), at, page: true, touch: None }
            })
            .collect();
        pauses.remove(0);
        prop_assert_eq!(sessions(events, rules).len(), 1 + pauses.iter().filter(|pause| **pause > 30).count());
    }

    #[test]
    fn the_last_event_again_changes_nothing(events in events(), timeout in 0..100i64, new_campaign: bool) {
        let rules = SessionRules { timeout, new_campaign };
        let once = sessions(events.clone(), rules);
        if let Some(last) = once.last() {
            let again = events.iter().find(|event| event.id == last.last_id).unwrap();
            prop_assert_eq!(&Session::after(Some(last.clone()), again.clone(), rules), last);
        }
    }
}
