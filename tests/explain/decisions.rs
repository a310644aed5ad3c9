//! The steps that assign a visitor, and those that look at what a page shows already.

use super::{context, explained, program, why_not};
use idoine::Program;
use serde_json::{Value, json};

/// A site of these experiences, with what else the manifest says.
pub(super) fn site(experiences: &Value, more: &Value) -> Program {
    let mut manifest = json!({
        "site": { "id": "decisions" },
        "traits": { "org": { "type": "string", "purpose": "analytics" } },
        "layers": { "checkout": {} },
        "slots": { "hero": { "selector": "h1" }, "foot": { "selector": "footer" }, "side": { "selector": "aside" } },
    });
    let fields = manifest.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    fields.insert("experiences".to_owned(), experiences.clone());
    program(&manifest)
}

/// A personalization of a slot, with what else it says.
pub(super) fn shows(id: &str, slot: &str, more: &Value) -> Value {
    let mut experience = json!({ "id": id, "type": "personalization", "slots": { slot: { "text": "x" } } });
    experience.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    experience
}

/// An experiment on a slot with three variants, with what else it says.
pub(super) fn tests(id: &str, slot: &str, more: &Value) -> Value {
    let slots = json!({ slot: [{ "baseline": true }, { "text": "x" }, { "text": "y" }] });
    let mut experience = json!({ "id": id, "type": "experiment", "slots": slots });
    experience.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    experience
}

/// A visitor with an id who agreed to everything, with what else is known.
pub(super) fn known(more: &Value) -> Value {
    let mut values = json!({ "visitor.id": "visitor-0001", "consent.personalization": true, "consent.analytics": true });
    values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    values
}

/// What is said of an experience: its reason, its step, its line of the text, and what would have to change.
pub(super) fn said(program: &Program, values: &Value, id: &str) -> (String, Value, String, Vec<String>) {
    let (json, text) = explained(program, values);
    let found = json["experiences"].as_array().unwrap().iter().find(|one| one["experience"] == id).unwrap();
    let by = found["by"].as_str().map(|by| format!(" by {by}")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(&format!("{id}: "))).unwrap_or_default();
    let number = (0..program.experience_count() as u32).find(|index| program.experience_id(*index) == id).unwrap();
    let (json, _) = why_not(program, values, number);
    let change = |change: &Value| {
        let by = change["by"].as_str().map(|by| format!(" by {by}")).unwrap_or_default();
        format!("{}{by}: {}", change["step"].as_str().unwrap(), change["text"].as_str().unwrap())
    };
    let changes = json["changes"].as_array().unwrap().iter().map(change).collect();
    (format!("{}{by}", found["reason"].as_str().unwrap()), found["step"].clone(), line.to_owned(), changes)
}

#[test]
fn a_status_says_what_it_is() {
    let program = site(
        &json!([
            shows("old", "hero", &json!({ "status": "paused", "audience": "geo.is_eu" })),
            shows("new", "foot", &json!({ "status": "draft" }))
        ]),
        &json!({}),
    );
    let (reason, step, line, changes) = said(&program, &json!({ "geo.is_eu": true }), "old");
    assert_eq!(
        (reason.as_str(), step, line.as_str()),
        ("paused", json!({ "status": "paused" }), "old: paused: its status is paused")
    );
    assert_eq!(changes, ["paused: it is paused; its status would have to be running"]);
    let (reason, step, _, changes) = said(&program, &json!({}), "new");
    assert_eq!((reason.as_str(), step), ("draft", json!({ "status": "draft" })));
    assert_eq!(changes, ["draft: it is a draft; its status would have to be running"]);
    // Nobody was asked for the audience.
    let (json, _) = explained(&program, &json!({}));
    assert!(json["experiences"].as_array().unwrap().iter().all(|one| one["audience"].is_null()), "{json:#}");
}

