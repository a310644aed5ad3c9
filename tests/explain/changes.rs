//! What would have to change: that the clauses that are told and the values that are named belong together.

use super::{explained, german, site, why_not, with_audiences};
use idoine::context::FIELDS;
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

/// Only what follows from a change is told with it, of whichever list it is.
#[test]
fn what_does_not_follow_from_a_change_is_not_told() {
    let place = |latitude: i32| json!({ "here": { "latitude": latitude, "longitude": 2 } });
    let answers = ["warm".to_owned(), "dry".to_owned()].into_iter().chain((0..30).map(|number| format!("f{number}")));
    let weather: Value = answers.map(|name| (name.clone(), json!({ "type": "bool", "path": name }))).collect();
    let follows = |audience: &str| {
        let program = super::program(&json!({
            "site": { "id": "follows" },
            "holidays": { "a": ["12-24"], "b": ["12-25"] },
            "places": { "a": place(10), "b": place(20) },
            "enrichments": {
                "weather": { "url": "https://weather.example/{{ geo.country | \"FR\" }}", "fields": weather },
                "tides": { "url": "https://tides.example/{{ geo.city }}geo.region{{ geo.city }}", "fields": { "low": { "type": "bool", "path": "low" } } },
            },
            "slots": { "hero": { "selector": "h1" } },
            "experiences": [{ "id": "one", "type": "personalization", "audience": audience, "slots": { "hero": { "text": "x" } } }],
        }));
        let values = json!({ "geo.city": "Lyon", "geo.latitude": 45.0, "geo.longitude": 2.0, "time.date": "2026-12-24",
            "enrichment.weather.warm": true, "enrichment.weather.dry": true, "enrichment.tides.low": true });
        why_not(&program, &values, 0).0["overrides"].clone()
    };
    for (audience, overrides) in [
        ("consent.analytics && geo.city == 'Lyon'", json!({ "consent.analytics": "true" })),
        ("consent.analytics && !has(visitor.returning)", json!({ "consent.analytics": "true" })),
        ("time.date == '2027-01-01' && geo.city == 'Lyon'", json!({ "time.date": "2027-01-01" })),
        ("time.date == '2027-01-01' && !holidays.b", json!({ "time.date": "2027-01-01", "holidays.b": "false" })),
        ("geo.latitude > 50.0 && enrichment.weather.warm", json!({ "geo.latitude": "51" })),
        ("geo.country == 'FR' && enrichment.weather.dry", json!({ "geo.country": "FR", "enrichment.weather.dry": "true" })),
        ("geo.country == 'FR' && enrichment.tides.low", json!({ "geo.country": "FR" })),
        ("geo.city == 'Nice' && enrichment.tides.low", json!({ "geo.city": "Nice", "enrichment.tides.low": "true" })),
        ("geo.country == 'FR' && places.a.nearest == 'here'", json!({ "geo.country": "FR" })),
        ("geo.latitude > 50.0 && places.a.nearest == 'here'", json!({ "geo.latitude": "51", "places.a.nearest": "here" })),
    ] {
        assert_eq!(follows(audience), overrides, "{audience}");
    }
    // Nor from one whose number a text has that is part of the URL.
    let fixed = FIELDS.iter().map(|field| field.path.to_owned()).filter(|path| path != "geo.city");
    for path in fixed.chain((0..30).map(|number| format!("enrichment.weather.f{number}"))) {
        let overrides = follows(&format!("has({path}) && enrichment.tides.low"));
        assert_eq!(overrides["enrichment.tides.low"], Value::Null, "{overrides}");
    }
}

