//! The steps behind the audience are told as they would be with what it asks for, and what can't be known of that is said.

use super::decisions::{shows, site, tests};
use super::{Visitor, of_visitor, why_not};
use idoine::Program;
use serde_json::{Value, json};

/// The steps that would have to change with who is in the way, their texts, and what is not known.
fn told(program: &Program, visitor: &Value, id: &str) -> (Vec<String>, Vec<String>, Value) {
    let mut visitor = visitor.clone();
    visitor["now"] = json!("2026-11-20T12:30:00Z");
    visitor["url"] = visitor.get("url").cloned().unwrap_or(json!("https://shop.example/"));
    let visitor: Visitor = serde_json::from_value(visitor).unwrap();
    let number = (0..program.experience_count() as u32).find(|index| program.experience_id(*index) == id).unwrap();
    let (json, text) = of_visitor(program, &visitor, number).unwrap();
    let changes = json["changes"].as_array().unwrap();
    let steps = changes.iter().map(|change| {
        let by = change["by"].as_str().map(|by| format!(" by {by}")).unwrap_or_default();
        format!("{}{by}", change["step"].as_str().unwrap())
    });
    for unsure in json["unsure"].as_array().into_iter().flatten() {
        assert!(text.contains(&format!("\n  {}\n", unsure.as_str().unwrap())), "{text}");
    }
    let texts = changes.iter().map(|change| change["text"].as_str().unwrap().to_owned());
    (steps.collect(), texts.collect(), json["unsure"].clone())
}

#[test]
fn buckets_are_drawn_for_what_would_be() {
    let of_org = |more: Value| {
        let mut fields = json!({ "purpose": "analytics", "unit": "profile.org", "audience": "profile.org == 'acme'" });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        site(&json!([shows("x", "hero", &fields)]), &json!({ "layers": { "checkout": { "unit": "profile.org" } } }))
    };
    // The same bucket as of somebody who has that value, whatever the present one is, and where it is not known at all.
    let steps = json!({ "traffic": 0.000001, "holdout": 0.999999, "layer": { "name": "checkout", "from": 0, "to": 0.000001 } });
    let asked = |program: &Program, context: Value| told(program, &json!({ "context": context }), "x");
    let other = asked(&of_org(steps.clone()), json!({ "consent.analytics": true, "profile.org": "other" }));
    let mut free = steps.clone();
    free["audience"] = json!("true");
    let own = asked(&of_org(free), json!({ "consent.analytics": true, "profile.org": "acme" }));
    assert_eq!(own.0, ["experience_holdout", "layer", "traffic"]);
    assert_eq!((&other.0[1..], &other.1[1..]), (&own.0[..], &own.1[..]));
    let unknown = asked(&of_org(steps), json!({ "consent.analytics": true }));
    assert_eq!(&unknown.1[1..], &own.1[..]);
    assert_eq!(unknown.2, Value::Null);
}

#[test]
fn consents_uncover_ids_and_what_is_kept() {
    let program = |more: Value| {
        let mut fields = json!({ "audience": "profile.org == 'acme' && consent.personalization" });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        site(&json!([shows("x", "hero", &fields)]), &json!({ "holdout": 0.000001 }))
    };
    let visitor = json!({ "headers": { "cookie": "idoine_id=visitor-0001" }, "profile": { "assignment.x": "1" } });
    // There is an id, but no consent to use it.
    let (steps, texts, _) = told(&program(json!({ "traffic": 0.000001 })), &visitor, "x");
    assert_eq!(steps.last().unwrap(), "traffic", "{texts:?}");
    assert!(texts.last().unwrap().ends_with("it is 0.000001 (the visitor's bucket is 0.535053)"), "{texts:?}");
    // Who was assigned before stays so.
    let fields = json!({ "audience": "consent.personalization", "traffic": 0.000001 });
    let mut kept = tests("x", "hero", &fields);
    assert_eq!(told(&site(&json!([kept]), &json!({})), &visitor, "x").0, ["audience", "traffic"]);
    kept["sticky"] = json!(true);
    assert_eq!(told(&site(&json!([kept]), &json!({})), &visitor, "x").0, ["audience"]);
}