#[test]
fn a_prerequisite_says_what_the_visitor_is_there() {
    let factors = json!({ "title": { "slots": { "side": [{ "baseline": true }, { "text": "x" }] } }, "foot": { "slots": { "foot": [{ "baseline": true }, { "text": "x" }] } } });
    let program = site(
        &json!([
            tests("y", "foot", &json!({ "priority": 3, "sticky": true, "audience": "geo.country == 'FR'" })),
            shows("one", "hero", &json!({ "requires": [{ "experience": "y", "variants": [1, 2] }] })),
            shows("any", "hero", &json!({ "requires": [{ "experience": "y" }] })),
            { "id": "z", "type": "experiment", "sticky": true, "factors": factors },
            shows("level", "hero", &json!({ "requires": [{ "experience": "z", "factor": "foot", "variants": [1] }] })),
        ]),
        &json!({}),
    );
    let (reason, step, line, changes) = said(&program, &known(&json!({ "assignment.y": "0" })), "one");
    assert_eq!((reason.as_str(), step), ("prerequisite by y", json!({ "experience": "y", "variants": [1, 2], "variant": 0 })));
    assert_eq!(line, "one: prerequisite: it requires y with variant 1 or 2; the visitor has variant 0 there");
    assert_eq!(changes[0], "prerequisite by y: it requires y with variant 1 or 2; the visitor has variant 0 there");
    let (_, step, _, changes) = said(&program, &known(&json!({ "geo.country": "DE" })), "any");
    assert_eq!(step, json!({ "experience": "y", "reason": "audience" }));
    assert_eq!(changes[0], "prerequisite by y: it requires y; the visitor is not assigned there (audience)");
    let (_, step, _, changes) = said(&program, &json!({ "geo.country": "FR" }), "any");
    assert_eq!(step, json!({ "experience": "y", "reason": "no_unit" }));
    assert_eq!(changes[0], "prerequisite by y: it requires y; the visitor is not assigned there (no_unit)");
    let (_, step, _, changes) = said(&program, &known(&json!({ "assignment.z": "1,0" })), "level");
    assert!(step["factor"].is_string(), "{step}");
    assert_eq!(changes[0], "prerequisite by z: it requires z with variant 1 of foot; the visitor has variant 0 there");
}

#[test]
fn layers_and_ramps_say_the_place_the_part_and_the_share_at_now() {
    let points = json!([{ "at": "2026-11-20T12:00:00Z", "share": 0.0 }, { "at": "2026-11-20T13:00:00Z", "share": 0.5 }]);
    let program = site(
        &json!([
            tests("first", "hero", &json!({ "layer": { "name": "checkout", "from": 0, "to": 0.5 } })),
            tests("second", "foot", &json!({ "layer": { "name": "checkout", "from": 0.5, "to": 0.75 } })),
            shows("ramped", "side", &json!({ "traffic": { "ramp": "linear", "points": points } })),
        ]),
        &json!({}),
    );
    let (mut layers, mut traffic) = (0, 0);
    for number in 0..40 {
        let visitor = known(&json!({ "visitor.id": format!("visitor-{number:04}") }));
        for (id, from, to) in [("first", 0.0, 0.5), ("second", 0.5, 0.75)] {
            let (reason, step, line, changes) = said(&program, &visitor, id);
            if reason != "layer" {
                assert_eq!((reason.as_str(), step, changes.len()), ("split", Value::Null, 0));
                continue;
            }
            layers += 1;
            let bucket = step["bucket"].as_f64().unwrap();
            assert!(!(from..to).contains(&bucket), "{step}");
            assert_eq!(step, json!({ "layer": "checkout", "unit": "visitor", "bucket": bucket, "from": from, "to": to }));
            let words = format!("the visitor's place in the layer checkout is {bucket}; its part is {from} to {to}");
            assert_eq!((line, changes), (format!("{id}: layer: {words}"), vec![format!("layer: {words}")]));
        }
        let (reason, step, line, changes) = said(&program, &visitor, "ramped");
        if reason == "traffic" {
            traffic += 1;
            // At half past twelve it is half of what it becomes.
            let bucket = step["bucket"].as_f64().unwrap();
            assert_eq!(step, json!({ "unit": "visitor", "bucket": bucket, "share": 0.25, "ramp": true }));
            assert_eq!(
                line,
                format!("ramped: traffic: the visitor's bucket is {bucket}, the share 0.25, where its ramp is now")
            );
            let words = format!(
                "traffic: its traffic would have to be above {bucket}; it is 0.25 now, by its ramp (the visitor's bucket is {bucket})"
            );
            assert_eq!(changes, [words]);
        }
    }
    assert!(layers > 40 && traffic > 20, "{layers} {traffic}");
}

