//! Each step asks exactly what it should, and of whom.

use super::decisions::{known, said, shows, site, tests};
use super::{explained, program, why_not};
use idoine::Program;
use serde_json::{Value, json};

/// What would have to change for an experience to win.
fn changes(program: &Program, values: &Value, id: &str) -> Vec<String> {
    said(program, values, id).3
}

fn with(fields: &Value, more: &Value) -> Value {
    let mut all = fields.clone();
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all
}

/// On `/` are `hero` and `side`, elsewhere `foot`.
fn paged(experiences: &Value) -> Program {
    program(&json!({
        "site": { "id": "decisions" }, "holdout": 0, "groups": { "g": { "max": 1 } }, "layers": { "checkout": {} },
        "slots": {
            "hero": { "selector": "h1", "pages": ["/"] }, "side": { "selector": "aside", "pages": ["/"] },
            "foot": { "selector": "footer", "pages": ["/foot"] }, "everywhere": { "selector": "nav" },
        },
        "experiences": experiences,
    }))
}

#[test]
fn who_wins_with_some_of_its_slots_is_on_the_wrong_page_for_the_others() {
    let both =
        json!({ "id": "both", "type": "personalization", "slots": { "hero": { "text": "x" }, "foot": { "text": "x" } } });
    let (json, _) = explained(&paged(&json!([both, shows("other", "side", &json!({}))])), &json!({}));
    let candidates = |slot: &str| {
        let found = json["slots"].as_array().unwrap().iter().find(|one| one["slot"] == slot).unwrap();
        found["candidates"].clone()
    };
    assert_eq!(candidates("hero"), json!([{ "experience": "both", "reason": "match" }]));
    assert_eq!(candidates("foot"), json!([{ "experience": "both", "reason": "page" }]));
    assert_eq!(candidates("side"), json!([{ "experience": "other", "reason": "match" }]));
}

#[test]
fn who_lost_uses_up_no_group() {
    let g = |priority: i32| json!({ "groups": ["g"], "priority": priority });
    let program = paged(&json!([
        shows("first", "hero", &g(3)),
        shows("none", "side", &with(&g(2), &json!({ "audience": "geo.is_eu" }))),
        shows("last", "everywhere", &g(1)),
    ]));
    let (reason, step, line, changes) = said(&program, &json!({ "geo.is_eu": false }), "last");
    assert_eq!((reason.as_str(), step), ("group_taken by first", json!({ "group": "g", "max": 1 })));
    assert_eq!(line, "last: group_taken: the group g is used up by first: at most 1 on a page");
    assert_eq!(changes, ["group_taken by first: the group g is used up by first: at most 1 on a page"]);
}

#[test]
fn pages_are_told_as_far_as_there_are_some() {
    let program = paged(&json!([
        shows("own", "everywhere", &json!({ "pages": ["/a"] })),
        shows("slot", "foot", &json!({})),
        { "id": "quiet", "type": "personalization", "pages": ["/b", "/c"], "suppresses": ["g"] },
    ]));
    let rules = json!([{ "host": "*.example", "path": "/sale/*", "query": { "size": "m*", "color": "red" } }, "/new"]);
    let asked = paged(&json!([shows("asked", "everywhere", &json!({ "pages": rules }))]));
    let text = "page: the page is shop.example/; it is for *.example/sale/*?size=m*&color=red or /new; its slots are everywhere on every page";
    assert_eq!(changes(&asked, &json!({}), "asked"), [text]);
    for (id, text) in [
        ("own", "page: the page is shop.example/; it is for /a; its slots are everywhere on every page"),
        ("slot", "page: the page is shop.example/; its slots are foot on /foot"),
        ("quiet", "page: the page is shop.example/; it is for /b or /c; it has no slots"),
    ] {
        assert_eq!(changes(&program, &json!({}), id), [text]);
    }
}

