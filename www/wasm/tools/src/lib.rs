//! The tools: what is loaded when a person looks. Check and compile a manifest, derive a context, explain a decision;
//! plain JavaScript objects in and out.

use idoine::compile::{
    CheckReport, Compiled, EvaluationReport, Zones, check as check_manifest, evaluate as evaluate_expression,
};
use idoine::diagnostic::Diagnostic;
use idoine::expr::Bindings;
use idoine::report::{ContextReport, explanation, explanation_text};
use idoine::visitor::Visitor;
use idoine::{Context, Offsets, Program};
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

mod json;

/// As in the engine: some kilobytes smaller than the standard library's.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// The host's time zones: a function from zone and epoch milliseconds to seconds ahead of UTC, or `undefined`.
struct HostZones<'f>(&'f Function);

impl Zones for HostZones<'_> {
    fn offset(&self, zone: &str, instant: i64) -> Option<i32> {
        let seconds = self.0.call2(&JsValue::NULL, &zone.into(), &(instant as f64).into()).ok()?;
        seconds.as_f64().map(|seconds| seconds as i32)
    }
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    json::json(value).ok().and_then(|json| js_sys::JSON::parse(&json).ok()).ok_or_else(|| JsError::new(NO_RESULT))
}

const NO_RESULT: &str = "the result can't be made";

fn load(program: Vec<u8>) -> Result<Program, JsError> {
    Program::load(program).map_err(|error| JsError::new(&error.to_string()))
}

/// What there is to say of a manifest: `{ version, errors, warnings, degrees }`.
#[wasm_bindgen]
pub fn check(source: &str, zones: &Function) -> Result<JsValue, JsError> {
    to_js(&CheckReport::new(&check_manifest(source, &HostZones(zones))))
}

#[derive(Serialize)]
struct Refused {
    diagnostics: Vec<Diagnostic>,
}

/// Compiles a manifest: `{ program, version, warnings }`, or `{ diagnostics }` when it is refused.
#[wasm_bindgen]
pub fn compile(source: &str, zones: &Function) -> Result<JsValue, JsError> {
    match check_manifest(source, &HostZones(zones)) {
        Err(diagnostics) => to_js(&Refused { diagnostics }),
        Ok(Compiled { program, warnings, .. }) => {
            let result = js_sys::Object::new();
            let set = |key: &str, value: &JsValue| js_sys::Reflect::set(&result, &key.into(), value);
            let bytes = js_sys::Uint8Array::from(program.bytes());
            let warnings = to_js(&warnings)?;
            let done = set("program", &bytes).and_then(|_| set("version", &program.version().into()));
            done.and_then(|_| set("warnings", &warnings)).map(|_| result.into()).map_err(|_| JsError::new(NO_RESULT))
        }
    }
}

/// Evaluates an expression: `{ value, type, cost }`, `{ unknown, missing, type, cost }` or `{ error, errors }`. `bindings` is an
/// object of values by name (paths of fields, or names of their own); values are plain, or tell their type as in
/// `{ "uint": "5" }`, as those of results do. `manifest` is one's text, or empty.
#[wasm_bindgen]
pub fn evaluate(expression: &str, bindings: JsValue, manifest: &str, zones: &Function) -> Result<JsValue, JsError> {
    let bindings: Bindings = serde_wasm_bindgen::from_value(bindings).map_err(|error| JsError::new(&error.to_string()))?;
    let manifest = Some(manifest).filter(|manifest| !manifest.is_empty());
    let result = evaluate_expression(expression, &bindings.0, manifest, &HostZones(zones));
    to_js(&EvaluationReport::new(expression, &result))
}

#[derive(Serialize)]
struct Description<'a> {
    version: String,
    site: &'a str,
    slots: Vec<&'a str>,
    #[serde(serialize_with = "by_name")]
    selectors: Vec<(&'a str, &'a str)>,
    experiences: Vec<&'a str>,
    #[serde(serialize_with = "by_name")]
    personas: Vec<(&'a str, Values<'a>)>,
}

/// A persona's values by their paths.
#[derive(Serialize)]
struct Values<'a>(#[serde(serialize_with = "by_name")] Vec<(&'a str, &'a str)>);

/// Pairs as an object.
fn by_name<S: serde::Serializer, T: Serialize>(pairs: &[(&str, T)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// What a program holds: `{ version, site, slots, selectors, experiences, personas }`.
#[wasm_bindgen]
pub fn describe(program: Vec<u8>) -> Result<JsValue, JsError> {
    let program = load(program)?;
    let slots = || 0..program.slot_count() as u32;
    let selector = |slot| program.slot_selector(slot).or_else(|| program.slot_handed_over(slot));
    to_js(&Description {
        version: program.version(),
        site: program.site_id(),
        slots: slots().map(|slot| program.slot_id(slot)).collect(),
        selectors: slots().filter_map(|slot| Some((program.slot_id(slot), selector(slot)?))).collect(),
        experiences: (0..program.experience_count()).map(|index| program.experience_id(index as u32)).collect(),
        personas: program.personas().map(|(name, values)| (name, Values(values))).collect(),
    })
}

fn derive(program: &Program, visitor: JsValue, offsets: &[f64]) -> Result<Context, JsError> {
    let visitor: Visitor = serde_wasm_bindgen::from_value(visitor).map_err(|error| JsError::new(&error.to_string()))?;
    if visitor.now.is_none() {
        return Err(JsError::new("the visitor has no `now`; expected an instant such as 2026-11-20T12:30:00Z"));
    }
    Ok(Context::derive(program, &visitor.request(0, |_, _| Offsets::from_numbers(offsets))))
}

/// The context of a visitor: an object from paths to values. `offsets` are those of the visitor's zone, as
/// `Offsets::from_numbers` reads them.
#[wasm_bindgen]
pub fn context(program: Vec<u8>, visitor: JsValue, offsets: &[f64]) -> Result<JsValue, JsError> {
    let program = load(program)?;
    let context = derive(&program, visitor, offsets)?;
    to_js(&ContextReport(&program, &context))
}

/// Why each slot shows what it shows: `{ version, context, decisions, slots, experiences, edits }`.
#[wasm_bindgen]
pub fn explain(program: Vec<u8>, visitor: JsValue, offsets: &[f64]) -> Result<JsValue, JsError> {
    let program = load(program)?;
    let context = derive(&program, visitor, offsets)?;
    let explained = idoine::explain(&program, &context);
    let edits = idoine::edits(&program, &context, &explained.decisions);
    to_js(&explanation(&program, &context, &explained, &edits))
}

/// As `explain`, as text for people.
#[wasm_bindgen]
pub fn explain_text(program: Vec<u8>, visitor: JsValue, offsets: &[f64]) -> Result<String, JsError> {
    let program = load(program)?;
    let context = derive(&program, visitor, offsets)?;
    let explained = idoine::explain(&program, &context);
    let edits = idoine::edits(&program, &context, &explained.decisions);
    Ok(explanation_text(&explanation(&program, &context, &explained, &edits)))
}
