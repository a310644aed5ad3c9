//! What would have to change for one experience to win: every step, not only the first that it fails.

use super::Outcomes;
use super::change::{ClauseChange, audience_change};
use super::clauses::Reading;
use super::must::reading_text;
use super::steps::{self, Looking, Prerequisite, Step};
use super::tree;
use super::values::override_of;
use super::words::{of_unit, step_text};
use crate::context::Context;
use crate::decide::{Loss, Reason, decide_traced};
use crate::eval::{Evaluator, Truth};
use crate::number::share_text;
use crate::program::{Details, Experience, Page, Program, Status};
use crate::time::instant_text;

/// One thing that would have to be otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The step at which the experience would lose without it.
    pub step: Loss,
    /// What is, and what would have to be.
    pub text: String,
    /// The number of the experience that is in the way.
    pub by: Option<u32>,
    /// The clause of the audience.
    pub clause: Option<ClauseChange>,
}

/// Why an experience did not win, and everything that would have to change for it to win.
#[derive(Debug, Clone, PartialEq)]
pub struct WhyNot {
    /// The experience's number.
    pub experience: u32,
    /// The first step that it fails; `None` where it won.
    pub lost: Option<Loss>,
    /// Why it won.
    pub won: Option<Reason>,
    /// What is missing, where it won without a unit.
    pub note: Option<String>,
    /// What would have to change, in the order of the steps.
    pub changes: Vec<Change>,
    /// How many other sets of clauses of its audience would do.
    pub other_ways: usize,
    /// Overrides (paths and texts) with which its audience was seen to be true.
    pub overrides: Vec<(String, String)>,
    /// What else may be in its way and can't be told from here.
    pub unsure: Vec<&'static str>,
}

/// Derives the visitor's context anew, with more overrides behind those that there are.
pub type Derive<'a> = &'a dyn Fn(&[(String, String)]) -> Context;

pub(super) const ELSEWHERE: &str = "what other experiences take on its own page";
const AS_NOW: &str = "the steps behind its audience as they would be: they are told as they are now";
const NO_LONGER: &str = "its audience, which is no longer true with the consent that its content needs";
const ENRICHED: &str = "what enrichments answer with these values, and who wins by that";
const REQUIRED: &str = "who else wins with what makes the prerequisite hold";

/// What would have to change for an experience to win. `derive` derives the context again, with what its audience asks for.
pub fn why_not(program: &Program, context: &Context, experience: u32, derive: Derive<'_>) -> Option<WhyNot> {
    let experience = program.experience(experience)?;
    let mut outcomes = Outcomes::default();
    decide_traced(program, context, &mut outcomes);
    let outcome = outcomes.0.iter().find(|(index, _)| *index == experience.index).map(|(_, outcome)| *outcome);
    let mut found = WhyNot {
        experience: experience.index,
        lost: outcome.and_then(|outcome| outcome.err()).map(|(loss, _)| loss),
        won: outcome.and_then(|outcome| outcome.ok()),
        note: None,
        changes: Vec::new(),
        other_ways: 0,
        overrides: Vec::new(),
        unsure: Vec::new(),
    };
    if found.won == Some(Reason::NoUnit) {
        found.note = Some(step_text(program, &steps::no_unit(program, context, &experience), context.now));
    }
    if found.lost.is_some() {
        Seeker { program, context, experience: &experience, found: &mut found }.seek(derive);
    }
    Some(found)
}

pub(super) struct Seeker<'a> {
    pub(super) program: &'a Program,
    /// What is.
    context: &'a Context,
    pub(super) experience: &'a Experience,
    pub(super) found: &'a mut WhyNot,
}

/// Page rules as a list for people.
fn rules(rules: &[String]) -> String {
    if rules.is_empty() { "every page".to_owned() } else { rules.join(" or ") }
}

