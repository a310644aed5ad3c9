//! The language as data: for editors (hover, completion) and for the reference page.

use super::functions::{FUNCTIONS, Function, Style};
use super::{MAX_COST, MAX_DEPTH, MAX_LENGTH, MAX_NODES, RESERVED};
use crate::context::FIELDS;
use crate::eval::{MAX_ITEMS, MAX_TEXT};
use serde_json::{Value, json};

/// Every operator, function and macro.
pub fn functions() -> Value {
    FUNCTIONS.iter().map(function).collect()
}

fn function(function: &Function) -> Value {
    let style = match function.style {
        Style::Operator => "operator",
        Style::Function => "function",
        Style::Method => "method",
        Style::Both => "both",
        Style::Macro => "macro",
    };
    let mut entry = json!({
        "id": function.signature, "name": function.name, "style": style,
        "signature": format!("{} -> {}", function.signature, function.result.name()),
        "arguments": function.arguments.iter().map(|argument| argument.name()).collect::<Vec<_>>(),
        "result": function.result.name(), "doc": function.doc, "missing": function.missing, "example": function.example,
    });
    if let Some(entry) = entry.as_object_mut()
        && !function.errors.is_empty()
    {
        entry.insert("errors".to_owned(), function.errors.into());
    }
    entry
}

/// What an editor needs to help with expressions: the fields that every site has, what is read of profiles, functions, reserved words
/// and limits.
pub fn expressions() -> Value {
    let fields = FIELDS.iter().map(|field| {
        let mut entry = json!({ "path": field.path, "type": super::Type::from(field.kind).name(), "doc": field.doc });
        if let (Some(entry), Some(purpose)) = (entry.as_object_mut(), field.purpose) {
            entry.insert("purpose".to_owned(), purpose.name().into());
        }
        entry
    });
    let limits = json!({
        "bytes": MAX_LENGTH, "words": MAX_NODES, "levels": MAX_DEPTH, "steps": MAX_COST, "items": MAX_ITEMS, "text_bytes": MAX_TEXT,
    });
    let readings = crate::compile::readings();
    json!({ "fields": fields.collect::<Vec<_>>(), "readings": readings, "functions": functions(), "keywords": RESERVED, "limits": limits })
}
