//! What is about to be published is told: no difference of a program to itself, and every change to a manifest by its name.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![recursion_limit = "512"]

use idoine::Program;
use idoine::compile::{Zones, compile};
use idoine::diff::Diff;
use serde_json::{Value, json};

/// One zone for all names that could be one: hundreds of manifests are compiled here.
struct Iana;

impl Zones for Iana {
    fn offset(&self, zone: &str, _: i64) -> Option<i32> {
        zone.starts_with("Europe/").then_some(3600)
    }
}

fn program(manifest: &Value) -> Program {
    compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}\n{manifest:#}"))
}

/// A manifest with something of everything.
fn manifest() -> Value {
    json!({
        "site": { "id": "shop", "hosts": ["shop.example", "www.shop.example"], "timezone": "Europe/Paris", "languages": ["fr", "en"] },
        "capture": ["pages", "scroll"],
        "exposure": { "visible": 0.25, "after_ms": 500 },
        "sources": { "social": ["chat.example"], "internal": ["pay.example"], "session": { "timeout_minutes": 20 } },
        "traits": { "plan": { "type": "string", "purpose": "personalization" }, "vip": { "type": "bool", "purpose": "marketing" },
            "tier": { "type": "string", "enum": ["a", "b"], "personal": true, "purpose": "analytics", "settle": "source", "sources": ["crm", "browser"] } },
        "events": { "Order Completed": { "purpose": "marketing", "trusted": true, "properties": {
            "revenue": { "type": "double", "required": true }, "kind": { "type": "string", "enum": ["x", "y"] }, "name": { "type": "string", "personal": true } } }, "Viewed": {} },
        "affinities": { "kind": { "half_life": "10d", "weights": { "Order Completed": { "weight": 2.5, "properties": { "kind": "x" } } }, "cap": 50, "keep": 5, "least": 2 } },
        "rfm": { "event": "Order Completed", "value": "revenue", "trusted": true },
        "lifecycle": { "new": "10d", "at_risk": "20d", "dormant": "60d", "won_back": "20d" },
        "engagement": { "half_life": "10d", "weights": { "Viewed": 3 }, "medium": 4, "high": 9 },
        "intents": { "half_life": "10m", "least": 2, "signals": { "ready": { "Viewed": [4, { "weight": 5, "properties": { "fast": true } }] } } },
        "propensities": { "buy": { "intercept": -1.5, "coefficients": { "profile.count('Viewed', '7d')": 0.5, "profile.sum('Order Completed', 'revenue')": 0.25, "profile.vip": 2 } } },
        "features": { "view": { "event": "Viewed", "properties": { "size": 7 }, "adopted": 4, "left": "10d" } },
        "milestones": { "second": { "event": "Viewed", "properties": { "fast": true }, "count": 2, "lasts": "10d" }, "year": { "years": 2 } },
        "cart": { "added": "Viewed", "removed": "Viewed", "viewed": "Order Completed", "ordered": "Viewed" },
        "webhooks": { "crm": { "url": "https://crm.example/in", "events": ["Viewed", "*"], "audiences": ["french", "paying"], "purpose": "marketing" } },
        "holidays": { "feasts": ["12-25", "2026-04-05"] },
        "places": { "stores": {
            "lyon": { "name": "Lyon", "latitude": 45.76, "longitude": 4.84 },
            "lille": { "name": "Lille", "latitude": 50.63, "longitude": 3.06 },
        } },
        "audiences": { "french": "language.primary == 'fr'", "paying": "profile.plan == 'pro' && french" },
        "slots": {
            "hero": { "selector": "h1", "pages": ["/", "/sale/*"] },
            "lead": { "selector": "p.lead" },
            "facts": { "type": "data" },
        },
        "goals": { "purchase": { "event": "Order Completed" } },
        "layers": { "checkout": { "unit": "user" } },
        "groups": { "sales": { "max": 2, "cap": { "day": 3 } }, "tests": { "max": 3 } },
        "experiences": [
            { "id": "sale", "type": "personalization", "audience": "paying", "priority": 30, "holdout": 0.1, "groups": ["sales"],
              "schedule": { "from": "2026-11-20", "until": "2026-12-01T12:00" }, "pages": ["/sale/*"],
              "slots": { "hero": { "text": "Sale, {{ geo.city | \"you\" }}" }, "facts": { "json": { "off": 20 } } } },
            { "id": "test", "type": "experiment", "priority": 20, "traffic": 0.5, "weights": [1, 2, 1], "sticky": true, "groups": ["tests"], "goal": "purchase",
              "layer": { "name": "checkout", "from": 0, "to": 0.5 }, "unit": "user", "cap": { "session": 2, "cooldown_minutes": 10 },
              "slots": { "lead": [{ "baseline": true }, { "html": "<b>Now</b>" }, { "attribute": { "title": "t" } }] } },
            { "id": "ramped", "type": "personalization", "priority": 25, "status": "paused", "suppresses": ["tests"], "global_cap": false,
              "traffic": { "ramp": "linear", "points": [{ "at": "2026-11-20", "share": 0.1 }, { "at": "2026-11-27", "share": 1 }] },
              "requires": [{ "experience": "test", "variants": [1] }], "slots": { "hero": { "hide": true } } },
            { "id": "many", "type": "experiment", "factors": {
                "color": { "slots": { "hero": [{ "baseline": true }, { "class": { "add": ["red"] } }] } },
                "words": { "weights": [1, 3], "slots": { "lead": [{ "baseline": true }, { "text": "More" }] } },
            } },
        ],
        "holdout": 0.05,
        "cap": { "week": 9 },
        "personas": { "Someone": { "geo.country": "FR", "device.type": "mobile" } },
    })
}

