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

/// Not every one is accepted: what comes by chance may contradict itself.
pub fn manifest(choices: &mut Choices) -> Value {
    let mut manifest = json!({ "site": { "id": "x" }, "slots": {}, "experiences": [],
        "traits": { "team": { "type": "string", "purpose": "personalization" } },
        "layers": { "l": {} }, "groups": { "g": {}, "h": { "max": 2 } } });
    let slots = ["s0", "s1", "s2"];
    for slot in slots {
        manifest["slots"][slot] = json!({ "selector": format!("#{slot}"), "pages": pages(choices) });
    }
    if choices.below(4) == 0 {
        manifest["holdout"] = json!(0.5);
    }
    if choices.below(4) == 0 {
        manifest["groups"]["g"]["cap"] = cap(choices);
    }
    if choices.below(4) == 0 {
        manifest["cap"] = cap(choices);
    }
    let mut experiences: Vec<Value> = (0..2 + choices.below(4)).map(|number| experience(choices, number, &slots)).collect();
    if choices.below(6) == 0 {
        // Two of one group, which chance rarely brings.
        let of_group = |id: &str, priority: usize, slot: &str| json!({ "id": id, "type": "personalization", "priority": priority, "groups": ["g"], "slots": { slot: { "text": "x" } } });
        experiences.extend([of_group("first", 9, "s0"), of_group("second", choices.below(3), "s1")]);
    }
    manifest["experiences"] = json!(experiences);
    manifest
}

fn cap(choices: &mut Choices) -> Value {
    let part = choices.one_of(&["session", "day", "week", "total", "cooldown_minutes"]);
    json!({ part: 1 + choices.below(3) })
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
    match choices.below(16) {
        0 => experience["traffic"] = json!(0.5),
        1 => experience["holdout"] = json!(0.5),
        2 => experience["purpose"] = json!("analytics"),
        3 => experience["status"] = json!(choices.one_of(&["draft", "paused", "running"])),
        4 => experience["traffic"] = json!({ "ramp": "steps", "points": [{ "at": "2026-11-10", "share": 1 }] }),
        5 => experience["cap"] = cap(choices),
        6 => experience["global_cap"] = json!(false),
        7 => experience["unit"] = json!(choices.one_of(&["user", "profile.team"])),
        _ => {}
    }
    if choices.below(3) == 0 {
        experience["groups"] = choices.one_of(&[&["g"][..], &["g"], &["g"], &["h"], &["g", "h"]]).into();
    } else if choices.below(6) == 0 {
        experience["suppresses"] = json!([choices.one_of(&["g", "h"])]);
        experience["priority"] = json!(5 + choices.below(2));
        if choices.below(2) == 0 {
            experience["slots"] = json!({});
            experience["type"] = json!("personalization");
            return experience;
        }
    }
    if choices.below(6) == 0 {
        let from = choices.below(2) * 5;
        experience["layer"] = json!({ "name": "l", "from": from as f64 / 10.0, "to": (from + 5) as f64 / 10.0 });
    }
    if choices.below(3) == 0 && number > 0 {
        let mut required = json!({ "experience": format!("e{}", choices.below(number)) });
        if choices.below(2) == 0 {
            required["variants"] = choices.one_of(&[&[0][..], &[1], &[0, 1]]).into();
        }
        experience["requires"] = json!([required]);
    }
    if experiment {
        match choices.below(6) {
            0 => experience["sticky"] = json!(true),
            1 => experience["winner"] = json!(choices.below(2)),
            2 => experience["weights"] = choices.one_of(&[&[1, 0][..], &[0, 1], &[1, 3]]).into(),
            3 if choices.below(2) == 0 => {
                let other = choices.one_of(slots);
                let of = |slot: &str| json!({ "slots": { slot: content.clone() } });
                let first = experience["slots"].as_object().unwrap().keys().next().unwrap().clone();
                experience["slots"] = json!({});
                experience["factors"] = json!({ "f": of(&first) });
                if other != first {
                    experience["factors"]["h"] = of(other);
                }
            }
            _ => {}
        }
    }
    experience
}

/// Counts and a last time, as they are kept of what was seen.
fn seen(choices: &mut Choices) -> String {
    let last =
        choices.one_of(&["2026-11-05T00:00:00Z", "2026-11-14T23:30:00Z", "2026-11-15T11:50:00Z", "2026-11-24T00:00:00Z"]);
    let counts: Vec<String> = (0..4).map(|_| choices.below(3).to_string()).collect();
    format!("{},{last}", counts.join(","))
}

pub fn visitor(choices: &mut Choices) -> Value {
    let (host, path) = (choices.one_of(&["x.example", "y.example", "z.test"]), choices.one_of(PATHS));
    let query = choices.one_of(&["", "", "?q=x", "?q=y"]);
    let some = |choices: &mut Choices, values: &[&'static str]| if choices.below(4) == 0 { "" } else { choices.one_of(values) };
    let mut profile = serde_json::Map::new();
    if choices.below(2) == 0 {
        for number in 0..5 {
            match choices.below(4) {
                0 => drop(profile.insert(format!("assignment.e{number}"), choices.one_of(&["0", "1", "1,0"]).into())),
                1 => drop(profile.insert(format!("seen.e{number}"), seen(choices).into())),
                _ => {}
            }
        }
        for key in ["seen_group.g", "seen_group.h", "seen_site"] {
            if choices.below(3) == 0 {
                profile.insert(key.to_owned(), seen(choices).into());
            }
        }
        profile.insert("visitor.user_id".to_owned(), choices.one_of(IDS).into());
    }
    json!({
        "url": format!("https://{host}{path}{query}"),
        "now": format!(
            "{}T{}:00:00Z",
            choices.one_of(&["2026-10-31", "2026-11-05", "2026-11-15", "2026-11-25", "2026-12-05"]),
            choices.one_of(&["00", "12"])
        ),
        "profile": profile,
        "context": {
            "geo.country": some(choices, &["FR", "DE", "US"]),
            "geo.is_eu": some(choices, &["true", "false"]),
            "geo.city": some(choices, &["Lyon"]),
            "profile.team": some(choices, &["one", "two", "three"]),
            "visitor.id": some(choices, IDS),
            "consent.personalization": some(choices, &["true", "true", "false"]),
            "consent.analytics": some(choices, &["true", "false"]),
        },
    })
}
