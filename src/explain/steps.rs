//! What the step looked at at which an experience lost.

use super::clauses::Reading;
use crate::bucket::{Draw, MILLION, bucket};
use crate::consent::Purpose;
use crate::context::{Context, Unit};
use crate::decide::{Assigner, Loss, Reason, Scope, Shown, counts, rests_until};
use crate::profile::Seen;
use crate::program::{Details, Experience, Program, Status};

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
    /// The status, where it is not running.
    Status(&'static str),
    /// The instants between which the experience is shown, in epoch milliseconds.
    Schedule {
        /// The first.
        from: Option<i64>,
        /// The first behind the last.
        until: Option<i64>,
    },
    /// The fields that its contents need and that have no value.
    Content(Vec<Reading>),
    /// An experience that it requires, and what the visitor is there.
    Prerequisite(Prerequisite),
    /// A bucket that was drawn, and the share that it is compared with; both in millionths.
    Draw {
        /// What it was drawn for: `visitor`, `user` or the path of a trait.
        unit: String,
        /// The bucket.
        bucket: u32,
        /// The share.
        share: u32,
        /// Whether the share is that of a ramp at this instant.
        ramp: bool,
    },
    /// The place in a layer, and the part of it that the experience has; in millionths.
    Layer {
        /// The layer's name.
        layer: String,
        /// What the place was drawn for, as of a draw.
        unit: String,
        /// The place.
        bucket: u32,
        /// Where the experience's part begins.
        from: u32,
        /// The first place behind it.
        to: u32,
    },
    /// A limit of how often something is shown.
    Cap {
        /// What it limits.
        of: Limited,
        /// `session`, `day`, `week` or `total`.
        per: &'static str,
        /// How often it was shown, on this page too.
        count: u32,
        /// How often of that on this page, by experiences that were decided before.
        on_page: u32,
        /// How often it may be shown.
        limit: u32,
    },
    /// A pause behind each time that something is shown, in epoch milliseconds.
    Cooldown {
        /// What pauses.
        of: Limited,
        /// The last time.
        last: i64,
        /// The end of the pause.
        until: i64,
    },
    /// A group that is closed.
    Group {
        /// Its name.
        group: String,
        /// The experience that closed it.
        by: u32,
        /// How many of the group a page shows, where that is used up; `None` where the group is suppressed.
        max: Option<u32>,
    },
    /// What is missing to draw a bucket for: of one that won and shows its baseline.
    NoUnit {
        /// What a bucket would be drawn for, as of a draw.
        unit: String,
        /// The purpose for want of whose consent it is missing; else it is not known.
        needs: Option<Purpose>,
    },
}

/// What a cap or a cooldown is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limited {
    /// The experience itself.
    Experience,
    /// A group, by its name.
    Group(String),
    /// All experiences of the site.
    Site,
}

/// An experience that is required, and what the visitor is there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prerequisite {
    /// The number of the experience; no experience's where the program leaves it out.
    pub experience: u32,
    /// The factor whose level is asked for, where it has factors.
    pub factor: Option<String>,
    /// That factor's number; 0 without factors.
    pub(super) number: u32,
    /// The variants that do; none: any.
    pub variants: Vec<u32>,
    /// The variant that the visitor has there, or why none.
    pub found: Result<u32, Unassigned>,
}

/// Why a visitor is not assigned to an experience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unassigned {
    /// The step at which it lost.
    Lost(Loss),
    /// There is nothing to draw a bucket for.
    NoUnit,
}

/// What steps are looked at with.
pub(super) struct Looking<'a> {
    program: &'a Program,
    context: &'a Context,
    assigner: Assigner<'a>,
    /// The set of page rules of each experience.
    sets: Vec<u32>,
}