#[test]
fn others_win_by_what_follows_from_a_change() {
    let traits = json!({ "traits": { "vip": { "type": "bool", "purpose": "personalization" } } });
    let experiences = |x: &str, y: &str| {
        json!([shows("x", "hero", &json!({ "priority": 5, "audience": x })), shows("y", "hero", &json!({ "audience": y }))])
    };
    let vip = site(&experiences("profile.vip", "consent.personalization"), &traits);
    let visitor = |vip: bool| json!({ "context": { "consent.personalization": false, "profile.vip": vip } });
    assert_eq!(told(&vip, &visitor(true), "y").0, ["audience", "slot_taken by x"]);
    assert_eq!(told(&vip, &visitor(false), "y").0, ["audience"]);
    // The clock of another zone.
    let night = site(&experiences("time.hour == 21", "geo.timezone == 'Asia/Tokyo'"), &json!({}));
    let paris = json!({ "cf": { "timezone": "Europe/Paris" } });
    assert_eq!(told(&night, &paris, "y").0, ["audience", "slot_taken by x"]);
    // What an enrichment would answer is not known.
    let weather = json!({ "enrichments": {
        "weather": { "url": "https://weather.example/{{ geo.country | \"FR\" }}", "fields": { "warm": { "type": "bool", "path": "warm" } } },
    } });
    let warm = site(&experiences("enrichment.weather.warm", "geo.country == 'FR'"), &weather);
    let (steps, _, unsure) = told(&warm, &json!({}), "y");
    assert_eq!(
        (steps, unsure),
        (vec!["unknown".to_owned()], json!(["what enrichments answer with these values, and who wins by that"]))
    );
    // Nothing was found to look further with.
    let none = site(&experiences("geo.country == 'DE'", "geo.country.startsWith(geo.region)"), &json!({}));
    let unsure = told(&none, &json!({}), "y").2;
    assert_eq!(unsure, json!(["the steps behind its audience as they would be: they are told as they are now"]));
}

/// On the wrong page this one's winners, groups and slots say nothing.
#[test]
fn what_others_take_on_another_page_is_not_known() {
    let more = |more: Value| {
        let mut fields = json!({ "groups": ["used"], "priority": 1 });
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fields
    };
    let experiences = json!([
        shows("first", "hero", &more(json!({ "priority": 9, "groups": ["used", "capped"] }))),
        { "id": "quiet", "type": "personalization", "priority": 8, "suppresses": ["g"] },
        shows("x", "hero", &more(json!({ "pages": ["/other"], "cap": { "total": 1 }, "groups": ["used", "g", "capped"] }))),
    ]);
    let program = site(
        &experiences,
        &json!({ "groups": { "g": { "max": 1 }, "used": { "max": 1 }, "capped": { "max": 9, "cap": { "session": 1 } } } }),
    );
    let agreed = json!({ "consent.personalization": true});
    let (steps, _, unsure) = told(&program, &json!({ "context": agreed }), "x");
    assert_eq!((steps, unsure), (vec!["page".to_owned()], json!(["what other experiences take on its own page"])));
    // What was shown before is known everywhere.
    let seen = json!({ "context": agreed, "profile": { "seen.x": "0,0,0,1,2026-11-20T12:29:00Z" } });
    assert_eq!(told(&program, &seen, "x").0, ["page", "cap"]);
    let there = json!({ "context": agreed, "url": "https://shop.example/other" });
    assert_eq!(told(&program, &there, "x").0, ["cap", "suppressed by quiet", "group_taken by first", "slot_taken by first"]);
    // Its audience may ask for the page itself, or for another.
    let of_path = |pages: &str| {
        site(&json!([shows("x", "hero", &json!({ "pages": [pages], "audience": "page.path == '/b'" }))]), &json!({}))
    };
    assert_eq!(
        (told(&of_path("/b"), &json!({}), "x").0, told(&of_path("/b"), &json!({}), "x").2),
        (vec!["page".to_owned(), "audience".to_owned()], Value::Null)
    );
    let (steps, texts, _) = told(&of_path("/"), &json!({}), "x");
    assert_eq!(steps, ["page", "audience"]);
    assert_eq!(texts[0], "the page would be shop.example/b; it is for /; its slots are hero on every page");
}

