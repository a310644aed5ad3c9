//! What enrichments told of a request: read by the types that the manifest declares. Anything else is unknown.

use super::{Context, Kind, Value};
use crate::program::{Program, Run};

#[inline(never)]
pub(super) fn derive(context: &mut Context, program: &Program, path: &str, text: &str) {
    let Some((field, kind, values)) = program.enrichment_field(path) else { return };
    let value = match kind {
        // An endpoint may well know that there are none.
        Kind::Strings if text.is_empty() => Some(Value::Strings(Vec::new())),
        _ => Value::parse(kind, text).filter(|value| match value {
            Value::String(text) => !text.is_empty() && is_allowed(program, &values, text),
            Value::Strings(texts) => texts.iter().all(|text| is_allowed(program, &values, text)),
            _ => true,
        }),
    };
    context.put(field as usize, value);
}

/// Whether a text is one of the values that are allowed; all are where none is named.
#[inline(never)]
fn is_allowed(program: &Program, values: &Run, text: &str) -> bool {
    values.is_empty() || program.enrichment_values(values.clone()).any(|value| value == text)
}