/// A schedule's first instant is in it, its last is not.
#[test]
fn schedules_are_told_from_their_first_instant_to_their_last() {
    let at = |schedule: Value| {
        let more = json!({ "schedule": schedule, "audience": "geo.is_eu" });
        changes(&site(&json!([shows("x", "hero", &more)]), &json!({})), &json!({ "geo.is_eu": false }), "x")
    };
    let audience = "audience: geo.is_eu is false; it would have to be true";
    assert_eq!(at(json!({ "from": "2026-11-20T12:30:00Z" })), [audience]);
    let begins = "schedule: it begins at 2026-11-20T12:30:00.001Z; now it is 2026-11-20T12:30:00Z";
    assert_eq!(at(json!({ "from": "2026-11-20T12:30:00.001Z" })), [begins, audience]);
    assert_eq!(at(json!({ "until": "2026-11-20T12:30:00.001Z" })), [audience]);
    let over = "schedule: it was over at 2026-11-20T12:30:00Z; now it is 2026-11-20T12:30:00Z";
    assert_eq!(at(json!({ "until": "2026-11-20T12:30:00Z" })), [over, audience]);
}

#[test]
fn content_that_needs_consent_says_so() {
    let program = program(&json!({
        "site": { "id": "needs" }, "slots": { "hero": { "selector": "h1" } },
        "traits": { "name": { "type": "string", "purpose": "analytics" } },
        "experiences": [{ "id": "x", "type": "personalization", "slots": { "hero": { "text": "Hello {{ profile.name }} of {{ geo.city }}" } } }],
    }));
    let (json, _) = why_not(&program, &json!({}), 0);
    let steps: Vec<_> = json["changes"].as_array().unwrap().iter().map(|change| (&change["step"], &change["text"])).collect();
    let needs = "profile.name needs consent for analytics, and is not known with it; its content needs it";
    let unknown = "geo.city is not known; its content needs it";
    assert_eq!(steps, [(&json!("no_consent"), &json!(needs)), (&json!("unknown"), &json!(unknown))]);
}

/// What a preview forces, what is kept and what is rolled out passes some steps: those are not named where it loses at others.
#[test]
fn only_the_steps_that_are_asked_are_told() {
    let taken = |id: &str| {
        format!(
            "slot_taken by first: first has the slot {id} and is decided before this one: first would have to lose, or this one would need a higher priority"
        )
    };
    let first = json!({ "id": "first", "type": "personalization", "priority": 9, "slots": { "hero": { "text": "x" }, "side": { "text": "x" } } });
    let never = shows("never", "foot", &json!({ "audience": "1 > 2" }));
    let hard = json!({ "audience": "geo.is_eu", "traffic": 0.000001, "requires": [{ "experience": "never" }] });
    // Kept: neither audience nor prerequisites nor traffic, but the holdout.
    let kept = |more: &Value| {
        site(&json!([first, never, tests("k", "hero", &with(&with(&hard, &json!({ "sticky": true })), more))]), &json!({}))
    };
    let again = known(&json!({ "assignment.k": "1", "geo.is_eu": false }));
    assert_eq!(changes(&kept(&json!({})), &again, "k"), [taken("hero")]);
    let held = changes(&kept(&json!({ "holdout": 0.999999 })), &again, "k");
    assert_eq!(held.len(), 2);
    assert!(held[0].starts_with("experience_holdout: its holdout would have to be at most 0."), "{held:?}");
    assert!(held[0].contains("; it is 0.999999 (the visitor's bucket is 0."), "{held:?}");
    // Rolled out: no traffic.
    let won = json!({ "audience": "geo.is_eu", "traffic": 0.000001, "winner": 1 });
    let rolled = site(&json!([first, tests("w", "side", &won)]), &json!({}));
    let audience = "audience: geo.is_eu is false; it would have to be true".to_owned();
    assert_eq!(changes(&rolled, &again, "w"), [audience, taken("side")]);
    // Forced: nothing that looks at the visitor, and no caps.
    let forced = with(
        &with(&hard, &json!({ "status": "draft", "pages": ["/a"] })),
        &json!({ "holdout": 0.999999, "cap": { "total": 1 } }),
    );
    let program = site(&json!([first, never, tests("f", "hero", &forced)]), &json!({}));
    let forced = known(&json!({ "variant.f": "1", "geo.is_eu": false, "seen.f": "1,1,1,1,2026-11-20T12:29:00Z" }));
    let page = "page: the page is shop.example/; it is for /a; its slots are hero on every page";
    assert_eq!(changes(&program, &forced, "f"), [page]);
}

