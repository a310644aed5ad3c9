//! What travels in the cookie: what the store would say, or nothing; and how large it is.

use crate::support::*;
use idoine::learn::event::ONE;
use idoine::learn::rules::*;
use idoine::learn::{Event, Rules, Scalar, Site, State, projection, read, text};
use proptest::prelude::*;

/// What seals it: nonce, tag, and the byte that says how.
const SEAL: usize = 1 + 12 + 10 + 16;

fn pairs(rules: &Rules, bytes: &[u8], now: i64) -> Vec<(String, String)> {
    projection::open(rules, bytes, now).unwrap()
}

fn get<'a>(pairs: &'a [(String, String)], path: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// Whenever it is opened: each value is the store's at that instant, or unknown.
    #[test]
    fn it_says_what_the_store_says(events in events(60, 60 * DAY), after in prop::collection::vec(0..100 * DAY, 1..10)) {
        let (rules, site) = (rules(), Site::default());
        let state = folded(&rules, &events);
        let written = NOW + 60 * DAY;
        let bytes = projection::encode(&rules, &state, &site, written, None);
        prop_assert!(bytes.len() <= projection::MOST_BYTES);
        for after in after.into_iter().chain([0]) {
            let pairs = pairs(&rules, &bytes, written + after);
            for Reading { path, what, .. } in &rules.readings {
                let told = read(&rules, &state, &site, written + after, what).map(|value| text(&value));
                match get(&pairs, path) {
                    Some(found) => prop_assert_eq!(Some(found), told.as_deref(), "{} after {}", path, after),
                    // At once all is there that is known.
                    None => prop_assert!(after > 0 || told.is_none(), "{path}: {told:?}"),
                }
            }
        }
    }

    #[test]
    fn bytes_of_others_get_an_answer(events in events(30, 60 * DAY), at: prop::sample::Index, byte: u8, bytes: Vec<u8>) {
        let rules = rules();
        let mut whole = projection::encode(&rules, &folded(&rules, &events), &Site::default(), NOW + 60 * DAY, Some("u"));
        projection::open(&rules, &bytes, NOW);
        projection::open(&rules, &whole[..at.index(whole.len())], NOW);
        let place = at.index(whole.len());
        whole[place] = byte;
        projection::open(&rules, &whole, i64::MAX);
        projection::open(&rules, &whole, i64::MIN);
    }

    /// Another program: what it does not know is ignored, what is new in it is unknown, the rest is there.
    #[test]
    fn another_program_reads_what_it_knows(events in events(60, 60 * DAY), gone in prop::collection::vec(any::<bool>(), 60)) {
        let (rules, site) = (rules(), Site::default());
        let bytes = projection::encode(&rules, &folded(&rules, &events), &site, NOW + 60 * DAY, None);
        let all = pairs(&rules, &bytes, NOW + 61 * DAY);
        let mut other = rules.clone();
        let mut gone = gone.into_iter();
        other.readings.retain(|_| gone.next() != Some(true));
        other.readings.push(reading("profile.new", What::LastSeen));
        let found = pairs(&other, &bytes, NOW + 61 * DAY);
        let is_known = |path: &str| !path.starts_with("profile.") || other.readings.iter().any(|reading| reading.path == path);
        prop_assert_eq!(found, all.into_iter().filter(|(path, _)| is_known(path)).collect::<Vec<_>>());
    }
}

#[test]
fn assignments_and_caps_travel_in_it() {
    let rules = rules();
    let shown = |of: u8, at: i64| event(5, of, 0, NOW + at);
    // Variant 1 of promo, then 2 of hero, 0 of hero; all of them in one session, but the last.
    let state = folded(&rules, &[shown(1, 0), shown(8, 60_000), shown(0, 120_000), shown(4, DAY), shown(3, DAY + 1000)]);
    let bytes = projection::encode(&rules, &state, &Site::default(), NOW + DAY + 2000, Some("u-1"));
    let told = pairs(&rules, &bytes, NOW + DAY + 3000);
    assert_eq!(get(&told, "visitor.user_id"), Some("u-1"));
    assert_eq!(get(&told, "assignment.hero"), Some("2"));
    assert_eq!(get(&told, "assignment.promo"), Some("1"));
    let at = |at: i64| NOW + at;
    assert_eq!(get(&told, "seen.hero"), Some(format!("1,1,3,3,{}", at(DAY)).as_str()));
    assert_eq!(get(&told, "seen.promo"), Some(format!("0,1,1,1,{}", at(0)).as_str()));
    assert_eq!(get(&told, "seen_group.top"), Some(format!("1,1,4,4,{}", at(DAY)).as_str()));
    assert_eq!(get(&told, "seen_site"), Some(format!("1,1,4,4,{}", at(DAY)).as_str()));
    assert_eq!(get(&told, "visitor.session_start"), Some(at(DAY).to_string().as_str()));
    // Half an hour without an event: what was seen was not seen in the session of this request.
    let later = pairs(&rules, &bytes, NOW + DAY + 3 * HOUR);
    let start: i64 = get(&later, "visitor.session_start").unwrap().parse().unwrap();
    assert!(start > at(DAY + 1000) && start <= at(DAY + HOUR));
}

