//! The author's module: what consoles and editors load, where a person writes a manifest. Check and compile one, evaluate an
//! expression; plain JavaScript objects in and out.

use idoine::compile::{
    CheckReport, Compiled, EvaluationReport, Zones, check as check_manifest, evaluate as evaluate_expression,
};
use idoine::diagnostic::Diagnostic;
use idoine::expr::Bindings;
use idoine_objects::{NO_RESULT, from_js, to_js};
use js_sys::Function;
use serde::Serialize;
use wasm_bindgen::prelude::*;

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
    let bindings: Bindings = from_js(bindings)?;
    let manifest = Some(manifest).filter(|manifest| !manifest.is_empty());
    let result = evaluate_expression(expression, &bindings.0, manifest, &HostZones(zones));
    to_js(&EvaluationReport::new(expression, &result))
}
