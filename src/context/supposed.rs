//! What a context would be if some fields had other values: for those who explain what would have to change.

use super::{Context, Value, url};
use crate::consent::Purpose;
use crate::number::{push_double, push_int};
use crate::program::Program;
use crate::time::instant_text;

impl Context {
    /// This context with other values of some fields. What consent is missing for becomes absent; what else follows from a field
    /// (`Program::follows`) stays as it was.
    pub(crate) fn supposing(&self, program: &Program, values: &[(u32, Option<Value>)]) -> Context {
        let mut context = self.clone();
        for (field, value) in values {
            let purpose = program.field_path(*field).strip_prefix("consent.").and_then(Purpose::from_name);
            if let Some(purpose) = purpose {
                context.consent = context.consent.with(purpose, *value == Some(Value::Bool(true)));
            }
            context.put(*field as usize, value.clone());
        }
        for field in 0..context.values.len() {
            let denied = program.field_purpose(field as u32).is_some_and(|purpose| !context.consent.has(purpose));
            if let Some(place) = context.denied.get_mut(field) {
                *place = denied;
            }
            if denied {
                context.put(field, None);
            }
        }
        context
    }
}

impl Value {
    /// The text that [`Value::parse`] reads as this value; `None` where there is none.
    pub(crate) fn override_text(&self) -> Option<String> {
        let mut text = String::new();
        match self {
            Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) => push_int(&mut text, *value),
            Value::Double(value) => push_double(&mut text, *value),
            Value::String(value) => text.push_str(value),
            Value::Strings(values) => text = values.join(","),
            Value::Timestamp(ms) => text = instant_text(*ms),
            Value::Map(pairs) => {
                for (name, value) in pairs {
                    text.push_str(if text.is_empty() { "" } else { "&" });
                    url::encode(name, &mut text);
                    text.push('=');
                    url::encode(value, &mut text);
                }
            }
        }
        // An empty text makes a field absent.
        let kind = self.kind();
        (!text.is_empty() && Value::parse(kind, &text).as_ref() == Some(self)).then_some(text)
    }

    fn kind(&self) -> super::Kind {
        use super::Kind;
        match self {
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            Value::Double(_) => Kind::Double,
            Value::String(_) => Kind::String,
            Value::Strings(_) => Kind::Strings,
            Value::Timestamp(_) => Kind::Timestamp,
            Value::Map(_) => Kind::Map,
        }
    }
}
