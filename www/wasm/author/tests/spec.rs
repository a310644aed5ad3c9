//! The language-neutral cases through the author's module's plain objects, in a real browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "../../../../tests/cases/mod.rs"]
mod cases;
#[path = "../../../../tests/cases/intl.rs"]
mod intl;

use idoine_author::{check, compile};
use js_sys::JSON;
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn from_js(value: &JsValue) -> Value {
    serde_json::from_str(&String::from(JSON::stringify(value).unwrap())).unwrap()
}

#[wasm_bindgen_test]
fn refused_manifests() {
    cases::each(cases::MANIFEST, |name, _, case| {
        let source = match &case["source"] {
            Value::String(text) => text.clone(),
            lines => lines.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n"),
        };
        let found = from_js(&check(&source, &intl::function()).unwrap_or_else(|_| panic!("{name}: check threw")));
        let compiled = from_js(&compile(&source, &intl::function()).unwrap_or_else(|_| panic!("{name}: compile threw")));
        assert_eq!(compiled["diagnostics"], found["errors"], "{name}");
        let places = |list: &Value| list.as_array().unwrap().iter().map(|error| error["line"].clone()).collect::<Vec<_>>();
        assert_eq!(places(&found["errors"]), places(&case["errors"]), "{name}");
    });
}

/// What overflows a stack natively at some depth does so far earlier in Wasm.
#[wasm_bindgen_test]
fn deep_and_large_manifests_are_errors() {
    let audience = |expression: String| json!({ "site": { "id": "x" }, "audiences": { "a": expression } }).to_string();
    for source in [
        "[".repeat(10_000),
        "{\"a\":".repeat(10_000),
        audience("(".repeat(10_000)),
        audience("!".repeat(9_000)),
        audience(format!("{}true", "geo.city == 'x' || ".repeat(1_500))),
        " ".repeat(50 << 20),
    ] {
        let found = from_js(&check(&source, &intl::function()).unwrap_or_else(|_| panic!("check threw")));
        let is_fine = source.contains("||");
        assert_eq!(found["errors"].as_array().unwrap().is_empty(), is_fine, "{found}");
    }
}
