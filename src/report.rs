//! Decisions, edits, contexts and explanations as JSON says them: ids instead of numbers.

use crate::context::{Context, Value};
use crate::decide::{Decision, Decisions};
use crate::edit::Edit;
use crate::explain::{Candidate, Explanation};
use crate::program::Program;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// What was decided for a slot.
#[derive(Debug, Serialize)]
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
    /// [`crate::Source`]
    pub source: &'static str,
    /// [`crate::Reason`]
    pub reason: &'static str,
}

/// One change to the elements of a slot.
#[derive(Debug, Serialize)]
pub struct EditReport<'a> {
    /// The slot's id.
    pub slot: &'a str,
    /// The slot's CSS selector; empty for a data slot.
    pub selector: &'a str,
    /// [`crate::EditOp`]
    pub op: &'static str,
    /// The attribute's name.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub name: &'a str,
    /// The value; left out when it is empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub value: &'a str,
}

/// A candidate of a slot.
#[derive(Debug, Serialize)]
pub struct CandidateReport<'a> {
    /// The experience's id.
    pub experience: &'a str,
    /// [`crate::Reason`] where it won, [`crate::Loss`] where it lost.
    pub reason: &'static str,
    /// The experience that took its slot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a str>,
}

/// A slot and its candidates.
#[derive(Debug, Serialize)]
pub struct SlotReport<'a> {
    /// The slot's id.
    pub slot: &'a str,
    /// The experiences that name it, in the order of arbitration.
    pub candidates: Vec<CandidateReport<'a>>,
}

/// Everything about one decision.
#[derive(Debug, Serialize)]
pub struct ExplanationReport<'a> {
    /// The manifest's version.
    pub version: String,
    /// The context's fields that are present.
    pub context: ContextReport<'a>,
    /// Overrides that were not understood, each with what was expected.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub ignored: &'a [(String, String)],
    /// One for each slot of the page.
    pub decisions: Vec<DecisionReport<'a>>,
    /// Every slot, on this page or not.
    pub slots: Vec<SlotReport<'a>>,
    /// What the decisions do to the page.
    pub edits: Vec<EditReport<'a>>,
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
    let report = |decision: &Decision| DecisionReport {
        slot: program.slot_id(decision.slot),
        experience: decision.experience.map(|experience| program.experience_id(experience)),
        variant: decision.variant,
        factor: decision.factor.map(|name| program.text(name)),
        source: decision.source.name(),
        reason: decision.reason.name(),
    };
    decisions.slots.iter().map(report).collect()
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

/// Everything about one decision.
pub fn explanation<'a>(
    program: &'a Program,
    context: &'a Context,
    explanation: &Explanation,
    page_edits: &'a [Edit<'a>],
) -> ExplanationReport<'a> {
    let slots = explanation.slots.iter().enumerate().map(|(slot, candidates)| SlotReport {
        slot: program.slot_id(slot as u32),
        candidates: candidates.iter().map(|candidate| self::candidate(program, slot as u32, explanation, candidate)).collect(),
    });
    ExplanationReport {
        version: program.version(),
        context: ContextReport(program, context),
        ignored: &context.ignored,
        decisions: decisions(program, &explanation.decisions),
        slots: slots.collect(),
        edits: edits(program, page_edits),
    }
}

fn candidate<'a>(program: &'a Program, slot: u32, explanation: &Explanation, candidate: &Candidate) -> CandidateReport<'a> {
    let decided = explanation.decisions.slots.iter().find(|decision| decision.slot == slot);
    let won = decided.map_or("", |decision| decision.reason.name());
    CandidateReport {
        experience: program.experience_id(candidate.experience),
        reason: candidate.loss.map_or(won, |loss| loss.name()),
        by: candidate.by.map(|winner| program.experience_id(winner)),
    }
}

/// An explanation as a table for people: every slot, and every experience that names it with its reason.
pub fn explanation_text(report: &ExplanationReport<'_>) -> String {
    let width = |texts: &mut dyn Iterator<Item = &str>| texts.map(|text| text.chars().count()).max().unwrap_or(0);
    let slot_width = width(&mut report.slots.iter().map(|slot| slot.slot)).max(4);
    let candidates = || report.slots.iter().flat_map(|slot| &slot.candidates);
    let experience_width = width(&mut candidates().map(|candidate| candidate.experience)).max("experience".len());
    let mut out = String::new();
    for (path, expected) in report.ignored {
        out.push_str(&format!("ignored {path}: expected {expected}\n"));
    }
    out.push_str(&format!("{:slot_width$}  {:experience_width$}  reason\n", "slot", "experience"));
    for slot in &report.slots {
        let decision = report.decisions.iter().find(|decision| decision.slot == slot.slot);
        if slot.candidates.is_empty() {
            out.push_str(&format!("{:slot_width$}  {:experience_width$}  no experience names this slot\n", slot.slot, "-"));
        }
        for (index, candidate) in slot.candidates.iter().enumerate() {
            let name = if index == 0 { slot.slot } else { "" };
            let mut reason = candidate.reason.to_owned();
            if let Some(decision) = decision.filter(|decision| decision.experience == Some(candidate.experience)) {
                reason = format!("{reason} -> variant {} ({})", decision.variant, decision.source);
            } else if let Some(by) = candidate.by {
                reason = format!("{reason} by {by}");
            }
            out.push_str(&format!("{name:slot_width$}  {:experience_width$}  {reason}\n", candidate.experience));
        }
    }
    out
}
