//! How large a profile gets: no larger than is said, whatever happens.

use crate::support::*;
use idoine::learn::event::ONE;
use idoine::learn::rules::*;
use idoine::learn::{Event, EventKind, Rules, Scalar, Site, State, facts};
use idoine::touch::Touch;

/// Rules that ask for as much as rules may.
fn greedy() -> Rules {
    let mut rules = rules();
    let windows = [HOUR, 2 * DAY, 30 * DAY];
    rules.counters = (0..200)
        .map(|id| Counter {
            id: u32::MAX - id,
            matching: of("Everything"),
            sum: Some("number".to_owned()),
            windows: windows.to_vec(),
        })
        .collect();
    rules.affinities = (0..20)
        .map(|n| Affinity {
            dimension: format!("dimension number {n:048}"),
            property: "unique".to_owned(),
            half_life: HOUR,
            weights: vec![(of("Everything"), 1_000_000 * ONE)],
            cap: 1_000_000 * ONE,
            keep: 22,
            least: 1,
        })
        .collect();
    rules.traits = (0..100).map(|n| trait_rule(&format!("trait number {n:050}"), "string", Settle::Latest)).collect();
    rules.features = (0..100)
        .map(|n| Feature { name: format!("feature number {n:048}"), matching: of("Everything"), adopted: 1, left: DAY })
        .collect();
    rules.milestones = (0..100)
        .map(|n| Milestone {
            name: format!("milestone number {n:046}"),
            matching: Some(of("Everything")),
            count: 16,
            lasts: DAY,
        })
        .collect();
    rules.experiences =
        (0..200).map(|n| ExperienceRule { id: format!("experience-{n:050}"), ..ExperienceRule::default() }).collect();
    rules.intent.signals =
        (0..30).map(|n| (format!("intent number {n:048}"), vec![(of("Everything"), 1_000_000 * ONE)])).collect();
    rules.cart.added = "Everything".to_owned();
    rules
}

/// Long texts that are all different.
fn unique(n: u64) -> String {
    format!("{n:x<400}")
}

fn everything(rules: &Rules, n: u64, at: i64) -> Event<'static> {
    let mut event = event(9, n as u8, 0, at);
    event.id = unique(n).into();
    event.name = "Everything".into();
    event.products[0].id = unique(n).into();
    let text = |text: String| Scalar::Text(text.into());
    event.properties = vec![("unique".into(), text(unique(n))), ("number".into(), Scalar::Number(i64::MAX / 2))];
    match n % 6 {
        0 => {
            event.kind = EventKind::Identify;
            event.source = format!("import:{}", unique(n % 40)).into();
            event.traits = rules.traits.iter().map(|rule| (rule.name.clone().into(), text(unique(n)))).collect();
        }
        1 => {
            event.kind = EventKind::Page;
            let [source, medium, campaign, channel] = [0, 1, 2, 3].map(|part| unique(n * 7 + part));
            let (referrer_host, click_id) = (unique(n), unique(n + 1));
            event.touch = Some(Touch { at, source, medium, campaign, channel, referrer_host, click_id });
        }
        2 => {
            event.kind = EventKind::Exposure;
            let id = rules.experiences[(n / 6 % 200) as usize].id.clone();
            event.properties = vec![("experience".into(), text(id)), ("levels".into(), text("200,200,200,200,200,200".into()))];
        }
        3 => {
            event.name = "Question Answered".into();
            event.properties = vec![("question".into(), text(unique(n))), ("answer".into(), text(unique(n)))];
        }
        _ => {}
    }
    event
}

#[test]
fn the_greediest_rules_and_events_stay_within_the_bound() {
    let rules = greedy();
    let mut state = State::default();
    let mut largest = 0;
    for n in 0..4000u64 {
        // Ever new minutes, hours, days and half-lives.
        let at = NOW + n as i64 * 47 * 60_000;
        state.fold(&rules, &everything(&rules, n, at));
        if n % 100 == 0 {
            largest = largest.max(state.encode().len());
        }
    }
    let bytes = state.encode();
    largest = largest.max(bytes.len());
    assert!(largest <= State::MOST_BYTES, "{largest} bytes");
    // It is a bound that means something: this comes near to it.
    assert!(largest > State::MOST_BYTES / 2, "{largest} bytes");
    assert_eq!(State::decode(&bytes), Some(state.clone()));
    // Two such parts are no larger.
    let mut other = State::default();
    for n in 4000..8000u64 {
        other.fold(&rules, &everything(&rules, n, NOW + n as i64 * 31 * 60_000));
    }
    let whole = merged(&rules, &state, &other).encode().len();
    assert!(whole <= State::MOST_BYTES, "{whole} bytes");
    println!("{largest} bytes of {}, merged {whole}", State::MOST_BYTES);
}

#[test]
fn a_million_events_on_one_profile_stay_within_the_bound() {
    let rules = rules();
    let mut pool: Vec<Event> = (0..=255u8).flat_map(|of| (0..13).map(move |kind| event(kind, of, of, NOW))).collect();
    let (mut state, mut largest, mut seed) = (State::default(), 0, 1u64);
    let count = pool.len();
    for n in 0..1_000_000 {
        // Any of them, in no order that repeats (Knuth's linear congruential generator).
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let event = &mut pool[(seed >> 33) as usize % count];
        event.at = NOW + n * 60_000;
        if let Some(touch) = &mut event.touch {
            touch.at = event.at;
        }
        state.fold(&rules, event);
        if n % 50_000 == 0 {
            largest = largest.max(state.encode().len());
        }
    }
    largest = largest.max(state.encode().len());
    // What these rules ask for is far from all that rules may ask for.
    assert!(largest <= 16 * 1024, "{largest} bytes");
    let facts = facts(&rules, &state, &Site::default(), NOW + 1_000_000 * 60_000);
    assert!(facts.sessions.count > 0 && facts.counters[0].count > 100_000, "{:?}", facts.counters);
    println!("{largest} bytes");
}

#[test]
fn eviction_keeps_the_strongest() {
    let mut rules = rules();
    rules.affinities.truncate(1);
    rules.affinities[0].keep = 5;
    let view = |n: usize, at: i64| {
        let mut event = event(1, 1, 0, NOW + at);
        event.properties[0].1 = Scalar::Text(format!("c{n:02}").into());
        event.products.clear();
        event
    };
    let mut state = State::default();
    let mut at = 0;
    // The n-th of 8 values n times, then forty others once.
    for round in 0..8 {
        for n in round..8 {
            at += 1000;
            state.fold(&rules, &view(n, at));
        }
    }
    for n in 10..50 {
        at += 1000;
        state.fold(&rules, &view(n, at));
    }
    let facts = facts(&rules, &state, &Site::default(), NOW + at);
    let values: Vec<&str> = facts.affinities[0].values.iter().map(|value| value.value.as_str()).collect();
    assert_eq!(values, ["c07", "c06", "c05", "c04", "c03"]);
}
