//! The language-neutral cases, natively.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, missing_docs)]

mod cases;
mod support;

use idoine::bucket::{Draw, bucket, murmur3_32};
use idoine::compile::compile;
use idoine::consent::{Consent, Purpose};
use idoine::report::{ContextReport, explanation};
use idoine::visitor::Visitor;
use idoine::{Context, Edit, EditOp, Offsets, wire};
use serde_json::Value;
use support::Iana;

#[test]
fn decisions() {
    let count = cases::each(cases::DECIDE, |name, manifest, case| {
        let program = compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{name}: {errors:#?}"));
        let visitor: Visitor =
            serde_json::from_value(case["visitor"].clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let context = Context::derive(&program, &visitor.request(0, support::offsets));
        let explained = idoine::explain(&program, &context);
        assert_eq!(explained.decisions, idoine::decide(&program, &context), "{name}: tracing changed a decision");
        let edits = idoine::edits(&program, &context, &explained.decisions);
        let report = serde_json::to_value(explanation(&program, &context, &explained, &edits)).unwrap();
        cases::check_explanation(name, case, &report);
    });
    assert!(count >= 60, "{count} cases");
}

/// Every case of `tests/spec/context`: the derived fields that it names have these values, `null` is absent.
#[test]
fn contexts() {
    let mut files: Vec<_> = std::fs::read_dir("tests/spec/context").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut wrong = Vec::new();
    for file in files {
        let document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let manifest = match &document["manifest"] {
            Value::Null => serde_json::json!({ "site": { "id": "contexts", "hosts": ["shop.example"] } }),
            manifest => manifest.clone(),
        };
        let program = compile(&manifest.to_string(), &Iana).unwrap_or_else(|errors| panic!("{file:?}: {errors:#?}"));
        for case in document["cases"].as_array().unwrap() {
            let name = format!("{}: {}", file.file_stem().unwrap().display(), case["name"].as_str().unwrap());
            let visitor: Visitor =
                serde_json::from_value(case["visitor"].clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let context = Context::derive(&program, &visitor.request(0, support::offsets));
            let found = serde_json::to_value(ContextReport(&program, &context)).unwrap();
            for (path, expected) in case["context"].as_object().unwrap_or_else(|| panic!("{name}: no context")) {
                assert!(program.field(path).is_some(), "{name}: {path} is no field");
                if &found[path] != expected {
                    wrong.push(format!("{name}: {path} is {}, expected {expected}", found[path]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of the values are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The enrichments that a page waits for, and what is asked of them.
#[test]
fn enrichments() {
    let document: Value = serde_json::from_str(include_str!("spec/enrichments.json")).unwrap();
    let program = compile(&document["manifest"].to_string(), &Iana).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let found: Vec<_> = program.enrichments().map(|one| (one.name(), one.cache_seconds(), one.timeout_ms())).collect();
    assert_eq!(found, [("weather", 600, 40), ("stock", 600, 50), ("event", 60, 50), ("unread", 600, 50)]);
    let weather = program.enrichments().next().unwrap();
    let found: Vec<_> = weather.fields().map(|(path, kind, place)| format!("{path} {} {place}", kind.name())).collect();
    assert_eq!(found[1], "enrichment.weather.degrees int current.temp_c");
    assert_eq!(found[6], "enrichment.weather.station string stations.0.name");
    for case in document["cases"].as_array().unwrap() {
        let visitor: Visitor = serde_json::from_value(case["visitor"].clone()).unwrap();
        let context = Context::derive(&program, &visitor.request(0, support::offsets));
        let asked = program.enrichments_for(&context);
        let urls: serde_json::Map<_, _> = asked.iter().map(|one| (one.name().to_owned(), one.url(&context).into())).collect();
        assert_eq!(Value::Object(urls), case["urls"], "{}", case["name"]);
    }
}

#[test]
fn refused_manifests() {
    cases::each(cases::MANIFEST, |name, _, case| {
        let source = support::source(&case["source"]);
        let errors = compile(&source, &Iana).err().unwrap_or_default();
        let found = serde_json::to_value(&errors).unwrap();
        let expected = case["errors"].as_array().unwrap();
        assert_eq!(errors.len(), expected.len(), "{name}: {errors:#?}");
        for (found, expected) in found.as_array().unwrap().iter().zip(expected) {
            for (key, value) in expected.as_object().unwrap() {
                match key.as_str() {
                    "message" | "help" => {
                        let text = found[key].as_str().unwrap_or_default();
                        assert!(text.contains(value.as_str().unwrap()), "{name}: {key} is {text:?}, expected {value}");
                    }
                    _ => assert_eq!(&found[key], value, "{name}: {key} of {found}"),
                }
            }
        }
        for error in &errors {
            let rendered = error.render("site.jsonc", &source);
            assert!(rendered.contains(&format!("site.jsonc:{}:{}", error.line, error.column)), "{rendered}");
            assert!(rendered.lines().any(|line| line.trim_end().ends_with('^')), "{rendered}");
        }
    });
}

#[test]
fn consents() {
    let vectors: Value = serde_json::from_str(include_str!("spec/consent.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        let value = case["value"].as_str().unwrap();
        let consent = Consent::of_request(Some(value), case["gpc"].as_bool().unwrap());
        let granted: Vec<&str> = consent.granted().map(Purpose::name).collect();
        assert_eq!(serde_json::json!(granted), case["granted"], "{case}");
        assert_eq!(Consent::from_cookie_value(value).is_some(), case["valid"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn buckets_are_frozen() {
    let vectors: Value = serde_json::from_str(include_str!("spec/buckets.json")).unwrap();
    for vector in vectors["murmur3_32"].as_array().unwrap() {
        let text = vector["text"].as_str().unwrap();
        let seed = vector["seed"].as_u64().unwrap() as u32;
        assert_eq!(u64::from(murmur3_32(text.as_bytes(), seed)), vector["hash"].as_u64().unwrap(), "{vector}");
    }
    for vector in vectors["buckets"].as_array().unwrap() {
        let purpose = match vector["purpose"].as_str().unwrap() {
            "site-holdout" => Draw::SiteHoldout,
            "holdout" => Draw::Holdout,
            "traffic" => Draw::Traffic,
            "variant" => Draw::Variant,
            other => panic!("{other}"),
        };
        let text = |key: &str| vector[key].as_str().unwrap().repeat(vector["repeat"].as_u64().unwrap_or(1) as usize);
        let found = bucket(purpose, vector["id"].as_str().unwrap(), &text("unit"), vector["total"].as_u64().unwrap() as u32);
        assert_eq!(u64::from(found), vector["bucket"].as_u64().unwrap(), "{vector}");
    }
}

#[test]
fn the_engines_bytes_are_frozen() {
    let vectors: Value = serde_json::from_str(include_str!("spec/wire.json")).unwrap();
    let requests = vectors["requests"].as_array().unwrap();
    for vector in requests {
        let hex = vector["hex"].as_str().unwrap();
        let bytes: Vec<u8> = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
        let request = wire::read_request(&bytes).unwrap();
        let pairs = |key: &str| -> Vec<(String, String)> { serde_json::from_value(vector[key].clone()).unwrap() };
        assert_eq!(request.now, vector["now"].as_f64().unwrap() as i64);
        let numbers = vector["offsets"].as_array().unwrap().iter().map(|number| number.as_f64().unwrap_or(f64::NAN));
        assert_eq!(request.offsets, Offsets::from_numbers(&numbers.collect::<Vec<_>>()));
        assert_eq!(request.url, vector["url"].as_str().unwrap());
        assert_eq!((&request.headers, &request.cf), (&pairs("headers"), &pairs("cf")));
        assert_eq!(request.overrides, pairs("overrides"));
        let told = if vector["enrichments"].is_null() { Vec::new() } else { pairs("enrichments") };
        assert_eq!(request.enrichments, told);
        for cut in 0..bytes.len() {
            let _ = wire::read_request(&bytes[..cut]);
        }
    }
    assert!(!requests.is_empty());
    for vector in vectors["edits"].as_array().unwrap() {
        let text = |edit: &Value, key: &str| edit[key].as_str().unwrap_or_default().to_owned();
        let written: Vec<[String; 5]> = (vector["edits"].as_array().unwrap().iter())
            .map(|edit| ["slot", "selector", "op", "name", "value"].map(|key| text(edit, key)))
            .collect();
        let edits = written.iter().map(|[slot, selector, op, name, value]| Edit {
            slot: vectors["names"]["slots"].as_array().unwrap().iter().position(|name| name == slot).unwrap() as u32,
            selector,
            op: *EditOp::ALL.iter().find(|known| known.name() == op).unwrap(),
            name,
            value: value.clone(),
        });
        let bytes = wire::write_edits(&edits.collect::<Vec<_>>());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, vector["hex"].as_str().unwrap(), "{}", vector["name"]);
    }
}
