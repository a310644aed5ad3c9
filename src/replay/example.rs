//! A visitor for whom something changes, and why.

use super::reads::audience_fields;
use super::summary::Outcome;
use super::{Face, Seen};
use crate::context::{Request, Value};
use crate::decide::{Loss, Trace, decide_traced};
use crate::program::Program;
use serde::Serialize;
use std::collections::BTreeMap;

/// What every example tells.
const TOLD: [&str; 2] = ["device.type", "geo.country"];

/// A visitor for whom something changes.
#[derive(Debug, Clone, Serialize)]
pub struct Example {
    /// Where the visitor stands in the input.
    pub line: u64,
    /// The page's URL.
    pub url: String,
    /// The `anonymousId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Device, country, and what the audiences of both experiences read, as far as it is known.
    pub context: BTreeMap<String, Value>,
    /// Of these, what the old manifest derives otherwise; `null` where it knows nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub context_before: BTreeMap<String, Option<Value>>,
    /// Why the experience that won by the old manifest loses by the new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_winner: Option<Lost>,
    /// Why the experience that wins by the new manifest lost by the old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_winner: Option<Lost>,
}

/// Why an experience does not win where it does by the other manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The experience's id.
    pub experience: String,
    /// [`Loss`], `not_in_manifest`, or `not_in_slot`: it wins, but says nothing of this slot.
    pub reason: &'static str,
    /// The experience that it lost to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What one experience lost by.
struct Of {
    experience: u32,
    lost: Option<(Loss, Option<u32>)>,
}

impl Trace for Of {
    fn lost(&mut self, experience: u32, loss: Loss, by: Option<u32>) {
        if experience == self.experience {
            self.lost = Some((loss, by));
        }
    }
}

impl Example {
    pub(super) fn new(
        line: u64,
        request: &Request,
        [old, new]: [&Face<'_>; 2],
        [old_seen, new_seen]: [&Seen<'_>; 2],
        [from, to]: [Outcome<'_>; 2],
    ) -> Example {
        let moved = from.experience != to.experience;
        let lost = |winner: Option<&str>, face, seen| winner.filter(|_| moved).map(|winner| lost(winner, face, seen));
        let mut paths: Vec<&str> = TOLD.to_vec();
        for face in [old, new] {
            let winners = [from, to].into_iter().filter_map(|outcome| find(face.program, outcome.experience?));
            for field in winners.flat_map(|winner| audience_fields(face.program, winner)) {
                paths.push(face.program.field_path(field));
            }
        }
        let (mut context, mut context_before) = (BTreeMap::new(), BTreeMap::new());
        for path in paths {
            let value = |face: &Face<'_>, seen: &Seen<'_>| seen.context.get(face.program.field(path)?.0).cloned();
            let (before, after) = (value(old, old_seen), value(new, new_seen));
            if before != after {
                context_before.insert(path.to_owned(), before);
            }
            if let Some(after) = after {
                context.insert(path.to_owned(), after);
            }
        }
        Example {
            line,
            url: request.url.clone(),
            unit: new_seen.context.unit.clone(),
            context,
            context_before,
            old_winner: lost(from.experience, new, new_seen),
            new_winner: lost(to.experience, old, old_seen),
        }
    }
}

/// Why an experience that won by the other manifest does not win by this one.
fn lost(winner: &str, face: &Face<'_>, seen: &Seen<'_>) -> Lost {
    let experience = winner.to_owned();
    let Some(index) = find(face.program, winner) else {
        return Lost { experience, reason: "not_in_manifest", by: None };
    };
    let mut of = Of { experience: index, lost: None };
    decide_traced(face.program, &seen.context, &mut of);
    match of.lost {
        Some((loss, by)) => {
            let by = by.and_then(|by| face.program.experience(by)).map(|by| face.program.text(by.id).to_owned());
            Lost { experience, reason: loss.name(), by }
        }
        None => Lost { experience, reason: "not_in_slot", by: None },
    }
}

/// The number of the experience of that id.
fn find(program: &Program, id: &str) -> Option<u32> {
    (0..program.experience_count() as u32).find(|index| program.experience_id(*index) == id)
}