#[test]
fn units_are_named_and_what_is_missing_of_them() {
    let program = site(
        &json!([
            tests("v", "hero", &json!({})),
            tests("u", "foot", &json!({ "unit": "user", "holdout": 0.9 })),
            tests("o", "side", &json!({ "unit": "profile.org", "traffic": 0.000001 })),
        ]),
        &json!({}),
    );
    let agreed = json!({ "consent.personalization": true });
    for (id, values, step, words) in [
        (
            "v",
            json!({}),
            json!({ "unit": "visitor", "needs": "personalization" }),
            "visitor.id needs consent for personalization",
        ),
        ("v", agreed.clone(), json!({ "unit": "visitor" }), "visitor.id is not known"),
        ("u", known(&json!({})), json!({ "unit": "user" }), "visitor.user_id is not known"),
        (
            "u",
            json!({ "visitor.user_id": "eve" }),
            json!({ "unit": "user", "needs": "personalization" }),
            "visitor.user_id needs consent for personalization",
        ),
        (
            "o",
            json!({}),
            json!({ "unit": "profile.org", "needs": "personalization" }),
            "profile.org needs consent for personalization",
        ),
        ("o", agreed, json!({ "unit": "profile.org", "needs": "analytics" }), "profile.org needs consent for analytics"),
        ("o", known(&json!({})), json!({ "unit": "profile.org" }), "profile.org is not known"),
    ] {
        let (reason, found, line, changes) = said(&program, &values, id);
        assert_eq!((reason.as_str(), &found, changes.len()), ("no_unit", &step, 0), "{id}");
        assert_eq!(line, format!("{id}: no_unit: {words}; it shows its baseline"));
        let number = (0..3).find(|index| program.experience_id(*index) == id).unwrap();
        let (json, text) = why_not(&program, &values, number);
        assert_eq!(json["note"], format!("{words}; it shows its baseline"));
        assert_eq!(text, format!("{id} won: no_unit. {words}; it shows its baseline.\n"));
    }
    let (reason, step, line, changes) = said(&program, &known(&json!({ "profile.org": "acme" })), "o");
    let bucket = &step["bucket"];
    assert_eq!((reason.as_str(), &step["unit"]), ("traffic", &json!("profile.org")));
    assert_eq!(line, format!("o: traffic: the bucket of profile.org is {bucket}, the share 0.000001"));
    assert!(changes[0].ends_with(&format!("(the bucket of profile.org is {bucket})")), "{changes:?}");
    let user = known(&json!({ "visitor.user_id": "eve" }));
    let (reason, step, line, _) = said(&program, &user, "u");
    assert_eq!((reason.as_str(), &step["unit"]), ("experience_holdout", &json!("user")));
    assert!(line.starts_with("u: experience_holdout: the user's bucket is "), "{line}");
}

