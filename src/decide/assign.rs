//! Assignment: whether a visitor is in an experience, and with which variant. It knows nothing of pages, caps or other
//! experiences' slots, so that who was assigned stays assigned, and an experiment stays unbiased.

use super::{Loss, Lost, Reason};
use crate::bucket::{Draw, MILLION, bucket};
use crate::context::{Context, Unit};
use crate::eval::{Evaluator, Truth};
use crate::profile::Levels;
use crate::program::{Details, Experience, Program, Requirement, Status};
use crate::text::push;

/// Experiences that require one another in a row. The compiler refuses longer chains and circles.
pub(crate) const MAX_CHAIN: u32 = 32;

/// The variant that a visitor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// Without a unit (`NoUnit`) it is the baseline of each factor.
    pub(crate) levels: Levels,
    pub(crate) reason: Reason,
}

impl Assignment {
    /// Whether it is what another experience requires. Without a unit nobody is assigned.
    pub(crate) fn satisfies(&self, program: &Program, required: &Requirement) -> bool {
        let level = self.levels.level(required.factor);
        self.reason != Reason::NoUnit
            && (required.variants.is_empty() || program.numbers(required.variants.clone()).any(|variant| variant == level))
    }
}

/// Assigns one visitor; experiences that others require at most once.
pub(crate) struct Assigner<'a> {
    pub(crate) program: &'a Program,
    pub(crate) context: &'a Context,
    pub(crate) evaluator: Evaluator<'a>,
    /// What is known already, once something was required.
    known: Vec<Option<Result<Assignment, Lost>>>,
}

/// Whether a unit is within a share. Nobody is within none.
#[inline(never)]
fn within(draw: Draw, id: &str, unit: &str, share: u32) -> bool {
    share > 0 && bucket(draw, id, unit, MILLION) < share
}