impl<'a> Looking<'a> {
    pub(super) fn new(program: &'a Program, context: &'a Context) -> Looking<'a> {
        Looking { program, context, assigner: Assigner::new(program, context), sets: program.sets_of_experiences() }
    }

    /// What a step looked at, with what the page showed then. `None` where the audience or the other experience says all.
    pub(super) fn step(&mut self, experience: &Experience, loss: Loss, shown: &Shown) -> Option<Step> {
        let (program, context) = (self.program, self.context);
        match loss {
            Loss::Page => Some(page(program, experience, &self.sets)),
            Loss::Draft | Loss::Paused => status(experience),
            Loss::Schedule => Some(schedule(experience)),
            Loss::Unknown | Loss::NoConsent => {
                let missing = missing(program, context, experience);
                (!missing.is_empty()).then_some(Step::Content(missing))
            }
            Loss::Prerequisite => {
                let details = program.details(experience);
                self.prerequisites(&details).into_iter().next().map(Step::Prerequisite)
            }
            Loss::Holdout | Loss::ExperienceHoldout | Loss::Layer | Loss::Traffic => draw(program, context, experience, loss),
            Loss::Cap | Loss::Cooldown => caps(program, context, experience, shown).into_iter().next(),
            Loss::Suppressed | Loss::GroupTaken => groups(program, experience, shown, loss).into_iter().next(),
            Loss::Audience | Loss::SlotTaken => None,
        }
    }

    /// What it requires and the visitor is not.
    pub(super) fn prerequisites(&mut self, details: &Details) -> Vec<Prerequisite> {
        let program = self.program;
        let mut unmet = Vec::new();
        for required in program.requirements(details.requires()) {
            let Some(other) = program.experience(required.experience) else {
                // A program for browsers leaves drafts out.
                let found = Err(Unassigned::Lost(Loss::Draft));
                unmet.push(Prerequisite {
                    experience: required.experience,
                    factor: None,
                    number: 0,
                    variants: Vec::new(),
                    found,
                });
                continue;
            };
            let others = program.details(&other);
            let found = match self.assigner.assign(&other, &others, 1) {
                Ok(assigned) if assigned.satisfies(program, &required) => continue,
                Ok(assigned) if assigned.reason == Reason::NoUnit => Err(Unassigned::NoUnit),
                Ok(assigned) => Ok(assigned.levels.level(required.factor)),
                Err((loss, _)) => Err(Unassigned::Lost(loss)),
            };
            let factor = others.factors().start.saturating_add(required.factor as usize);
            let name = program.factor(factor).filter(|_| !others.factors().is_empty());
            unmet.push(Prerequisite {
                experience: required.experience,
                factor: name.map(|(name, _)| program.text(name).to_owned()),
                number: required.factor,
                variants: program.numbers(required.variants).collect(),
                found,
            });
        }
        unmet
    }
}

/// `sets`: the set of page rules of each experience.
pub(super) fn page(program: &Program, experience: &Experience, sets: &[u32]) -> Step {
    let slots = program.experience_slots(experience.slots.clone());
    Step::Page {
        pages: sets.get(experience.index as usize).map_or(Vec::new(), |set| program.page_rules(*set)),
        slots: slots.map(|(slot, ..)| (slot, program.page_rules(program.slot_pages(slot)))).collect(),
    }
}