/// Paths that share an id are told apart in every order.
#[test]
fn paths_that_share_an_id_are_told_apart() {
    use idoine::bucket::murmur3_32;
    let id = |n: u32| murmur3_32(format!("profile.a{n}").as_bytes(), 0) & 0x0007_ffff;
    let mut known = std::collections::HashMap::new();
    let (one, other) = (0..).find_map(|n| known.insert(id(n), n).map(|other| (n, other))).unwrap();
    let mut rules = rules();
    let paths = [format!("profile.a{one}"), format!("profile.a{other}")];
    rules.readings = vec![reading(&paths[0], What::Sessions), reading(&paths[1], What::CartQuantity)];
    let state = folded(&rules, &[event(0, 0, 0, NOW), event(9, 1, 0, NOW + 1000), event(9, 2, 0, NOW + 2000)]);
    let bytes = projection::encode(&rules, &state, &Site::default(), NOW + 3000, None);
    rules.readings.reverse();
    let told = pairs(&rules.clone(), &bytes, NOW + 3000);
    assert_eq!((get(&told, &paths[0]), get(&told, &paths[1])), (Some("1"), Some("5")));
}

/// What a hundred audiences on profiles ask for, as a shop would write them.
fn hundred() -> Rules {
    let mut rules = rules();
    let categories = ["shoes", "hats", "coats", "bags", "belts"];
    let mut readings = Vec::new();
    for (n, event) in ["Product Viewed", "Product Added", "Order Completed", "page", "Exported"].iter().enumerate() {
        for (m, category) in ["", "shoes", "hats", "coats"].iter().enumerate() {
            let id = (n * 10 + m) as u32 + 100;
            let matching = if category.is_empty() { of(event) } else { having(event, "category", category) };
            let windows = [DAY, 7 * DAY, 30 * DAY];
            rules.counters.push(Counter { id, matching, sum: None, windows: windows.to_vec() });
            for (window, length) in windows.into_iter().zip(["1d", "7d", "30d"]) {
                readings.push((format!("profile.count('{event}', '{length}', '{category}')"), What::Count(id, window)));
            }
        }
    }
    readings.extend(categories.map(|category| {
        let what = What::AffinityShare("category".to_owned(), category.to_owned());
        (format!("profile.affinity_share('category', '{category}')"), what)
    }));
    let rest = whats().into_iter().filter(|what| !matches!(what, What::Count(..)));
    readings.extend(rest.map(|what| (format!("profile.{what:?}"), what)));
    readings.truncate(100);
    rules.readings = readings.iter().map(|(path, what)| reading(path, what.clone())).collect();
    rules
}

#[test]
fn a_hundred_audiences_of_a_heavy_visitor_are_less_than_a_kilobyte() {
    let rules = hundred();
    assert_eq!(rules.readings.len(), 100);
    let mut state = State::default();
    // A page or two a minute, an hour a day, for two months.
    for day in 0..60i64 {
        for minute in 0..60i64 {
            let (kind, of) = ([0, 1, 2, 9, 4, 8, 6, 3][(minute % 8) as usize], (day * 7 + minute) as u8);
            let mut event: Event = event(kind, of, of, NOW + day * DAY + minute * 61_000);
            if kind == 4 {
                event.properties.push(("category".into(), Scalar::Text("shoes".into())));
                event.properties[0].1 = Scalar::Number(i64::from(of) * ONE + 990_000);
            }
            state.fold(&rules, &event);
        }
        for experience in 0..3 {
            state.fold(&rules, &event(5, experience, 0, NOW + day * DAY + 61 * 61_000 + i64::from(experience) * 1000));
        }
    }
    let now = NOW + 59 * DAY + 2 * HOUR;
    let site = Site::default();
    let bytes = projection::encode(&rules, &state, &site, now, Some("0123456789abcdef0123456789abcdef"));
    let cookie = (bytes.len() + SEAL).div_ceil(3) * 4;
    let told = pairs(&rules, &bytes, now);
    let known = |now: i64| rules.readings.iter().filter(|one| read(&rules, &state, &site, now, &one.what).is_some()).count();
    let there = |told: &[(String, String)]| told.iter().filter(|(path, _)| path.starts_with("profile.")).count();
    println!("{} bytes, {cookie} in base64; {} of {} readings", bytes.len(), there(&told), known(now));
    for days in [1, 2, 7, 30, 90] {
        let now = now + days * DAY;
        let told = pairs(&rules, &bytes, now);
        println!("after {days} days {} of {}", there(&told), known(now));
        // What there is no room for is unknown then, never wrong.
        for Reading { path, what, .. } in &rules.readings {
            let right = read(&rules, &state, &site, now, what).map(|value| text(&value));
            assert!(get(&told, path).is_none_or(|found| Some(found) == right.as_deref()), "{path} after {days} days: {told:?}");
        }
    }
    assert!(cookie < 1024, "{cookie}");
    // All of it is there at first, and what is said later is right.
    assert_eq!(there(&told), known(now));
    assert!(get(&told, "assignment.hero").is_some() && get(&told, "seen_group.top").is_some());
}
