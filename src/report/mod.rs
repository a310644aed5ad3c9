//! Decisions, edits, contexts and explanations as JSON says them: ids instead of numbers.

#[cfg(feature = "explain")]
mod explanation;
#[cfg(feature = "explain")]
mod text;
#[cfg(feature = "explain")]
mod why_not;

#[cfg(feature = "explain")]
pub use explanation::{CandidateReport, ExperienceReport, ExplanationReport, SlotReport, StepReport, explanation};
#[cfg(feature = "explain")]
pub use text::{explanation_text, membership_text};
#[cfg(feature = "explain")]
pub use why_not::{ChangeReport, Overrides, WhyNotReport, why_not, why_not_text};

pub use crate::number::Double;

use crate::context::{Context, Value};
use crate::decide::{Decision, Decisions};
use crate::edit::Edit;
use crate::program::Program;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What was decided for a slot.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Decision"))]
pub struct DecisionReport<'a> {
    /// The slot's id.
    pub slot: &'a str,
    /// The id of the experience that won it.
    pub experience: Option<&'a str>,
    /// The variant, or the level of the factor that the slot belongs to; 0 is the baseline.
    pub variant: u32,
    /// That factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<&'a str>,
    /// What it comes from: the name of a `Source`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::Source::NAMES)))]
    pub source: &'static str,
    /// Why: the name of a `Reason`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::Reason::NAMES)))]
    pub reason: &'static str,
}

/// One change to the elements of a slot.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Edit"))]
pub struct EditReport<'a> {
    /// The slot's id.
    pub slot: &'a str,
    /// The slot's CSS selector; empty for a data slot.
    pub selector: &'a str,
    /// What it does: the name of an `EditOp`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = crate::EditOp::NAMES)))]
    pub op: &'static str,
    /// The attribute's name.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: &'a str,
    /// The value; left out when it is empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub value: &'a str,
}

/// A context's fields that are present, as an object from paths to values.
#[derive(Debug, Clone, Copy)]
pub struct ContextReport<'a>(pub &'a Program, pub &'a Context);

impl Serialize for ContextReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (path, value) in self.1.present(self.0) {
            map.serialize_entry(&path, value)?;
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Double(value) => serializer.serialize_f64(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::Strings(values) => serializer.collect_seq(values),
            Value::Timestamp(ms) => serializer.serialize_str(&crate::time::instant_text(*ms)),
            Value::Map(pairs) => serializer.collect_map(pairs.iter().map(|(name, value)| (name, value))),
        }
    }
}

/// The decisions of a page.
pub fn decisions<'a>(program: &'a Program, decisions: &Decisions) -> Vec<DecisionReport<'a>> {
    decisions.slots.iter().map(|one| decision(program, one)).collect()
}

/// A decision.
pub fn decision<'a>(program: &'a Program, decision: &Decision) -> DecisionReport<'a> {
    DecisionReport {
        slot: program.slot_id(decision.slot),
        experience: decision.experience.map(|experience| program.experience_id(experience)),
        variant: decision.variant,
        factor: decision.factor.map(|name| program.text(name)),
        source: decision.source.name(),
        reason: decision.reason.name(),
    }
}

/// The edits of a page.
pub fn edits<'a>(program: &'a Program, edits: &'a [Edit<'a>]) -> Vec<EditReport<'a>> {
    let report = |edit: &'a Edit<'a>| EditReport {
        slot: program.slot_id(edit.slot),
        selector: edit.selector,
        op: edit.op.name(),
        name: edit.name,
        value: &edit.value,
    };
    edits.iter().map(report).collect()
}
