//! Why each slot shows what it shows: the decision again, with every candidate's reason.

use crate::context::Context;
use crate::decide::{Decisions, Loss, Trace, decide_traced};
use crate::program::Program;

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

/// The decisions of a page and the reason of every candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What was decided.
    pub decisions: Decisions,
    /// For every slot of the program, by its number: the experiences that name it, in the order of arbitration.
    pub slots: Vec<Vec<Candidate>>,
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
    }
    Explanation { decisions, slots }
}