/// The paths of all values below a value.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let path = format!("{path}/{key}");
        paths(value, &path, found);
        found.push(path);
    }
}

/// Other values in the place of one.
fn others(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) if number.is_i64() => vec![json!(number.as_i64().unwrap() + 1), json!(0)],
        Value::Number(number) => vec![json!(number.as_f64().unwrap() / 2.0)],
        Value::String(text) => {
            let written: &[&str] = match text.as_str() {
                "personalization" => &["experiment", "marketing"],
                "paused" | "linear" | "user" | "string" | "bool" => &["draft", "steps", "visitor", "int"],
                text if text.starts_with("20") || text.starts_with("12-") => &["2026-11-22", "2027-01-01"],
                text if text.starts_with('/') => &["/y"],
                text if text.contains("==") => &["geo.is_eu"],
                "fr" | "en" => &["it"],
                "10d" | "20d" | "60d" | "10m" => &["12d", "40d", "12m"],
                "Viewed" => &["Order Completed"],
                "Order Completed" => &["Viewed"],
                "source" => &["first", "latest"],
                "revenue" => &["kind", "amount"],
                "french" | "paying" => &["french", "paying"],
                "double" => &["int"],
                _ => &["x", "lead"],
            };
            written.iter().filter(|other| *other != text).map(|other| json!(other)).chain([json!(format!("{text}x"))]).collect()
        }
        Value::Array(items) if items.len() > 1 => vec![items[1..].iter().cloned().collect()],
        _ => Vec::new(),
    }
}

fn remove(manifest: &mut Value, path: &str) {
    let (parent, key) = path.rsplit_once('/').unwrap();
    match manifest.pointer_mut(parent).unwrap() {
        Value::Object(entries) => {
            entries.remove(&key.replace("~1", "/").replace("~0", "~"));
        }
        Value::Array(items) => {
            items.remove(key.parse().unwrap());
        }
        _ => panic!("{parent} has no inside"),
    }
}

#[test]
fn a_program_differs_from_itself_in_nothing() {
    let demo = std::fs::read_to_string("www/demo/site.jsonc").unwrap();
    for program in [program(&manifest()), compile(&demo, &Iana).unwrap(), program(&json!({ "site": { "id": "empty" } }))] {
        let diff = Diff::of(&program, &program);
        assert!(diff.is_empty(), "{diff:#?}");
        assert_eq!(diff.text(), "nothing\n");
    }
}