#[test]
fn a_field_is_rather_another_than_absent_however_that_is_written() {
    for audience in ["!has(geo.country) || geo.country != 'DE'", "!(has(geo.country) && geo.country == 'DE')"] {
        assert_eq!(changed(audience, &german()).1, json!({ "geo.country": "FR" }), "{audience}");
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

/// What holds for another clause as well is looked for where it stands, and what contradicts itself is no way.
#[test]
fn ways_are_put_together_clause_by_clause() {
    let german = german();
    let one = |audience: &str| why_not(&site(audience), &german, 0).0;
    // The same twice is one clause, not two that contradict each other.
    let json = one("geo.country == 'FR' && (geo.country == 'FR' || network.asn == 5)");
    assert_eq!((&json["overrides"], &json["other_ways"]), (&json!({ "geo.country": "FR" }), &json!(1)), "{json:#}");
    // One contradiction is enough.
    let json = one("!geo.is_eu && ((geo.is_eu && network.asn == 5) || network.asn == 6)");
    assert_eq!((&json["overrides"], &json["other_ways"]), (&json!({ "geo.is_eu": "false", "network.asn": "6" }), &Value::Null));
    // That something is known is no worse than another value.
    assert_eq!(one("has(geo.city) || geo.region == 'Hamburg'")["overrides"], json!({ "geo.city": "x" }));
    // A value that can be written is taken before one that can't, and a way with values before a shorter one without.
    assert_eq!(one("geo.city in ['', 'Lyon']")["overrides"], json!({ "geo.city": "Lyon" }));
    let (texts, overrides) = changed(
        "(consent.personalization && !has(visitor.returning)) || (geo.country == 'FR' && geo.city == 'Lyon')",
        &json!({}),
    );
    assert_eq!((texts.len(), overrides), (2, json!({ "geo.city": "Lyon", "geo.country": "FR" })));
    // What the others ask of a field is tried for all of them.
    let audience = "geo.city.contains('x') && geo.city != 'x' && geo.city.contains('xy')";
    assert_eq!(one(audience)["overrides"], json!({ "geo.city": "xy" }));
    // A value that changes again is named once.
    let audience = "'fr' in language.accepted && 'it' in language.accepted && !('en' in language.accepted)";
    let (_, text) = why_not(&site(audience), &german, 0);
    assert!(text.ends_with("with these values:\n\n  language.accepted=de,fr,it\n"), "{text}");
}

#[test]
fn what_is_looked_at_has_an_end() {
    let joined = |count: usize, by: &str, clause: &dyn Fn(usize) -> String| (0..count).map(clause).collect::<Vec<_>>().join(by);
    let count = |json: &Value| json["changes"].as_array().unwrap().len();
    // The ways that are kept: of forty 32, and no more of four to the power of twelve.
    let (json, _) = why_not(&site(&joined(40, " || ", &|n| format!("network.asn == {n}"))), &json!({}), 0);
    assert_eq!((count(&json), &json["other_ways"]), (1, &json!(31)));
    let four = |n: usize| format!("({})", joined(4, " || ", &|m| format!("page.query.k{n} == '{m}'")));
    let (json, _) = why_not(&site(&joined(12, " && ", &four)), &json!({}), 0);
    assert_eq!((count(&json), &json["other_ways"]), (12, &json!(31)));
    // The changes for which values are tried.
    let keys = |count: usize| site(&joined(count, " && ", &|n| format!("page.query.k{n} == 'x'")));
    assert_eq!(why_not(&keys(64), &json!({}), 0).0["overrides"]["page.query"].as_str().unwrap().matches("=x").count(), 64);
    let (json, _) = why_not(&keys(65), &json!({}), 0);
    assert_eq!((count(&json), &json["overrides"]), (65, &Value::Null));
    // The values of a list that are tried.
    let list = |end: usize| {
        let texts = joined(21, ", ", &|n| format!("'a{n}'"));
        changed(&format!("geo.city in [{texts}] && geo.city.endsWith('{end}')"), &json!({})).1
    };
    assert_eq!((list(19), list(20)), (json!({ "geo.city": "a19" }), Value::Null));
    // An audience that is named again and again is looked at once.
    let again = |n: usize| format!("a{m} && (a{m} || network.asn == {n})", m = n - 1);
    let mut audiences = json!({ "a0": "geo.is_eu" });
    audiences.as_object_mut().unwrap().extend((1..14).map(|n| (format!("a{n}"), json!(again(n)))));
    assert_eq!(why_not(&with_audiences("a13", &audiences), &json!({}), 0).0["overrides"], json!({ "geo.is_eu": "true" }));
    // The clauses: what has more of them is told as one.
    let many = |count: usize| {
        let days = |n: usize| joined(1600, " || ", &|k| format!("time.day == {}", n * 1600 + k));
        let audiences: serde_json::Map<_, _> = (0..count).map(|n| (format!("b{n}"), json!(days(n)))).collect();
        let all = joined(count, " && ", &|n| format!("b{n}"));
        why_not(&with_audiences(&all, &Value::Object(audiences)), &json!({}), 0).0
    };
    let thirteen = many(13);
    assert_eq!((count(&thirteen), &thirteen["other_ways"]), (13, &json!(31)));
    let fourteen = many(14);
    let whole = "b0 && b1 && b2 && b3 && b4 && b5 && b6 && b7 && b8 && b9 && b10 && b11 && b12 && b13";
    let text = format!("{whole} is unknown; it would have to be true (time.day is not known)");
    assert_eq!((count(&fourteen), &fourteen["changes"][0]["text"]), (1, &json!(text)));
}

#[test]
fn what_is_no_plain_question_is_told_with_what_it_reads() {
    let lyon = json!({ "geo.city": "Lyon", "geo.region": "x", "network.ip": "192.0.2.0", "language.accepted": "fr" });
    let read = "(geo.city is 'Lyon', geo.region is 'x')";
    for (audience, text) in [
        ("geo.city.endsWith(geo.region)", format!("geo.city.endsWith(geo.region) is false; it would have to be true {read}")),
        ("geo.city.glob(geo.region)", format!("geo.city.glob(geo.region) is false; it would have to be true {read}")),
        ("geo.city.contains(geo.region)", format!("geo.city.contains(geo.region) is false; it would have to be true {read}")),
        (
            "cidr(geo.city + '/8').containsIP(network.ip)",
            "cidr(geo.city + '/8').containsIP(network.ip) is unknown; it would have to be true (geo.city is 'Lyon', network.ip is '192.0.2.0')".to_owned(),
        ),
        // Values of every kind.
        (
            "cidr(network.ip + '/24') == cidr('10.0.0.0/24')",
            "cidr(network.ip + '/24') is cidr('192.0.2.0/24'); it would have to be cidr('10.0.0.0/24')".to_owned(),
        ),
        (
            "{'a': geo.city, 'b': [geo.region]} == {'a': 'x'}",
            "{'a': geo.city, 'b': [geo.region]} is {'a': 'Lyon', 'b': ['x']}; it would have to be {'a': 'x'}".to_owned(),
        ),
        (
            "language.accepted == ['de']",
            "language.accepted is ['fr']; it would have to be ['de']".to_owned(),
        ),
        (
            "page.query == {'size': 'l'}",
            "page.query is {'size': 'm'}; it would have to be {'size': 'l'}".to_owned(),
        ),
        (
            "geo.latitude == double('Infinity')",
            "geo.latitude is not known; it would have to be double('Infinity')".to_owned(),
        ),
    ] {
        assert_eq!(changed(audience, &lyon), (vec![text], Value::Null), "{audience}");
    }
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

/// Ways that were left out are not taken for none.
#[test]
fn what_has_more_ways_than_are_kept_is_not_for_nobody() {
    let join =
        |count: usize, by: &str, not: &str| (0..count).map(|n| format!("{not}profile.t{n}")).collect::<Vec<_>>().join(by);
    for count in [32, 33, 34, 40] {
        let traits: Value = (0..count).map(|n| (format!("t{n}"), json!({ "type": "bool", "purpose": "analytics" }))).collect();
        let any = join(count, " || ", "");
        let told = |audience: &str| {
            let program = super::program(&json!({
                "site": { "id": "many" }, "traits": traits, "slots": { "hero": { "selector": "h1" } },
                "experiences": [{ "id": "one", "type": "personalization", "audience": audience, "slots": { "hero": { "text": "x" } } }],
            }));
            let (json, _) = why_not(&program, &json!({ "consent.analytics": true }), 0);
            let changes = json["changes"].as_array().unwrap().iter().map(|change| change["text"].as_str().unwrap().to_owned());
            (changes.collect::<Vec<_>>(), json["overrides"].clone())
        };
        let (texts, overrides) = told(&format!("({any}) && {}", join(count - 1, " && ", "!")));
        if count <= 32 {
            assert_eq!(overrides[format!("profile.t{}", count - 1)], "true");
        } else {
            assert_eq!((texts.len(), overrides), (1, Value::Null));
            assert!(texts[0].contains("is unknown; it would have to be true (profile.t0 is not known"), "{texts:?}");
        }
        // With all of them nobody is; of few that is seen.
        let (texts, _) = told(&format!("({any}) && {}", join(count, " && ", "!")));
        assert_eq!(texts[0].ends_with(" is true for nobody"), count <= 32, "{texts:?}");
    }
}
