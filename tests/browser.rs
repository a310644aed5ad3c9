//! The program for browsers: nothing of a draft is in it, and it decides as the manifest's program does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod cases;
mod support;

use idoine::compile::{check, compile, compile_for_browsers};
use idoine::learn::Rules;
use idoine::report::{self, explanation};
use idoine::visitor::Visitor;
use idoine::{Context, Program};
use serde_json::{Value, json};
use support::Iana;

fn both(manifest: &Value) -> [Program; 2] {
    let source = manifest.to_string();
    let refused = |errors| -> ! { panic!("{errors:#?}\n{source}") };
    let whole = compile(&source, &Iana).unwrap_or_else(|errors| refused(errors));
    let browser = compile_for_browsers(&source, &Iana).unwrap_or_else(|errors| refused(errors)).program;
    assert_eq!(browser.version(), whole.version());
    [whole, browser]
}

fn drafts(manifest: &Value) -> Vec<&str> {
    let experiences = manifest["experiences"].as_array().into_iter().flatten();
    experiences.filter(|one| one["status"] == "draft").map(|one| one["id"].as_str().unwrap()).collect()
}

/// Decisions, edits, and why each experience that is no draft won or lost, and to whom if that is no draft.
fn explained(program: &Program, visitor: &Visitor, drafts: &[&str]) -> Value {
    let context = Context::derive(program, &visitor.request(0, support::offsets));
    let explained = idoine::explain(program, &context);
    let edits = idoine::edits(program, &context, &explained.decisions);
    let outcomes = explained.experiences.iter().filter(|one| !drafts.contains(&program.experience_id(one.experience)));
    let outcomes: Vec<Value> = outcomes
        .map(|one| {
            let by = one.by.map(|by| program.experience_id(by)).filter(|by| !drafts.contains(by));
            let why = one.loss.map(|loss| loss.name()).or(one.reason.map(|reason| reason.name()));
            json!([program.experience_id(one.experience), why, by])
        })
        .collect();
    json!([report::decisions(program, &explained.decisions), report::edits(program, &edits), outcomes])
}

#[test]
fn every_case_is_decided_as_by_the_whole_program_whichever_experience_is_a_draft() {
    let mut compared = 0;
    for (file, text) in cases::DECIDE {
        let document: Value = serde_json::from_str(text).unwrap();
        let count = document["manifest"]["experiences"].as_array().map_or(0, Vec::len);
        // As it is, and with each of its experiences as a draft.
        for draft in (0..count).map(Some).chain([None]) {
            let mut manifest = document["manifest"].clone();
            if let Some(draft) = draft {
                manifest["experiences"][draft]["status"] = "draft".into();
            }
            // What reads something personal is not in it either.
            for (_, declared) in manifest.get_mut("traits").and_then(Value::as_object_mut).into_iter().flatten() {
                declared["personal"] = false.into();
            }
            let programs = both(&manifest);
            let drafts = drafts(&manifest);
            for case in document["cases"].as_array().unwrap() {
                let forced = |id: &&str| case["visitor"]["context"].get(format!("variant.{id}")).is_some();
                if drafts.iter().any(forced) {
                    continue;
                }
                let visitor: Visitor = serde_json::from_value(case["visitor"].clone()).unwrap();
                let [whole, browser] = programs.each_ref().map(|program| explained(program, &visitor, &drafts));
                assert_eq!(browser, whole, "{file}: {}, with the drafts {drafts:?}", case["name"]);
                compared += 1;
            }
        }
    }
    assert!(compared > 15_000, "{compared} cases were compared");
}

