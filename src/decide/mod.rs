//! The decision: which experience each slot of a page shows, and why. One pass, pure.
//!
//! Order, fixed: page, status, schedule, audience and content (consent makes fields absent), prerequisites, holdouts, layer and
//! traffic (buckets), caps, arbitration by priority and id. Each candidate that lost has one reason, the first step at which it
//! lost. Variants that a preview forces come first.

mod assign;
mod caps;
mod reason;

#[cfg(feature = "author")]
pub(crate) use assign::MAX_CHAIN;
pub(crate) use assign::{Assigner, Assignment};
pub(crate) use caps::Shown;
#[cfg(feature = "explain")]
pub(crate) use caps::{Scope, counts, rests_until};
pub(crate) use reason::named;
pub use reason::{Loss, Reason, Source};

use crate::context::Context;
use crate::program::{Experience, Page, Program};

/// What was decided for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The slot's number in the program.
    pub slot: u32,
    /// The number of the experience that won it.
    pub experience: Option<u32>,
    /// The variant, or the level of the factor that the slot belongs to; 0 is the baseline.
    pub variant: u32,
    /// The number of the text that names that factor.
    pub(crate) factor: Option<u32>,
    /// What it comes from.
    pub source: Source,
    /// Why.
    pub reason: Reason,
    /// The number of the content to show in the program; `None` for the baseline.
    pub(crate) content: Option<u32>,
}

/// The decisions of a page: one for each of its slots, in the program's order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decisions {
    /// One for each slot that is on the page.
    pub slots: Vec<Decision>,
}

/// Told what becomes of every experience, in the order in which they are decided. `()` listens to nothing and costs nothing.
pub trait Trace {
    /// An experience lost; `by` is the one that is the reason.
    fn lost(&mut self, experience: u32, loss: Loss, by: Option<u32>);

    /// An experience won, though it may have no slot that shows it.
    fn won(&mut self, _experience: u32, _reason: Reason) {}
}

impl Trace for () {
    fn lost(&mut self, _: u32, _: Loss, _: Option<u32>) {}
}

/// Why a candidate lost, and the experience that is the reason.
type Lost = (Loss, Option<u32>);

/// Decides for every slot of the context's page.
pub fn decide(program: &Program, context: &Context) -> Decisions {
    decide_traced(program, context, &mut ())
}

/// As [`decide`], telling `trace` of every experience that lost.
pub fn decide_traced(program: &Program, context: &Context, trace: &mut impl Trace) -> Decisions {
    decide_with(&mut Assigner::new(program, context), trace)
}

/// As [`decide`], but by looking at every experience of the program: what the index is tested and measured against.
pub fn decide_by_scan(program: &Program, context: &Context) -> Decisions {
    decide_traced(program, context, &mut ())
}

/// As [`decide_traced`], with what the assigner knows already.
pub(crate) fn decide_with(assigner: &mut Assigner<'_>, trace: &mut impl Trace) -> Decisions {
    let (program, context) = (assigner.program, assigner.context);
    let page = Page::new(program, context);
    let mut decisions = Decisions::default();
    for slot in 0..program.slot_count() as u32 {
        if page.has_slot(slot) {
            decisions.slots.push(baseline(slot));
        }
    }
    let mut shown = Shown::default();
    // What a preview forces takes its slots before all others.
    let rounds = if context.profile.forces { 0..2 } else { 1..2 };
    for round in rounds {
        for experience in program.experiences() {
            if (round == 0) != experience.forced(program, context).is_some() {
                continue;
            }
            match candidate(assigner, &page, &experience, &mut shown, &mut decisions) {
                Ok(reason) => trace.won(experience.index, reason),
                Err((loss, by)) => trace.lost(experience.index, loss, by),
            }
        }
    }
    decisions
}

/// Takes an experience through all steps. Where it wins, its slots are its own from then on.
fn candidate(
    assigner: &mut Assigner<'_>,
    page: &Page,
    experience: &Experience,
    shown: &mut Shown,
    decisions: &mut Decisions,
) -> Result<Reason, Lost> {
    let program = assigner.program;
    if !experience.on_page(program, page) {
        return Err((Loss::Page, None));
    }
    let details = program.details(experience);
    let assignment = assigner.assign(experience, &details, 0)?;
    if assignment.reason != Reason::Forced {
        shown.check_caps(program, assigner.context, experience, &details)?;
    }
    shown.check_groups(program, &details)?;
    // All of its slots that are on this page, or none.
    for (slot, ..) in program.experience_slots(experience.slots.clone()) {
        if let Some(winner) = decisions.at(slot).and_then(|decision| decision.experience) {
            return Err((Loss::SlotTaken, Some(winner)));
        }
    }
    shown.add(program, experience, &details);
    for (slot, contents, factor) in program.experience_slots(experience.slots.clone()) {
        if let Some(decision) = decisions.at(slot) {
            let name = program.factor(details.factors().start.saturating_add(factor as usize));
            let factor_name = name.filter(|_| !details.factors().is_empty()).map(|(name, _)| name);
            *decision = assignment.decision(slot, experience, contents, factor, factor_name);
        }
    }
    Ok(assignment.reason)
}

impl Decisions {
    /// The decision of a slot of the page.
    #[inline(never)]
    fn at(&mut self, slot: u32) -> Option<&mut Decision> {
        let index = self.slots.binary_search_by_key(&slot, |decision| decision.slot).ok()?;
        self.slots.get_mut(index)
    }
}

fn baseline(slot: u32) -> Decision {
    Decision {
        slot,
        experience: None,
        variant: 0,
        factor: None,
        source: Source::Baseline,
        reason: Reason::NoCandidate,
        content: None,
    }
}

impl Assignment {
    /// What a slot of the experience shows. `contents` is the content of its variant 0.
    fn decision(&self, slot: u32, experience: &Experience, contents: u32, factor: u32, name: Option<u32>) -> Decision {
        let won = Decision { experience: Some(experience.index), factor: name, reason: self.reason, ..baseline(slot) };
        if self.reason == Reason::NoUnit {
            return won;
        }
        let variant = self.levels.level(factor);
        let source = if experience.experiment { Source::Experiment } else { Source::Personalization };
        Decision { variant, source, content: (variant > 0).then(|| contents.saturating_add(variant)), ..won }
    }
}
