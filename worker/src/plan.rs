//! The tracking plan: in what an event is otherwise than the manifest says. Never fatal: the event is kept, and what is found is
//! told and counted.

use idoine::context::{Kind, Value as Known};
use idoine::learn::Rules;
use idoine::learn::rules::{EventRule, PropertyRule};
use serde::Serialize;
use serde_json::{Map, Value};

/// The most that is told of one event.
const MOST: usize = 16;

/// Bytes of a path that is told: names of properties that the plan does not know are the sender's own words.
const LONGEST: usize = 80;

/// What of an event is otherwise than planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct Violation {
    /// `unknown_event`, `missing_property`, `unknown_property`, `wrong_type`, `wrong_value` or `untrusted`.
    pub code: &'static str,
    /// The property, below `properties`; empty for the event itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What was expected.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub expected: String,
}

/// The plan's entry for an event: of what is tracked by its name, of everything else by its type.
pub fn rule<'a>(rules: &'a Rules, kind: &str, name: &str) -> Option<&'a EventRule> {
    let name = if kind == "track" { name } else { kind };
    rules.events.iter().find(|rule| rule.name == name)
}

/// What of an event is otherwise than its rule says; without a rule, whether there should be one.
pub fn violations(
    rules: &Rules,
    rule: Option<&EventRule>,
    kind: &str,
    properties: &Map<String, Value>,
    trusted: bool,
) -> Vec<Violation> {
    let mut found = Vec::new();
    let Some(rule) = rule else {
        if kind == "track" && !rules.events.is_empty() {
            found.push(violation("unknown_event", "", "an event of the plan".to_owned()));
        }
        return found;
    };
    if rule.trusted && !trusted {
        found.push(violation("untrusted", "", "a server's key: its money does not count".to_owned()));
    }
    for property in &rule.properties {
        check(property, properties, &mut found);
    }
    if !rule.properties.is_empty() && kind == "track" {
        let names = |path: &str, name: &str| path == name || path.split('.').next() == Some(name);
        let planned = |name: &str| rule.properties.iter().any(|property| names(&property.path, name));
        for name in properties.keys().filter(|name| !planned(name)) {
            found.push(violation("unknown_property", name, "a property of the plan".to_owned()));
        }
    }
    found.truncate(MOST);
    found
}

fn violation(code: &'static str, path: &str, expected: String) -> Violation {
    let end = (0..=LONGEST.min(path.len())).rev().find(|end| path.is_char_boundary(*end)).unwrap_or_default();
    Violation { code, path: path.get(..end).unwrap_or_default().to_owned(), expected }
}

/// Checks a property; of `products.` that of each product.
fn check(rule: &PropertyRule, properties: &Map<String, Value>, found: &mut Vec<Violation>) {
    match (rule.path.strip_prefix("products."), properties.get("products")) {
        (Some(path), Some(Value::Array(products))) => {
            // One of them tells it for all: an order has many.
            let wrong = products.iter().find_map(|product| {
                product.as_object().map_or_else(|| wrong(rule, None), |product| wrong(rule, at(product, path)))
            });
            found.extend(wrong);
        }
        _ => found.extend(wrong(rule, at(properties, &rule.path))),
    }
}

/// The value at a path. A name may hold dots itself: the whole of it is looked for first.
fn at<'a>(properties: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let value = properties.get(path).or_else(|| {
        let (name, rest) = path.split_once('.')?;
        at(properties.get(name)?.as_object()?, rest)
    });
    value.filter(|value| !value.is_null())
}

/// What is wrong with a property's value.
fn wrong(rule: &PropertyRule, value: Option<&Value>) -> Option<Violation> {
    let Some(value) = value else {
        return rule.required.then(|| violation("missing_property", &rule.path, rule.kind.clone()));
    };
    if !is(&rule.kind, value) {
        return Some(violation("wrong_type", &rule.path, rule.kind.clone()));
    }
    let known = |text: &Value| match text {
        Value::String(text) => rule.values.iter().any(|known| known == text),
        other => rule.values.contains(&other.to_string()),
    };
    let known = rule.values.is_empty()
        || match value {
            Value::Array(items) => items.iter().all(known),
            one => known(one),
        };
    (!known).then(|| violation("wrong_value", &rule.path, rule.values.join(", ")))
}

