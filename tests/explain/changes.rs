//! What would have to change: that the clauses that are told and the values that are named belong together.

use super::{explained, german, site, why_not};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::cell::Cell;

/// What would have to change, and the values that do it.
fn changed(audience: &str, values: &Value) -> (Vec<String>, Value) {
    let (json, _) = why_not(&site(audience), values, 0);
    let changes = json["changes"].as_array().unwrap();
    (changes.iter().map(|change| change["text"].as_str().unwrap().to_owned()).collect(), json["overrides"].clone())
}

#[test]
fn the_values_are_those_of_the_clauses_that_are_told() {
    // The plan is not DE and FR at once. With the consent that it needs, the other alternative is there.
    let audience = "(profile.plan == 'DE' || consent.personalization) && (geo.country == 'FR' && profile.plan == 'FR')";
    let (texts, overrides) = changed(audience, &json!({ "geo.country": null, "consent.personalization": false }));
    let expected = [
        "consent.personalization is false; it would have to be true",
        "geo.country is not known; it would have to be 'FR'",
        "profile.plan needs consent for personalization; it would have to be 'FR'",
    ];
    assert_eq!(texts, expected);
    assert_eq!(overrides, json!({ "consent.personalization": "true", "geo.country": "FR", "profile.plan": "FR" }));
    let audience = "(geo.city in ['FR', 'ES'] || geo.city in ['FR', 'BE']) && geo.city in ['BE', 'DE']";
    let (texts, overrides) = changed(audience, &json!({}));
    let expected =
        ["geo.city is not known; it would have to be 'FR' or 'BE'", "geo.city is not known; it would have to be 'BE' or 'DE'"];
    assert_eq!((&texts[..], overrides), (&expected.map(str::to_owned)[..], json!({ "geo.city": "BE" })));
}

/// Values of fields that are read anew where another one is overridden are named too, or the audience would not be true.
#[test]
fn what_follows_from_a_change_is_told_with_it() {
    // What was stored without consent was not looked at: it may be anything.
    let uncovered = "(has(profile.plan) ? 'FR' in language.accepted : consent.personalization) && !has(profile.score)";
    let expected = json!({ "consent.personalization": "true", "profile.plan": "", "profile.score": "" });
    assert_eq!(changed(uncovered, &json!({ "profile.plan": "gold" })).1, expected);
    // Nobody knows what consents do to it: the visitor returns, or not.
    assert_eq!(changed("consent.personalization && !has(visitor.returning)", &json!({})).1, Value::Null);
    let parisian = json!({ "geo.timezone": "Europe/Paris", "geo.latitude": 47.5, "geo.longitude": 2.0 });
    for (audience, overrides) in [
        ("geo.timezone == 'Asia/Tokyo' && time.hour == 13", json!({ "geo.timezone": "Asia/Tokyo", "time.hour": "13" })),
        (
            "geo.timezone == 'Asia/Tokyo' && time.date != '2026-11-21' && time.minute < 40 && geo.latitude > 0.0",
            json!({ "geo.timezone": "Asia/Tokyo", "time.date": "2026-11-20", "time.minute": "30" }),
        ),
        ("geo.timezone == 'Asia/Tokyo' && holidays.world", json!({ "geo.timezone": "Asia/Tokyo", "holidays.world": "true" })),
        ("geo.country == 'JP' && time.hour == 13", json!({ "geo.country": "JP" })),
        ("time.date == '2026-12-24' && holidays.world", json!({ "time.date": "2026-12-24", "holidays.world": "true" })),
        ("time.hour == 3 && holidays.world", json!({ "time.hour": "3" })),
        (
            "geo.latitude > 59.0 && places.stores.nearest == 'south'",
            json!({ "geo.latitude": "60", "places.stores.nearest": "south" }),
        ),
        (
            "geo.longitude > 5.0 && places.stores.distance_km > 1000.0 && time.hour == 13",
            json!({ "geo.longitude": "6", "places.stores.distance_km": "1438.8505945809047" }),
        ),
    ] {
        assert_eq!(changed(audience, &parisian).1, overrides, "{audience}");
    }
}

#[test]
fn a_field_is_rather_another_than_absent_however_that_is_written() {
    for audience in ["!has(geo.country) || geo.country != 'DE'", "!(has(geo.country) && geo.country == 'DE')"] {
        assert_eq!(changed(audience, &german()).1, json!({ "geo.country": "other" }), "{audience}");
    }
    let query = changed("!has(page.query.size) || page.query.size == 'xl'", &german());
    assert_eq!(query.1, json!({ "page.query": "size=xl" }));
}

#[test]
fn values_are_found_that_are_not_in_the_expression() {
    for accepted in [json!({}), json!({ "language.accepted": "fr" })] {
        assert_eq!(changed("!('fr' in language.accepted)", &accepted).1, json!({ "language.accepted": "other" }));
    }
    let versions = "version(device.os_version) < version('17') && device.os_version != '9'";
    assert_eq!(changed(versions, &json!({})).1, json!({ "device.os_version": "0" }));
}

