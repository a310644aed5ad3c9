//! The tracking plan: in what an event is otherwise than the manifest says. Never fatal: the event is kept, and what is found is
//! told and counted.

use idoine::instant;
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
        let planned = |name: &str| rule.properties.iter().any(|property| property.path.split('.').next() == Some(name));
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
        "int" => value.as_i64().is_some() || value.as_f64().is_some_and(|number| number.abs() < 9e15 && number as i64 as f64 == number),
        "double" => value.is_number(),
        "string" => value.is_string(),
        "strings" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        "timestamp" => value.is_number() || value.as_str().is_some_and(|text| instant::parse(text).is_some()),
        // A type that is newer than this Worker.
        _ => true,
    }
}
