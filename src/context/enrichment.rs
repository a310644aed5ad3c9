//! What enrichments told of a request: read by the types that the manifest declares. Anything else is unknown.

use super::{Context, Kind, Request, Value};
use crate::program::Program;

pub(super) fn derive(context: &mut Context, request: &Request, program: &Program) {
    for (path, text) in &request.enrichments {
        let Some((field, kind, values)) = program.enrichment_field(path) else { continue };
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
}