/// Whether a value is of a type of the manifest.
fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "bool" => value.is_boolean(),
        // What a double writes without a fraction is whole.
        "int" => {
            value.as_i64().is_some()
                || value.as_f64().is_some_and(|number| number.abs() < 9e15 && number as i64 as f64 == number)
        }
        "double" => value.is_number(),
        "string" => value.is_string(),
        "strings" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        "timestamp" => value.is_number() || value.as_str().is_some_and(|text| Known::parse(Kind::Timestamp, text).is_some()),
        // A type that is newer than this Worker.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use idoine::learn::rules::PurposeName;
    use serde_json::json;

    fn property(path: &str, kind: &str, required: bool, values: &[&str]) -> PropertyRule {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        PropertyRule { path: path.to_owned(), kind: kind.to_owned(), required, values, personal: false }
    }

    fn rules() -> Rules {
        let properties = vec![
            property("revenue", "double", true, &[]),
            property("currency", "string", false, &["EUR", "USD"]),
            property("coupons", "strings", false, &["A", "B"]),
            property("items", "int", false, &["1", "2"]),
            property("gift", "bool", false, &[]),
            property("due", "timestamp", false, &[]),
            property("ship.to", "string", false, &[]),
            property("products.price", "double", true, &[]),
        ];
        let order = EventRule { name: "Order".to_owned(), purpose: PurposeName::default(), trusted: true, properties };
        let page = EventRule {
            name: "page".to_owned(),
            properties: vec![property("section", "string", true, &[])],
            ..EventRule::default()
        };
        Rules { events: vec![order, page], ..Rules::default() }
    }

    fn found(kind: &str, name: &str, properties: Value, trusted: bool) -> Vec<(&'static str, String)> {
        let rules = rules();
        let Value::Object(properties) = properties else { panic!("{properties}") };
        let found = violations(&rules, rule(&rules, kind, name), kind, &properties, trusted);
        found.into_iter().map(|violation| (violation.code, violation.path)).collect()
    }

    #[test]
    fn what_is_planned_is_no_violation() {
        let good = json!({
            "revenue": 12.5, "currency": "EUR", "coupons": ["A", "B"], "items": 2, "gift": false, "due": "2026-11-20T12:00:00Z",
            "ship": { "to": "Lyon" }, "products": [{ "price": 1 }, { "price": 2.5, "more": 1 }],
        });
        assert_eq!(found("track", "Order", good, true), []);
        assert_eq!(found("track", "Order", json!({ "revenue": 0, "ship.to": "x", "products": [] }), true), []);
        // What is no call of `track` is planned where the plan names it.
        assert_eq!(found("identify", "", json!({}), false), []);
        assert_eq!(found("page", "Home", json!({ "section": "a", "url": "https://a.example/" }), false), []);
        assert_eq!(violations(&Rules::default(), None, "track", &Map::new(), false), []);
    }

    #[test]
    fn every_violation_is_told_with_its_place() {
        let bad = |properties: Value| found("track", "Order", properties, true);
        let rest = |mut more: Value| {
            for (name, value) in [("revenue", json!(1)), ("products", json!([]))] {
                more.as_object_mut().unwrap().entry(name).or_insert(value);
            }
            more
        };
        for (properties, code, path) in [
            (json!({ "products": [] }), "missing_property", "revenue"),
            (json!({ "revenue": null, "products": [] }), "missing_property", "revenue"),
            (json!({ "revenue": 1 }), "missing_property", "products.price"),
            (rest(json!({ "products": [{ "price": 1 }, {}, {}] })), "missing_property", "products.price"),
            (rest(json!({ "products": ["shoe"] })), "missing_property", "products.price"),
            (rest(json!({ "revenue": "12.5" })), "wrong_type", "revenue"),
            (rest(json!({ "items": 1.5 })), "wrong_type", "items"),
            (rest(json!({ "items": 1e300 })), "wrong_type", "items"),
            (rest(json!({ "gift": 1 })), "wrong_type", "gift"),
            (rest(json!({ "due": "soon" })), "wrong_type", "due"),
            (rest(json!({ "coupons": "A" })), "wrong_type", "coupons"),
            (rest(json!({ "coupons": ["A", 1] })), "wrong_type", "coupons"),
            (rest(json!({ "products": [{ "price": "1" }] })), "wrong_type", "products.price"),
            (rest(json!({ "ship": { "to": {} } })), "wrong_type", "ship.to"),
            (rest(json!({ "currency": "GBP" })), "wrong_value", "currency"),
            (rest(json!({ "coupons": ["A", "C"] })), "wrong_value", "coupons"),
            (rest(json!({ "items": 3 })), "wrong_value", "items"),
            (rest(json!({ "revenu": 1 })), "unknown_property", "revenu"),
        ] {
            assert_eq!(bad(properties.clone()), [(code, path.to_owned())], "{properties}");
        }
        assert_eq!(found("track", "Odrer", json!({}), true), [("unknown_event", String::new())]);
        assert_eq!(found("track", "Order", rest(json!({})), false), [("untrusted", String::new())]);
        assert_eq!(found("page", "Home", json!({}), false), [("missing_property", "section".to_owned())]);
    }

    #[test]
    fn what_is_told_is_bounded() {
        let names = (0..100).map(|at| (format!("é{}", "é".repeat(at)), json!(1)));
        let found = found("track", "Order", Value::Object(names.collect()), true);
        assert_eq!(found.len(), MOST);
        assert!(found.iter().all(|(_, path)| path.len() <= LONGEST), "{found:?}");
    }
}