#[test]
fn buckets_shares_and_places_are_exact() {
    let program = |traffic: Value| {
        site(
            &json!([
                shows("most", "hero", &json!({ "traffic": traffic, "audience": "geo.is_eu" })),
                shows("part", "foot", &json!({ "layer": { "name": "checkout", "from": 0, "to": 1 }, "audience": "geo.is_eu" })),
            ]),
            &json!({}),
        )
    };
    let visitor = known(&json!({ "visitor.id": "unit-1274775", "geo.is_eu": false }));
    let audience = "audience: geo.is_eu is false; it would have to be true";
    // The visitor's bucket is the last one.
    for share in [0.999999, 0.5] {
        let text =
            format!("traffic: its traffic would have to be above 0.999999; it is {share} (the visitor's bucket is 0.999999)");
        assert_eq!(changes(&program(json!(share)), &visitor, "most"), [audience, &text]);
    }
    assert_eq!(changes(&program(json!(1)), &visitor, "most"), [audience]);
    // Inside its part of the layer.
    assert_eq!(changes(&program(json!(1)), &visitor, "part"), [audience]);
}

#[test]
fn caps_and_cooldowns_are_told_while_they_hold() {
    let capped = |cap: Value, seen: &str| {
        let values = known(&json!({ "seen.x": seen }));
        changes(&site(&json!([shows("x", "hero", &json!({ "cap": cap }))]), &json!({})), &values, "x")
    };
    let once = "cap: shown 1 time in all, at most 1";
    // It ended this very moment, or a millisecond is left.
    assert_eq!(capped(json!({ "total": 1, "cooldown_minutes": 1 }), "0,0,0,1,2026-11-20T12:29:00Z"), [once]);
    let rests = "cooldown: shown last at 2026-11-20T12:29:00.001Z; the cooldown ends at 2026-11-20T12:30:00.001Z (now it is 2026-11-20T12:30:00Z)";
    assert_eq!(capped(json!({ "total": 1, "cooldown_minutes": 1 }), "0,0,0,1,2026-11-20T12:29:00.001Z"), [once, rests]);
    // Without a cooldown a last time in the future, by another clock, is none.
    assert_eq!(capped(json!({ "total": 1 }), "0,0,0,1,2026-11-20T12:31:00Z"), [once]);
}

/// A chain of prerequisites is followed as far as when it decides.
#[test]
fn the_longest_chain_of_prerequisites_is_followed() {
    let chain = |number: u32| {
        let mut requires = json!([]);
        if number == 0 {
            requires = json!([{ "experience": "e01", "variants": [0] }]);
        } else if number < 32 {
            requires = json!([{ "experience": format!("e{:02}", number + 1) }]);
        }
        shows(&format!("e{number:02}"), "hero", &json!({ "requires": requires }))
    };
    let program = site(&json!((0..33).map(chain).collect::<Vec<_>>()), &json!({}));
    let expected = "prerequisite by e01: it requires e01 with variant 0; the visitor has variant 1 there";
    assert_eq!(changes(&program, &json!({}), "e00")[0], expected);
}

/// What an experience requires is looked up with the consent that its own audience asks for.
#[test]
fn prerequisites_are_looked_up_with_another_consent() {
    let required = |own: &str, values: &Value| {
        let program = program(&json!({
            "site": { "id": "consents" }, "slots": { "hero": { "selector": "h1" }, "side": { "selector": "aside" } },
            "traits": { "plan": { "type": "string", "purpose": "analytics" } },
            "experiences": [
                shows("x", "hero", &json!({ "audience": own, "requires": [{ "experience": "y" }] })),
                shows("y", "side", &json!({ "audience": "profile.plan == 'gold'" })),
            ],
        }));
        changes(&program, values, "x").pop().unwrap()
    };
    let lost = |reason: &str| format!("prerequisite by y: it requires y; the visitor is not assigned there ({reason})");
    assert_eq!(required("consent.analytics", &json!({})), lost("unknown"));
    let agreed = json!({ "consent.analytics": true, "profile.plan": "gold" });
    assert_eq!(required("!consent.analytics", &agreed), lost("no_consent"));
}
