//! Explanations: what each clause of an audience is, and what would have to change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod support;

use idoine::compile::compile;
use idoine::report::{explanation, explanation_text};
use idoine::visitor::Visitor;
use idoine::{Context, Program};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use std::cell::Cell;
use support::Iana;

/// A site with one slot, whose one experience has that audience.
fn site(audience: &str) -> Program {
    with_audiences(audience, &json!({}))
}

fn with_audiences(audience: &str, audiences: &Value) -> Program {
    let manifest = json!({
        "site": { "id": "explained" },
        "traits": { "plan": { "type": "string", "purpose": "personalization" }, "score": { "type": "int", "purpose": "personalization" } },
        "audiences": audiences,
        "slots": { "hero": { "selector": "h1" } },
        "experiences": [{ "id": "one", "type": "personalization", "audience": audience, "slots": { "hero": { "text": "Hello" } } }],
    });
    program(&manifest)
}

fn program(manifest: &Value) -> Program {
    compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{manifest:#}: {errors:#?}"))
}

fn context(program: &Program, values: &Value) -> Context {
    let visitor = json!({ "url": "https://shop.example/?size=m&size=l", "now": "2026-11-20T12:30:00Z", "context": values });
    let visitor: Visitor = serde_json::from_value(visitor).unwrap();
    Context::derive(program, &visitor.request(0, support::offsets))
}

/// The explanation as JSON and as text.
fn explained(program: &Program, values: &Value) -> (Value, String) {
    let context = context(program, values);
    let explained = idoine::explain(program, &context);
    let edits = idoine::edits(program, &context, &explained.decisions);
    let report = explanation(program, &context, &explained, &edits);
    (serde_json::to_value(&report).unwrap(), explanation_text(&report))
}

fn why_not(program: &Program, values: &Value, experience: u32) -> (Value, String) {
    let found = idoine::why_not(program, &context(program, values), experience).unwrap();
    let report = idoine::report::why_not(program, &found);
    (serde_json::to_value(&report).unwrap(), idoine::report::why_not_text(&report))
}

#[test]
fn every_clause_has_its_value_and_what_it_reads() {
    let audiences = json!({ "vip": "profile.plan == 'gold' || profile.score >= 80", "unused": "true" });
    let program = with_audiences("geo.country in ['FR', 'BE'] && vip && !(device.type == 'mobile' && geo.is_eu)", &audiences);
    let (json, text) =
        explained(&program, &json!({ "geo.country": "DE", "geo.is_eu": true, "device.type": "mobile", "profile.score": 12 }));
    let expected = json!({
        "experience": "one",
        "reason": "audience",
        "audience": {
            "text": "geo.country in ['FR', 'BE'] && vip && !(device.type == 'mobile' && geo.is_eu)", "value": "false", "join": "all",
            "parts": [
                { "text": "geo.country in ['FR', 'BE']", "value": "false", "fields": [{ "field": "geo.country", "value": "DE" }] },
                { "text": "vip", "value": "denied", "join": "audience", "parts": [
                    { "text": "profile.plan == 'gold' || profile.score >= 80", "value": "denied", "join": "any", "parts": [
                        { "text": "profile.plan == 'gold'", "value": "denied", "fields": [{ "field": "profile.plan", "value": null, "needs": "personalization" }] },
                        { "text": "profile.score >= 80", "value": "denied", "fields": [{ "field": "profile.score", "value": null, "needs": "personalization" }] },
                    ] },
                ] },
                { "text": "!(device.type == 'mobile' && geo.is_eu)", "value": "false", "join": "not", "parts": [
                    { "text": "device.type == 'mobile' && geo.is_eu", "value": "true", "join": "all", "parts": [
                        { "text": "device.type == 'mobile'", "value": "true", "fields": [{ "field": "device.type", "value": "mobile" }] },
                        { "text": "geo.is_eu", "value": "true", "fields": [{ "field": "geo.is_eu", "value": true }] },
                    ] },
                ] },
            ],
        },
    });
    assert_eq!(json["experiences"], json!([expected]), "{:#}", json["experiences"]);
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "slot  experience  reason",
        "hero  one         audience",
        "",
        "one: audience",
        "  false    all of",
        "  false      geo.country in ['FR', 'BE']  (geo.country is 'DE')",
        "  denied     vip",
        "  denied       one of",
        "  denied         profile.plan == 'gold'  (profile.plan needs consent for personalization)",
        "  denied         profile.score >= 80  (profile.score needs consent for personalization)",
        "  false      not",
        "  true         all of",
        "  true           device.type == 'mobile'  (device.type is 'mobile')",
        "  true           geo.is_eu  (geo.is_eu is true)",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn clauses_say_what_failed_what_a_key_is_and_which_result_is_chosen() {
    let program = site(
        "page.query.size == 'l' ? 10 / (time.hour - time.hour) > 1 : has(page.query.color) || language.accepted.exists(x, x == geo.city)",
    );
    let (json, text) = explained(&program, &json!({ "geo.timezone": "Europe/Paris", "language.accepted": "fr,en" }));
    let audience = &json["experiences"][0]["audience"];
    assert_eq!((&audience["join"], &audience["value"]), (&json!("if"), &json!("unknown")), "{audience:#}");
    assert_eq!(audience["parts"][0]["fields"], json!([{ "field": "page.query.size", "value": "m" }]));
    assert_eq!(audience["parts"][1]["error"], "division by zero");
    assert_eq!(audience["parts"][1]["fields"], json!([{ "field": "time.hour", "value": 13 }]));
    let otherwise = &audience["parts"][2]["parts"];
    assert_eq!(otherwise[0]["fields"], json!([{ "field": "page.query.color", "value": null }]));
    let read = json!([{ "field": "language.accepted", "value": ["fr", "en"] }, { "field": "geo.city", "value": null }]);
    assert_eq!(otherwise[1]["fields"], read);
    for line in [
        "  unknown  by a condition",
        "  false      if page.query.size == 'l'  (page.query.size is 'm')",
        "  unknown    then 10 / (time.hour - time.hour) > 1  (time.hour is 13, division by zero)",
        "  unknown    else one of",
        "  unknown      language.accepted.exists(x, x == geo.city)  (language.accepted is ['fr', 'en'], geo.city is not known)",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[test]
fn what_is_cut_is_said() {
    let many: Vec<String> = (0..400).map(|number| format!("network.asn == {number}")).collect();
    let (json, text) = explained(&site(&many.join(" || ")), &json!({ "network.asn": 1000 }));
    let audience = &json["experiences"][0]["audience"];
    assert_eq!(audience["parts"].as_array().unwrap().len(), 249);
    assert_eq!(audience["left_out"], 151);
    assert!(text.ends_with("(151 more parts are not shown)\n"), "{text}");
    let shown = audience["text"].as_str().unwrap();
    assert!(shown.len() == 1003 && shown.ends_with("..."), "{shown}");
    // Deep rather than wide.
    let deep = (0..25).fold("geo.is_eu".to_owned(), |inner, number| format!("!(network.asn == {number} && {inner})"));
    let (json, _) = explained(&site(&deep), &json!({}));
    let mut clause = &json["experiences"][0]["audience"];
    let mut depth = 0;
    while let Some(last) = clause["parts"].as_array().and_then(|parts| parts.last()) {
        clause = last;
        depth += 1;
    }
    assert_eq!((depth, &clause["left_out"]), (24, &json!(1)), "{clause}");
}

/// A site with steps before and behind the audience.
fn steps() -> Program {
    program(&json!({
        "site": { "id": "stepwise" }, "holdout": 0.5,
        "slots": {
            "hero": { "selector": "h1", "pages": ["/", { "host": "shop.example", "path": "/sale", "query": { "size": "m*" } }] },
            "foot": { "selector": "footer", "pages": ["/foot"] },
        },
        "experiences": [
            { "id": "elsewhere", "type": "personalization", "pages": ["/a", "/b"], "slots": { "foot": { "text": "x" } } },
            { "id": "later", "type": "personalization", "schedule": { "from": "2026-12-01T00:00:00Z" }, "slots": { "hero": { "text": "x" } } },
            { "id": "over", "type": "personalization", "schedule": { "until": "2026-11-01T00:00:00Z" }, "slots": { "hero": { "text": "x" } } },
            { "id": "named", "type": "personalization", "slots": { "hero": { "text": "Hello {{ geo.city }} {{ source.campaign }} {{ geo.city }}" } } },
            { "id": "drawn", "type": "personalization", "priority": -1, "traffic": 0.25, "holdout": 0.1, "slots": { "hero": { "text": "x" } } },
            { "id": "winner", "type": "personalization", "priority": 2, "audience": "geo.country == 'FR'", "slots": { "hero": { "text": "x" } } },
        ],
    }))
}

#[test]
fn each_step_says_what_it_looked_at() {
    let program = steps();
    let step = |values: &Value, experience: &str| {
        let (json, text) = explained(&program, values);
        let found = json["experiences"].as_array().unwrap().iter().find(|one| one["experience"] == experience).unwrap();
        let section = text.lines().find(|line| line.starts_with(&format!("{experience}: "))).unwrap_or_default();
        (found["reason"].clone(), found["step"].clone(), section.to_owned())
    };
    let nobody = json!({});
    let pages = json!({ "pages": ["/a", "/b"], "slots": [{ "slot": "foot", "pages": ["/foot"] }] });
    assert_eq!(step(&nobody, "elsewhere"), (json!("page"), pages, String::new()));
    let section = "later: schedule: from 2026-12-01T00:00:00Z (now it is 2026-11-20T12:30:00Z)".to_owned();
    assert_eq!(step(&nobody, "later"), (json!("schedule"), json!({ "from": "2026-12-01T00:00:00Z", "until": null }), section));
    let section = "over: schedule: until 2026-11-01T00:00:00Z (now it is 2026-11-20T12:30:00Z)".to_owned();
    assert_eq!(step(&nobody, "over"), (json!("schedule"), json!({ "from": null, "until": "2026-11-01T00:00:00Z" }), section));
    let missing = json!({ "missing": [{ "field": "geo.city", "value": null }, { "field": "source.campaign", "value": null }] });
    let section = "named: unknown: geo.city is not known, source.campaign is not known".to_owned();
    assert_eq!(step(&nobody, "named"), (json!("unknown"), missing, section));
    // The draws, with the buckets that decide.
    let mut seen = Vec::new();
    for number in 0..100 {
        let id = format!("visitor-{number:04}");
        let known = json!({ "visitor.id": id, "consent.personalization": true });
        let (reason, step, section) = step(&known, "drawn");
        if reason == "match" {
            assert_eq!((step, section), (Value::Null, String::new()));
            continue;
        }
        let (bucket, share) = (step["bucket"].as_f64().unwrap(), step["share"].as_f64().unwrap());
        let (expected, inside) = match reason.as_str().unwrap() {
            "holdout" => (0.5, true),
            "experience_holdout" => (0.1, true),
            "traffic" => (0.25, false),
            other => panic!("{other}"),
        };
        assert_eq!((share, bucket < share), (expected, inside), "{step}");
        assert_eq!(
            section,
            format!("drawn: {}: the visitor's bucket is {bucket}, the share {share}", reason.as_str().unwrap())
        );
        if !seen.contains(&reason) {
            seen.push(reason);
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[test]
fn why_not_names_every_step() {
    let program = steps();
    let number = |id: &str| (0..program.experience_count() as u32).find(|index| program.experience_id(*index) == id).unwrap();
    let texts = |values: &Value, id: &str| -> Vec<String> {
        let (json, _) = why_not(&program, values, number(id));
        let changes = json["changes"].as_array().unwrap();
        changes
            .iter()
            .map(|change| format!("{}: {}", change["step"].as_str().unwrap(), change["text"].as_str().unwrap()))
            .collect()
    };
    let nobody = json!({ "geo.country": "FR" });
    assert_eq!(
        texts(&nobody, "elsewhere"),
        ["page: the page is shop.example/; it is for /a or /b; its slots are foot on /foot"]
    );
    let taken = "slot_taken: winner has the slot hero and is decided before this one: winner would have to lose, or this one would need a higher priority";
    assert_eq!(texts(&nobody, "later"), ["schedule: it begins at 2026-12-01T00:00:00Z; now it is 2026-11-20T12:30:00Z", taken]);
    assert_eq!(
        texts(&nobody, "over"),
        ["schedule: it was over at 2026-11-01T00:00:00Z; now it is 2026-11-20T12:30:00Z", taken]
    );
    assert_eq!(
        texts(&nobody, "named"),
        [
            "unknown: geo.city is not known; its content needs it",
            "unknown: source.campaign is not known; its content needs it",
            taken
        ]
    );
    let (json, text) = why_not(&program, &nobody, number("winner"));
    assert_eq!(json, json!({ "experience": "winner", "won": true, "reason": "match", "changes": [] }));
    assert_eq!(text, "winner won: match. Nothing would have to change.\n");
    // In both holdouts and outside the traffic at once: all are said.
    let all = (0..2000).find_map(|number: u32| {
        let values = json!({ "visitor.id": format!("visitor-{number:04}"), "consent.personalization": true });
        Some(texts(&values, "drawn")).filter(|texts| texts.len() == 3)
    });
    let all = all.expect("a visitor in both holdouts and outside the traffic");
    for (text, start) in all.iter().zip([
        "holdout: the site's holdout would have to be at most 0.",
        "experience_holdout: its holdout would have to be at most 0.",
        "traffic: its traffic would have to be above 0.",
    ]) {
        assert!(text.starts_with(start), "{text}");
        let share = text.split("; it is ").nth(1).unwrap().split(' ').next().unwrap();
        assert!(["0.5", "0.1", "0.25"].contains(&share), "{text}");
    }
    assert!(idoine::why_not(&program, &context(&program, &nobody), 100).is_none());
}

/// What each clause would have to be, in words.
#[test]
fn why_not_says_what_each_clause_would_have_to_be() {
    let words = |audience: &str, values: Value| -> Vec<String> {
        let (json, _) = why_not(&site(audience), &values, 0);
        json["changes"].as_array().unwrap().iter().map(|change| change["text"].as_str().unwrap().to_owned()).collect()
    };
    let visitor = || json!({ "geo.country": "DE", "geo.is_eu": true, "device.os_version": "16.1", "network.asn": 12, "geo.latitude": 52.52, "geo.longitude": 13.4, "language.accepted": "de,en", "network.ip": "192.0.2.7" });
    for (audience, expected) in [
        ("geo.country in ['FR', 'BE']", "geo.country is 'DE'; it would have to be 'FR' or 'BE'"),
        ("network.asn in [1, 2, 3]", "network.asn is 12; it would have to be 1, 2 or 3"),
        ("geo.country != 'DE'", "geo.country is 'DE'; it would have to be anything but 'DE'"),
        ("!geo.is_eu", "geo.is_eu is true; it would have to be false"),
        ("geo.city == 'Lyon'", "geo.city is not known; it would have to be 'Lyon'"),
        ("has(geo.city)", "geo.city is not known; it would have to be known"),
        ("!has(geo.country)", "geo.country is 'DE'; it would have to be absent"),
        ("profile.plan == 'gold'", "profile.plan needs consent for personalization; it would have to be 'gold'"),
        ("network.asn > 20", "network.asn is 12; it would have to be above 20"),
        ("20 <= network.asn", "network.asn is 12; it would have to be at least 20"),
        ("!(network.asn >= 10)", "network.asn is 12; it would have to be below 10"),
        ("network.asn <= 10", "network.asn is 12; it would have to be at most 10"),
        (
            "version(device.os_version) >= version('17')",
            "version(device.os_version) is version('16.1'); it would have to be at least version('17')",
        ),
        (
            "version(device.browser_version) >= version('17')",
            "device.browser_version is not known; version(device.browser_version) would have to be at least version('17')",
        ),
        ("'fr' in language.accepted", "language.accepted is ['de', 'en']; it would have to contain 'fr'"),
        ("page.path.startsWith('/sale')", "page.path is '/'; it would have to start with '/sale'"),
        ("page.path.glob('/products/*')", "page.path is '/'; it would have to match '/products/*'"),
        ("!page.url.contains('shop')", "page.url is 'https://shop.example/?size=m&size=l'; it would have to be without 'shop'"),
        ("page.query.size == 'xl'", "page.query.size is 'm'; it would have to be 'xl'"),
        ("has(page.query.color)", "page.query.color is not known; it would have to be known"),
        ("geo.distance_km(52.52, 13.4) > 5.0", "geo.distance_km(52.52, 13.4) is 0.0; it would have to be above 5.0"),
        ("cidr('10.0.0.0/8').containsIP(network.ip)", "network.ip is '192.0.2.7'; it would have to be in cidr('10.0.0.0/8')"),
        (
            "time.now > timestamp('2026-12-24T18:00:00Z')",
            "time.now is timestamp('2026-11-20T12:30:00Z'); it would have to be above timestamp('2026-12-24T18:00:00Z')",
        ),
        (
            "language.accepted.all(x, x == geo.country)",
            "language.accepted.all(x, x == geo.country) is false; it would have to be true (language.accepted is ['de', 'en'], geo.country is 'DE')",
        ),
        ("geo.is_eu && 1 > 2", "geo.is_eu && 2 < 1 is true for nobody"),
    ] {
        assert_eq!(words(audience, visitor()), [expected], "{audience}");
    }
    let many: Vec<String> = (100..125).map(|number| number.to_string()).collect();
    let named = "100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119";
    let expected = format!("network.asn is 12; it would have to be {named} or one of 5 more");
    assert_eq!(words(&format!("network.asn in [{}]", many.join(", ")), visitor()), [expected]);
    // The smallest set of clauses: of the second alternative one is true already.
    let two = "(geo.country == 'FR' && geo.city == 'Lyon') || (geo.is_eu && network.asn == 5)";
    assert_eq!(words(two, visitor()), ["network.asn is 12; it would have to be 5"]);
    let (json, text) = why_not(&site(two), &visitor(), 0);
    assert_eq!((&json["other_ways"], &json["overrides"]), (&json!(1), &json!({ "network.asn": "5" })));
    assert_eq!(
        text,
        "one lost: audience. For it to win, this would have to change:\n\n  audience  network.asn is 12; it would have to be 5\n\nThere is one other way to make its audience true.\n\nIts audience is true with these values:\n\n  network.asn=5\n"
    );
    // What would undo itself is not chosen, though it is less: Berlin and Lyon are not both.
    let (json, _) = why_not(
        &site("geo.city == 'Lyon' && (geo.city == 'Berlin' || network.asn == 5)"),
        &json!({ "geo.city": "Berlin", "network.asn": 12 }),
        0,
    );
    assert_eq!(json["overrides"], json!({ "geo.city": "Lyon", "network.asn": "5" }), "{json:#}");
    // And what nobody can be is said.
    let (json, text) = why_not(&site("geo.city == 'Lyon' && geo.city == 'Berlin'"), &json!({}), 0);
    assert_eq!((json["changes"].as_array().unwrap().len(), &json["overrides"]), (2, &Value::Null));
    assert!(text.ends_with("\nNo values were found with which its audience is true.\n"), "{text}");
}

/// Who is in the way with what its audience asks for, not who is at the moment.
#[test]
fn why_not_looks_at_the_slots_as_they_would_be() {
    let program = program(&json!({
        "site": { "id": "slots" },
        "slots": { "hero": { "selector": "h1" } },
        "experiences": [
            { "id": "french", "type": "personalization", "priority": 3, "audience": "geo.country == 'FR'", "slots": { "hero": { "text": "x" } } },
            { "id": "german", "type": "personalization", "priority": 2, "audience": "geo.country == 'DE'", "slots": { "hero": { "text": "x" } } },
            { "id": "european", "type": "personalization", "priority": 1, "audience": "geo.country in ['DE', 'FR'] && geo.is_eu", "slots": { "hero": { "text": "x" } } },
        ],
    }));
    let (json, _) = why_not(&program, &json!({ "geo.country": "FR", "geo.is_eu": true }), 1);
    let changes: Vec<_> = json["changes"].as_array().unwrap().iter().map(|change| (&change["step"], &change["by"])).collect();
    assert_eq!(changes, [(&json!("audience"), &Value::Null)]);
    let (json, _) = why_not(&program, &json!({ "geo.country": "FR", "geo.is_eu": true }), 2);
    let changes: Vec<_> = json["changes"].as_array().unwrap().iter().map(|change| (&change["step"], &change["by"])).collect();
    assert_eq!(changes, [(&json!("slot_taken"), &json!("french"))]);
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
    (text(), text(), number(), number(), text(), prop::option::of(any::<bool>()), any::<bool>(), text()).prop_map(
        |(country, city, asn, hour, accepted, eu, consent, plan)| {
            json!({ "geo.country": country, "geo.city": city, "network.asn": asn, "time.hour": hour, "language.accepted": accepted,
                "geo.is_eu": eu, "consent.personalization": consent, "profile.plan": plan })
        },
    )
}

/// With the values that are named the audience is true, and where a field would have to be one of some it is one of those.
#[test]
fn what_why_not_says_makes_the_audience_true() {
    let seen = [(); 3].map(|()| Cell::new(0));
    let count = |index: usize| seen[index].set(seen[index].get() + 1);
    let config = ProptestConfig { cases: 1000, source_file: Some(file!()), ..ProptestConfig::default() };
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
