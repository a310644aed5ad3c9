//! Random small sites whose experiences want the same slots, and visitors of them.

use crate::choices::Choices;
use serde_json::{Value, json};

const PATHS: &[&str] = &["/", "/a", "/a/b", "/b"];
const RULES: &[&str] = &["*", "/", "/a", "/a*", "/a/*", "*b", "/b"];
const AUDIENCES: &[&str] = &[
    "geo.country == 'FR'",
    "geo.country in ['FR', 'DE']",
    "geo.is_eu",
    "geo.is_eu && geo.country == 'FR'",
    "has(geo.country)",
    "visitor.returning",
    "consent.personalization",
];
const DAYS: &[&str] = &["2026-11-01", "2026-11-10", "2026-11-20", "2026-11-30"];
const IDS: &[&str] = &["visitor-one", "visitor-two", "visitor-three", "visitor-four", "visitor-five"];

/// Page rules; most of the time none.
fn pages(choices: &mut Choices) -> Value {
    let rules = match choices.below(4) {
        0 => choices.several(1, 2, |choices| json!(choices.one_of(RULES))),
        1 => vec![match choices.below(3) {
            0 => json!({ "path": choices.one_of(RULES), "query": { "q": choices.one_of(&["*", "x", "x*"]) } }),
            1 => json!({ "host": choices.one_of(&["*.example", "x.example", "y.example"]) }),
            _ => json!({ "path": choices.one_of(RULES) }),
        }],
        _ => Vec::new(),
    };
    json!(rules)
}

pub fn manifest(choices: &mut Choices) -> Value {
    let mut manifest = json!({ "site": { "id": "x" }, "slots": {}, "experiences": [] });
    let slots = ["s0", "s1", "s2"];
    for slot in slots {
        manifest["slots"][slot] = json!({ "selector": format!("#{slot}"), "pages": pages(choices) });
    }
    if choices.below(4) == 0 {
        manifest["holdout"] = json!(0.5);
    }
    for number in 0..2 + choices.below(4) {
        manifest["experiences"].as_array_mut().unwrap().push(experience(choices, number, &slots));
    }
    manifest
}

fn experience(choices: &mut Choices, number: usize, slots: &[&str]) -> Value {
    let experiment = choices.below(3) == 0;
    let content = match (choices.below(6), experiment) {
        (0, false) => json!({ "text": "{{ geo.city }}" }),
        (_, false) => json!({ "text": "x" }),
        (_, true) => json!([{ "baseline": true }, { "text": "x" }]),
    };
    let mut experience = json!({
        "id": format!("e{number}"), "type": if experiment { "experiment" } else { "personalization" },
        "priority": choices.below(3), "pages": pages(choices), "slots": {},
    });
    for _ in 0..1 + choices.below(2) {
        experience["slots"][choices.one_of(slots)] = content.clone();
    }
    if choices.below(2) == 0 {
        experience["audience"] = json!(choices.one_of(AUDIENCES));
    }
    if choices.below(4) == 0 {
        let (from, until) = (choices.below(3), 1 + choices.below(3));
        let until = until.max(from + 1);
        experience["schedule"] = match choices.below(3) {
            0 => json!({ "from": DAYS[from] }),
            1 => json!({ "until": DAYS[until] }),
            _ => json!({ "from": DAYS[from], "until": DAYS[until] }),
        };
    }
    match choices.below(10) {
        0 => experience["traffic"] = json!(0.5),
        1 => experience["holdout"] = json!(0.5),
        2 => experience["purpose"] = json!("analytics"),
        _ => {}
    }
    experience
}

pub fn visitor(choices: &mut Choices) -> Value {
    let (host, path) = (choices.one_of(&["x.example", "y.example", "z.test"]), choices.one_of(PATHS));
    let query = choices.one_of(&["", "", "?q=x", "?q=y"]);
    let some = |choices: &mut Choices, values: &[&'static str]| if choices.below(4) == 0 { "" } else { choices.one_of(values) };
    json!({
        "url": format!("https://{host}{path}{query}"),
        "now": format!("{}T{}:00:00Z", choices.one_of(&["2026-10-31", "2026-11-05", "2026-11-15", "2026-11-25", "2026-12-05"]), choices.one_of(&["00", "12"])),
        "context": {
            "geo.country": some(choices, &["FR", "DE", "US"]),
            "geo.is_eu": some(choices, &["true", "false"]),
            "geo.city": some(choices, &["Lyon"]),
            "visitor.id": some(choices, IDS),
            "consent.personalization": some(choices, &["true", "true", "false"]),
            "consent.analytics": some(choices, &["true", "false"]),
        },
    })
}
