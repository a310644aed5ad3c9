//! What is learned of visitors: laws that hold for any events.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use idoine::consent::{Consent, Purpose};
use idoine::context::Value;
use idoine::learn::rules::{Affinity, Counter, Matching, Reading, TraitRule, What};
use idoine::learn::{Event, EventKind, Rules, Scalar, Site, State, projection, read};

const NOW: i64 = 1_790_000_000_000;

fn consent() -> Consent {
    Purpose::ALL.into_iter().fold(Consent::default(), |consent, purpose| consent.with(purpose, true))
}

fn of(event: &str) -> Matching {
    Matching { event: event.to_owned(), properties: Vec::new() }
}

fn rules() -> Rules {
    let viewed = What::Count(1, 7 * 86_400_000);
    let reading = |path: &str, what: What| Reading { path: path.to_owned(), what, on_pages: true };
    Rules {
        traits: vec![TraitRule { name: "plan".into(), kind: "string".into(), ..TraitRule::default() }],
        counters: vec![Counter { id: 1, matching: of("Product Viewed"), sum: None, windows: vec![7 * 86_400_000] }],
        affinities: vec![Affinity {
            dimension: "category".into(),
            property: "category".into(),
            half_life: 7 * 86_400_000,
            weights: vec![(of("Product Viewed"), 1_000_000)],
            cap: 100_000_000,
            keep: 5,
            least: 500_000,
        }],
        readings: vec![
            reading("profile.plan", What::Trait("plan".into())),
            reading("profile.count('Product Viewed', '7d')", viewed),
            reading("profile.affinity('category')", What::Affinity("category".into())),
            reading("profile.first_seen", What::FirstSeen),
        ],
        ..Rules::default()
    }
}

#[test]
fn what_is_folded_is_read_and_projected() {
    let rules = rules();
    let mut state = State::default();
    for n in 0..3 {
        let mut event = Event::new(format!("m{n}"), NOW + n * 1000, EventKind::Track);
        event.name = "Product Viewed".into();
        event.consent = consent();
        event.properties.push(("category".into(), Scalar::Text("shoes".into())));
        state.fold(&rules, &event);
    }
    let mut event = Event::new("i", NOW + 4000, EventKind::Identify);
    event.consent = consent();
    event.traits.push(("plan".into(), Scalar::Text("pro".into())));
    state.fold(&rules, &event);
    let state = State::decode(&state.encode()).unwrap();
    let site = Site::default();
    let now = NOW + 5000;
    assert_eq!(read(&rules, &state, &site, now, &What::Affinity("category".into())), Some(Value::String("shoes".into())));
    assert_eq!(read(&rules, &state, &site, now, &What::Count(1, 7 * 86_400_000)), Some(Value::Int(3)));
    let bytes = projection::encode(&rules, &state, &site, now, Some("u1"));
    let mut pairs = projection::open(&rules, &bytes, now).unwrap();
    pairs.sort();
    let expected = [
        ("profile.affinity('category')", "shoes"),
        ("profile.count('Product Viewed', '7d')", "3"),
        ("profile.first_seen", "1790000000000"),
        ("profile.plan", "pro"),
        ("visitor.session_start", "1790000000000"),
        ("visitor.user_id", "u1"),
    ];
    assert_eq!(pairs, expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let later = projection::open(&rules, &bytes, now + 9 * 86_400_000).unwrap();
    assert!(later.contains(&("profile.count('Product Viewed', '7d')".to_owned(), "0".to_owned())), "{later:?}");
}