impl Seeker<'_> {
    fn seek(&mut self, derive: Derive<'_>) {
        let (program, experience) = (self.program, self.experience);
        let details = program.details(experience);
        let forced = experience.forced(program, self.context).is_some();
        let here = self.page(self.context);
        // What a preview forces passes the steps that look at the visitor, what is kept some of them.
        let asked = !forced && experience.kept(program, self.context, &details).is_none();
        if !forced {
            self.status();
            self.schedule();
        }
        if asked {
            self.audience();
        }
        // The other steps are looked at as they would be then: others may win or lose by it, another bucket be drawn.
        let supposed = self.supposed(derive, asked);
        if here && !self.page(&supposed) {
            self.found.changes.rotate_right(1);
        }
        let mut required = Vec::new();
        if !forced {
            let kept = experience.kept(program, &supposed, &details).is_some();
            if !kept {
                required = self.prerequisites(&supposed, &details);
            }
            self.draws(&supposed, kept || details.winner().is_some());
        }
        self.page_so_far(&supposed, forced, &required);
    }

    /// The context with all that its audience and its content ask for.
    fn supposed(&mut self, derive: Derive<'_>, asked: bool) -> Context {
        let program = self.program;
        let audience = self.experience.audience.filter(|_| asked);
        let holds = |context: &Context| audience.is_none_or(|node| Evaluator::new(program, context).truth(node) == Truth::True);
        let mut supposed = if self.found.overrides.is_empty() { self.context.clone() } else { derive(&self.found.overrides) };
        if !holds(&supposed) {
            self.found.overrides.clear();
            self.found.unsure.push(AS_NOW);
            supposed = self.context.clone();
        }
        let mut overrides = self.found.overrides.clone();
        if overrides.iter().any(|(path, _)| program.field(path).is_some_and(|(field, _)| program.is_asked_with(field))) {
            self.found.unsure.push(ENRICHED);
        }
        let missing = steps::missing(program, &supposed, self.experience);
        for purpose in missing.iter().filter_map(|reading| reading.needs) {
            let consent = format!("consent.{}", purpose.name());
            if overrides.iter().all(|(path, _)| *path != consent) {
                overrides.push((consent, "true".to_owned()));
            }
        }
        let held = holds(&supposed);
        if overrides.len() > self.found.overrides.len() {
            supposed = derive(&overrides);
        }
        if held && !holds(&supposed) {
            self.found.unsure.push(NO_LONGER);
        }
        self.content(missing, &supposed);
        supposed
    }

    fn needs(&mut self, step: Loss, text: String) {
        self.found.changes.push(Change { step, text, by: None, clause: None });
    }

    /// What the step looked at says what would have to change.
    pub(super) fn step(&mut self, loss: Loss, step: &Step, by: Option<u32>) {
        let text = step_text(self.program, step, self.context.now);
        self.found.changes.push(Change { step: loss, text, by, clause: None });
    }

    fn status(&mut self) {
        let (loss, is) = match self.experience.status {
            Status::Running => return,
            Status::Draft => (Loss::Draft, "a draft"),
            Status::Paused => (Loss::Paused, "paused"),
        };
        self.needs(loss, format!("it is {is}; its status would have to be running"));
    }

    /// Returns whether it is for the page.
    fn page(&mut self, context: &Context) -> bool {
        let program = self.program;
        if self.experience.on_page(program, &Page::new(program, context)) {
            return true;
        }
        let Step::Page { pages, slots } = steps::page(program, self.experience, &program.sets_of_experiences()) else {
            return false;
        };
        let own = if pages.is_empty() { String::new() } else { format!("it is for {}; ", rules(&pages)) };
        let slots = slots.iter().map(|(slot, pages)| format!("{} on {}", program.slot_id(*slot), rules(pages)));
        let slots = slots.collect::<Vec<_>>().join(", ");
        let slots = if slots.is_empty() { "it has no slots".to_owned() } else { format!("its slots are {slots}") };
        let is = if std::ptr::eq(context, self.context) { "is" } else { "would be" };
        self.needs(Loss::Page, format!("the page {is} {}{}; {own}{slots}", context.host(), context.path()));
        false
    }

    fn schedule(&mut self) {
        let Experience { from, until, .. } = *self.experience;
        let now = self.context.now;
        if now < from {
            self.needs(Loss::Schedule, format!("it begins at {}; now it is {}", instant_text(from), instant_text(now)));
        } else if now >= until {
            self.needs(Loss::Schedule, format!("it was over at {}; now it is {}", instant_text(until), instant_text(now)));
        }
    }

    fn audience(&mut self) {
        let (program, context) = (self.program, self.context);
        let Some(root) = self.experience.audience else { return };
        let Some(change) = audience_change(program, context, root) else { return };
        if change.clauses.is_empty() {
            self.needs(Loss::Audience, format!("{} is true for nobody", tree::text(program, root)));
        }
        for clause in change.clauses {
            let step = match clause.value {
                Truth::Unknown => Loss::Unknown,
                Truth::Denied => Loss::NoConsent,
                Truth::True | Truth::False => Loss::Audience,
            };
            let text = clause.words();
            self.found.changes.push(Change { step, text, by: None, clause: Some(clause) });
        }
        self.found.other_ways = change.other_ways;
        let overrides = change.values.iter().map(|(field, value)| override_of(program, *field, value.as_ref()));
        self.found.overrides = overrides.collect::<Option<_>>().unwrap_or_default();
    }

    /// `missing`: what has no value where its audience is true; what its audience asks for is not told again.
    fn content(&mut self, missing: Vec<Reading>, supposed: &Context) {
        let program = self.program;
        for reading in missing {
            let value = |context: &Context| program.field(&reading.path).is_some_and(|(field, _)| context.get(field).is_some());
            let step = if reading.needs.is_some() { Loss::NoConsent } else { Loss::Unknown };
            let but = match reading.needs {
                // The consent alone does not do.
                Some(_) if !value(supposed) => ", and is not known with it",
                None if value(self.context) => " then",
                _ => "",
            };
            self.needs(step, format!("{}{but}; its content needs it", reading_text(&reading)));
        }
    }

    /// Returns the levels that it requires of others and that are not there.
    fn prerequisites(&mut self, supposed: &Context, details: &Details) -> Vec<Prerequisite> {
        let unmet = Looking::new(self.program, supposed).prerequisites(details);
        for required in &unmet {
            let by = self.program.experience(required.experience).map(|other| other.index);
            self.step(Loss::Prerequisite, &Step::Prerequisite(required.clone()), by);
        }
        if !unmet.is_empty() {
            self.found.unsure.push(REQUIRED);
        }
        unmet
    }

    /// `assigned`: the variant is known without layer and traffic.
    fn draws(&mut self, supposed: &Context, assigned: bool) {
        for loss in [Loss::Holdout, Loss::ExperienceHoldout, Loss::Layer, Loss::Traffic] {
            if assigned && matches!(loss, Loss::Layer | Loss::Traffic) {
                continue;
            }
            let Some(step) = steps::draw(self.program, supposed, self.experience, loss) else { continue };
            let (unit, bucket, share, ramp) = match &step {
                Step::Draw { unit, bucket, share, ramp } => (unit, *bucket, *share, *ramp),
                Step::Layer { bucket, from, to, .. } if !(from..to).contains(&bucket) => {
                    self.step(loss, &step, None);
                    continue;
                }
                _ => continue,
            };
            let inside = bucket < share;
            let text = match loss {
                Loss::Traffic if !inside => {
                    let at_now = if ramp { " now, by its ramp" } else { "" };
                    format!("its traffic would have to be above {}; it is {}{at_now}", share_text(bucket), share_text(share))
                }
                Loss::Holdout if inside => {
                    format!("the site's holdout would have to be at most {}; it is {}", share_text(bucket), share_text(share))
                }
                Loss::ExperienceHoldout if inside => {
                    format!("its holdout would have to be at most {}; it is {}", share_text(bucket), share_text(share))
                }
                _ => continue,
            };
            self.needs(loss, format!("{text} ({} is {})", of_unit("bucket", unit), share_text(bucket)));
        }
    }
}
