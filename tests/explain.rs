//! Explanations: what each clause of an audience is, and what would have to change.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "explain/applied.rs"]
mod applied;
#[path = "explain/audiences.rs"]
mod audiences;
#[path = "explain/changes.rs"]
mod changes;
#[path = "explain/decisions.rs"]
mod decisions;
#[path = "explain/parts.rs"]
mod parts;
#[path = "explain/possible.rs"]
mod possible;
#[path = "explain/steps.rs"]
mod steps;
mod support;
#[path = "explain/supposed.rs"]
mod supposed;
#[path = "explain/wanted.rs"]
mod wanted;

use idoine::compile::compile;
use idoine::report::{explanation, explanation_text};
use idoine::visitor::Visitor;
use idoine::{Context, Program};
use serde_json::{Value, json};
use support::Iana;

/// A site with one slot, whose one experience has that audience.
fn site(audience: &str) -> Program {
    with_audiences(audience, &json!({}))
}

fn with_audiences(audience: &str, audiences: &Value) -> Program {
    let manifest = json!({
        "site": { "id": "explained" },
        "traits": { "plan": { "type": "string", "purpose": "personalization" }, "score": { "type": "int", "purpose": "personalization" }, "since": { "type": "timestamp", "purpose": "personalization" } },
        "holidays": { "world": ["12-25", "2026-11-20"] },
        "places": { "stores": { "north": { "latitude": 60, "longitude": 10 }, "south": { "latitude": 36, "longitude": 10 } } },
        "audiences": audiences,
        "slots": { "hero": { "selector": "h1" } },
        "experiences": [{ "id": "one", "type": "personalization", "audience": audience, "slots": { "hero": { "text": "Hello" } } }],
    });
    program(&manifest)
}

