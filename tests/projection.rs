//! What pages are told of a profile, against what the profile says itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use idoine::consent::{Consent, Purpose};
use idoine::learn::rules::{Counter, Matching, Reading, What};
use idoine::learn::{Event, EventKind, Rules, Site, State, projection};
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn rules() -> Rules {
    let matching = Matching { event: "Viewed".to_owned(), properties: Vec::new() };
    let reading = |path: &str, what: What| Reading { path: path.to_owned(), what, on_pages: true, slots: Vec::new() };
    Rules {
        counters: vec![Counter { id: 7, matching, sum: None, windows: vec![DAY, 7 * DAY, 0] }],
        readings: vec![
            reading("profile.count('Viewed', '1d')", What::Count(7, DAY)),
            reading("profile.count('Viewed', '7d')", What::Count(7, 7 * DAY)),
            reading("profile.count('Viewed')", What::Count(7, 0)),
            reading("profile.last('Viewed')", What::Last(7)),
        ],
        ..Rules::default()
    }
}

fn viewed(state: &mut State, rules: &Rules, number: usize, at: i64) {
    let mut event = Event::new(format!("m{number}"), at, EventKind::Track);
    event.name = "Viewed".into();
    event.consent = Purpose::ALL.into_iter().fold(Consent::default(), |consent, purpose| consent.with(purpose, true));
    state.fold(rules, &event);
}

fn state(rules: &Rules, times: &[i64]) -> State {
    let mut state = State::default();
    for (number, at) in times.iter().enumerate() {
        viewed(&mut state, rules, number, *at);
    }
    state
}

#[test]
fn what_is_written_later_says_the_same_until_something_is_done() {
    let rules = rules();
    let site = Site::default();
    let mut state = state(&rules, &[NOW, NOW + 5_000, NOW + 2 * HOUR]);
    let first = projection::encode(&rules, &state, &site, NOW + 2 * HOUR, None);
    for later in [0, 1, 999, 1000, 61_000, 5 * HOUR, DAY, 3 * DAY, 7 * DAY, 8 * DAY] {
        let now = NOW + 2 * HOUR + later;
        let second = projection::encode(&rules, &state, &site, now, None);
        assert!(projection::same(&first, &second, now), "{later} ms later");
        assert!(projection::same(&second, &first, now), "{later} ms later");
        assert_eq!(projection::open(&rules, &first, now), projection::open(&rules, &second, now));
    }
    viewed(&mut state, &rules, 3, NOW + 3 * HOUR);
    let changed = projection::encode(&rules, &state, &site, NOW + 3 * HOUR, None);
    assert!(!projection::same(&first, &changed, NOW + 3 * HOUR));
}

#[test]
fn whose_it_is_makes_a_difference() {
    let rules = rules();
    let state = state(&rules, &[NOW]);
    let of = |user| projection::encode(&rules, &state, &Site::default(), NOW, user);
    assert!(projection::same(&of(Some("u1")), &of(Some("u1")), NOW));
    assert!(!projection::same(&of(Some("u1")), &of(Some("u2")), NOW));
    assert!(!projection::same(&of(None), &of(Some("u2")), NOW));
}

proptest! {
    /// Where two say the same, they open to the same at every later instant.
    #[test]
    fn those_that_say_the_same_open_to_the_same(
        one in prop::collection::vec(0..10 * DAY, 0..6),
        other in prop::collection::vec(0..10 * DAY, 0..6),
        wait in 0..3 * DAY,
        look in prop::collection::vec(0..90 * DAY, 1..20),
    ) {
        let rules = rules();
        let bytes = |ages: &[i64], at: i64| {
            let mut times: Vec<i64> = ages.iter().map(|age| NOW - age).collect();
            times.sort_unstable();
            projection::encode(&rules, &state(&rules, &times), &Site::default(), at, None)
        };
        let pairs = [(bytes(&one, NOW), bytes(&other, NOW + wait)), (bytes(&one, NOW), bytes(&one, NOW + wait))];
        for (first, second) in pairs {
            if projection::same(&first, &second, NOW + wait) {
                for ahead in &look {
                    let at = NOW + wait + ahead;
                    prop_assert_eq!(projection::open(&rules, &first, at), projection::open(&rules, &second, at));
                }
            }
        }
    }

    /// Nothing from outside breaks it.
    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), now in any::<i64>(), with_version in any::<bool>()) {
        let mut bytes = bytes;
        if with_version && let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        let rules = rules();
        let _ = projection::open(&rules, &bytes, now);
        let _ = projection::same(&bytes, &bytes, now);
    }
}
