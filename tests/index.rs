//! The index finds all that could win: who decides by it decides as who looks at every experience, on manifests of all sorts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use idoine::compile::{check, compile};
use idoine::{Context, Program, Request, decide, decide_by_scan};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use support::Iana;

const COUNTRIES: [&str; 4] = ["FR", "DE", "US", "JP"];
const PATHS: [&str; 7] = ["/", "/a", "/a/b", "/a/bc", "/a/b/c", "/c", "/a*b"];
const GLOBS: [&str; 12] = ["*", "/", "/a", "/a*", "/a/*", "/a/b", "/a/b*", "/a/b/*", "/a/*c", "/*b", "/c*", "*c"];

/// Comparisons that are keys, and others.
fn clause() -> impl Strategy<Value = String> {
    let country = || prop::sample::select(COUNTRIES.to_vec());
    prop_oneof![
        4 => country().prop_map(|one| format!("geo.country == '{one}'")),
        1 => country().prop_map(|one| format!("'{one}' == geo.country")),
        1 => country().prop_map(|one| format!("geo.country != '{one}'")),
        2 => (country(), country()).prop_map(|(one, other)| format!("geo.country in ['{one}', '{other}']")),
        1 => Just("geo.country in []".to_owned()),
        2 => (0..4).prop_map(|hour| format!("network.asn == {hour}")),
        1 => (0..4).prop_map(|hour| format!("network.asn in [{hour}, 2, 9]")),
        1 => (0..4).prop_map(|hour| format!("network.asn == {hour}.0")),
        1 => (0..4).prop_map(|hour| format!("network.asn < {hour}")),
        1 => (0..4).prop_map(|degrees| format!("geo.latitude == {degrees}.0")),
        1 => Just("geo.is_eu".to_owned()),
        1 => Just("!geo.is_eu".to_owned()),
        1 => Just("geo.is_eu == false".to_owned()),
        1 => country().prop_map(|one| format!("'{}' in language.accepted", one.to_lowercase())),
        1 => country().prop_map(|one| format!("language.accepted.exists(tag, tag == '{}')", one.to_lowercase())),
        1 => Just("page.query['x'] == 'FR'".to_owned()),
        1 => Just("has(geo.country)".to_owned()),
        1 => Just("profile.vip".to_owned()),
        1 => country().prop_map(|one| format!("profile.plan == '{one}'")),
        1 => Just("true".to_owned()),
    ]
}

/// Of audiences of a lower number, too.
fn audience(below: usize) -> impl Strategy<Value = String> {
    let leaf = prop_oneof![6 => clause(), 1 => (0..below.max(1)).prop_map(move |other| if below == 0 { "false".to_owned() } else { format!("a{other}") })];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            4 => list.clone().prop_map(|parts| format!("({})", parts.join(" && "))),
            2 => list.prop_map(|parts| format!("({})", parts.join(" || "))),
            1 => inner.prop_map(|part| format!("!({part})")),
        ]
    })
}

fn rule() -> impl Strategy<Value = Value> {
    let glob = prop::sample::select(GLOBS.to_vec());
    let host = prop::option::weighted(0.2, prop::sample::select(vec!["a.example", "*.example", "b.example"]));
    let query = prop::option::weighted(0.2, prop::sample::select(vec!["FR", "*", "D*"]));
    (glob, host, query).prop_map(|(path, host, query)| match (host, query) {
        (None, None) => json!(path),
        (host, query) => {
            let mut rule = json!({ "path": path });
            host.into_iter().for_each(|host| rule["host"] = json!(host));
            query.into_iter().for_each(|query| rule["query"] = json!({ "x": query }));
            rule
        }
    })
}

fn rules() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![4 => Just(Vec::new()), 3 => prop::collection::vec(rule(), 1..4)]
}

