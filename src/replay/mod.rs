//! What another manifest would decide: the same visitors, decided by two programs and compared.
//!
//! A slot that is not on a visitor's page counts as one that no experience won: the page is the same.

mod example;
mod reads;
mod summary;

pub use example::{Example, Lost};
pub use summary::{Change, Ignored, Outcome, ReceiptSummary, Side, SlotSummary, Summary, Unlike, Wins};

use crate::context::{Context, Request};
use crate::decide::{Decision, Decisions, decide};
use crate::edit::{Edit, edits};
use crate::log::{Logged, LoggedDecision};
use crate::program::Program;
use crate::receipt::Receipt;
use crate::report::{self, DecisionReport};
use std::collections::HashMap;

/// The changes of a slot that are kept apart; those beyond are counted together. A million visitors fill no memory.
const MOST_CHANGES: usize = 1000;
/// The paths of overrides that some manifest does not know, of which more are not kept.
const MOST_IGNORED: usize = 100;

/// Two programs, and what was found of the visitors so far.
#[derive(Debug)]
pub struct Replay<'p> {
    old: Face<'p>,
    new: Face<'p>,
    /// Examples for each change.
    examples: usize,
    slots: Vec<Slot<'p>>,
    counts: Counts,
    receipts: ReceiptSummary,
    ignored: Vec<Ignored>,
}

/// One of the programs.
#[derive(Debug)]
struct Face<'p> {
    program: &'p Program,
    version: String,
    /// Visitors for whom each experience won some slot.
    wins: Vec<u64>,
}

#[derive(Debug, Default)]
struct Counts {
    visitors: u64,
    unread: u64,
    changed: u64,
    content: u64,
    edited: u64,
}

/// A slot of one of the programs, or of both.
#[derive(Debug)]
struct Slot<'p> {
    id: &'p str,
    old: Option<u32>,
    new: Option<u32>,
    visitors: u64,
    changed: u64,
    content: u64,
    content_examples: Vec<Example>,
    changes: HashMap<(Outcome<'p>, Outcome<'p>), Found>,
    others: u64,
}

#[derive(Debug, Default)]
struct Found {
    visitors: u64,
    edited: u64,
    examples: Vec<Example>,
}

/// What a program makes of a visitor.
struct Seen<'p> {
    context: Context,
    decisions: Decisions,
    edits: Vec<Edit<'p>>,
}

impl<'p> Face<'p> {
    fn new(program: &'p Program) -> Face<'p> {
        Face { program, version: program.version(), wins: vec![0; program.experience_count()] }
    }

    fn see(&mut self, request: &Request) -> Seen<'p> {
        let context = Context::derive(self.program, request);
        let decisions = decide(self.program, &context);
        let mut winners: Vec<u32> = decisions.slots.iter().filter_map(|decision| decision.experience).collect();
        winners.sort_unstable();
        winners.dedup();
        for winner in winners {
            if let Some(wins) = self.wins.get_mut(winner as usize) {
                *wins += 1;
            }
        }
        let edits = edits(self.program, &context, &decisions);
        Seen { context, decisions, edits }
    }

    fn outcome(&self, decision: Option<&Decision>) -> Outcome<'p> {
        decision.map_or(Outcome::ABSENT, |decision| Outcome::of(self.program, decision))
    }
}

impl Seen<'_> {
    fn decision(&self, slot: Option<u32>) -> Option<&Decision> {
        let index = self.decisions.slots.binary_search_by_key(&slot?, |decision| decision.slot).ok()?;
        self.decisions.slots.get(index)
    }

    fn edits(&self, slot: Option<u32>) -> impl Iterator<Item = (&str, u32, &str, &str)> {
        // Edits stand in the order of their slots.
        let from = self.edits.partition_point(|edit| slot.is_none_or(|slot| edit.slot < slot));
        let own = self.edits.iter().skip(from).take_while(move |edit| Some(edit.slot) == slot);
        own.map(|edit| (edit.selector, edit.op as u32, edit.name, edit.value.as_str()))
    }
}

