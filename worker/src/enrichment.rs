//! Enrichments: the host asks their endpoints (`worker/js/enrichment.js`), the fields are read from the answers here.

use crate::json;
use crate::visit::Visit;
use idoine::context::Kind;
use idoine::program::Enrichment;
use idoine::{Context, Program, Request};
use serde::Serialize;
use serde_json::Value;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// What the host is asked for.
#[derive(Serialize)]
struct Wanted {
    url: String,
    cache_seconds: u32,
    timeout_ms: u32,
}

/// The context with what the enrichments tell that some experience of the page reads. `context` is that of `facts`; without
/// such an experience it is given back at once.
pub async fn enrich(visit: &Visit, program: &Program, facts: Request, context: Context) -> Context {
    let wanted = program.enrichments_for(&context);
    enrich_with(visit, program, wanted, facts, context).await
}

/// As [`enrich`], with all enrichments of the program.
pub async fn enrich_all(visit: &Visit, program: &Program, facts: Request, context: Context) -> Context {
    enrich_with(visit, program, program.enrichments().collect(), facts, context).await
}

async fn enrich_with(
    visit: &Visit,
    program: &Program,
    enrichments: Vec<Enrichment<'_>>,
    mut facts: Request,
    context: Context,
) -> Context {
    // A visitor that a preview describes may bring its own.
    if !facts.enrichments.is_empty() {
        return context;
    }
    let asked: Vec<_> = enrichments.into_iter().filter_map(|one| Some((one.url(&context)?, one))).collect();
    let wanted = asked.iter().map(|(url, one)| Wanted {
        url: url.clone(),
        cache_seconds: one.cache_seconds(),
        timeout_ms: one.timeout_ms(),
    });
    let wanted: Vec<Wanted> = wanted.collect();
    if wanted.is_empty() {
        return context;
    }
    let answers = answers(&visit.ask, &wanted, &program.version()).await.unwrap_or_default();
    for ((_, enrichment), answer) in asked.iter().zip(answers) {
        let Some(answer) = answer.and_then(|text| json::read::<Value>(&text).ok()) else { continue };
        let told = enrichment
            .fields()
            .filter_map(|(path, kind, place)| Some((path.to_owned(), text_of(kind, find(&answer, place)?)?)));
        facts.enrichments.extend(told);
    }
    if facts.enrichments.is_empty() { context } else { Context::derive(program, &facts) }
}

/// The answers that came in time, in the order in which they are wanted. `version` is that of the program, which the host keeps
/// pages by.
async fn answers(ask: &js_sys::Function, wanted: &[Wanted], version: &str) -> Option<Vec<Option<String>>> {
    let wanted = serde_json::to_string(wanted).ok()?;
    let promise = ask.call2(&JsValue::NULL, &wanted.into(), &version.into()).ok()?.dyn_into::<js_sys::Promise>().ok()?;
    let answers = JsFuture::from(promise).await.ok()?.dyn_into::<js_sys::Array>().ok()?;
    Some(answers.iter().map(|answer| answer.as_string()).collect())
}

/// What stands at a place such as `list.0.name`.
fn find<'a>(answer: &'a Value, place: &str) -> Option<&'a Value> {
    place.split('.').try_fold(answer, |value, step| match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A value as the text that the core reads; `None` for one of another type.
fn text_of(kind: Kind, value: &Value) -> Option<String> {
    Some(match (kind, value) {
        (Kind::Bool, Value::Bool(truth)) => truth.to_string(),
        (Kind::Int, Value::Number(number)) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            // JSON does not tell whole numbers from others, so neither do endpoints.
            None => (number.as_f64().filter(|number| number.abs() < 1e15)?.round() as i64).to_string(),
        },
        // Without an exponent, which the core does not read.
        (Kind::Double, Value::Number(number)) => number.as_f64()?.to_string(),
        (Kind::String | Kind::Timestamp, Value::String(text)) => text.clone(),
        (Kind::Strings, Value::Array(items)) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            // Commas separate them in the text.
            texts.filter(|texts| texts.iter().all(|text| !text.is_empty() && !text.contains(',')))?.join(",")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn finds_places() {
        let answer = json!({ "current": { "temp": 1, "0": "zero" }, "list": [{ "name": "a" }, [2]] });
        for (place, expected) in [
            ("current.temp", Some(json!(1))),
            ("current.0", Some(json!("zero"))),
            ("list.0.name", Some(json!("a"))),
            ("list.1.0", Some(json!(2))),
            ("list.2", None),
            ("list.-1", None),
            ("list.name", None),
            ("current.temp.0", None),
            ("other", None),
        ] {
            assert_eq!(find(&answer, place).cloned(), expected, "{place}");
        }
    }

    #[test]
    fn reads_by_type() {
        for (kind, value, expected) in [
            (Kind::Bool, json!(true), Some("true")),
            (Kind::Bool, json!("true"), None),
            (Kind::Bool, json!(1), None),
            (Kind::Int, json!(-3), Some("-3")),
            (Kind::Int, json!(21.5), Some("22")),
            (Kind::Int, json!(-21.5), Some("-22")),
            (Kind::Int, json!(1e300), None),
            (Kind::Int, json!("3"), None),
            (Kind::Int, json!(null), None),
            (Kind::Double, json!(21.6), Some("21.6")),
            (Kind::Double, json!(3), Some("3")),
            (Kind::Double, json!(1e-7), Some("0.0000001")),
            (Kind::Double, json!("21.6"), None),
            (Kind::String, json!("rain"), Some("rain")),
            (Kind::String, json!(3), None),
            (Kind::String, json!(["rain"]), None),
            (Kind::Strings, json!(["a", "b"]), Some("a,b")),
            (Kind::Strings, json!([]), Some("")),
            (Kind::Strings, json!(["a, b"]), None),
            (Kind::Strings, json!(["a", 1]), None),
            (Kind::Strings, json!("a"), None),
            (Kind::Timestamp, json!("2026-11-20T12:30:00Z"), Some("2026-11-20T12:30:00Z")),
            (Kind::Timestamp, json!(1), None),
            (Kind::Map, json!({ "a": "b" }), None),
        ] {
            assert_eq!(text_of(kind, &value).as_deref(), expected, "{kind:?} {value}");
        }
    }
}
