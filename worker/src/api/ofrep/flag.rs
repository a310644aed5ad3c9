//! A decision as the evaluation of a flag.

use idoine::{Decision, Edit, EditOp, Program, Reason, report};
use serde::Serialize;
use serde_json::{Value, json};

/// What a flag is worth.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepFlag"))]
pub struct Success<'a> {
    /// The flag's key: the slot's id.
    key: &'a str,
    /// Its value; without one the caller's default counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        any(test, feature = "openapi"),
        schemars(extend("type" = ["boolean", "string", "number", "object", "array"]))
    )]
    value: Option<Value>,
    /// OpenFeature's reason.
    #[cfg_attr(
        any(test, feature = "openapi"),
        schemars(extend("enum" = ["DEFAULT", "TARGETING_MATCH", "SPLIT", "STATIC"]))
    )]
    reason: &'static str,
    /// `baseline`, or experience and number of the variant, such as `hero-instagram:1`; with a factor its name between them.
    variant: String,
    /// What decided.
    metadata: Metadata<'a>,
}

/// What decided a flag.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepFlagMetadata"))]
struct Metadata<'a> {
    /// The experience that won the slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    experience: Option<&'a str>,
    /// Why: a reason of a decision, or `page` where the slot is not on the page.
    reason: &'static str,
    /// The program's version.
    version: String,
    /// Attributes of the context that did not count, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<String>,
}

/// The flag of a slot, which is decided unless it is not on the page.
pub fn success<'a>(
    program: &'a Program,
    slot: u32,
    decision: Option<&Decision>,
    edits: impl Iterator<Item = &'a Edit<'a>>,
    ignored: Option<String>,
) -> Success<'a> {
    let decided = decision.map(|decision| report::decision(program, decision));
    let variant = match &decided {
        Some(report) if report.variant > 0 => {
            let name = [report.experience, report.factor].into_iter().flatten();
            name.map(|part| format!("{part}:")).collect::<String>() + &report.variant.to_string()
        }
        _ => "baseline".to_owned(),
    };
    Success {
        key: program.slot_id(slot),
        value: value(edits),
        reason: decision.map_or("DEFAULT", |decision| reason(decision.reason)),
        variant,
        metadata: Metadata {
            experience: decided.as_ref().and_then(|report| report.experience),
            reason: decided.as_ref().map_or("page", |report| report.reason),
            version: program.version(),
            ignored,
        },
    }
}

/// OpenFeature's reason for ours.
fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Match => "TARGETING_MATCH",
        Reason::Split | Reason::Sticky => "SPLIT",
        // The same for all, whoever they are.
        Reason::Forced | Reason::Winner => "STATIC",
        Reason::NoUnit | Reason::NoCandidate => "DEFAULT",
    }
}

/// What a slot's edits are worth: a data slot's JSON, the text of a content that is one text, and otherwise the edits themselves.
/// `None` where nothing is edited, and where a data slot says null.
fn value<'a>(edits: impl Iterator<Item = &'a Edit<'a>>) -> Option<Value> {
    let edits: Vec<&Edit<'_>> = edits.collect();
    let whole = match edits.as_slice() {
        [] => return None,
        [edit] => match edit.op {
            EditOp::Json => return crate::json::read(&edit.value).ok().filter(|value: &Value| !value.is_null()),
            EditOp::Text | EditOp::Html | EditOp::Redirect | EditOp::Page => Some(edit.value.as_str().into()),
            _ => None,
        },
        _ => None,
    };
    Some(whole.unwrap_or_else(|| {
        let edits = edits.iter().map(|edit| {
            let mut one = json!({ "op": edit.op.name() });
            for (name, text) in [("name", edit.name), ("value", edit.value.as_str())] {
                if let (false, Some(one)) = (text.is_empty(), one.as_object_mut()) {
                    one.insert(name.to_owned(), text.into());
                }
            }
            one
        });
        json!({ "edits": edits.collect::<Vec<_>>() })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(op: EditOp, name: &'static str, value: &str) -> Edit<'static> {
        Edit { slot: 0, selector: "h1", op, name, value: value.to_owned() }
    }

    #[test]
    fn edits_have_a_value() {
        let one = |op, text| value([edit(op, "", text)].iter());
        assert_eq!(one(EditOp::Text, "Hello"), Some(json!("Hello")));
        assert_eq!(one(EditOp::Html, "<b>"), Some(json!("<b>")));
        assert_eq!(one(EditOp::Redirect, "/new"), Some(json!("/new")));
        assert_eq!(one(EditOp::Page, "/new"), Some(json!("/new")));
        assert_eq!(one(EditOp::Json, "{\"a\":[1]}"), Some(json!({ "a": [1] })));
        assert_eq!(one(EditOp::Json, "false"), Some(json!(false)));
        assert_eq!(one(EditOp::Json, "null"), None);
        assert_eq!(one(EditOp::Hide, ""), Some(json!({ "edits": [{ "op": "hide" }] })));
        assert_eq!(value([].iter()), None);
        let two = [edit(EditOp::Text, "", ""), edit(EditOp::Attribute, "href", "/x")];
        let expected = json!({ "edits": [{ "op": "text" }, { "op": "attribute", "name": "href", "value": "/x" }] });
        assert_eq!(value(two.iter()), Some(expected));
    }
}