#[test]
fn caps_say_how_often_and_cooldowns_when_they_end() {
    let more = json!({
        "groups": { "promotions": { "max": 5, "cap": { "day": 2 } } },
        "cap": { "total": 9, "cooldown_minutes": 60 },
    });
    let program = site(
        &json!([
            shows("before", "foot", &json!({ "priority": 2, "groups": ["promotions"], "global_cap": false })),
            shows(
                "x",
                "hero",
                &json!({ "groups": ["promotions"], "cap": { "session": 3, "week": 3, "cooldown_minutes": 1440 } })
            ),
        ]),
        &more,
    );
    let x = |more: Value| said(&program, &known(&more), "x");
    // On the day before: of the same session and week.
    let (reason, step, line, changes) = x(json!({ "seen.x": "3,2,4,7,2026-11-19T20:00:00Z" }));
    assert_eq!(reason, "cap");
    assert_eq!(step, json!({ "of": "experience", "per": "session", "count": 3, "on_page": 0, "limit": 3 }));
    assert_eq!(line, "x: cap: shown 3 times this session, at most 3");
    let rests =
        "shown last at 2026-11-19T20:00:00Z; the cooldown ends at 2026-11-20T20:00:00Z (now it is 2026-11-20T12:30:00Z)";
    let expected = [
        "cap: shown 3 times this session, at most 3".to_owned(),
        "cap: shown 4 times this week, at most 3".to_owned(),
        format!("cooldown: {rests}"),
    ];
    assert_eq!(changes, expected);
    let (reason, step, line, _) = x(json!({ "seen.x": "1,1,1,1,2026-11-19T20:00:00Z" }));
    assert_eq!(reason, "cooldown");
    assert_eq!(step, json!({ "of": "experience", "last": "2026-11-19T20:00:00Z", "until": "2026-11-20T20:00:00Z" }));
    assert_eq!(line, format!("x: cooldown: {rests}"));
    // One of the group is on this page already.
    let (reason, step, line, changes) = x(json!({ "seen_group.promotions": "0,1,1,1,2026-11-20T08:00:00Z" }));
    assert_eq!(reason, "cap");
    assert_eq!(step, json!({ "of": "group", "group": "promotions", "per": "day", "count": 2, "on_page": 1, "limit": 2 }));
    assert_eq!(line, "x: cap: the group promotions was shown 2 times today (1 of them on this page), at most 2");
    assert_eq!(changes.len(), 1);
    let (reason, step, _, changes) = x(json!({ "seen_site": "0,1,1,9,2026-11-20T12:00:00Z" }));
    assert_eq!((reason.as_str(), &step["of"], &step["per"]), ("cap", &json!("site"), &json!("total")));
    let rests = "the site's experiences were shown last at 2026-11-20T12:00:00Z; the cooldown ends at 2026-11-20T13:00:00Z";
    assert_eq!(changes[0], "cap: the site's experiences were shown 9 times in all, at most 9");
    assert!(changes[1].starts_with(&format!("cooldown: {rests}")), "{changes:?}");
    // Without consent nothing that is stored is read.
    let (reason, ..) = said(&program, &json!({ "seen.x": "3,2,4,7,2026-11-19T20:00:00Z" }), "x");
    assert_eq!(reason, "match");
}

#[test]
fn closed_groups_say_who_closed_them() {
    let alone = json!({ "id": "quiet", "type": "personalization", "priority": 9, "audience": "geo.is_eu", "suppresses": ["promotions"] });
    let program = site(
        &json!([
            alone,
            shows("x", "foot", &json!({ "priority": 2, "groups": ["promotions"] })),
            shows("y", "hero", &json!({ "groups": ["promotions"] })),
        ]),
        &json!({ "groups": { "promotions": {} } }),
    );
    let eu = json!({ "geo.is_eu": true });
    let (reason, step, line, changes) = said(&program, &eu, "y");
    assert_eq!((reason.as_str(), step), ("suppressed by quiet", json!({ "group": "promotions" })));
    assert_eq!(line, "y: suppressed: quiet suppresses the group promotions");
    assert_eq!(changes, ["suppressed by quiet: quiet suppresses the group promotions"]);
    let (reason, step, line, changes) = said(&program, &json!({}), "y");
    assert_eq!((reason.as_str(), step), ("group_taken by x", json!({ "group": "promotions", "max": 1 })));
    assert_eq!(line, "y: group_taken: the group promotions is used up by x: at most 1 on a page");
    assert_eq!(changes, ["group_taken by x: the group promotions is used up by x: at most 1 on a page"]);
    // One without slots wins, though no slot shows it.
    assert_eq!(said(&program, &eu, "quiet").0, "match");
    let (_, text) = explained(&program, &eu);
    assert!(text.lines().any(|line| line == "-     quiet       match"), "{text}");
    let (json, _) = why_not(&program, &eu, 0);
    assert_eq!(json, json!({ "experience": "quiet", "won": true, "reason": "match", "changes": [] }));
}