impl<'a> Assigner<'a> {
    pub(crate) fn new(program: &'a Program, context: &'a Context) -> Assigner<'a> {
        Assigner { program, context, evaluator: Evaluator::new(program, context), known: Vec::new() }
    }

    /// From now on the experience is assigned so, whatever its steps say.
    #[cfg(feature = "explain")]
    pub(crate) fn suppose(&mut self, experience: u32, levels: Levels) {
        self.known.resize(self.program.experience_count(), None);
        if let Some(known) = self.known.get_mut(experience as usize) {
            *known = Some(Ok(Assignment { levels, reason: Reason::Match }));
        }
    }

    /// The steps from status to traffic. `chain`: how many experiences before it required the next.
    pub(crate) fn assign(&mut self, experience: &Experience, details: &Details, chain: u32) -> Result<Assignment, Lost> {
        let index = experience.index as usize;
        if let Some(Some(known)) = self.known.get(index) {
            return *known;
        }
        let assigned = self.steps(experience, details, chain);
        if let Some(place) = self.known.get_mut(index) {
            *place = Some(assigned);
        }
        assigned
    }

    fn steps(&mut self, experience: &Experience, details: &Details, chain: u32) -> Result<Assignment, Lost> {
        let (program, context) = (self.program, self.context);
        if let Some(levels) = experience.forced(program, context) {
            self.content(experience)?;
            return Ok(Assignment { levels, reason: Reason::Forced });
        }
        match experience.status {
            Status::Running => {}
            Status::Draft => return Err((Loss::Draft, None)),
            Status::Paused => return Err((Loss::Paused, None)),
        }
        if !experience.in_schedule(context.now) {
            return Err((Loss::Schedule, None));
        }
        let kept = experience.kept(program, context, details);
        if kept.is_none() {
            self.audience(experience)?;
        }
        self.content(experience)?;
        if kept.is_none() {
            self.requirements(details, chain)?;
        }
        self.draw(experience, details, kept)
    }

    fn audience(&mut self, experience: &Experience) -> Result<(), Lost> {
        let loss = match experience.audience.map_or(Truth::True, |node| self.evaluator.truth(node)) {
            Truth::True => return Ok(()),
            Truth::False => Loss::Audience,
            Truth::Unknown => Loss::Unknown,
            Truth::Denied => Loss::NoConsent,
        };
        Err((loss, None))
    }

    /// The content of every variant, not only of the assigned one: else an experiment would lose visitors from one variant only.
    fn content(&self, experience: &Experience) -> Result<(), Lost> {
        for field in self.program.needs(experience.needs.clone()) {
            if self.context.get(field).is_none() {
                return Err((if self.context.is_denied(field) { Loss::NoConsent } else { Loss::Unknown }, None));
            }
        }
        Ok(())
    }

    fn requirements(&mut self, details: &Details, chain: u32) -> Result<(), Lost> {
        let program = self.program;
        for required in program.requirements(details.requires()) {
            if self.known.is_empty() {
                (0..program.experience_count()).for_each(|_| self.known.push(None));
            }
            let assigned = match program.experience(required.experience) {
                Some(other) if chain < MAX_CHAIN => self.assign(&other, &program.details(&other), chain + 1).ok(),
                _ => None,
            };
            if !assigned.is_some_and(|assignment| assignment.satisfies(program, &required)) {
                return Err((Loss::Prerequisite, Some(required.experience)));
            }
        }
        Ok(())
    }

    /// Holdouts, layer, traffic and variant. `kept` is the variant that was assigned before.
    fn draw(&self, experience: &Experience, details: &Details, kept: Option<Levels>) -> Result<Assignment, Lost> {
        let (program, context) = (self.program, self.context);
        let lost = |loss| Err((loss, None));
        let visitor = context.unit(experience.purpose);
        if visitor.is_some_and(|visitor| within(Draw::SiteHoldout, program.site_id(), visitor, program.holdout())) {
            return lost(Loss::Holdout);
        }
        let id = program.text(experience.id);
        let unit = context.unit_of(details.unit(), experience.purpose);
        let of_page = context.page_unit.as_deref().filter(|_| experience.experiment && details.unit() == Unit::Visitor);
        let unit = unit.as_deref().or(of_page);
        if unit.is_some_and(|unit| within(Draw::Holdout, id, unit, experience.holdout)) {
            return lost(Loss::ExperienceHoldout);
        }
        if let Some(levels) = details.winner() {
            return Ok(Assignment { levels, reason: Reason::Winner });
        }
        if let Some(levels) = kept {
            return Ok(Assignment { levels, reason: Reason::Sticky });
        }
        let traffic = experience.traffic(program, details, context.now);
        let matched = Assignment { levels: Levels::one(1), reason: Reason::Match };
        let Some(unit) = unit else {
            let draws = experience.experiment || details.layer().is_some() || traffic < MILLION;
            return Ok(if draws { Assignment { levels: Levels::BASELINE, reason: Reason::NoUnit } } else { matched });
        };
        if let Some((name, from, to)) = details.layer()
            && !(from..to).contains(&bucket(Draw::Layer, program.text(name), unit, MILLION))
        {
            return lost(Loss::Layer);
        }
        if traffic < MILLION && !within(Draw::Traffic, id, unit, traffic) {
            return lost(Loss::Traffic);
        }
        if !experience.experiment {
            return Ok(matched);
        }
        Ok(Assignment { levels: self.variant(experience, details, id, unit), reason: Reason::Split })
    }

    /// The variant whose range of the weights the unit's bucket falls into; of a fraction the run, without one each factor's level.
    fn variant(&self, experience: &Experience, details: &Details, id: &str, unit: &str) -> Levels {
        let program = self.program;
        let drawn = |id: &str, weights| {
            let total = program.numbers(std::ops::Range::clone(&weights)).fold(0u32, u32::saturating_add);
            let drawn = bucket(Draw::Variant, id, unit, total);
            let mut upper = 0u32;
            let past = program.numbers(weights).take_while(|weight| {
                upper = upper.saturating_add(*weight);
                upper <= drawn
            });
            past.count() as u32
        };
        if !details.runs().is_empty() {
            let run = details.runs().start.saturating_add(drawn(id, experience.weights.clone()) as usize);
            return program.run_levels(run);
        }
        if details.factors().is_empty() {
            return Levels::one(drawn(id, experience.weights.clone()));
        }
        let mut levels = Levels::NONE;
        for (factor, number) in details.factors().zip(0..Levels::MOST) {
            let Some((name, weights)) = program.factor(factor) else { break };
            let mut salt = String::from(id);
            push(&mut salt, b'/');
            salt.push_str(program.text(name));
            levels = levels.with(number, drawn(&salt, weights));
        }
        levels
    }
}