fn experience(number: usize) -> impl Strategy<Value = Value> {
    let slots = prop::collection::btree_set(0..4usize, 1..3);
    let special =
        prop::sample::select(vec!["", "", "", "", "sticky", "sticky", "draft", "paused", "requires", "group", "schedule"]);
    (audience(3), rules(), slots, -2..3, special).prop_map(move |(audience, pages, slots, priority, special)| {
        let text = |slot: usize| format!("{number} in {slot}");
        let shown = slots.into_iter().map(|slot| (format!("s{slot}"), json!({ "text": text(slot) }))).collect::<Map<_, _>>();
        let mut one = json!({ "id": format!("e{number}"), "type": "personalization", "audience": audience, "pages": pages,
            "slots": shown, "priority": priority });
        match special {
            "sticky" => {
                one["type"] = json!("experiment");
                one["sticky"] = json!(true);
                for (slot, content) in one["slots"].as_object_mut().unwrap() {
                    let _ = slot;
                    *content = json!([{ "baseline": true }, content.clone()]);
                }
            }
            "draft" | "paused" => one["status"] = json!(special),
            "requires" if number > 0 => one["requires"] = json!([{ "experience": format!("e{}", number / 2) }]),
            "group" => one["groups"] = json!(["one"]),
            "schedule" => one["schedule"] = json!({ "from": "2026-11-01", "until": "2026-12-01" }),
            _ => {}
        }
        one
    })
}

fn manifest() -> impl Strategy<Value = Value> {
    let experiences = (1..130usize).prop_flat_map(|count| (0..count).map(experience).collect::<Vec<_>>());
    let slots = prop::collection::vec(rules(), 4);
    (audience(0), audience(1), audience(2), slots, experiences).prop_map(|(a0, a1, a2, slots, experiences)| {
        let slots = slots.into_iter().enumerate();
        let slots = slots.map(|(slot, pages)| (format!("s{slot}"), json!({ "selector": format!("#s{slot}"), "pages": pages })));
        json!({ "site": { "id": "x" }, "groups": { "one": { "max": 1 } }, "slots": slots.collect::<Map<_, _>>(),
            "traits": { "vip": { "type": "bool", "purpose": "personalization" }, "plan": { "type": "string", "purpose": "personalization" } },
            "audiences": { "a0": a0, "a1": a1, "a2": a2 }, "experiences": experiences })
    })
}

fn request() -> impl Strategy<Value = Request> {
    let country = prop::option::weighted(0.8, prop::sample::select(COUNTRIES.to_vec()));
    let url = (prop::sample::select(vec!["a.example", "b.example", "c.test"]), prop::sample::select(PATHS.to_vec()), 0..3usize);
    let profile =
        prop::collection::vec((0..130usize, prop::sample::select(vec!["assignment", "assignment", "variant"])), 0..20);
    (country, url, 0..4i32, any::<[bool; 4]>(), profile).prop_map(
        |(country, (host, path, query), asn, [eu, agrees, vip, forces], profile)| {
            let query = ["", "?x=FR", "?x=DE"][query];
            let mut request =
                Request { url: format!("https://{host}{path}{query}"), now: 1_795_000_000_000, ..Request::default() };
            let mut tell = |path: &str, value: &str| request.overrides.push((path.to_owned(), value.to_owned()));
            country.into_iter().for_each(|country| tell("geo.country", country));
            tell("geo.is_eu", if eu { "true" } else { "false" });
            tell("network.asn", &asn.to_string());
            tell("geo.latitude", &asn.to_string());
            tell("language.accepted", "fr,us");
            tell("consent.personalization", if agrees { "true" } else { "false" });
            tell("profile.vip", if vip { "true" } else { "false" });
            tell("profile.plan", country.unwrap_or("FR"));
            tell("visitor.id", "visitor-0001");
            for (number, kind) in profile {
                if kind == "assignment" || forces {
                    tell(&format!("{kind}.e{number}"), "1");
                }
            }
            request
        },
    )
}

fn compiled(manifest: &Value) -> Program {
    compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}\n{manifest:#}"))
}

