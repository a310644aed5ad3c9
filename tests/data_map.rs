//! The data map: nothing that a manifest declares is missing in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod cases;
mod support;

use idoine::compile::compile;
use idoine::data_map::{Lang, columns, data_map};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::Iana;

/// Whether there is exactly one row of that kind and name.
fn check_rows(source: &str) {
    let manifest: Value = serde_json::from_str(source).unwrap();
    let maps =
        [Lang::En, Lang::Fr].map(|lang| data_map(source, &Iana, lang).unwrap_or_else(|errors| panic!("{errors:#?}\n{source}")));
    let names =
        |section: &str| manifest[section].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let events = manifest["events"].as_object().into_iter().flatten();
    let properties = events.flat_map(|(event, plan)| {
        plan["properties"].as_object().into_iter().flatten().map(move |(path, _)| format!("{event}: {path}"))
    });
    let mut expected: Vec<(&str, String)> = properties.map(|name| ("property", name)).collect();
    for (kind, section) in [
        ("trait", "traits"),
        ("event", "events"),
        ("learned", "affinities"),
        ("learned", "features"),
        ("learned", "milestones"),
        ("learned", "propensities"),
        ("webhook", "webhooks"),
        ("enrichment", "enrichments"),
    ] {
        expected.extend(names(section).into_iter().map(|name| (kind, name)));
    }
    for (kind, name) in ["idoine_consent", "idoine_id", "idoine_p", "idoine_preview", "idoine_outbox"]
        .map(|name| ("cookie", name))
        .into_iter()
        .chain([("sink", "queue"), ("sink", "r2")])
    {
        expected.push((kind, name.to_owned()));
    }
    for map in &maps {
        for (kind, name) in &expected {
            let rows: Vec<_> = map.rows.iter().filter(|row| row.kind == *kind && row.name == *name).collect();
            assert!(!rows.is_empty(), "{kind} {name}\n{source}");
            assert!(*kind == "learned" || rows.len() == 1, "{kind} {name} has {} rows\n{source}", rows.len());
            if *kind == "trait" {
                assert_eq!(rows[0].purpose, manifest["traits"][name]["purpose"].as_str().unwrap());
                let said = &manifest["traits"][name];
                let sensitive = said["sensitive"].as_str().filter(|said| *said != "none").unwrap_or_default();
                assert_eq!(
                    (rows[0].sensitive, rows[0].personal),
                    (sensitive, said["personal"] == true || !sensitive.is_empty())
                );
            }
        }
        // No row says nothing.
        for row in &map.rows {
            assert!(![&row.name, &row.what, &row.keep].iter().any(|text| text.is_empty()) && !row.places.is_empty(), "{row:?}");
        }
    }
    let kinds = maps.each_ref().map(|map| map.rows.iter().map(|row| (row.kind, row.name.clone())).collect::<Vec<_>>());
    assert_eq!(kinds[0], kinds[1]);
    assert_eq!(columns(Lang::En).len(), columns(Lang::Fr).len());
}

#[test]
fn every_case_of_decisions_has_a_map() {
    for (_, text) in cases::DECIDE {
        let document: Value = serde_json::from_str(text).unwrap();
        check_rows(&document["manifest"].to_string());
    }
}

fn declared() -> impl Strategy<Value = Value> {
    let purposes = prop_oneof![Just("personalization"), Just("analytics"), Just("marketing")];
    let kinds = prop_oneof![Just("string"), Just("bool"), Just("int"), Just("strings"), Just("timestamp")];
    let said = prop_oneof![Just(None), Just(Some("none")), Just(Some("health")), Just(Some("children"))];
    (purposes, kinds, any::<bool>(), said).prop_map(|(purpose, kind, personal, sensitive)| {
        let mut declared = json!({ "type": kind, "purpose": purpose, "personal": personal });
        if let Some(sensitive) = sensitive {
            declared["sensitive"] = sensitive.into();
        }
        declared
    })
}

fn named(prefix: &'static str, values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec(values, 0..6).prop_map(move |values| {
        let named = values.into_iter().enumerate().map(|(number, value)| (format!("{prefix}{number}"), value));
        Value::Object(named.collect::<Map<_, _>>())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_trait_and_property_has_a_row(
        traits in named("t", declared()),
        events in named("Event ", named("p", declared().prop_map(|one| json!({ "type": one["type"], "personal": one["personal"] })))),
        affinities in named("a", Just(json!({}))),
    ) {
        let events: Map<String, Value> = events.as_object().unwrap().iter().map(|(name, of)| (name.clone(), json!({ "properties": of }))).collect();
        let source = json!({ "site": { "id": "shop" }, "traits": traits, "events": events, "affinities": affinities }).to_string();
        prop_assert!(compile(&source, &Iana).is_ok());
        check_rows(&source);
    }
}

/// The tables of a shard, and the row that tells of each. Those that only help with work that is under way tell nothing of their own.
const TABLES: [(&str, &str); 26] = [
    ("meta", ""),
    ("parts", "visits"),
    ("events", "page"),
    ("targets", "links"),
    ("links", "links"),
    ("notes", "notes"),
    ("tags", "notes"),
    ("erased", "erased"),
    ("erasures", "erased"),
    ("erasing", "erased"),
    ("exported", "r2"),
    ("receipts", "receipts"),
    ("filler", ""),
    ("consents", "consents"),
    ("told", "consents"),
    ("history", "choices"),
    ("accesses", "accesses"),
    ("consent_counts", "consent rates"),
    ("measured", "measured"),
    ("dead", "crm"),
    ("deliveries", "crm"),
    ("outbox", "queue"),
    ("sinks", ""),
    ("members", "audiences"),
    ("watch", ""),
    ("violations", "violations"),
];

#[test]
fn every_table_of_a_shard_has_a_row() {
    let sources = [
        include_str!("../worker/js/profiles/tables.js"),
        include_str!("../worker/js/profiles/outbox.js"),
        include_str!("../worker/js/profiles/deliveries.js"),
        include_str!("../worker/js/profiles/dead.js"),
        include_str!("../worker/js/profiles/watch.js"),
        include_str!("../worker/js/events/violations.js"),
    ];
    let made = sources.iter().flat_map(|source| source.split("CREATE TABLE ").skip(1));
    let mut made: Vec<&str> =
        made.map(|rest| rest.trim_start_matches("IF NOT EXISTS ").split([' ', '(']).next().unwrap()).collect();
    let mut told = TABLES.map(|(table, _)| table).to_vec();
    made.sort_unstable();
    told.sort_unstable();
    assert_eq!(made, told);
    let manifest = json!({
        "site": { "id": "shop" },
        "consent": { "mode": "measurement-exempt" },
        "audiences": { "all": "true" },
        "webhooks": { "crm": { "url": "https://crm.example/", "events": ["*"], "audiences": ["all"] } },
    });
    let map = data_map(&manifest.to_string(), &Iana, Lang::En).unwrap();
    for (table, name) in TABLES.into_iter().filter(|(_, name)| !name.is_empty()) {
        assert!(map.rows.iter().any(|row| row.name == name), "{table}: {name}");
    }
}
