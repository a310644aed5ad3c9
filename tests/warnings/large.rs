//! Manifests that would keep a compiler busy for ever, were there no limits.

use serde_json::{Value, json};

/// `field == 1 || field == 2 ...`
pub fn choices(field: &str, count: usize) -> String {
    (1..=count).map(|number| format!("{field} == {number}")).collect::<Vec<_>>().join(" || ")
}

/// A site with audiences, each used by an experience with a slot of its own.
pub fn site(audiences: &[String]) -> Value {
    let mut manifest = json!({ "site": { "id": "x" }, "audiences": {}, "slots": {}, "experiences": [] });
    for (number, audience) in audiences.iter().enumerate() {
        let name = format!("a{number}");
        manifest["audiences"][&name] = json!(audience);
        manifest["slots"][&name] = json!({ "selector": format!("#{name}") });
        let experience = json!({ "id": format!("e{number}"), "type": "personalization", "audience": name, "slots": { &name: { "text": "x" } } });
        manifest["experiences"].as_array_mut().unwrap().push(experience);
    }
    manifest
}

/// Experiences that want one slot.
pub fn rivals(audiences: impl Iterator<Item = String>) -> Value {
    let experiences = audiences.enumerate().map(|(number, audience)| {
        json!({ "id": format!("e{number:05}"), "type": "personalization", "audience": audience, "slots": { "s": { "text": "x" } } })
    });
    json!({ "site": { "id": "x" }, "slots": { "s": { "selector": "#s" } }, "experiences": experiences.collect::<Vec<_>>() })
}
