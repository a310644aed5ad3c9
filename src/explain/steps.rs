//! What the step looked at at which an experience lost.

use super::clauses::Reading;
use crate::bucket::{Draw, MILLION, bucket};
use crate::context::Context;
use crate::decide::Loss;
use crate::program::{Experience, Program};

/// What a step looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The page: the rules of the experience and of its slots, of which one each must match.
    Page {
        /// The experience's own rules; none match every page.
        pages: Vec<String>,
        /// Its slots, each with its rules.
        slots: Vec<(u32, Vec<String>)>,
    },
    /// The instants between which the experience is shown, in epoch milliseconds.
    Schedule {
        /// The first.
        from: Option<i64>,
        /// The first behind the last.
        until: Option<i64>,
    },
    /// The fields that its contents need and that have no value.
    Content(Vec<Reading>),
    /// A bucket that was drawn, and the share that it is compared with; both in millionths.
    Draw {
        /// The bucket.
        bucket: u32,
        /// The share.
        share: u32,
    },
}

impl Step {
    /// What that step looked at. `None` where the audience or the other experience says all.
    pub(super) fn of(program: &Program, context: &Context, experience: &Experience, loss: Loss) -> Option<Step> {
        match loss {
            Loss::Page => Some(page(program, experience)),
            Loss::Schedule => Some(schedule(experience)),
            Loss::Unknown | Loss::NoConsent => {
                let missing = missing(program, context, experience);
                (!missing.is_empty()).then_some(Step::Content(missing))
            }
            Loss::Holdout => {
                let unit = context.unit(experience.purpose)?;
                Some(drawn(Draw::SiteHoldout, program.site_id(), unit, program.holdout()))
            }
            Loss::ExperienceHoldout | Loss::Traffic => {
                let details = program.details(experience);
                let unit = context.unit_of(details.unit, experience.purpose)?;
                let (draw, share) = match loss {
                    Loss::Traffic => (Draw::Traffic, experience.traffic(program, &details, context.now)),
                    _ => (Draw::Holdout, experience.holdout),
                };
                Some(drawn(draw, program.text(experience.id), &unit, share))
            }
            Loss::Draft
            | Loss::Paused
            | Loss::Audience
            | Loss::Prerequisite
            | Loss::Layer
            | Loss::Cap
            | Loss::Cooldown
            | Loss::Suppressed
            | Loss::GroupTaken
            | Loss::SlotTaken => None,
        }
    }
}

pub(super) fn page(program: &Program, experience: &Experience) -> Step {
    let slots = program.experience_slots(experience.slots.clone());
    Step::Page {
        pages: program.page_rules(experience.pages),
        slots: slots.map(|(slot, ..)| (slot, program.page_rules(program.slot_pages(slot)))).collect(),
    }
}

pub(super) fn schedule(experience: &Experience) -> Step {
    Step::Schedule {
        from: (experience.from != i64::MIN).then_some(experience.from),
        until: (experience.until != i64::MAX).then_some(experience.until),
    }
}

/// The fields that an experience's contents need and that have no value.
pub(super) fn missing(program: &Program, context: &Context, experience: &Experience) -> Vec<Reading> {
    let missing = program.needs(experience.needs.clone()).filter(|field| context.get(*field).is_none());
    missing.map(|field| Reading::of(program, context, field)).collect()
}

/// Millionths as a share of one.
pub(crate) fn of_one(millionths: u32) -> f64 {
    f64::from(millionths) / f64::from(MILLION)
}

fn drawn(draw: Draw, id: &str, unit: &str, share: u32) -> Step {
    Step::Draw { bucket: bucket(draw, id, unit, MILLION), share }
}