/// A clause of one field that is a plain question.
fn clause() -> impl Strategy<Value = String> {
    let texts = prop::sample::select(vec!["FR", "DE", "BE"]);
    let number = 0..6i64;
    prop_oneof![
        (texts.clone(), prop::sample::select(vec!["==", "!="])).prop_map(|(text, op)| format!("geo.country {op} '{text}'")),
        (texts.clone(), texts.clone()).prop_map(|(one, other)| format!("geo.city in ['{one}', '{other}']")),
        (number.clone(), prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]))
            .prop_map(|(number, op)| format!("network.asn {op} {number}")),
        (number, prop::sample::select(vec!["<", ">"])).prop_map(|(number, op)| format!("{number} {op} time.hour")),
        texts.clone().prop_map(|text| format!("'{text}' in language.accepted")),
        texts.clone().prop_map(|text| format!("page.query.size == '{text}'")),
        texts.clone().prop_map(|text| format!("geo.region.startsWith('{text}')")),
        texts.prop_map(|text| format!("profile.plan == '{text}'")),
        Just("geo.is_eu".to_owned()),
        Just("visitor.returning".to_owned()),
        Just("has(geo.country)".to_owned()),
        Just("version(device.os_version) >= version('17')".to_owned()),
        Just("consent.personalization".to_owned()),
        // What follows from other fields, and so may change with them.
        prop::sample::select(vec!["profile.plan", "visitor.returning", "consent.personalization", "places.stores.nearest"])
            .prop_map(|path| format!("has({path})")),
        prop::sample::select(vec!["Asia/Tokyo", "Europe/Paris"]).prop_map(|zone| format!("geo.timezone == '{zone}'")),
        prop::sample::select(vec!["2026-12-25", "2026-12-26"]).prop_map(|date| format!("time.date == '{date}'")),
        prop::sample::select(vec!["north", "south"]).prop_map(|id| format!("places.stores.nearest == '{id}'")),
        prop::sample::select(vec!["<", ">"]).prop_map(|op| format!("geo.latitude {op} 48.0")),
        Just("holidays.world".to_owned()),
    ]
}

fn audience() -> impl Strategy<Value = String> {
    clause().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" && "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| format!("({})", parts.join(" || "))),
            inner.clone().prop_map(|part| format!("!({part})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
        ]
    })
}

/// What a visitor is known as.
fn values() -> impl Strategy<Value = Value> {
    let text = || prop::option::of(prop::sample::select(vec!["FR", "DE", "ES"]));
    let number = || prop::option::of(0..6i64);
    let place = prop::sample::select(vec![
        json!({}),
        json!({ "geo.timezone": "Europe/Paris", "geo.latitude": 47.0, "geo.longitude": 2.0 }),
        json!({ "geo.timezone": "Pacific/Auckland", "geo.latitude": 70.0, "geo.longitude": 20.0, "visitor.id": "visitor-0001" }),
    ]);
    (text(), text(), number(), number(), text(), prop::option::of(any::<bool>()), any::<bool>(), text(), place).prop_map(
        |(country, city, asn, hour, accepted, eu, consent, plan, place)| {
            let mut values = json!({ "geo.country": country, "geo.city": city, "network.asn": asn, "language.accepted": accepted,
                "geo.is_eu": eu, "consent.personalization": consent, "profile.plan": plan });
            let all = values.as_object_mut().unwrap();
            all.extend(hour.map(|hour| ("time.hour".to_owned(), json!(hour))));
            all.extend(place.as_object().unwrap().clone());
            values
        },
    )
}

/// With the values that are named the audience is true, and where a field would have to be one of some it is one of those.
#[test]
fn what_why_not_says_makes_the_audience_true() {
    let seen = [(); 3].map(|()| Cell::new(0));
    let count = |index: usize| seen[index].set(seen[index].get() + 1);
    let config = ProptestConfig {
        cases: ProptestConfig::default().cases.max(1000),
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let run = TestRunner::new(config).run(&(audience(), values()), |(audience, values)| {
        let program = site(&audience);
        let (json, _) = why_not(&program, &values, 0);
        if json["won"] == true {
            count(0);
            return Ok(());
        }
        let Some(overrides) = json["overrides"].as_object() else {
            count(1);
            return Ok(());
        };
        count(2);
        let mut changed = values.as_object().unwrap().clone();
        changed.extend(overrides.clone());
        let (after, _) = explained(&program, &Value::Object(changed.clone()));
        prop_assert_eq!(&after["experiences"][0]["reason"], "match", "{} for {}: {:#}", audience, values, json);
        for change in json["changes"].as_array().unwrap() {
            // What is told is what those values do, and not another way to the same.
            let (clause, _) = explained(&site(change["clause"].as_str().unwrap()), &Value::Object(changed.clone()));
            let reason = if change["wanted"] == true { "match" } else { "audience" };
            prop_assert_eq!(&clause["experiences"][0]["reason"], reason, "{} for {}: {:#}", audience, values, json);
            let must = &change["must"];
            let subject = must["subject"].as_str().unwrap_or_default();
            if must["relation"] == "is" && overrides.contains_key(subject) {
                let literal = match &overrides[subject] {
                    Value::String(text) if ["true", "false"].contains(&text.as_str()) || text.parse::<i64>().is_ok() => {
                        text.clone()
                    }
                    text => format!("'{}'", text.as_str().unwrap()),
                };
                prop_assert!(must["values"].as_array().unwrap().contains(&json!(literal)), "{literal} for {json:#}");
            }
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    let [won, without, with] = seen.map(|count| count.get());
    assert!(won >= 100 && with >= 400 && without * 5 < with, "{won} won; values were found for {with} and not for {without}");
}