#[test]
fn what_is_forced_kept_or_rolled_out_is_not_asked_for_more() {
    let no = json!({ "audience": "geo.is_eu", "traffic": 0.000001 });
    let more = |extra: Value| {
        let mut more = no.clone();
        more.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        more
    };
    let program = site(
        &json!([
            shows("first", "hero", &json!({ "priority": 5 })),
            tests("f", "hero", &no),
            tests("k", "foot", &more(json!({ "sticky": true }))),
            tests("w", "side", &json!({ "winner": 2, "traffic": 0.000001 })),
        ]),
        &json!({}),
    );
    let values = known(&json!({ "variant.f": "2", "assignment.k": "1" }));
    let reasons: Vec<String> = ["f", "k", "w", "first"].iter().map(|id| said(&program, &values, id).0).collect();
    assert_eq!(reasons, ["forced", "sticky", "winner", "slot_taken by f"]);
    let (json, text) = explained(&program, &values);
    // In the order in which they were decided.
    let order: Vec<_> = json["experiences"].as_array().unwrap().iter().map(|one| one["experience"].as_str().unwrap()).collect();
    assert_eq!(order, ["f", "first", "k", "w"]);
    assert_eq!(json["slots"][0]["candidates"][0], json!({ "experience": "f", "reason": "forced" }), "{:#}", json["slots"]);
    assert!(json["experiences"].as_array().unwrap().iter().all(|one| one["audience"].is_null()), "{json:#}");
    assert!(text.contains("forced -> variant 2 (experiment)") && text.contains("winner -> variant 2 (experiment)"), "{text}");
    assert_eq!(said(&program, &values, "first").3, ["slot_taken by f: f has the slot hero, as a preview asks for it"]);
    // What is kept is asked for its content, caps and slots only; what is not forced for all.
    let kept = site(
        &json!([shows("first", "foot", &json!({ "priority": 5 })), tests("k", "foot", &more(json!({ "sticky": true })))]),
        &json!({}),
    );
    let steps = |values: &Value| -> Vec<String> {
        said(&kept, values, "k").3.iter().map(|text| text.split(&[' ', ':'][..]).next().unwrap().to_owned()).collect()
    };
    assert_eq!(steps(&known(&json!({ "assignment.k": "1" }))), ["slot_taken"]);
    assert_eq!(steps(&known(&json!({ "geo.is_eu": false }))), ["audience", "traffic", "slot_taken"]);
    assert_eq!(context(&kept, &json!({ "variant.k": "2" })).ignored, []);
}

/// What is stored of a visitor and can't be read is named, with what was expected.
#[test]
fn what_is_stored_and_cannot_be_read_is_named() {
    let program = site(&json!([tests("e", "hero", &json!({}))]), &json!({}));
    let expected = |path: &str, text: &str| {
        let ignored = context(&program, &json!({ path: text })).ignored;
        assert!(ignored.iter().all(|(named, _)| named == path) && ignored.len() < 2, "{ignored:?}");
        ignored.into_iter().next().map(|(_, expected)| expected)
    };
    let (most, long) = ("é".repeat(128), "é".repeat(129));
    let variant = "a variant such as 1, or one level for each factor such as 1,0";
    let seen = "session,day,week,total,last: four counts and an instant";
    let instant = "an instant such as 2026-11-20T12:30:00Z";
    for (path, readable, wrong, message) in [
        ("visitor.user_id", vec!["u", &most], vec![long.as_str()], "1 to 128 characters"),
        ("visitor.session_start", vec!["2026-11-20T12:30:00Z", "0"], vec!["yesterday"], instant),
        ("variant.e", vec!["0", "1"], vec!["255", "256", "-1", "x", "1,", "0,0,0,0,0,0,0,255", "0,0,0,0,0,0,0,0,0"], variant),
        ("assignment.e", vec!["1"], vec!["255"], variant),
        ("seen.e", vec!["0,0,0,5000000000,0"], vec!["1,1,1,1", "1,1,1,1,0,0", "1,1,1,x,0", "1,1,1,1,x"], seen),
        ("seen_group.g", vec!["1,1,1,1,0"], vec!["1"], seen),
        ("seen_site", vec!["1,1,1,1,0"], vec!["1"], seen),
    ] {
        for text in readable.into_iter().chain([""]) {
            assert_eq!(expected(path, text), None, "{path}={text}");
        }
        for text in wrong {
            assert_eq!(expected(path, text).as_deref(), Some(message), "{path}={text}");
        }
    }
    // What can be read, and is no variant of this experience.
    for text in ["254", "1,0", "0,0,0,0,0,0,0,254"] {
        for path in ["variant.e", "assignment.e"] {
            let own = "a variant of the experience, with factors a level of each";
            assert_eq!(expected(path, text).as_deref(), Some(own), "{path}={text}");
        }
    }
}
