//! What enrichments told of a request: read by the types that the manifest declares. Anything else is unknown.

use super::{Context, Kind, Value};
use crate::program::Program;

#[inline(never)]
pub(super) fn derive(context: &mut Context, program: &Program, path: &str, text: &str) {
    let Some((field, kind, values)) = program.enrichment_field(path) else { return };
    let allowed = |text: &str| values.is_empty() || program.enrichment_values(values.clone()).any(|value| value == text);
    let value = match kind {
        // An endpoint may well know that there are none.
        Kind::Strings if text.is_empty() => Some(Value::Strings(Vec::new())),
        _ => Value::parse(kind, text).filter(|value| match value {
            Value::String(text) => !text.is_empty() && allowed(text),
            Value::Strings(texts) => texts.iter().all(|text| allowed(text)),
            _ => true,
        }),
    };
    context.put(field as usize, value);
}
