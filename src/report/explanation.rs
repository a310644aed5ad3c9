//! Explanations as JSON says them.

use super::{ContextReport, DecisionReport, EditReport, decisions, edits};
use crate::context::Context;
use crate::decide::Reason;
use crate::edit::Edit;
use crate::eval::Truth;
use crate::explain::{Candidate, Clause, Explained, Explanation, Limited, Reading, Step, Unassigned, of_one};
use crate::program::Program;
use crate::receipt::Receipt;
use crate::time::instant_text;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

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

/// An experience, and all that its step says.
#[derive(Debug, Serialize)]
pub struct ExperienceReport<'a> {
    /// The experience's id.
    pub experience: &'a str,
    /// [`crate::Reason`] where it won, [`crate::Loss`] where it lost.
    pub reason: &'static str,
    /// The experience that it lost to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a str>,
    /// What the step looked at where it lost; what is missing where it won without a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<StepReport<'a>>,
    /// Whether it names slots; else it only suppresses others.
    #[serde(skip)]
    pub has_slots: bool,
    /// Its audience, part by part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<&'a Clause>,
}

/// Everything about one decision.
#[derive(Debug, Serialize)]
pub struct ExplanationReport<'a> {
    /// The manifest's version.
    pub version: String,
    /// What the decision was made from.
    pub receipt: Receipt,
    /// The context's fields that are present.
    pub context: ContextReport<'a>,
    /// Overrides and stored values that were not understood, each with what was expected.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub ignored: &'a [(String, String)],
    /// One for each slot of the page.
    pub decisions: Vec<DecisionReport<'a>>,
    /// Every slot, on this page or not.
    pub slots: Vec<SlotReport<'a>>,
    /// Every experience, in the order of arbitration.
    pub experiences: Vec<ExperienceReport<'a>>,
    /// What the decisions do to the page.
    pub edits: Vec<EditReport<'a>>,
}

/// What a step looked at, with ids instead of numbers.
#[derive(Debug)]
pub struct StepReport<'a>(pub &'a Program, pub &'a Step);

#[derive(Serialize)]
struct SlotPages<'a> {
    slot: &'a str,
    pages: &'a [String],
}

impl Serialize for StepReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.1 {
            Step::Page { pages, slots } => {
                let slots = slots.iter().map(|(slot, pages)| SlotPages { slot: self.0.slot_id(*slot), pages });
                map.serialize_entry("pages", pages)?;
                map.serialize_entry("slots", &slots.collect::<Vec<_>>())?;
            }
            Step::Schedule { from, until } => {
                map.serialize_entry("from", &from.map(instant_text))?;
                map.serialize_entry("until", &until.map(instant_text))?;
            }
            Step::Content(missing) => map.serialize_entry("missing", missing)?,
            Step::Status(status) => map.serialize_entry("status", status)?,
            Step::Prerequisite(required) => {
                if self.0.experience(required.experience).is_some() {
                    map.serialize_entry("experience", self.0.experience_id(required.experience))?;
                }
                if let Some(factor) = &required.factor {
                    map.serialize_entry("factor", factor)?;
                }
                if !required.variants.is_empty() {
                    map.serialize_entry("variants", &required.variants)?;
                }
                match required.found {
                    Ok(variant) => map.serialize_entry("variant", &variant)?,
                    Err(Unassigned::Lost(loss)) => map.serialize_entry("reason", loss.name())?,
                    Err(Unassigned::NoUnit) => map.serialize_entry("reason", Reason::NoUnit.name())?,
                }
            }
            Step::Draw { unit, bucket, share, ramp } => {
                map.serialize_entry("unit", unit)?;
                map.serialize_entry("bucket", &of_one(*bucket))?;
                map.serialize_entry("share", &of_one(*share))?;
                if *ramp {
                    map.serialize_entry("ramp", ramp)?;
                }
            }
            Step::Layer { layer, unit, bucket, from, to } => {
                map.serialize_entry("layer", layer)?;
                map.serialize_entry("unit", unit)?;
                map.serialize_entry("bucket", &of_one(*bucket))?;
                map.serialize_entry("from", &of_one(*from))?;
                map.serialize_entry("to", &of_one(*to))?;
            }
            Step::Cap { of, per, count, on_page, limit } => {
                limited(&mut map, of)?;
                map.serialize_entry("per", per)?;
                map.serialize_entry("count", count)?;
                map.serialize_entry("on_page", on_page)?;
                map.serialize_entry("limit", limit)?;
            }
            Step::Cooldown { of, last, until } => {
                limited(&mut map, of)?;
                map.serialize_entry("last", &instant_text(*last))?;
                map.serialize_entry("until", &instant_text(*until))?;
            }
            Step::Group { group, max, .. } => {
                map.serialize_entry("group", group)?;
                if let Some(max) = max {
                    map.serialize_entry("max", max)?;
                }
            }
            Step::NoUnit { unit, needs } => {
                map.serialize_entry("unit", unit)?;
                if let Some(purpose) = needs {
                    map.serialize_entry("needs", purpose.name())?;
                }
            }
        }
        map.end()
    }
}