#[test]
fn who_decides_by_the_index_decides_as_who_looks_at_everything() {
    let (decided, won) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&(manifest(), prop::collection::vec(request(), 4)), |(manifest, requests)| {
        let program = compiled(&manifest);
        for request in requests {
            let context = Context::derive(&program, &request);
            let decisions = decide(&program, &context);
            prop_assert_eq!(&decisions, &decide_by_scan(&program, &context), "{:#}\n{:?}", manifest, request);
            decided.set(decided.get() + decisions.slots.len());
            won.set(won.get() + decisions.slots.iter().filter(|slot| slot.experience.is_some()).count());
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    // Neither side may be right because nothing ever happens.
    assert!(won.get() > 500 && won.get() < decided.get() * 9 / 10, "{} of {}", won.get(), decided.get());
}

/// A glob in the plainest way there is.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|from| glob(rest, &text[from..])),
        Some((first, rest)) => text.split_first().is_some_and(|(one, others)| one == first && glob(rest, others)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_page_rule_that_matches_is_found(
        globs in prop::collection::vec(prop::collection::vec(prop_oneof![3 => "[*]?/[ab/*]{0,6}", 1 => prop::sample::select(GLOBS.to_vec()).prop_map(str::to_owned)], 1..4), 1..40),
        paths in prop::collection::vec("/[ab/]{0,6}", 1..6),
    ) {
        // Each has a slot of its own, so that all that are on the page win.
        let experiences = globs.iter().enumerate().map(|(number, globs)| json!({ "id": format!("e{number}"), "type": "personalization",
            "pages": globs, "slots": { format!("s{number}"): { "json": 1 } } }));
        let slots = (0..globs.len()).map(|number| (format!("s{number}"), json!({ "type": "data" }))).collect::<Map<_, _>>();
        let manifest = json!({ "site": { "id": "x" }, "slots": slots, "experiences": experiences.collect::<Vec<_>>() });
        let program = compiled(&manifest);
        for path in paths {
            let request = Request { url: format!("https://x.example{path}"), ..Request::default() };
            let decided = decide(&program, &Context::derive(&program, &request));
            let found = decided.slots.iter().map(|slot| slot.experience.is_some()).collect::<Vec<_>>();
            let expected = globs.iter().map(|globs| globs.iter().any(|one| glob(one.as_bytes(), path.as_bytes()))).collect::<Vec<_>>();
            prop_assert_eq!(found, expected, "{} {}", path, manifest);
        }
    }
}

/// What a program takes for each experience beside its texts and its expressions' nodes, as it grows.
#[test]
fn an_experience_takes_at_most_forty_bytes() {
    let site = |count: usize| {
        let experiences = (0..count).map(|number| {
            let pages = if number % 4 == 0 { format!("/products/p-{number}") } else { format!("/collections/c-{}/*", number % (count / 30)) };
            let audience = match number % 10 {
                0..6 => format!("geo.country == '{}' && device.type == 'mobile'", COUNTRIES[number % 4]),
                6 | 7 => format!("source.name in ['a', 'b', 'c{}'] || geo.city == 'x{}'", number % 7, number % 5),
                8 => format!("geo.latitude >= {}.5", number % 50),
                _ => "!(geo.country == 'FR') && source.campaign.contains('sale')".to_owned(),
            };
            json!({ "id": format!("e-{number:05}"), "type": "personalization", "audience": audience, "pages": [pages], "priority": number % 60,
                "slots": { format!("s{}", number % 8): { "text": format!("Content {number}") } } })
        });
        let slots = (0..8).map(|slot| (format!("s{slot}"), json!({ "selector": format!("#s{slot}") }))).collect::<Map<_, _>>();
        compiled(&json!({ "site": { "id": "x" }, "slots": slots, "experiences": experiences.collect::<Vec<_>>() }))
    };
    let per_experience = |count: usize| site(count).bytes_beside_texts_and_nodes() as f64 / count as f64;
    let (thousand, ten) = (per_experience(1_000), per_experience(10_000));
    assert!(ten <= 40.0, "{ten} bytes");
    // Neither does it grow with their number.
    assert!(ten <= thousand, "{thousand} bytes at a thousand, {ten} at ten thousand");
}

#[test]
fn limits_are_told() {
    let error = |manifest: Value| {
        check(&manifest.to_string(), &Iana).err().map(|errors| (errors[0].path.clone(), errors[0].message.clone()))
    };
    let slots = |count: usize| (0..count).map(|slot| (format!("s{slot}"), json!({ "type": "data" }))).collect::<Map<_, _>>();
    let many = |count: usize| json!({ "site": { "id": "x" }, "slots": slots(count) });
    assert_eq!(error(many(10_000)), None);
    assert_eq!(error(many(10_001)), Some(("slots.s10000".into(), "a site has at most 10000 slots, found 10001".into())));
    let experiences = |count: usize| {
        let one =
            |number: usize| json!({ "id": format!("e{number}"), "type": "personalization", "slots": { "s0": { "json": 1 } } });
        json!({ "site": { "id": "x" }, "slots": slots(1), "experiences": (0..count).map(one).collect::<Vec<_>>() })
    };
    let found = error(experiences(200_001));
    assert_eq!(found, Some(("experiences[200000].id".into(), "a site has at most 200000 experiences, found 200001".into())));
}
