//! Why each slot shows what it shows: the decision again, with every candidate's reason and what that step looked at.

mod change;
mod clauses;
mod must;
mod steps;
mod tree;
mod why_not;

pub use change::ClauseChange;
pub use clauses::{Clause, Join, Reading};
#[cfg(feature = "serde")]
pub(crate) use must::reading_text;
pub use must::{Must, Relation};
pub use steps::Step;
#[cfg(feature = "serde")]
pub(crate) use steps::of_one;
#[cfg(feature = "author")]
pub(crate) use tree::text;
pub use why_not::{Change, WhyNot, why_not};

use crate::context::Context;
use crate::decide::{Decisions, Loss, Reason, Trace, decide_traced};
use crate::program::Program;
use clauses::Clauses;

/// A candidate for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The experience's number.
    pub experience: u32,
    /// Why it lost; `None` when it won the slot.
    pub loss: Option<Loss>,
    /// The number of the experience that took its slot.
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
    /// What the step looked at where it lost.
    pub step: Option<Step>,
    /// Its audience, where it was asked for: not on another page, nor before or after its schedule.
    pub audience: Option<Clause>,
}

/// The decisions of a page and the reason of every candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// What was decided.
    pub decisions: Decisions,
    /// For every slot of the program, by its number: the experiences that name it, in the order of arbitration.
    pub slots: Vec<Vec<Candidate>>,
    /// Every experience, in the order of arbitration.
    pub experiences: Vec<Explained>,
}

#[derive(Default)]
struct Losses(Vec<(u32, Loss, Option<u32>)>);

impl Trace for Losses {
    fn lost(&mut self, experience: u32, loss: Loss, by: Option<u32>) {
        self.0.push((experience, loss, by));
    }
}

/// Decides, and says of every experience why it won or lost.
pub fn explain(program: &Program, context: &Context) -> Explanation {
    let mut losses = Losses::default();
    let decisions = decide_traced(program, context, &mut losses);
    let mut slots = vec![Vec::new(); program.slot_count()];
    // Forced ones were decided first.
    losses.0.sort_by_key(|(experience, ..)| *experience);
    let mut experiences = Vec::new();
    let mut clauses = Clauses::new(program, context);
    let mut losses = losses.0.into_iter().peekable();
    for experience in program.experiences() {
        let lost = losses.next_if(|(index, _, _)| *index == experience.index);
        let candidate =
            Candidate { experience: experience.index, loss: lost.map(|(_, loss, _)| loss), by: lost.and_then(|(_, _, by)| by) };
        for (slot, ..) in program.experience_slots(experience.slots.clone()) {
            let Some(candidates) = slots.get_mut(slot as usize) else { continue };
            // An experience may win with its other slots while this one is not on the page.
            let decided = decisions.slots.iter().any(|decision| decision.slot == slot);
            let loss = candidate.loss.or((!decided).then_some(Loss::Page));
            candidates.push(Candidate { loss, ..candidate });
        }
        let won = decisions.slots.iter().find(|decision| decision.experience == Some(experience.index));
        let asked = !matches!(candidate.loss, Some(Loss::Page | Loss::Schedule));
        experiences.push(Explained {
            experience: experience.index,
            loss: candidate.loss,
            reason: won.map(|decision| decision.reason),
            by: candidate.by,
            step: candidate.loss.and_then(|loss| Step::of(program, context, &experience, loss)),
            audience: experience.audience.filter(|_| asked).map(|node| clauses.of(node)),
        });
    }
    Explanation { decisions, slots, experiences }
}