impl<'p> Replay<'p> {
    /// Of two programs, with so many examples of each change.
    pub fn new(old: &'p Program, new: &'p Program, examples: usize) -> Replay<'p> {
        let ids = |program: &'p Program| (0..program.slot_count() as u32).map(|slot| (program.slot_id(slot), slot));
        let mut slots: Vec<Slot<'p>> = ids(old).map(|(id, slot)| Slot::new(id, Some(slot), None)).collect();
        let known: HashMap<&str, usize> = slots.iter().enumerate().map(|(index, slot)| (slot.id, index)).collect();
        for (id, slot) in ids(new) {
            match known.get(id).and_then(|index| slots.get_mut(*index)) {
                Some(known) => known.new = Some(slot),
                None => slots.push(Slot::new(id, None, Some(slot))),
            }
        }
        Replay {
            old: Face::new(old),
            new: Face::new(new),
            examples,
            slots,
            counts: Counts::default(),
            receipts: ReceiptSummary::default(),
            ignored: Vec::new(),
        }
    }

    /// Decides for a visitor by both programs. `line` is where the visitor stands in the input; `logged` what was decided
    /// for them before, where that is known.
    pub fn visitor(&mut self, line: u64, request: &Request, logged: Option<&Logged>) {
        let (old, new) = (self.old.see(request), self.new.see(request));
        self.counts.visitors += 1;
        let (mut changed, mut content, mut edited) = (false, false, false);
        for slot in &mut self.slots {
            let decisions = (old.decision(slot.old), new.decision(slot.new));
            if decisions == (None, None) {
                continue;
            }
            slot.visitors += 1;
            let from = self.old.outcome(decisions.0);
            let to = self.new.outcome(decisions.1);
            let other_edits = !old.edits(slot.old).eq(new.edits(slot.new));
            edited |= other_edits;
            let example = || Example::new(line, request, [&self.old, &self.new], [&old, &new], [from, to]);
            if !from.is_as(to) {
                changed = true;
                slot.changed += 1;
                slot.change((from, to), other_edits, self.examples, example);
            } else if other_edits {
                content = true;
                slot.content += 1;
                if slot.content_examples.len() < self.examples {
                    slot.content_examples.push(example());
                }
            }
        }
        self.counts.changed += u64::from(changed);
        self.counts.content += u64::from(content && !changed);
        self.counts.edited += u64::from(edited);
        if let Some(logged) = logged {
            self.check(line, logged, &old, &new);
        }
        self.note_ignored(&old.context, &new.context);
    }

    /// A line of the input is no visitor.
    pub fn unread(&mut self) {
        self.counts.unread += 1;
    }

    /// Whether a decision that was logged comes out the same again.
    fn check(&mut self, line: u64, logged: &Logged, old: &Seen<'_>, new: &Seen<'_>) {
        let (face, seen) = if logged.receipt.program == self.old.version {
            (&self.old, old)
        } else if logged.receipt.program == self.new.version {
            (&self.new, new)
        } else {
            self.receipts.other_program += 1;
            return;
        };
        let context = Receipt::of(face.program, &seen.context).context == logged.receipt.context;
        let as_decided = logged.decisions.as_ref().is_none_or(|logged| {
            let decisions = report::decisions(face.program, &seen.decisions);
            decisions.len() == logged.len() && decisions.iter().zip(logged).all(is_as_logged)
        });
        if context && as_decided {
            self.receipts.same += 1;
            return;
        }
        self.receipts.different += 1;
        if self.receipts.examples.len() < self.examples {
            self.receipts.examples.push(Unlike { line, context: !context, decisions: !as_decided });
        }
    }

    /// Counts the overrides that one of the manifests does not understand.
    fn note_ignored(&mut self, old: &Context, new: &Context) {
        for (side, context) in [old, new].into_iter().enumerate() {
            for (path, expected) in &context.ignored {
                let known = self.ignored.iter().position(|known| known.path == *path);
                if known.is_none() && self.ignored.len() < MOST_IGNORED {
                    self.ignored.push(Ignored { path: path.clone(), expected: expected.clone(), old: 0, new: 0 });
                }
                let at = known.unwrap_or(self.ignored.len().saturating_sub(1));
                if let Some(ignored) = self.ignored.get_mut(at).filter(|ignored| ignored.path == *path) {
                    *(if side == 0 { &mut ignored.old } else { &mut ignored.new }) += 1;
                }
            }
        }
    }
}

fn is_as_logged((decision, logged): (&DecisionReport<'_>, &LoggedDecision)) -> bool {
    decision.slot == logged.slot
        && decision.experience == logged.experience.as_deref()
        && decision.variant == logged.variant
        && decision.factor == logged.factor.as_deref()
        && decision.source == logged.source
        && decision.reason == logged.reason
}

impl<'p> Slot<'p> {
    fn new(id: &'p str, old: Option<u32>, new: Option<u32>) -> Slot<'p> {
        Slot {
            id,
            old,
            new,
            visitors: 0,
            changed: 0,
            content: 0,
            content_examples: Vec::new(),
            changes: HashMap::new(),
            others: 0,
        }
    }

    fn change(&mut self, change: (Outcome<'p>, Outcome<'p>), edited: bool, examples: usize, example: impl FnOnce() -> Example) {
        if self.changes.len() >= MOST_CHANGES && !self.changes.contains_key(&change) {
            self.others += 1;
            return;
        }
        let found = self.changes.entry(change).or_default();
        found.visitors += 1;
        found.edited += u64::from(edited);
        if found.examples.len() < examples {
            found.examples.push(example());
        }
    }
}
