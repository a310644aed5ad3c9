//! What is read of profiles, and when time alone changes it.

use crate::support::*;
use idoine::context::Value;
use idoine::learn::event::ONE;
use idoine::learn::rules::*;
use idoine::learn::site::{Buyer, Buyers};
use idoine::learn::{Event, EventKind, Rules, Scalar, Site, State, next_change, read};
use proptest::prelude::*;

fn site() -> Site {
    let mut buyers = Buyers::default();
    for n in 1..=20 {
        buyers.change(None, Some(Buyer { day: NOW / DAY + n * 10, count: n / 4 + 1, sum: n * 10 * ONE }));
    }
    buyers.site()
}

fn text(text: &str) -> Option<Value> {
    Some(Value::String(text.to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Between now and the change that is told, a reading is what it is; where none is told, for ever.
    #[test]
    fn time_alone_changes_nothing_before_it_is_told(events in events(40, 60 * DAY), after in 0..500 * DAY, parts in prop::collection::vec(0.0..1.0f64, 6)) {
        let (rules, site) = (rules(), site());
        let state = folded(&rules, &events);
        let now = NOW + after;
        for what in whats() {
            let read = |at: i64| read(&rules, &state, &site, at, &what);
            let (value, next) = (read(now), next_change(&rules, &state, &site, now, &what));
            let end = next.unwrap_or(now + 1000 * DAY);
            prop_assert!(end > now, "{:?}", what);
            prop_assert!(next.is_none_or(|next| next % 1000 == 0));
            for at in parts.iter().map(|part| now + ((end - 1 - now) as f64 * part) as i64).chain([end - 1]) {
                prop_assert_eq!(read(at), value.clone(), "{:?} at {} of {}..{:?}", what, at, now, next);
            }
        }
    }

    /// Following the changes that are told leads to what is read far ahead.
    #[test]
    fn changes_lead_on(events in events(40, 60 * DAY)) {
        let (rules, site) = (rules(), site());
        let state = folded(&rules, &events);
        let (start, end) = (NOW + 60 * DAY, NOW + 600 * DAY);
        for what in whats() {
            let mut at = start;
            let mut steps = 0;
            while let Some(next) = next_change(&rules, &state, &site, at, &what).filter(|next| *next <= end) {
                at = next;
                steps += 1;
                prop_assert!(steps < 2000, "{:?}", what);
            }
            prop_assert_eq!(read(&rules, &state, &site, at, &what), read(&rules, &state, &site, end, &what), "{:?}", what);
        }
    }

    /// A window counts what is in it, and nothing that is a period older.
    #[test]
    fn windows_count_what_is_in_them(ats in prop::collection::vec(0..500 * DAY, 1..60), after in 0..100 * DAY) {
        let mut rules = rules();
        let windows = [(HOUR / 2, 60_000), (HOUR, 60_000), (6 * HOUR, HOUR), (2 * DAY, HOUR), (7 * DAY, DAY), (400 * DAY, DAY)];
        rules.counters[0].windows = windows.map(|(window, _)| window).to_vec();
        let mut ats = ats;
        ats.sort_unstable();
        let state = folded(&rules, &ats.iter().map(|at| event(1, 1, 0, NOW + at)).collect::<Vec<_>>());
        let now = NOW + ats.last().unwrap() + after;
        for (window, period) in windows {
            let Some(Value::Int(found)) = read(&rules, &state, &Site::default(), now, &What::Count(1, window)) else { panic!() };
            let within = |length: i64| ats.iter().filter(|at| NOW + **at > now - length).count() as i64;
            prop_assert!(found >= within(window) && found <= within(window + period + 1000), "{window}: {found}");
        }
    }

    /// A score is what its definition says, whatever was kept of it.
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn affinities_decay_as_they_should(ats in prop::collection::vec(0..60 * DAY, 1..19), after in 0..30 * DAY) {
        let mut rules = rules();
        rules.affinities[0].least = 1;
        rules.affinities[0].cap = 1000 * ONE;
        let mut ats = ats;
        ats.sort_unstable();
        let state = folded(&rules, &ats.iter().map(|at| event(1, 0, 0, NOW + at)).collect::<Vec<_>>());
        let now = NOW + ats.last().unwrap() + after;
        let facts = idoine::learn::facts(&rules, &state, &Site::default(), now);
        let found = facts.affinities.iter().find(|affinity| affinity.dimension == "category").unwrap().values[0].score;
        let at = now - now % 1000;
        let exact: f64 = ats.iter().map(|then| (-((at - NOW - then) as f64) / (7 * DAY) as f64).exp2()).sum();
        prop_assert!((found - exact).abs() < 0.0001 * exact + 0.00001, "{found} for {exact}");
    }
}

/// Profiles of whom one thing is known.
fn with(rules: &Rules, events: &[(u8, u8, i64)]) -> State {
    folded(rules, &events.iter().map(|(kind, of, at)| event(*kind, *of, 0, NOW + at)).collect::<Vec<_>>())
}

#[test]
fn sources_are_settled_by_their_rule() {
    let rules = rules();
    let told = |source: &str, at: i64, name: &'static str, value: Scalar<'static>| {
        let mut event = Event::new(format!("{source}{at}"), NOW + at, EventKind::Identify);
        event.consent = consent();
        event.source = source.to_owned().into();
        event.traits = vec![(name.into(), value)];
        event
    };
    let number = |number: i64| Scalar::Number(number * ONE);
    let state = folded(
        &rules,
        &[
            told("browser", 1, "size", number(38)),
            told("crm", 2, "size", number(40)),
            told("import:till", 3, "vip", Scalar::Bool(true)),
            told("crm", 4, "vip", Scalar::Bool(false)),
            told("browser", 5, "vip", Scalar::Bool(true)),
            told("crm", 6, "points", number(9)),
            told("browser", 7, "points", number(7)),
            told("crm", 8, "plan", Scalar::Text("pro".into())),
            told("browser", 9, "plan", Scalar::Text("free".into())),
            // What is no value of its kind is none.
            told("browser", 10, "size", Scalar::Number(ONE / 2)),
            told("browser", 11, "size", Scalar::Text("large".into())),
        ],
    );
    let read = |name: &str| read(&rules, &state, &Site::default(), NOW, &What::Trait(name.to_owned()));
    assert_eq!(read("size"), Some(Value::Int(38)), "the first");
    assert_eq!(read("vip"), Some(Value::Bool(false)), "the source that is believed most");
    assert_eq!(read("points"), Some(Value::Double(9.0)), "the largest");
    assert_eq!(read("plan"), text("free"), "the newest");
    assert_eq!(read("undeclared"), None);
    let facts = idoine::learn::facts(&rules, &state, &Site::default(), NOW);
    let counts: Vec<(&str, &str)> =
        facts.traits.iter().filter(|told| told.counts).map(|told| (told.name.as_str(), told.source.as_str())).collect();
    assert_eq!(counts, [("plan", "browser"), ("size", "browser"), ("vip", "crm"), ("points", "crm")]);
    assert_eq!(facts.traits.len(), 9);
}

#[test]
fn a_traits_own_purpose_is_asked_for() {
    use idoine::consent::{Consent, Purpose};
    let mut rules = rules();
    rules.traits[0].purpose = PurposeName("marketing".to_owned());
    let mut event = event(3, 1, 0, NOW);
    event.consent = Consent::default().with(Purpose::Personalization, true);
    let state = folded(&rules, &[event]);
    let read = |name: &str| read(&rules, &state, &Site::default(), NOW, &What::Trait(name.to_owned()));
    assert_eq!((read("plan"), read("size")), (None, Some(Value::Int(1))));
}

#[test]
fn traits_are_stripped_by_name_and_age_and_the_rest_stays() {
    let rules = rules();
    let before = folded(&rules, &[event(3, 1, 0, NOW), event(3, 1, 0, NOW + DAY)]);
    let mut state = before.clone();
    assert!(
        !state.strip(&["plan".to_owned()], NOW + DAY)
            && !state.strip(&[], i64::MAX)
            && !state.strip(&["none".to_owned()], i64::MAX)
    );
    assert_eq!(state, before, "the newest value of a source is of then");
    assert!(state.strip(&["plan".to_owned()], NOW + DAY + 1));
    let read = |state: &State, name: &str| read(&rules, state, &Site::default(), NOW, &What::Trait(name.to_owned()));
    assert!(read(&before, "plan").is_some());
    assert_eq!((read(&state, "plan"), read(&state, "size")), (None, read(&before, "size")));
    assert!(!state.strip(&["plan".to_owned()], i64::MAX), "once");
}

#[test]
fn money_counts_where_the_sender_is_trusted() {
    let rules = rules();
    let order = |trusted: bool, at: i64| {
        let mut event = event(4, 1, 0, NOW + at);
        event.trusted = trusted;
        event.properties[0].1 = Scalar::Number(30 * ONE);
        event
    };
    let state = folded(&rules, &[order(true, 1), order(false, 2), order(true, 3)]);
    let read = |what: What| read(&rules, &state, &Site::default(), NOW + DAY, &what);
    assert_eq!(read(What::Sum(3, 0)), Some(Value::Double(60.0)));
    assert_eq!(read(What::Sum(3, 90 * DAY)), Some(Value::Double(60.0)));
    let facts = idoine::learn::facts(&rules, &state, &Site::default(), NOW + DAY);
    assert_eq!(facts.counters.iter().find(|counter| counter.id == 3).unwrap().untrusted, 30.0);
    let purchases = facts.purchases.unwrap();
    assert_eq!((purchases.count, purchases.sum, purchases.untrusted_count, purchases.untrusted_sum), (2, 60.0, 1, 30.0));
}

#[test]
fn a_visitor_lives_through_all_stages() {
    let rules = rules();
    let stage = |state: &State, at: i64| read(&rules, state, &Site::default(), NOW + at, &What::Lifecycle);
    let state = with(&rules, &[(0, 0, 0), (0, 0, 20 * DAY)]);
    assert_eq!(stage(&with(&rules, &[(0, 0, 0)]), DAY), text("new"));
    assert_eq!(stage(&state, 21 * DAY), text("active"));
    assert_eq!(stage(&state, 50 * DAY), text("at_risk"));
    assert_eq!(stage(&state, 110 * DAY), text("dormant"));
    let back = with(&rules, &[(0, 0, 0), (0, 0, 20 * DAY), (0, 0, 120 * DAY)]);
    assert_eq!(stage(&back, 121 * DAY), text("won_back"));
    assert_eq!(stage(&with(&rules, &[(0, 0, 0), (0, 0, 120 * DAY), (0, 0, 145 * DAY)]), 151 * DAY), text("active"));
    assert_eq!(stage(&State::default(), 0), None);
    // What another device did in the pause: there was none.
    let other = with(&rules, &[(0, 0, 60 * DAY)]);
    assert_eq!(stage(&merged(&rules, &back, &other), 121 * DAY), text("active"));
}

#[test]
fn engagement_rises_and_falls() {
    let rules = rules();
    let level = |state: &State, at: i64| read(&rules, state, &Site::default(), NOW + at, &What::Engagement);
    assert_eq!(level(&State::default(), 0), text("none"));
    assert_eq!(level(&with(&rules, &[(0, 0, 0)]), 1000), text("low"));
    let much: Vec<(u8, u8, i64)> = (0..16).map(|n| (0, 0, n * 1000)).collect();
    let state = with(&rules, &much);
    assert_eq!(level(&state, 20_000), text("high"));
    assert_eq!(level(&state, 4 * DAY), text("medium"));
    assert_eq!(level(&state, 20 * DAY), text("low"));
    assert_eq!(level(&state, 365 * DAY), text("none"));
}

#[test]
fn an_intent_is_of_its_session() {
    let rules = rules();
    let intent = |state: &State, at: i64| read(&rules, state, &Site::default(), NOW + at, &What::Intent);
    let state = with(&rules, &[(1, 1, 0), (9, 2, 1000)]);
    assert_eq!(intent(&with(&rules, &[(1, 1, 0)]), 1000), text("bargain_hunter"));
    assert_eq!(intent(&state, 2000), text("ready_to_buy"));
    assert_eq!(intent(&state, 2 * HOUR), None);
    let next = with(&rules, &[(1, 1, 0), (9, 2, 1000), (0, 0, 2 * HOUR)]);
    assert_eq!(intent(&next, 2 * HOUR), None, "another session");
}

#[test]
fn a_cart_holds_what_was_put_in() {
    let rules = rules();
    let cart = |state: &State| {
        let read = |what: What| read(&rules, state, &Site::default(), NOW + DAY, &what);
        let (Some(Value::Int(pieces)), Some(Value::Double(cost))) = (read(What::CartQuantity), read(What::CartValue)) else {
            panic!()
        };
        (pieces, cost)
    };
    // Product 1: 2 pieces of 2 each; product 2: 3 of 3.
    let added = [(9, 1, 1000), (9, 2, 2000)];
    assert_eq!(cart(&with(&rules, &added)), (5, 13.0));
    assert_eq!(cart(&with(&rules, &[added[0], added[1], (10, 1, 3000)])), (3, 9.0));
    assert_eq!(cart(&with(&rules, &[added[0], added[1], (11, 0, 3000)])), (1, 1.0), "all that is in it");
    assert_eq!(cart(&with(&rules, &[added[0], added[1], (4, 1, 3000)])), (0, 0.0), "ordered");
    // Another device took one out, which is newer; a third ordered before the second product was added.
    let one = with(&rules, &added);
    assert_eq!(cart(&merged(&rules, &one, &with(&rules, &[(9, 1, 2500), (10, 1, 2600)]))), (3, 9.0));
    assert_eq!(cart(&merged(&rules, &one, &with(&rules, &[(4, 1, 1500)]))), (3, 9.0));
}

#[test]
fn milestones_are_reached_once_and_told_for_a_while() {
    let rules = rules();
    let told = |state: &State, name: &str, at: i64| {
        read(&rules, state, &Site::default(), NOW + at, &What::Milestone(name.to_owned())) == Some(Value::Bool(true))
    };
    let orders = [(4, 1, 0), (4, 1, DAY), (4, 1, 2 * DAY), (4, 1, 3 * DAY)];
    let state = with(&rules, &orders);
    assert!(!told(&with(&rules, &orders[..2]), "third_order", 3 * DAY));
    assert!(told(&state, "third_order", 3 * DAY) && told(&state, "third_order", 9 * DAY - 1000));
    assert!(!told(&state, "third_order", 9 * DAY), "a week after the third");
    // The orders of two devices are one visitor's.
    let parts = merged(&rules, &with(&rules, &orders[..1]), &with(&rules, &orders[1..3]));
    assert!(told(&parts, "third_order", 3 * DAY));
    // A year: 2026-09-21 to 2027-09-21.
    assert!(!told(&state, "birthday", 365 * DAY - 1000) && told(&state, "birthday", 365 * DAY));
}

#[test]
fn features_are_tried_adopted_and_left() {
    let rules = rules();
    let read = |state: &State, at: i64| read(&rules, state, &Site::default(), NOW + at, &What::Feature("export".to_owned()));
    assert_eq!(read(&State::default(), 0), text("unused"));
    assert_eq!(read(&with(&rules, &[(8, 0, 0)]), DAY), text("tried"));
    let state = with(&rules, &[(8, 0, 0), (8, 0, 1000), (8, 0, 2000)]);
    assert_eq!((read(&state, DAY), read(&state, 31 * DAY)), (text("adopted"), text("left")));
}

#[test]
fn answers_and_scores_are_the_last() {
    let rules = rules();
    let state = with(&rules, &[(6, 2, 0), (6, 4, 1000), (7, 9, 0), (7, 11, 500), (7, 6, 1000)]);
    let read = |what: What| read(&rules, &state, &Site::default(), NOW + DAY, &what);
    assert_eq!(read(What::Answer("size".to_owned())), text("a4"));
    assert_eq!((read(What::NpsScore), read(What::NpsCategory)), (Some(Value::Int(6)), text("detractor")));
}

#[test]
fn sessions_and_touches_are_read() {
    let rules = rules();
    // Direct, google, direct, newsletter.
    let state = with(&rules, &[(0, 0, 0), (0, 2, 1000), (0, 1, 2000), (0, 3, 2 * HOUR), (1, 1, 2 * HOUR + 1000)]);
    let read = |what: What, at: i64| read(&rules, &state, &Site::default(), NOW + at, &what);
    let now = 2 * HOUR + 2000;
    assert_eq!(read(What::Sessions, now), Some(Value::Int(2)));
    assert_eq!(read(What::SessionPages, now), Some(Value::Int(1)));
    assert_eq!(read(What::SessionStarted, now), Some(Value::Timestamp(NOW + 2 * HOUR)));
    assert_eq!((read(What::SessionPages, 3 * HOUR), read(What::SessionStarted, 3 * HOUR)), (Some(Value::Int(0)), None));
    assert_eq!(read(What::FirstTouch("source".to_owned()), now), None, "the first was direct");
    assert_eq!(read(What::LastTouch("source".to_owned()), now), text("newsletter"));
    assert_eq!(read(What::LastTouch("campaign".to_owned()), now), text("c3"));
}

/// The fold that profiles keep says what [`idoine::touch::Touches`] say.
#[test]
fn touches_are_those_of_the_fold_over_visits() {
    use idoine::touch::{Touch, Touches};
    proptest!(|(visits in prop::collection::vec((0..90i64, 0usize..3), 1..20))| {
        let rules = rules();
        let mut ats: Vec<(i64, usize)> = visits;
        ats.sort_unstable();
        ats.dedup_by_key(|(at, _)| *at);
        let touch = |(day, source): &(i64, usize)| {
            let source = ["", "google", "newsletter"][*source].to_owned();
            let medium = if source.is_empty() { "" } else { "cpc" }.to_owned();
            Touch { at: NOW + day * DAY, source, medium, ..Touch::default() }
        };
        let expected = ats.iter().fold(Touches::default(), |touches, visit| touches.with(touch(visit), rules.attribution));
        let state = folded(&rules, &ats.iter().map(|visit| {
            let mut event = event(0, 0, 0, NOW + visit.0 * DAY);
            event.touch = Some(touch(visit));
            event
        }).collect::<Vec<_>>());
        let facts = idoine::learn::facts(&rules, &state, &Site::default(), NOW);
        prop_assert_eq!((facts.first_touch, facts.last_touch), (expected.first, expected.last));
    });
}

#[test]
fn segments_are_those_of_the_sites_fifths() {
    let (rules, site) = (rules(), site());
    // Days 1 to 20 times ten, one to six orders.
    let state = |orders: u8, day: i64, revenue: i64| {
        let one = |n: u8| {
            let mut event = event(4, 1, 0, NOW + day * DAY - i64::from(n));
            event.properties[0].1 = Scalar::Number(revenue * ONE / i64::from(orders));
            event
        };
        folded_late(&rules, &(0..orders).map(one).collect::<Vec<_>>())
    };
    let segment = |state: &State| {
        let score = |what: What| match read(&rules, state, &site, NOW + 300 * DAY, &what) {
            Some(Value::Int(score)) => score,
            _ => 0,
        };
        let scores = [What::RfmRecency, What::RfmFrequency, What::RfmMonetary].map(score);
        (scores, read(&rules, state, &site, NOW + 300 * DAY, &What::RfmSegment))
    };
    assert_eq!(segment(&state(7, 250, 500)), ([5, 5, 5], text("champions")));
    assert_eq!(segment(&state(1, 250, 5)), ([5, 1, 1], text("new_customers")));
    assert_eq!(segment(&state(1, 1, 5)), ([1, 1, 1], text("lost")));
    assert_eq!(segment(&state(7, 1, 500)), ([1, 5, 5], text("cant_lose_them")));
    assert_eq!(segment(&State::default()), ([0, 0, 0], None));
    // Too few have bought for fifths.
    let nobody = Buyers::default().site();
    assert_eq!(read(&rules, &state(7, 250, 500), &nobody, NOW, &What::RfmSegment), None);
}

/// What a profile was is taken out of the site's histograms, and what it is put in.
#[test]
fn a_sites_fifths_follow_its_profiles() {
    let rules = rules();
    let mut buyers = Buyers::default();
    let mut expected = Buyers::default();
    for visitor in 0..30u8 {
        let mut state = State::default();
        for n in 0..visitor % 5 + 1 {
            let before = state.buyer();
            let mut order = event(4, 1, 0, NOW + i64::from(visitor) * DAY + i64::from(n));
            order.properties[0].1 = Scalar::Number(i64::from(visitor) * ONE);
            state.fold(&rules, &order);
            buyers.change(before, state.buyer());
        }
        expected.change(None, state.buyer());
    }
    assert_eq!(buyers, expected);
    assert_eq!(buyers.site().buyers, 30);
    assert_eq!(Buyers::decode(&buyers.encode()), Some(buyers.clone()));
    let mut twice = buyers.clone();
    twice.merge(&expected);
    assert_eq!((twice.site().fifths(), twice.site().buyers), (buyers.site().fifths(), 60));
}
