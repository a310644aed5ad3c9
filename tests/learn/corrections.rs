//! What a visitor says themselves of a trait counts before all others, whatever they say later, and however the trait is settled.

use crate::support::*;
use idoine::learn::rules::{Settle, What};
use idoine::learn::{Event, EventKind, Rules, Scalar, Site, State, VISITOR, facts, read};

fn said(source: &str, at: i64, value: &str) -> Event<'static> {
    let mut event = Event::new(format!("{source}-{at}"), at, EventKind::Identify);
    event.consent = consent();
    event.source = source.to_owned().into();
    event.traits = vec![("plan".into(), Scalar::Text(value.to_owned().into()))];
    event
}

fn settled_by(settle: Settle) -> Rules {
    Rules { traits: vec![trait_rule("plan", "string", settle)], ..rules() }
}

/// What counts of events that came in any order, and in parts.
fn plan(rules: &Rules, events: &[Event<'static>]) -> Option<String> {
    let whole = folded(rules, events);
    let parts = events.iter().fold(State::default(), |state, event| merged(rules, &folded(rules, [event]), &state));
    let value = |state: &State| {
        read(rules, state, &Site::default(), NOW, &What::Trait("plan".to_owned())).map(|value| idoine::learn::text(&value))
    };
    assert_eq!(value(&whole), value(&parts));
    value(&whole)
}

#[test]
fn a_correction_outranks_every_source_however_a_trait_is_settled() {
    for settle in [Settle::Latest, Settle::First, Settle::Source, Settle::Largest] {
        let rules = settled_by(settle);
        let events = [
            said("crm", 0, "zz"),
            said("browser", 1, "a"),
            said(VISITOR, 2, "mine"),
            said("crm", 3, "zzz"),
            said("browser", 4, "0"),
        ];
        assert_eq!(plan(&rules, &events).as_deref(), Some("mine"), "{settle:?}");
        // Of two the newer one, whichever is larger.
        let again = [&events[..], &[said(VISITOR, 5, "b")]].concat();
        assert_eq!(plan(&rules, &again).as_deref(), Some("b"), "{settle:?}");
    }
}

#[test]
fn what_a_visitor_takes_away_stays_away_until_they_say_otherwise() {
    for settle in [Settle::Latest, Settle::First, Settle::Source, Settle::Largest] {
        let rules = settled_by(settle);
        let events = [said("crm", 0, "pro"), said(VISITOR, 1, ""), said("crm", 2, "pro")];
        assert_eq!(plan(&rules, &events), None, "{settle:?}");
        let page = facts(&rules, &folded(&rules, &events), &Site::default(), NOW);
        assert!(page.traits.iter().all(|fact| !fact.counts || fact.value.is_empty()), "{:?}", page.traits);
        assert!(page.traits.iter().all(|fact| fact.why == "visitor"), "{:?}", page.traits);
        let again = [&events[..], &[said(VISITOR, 3, "free")]].concat();
        assert_eq!(plan(&rules, &again).as_deref(), Some("free"), "{settle:?}");
    }
}

#[test]
fn only_a_visitor_says_that_there_is_to_be_no_value() {
    let rules = settled_by(Settle::Latest);
    assert_eq!(plan(&rules, &[said("crm", 0, "pro"), said("crm", 1, ""), said("browser", 2, "")]).as_deref(), Some("pro"));
}

#[test]
fn an_old_correction_is_not_crowded_out() {
    let rules = settled_by(Settle::Latest);
    let mut events = vec![said(VISITOR, 0, "mine")];
    events.extend((1..400).map(|n| said(&format!("source-{n}"), n, "theirs")));
    assert_eq!(plan(&rules, &events).as_deref(), Some("mine"));
}