/// What is required may itself be in the way, once it is as required.
#[test]
fn prerequisites_take_slots_and_groups_too() {
    let want = |req: Value| {
        let want = shows("want", "hero", &json!({ "priority": -1, "requires": [{ "experience": "req" }], "groups": ["g"] }));
        site(&json!([want, req]), &json!({ "groups": { "g": { "max": 1 } } }))
    };
    let paris = "geo.city == 'Paris'";
    let (steps, texts, unsure) = told(&want(shows("req", "hero", &json!({ "audience": paris }))), &json!({}), "want");
    assert_eq!(steps, ["prerequisite by req", "slot_taken by req"]);
    assert_eq!(
        texts[1],
        "req would have the slot hero where it is as required, as it is decided before this one: this one would need a higher priority"
    );
    assert_eq!(unsure, json!(["who else wins with what makes the prerequisite hold"]));
    let group = want(shows("req", "foot", &json!({ "audience": paris, "groups": ["g"] })));
    assert_eq!(told(&group, &json!({}), "want").0, ["prerequisite by req", "group_taken by req"]);
    // Elsewhere, or behind it, it takes nothing.
    for more in [json!({ "audience": paris, "pages": ["/b"] }), json!({ "audience": paris, "priority": -2 })] {
        assert_eq!(told(&want(shows("req", "hero", &more)), &json!({}), "want").0, ["prerequisite by req"]);
    }
    // And who requires the one that would win may be before it.
    let before = shows("before", "hero", &json!({ "priority": 1, "requires": [{ "experience": "draft" }] }));
    let program = site(&json!([before, shows("draft", "hero", &json!({ "status": "draft" }))]), &json!({}));
    assert_eq!(told(&program, &json!({}), "draft").0, ["draft", "slot_taken by before"]);
}

#[test]
fn what_the_audience_asks_for_is_not_asked_for_again() {
    let of = |audience: &str, text: &str| {
        let mut one = shows("x", "hero", &json!({ "audience": audience }));
        one["slots"]["hero"]["text"] = json!(text);
        site(&json!([one]), &json!({}))
    };
    let steps =
        |audience: &str, context: Value| told(&of(audience, "Hello {{ profile.org }}"), &json!({ "context": context }), "x").0;
    assert_eq!(steps("profile.org == 'acme'", json!({})), ["no_consent"]);
    assert_eq!(steps("profile.org == 'acme'", json!({ "consent.analytics": true })), ["unknown"]);
    // With the consent that the audience asks for it is there.
    assert_eq!(steps("consent.analytics", json!({ "profile.org": "acme" })), ["audience"]);
    let (steps, texts, _) = told(&of("consent.analytics", "{{ profile.org }}"), &json!({}), "x");
    assert_eq!((steps.len(), texts[1].as_str()), (2, "profile.org is not known; its content needs it"));
    // One excludes the other.
    let absent = of("!has(geo.city)", "{{ geo.city }}");
    let texts = told(&absent, &json!({ "context": { "geo.city": "Lyon" } }), "x").1;
    assert_eq!(texts[1], "geo.city is not known then; its content needs it");
    // The audience is another with the consent that the content needs.
    let (json, _) = why_not(&of("!consent.analytics", "{{ profile.org }}"), &json!({ "profile.org": "acme" }), 0);
    assert_eq!(json["unsure"], json!(["its audience, which is no longer true with the consent that its content needs"]));
}