/// A site whose drafts use something of every kind that nobody else uses; all of that is called secret.
fn secretive() -> Value {
    json!({
        "site": { "id": "shop", "languages": ["en"] },
        "traits": {
            "plan": { "type": "string", "purpose": "personalization" },
            "account": { "type": "string", "purpose": "personalization" },
            "secret_plan": { "type": "string", "purpose": "personalization" },
            "secret_account": { "type": "string", "purpose": "personalization" },
        },
        "holidays": { "sales": ["12-26"], "secret_days": ["11-27"] },
        "places": {
            "stores": { "lyon": { "name": "Lyon", "latitude": 45.7, "longitude": 4.8 } },
            "depots": { "lille": { "latitude": 50.6, "longitude": 3.1 } },
            "secret_stores": { "secret-town": { "name": "Secret town", "latitude": 1, "longitude": 1 } },
        },
        "enrichments": {
            "weather": { "url": "https://weather.example/?near={{ places.depots.nearest }}", "fields": { "rain": { "type": "bool", "path": "rain" } } },
            "secret_stock": { "url": "https://secret.example/", "fields": { "left": { "type": "int", "path": "secret.left" } } },
        },
        "audiences": {
            "pro": "profile.plan == 'pro'",
            "wet": "enrichment.weather.rain",
            "secret_insiders": "pro && secret_day && enrichment.secret_stock.left > 0",
            "secret_day": "holidays.secret_days || holidays.sales",
        },
        "slots": { "hero": { "selector": "h1" }, "lead": { "selector": "p" }, "bar": { "selector": "#bar", "pages": ["/"] } },
        "layers": { "shared": {}, "secret-layer": { "unit": "profile.secret_account" } },
        "groups": { "promotions": {}, "quiet": {}, "secret-group": { "cap": { "day": 1 } } },
        "goals": { "secret-goal": { "event": "Secret bought" } },
        "personas": { "A secret insider": { "profile.secret_plan": "secret-plan", "variant.secret-launch": "1,0" }, "Anybody": { "geo.country": "FR" } },
        "experiences": [
            { "id": "pro-hero", "type": "personalization", "audience": "pro && wet && !holidays.sales", "groups": ["promotions"], "suppresses": ["quiet"], "priority": 9,
              "slots": { "hero": { "text": "For you" } } },
            { "id": "lead-test", "type": "experiment", "unit": "profile.account", "pages": ["/", "/sale"],
              "slots": { "lead": [{ "baseline": true }, { "text": "{{ places.stores.name | \"here\" }}" }] } },
            { "id": "follow-up", "type": "personalization", "requires": [{ "experience": "secret-launch" }], "slots": { "lead": { "text": "Next" } } },
            { "id": "secret-launch", "type": "experiment", "status": "draft", "audience": "secret_insiders", "goal": "secret-goal",
              "unit": "profile.secret_account", "layer": { "name": "secret-layer", "from": 0, "to": 0.5 }, "groups": ["promotions", "secret-group"],
              "pages": ["/secret-path", { "host": "secret.example", "query": { "secret": "secret*" } }], "cap": { "day": 3 },
              "factors": { "secret-factor": { "slots": { "hero": [{ "baseline": true }, { "html": "<b class=\"secret\">Secret {{ profile.secret_plan | \"secret\" }}</b>" }] } },
                           "other": { "slots": { "lead": [{ "baseline": true }, { "attribute": { "secret": "secret" } }] } } } },
            { "id": "secret-bar", "type": "personalization", "status": "draft", "suppresses": ["secret-group"], "audience": "places.secret_stores.distance_km < 5.0",
              "priority": 9, "slots": { "bar": { "text": "Secret" } } },
        ],
    })
}

#[test]
fn nothing_of_a_draft_is_in_it_nor_what_only_drafts_use() {
    let manifest = secretive();
    let [whole, browser] = both(&manifest);
    let text = |program: &Program| String::from_utf8_lossy(program.bytes()).to_lowercase();
    assert!(text(&whole).matches("secret").count() > 20);
    assert_eq!(text(&browser).matches("secret").count(), 0);
    // What others use is there, by themselves or by way of something that they use.
    for kept in [
        "pro",
        "wet",
        "profile.plan",
        "profile.account",
        "promotions",
        "quiet",
        "enrichment.weather.rain",
        "places.stores.nearest",
        "places.depots.nearest",
        "Next",
    ] {
        assert!(text(&browser).contains(&kept.to_lowercase()), "{kept}");
    }
    // Personas are for previews, which browsers that decide for themselves have none of.
    assert_eq!((whole.personas().count(), browser.personas().count()), (2, 0));
    assert_eq!((whole.experience_count(), browser.experience_count()), (5, 3));
    // Every slot of a page has a decision, those that only drafts name too.
    let visitor: Visitor = serde_json::from_value(json!({ "url": "https://shop.example/" })).unwrap();
    let context = Context::derive(&browser, &visitor.request(0, support::offsets));
    let decisions = idoine::decide(&browser, &context);
    let slots: Vec<_> = decisions.slots.iter().map(|one| (browser.slot_id(one.slot), one.reason.name())).collect();
    assert_eq!(slots, [("hero", "no_candidate"), ("lead", "no_unit"), ("bar", "no_candidate")]);
}

/// Nothing that is personal or sensitive, by whatever way it is read, nor what it is compared with.
#[test]
fn nothing_personal_is_in_it() {
    let reading = "profile.count('Order Completed', {'email': 'marker-counted'})";
    let personal = [
        json!({ "audience": "profile.email == 'marker-compared'" }),
        json!({ "audience": "insider && geo.country == 'FR'" }),
        json!({ "audience": format!("{reading} > 1") }),
        json!({ "audience": "profile.diet == 'marker-low-salt'" }),
        json!({ "audience": "has(profile.email) || geo.country == 'FR'" }),
        json!({ "slots": { "hero": { "text": "Hello {{ profile.email | \"marker-default\" }}" } } }),
        json!({ "slots": { "hero": { "html": format!("<b title='{{{{ {reading} }}}}'>marker-title</b>") } } }),
    ];
    let with = |experiences: Vec<Value>| {
        json!({
            "site": { "id": "shop" },
            "traits": {
                "email": { "type": "string", "personal": true, "purpose": "personalization" },
                "diet": { "type": "string", "enum": ["marker-low-salt"], "sensitive": "health", "purpose": "personalization" },
                "plan": { "type": "string", "purpose": "personalization" },
            },
            "events": { "Order Completed": { "properties": { "email": { "type": "string", "personal": true } } } },
            "audiences": { "marker_known": "profile.email.endsWith('@marker.example')", "insider": "marker_known" },
            "slots": { "hero": { "selector": "h1" } },
            "experiences": experiences,
        })
    };
    let text = |program: &Program| String::from_utf8_lossy(program.bytes()).to_lowercase();
    let own = json!({ "id": "own", "type": "personalization", "audience": "profile.plan == 'pro'", "slots": { "hero": { "text": "Pro" } } });
    let alone = both(&with(vec![own.clone()]))[1].bytes().to_vec();
    for (number, part) in personal.into_iter().enumerate() {
        let mut one = json!({ "id": "marker-one", "type": "personalization", "priority": 5, "slots": { "hero": { "text": "marker-shown" } } });
        one.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        let [whole, browser] = both(&with(vec![own.clone(), one]));
        assert!(text(&whole).contains("marker"), "{number}");
        for word in ["marker", "profile.email", "profile.diet"] {
            assert!(!text(&browser).contains(word), "{number}: {word}");
        }
        assert_eq!((whole.experience_count(), browser.experience_count()), (2, 1));
        assert_eq!(browser.bytes().len(), alone.len(), "{number}");
    }
}

