//! Explanations as text for people.

use super::explanation::{ExperienceReport, ExplanationReport, StepReport};
use crate::explain::{Clause, Join, Membership, reading_text, step_text};
use std::fmt::Write as _;

/// An explanation as a table for people: every slot, and every experience that names it with its reason. Behind it what the
/// steps looked at: the parts of each audience with their values, schedules, draws.
pub fn explanation_text(report: &ExplanationReport<'_>) -> String {
    let mut out = String::new();
    for (path, expected) in report.ignored {
        let _ = writeln!(out, "ignored {path}: expected {expected}");
    }
    table(report, &mut out);
    for experience in &report.experiences {
        section(experience, report.context.1.now, &mut out);
    }
    out
}

/// An audience and why somebody belongs to it or does not: its parts with their values.
pub fn membership_text(membership: &Membership<'_>) -> String {
    let mut out = String::new();
    clause(&membership.clause, "", 0, &mut out);
    out
}

fn table(report: &ExplanationReport<'_>, out: &mut String) {
    let width = |texts: &mut dyn Iterator<Item = &str>| texts.map(|text| text.chars().count()).max().unwrap_or(0);
    let slot_width = width(&mut report.slots.iter().map(|slot| slot.slot)).max(4);
    let experience_width = width(&mut report.experiences.iter().map(|one| one.experience)).max("experience".len());
    let _ = writeln!(out, "{:slot_width$}  {:experience_width$}  reason", "slot", "experience");
    for slot in &report.slots {
        let decision = report.decisions.iter().find(|decision| decision.slot == slot.slot);
        if slot.candidates.is_empty() {
            let _ = writeln!(out, "{:slot_width$}  {:experience_width$}  no experience names this slot", slot.slot, "-");
        }
        for (index, candidate) in slot.candidates.iter().enumerate() {
            let name = if index == 0 { slot.slot } else { "" };
            let mut reason = candidate.reason.to_owned();
            if let Some(decision) = decision.filter(|decision| decision.experience == Some(candidate.experience)) {
                let factor = decision.factor.map(|factor| format!(" of {factor}")).unwrap_or_default();
                reason = format!("{reason} -> variant {}{factor} ({})", decision.variant, decision.source);
            } else if let Some(by) = candidate.by {
                reason = format!("{reason} by {by}");
            }
            let _ = writeln!(out, "{name:slot_width$}  {:experience_width$}  {reason}", candidate.experience);
        }
    }
    // Those that only suppress others.
    for experience in report.experiences.iter().filter(|one| !one.has_slots) {
        let by = experience.by.map(|by| format!(" by {by}")).unwrap_or_default();
        let _ = writeln!(out, "{:slot_width$}  {:experience_width$}  {}{by}", "-", experience.experience, experience.reason);
    }
}

/// What the step said at which an experience lost, or won without a unit.
fn section(report: &ExperienceReport<'_>, now: i64, out: &mut String) {
    let audience = report.audience.filter(|_| matches!(report.reason, "audience" | "unknown" | "no_consent"));
    // Which pages an experience is for says nothing of the visitor.
    let step = report.step.as_ref().filter(|_| report.reason != "page");
    if audience.is_none() && step.is_none() {
        return;
    }
    let _ = write!(out, "\n{}: {}", report.experience, report.reason);
    if let Some(StepReport(program, step)) = step {
        let _ = write!(out, ": {}", step_text(program, step, now));
    }
    out.push('\n');
    if let Some(clause) = audience {
        self::clause(clause, "", 0, out);
    }
}

/// A clause and those that it is made of, each on a line of its own: what it is, and what it reads.
fn clause(clause: &Clause, before: &str, depth: usize, out: &mut String) {
    let _ = write!(out, "  {:7}  {:indent$}{before}", clause.value.name(), "", indent = 2 * depth);
    match clause.join {
        Some(Join::All) => out.push_str("all of"),
        Some(Join::Any) => out.push_str("one of"),
        Some(Join::Not) => out.push_str("not"),
        Some(Join::If) => out.push_str("by a condition"),
        Some(Join::Audience) | None => out.push_str(&clause.text),
    }
    let mut notes: Vec<String> = clause.fields.iter().map(reading_text).collect();
    notes.extend(clause.error.map(str::to_owned));
    if !notes.is_empty() {
        let _ = write!(out, "  ({})", notes.join(", "));
    }
    out.push('\n');
    for (index, part) in clause.parts.iter().enumerate() {
        let before = match (clause.join, index) {
            (Some(Join::If), 0) => "if ",
            (Some(Join::If), 1) => "then ",
            (Some(Join::If), _) => "else ",
            _ => "",
        };
        self::clause(part, before, depth + 1, out);
    }
    if clause.left_out > 0 {
        let parts = if clause.left_out == 1 { "part is" } else { "parts are" };
        let _ = writeln!(out, "  {:7}  {:indent$}({} more {parts} not shown)", "", "", clause.left_out, indent = 2 * depth + 2);
    }
}
