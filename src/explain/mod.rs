//! Why each slot shows what it shows: the decision again, with every candidate's reason and what that step looked at.

mod audiences;
mod candidates;
mod change;
mod clauses;
mod domain;
mod must;
mod page_so_far;
mod steps;
mod tree;
mod values;
mod why_not;
mod words;

pub use audiences::{Membership, audiences, memberships};
pub use change::ClauseChange;
pub use clauses::{Clause, Join, Reading};
#[cfg(feature = "serde")]
pub(crate) use must::reading_text;
pub use must::{Must, Relation};
#[cfg(feature = "serde")]
pub(crate) use steps::of_one;
pub use steps::{Limited, Prerequisite, Step, Unassigned};
#[cfg(feature = "author")]
pub(crate) use tree::text;
pub use why_not::{Change, Derive, WhyNot, why_not};
#[cfg(feature = "serde")]
pub(crate) use words::step_text;

use crate::context::Context;
use crate::decide::{Decisions, Loss, Reason, Shown, Trace, decide_traced};
use crate::program::Program;
use clauses::Clauses;
use steps::Looking;

/// A candidate for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The experience's number.
    pub experience: u32,
    /// Why it lost; `None` when it won the slot.
    pub loss: Option<Loss>,
    /// The number of the experience that is the reason.
    pub by: Option<u32>,
}

/// What became of an experience.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// The experience's number.
    pub experience: u32,
    /// Why it lost; `None` when it won.
    pub loss: Option<Loss>,
    /// Why it won.
    pub reason: Option<Reason>,
    /// The number of the experience that it lost to.
    pub by: Option<u32>,
    /// What the step looked at where it lost; what is missing where it won without a unit.
    pub step: Option<Step>,
    /// Its audience, where it was asked for: not on another page, nor before or after its schedule, nor of a variant that is
    /// forced or kept.
    pub audience: Option<Clause>,
}

/// The decisions of a page and the reason of every candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What was decided.
    pub decisions: Decisions,
    /// For every slot of the program, by its number: the experiences that name it, in the order of arbitration: those that a
    /// preview forces first.
    pub slots: Vec<Vec<Candidate>>,
    /// Every experience, in the order of arbitration.
    pub experiences: Vec<Explained>,
}

/// What became of every experience, in the order in which they were decided.
#[derive(Default)]
struct Outcomes(Vec<(u32, Outcome)>);

/// Why it won; else why it lost, and the experience that is the reason.
type Outcome = Result<Reason, (Loss, Option<u32>)>;

impl Trace for Outcomes {
    fn lost(&mut self, experience: u32, loss: Loss, by: Option<u32>) {
        self.0.push((experience, Err((loss, by))));
    }

    fn won(&mut self, experience: u32, reason: Reason) {
        self.0.push((experience, Ok(reason)));
    }
}

/// Decides, and says of every experience why it won or lost.
pub fn explain(program: &Program, context: &Context) -> Explanation {
    let mut outcomes = Outcomes::default();
    let decisions = decide_traced(program, context, &mut outcomes);
    let mut slots = vec![Vec::new(); program.slot_count()];
    let mut experiences = Vec::new();
    let mut clauses = Clauses::new(program, context);
    let mut looking = Looking::new(program, context);
    // What the page showed when an experience's turn came.
    let mut shown = Shown::default();
    for (index, outcome) in outcomes.0 {
        let Some(experience) = program.experience(index) else { continue };
        let (loss, by) = outcome.err().unzip();
        let by = by.flatten().filter(|by| program.experience(*by).is_some());
        for (slot, ..) in program.experience_slots(experience.slots.clone()) {
            let Some(candidates) = slots.get_mut(slot as usize) else { continue };
            // An experience may win with its other slots while this one is not on the page.
            let decided = decisions.slots.iter().any(|decision| decision.slot == slot);
            candidates.push(Candidate { experience: index, loss: loss.or((!decided).then_some(Loss::Page)), by });
        }
        let step = match outcome {
            Err((loss, _)) => looking.step(&experience, loss, &shown),
            Ok(Reason::NoUnit) => Some(steps::no_unit(program, context, &experience)),
            Ok(_) => None,
        };
        let details = program.details(&experience);
        let before = matches!(loss, Some(Loss::Page | Loss::Draft | Loss::Paused | Loss::Schedule));
        let asked =
            !before && experience.forced(program, context).is_none() && experience.kept(program, context, &details).is_none();
        experiences.push(Explained {
            experience: index,
            loss,
            reason: outcome.ok(),
            by,
            step,
            audience: experience.audience.filter(|_| asked).map(|node| clauses.of(node)),
        });
        if outcome.is_ok() {
            shown.add(program, &experience, &details);
        }
    }
    Explanation { decisions, slots, experiences }
}
