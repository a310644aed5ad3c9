//! The decision: which experience each slot of a page shows, and why. One pass, pure.
//!
//! Order, fixed: page, status, schedule, audience and content (consent makes fields absent), prerequisites, holdouts, layer and
//! traffic (buckets), caps, arbitration by priority and id. Each candidate that lost has one reason, the first step at which it
//! lost. Variants that a preview forces come first.

mod assign;
mod caps;
mod reason;
mod until;

#[cfg(feature = "author")]
pub(crate) use assign::MAX_CHAIN;
pub(crate) use assign::{Assigner, Assignment};
pub(crate) use caps::Shown;
#[cfg(feature = "explain")]
pub(crate) use caps::{Scope, counts, rests_until};
pub(crate) use reason::named;
pub use reason::{Loss, Reason, Source};
pub use until::until;

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
    /// Whether it wants to hear of everything: then every experience is looked at, and takes the steps in their order. Else only
    /// those that could win are, and the cheapest tests come first.
    const ALL: bool = true;

    /// An experience lost; `by` is the one that is the reason.
    fn lost(&mut self, experience: u32, loss: Loss, by: Option<u32>);

    /// An experience won, though it may have no slot that shows it.
    fn won(&mut self, _experience: u32, _reason: Reason) {}
}

impl Trace for () {
    const ALL: bool = false;

    fn lost(&mut self, _: u32, _: Loss, _: Option<u32>) {}
}

/// Listens to everything, and keeps nothing of it.
struct Scan;

impl Trace for Scan {
    fn lost(&mut self, _: u32, _: Loss, _: Option<u32>) {}
}

/// Why a candidate lost, and the experience that is the reason.
type Lost = (Loss, Option<u32>);

/// Decides for every slot of the context's page.
pub fn decide(program: &Program, context: &Context) -> Decisions {
    decide_traced(program, context, &mut ())
}

/// As [`decide`], telling `trace` of every experience that lost.
pub fn decide_traced<T: Trace>(program: &Program, context: &Context, trace: &mut T) -> Decisions {
    decide_with(&mut Assigner::new(program, context), trace)
}

/// As [`decide`], but by looking at every experience of the program: what the index is tested and measured against.
pub fn decide_by_scan(program: &Program, context: &Context) -> Decisions {
    decide_traced(program, context, &mut Scan)
}

/// As [`decide_traced`], with what the assigner knows already.
pub(crate) fn decide_with<T: Trace>(assigner: &mut Assigner<'_>, trace: &mut T) -> Decisions {
    let (program, context) = (assigner.program, assigner.context);
    let page = if T::ALL { Page::by_scan(program, context) } else { Page::new(program, context) };
    let mut decisions = Decisions::default();
    for slot in 0..program.slot_count() as u32 {
        if page.has_slot(program, slot) {
            decisions.slots.push(baseline(slot));
        }
    }
    let forces = context.profile.forces;
    // What is forced asks no audience, so that no key finds it.
    let candidates = if T::ALL || forces { page.experiences(program) } else { program.candidates(context, &page) };
    let mut shown = Shown::default();
    // What a preview forces takes its slots before all others.
    for round in if forces { 0..2 } else { 1..2 } {
        let mut next = 0;
        while let Some(experience) = if T::ALL { program.experience(next) } else { program.next_experience(&candidates, next) }
        {
            let index = experience.index;
            next = index + 1;
            if (round == 0) != experience.forced(program, context).is_some() {
                continue;
            }
            if T::ALL && !(candidates.has(index) && experience.has_place(program, &page)) {
                trace.lost(index, Loss::Page, None);
                continue;
            }
            match candidate::<T>(assigner, &experience, &mut shown, &mut decisions) {
                Ok(reason) => trace.won(index, reason),
                Err((loss, by)) => trace.lost(index, loss, by),
            }
            if !T::ALL && decisions.slots.iter().all(|decision| decision.experience.is_some()) {
                return decisions;
            }
        }
    }
    decisions
}

/// Takes an experience for the page through all other steps. Where it wins, its slots are its own from then on.
fn candidate<T: Trace>(
    assigner: &mut Assigner<'_>,
    experience: &Experience,
    shown: &mut Shown,
    decisions: &mut Decisions,
) -> Result<Reason, Lost> {
    let program = assigner.program;
    // Who listens hears of the first step in their order; for everybody else the cheapest decides.
    if !T::ALL {
        decisions.check_slots(program, experience)?;
    }
    let details = program.details(experience);
    let assignment = assigner.assign(experience, &details, 0)?;
    if assignment.reason != Reason::Forced {
        shown.check_caps(program, assigner.context, experience, &details)?;
    }
    shown.check_groups(program, &details)?;
    if T::ALL {
        decisions.check_slots(program, experience)?;
    }
    shown.add(program, experience, &details);
    for (slot, before, factor) in program.experience_slots(experience.slots.clone()) {
        if let Some(decision) = decisions.at(slot) {
            let name = program.factor(details.factors().start.saturating_add(factor as usize));
            let factor_name = name.filter(|_| !details.factors().is_empty()).map(|(name, _)| name);
            *decision = assignment.decision(slot, experience, before, factor, factor_name);
        }
    }
    Ok(assignment.reason)
}

impl Decisions {
    /// Whether no other experience has one of its slots that are on the page: it takes all of them, or none.
    #[inline(never)]
    fn check_slots(&mut self, program: &Program, experience: &Experience) -> Result<(), Lost> {
        let mut here = experience.slots.is_empty();
        for (slot, ..) in program.experience_slots(experience.slots.clone()) {
            if let Some(decision) = self.at(slot) {
                if let Some(winner) = decision.experience {
                    return Err((Loss::SlotTaken, Some(winner)));
                }
                here = true;
            }
        }
        if here { Ok(()) } else { Err((Loss::Page, None)) }
    }

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
    /// What a slot of the experience shows. `before`: how many contents of other slots come before its own.
    fn decision(&self, slot: u32, experience: &Experience, before: u32, factor: u32, name: Option<u32>) -> Decision {
        let won = Decision { experience: Some(experience.index), factor: name, reason: self.reason, ..baseline(slot) };
        if self.reason == Reason::NoUnit {
            return won;
        }
        let variant = self.levels.level(factor);
        let content = variant.checked_sub(1).map(|index| experience.contents.saturating_add(before).saturating_add(index));
        let source = if experience.experiment { Source::Experiment } else { Source::Personalization };
        Decision { variant, source, content, ..won }
    }
}
