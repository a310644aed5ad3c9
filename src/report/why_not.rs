//! What would have to change for an experience to win, as JSON and as text.

use crate::eval::Truth;
use crate::explain::{Change, Must, Reading, WhyNot};
use crate::program::Program;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::fmt::Write as _;

/// What would have to change for an experience to win.
#[derive(Debug, Serialize)]
pub struct WhyNotReport<'a> {
    /// The experience's id.
    pub experience: &'a str,
    /// Whether it won.
    pub won: bool,
    /// [`crate::Reason`] where it won, the first step that it fails where it lost.
    pub reason: &'static str,
    /// What is missing, where it won without a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// What would have to change, in the order of the steps.
    pub changes: Vec<ChangeReport<'a>>,
    /// How many other sets of clauses of its audience would do.
    #[serde(skip_serializing_if = "is_zero")]
    pub other_ways: usize,
    /// Overrides with which its audience is true, by path.
    #[serde(skip_serializing_if = "Overrides::is_empty")]
    pub overrides: Overrides<'a>,
    /// What else may be in its way and can't be told from here.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub unsure: &'a [&'static str],
}

/// One thing that would have to be otherwise.
#[derive(Debug, Serialize)]
pub struct ChangeReport<'a> {
    /// The step at which the experience loses without it: [`crate::Loss`].
    pub step: &'static str,
    /// What is, and what would have to be.
    pub text: &'a str,
    /// The experience that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a str>,
    /// The clause of the audience, as an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<&'a str>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Truth>,
    /// Whether it would have to be true, or false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<bool>,
    /// What it asks for, where that is a plain question.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub must: Option<&'a Must>,
    /// Whether its field never is what it asks for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub never: bool,
    /// What the clause reads.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub fields: &'a [Reading],
}

/// Overrides as an object from paths to texts.
#[derive(Debug)]
pub struct Overrides<'a>(pub &'a [(String, String)]);

impl Overrides<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Serialize for Overrides<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(path, text)| (path, text)))
    }
}

impl Serialize for Must {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("subject", &self.subject)?;
        map.serialize_entry("is", &self.is)?;
        map.serialize_entry("relation", self.relation.name())?;
        map.serialize_entry("values", &self.values)?;
        map.end()
    }
}

/// What would have to change for an experience to win.
pub fn why_not<'a>(program: &'a Program, found: &'a WhyNot) -> WhyNotReport<'a> {
    let change = |change: &'a Change| {
        let clause = change.clause.as_ref();
        ChangeReport {
            step: change.step.name(),
            text: &change.text,
            by: change.by.map(|other| program.experience_id(other)),
            clause: clause.map(|clause| clause.text.as_str()),
            value: clause.map(|clause| clause.value),
            wanted: clause.map(|clause| clause.wanted),
            must: clause.and_then(|clause| clause.must.as_ref()),
            never: clause.is_some_and(|clause| clause.never),
            fields: clause.map_or(&[], |clause| &clause.fields),
        }
    };
    WhyNotReport {
        experience: program.experience_id(found.experience),
        won: found.lost.is_none(),
        reason: match (found.lost, found.won) {
            (Some(loss), _) => loss.name(),
            (None, won) => won.map_or("", |reason| reason.name()),
        },
        note: found.note.as_deref(),
        changes: found.changes.iter().map(change).collect(),
        other_ways: found.other_ways,
        overrides: Overrides(&found.overrides),
        unsure: &found.unsure,
    }
}

/// The same as text for people.
pub fn why_not_text(report: &WhyNotReport<'_>) -> String {
    let WhyNotReport { experience, reason, .. } = report;
    if let Some(note) = report.note {
        return format!("{experience} won: {reason}. {note}.\n");
    }
    if report.won {
        return format!("{experience} won: {reason}. Nothing would have to change.\n");
    }
    let count = match report.changes.len() {
        1 => "this would have to change".to_owned(),
        2 => "both of these would have to change".to_owned(),
        count => format!("all {count} of these would have to change"),
    };
    let mut out = format!("{experience} lost: {reason}. For it to win, {count}:\n\n");
    let width = report.changes.iter().map(|change| change.step.len()).max().unwrap_or(0);
    for change in &report.changes {
        let _ = writeln!(out, "  {:width$}  {}", change.step, change.text);
    }
    match report.other_ways {
        0 => {}
        1 => out.push_str("\nThere is one other way to make its audience true.\n"),
        ways => {
            let _ = writeln!(out, "\nThere are {ways} other ways to make its audience true.");
        }
    }
    if report.overrides.0.is_empty() && report.changes.iter().any(|change| change.clause.is_some()) {
        out.push_str("\nNo values were found with which its audience is true.\n");
    }
    if !report.overrides.0.is_empty() {
        out.push_str("\nIts audience is true with these values:\n\n");
        for (path, text) in report.overrides.0 {
            let _ = writeln!(out, "  {path}={text}");
        }
    }
    if !report.unsure.is_empty() {
        out.push_str("\nNot known from here:\n\n");
        for what in report.unsure {
            let _ = writeln!(out, "  {what}");
        }
    }
    out
}