fn program(manifest: &Value) -> Program {
    compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{manifest:#}: {errors:#?}"))
}

fn visitor(values: &Value) -> Visitor {
    let visitor = json!({ "url": "https://shop.example/?size=m&size=l", "now": "2026-11-20T12:30:00Z", "context": values });
    serde_json::from_value(visitor).unwrap()
}

fn context(program: &Program, values: &Value) -> Context {
    derived(program, visitor(values), &[])
}

fn derived(program: &Program, mut visitor: Visitor, overrides: &[(String, String)]) -> Context {
    visitor.context.0.extend_from_slice(overrides);
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
    of_visitor(program, &visitor(values), experience).unwrap()
}

fn of_visitor(program: &Program, visitor: &Visitor, experience: u32) -> Option<(Value, String)> {
    let derive = |overrides: &[(String, String)]| derived(program, visitor.clone(), overrides);
    let found = idoine::why_not(program, &derive(&[]), experience, &derive)?;
    let report = idoine::report::why_not(program, &found);
    Some((serde_json::to_value(&report).unwrap(), idoine::report::why_not_text(&report)))
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
    let fields =
        |audience: &str, values: Value| explained(&site(audience), &values).0["experiences"][0]["audience"]["fields"].clone();
    // A key that is asked for, a list that is, and a field that is missing for no want of consent.
    assert_eq!(fields("'size' in page.query", json!({})), json!([{ "field": "page.query.size", "value": "m" }]));
    assert_eq!(
        fields("'fr' in language.accepted", json!({ "language.accepted": "en" })),
        json!([{ "field": "language.accepted", "value": ["en"] }])
    );
    assert_eq!(
        fields("language.accepted[0] == 'fr'", json!({ "language.accepted": "en" })),
        json!([{ "field": "language.accepted", "value": ["en"] }])
    );
    assert_eq!(
        fields("profile.plan == 'gold'", json!({ "consent.personalization": true })),
        json!([{ "field": "profile.plan", "value": null }])
    );
    let nested = "[geo.is_eu ? geo.city : geo.region, {'a': geo.country}['a']].exists(x, x == 'y' && has(page.query.color))";
    let read: Vec<Value> = fields(nested, json!({})).as_array().unwrap().iter().map(|one| one["field"].clone()).collect();
    assert_eq!(read, ["geo.is_eu", "geo.city", "geo.region", "geo.country", "page.query.color"]);
    assert_eq!(fields("has({'a': geo.city}.a)", json!({})), json!([{ "field": "geo.city", "value": null }]));
    let inside = with_audiences("(vip ? 'a' : 'b') == 'a'", &json!({ "vip": "geo.is_eu" }));
    let (json, _) = explained(&inside, &json!({ "geo.is_eu": true }));
    assert_eq!(json["experiences"][0]["audience"]["fields"], json!([{ "field": "geo.is_eu", "value": true }]));
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
    // A part that reads much.
    let fields = ["city", "country", "continent", "region", "region_code", "postal_code", "metro_code", "timezone"]
        .map(|name| format!("geo.{name}"));
    let more =
        ["type", "os", "os_version", "browser", "browser_version", "app", "color_scheme"].map(|name| format!("device.{name}"));
    let most = ["channel", "name", "medium", "campaign", "term", "content", "referrer_host", "click_id"]
        .map(|name| format!("source.{name}"));
    let rest = ["tag", "primary", "region", "site"].map(|name| format!("language.{name}"));
    let last = ["host", "path", "url", "hash", "referrer"].map(|name| format!("page.{name}"));
    let all: Vec<String> = [&fields[..], &more, &most, &rest, &last, &["network.ip".to_owned()]].concat();
    assert_eq!(all.len(), 33);
    let (json, _) = explained(&site(&format!("[{}].exists(x, x == 'nothing')", all.join(", "))), &json!({}));
    let read: Vec<_> = json["experiences"][0]["audience"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["field"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(read, all[..32]);
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

/// All audiences together have a limit too, and what one of them does not need is left for the others.
#[test]
fn what_is_cut_of_many_audiences_is_said() {
    let shown = |count: usize, audience: &str| {
        let experience = |number: usize| json!({ "id": format!("e{number:04}"), "type": "personalization", "audience": audience, "slots": { "hero": { "text": "x" } } });
        let manifest = json!({ "site": { "id": "many" }, "slots": { "hero": { "selector": "h1" } }, "experiences": (0..count).map(experience).collect::<Vec<_>>() });
        let (json, _) = explained(&program(&manifest), &json!({ "network.asn": 1000 }));
        let parts = |one: &Value| one["audience"]["parts"].as_array().unwrap().len();
        let experiences = json["experiences"].as_array().unwrap();
        assert_eq!(experiences.len(), count);
        experiences.iter().map(parts).collect::<Vec<_>>()
    };
    assert_eq!(shown(300, "geo.is_eu && network.asn == 1"), [2; 300]);
    // 100 clauses of each, the whole among them.
    let wide: Vec<String> = (0..99).map(|number| format!("network.asn == {number}")).collect();
    let found = shown(103, &wide.join(" || "));
    assert_eq!((&found[..100], &found[100..]), (&[99; 100][..], &[0; 3][..]));
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
    assert!(of_visitor(&program, &visitor(&nobody), 100).is_none());
}

/// A visitor that is asked what it would have to be.
fn german() -> Value {
    json!({ "geo.country": "DE", "geo.is_eu": true, "device.os_version": "16.1", "network.asn": 12, "geo.latitude": 52.52,
        "geo.longitude": 13.4, "language.accepted": "de,en", "network.ip": "192.0.2.7", "profile.plan": "silver", "geo.region": "Berlin" })
}

/// The text of each change.
fn words(audience: &str) -> Vec<String> {
    let (json, _) = why_not(&site(audience), &german(), 0);
    json["changes"].as_array().unwrap().iter().map(|change| change["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn why_not_takes_the_smallest_set_of_clauses_that_can_be() {
    let overrides = |audience: &str| why_not(&site(audience), &german(), 0).0["overrides"].clone();
    // Of the second alternative one is true already.
    let two = "(geo.country == 'FR' && geo.city == 'Lyon') || (geo.is_eu && network.asn == 5)";
    assert_eq!(words(two), ["network.asn is 12; it would have to be 5"]);
    let (json, text) = why_not(&site(two), &german(), 0);
    assert_eq!((&json["other_ways"], &json["overrides"]), (&json!(1), &json!({ "network.asn": "5" })));
    assert_eq!(
        text,
        "one lost: audience. For it to win, this would have to change:\n\n  audience  network.asn is 12; it would have to be 5\n\nThere is one other way to make its audience true.\n\nIts audience is true with these values:\n\n  network.asn=5\n"
    );
    let three = "geo.country == 'FR' || geo.country == 'BE' || geo.country == 'LU'";
    assert!(why_not(&site(three), &german(), 0).1.contains("\nThere are 2 other ways to make its audience true.\n"));
    // What would undo itself is not chosen, though it is less: Berlin and Hamburg are not both.
    assert_eq!(
        overrides("geo.region == 'Hamburg' && (geo.region == 'Berlin' || network.asn == 5)"),
        json!({ "geo.region": "Hamburg", "network.asn": "5" })
    );
    assert_eq!(overrides("!geo.is_eu && (geo.is_eu || network.asn == 5)"), json!({ "geo.is_eu": "false", "network.asn": "5" }));
    let opposed = why_not(&site("!geo.is_eu && (geo.is_eu || network.asn == 5)"), &german(), 0).0;
    assert_eq!((&opposed["other_ways"], opposed["changes"].as_array().unwrap().len()), (&Value::Null, 2), "{opposed:#}");
    // One value for all that is asked of a field.
    assert_eq!(overrides("network.asn > 30 && network.asn != 31 && network.asn < 33"), json!({ "network.asn": "32" }));
    assert_eq!(
        overrides("'fr' in language.accepted && 'it' in language.accepted && !('en' in language.accepted)"),
        json!({ "language.accepted": "de,fr,it" })
    );
    // A field is rather another than absent.
    assert_eq!(overrides("!(has(geo.country) && geo.country == 'DE')"), json!({ "geo.country": "FR" }));
    assert_eq!(
        overrides("has(geo.country) && geo.country == 'DE' ? network.asn == 7 : geo.city == 'x'"),
        json!({ "network.asn": "7" })
    );
    // What is the same for all need not change, and can't.
    assert_eq!(words("network.asn == 7 && 1 < 2"), ["network.asn is 12; it would have to be 7"]);
    assert_eq!(words("network.asn == 7 || 2 < 1"), ["network.asn is 12; it would have to be 7"]);
    // Named audiences are looked into.
    let program = with_audiences("!local", &json!({ "local": "geo.country == 'DE'" }));
    assert_eq!(why_not(&program, &german(), 0).0["overrides"], json!({ "geo.country": "FR" }));
    // Where no values are found, it is still the smallest set.
    let all = |language: &str| format!("language.accepted.all(x, x == '{language}')");
    let audience = format!("({} && {}) || {}", all("a"), all("b"), all("c"));
    let expected = "language.accepted.all(x, x == 'c') is false; it would have to be true (language.accepted is ['de', 'en'])";
    assert_eq!(words(&audience), [expected]);
    // And what nobody can be is said.
    let (json, text) = why_not(&site("geo.city == 'Lyon' && geo.city == 'Berlin'"), &json!({}), 0);
    assert_eq!((json["changes"].as_array().unwrap().len(), &json["overrides"]), (2, &Value::Null));
    let end = "\nNo values were found with which its audience is true.\n\nNot known from here:\n\n  the steps behind its audience as they would be: they are told as they are now\n";
    assert!(text.ends_with(end), "{text}");
}

/// What is read back from a program is written as people would write it.
#[test]
fn expressions_are_written_as_people_write_them() {
    let many = "[[[[1]]]].all(a, a.all(b, b.all(c, c.all(d, d < network.asn && a != [[[2]]] && b != [[2]] && c != [2]))))";
    for (source, written) in [
        ("page.query['a b'] == 'x'", "page.query['a b'] == 'x'"),
        ("page.query['a_1'] == 'x'", "page.query.a_1 == 'x'"),
        ("page.query['_1a'] == 'x'", "page.query._1a == 'x'"),
        ("page.query['1a'] == 'x'", "page.query['1a'] == 'x'"),
        ("page.query['a-b'] == 'x'", "page.query['a-b'] == 'x'"),
        ("page.query['aé'] == 'x'", "page.query['aé'] == 'x'"),
        ("page.query['b'] in ['x', \"it's\"]", "page.query.b in ['x', \"it's\"]"),
        ("5 < network.asn", "network.asn > 5"),
        ("5 <= network.asn", "network.asn >= 5"),
        ("network.asn > 5", "network.asn > 5"),
        ("!(network.asn > 5)", "!(network.asn > 5)"),
        ("!(geo.country == 'FR')", "geo.country != 'FR'"),
        ("!(geo.country != 'FR')", "!(geo.country != 'FR')"),
        ("size([1, 2]) < network.asn", "network.asn > size([1, 2])"),
        ("[1, 2].size() < time.hour", "time.hour > size([1, 2])"),
        ("size(language.accepted) < network.asn", "size(language.accepted) < network.asn"),
        ("[1, time.hour][0] < network.asn", "[1, time.hour][0] < network.asn"),
        ("[1, 2][0] < network.asn", "network.asn > [1, 2][0]"),
        ("[1, 2][time.hour] < network.asn", "[1, 2][time.hour] < network.asn"),
        ("{'a': time.hour}['a'] < network.asn", "{'a': time.hour}.a < network.asn"),
        ("{1: 2, time.hour: 3}[1] < network.asn", "{1: 2, time.hour: 3}[1] < network.asn"),
        ("{'a': 5}['a'] < network.asn", "network.asn > {'a': 5}.a"),
        ("(true ? 1 : 2) < network.asn", "network.asn > (true ? 1 : 2)"),
        ("(geo.is_eu ? 1 : 2) < network.asn", "(geo.is_eu ? 1 : 2) < network.asn"),
        ("1 + 2 < network.asn", "network.asn > 1 + 2"),
        ("1 + time.hour < network.asn", "1 + time.hour < network.asn"),
        ("1 < 2", "1 < 2"),
        ("'a'.upperAscii() < geo.city", "geo.city > 'a'.upperAscii()"),
        ("geo.city.upperAscii() < geo.region", "geo.city.upperAscii() < geo.region"),
        ("'a'.split(geo.city).size() < network.asn", "size('a'.split(geo.city)) < network.asn"),
        ("geo.is_eu && (privacy.gpc && (privacy.dnt || geo.is_eu))", "geo.is_eu && privacy.gpc && (privacy.dnt || geo.is_eu)"),
        ("language.accepted.exists(language, language.startsWith('fr'))", "language.accepted.exists(x, x.startsWith('fr'))"),
        (many, "[[[[1]]]].all(x, x.all(y, y.all(z, z.all(x3, x3 < network.asn && x != [[[2]]] && y != [[2]] && z != [2]))))"),
        ("time.now > timestamp('2026-11-20T18:00:00+01:00')", "time.now > timestamp('2026-11-20T17:00:00Z')"),
        ("time.now - time.now < duration('72h')", "time.now - time.now < duration('72h')"),
        ("time.now - time.now < duration('90m')", "time.now - time.now < duration('1h30m')"),
        ("time.now - time.now < duration('3661s')", "time.now - time.now < duration('1h1m1s')"),
        ("time.now - time.now < duration('-45s')", "time.now - time.now < duration('-45s')"),
        ("time.now - time.now < duration('90.5s')", "time.now - time.now < duration('90.5s')"),
        ("time.now - time.now < duration('0s')", "time.now - time.now < duration('0s')"),
        ("geo.latitude < double('Infinity')", "geo.latitude < double('Infinity')"),
        ("geo.latitude > double('-Infinity')", "geo.latitude > double('-Infinity')"),
        ("geo.latitude < double('NaN')", "geo.latitude < double('NaN')"),
        ("-geo.latitude < -1.5", "-geo.latitude < -1.5"),
        ("ip(network.ip) == ip('192.0.2.1')", "ip(network.ip) == ip('192.0.2.1')"),
    ] {
        let found = idoine::compile::evaluate(source, &[], None, &Iana).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        assert_eq!(found.text, written, "{source}");
    }
    // An audience of the name of an item keeps it.
    let audiences = json!({ "x": "geo.is_eu", "z": "geo.is_eu" });
    let program = with_audiences("language.accepted.exists(one, x && ['fr'].exists(two, one != two))", &audiences);
    let (json, _) = explained(&program, &json!({}));
    assert_eq!(json["experiences"][0]["audience"]["text"], "language.accepted.exists(y, x && ['fr'].exists(x3, y != x3))");
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
