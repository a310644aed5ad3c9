//! Comparing two programs: what the reports of `idoine replay` are made from (`cli/tests/replay.rs` has those).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use idoine::compile::compile;
use idoine::replay::Replay;
use idoine::{Program, Request};
use serde_json::{Value, json};
use support::Iana;

fn program(slots: Value, experiences: Value) -> Program {
    let manifest = json!({ "site": { "id": "x" }, "slots": slots, "experiences": experiences });
    compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn from(city: &str) -> Request {
    let cf = vec![("city".to_owned(), city.to_owned())];
    Request { url: "https://x.example/".to_owned(), cf, ..Request::default() }
}

fn summary(old: &Program, new: &Program, requests: impl Iterator<Item = Request>) -> Value {
    let mut replay = Replay::new(old, new, 2);
    for (index, request) in requests.enumerate() {
        replay.visitor(index as u64 + 1, &request, None);
    }
    serde_json::to_value(replay.finish()).unwrap()
}

#[test]
fn changes_without_number_are_counted_together() {
    let cities = |name: &str| -> Value {
        (0..1010)
            .map(|city| {
                let (id, audience) = (format!("{name}-{city:04}"), format!("geo.city == '{city}'"));
                json!({ "id": id, "type": "personalization", "audience": audience, "slots": { "s": { "text": name } } })
            })
            .collect()
    };
    let slots = json!({ "s": { "selector": "p" } });
    let (old, new) = (program(slots.clone(), cities("old")), program(slots, cities("new")));
    let found = summary(&old, &new, (0..1010).map(|city| from(&city.to_string())));
    let slot = &found["slots"][0];
    assert_eq!((&slot["changed"], &slot["others"]), (&json!(1010), &json!(10)));
    let changes = slot["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1000);
    assert!(changes.iter().all(|change| change["visitors"] == 1 && change["share"] == 0.001));
    assert_eq!(changes[0]["from"]["experience"], "old-0000", "those of as many visitors stand in the order of their names");
}

/// An experience may win as before, and still not in the slot that it had.
#[test]
fn an_experience_that_leaves_a_slot_did_not_lose() {
    let slots = json!({ "a": { "selector": "a" }, "b": { "selector": "b" } });
    let one = |slots: Value| {
        program(
            json!({ "a": { "selector": "a" }, "b": { "selector": "b" } }),
            json!([{ "id": "e", "type": "personalization", "slots": slots }]),
        )
    };
    let found = summary(&one(json!({ "a": { "text": "x" } })), &one(json!({ "b": { "text": "x" } })), [from("")].into_iter());
    let lost = |slot: usize, side: &str| found["slots"][slot]["changes"][0]["examples"][0][side].clone();
    assert_eq!(lost(0, "old_winner"), json!({ "experience": "e", "reason": "not_in_slot" }));
    assert_eq!(lost(1, "new_winner"), json!({ "experience": "e", "reason": "not_in_slot" }));
    assert_eq!((lost(0, "new_winner"), lost(1, "old_winner")), (Value::Null, Value::Null));
    assert_eq!(found["experiences"], json!([{ "experience": "e", "before": 1, "after": 1 }]));
    let none = program(slots, json!([]));
    let found = summary(&none, &none, [from("")].into_iter());
    assert_eq!((&found["changed"], &found["slots"][0]["visitors"]), (&json!(0), &json!(1)));
}

/// What an audience reads is told with an example, however it reads it.
#[test]
fn an_example_tells_what_the_audiences_read() {
    let slots = json!({ "s": { "selector": "p" } });
    let audience = "named || (has(geo.region) ? geo.region : geo.city).split(',', 2)[0] in ['Lyon', network.colo] \
        || language.accepted.exists(tag, tag == geo.postal_code) || page.query.x == 'y' \
        || geo.distance_km(1.0, 2.0) < 3.0 || {'a': time.hour}['a'] > 30";
    let manifest = |audience: &str| {
        let experience =
            json!({ "id": "e", "type": "personalization", "audience": audience, "slots": { "s": { "text": "x" } } });
        let audiences = json!({ "named": "device.os == 'none'" });
        let manifest = json!({ "site": { "id": "x" }, "audiences": audiences, "slots": slots, "experiences": [experience] });
        compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"))
    };
    let mut request = from("Lyon");
    request.url = "https://x.example/?x=1".to_owned();
    for (path, text) in [
        ("geo.region", "Lyon"),
        ("network.colo", "CDG"),
        ("language.accepted", "fr"),
        ("geo.postal_code", "69001"),
        ("geo.latitude", "45.5"),
        ("geo.longitude", "4.5"),
        ("time.hour", "3"),
        ("device.os", "ios"),
        ("network.tls", "TLSv1.3"),
    ] {
        request.overrides.push((path.to_owned(), text.to_owned()));
    }
    let found = summary(&manifest(audience), &manifest("false"), [request].into_iter());
    let known = found["slots"][0]["changes"][0]["examples"][0]["context"].as_object().unwrap();
    let mut paths: Vec<&str> = known.keys().map(String::as_str).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "device.os",
            "device.type",
            "geo.city",
            "geo.latitude",
            "geo.longitude",
            "geo.postal_code",
            "geo.region",
            "language.accepted",
            "network.colo",
            "page.query",
            "time.hour"
        ]
    );
}
