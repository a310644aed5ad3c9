//! The language-neutral cases through the tools' plain objects, in a real browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "../../../../tests/cases/mod.rs"]
mod cases;
#[path = "../../../../tests/cases/intl.rs"]
mod intl;

use idoine::compile::compile;
use idoine_tools::{context, describe, explain, explain_text};
use intl::Intl;
use js_sys::JSON;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn to_js(value: &Value) -> JsValue {
    JSON::parse(&value.to_string()).unwrap()
}

fn from_js(value: &JsValue) -> Value {
    serde_json::from_str(&String::from(JSON::stringify(value).unwrap())).unwrap()
}

fn program(name: &str, source: &str) -> Vec<u8> {
    let program = compile(source, &Intl(intl::function())).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
    program.bytes().to_vec()
}

/// The offsets that a host would pass for a case's visitor.
fn offsets(visitor: &Value) -> Vec<f64> {
    let Some((zone, instant)) = zone_and_instant(visitor) else { return Vec::new() };
    let offsets = Intl(intl::function()).offsets(&zone, instant);
    let numbers = offsets.entries().iter().map(|(from, seconds)| [*from as f64, seconds.map_or(f64::NAN, f64::from)]);
    numbers.flatten().collect()
}

fn zone_and_instant(visitor: &Value) -> Option<(String, i64)> {
    let zone = visitor["context"]["geo.timezone"].as_str().or(visitor["cf"]["timezone"].as_str())?;
    let now = &visitor["now"];
    let instant = now.as_i64().or_else(|| now.as_str().map(|text| js_sys::Date::parse(text) as i64))?;
    Some((zone.to_owned(), instant))
}

#[wasm_bindgen_test]
fn explanations() {
    cases::each(cases::DECIDE, |name, manifest, case| {
        let program = program(name, &manifest.to_string());
        let visitor = || to_js(&case["visitor"]);
        let offsets = offsets(&case["visitor"]);
        let explained = explain(program.clone(), visitor(), &offsets).unwrap_or_else(|_| panic!("{name}: explain threw"));
        let explained = from_js(&explained);
        cases::check_explanation(name, case, &explained);
        let derived = context(program.clone(), visitor(), &offsets).unwrap_or_else(|_| panic!("{name}: context threw"));
        assert_eq!(from_js(&derived), explained["context"], "{name}");
        let text = explain_text(program, visitor(), &offsets).unwrap_or_else(|_| panic!("{name}: explain_text threw"));
        assert!(text.lines().any(|line| line.starts_with("slot")), "{name}: {text}");
    });
}

#[wasm_bindgen_test]
fn describes_a_program() {
    let source = r##"{ "site": { "id": "x" }, "slots": { "a": { "selector": "#a" } }, "personas": { "P": { "time.hour": 9, "language.accepted": ["fr", "en"] } },
        "experiences": [{ "id": "e", "type": "personalization", "slots": { "a": { "text": "b" } } }] }"##;
    let described = from_js(&describe(program("describe", source)).unwrap_or_else(|_| panic!("describe threw")));
    let expected = json!({ "version": described["version"], "site": "x", "slots": ["a"], "selectors": { "a": "#a" }, "experiences": ["e"],
        "personas": { "P": { "time.hour": "9", "language.accepted": "fr,en" } } });
    assert_eq!(described, expected);
    assert!(describe(vec![1, 2, 3]).is_err());
}

#[wasm_bindgen_test]
fn wrong_visitors_are_errors() {
    let program = program("wrong visitors", r#"{ "site": { "id": "x" } }"#);
    for bad in [
        json!({}),
        json!({ "now": 0, "headers": { "a": {} } }),
        json!({ "now": 0, "headers": [] }),
        json!({ "now": 0, "ulr": "https://shop.example/" }),
        json!([]),
        json!([["now", 0]]),
        json!(1),
        Value::Null,
    ] {
        assert!(explain(program.clone(), to_js(&bad), &[]).is_err(), "{bad}");
    }
}
