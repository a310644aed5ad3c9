//! What changes, as data.

use super::{Example, Face, Found, Replay, Slot};
use crate::decide::Decision;
use crate::program::Program;
use serde::Serialize;
use serde::ser::Serializer;
use std::collections::BTreeMap;

/// What changes from one manifest to another.
#[derive(Debug, Serialize)]
pub struct Summary<'p> {
    /// The manifest before.
    pub old: Side,
    /// The manifest after.
    pub new: Side,
    /// All visitors.
    pub visitors: u64,
    /// Lines of the input that are no visitor.
    pub unread: u64,
    /// Visitors for whom some decision changes.
    pub changed: u64,
    /// Visitors with the same decisions, whose page is edited otherwise all the same.
    pub content: u64,
    /// Visitors, of both kinds, whose page is edited otherwise.
    pub edited: u64,
    /// Every slot, those of the old manifest first.
    pub slots: Vec<SlotSummary<'p>>,
    /// Every experience, by id.
    pub experiences: Vec<Wins<'p>>,
    /// Of decisions that were logged: whether they come out the same.
    pub receipts: ReceiptSummary,
    /// Overrides and stored values that one of the manifests does not understand, by path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Ignored>,
}

/// One of the two manifests.
#[derive(Debug, Serialize)]
pub struct Side {
    /// The manifest's version.
    pub version: String,
    /// Number of its experiences.
    pub experiences: usize,
    /// Number of its slots.
    pub slots: usize,
}

/// What changes in a slot.
#[derive(Debug, Serialize)]
pub struct SlotSummary<'p> {
    /// The slot's id.
    pub slot: &'p str,
    /// The manifests that have it: `both`, `old` or `new`.
    #[serde(rename = "in")]
    pub side: &'static str,
    /// Visitors on whose page it is, by one of the manifests.
    pub visitors: u64,
    /// Those for whom its decision changes.
    pub changed: u64,
    /// Those with the same decision, for whom it is edited otherwise.
    pub content: u64,
    /// The changes, those of most visitors first.
    pub changes: Vec<Change<'p>>,
    /// Visitors with a change that stands for itself no more, there being so many of them.
    #[serde(skip_serializing_if = "is_zero")]
    pub others: u64,
    /// Visitors with the same decision, for whom it is edited otherwise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content_examples: Vec<Example>,
}

/// A change of a slot's decision.
#[derive(Debug, Serialize)]
pub struct Change<'p> {
    /// What the old manifest decides.
    pub from: Outcome<'p>,
    /// What the new one decides.
    pub to: Outcome<'p>,
    /// For how many visitors.
    pub visitors: u64,
    /// The share of those on whose page the slot is.
    pub share: f64,
    /// For how many of them the slot is edited otherwise; the others see what they saw.
    pub edited: u64,
    /// Some of them.
    pub examples: Vec<Example>,
}

/// What is decided for a slot; `null` in JSON when it is not on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Outcome<'p> {
    /// Whether the slot is on the page.
    pub on_page: bool,
    /// The id of the experience that won it.
    pub experience: Option<&'p str>,
    /// The variant, or the level of the factor that the slot belongs to; 0 is the baseline.
    pub variant: u32,
    /// That factor.
    pub factor: Option<&'p str>,
    /// [`crate::Source`]
    pub source: &'static str,
    /// [`crate::Reason`]
    pub reason: &'static str,
}

/// What is said of a slot that is on the page.
#[derive(Serialize)]
struct Shown<'p> {
    experience: Option<&'p str>,
    variant: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<&'p str>,
    source: &'static str,
    reason: &'static str,
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Outcome { on_page, experience, variant, factor, source, reason } = *self;
        on_page.then_some(Shown { experience, variant, factor, source, reason }).serialize(serializer)
    }
}

/// For how many visitors an experience wins some slot; nothing where the manifest does not have it.
#[derive(Debug, Serialize)]
pub struct Wins<'p> {
    /// The experience's id.
    pub experience: &'p str,
    /// By the old manifest.
    pub before: Option<u64>,
    /// By the new one.
    pub after: Option<u64>,
}

/// Whether decisions that were logged come out the same.
#[derive(Debug, Default, Serialize)]
pub struct ReceiptSummary {
    /// The same digest and the same decisions.
    pub same: u64,
    /// Another digest or other decisions.
    pub different: u64,
    /// Made by neither of the two programs.
    pub other_program: u64,
    /// Some of those that are different.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Unlike>,
}

