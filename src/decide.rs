//! The decision: which experience each slot of a page shows, and why. One pass, pure.
//!
//! Order, fixed: page, schedule, audience and content (consent makes fields absent), holdout and traffic (buckets),
//! arbitration by priority and id. Each candidate that lost has one reason, the first step at which it lost.

use crate::bucket::{Draw, MILLION, bucket};
use crate::context::Context;
use crate::eval::{Evaluator, Truth};
use crate::program::{Experience, Page, Program};

macro_rules! named {
    ($(#[$attribute:meta])* $enum:ident { $($(#[$doc:meta])* $name:ident $text:literal),* $(,)? }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $enum { $($(#[$doc])* $name),* }

        impl $enum {
            /// All of them, in the order of their codes.
            pub const ALL: &[$enum] = &[$($enum::$name),*];

            /// Their names, in the same order.
            #[allow(dead_code)] // Not every list is part of a program.
            pub(crate) const NAMES: &[&str] = &[$($text),*];

            /// The name in JSON.
            pub fn name(self) -> &'static str {
                match self { $($enum::$name => $text),* }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What a slot's decision comes from.
    Source {
        /// What the origin sent.
        Baseline "baseline",
        /// A personalization's content.
        Personalization "personalization",
        /// A variant of an experiment, its baseline included.
        Experiment "experiment",
    }
}

named! {
    /// Why a slot shows what it shows. The list is closed.
    Reason {
        /// The visitor is in the personalization's audience.
        Match "match",
        /// The visitor was assigned to this variant of the experiment.
        Split "split",
        /// The experience won, but needs a unit to draw a bucket for and there is none: it serves its baseline.
        NoUnit "no_unit",
        /// No experience won this slot.
        NoCandidate "no_candidate",
    }
}

named! {
    /// Why a candidate lost: the first step that it did not pass. The list is closed.
    Loss {
        /// Its page rules do not match, or none of its slots is on this page.
        Page "page",
        /// It has not begun, or is over.
        Schedule "schedule",
        /// The audience is false.
        Audience "audience",
        /// The audience, or a value that its content needs, is unknown.
        Unknown "unknown",
        /// As `unknown`, because a purpose is not agreed to.
        NoConsent "no_consent",
        /// The visitor is in the site's holdout.
        Holdout "holdout",
        /// The visitor is in the experience's own holdout.
        ExperienceHoldout "experience_holdout",
        /// The visitor is outside the experience's traffic.
        Traffic "traffic",
        /// Another experience took one of its slots.
        SlotTaken "slot_taken",
    }
}

/// What was decided for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The slot's number in the program.
    pub slot: u32,
    /// The number of the experience that won it.
    pub experience: Option<u32>,
    /// The variant; 0 is the baseline.
    pub variant: u32,
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

/// Told of every candidate that lost. `()` listens to nothing and costs nothing.
pub trait Trace {
    /// An experience lost; `by` is the one that took its slot.
    fn lost(&mut self, experience: u32, loss: Loss, by: Option<u32>);
}

impl Trace for () {
    fn lost(&mut self, _: u32, _: Loss, _: Option<u32>) {}
}

/// Decides for every slot of the context's page.
pub fn decide(program: &Program, context: &Context) -> Decisions {
    decide_traced(program, context, &mut ())
}

/// As [`decide`], telling `trace` of every experience that lost.
pub fn decide_traced(program: &Program, context: &Context, trace: &mut impl Trace) -> Decisions {
    let page = Page::new(program, context);
    let mut decisions = Decisions::default();
    for slot in 0..program.slot_count() as u32 {
        if page.has_slot(slot) {
            decisions.slots.push(baseline(slot));
        }
    }
    let mut evaluator = Evaluator::new(program, context);
    for experience in program.experiences() {
        let outcome = candidate(program, context, &page, &mut evaluator, &experience);
        let assignment = match outcome {
            Ok(assignment) => assignment,
            Err(loss) => {
                trace.lost(experience.index, loss, None);
                continue;
            }
        };
        // All of its slots that are on this page, or none.
        let mut winner = None;
        for (slot, _) in program.experience_slots(experience.slots.clone()) {
            winner = winner.or(decisions.at(slot).and_then(|decision| decision.experience));
        }
        if winner.is_some() {
            trace.lost(experience.index, Loss::SlotTaken, winner);
            continue;
        }
        for (slot, contents) in program.experience_slots(experience.slots.clone()) {
            if let Some(decision) = decisions.at(slot) {
                *decision = assignment.decision(slot, &experience, contents);
            }
        }
    }
    decisions
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
    Decision { slot, experience: None, variant: 0, source: Source::Baseline, reason: Reason::NoCandidate, content: None }
}

/// The variant of a candidate that passed every step before arbitration; `None` without a unit.
struct Assignment(Option<u32>);

impl Assignment {
    fn decision(&self, slot: u32, experience: &Experience, contents: u32) -> Decision {
        let won = Decision { experience: Some(experience.index), ..baseline(slot) };
        let Some(variant) = self.0 else {
            return Decision { reason: Reason::NoUnit, ..won };
        };
        let content = (variant > 0).then(|| contents.saturating_add(variant));
        if experience.experiment {
            Decision { variant, source: Source::Experiment, reason: Reason::Split, content, ..won }
        } else {
            Decision { variant, source: Source::Personalization, reason: Reason::Match, content, ..won }
        }
    }
}

/// The steps before arbitration.
fn candidate(
    program: &Program,
    context: &Context,
    page: &Page,
    evaluator: &mut Evaluator<'_>,
    experience: &Experience,
) -> Result<Assignment, Loss> {
    if !experience.on_page(program, page) {
        return Err(Loss::Page);
    }
    if !experience.in_schedule(context.now) {
        return Err(Loss::Schedule);
    }
    match experience.audience.map_or(Truth::True, |node| evaluator.truth(node)) {
        Truth::True => {}
        Truth::False => return Err(Loss::Audience),
        Truth::Unknown => return Err(Loss::Unknown),
        Truth::Denied => return Err(Loss::NoConsent),
    }
    // The content of every variant, not only of the assigned one: else an experiment would lose visitors from one
    // variant only.
    if let Some(field) = program.needs(experience.needs.clone()).find(|field| context.get(*field).is_none()) {
        return Err(if context.is_denied(field) { Loss::NoConsent } else { Loss::Unknown });
    }
    let id = program.text(experience.id);
    let Some(unit) = context.unit(experience.purpose) else {
        let needs_unit = experience.experiment || experience.traffic < MILLION;
        return Ok(Assignment(if needs_unit { None } else { Some(1) }));
    };
    let within = |draw, id: &str, share| share > 0 && bucket(draw, id, unit, MILLION) < share;
    if within(Draw::SiteHoldout, program.site_id(), program.holdout()) {
        return Err(Loss::Holdout);
    }
    if within(Draw::Holdout, id, experience.holdout) {
        return Err(Loss::ExperienceHoldout);
    }
    if experience.traffic < MILLION && !within(Draw::Traffic, id, experience.traffic) {
        return Err(Loss::Traffic);
    }
    Ok(Assignment(Some(if experience.experiment { variant(program, experience, id, unit) } else { 1 })))
}

/// The variant whose range of the weights the unit's bucket falls into.
fn variant(program: &Program, experience: &Experience, id: &str, unit: &str) -> u32 {
    let total = program.weights(experience.weights.clone()).fold(0u32, u32::saturating_add);
    let drawn = bucket(Draw::Variant, id, unit, total);
    let mut upper = 0u32;
    let past = program.weights(experience.weights.clone()).take_while(|weight| {
        upper = upper.saturating_add(*weight);
        upper <= drawn
    });
    past.count() as u32
}