#[test]
fn where_nothing_is_left_out_it_is_the_same_program_but_for_what_is_learned() {
    let mut manifest = secretive();
    let secrets = |value: &Value| value.to_string().to_lowercase().contains("secret");
    manifest["experiences"].as_array_mut().unwrap().retain(|one| !secrets(one));
    for (_, part) in manifest.as_object_mut().unwrap() {
        if let Value::Object(entries) = part {
            entries.retain(|name, entry| !secrets(entry) && !name.contains("secret"));
        }
    }
    manifest["personas"] = json!({});
    let [whole, browser] = both(&manifest);
    assert_eq!(browser.rules_bytes(), b"");
    let rules = whole.rules_bytes();
    assert!(Rules::from_bytes(rules).is_some());
    // What is told of consent is the Worker's to tell.
    assert_eq!((browser.notice(), browser.keeping()), ("", ""));
    let texts = [rules, whole.notice().as_bytes(), whole.keeping().as_bytes()];
    // The record of the rules, each text and its entry; all texts together are padded to words.
    let taken = 4 + texts.iter().map(|text| 8 + text.len()).sum::<usize>();
    assert!((browser.bytes().len() + taken).abs_diff(whole.bytes().len()) <= 3, "{taken} of {}", whole.bytes().len());
}

#[test]
fn all_of_the_manifest_is_checked_drafts_too() {
    let mut manifest = secretive();
    manifest["experiences"][3]["audience"] = "geo.contry == 'FR'".into();
    let source = manifest.to_string();
    let errors = |result: Result<_, _>| result.err().map(|errors: Vec<idoine::diagnostic::Diagnostic>| errors.len());
    assert_eq!(errors(compile_for_browsers(&source, &Iana).map(|_| ())), errors(check(&source, &Iana).map(|_| ())));
    assert_eq!(errors(compile_for_browsers(&source, &Iana).map(|_| ())), Some(1));

    let source = secretive().to_string();
    let [whole, browser] = [check(&source, &Iana).unwrap(), compile_for_browsers(&source, &Iana).unwrap()];
    assert_eq!(browser.warnings, whole.warnings);
    assert_eq!(browser.warnings.len(), 1, "{:#?}", browser.warnings);
    assert!(browser.warnings[0].message.contains("`follow-up` can never win"));
    assert_eq!((browser.degrees, browser.costs), (whole.degrees, whole.costs));
}

#[test]
fn who_requires_a_draft_loses_for_that_reason() {
    let [_, browser] = both(&secretive());
    let visitor: Visitor = serde_json::from_value(json!({ "url": "https://shop.example/", "now": 0 })).unwrap();
    let context = Context::derive(&browser, &visitor.request(0, support::offsets));
    let explained = idoine::explain(&browser, &context);
    let edits = idoine::edits(&browser, &context, &explained.decisions);
    let report = explanation(&browser, &context, &explained, &edits);
    let found = serde_json::to_value(&report).unwrap();
    let follow_up = found["experiences"].as_array().unwrap().iter().find(|one| one["experience"] == "follow-up").unwrap();
    assert_eq!(*follow_up, json!({ "experience": "follow-up", "reason": "prerequisite", "step": { "reason": "draft" } }));
    let words = "follow-up: prerequisite: it requires an experience that this program leaves out; the visitor is not assigned there (draft)\n";
    let text = idoine::report::explanation_text(&report);
    assert!(text.contains(words) && !text.contains(" by "), "{text}");
    let number = (0..3).find(|number| browser.experience_id(*number) == "follow-up").unwrap();
    let why_not = idoine::why_not(&browser, &context, number, &|_| context.clone()).unwrap();
    let changes: Vec<_> = why_not.changes.iter().map(|change| (change.step.name(), change.by)).collect();
    assert_eq!(changes, [("prerequisite", None)]);
}