#[test]
fn every_change_of_one_value_is_named() {
    let base = manifest();
    let old = program(&base);
    let mut all = Vec::new();
    paths(&base, "", &mut all);
    let (mut same, mut named) = (0, 0);
    for path in &all {
        let mut changed: Vec<Value> = others(base.pointer(path).unwrap())
            .into_iter()
            .map(|other| {
                let mut changed = base.clone();
                *changed.pointer_mut(path).unwrap() = other;
                changed
            })
            .collect();
        let mut without = base.clone();
        remove(&mut without, path);
        changed.push(without);
        for changed in changed {
            let Ok(new) = compile(&changed.to_string(), &Iana) else { continue };
            let diff = Diff::of(&old, &new);
            if old.version() == new.version() {
                assert!(diff.is_empty(), "{path}: {}", diff.text());
                same += 1;
                continue;
            }
            assert!(!diff.is_empty() && !diff.only_order, "{path} is not named: {changed:#}");
            named += 1;
            let back = Diff::of(&new, &old);
            assert_eq!(diff.kinds.keys().collect::<Vec<_>>(), back.kinds.keys().collect::<Vec<_>>(), "{path}");
            // Where the manifest has the change, there the difference is told.
            let mut steps = path.split('/').skip(1);
            let (section, name) = (steps.next().unwrap(), steps.next());
            let told = match (section, name) {
                // Of two that change places either may be the one that moved.
                ("experiences", Some(_)) if path.ends_with("/priority") => {
                    diff.kinds["experiences"].changed.values().flatten().any(|change| change.property == "priority")
                }
                ("experiences", Some(index)) => {
                    let id = base["experiences"][index.parse::<usize>().unwrap()]["id"].as_str().unwrap();
                    let kind = &diff.kinds["experiences"];
                    kind.changed.contains_key(id) || kind.removed.iter().any(|removed| removed == id)
                }
                ("audiences" | "slots" | "groups" | "personas", Some(name)) => {
                    let kind = &diff.kinds[section];
                    kind.changed.contains_key(name) || kind.removed.iter().any(|removed| removed == name)
                }
                ("holidays" | "places", Some(_)) => diff.kinds.contains_key(section),
                ("traits", Some(_)) => diff.kinds.contains_key("fields") || diff.kinds.contains_key("traits"),
                ("events" | "affinities" | "propensities" | "features" | "milestones" | "webhooks", Some(name)) => {
                    let name = name.replace("~1", "/");
                    let kind = &diff.kinds[section];
                    kind.changed.contains_key(&name) || kind.removed.contains(&name)
                }
                ("rfm" | "lifecycle" | "engagement" | "cart", _) => {
                    let kind = &diff.kinds["learning"];
                    kind.changed.contains_key(section) || kind.removed.iter().any(|removed| removed == section)
                }
                ("intents", _) => diff.kinds.contains_key("intents") || diff.kinds.contains_key("learning"),
                ("capture" | "exposure", _) => !diff.site.is_empty(),
                ("site" | "sources" | "holdout" | "cap", _) => !diff.site.is_empty() || !diff.kinds.is_empty(),
                _ => true,
            };
            assert!(told, "{path}: {}", diff.text());
        }
    }
    assert!(named > 120, "only {named} changes were compiled");
    assert!(same > 0, "goals are in no program, so some changes are none");
}

#[test]
fn a_difference_is_told_to_people() {
    let base = manifest();
    let mut changed = base.clone();
    changed["audiences"]["french"] = json!("language.primary == 'it'");
    changed["audiences"]["new"] = json!("geo.is_eu");
    changed["holdout"] = json!(0.125);
    changed["experiences"][0]["slots"]["hero"]["text"] = json!("Bargains");
    changed["experiences"][2]["status"] = json!("running");
    changed["experiences"][2]["priority"] = json!(40);
    changed["experiences"].as_array_mut().unwrap().remove(3);
    changed["slots"]["lead"]["selector"] = json!("p.intro");
    let diff = Diff::of(&program(&base), &program(&changed));
    let expected = "\
~ site: holdout: 5% -> 12.5%
+ audience new
~ audience french
    expression: language.primary == 'fr' -> language.primary == 'it'
- experience many
~ experience ramped
    status: paused -> running
    priority: behind sale -> first
~ experience sale
    content of hero: text \"Sale, {{ geo.city | \\\"you\\\" }}\" -> text \"Bargains\"
~ slot lead
    selector: p.lead -> p.intro
";
    assert_eq!(diff.text(), expected);
    let data = serde_json::to_value(&diff).unwrap();
    assert_eq!(data["experiences"]["removed"], json!(["many"]));
    assert_eq!(data["site"], json!([{ "property": "holdout", "from": "5%", "to": "12.5%" }]));
    assert_eq!(data["audiences"]["added"], json!(["new"]));
    assert!(data.get("only_order").is_none() && data.get("groups").is_none());
}

#[test]
fn another_order_alone_is_told_as_that() {
    let base = manifest();
    let mut changed = base.clone();
    let audiences = changed["audiences"].as_object().unwrap().clone();
    changed["audiences"] = audiences.into_iter().rev().collect();
    let diff = Diff::of(&program(&base), &program(&changed));
    assert!(diff.only_order && !diff.is_empty(), "{diff:#?}");
    assert_eq!(diff.text(), "the same in another order, or with tables of another compiler\n");
}

#[test]
fn of_long_texts_the_place_that_differs_is_shown() {
    let long = "word ".repeat(100);
    let mut base = manifest();
    base["experiences"][0]["slots"]["hero"]["text"] = json!(format!("{long}one{long}"));
    let mut changed = base.clone();
    changed["experiences"][0]["slots"]["hero"]["text"] = json!(format!("{long}two{long}"));
    let text = Diff::of(&program(&base), &program(&changed)).text();
    assert!(text.contains("one") && text.contains("two") && text.len() < 600, "{text}");
}