pub(super) fn status(experience: &Experience) -> Option<Step> {
    match experience.status {
        Status::Running => None,
        Status::Draft => Some(Step::Status(Loss::Draft.name())),
        Status::Paused => Some(Step::Status(Loss::Paused.name())),
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

/// The bucket of a holdout, a layer or a traffic; `None` where there is nothing to draw it for, or no such layer.
pub(super) fn draw(program: &Program, context: &Context, experience: &Experience, loss: Loss) -> Option<Step> {
    let drawn = |draw, id: &str, unit: &str| bucket(draw, id, unit, MILLION);
    if loss == Loss::Holdout {
        let bucket = drawn(Draw::SiteHoldout, program.site_id(), context.unit(experience.purpose)?);
        return Some(Step::Draw { unit: unit_name(program, Unit::Visitor), bucket, share: program.holdout(), ramp: false });
    }
    let details = program.details(experience);
    let value = context.unit_of(details.unit(), experience.purpose)?;
    let unit = unit_name(program, details.unit());
    let id = program.text(experience.id);
    Some(match loss {
        Loss::Layer => {
            let (name, from, to) = details.layer()?;
            let layer = program.text(name).to_owned();
            Step::Layer { bucket: drawn(Draw::Layer, &layer, &value), layer, unit, from, to }
        }
        Loss::Traffic => {
            let (share, ramp) = (experience.traffic(program, &details, context.now), !details.ramp().is_empty());
            Step::Draw { unit, bucket: drawn(Draw::Traffic, id, &value), share, ramp }
        }
        _ => Step::Draw { unit, bucket: drawn(Draw::Holdout, id, &value), share: experience.holdout, ramp: false },
    })
}

/// The caps that are reached and the cooldowns that last, in the order in which they are looked at.
pub(super) fn caps(program: &Program, context: &Context, experience: &Experience, shown: &Shown) -> Vec<Step> {
    let mut reached = Vec::new();
    let _ = shown.each_cap(program, context, experience, &program.details(experience), &mut |scope, cap, seen, on_page| {
        let Some(cap) = cap else { return Ok(()) };
        let of = match scope {
            Scope::Experience => Limited::Experience,
            Scope::Group(name) => Limited::Group(program.text(name).to_owned()),
            Scope::Site => Limited::Site,
        };
        let windows = ["session", "day", "week", "total"].into_iter().zip(counts(seen, context));
        for ((per, before), limit) in windows.zip(cap.limits) {
            let count = before.saturating_add(on_page);
            if count >= limit {
                reached.push(Step::Cap { of: of.clone(), per, count, on_page, limit });
            }
        }
        let until = |seen: &Seen| rests_until(&cap, *seen);
        if let Some(seen) = seen.filter(|seen| cap.cooldown_minutes > 0 && context.now < until(seen)) {
            let until = until(&seen);
            reached.push(Step::Cooldown { of, last: seen.last, until });
        }
        Ok(())
    });
    reached
}

/// The groups of an experience that are suppressed, or used up.
pub(super) fn groups(program: &Program, experience: &Experience, shown: &Shown, loss: Loss) -> Vec<Step> {
    let mut closed = Vec::new();
    for group in shown.groups(program, &program.details(experience)) {
        let Some(declared) = program.group(group.group) else { continue };
        let name = program.text(declared.name).to_owned();
        match (loss, group.suppressed_by) {
            (Loss::Suppressed, Some(by)) => closed.push(Step::Group { group: name, by, max: None }),
            (Loss::GroupTaken, _) if group.is_used_up(program) => {
                closed.push(Step::Group { group: name, by: group.last, max: Some(declared.max) });
            }
            _ => {}
        }
    }
    closed
}

/// What is missing to draw a bucket for.
pub(super) fn no_unit(program: &Program, context: &Context, experience: &Experience) -> Step {
    let unit = program.details(experience).unit();
    let refused = Some(experience.purpose).filter(|purpose| !context.consent.has(*purpose));
    let of_trait = || match unit {
        Unit::Trait(field) => program.field_purpose(field).filter(|_| context.is_denied(field)),
        Unit::Visitor | Unit::User => None,
    };
    Step::NoUnit { unit: unit_name(program, unit), needs: refused.or_else(of_trait) }
}

fn unit_name(program: &Program, unit: Unit) -> String {
    match unit {
        Unit::Visitor => "visitor".to_owned(),
        Unit::User => "user".to_owned(),
        Unit::Trait(field) => program.field_path(field).to_owned(),
    }
}

/// Millionths as a share of one.
#[cfg(feature = "serde")]
pub(crate) fn of_one(millionths: u32) -> f64 {
    f64::from(millionths) / f64::from(MILLION)
}
