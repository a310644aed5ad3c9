//! What those that are decided before leave to an experience: caps, groups and slots.

use super::Outcomes;
use super::steps::{self, Prerequisite, Step};
use super::why_not::{Change, ELSEWHERE, Seeker};
use crate::bucket::MILLION;
use crate::context::Context;
use crate::decide::{Assigner, Decisions, Loss, Shown, decide_with};
use crate::profile::Levels;
use crate::program::Page;

impl Seeker<'_> {
    /// Caps, groups and slots, as those left them that are decided before. `required`: what its prerequisites lack, and would have.
    pub(super) fn page_so_far(&mut self, supposed: &Context, forced: bool, required: &[Prerequisite]) {
        let (program, experience) = (self.program, self.experience);
        let here = experience.on_page(program, &Page::new(program, supposed));
        let mut shown = Shown::default();
        let mut before = Vec::new();
        let mut decisions = Decisions::default();
        if here {
            let mut assigner = Assigner::new(program, supposed);
            for (index, levels) in self.met(supposed, required) {
                assigner.suppose(index, levels);
            }
            let mut outcomes = Outcomes::default();
            decisions = decide_with(&mut assigner, &mut outcomes);
            for (index, outcome) in outcomes.0.into_iter().take_while(|(index, _)| *index != experience.index) {
                if let Some(winner) = program.experience(index).filter(|_| outcome.is_ok()) {
                    shown.add(program, &winner, &program.details(&winner));
                    before.push(index);
                }
            }
        } else {
            // This page's winners say nothing of its own.
            self.found.unsure.push(ELSEWHERE);
        }
        if !forced {
            for step in steps::caps(program, supposed, experience, &shown) {
                let loss = if matches!(step, Step::Cooldown { .. }) { Loss::Cooldown } else { Loss::Cap };
                self.step(loss, &step, None);
            }
        }
        for loss in [Loss::Suppressed, Loss::GroupTaken] {
            for step in steps::groups(program, experience, &shown, loss) {
                let by = if let Step::Group { by, .. } = &step { Some(*by) } else { None };
                self.step(loss, &step, by);
            }
        }
        self.slots(supposed, &decisions, &before, required);
    }

    /// The experiences that are required, assigned as they would have to be; and the one that is asked for, which others may require.
    fn met(&self, supposed: &Context, required: &[Prerequisite]) -> Vec<(u32, Levels)> {
        let (program, experience) = (self.program, self.experience);
        let details = program.details(experience);
        let mut met = Vec::new();
        // Of an experiment it is not known with which variant; and who wins without a unit is not assigned.
        let draws = details.layer().is_some() || experience.traffic(program, &details, supposed.now) < MILLION;
        let unit = supposed.unit_of(details.unit(), experience.purpose);
        if !experience.experiment && (unit.is_some() || !draws) {
            met.push((experience.index, Levels::one(1)));
        }
        for one in required {
            let level = one.variants.first().copied().unwrap_or(1);
            match met.iter_mut().find(|(index, _)| *index == one.experience) {
                Some((_, levels)) => *levels = levels.with(one.number, level),
                None => met.push((one.experience, Levels::NONE.with(one.number, level))),
            }
        }
        met
    }

    /// Those that are decided before and have one of its slots.
    fn slots(&mut self, supposed: &Context, decisions: &Decisions, before: &[u32], required: &[Prerequisite]) {
        for (slot, ..) in self.program.experience_slots(self.experience.slots.clone()) {
            let winner = decisions.slots.iter().find(|decision| decision.slot == slot).and_then(|decision| decision.experience);
            let Some(winner) = winner.filter(|winner| before.contains(winner)) else { continue };
            let (id, slot) = (self.program.experience_id(winner), self.program.slot_id(slot));
            let text = if self.program.experience(winner).is_some_and(|one| one.forced(self.program, supposed).is_some()) {
                format!("{id} has the slot {slot}, as a preview asks for it")
            } else if required.iter().any(|one| one.experience == winner) {
                format!(
                    "{id} would have the slot {slot} where it is as required, as it is decided before this one: this one would need a higher priority"
                )
            } else {
                format!(
                    "{id} has the slot {slot} and is decided before this one: {id} would have to lose, or this one would need a higher priority"
                )
            };
            self.found.changes.push(Change { step: Loss::SlotTaken, text, by: Some(winner), clause: None });
        }
    }
}
