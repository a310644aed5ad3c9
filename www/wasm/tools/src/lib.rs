//! The tools: what is loaded when a person looks. Describe a program, derive a context, explain a decision; plain JavaScript objects
//! in and out. They read programs alone: manifests are the author's module's business.

use idoine::report::{ContextReport, explanation, explanation_text};
use idoine::visitor::Visitor;
use idoine::{Context, Offsets, Program};
use idoine_objects::{from_js, to_js};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// As in the engine: some kilobytes smaller than the standard library's.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

fn load(program: Vec<u8>) -> Result<Program, JsError> {
    Program::load(program).map_err(|error| JsError::new(&error.to_string()))
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
    let visitor: Visitor = from_js(visitor)?;
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
