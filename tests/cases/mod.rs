//! Reads and checks the language-neutral cases of `tests/spec` (see its README). Shared by every face that is tested from Rust.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, missing_docs)]

use serde_json::{Map, Value};

/// Every file of decisions.
#[allow(dead_code)] // Not every face decides.
pub const DECIDE: &[(&str, &str)] = &[
    ("arbitration", include_str!("../spec/decide/arbitration.json")),
    ("caps", include_str!("../spec/decide/caps.json")),
    ("caps-site", include_str!("../spec/decide/caps-site.json")),
    ("chains", include_str!("../spec/decide/chains.json")),
    ("contents", include_str!("../spec/decide/contents.json")),
    ("contexts", include_str!("../spec/decide/contexts.json")),
    ("enrichments", include_str!("../spec/decide/enrichments.json")),
    ("expressions", include_str!("../spec/decide/expressions.json")),
    ("factors", include_str!("../spec/decide/factors.json")),
    ("groups", include_str!("../spec/decide/groups.json")),
    ("holdouts", include_str!("../spec/decide/holdouts.json")),
    ("layers", include_str!("../spec/decide/layers.json")),
    ("lists", include_str!("../spec/decide/lists.json")),
    ("pages", include_str!("../spec/decide/pages.json")),
    ("prerequisites", include_str!("../spec/decide/prerequisites.json")),
    ("profiles", include_str!("../spec/decide/profiles.json")),
    ("ramps", include_str!("../spec/decide/ramps.json")),
    ("readings", include_str!("../spec/decide/readings.json")),
    ("reasons", include_str!("../spec/decide/reasons.json")),
    ("schedules", include_str!("../spec/decide/schedules.json")),
    ("schedules-lord-howe", include_str!("../spec/decide/schedules-lord-howe.json")),
    ("schedules-new-york", include_str!("../spec/decide/schedules-new-york.json")),
    ("shares", include_str!("../spec/decide/shares.json")),
    ("statuses", include_str!("../spec/decide/statuses.json")),
    ("steps", include_str!("../spec/decide/steps.json")),
    ("sticky", include_str!("../spec/decide/sticky.json")),
    ("until", include_str!("../spec/decide/until.json")),
    ("units", include_str!("../spec/decide/units.json")),
    ("users", include_str!("../spec/decide/users.json")),
    ("wholepage", include_str!("../spec/decide/wholepage.json")),
];

/// Every file of manifests that are refused.
#[allow(dead_code)] // Not every face reads manifests.
pub const MANIFEST: &[(&str, &str)] = &[
    ("errors", include_str!("../spec/manifest/errors.json")),
    ("errors-consent", include_str!("../spec/manifest/errors-consent.json")),
    ("errors-learn", include_str!("../spec/manifest/errors-learn.json")),
    ("errors-page", include_str!("../spec/manifest/errors-page.json")),
];

/// Every file of manifests that are warned of.
#[allow(dead_code)]
pub const WARNINGS: &[(&str, &str)] = &[("warnings", include_str!("../spec/manifest/warnings.json"))];

/// Audiences, and what is said of them.
#[allow(dead_code)]
pub const AUDIENCES: &[(&str, &str)] = &[("audiences", include_str!("../spec/manifest/audiences.json"))];

/// Experiences, and which shadow which.
#[allow(dead_code)]
pub const SHADOWS: &str = include_str!("../spec/manifest/shadows.json");

/// Calls `test` with every case of the files: name, manifest (or the case without one) and case.
#[allow(dead_code)]
pub fn each(files: &[(&str, &str)], mut test: impl FnMut(&str, &Value, &Value)) -> usize {
    let mut count = 0;
    for (file, text) in files {
        let document: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        for case in document["cases"].as_array().expect("cases") {
            test(&format!("{file}: {}", case["name"].as_str().expect("name")), &document["manifest"], case);
            count += 1;
        }
    }
    count
}

fn entries(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// `experience variant reason` of each decision.
fn decided(decisions: &Value) -> Map<String, Value> {
    let list = decisions.as_array().expect("decisions");
    list.iter()
        .map(|decision| {
            let experience = decision["experience"].as_str().unwrap_or("-");
            let text = format!("{experience} {} {}", decision["variant"], decision["reason"].as_str().unwrap());
            (decision["slot"].as_str().unwrap().to_owned(), Value::String(text))
        })
        .collect()
}

/// Compares decisions and edits with a case.
pub fn check_decisions(name: &str, case: &Value, decisions: &Value, edits: &Value) {
    assert_eq!(Value::Object(decided(decisions)), case["decisions"], "{name}");
    for (slot, factor) in entries(&case["factors"]) {
        let decision = decisions.as_array().expect("decisions").iter().find(|decision| decision["slot"] == slot.as_str());
        assert_eq!(decision.expect("a decision")["factor"], factor, "{name}: factor of {slot}");
    }
    for decision in decisions.as_array().expect("decisions") {
        let source = decision["source"].as_str().unwrap();
        let follows = match decision["reason"].as_str().unwrap() {
            "no_candidate" | "no_unit" => source == "baseline",
            "match" => source == "personalization",
            "split" => source == "experiment",
            _ => source != "baseline",
        };
        assert!(follows, "{name}: {decision}");
    }
    let Some(expected) = case["edits"].as_array() else { return };
    let edits = edits.as_array().expect("edits");
    assert_eq!(edits.len(), expected.len(), "{name}: {edits:?}");
    for (edit, expected) in edits.iter().zip(expected) {
        for (key, value) in entries(expected) {
            assert_eq!(edit[&key], value, "{name}: {key} of {edit}");
        }
        for key in ["name", "value"] {
            assert!(expected.get(key).is_some() || edit[key].as_str().unwrap_or_default().is_empty(), "{name}: {edit}");
        }
    }
}

/// Compares a whole explanation with a case.
#[allow(dead_code)] // The engine explains nothing.
pub fn check_explanation(name: &str, case: &Value, explanation: &Value) {
    check_decisions(name, case, &explanation["decisions"], &explanation["edits"]);
    for (path, expected) in entries(&case["context"]) {
        assert_eq!(explanation["context"][&path], expected, "{name}: {path}");
    }
    let on_page = decided(&explanation["decisions"]);
    for (experience, expected) in entries(&case["lost"]) {
        let slots = explanation["slots"].as_array().unwrap().iter();
        let everywhere = slots.clone().all(|slot| !on_page.contains_key(slot["slot"].as_str().unwrap()));
        let mut found = 0;
        for slot in slots {
            let is_on_page = on_page.contains_key(slot["slot"].as_str().unwrap());
            for candidate in slot["candidates"].as_array().unwrap() {
                if candidate["experience"] == experience.as_str() && (is_on_page || expected == "page" || everywhere) {
                    let by = candidate["by"].as_str().map(|by| format!(" by {by}")).unwrap_or_default();
                    assert_eq!(format!("{}{by}", candidate["reason"].as_str().unwrap()), expected, "{name}: {experience}");
                    found += 1;
                }
            }
        }
        assert!(found > 0, "{name}: {experience} is no candidate");
    }
}