/// A decision that was logged and comes out otherwise.
#[derive(Debug, Serialize)]
pub struct Unlike {
    /// Where it stands in the input.
    pub line: u64,
    /// Whether the context is another one.
    pub context: bool,
    /// Whether the decisions are other ones.
    pub decisions: bool,
}

/// An override that one of the manifests does not understand.
#[derive(Debug, Serialize)]
pub struct Ignored {
    /// What was to be overridden.
    pub path: String,
    /// What was expected instead.
    pub expected: String,
    /// Visitors for whom the old manifest does not understand it.
    pub old: u64,
    /// Visitors for whom the new one doesn't.
    pub new: u64,
}

impl<'p> Outcome<'p> {
    /// Of a slot that is not on the page.
    pub(super) const ABSENT: Outcome<'static> =
        Outcome { on_page: false, experience: None, variant: 0, factor: None, source: "baseline", reason: "no_candidate" };

    pub(super) fn of(program: &'p Program, decision: &Decision) -> Outcome<'p> {
        Outcome {
            on_page: true,
            experience: decision.experience.map(|experience| program.experience_id(experience)),
            variant: decision.variant,
            factor: decision.factor.map(|name| program.text(name)),
            source: decision.source.name(),
            reason: decision.reason.name(),
        }
    }

    /// Whether nothing changes: a slot that is not on the page shows what one shows that nobody won.
    pub(super) fn is_as(self, other: Outcome<'_>) -> bool {
        Outcome { on_page: true, ..self } == Outcome { on_page: true, ..other }
    }
}

impl Summary<'_> {
    /// Whether anything changes for anybody.
    pub fn is_changed(&self) -> bool {
        self.changed > 0 || self.content > 0
    }
}

impl ReceiptSummary {
    /// How many decisions that were logged came along.
    pub fn count(&self) -> u64 {
        self.same + self.different + self.other_program
    }
}

impl<'p> Replay<'p> {
    /// What was found.
    pub fn finish(mut self) -> Summary<'p> {
        self.ignored.sort_by(|one, other| one.path.cmp(&other.path));
        Summary {
            experiences: self.wins(),
            old: side(&self.old),
            new: side(&self.new),
            visitors: self.counts.visitors,
            unread: self.counts.unread,
            changed: self.counts.changed,
            content: self.counts.content,
            edited: self.counts.edited,
            slots: self.slots.into_iter().map(slot).collect(),
            receipts: self.receipts,
            ignored: self.ignored,
        }
    }

    fn wins(&self) -> Vec<Wins<'p>> {
        let ids = |face: &Face<'p>| {
            let (program, wins) = (face.program, face.wins.clone());
            wins.into_iter().enumerate().map(|(index, wins)| (program.experience_id(index as u32), wins))
        };
        let mut all: BTreeMap<&'p str, (Option<u64>, Option<u64>)> = BTreeMap::new();
        for (id, wins) in ids(&self.old) {
            all.entry(id).or_default().0 = Some(wins);
        }
        for (id, wins) in ids(&self.new) {
            all.entry(id).or_default().1 = Some(wins);
        }
        all.into_iter().map(|(experience, (before, after))| Wins { experience, before, after }).collect()
    }
}

fn side(face: &Face<'_>) -> Side {
    Side { version: face.version.clone(), experiences: face.program.experience_count(), slots: face.program.slot_count() }
}

fn slot(slot: Slot<'_>) -> SlotSummary<'_> {
    let all = slot.visitors;
    let change = |((from, to), found): ((_, _), Found)| Change {
        from,
        to,
        visitors: found.visitors,
        share: share(found.visitors, all),
        edited: found.edited,
        examples: found.examples,
    };
    let mut changes: Vec<Change<'_>> = slot.changes.into_iter().map(change).collect();
    changes
        .sort_by(|one, other| other.visitors.cmp(&one.visitors).then_with(|| (one.from, one.to).cmp(&(other.from, other.to))));
    SlotSummary {
        slot: slot.id,
        side: match (slot.old, slot.new) {
            (Some(_), Some(_)) => "both",
            (Some(_), None) => "old",
            _ => "new",
        },
        visitors: all,
        changed: slot.changed,
        content: slot.content,
        changes,
        others: slot.others,
        content_examples: slot.content_examples,
    }
}

/// To four decimals: ten thousandths tell visitors apart well enough.
fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { (part as f64 / all as f64 * 10_000.0).round() / 10_000.0 }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