/// What a cap or a cooldown is for.
fn limited<M: SerializeMap>(map: &mut M, of: &Limited) -> Result<(), M::Error> {
    match of {
        Limited::Experience => map.serialize_entry("of", "experience"),
        Limited::Site => map.serialize_entry("of", "site"),
        Limited::Group(group) => {
            map.serialize_entry("of", "group")?;
            map.serialize_entry("group", group)
        }
    }
}

impl Serialize for Truth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Reading {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", &self.path)?;
        map.serialize_entry("value", &self.value)?;
        if let Some(purpose) = self.needs {
            map.serialize_entry("needs", purpose.name())?;
        }
        map.end()
    }
}

impl Serialize for Clause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("text", &self.text)?;
        map.serialize_entry("value", &self.value)?;
        if let Some(error) = self.error {
            map.serialize_entry("error", error)?;
        }
        if let Some(join) = self.join {
            map.serialize_entry("join", join.name())?;
            map.serialize_entry("parts", &self.parts)?;
        }
        if self.left_out > 0 {
            map.serialize_entry("left_out", &self.left_out)?;
        }
        if !self.fields.is_empty() {
            map.serialize_entry("fields", &self.fields)?;
        }
        map.end()
    }
}

/// Everything about one decision.
pub fn explanation<'a>(
    program: &'a Program,
    context: &'a Context,
    explanation: &'a Explanation,
    page_edits: &'a [Edit<'a>],
) -> ExplanationReport<'a> {
    let slots = explanation.slots.iter().enumerate().map(|(slot, candidates)| SlotReport {
        slot: program.slot_id(slot as u32),
        candidates: candidates.iter().map(|candidate| self::candidate(program, slot as u32, explanation, candidate)).collect(),
    });
    ExplanationReport {
        version: program.version(),
        receipt: Receipt::of(program, context),
        context: ContextReport(program, context),
        ignored: &context.ignored,
        decisions: decisions(program, &explanation.decisions),
        slots: slots.collect(),
        experiences: explanation.experiences.iter().map(|outcome| experience(program, outcome)).collect(),
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

fn experience<'a>(program: &'a Program, outcome: &'a Explained) -> ExperienceReport<'a> {
    let won = outcome.reason.map_or("", |reason| reason.name());
    ExperienceReport {
        experience: program.experience_id(outcome.experience),
        reason: outcome.loss.map_or(won, |loss| loss.name()),
        by: outcome.by.map(|winner| program.experience_id(winner)),
        step: outcome.step.as_ref().map(|step| StepReport(program, step)),
        has_slots: program.experience(outcome.experience).is_some_and(|one| !one.slots.is_empty()),
        audience: outcome.audience.as_ref(),
    }
}
