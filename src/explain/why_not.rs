//! What would have to change for one experience to win: every step, not only the first that it fails.

use super::Losses;
use super::change::{ClauseChange, audience_change, override_of};
use super::must::reading_text;
use super::steps::{self, Step};
use super::tree;
use crate::context::{Context, Value};
use crate::decide::{Decisions, Loss, Reason, decide, decide_traced};
use crate::eval::Truth;
use crate::program::{Experience, Page, Program};
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
    /// Why it won, where it has a slot.
    pub won: Option<Reason>,
    /// What would have to change, in the order of the steps.
    pub changes: Vec<Change>,
    /// How many other sets of clauses of its audience would do.
    pub other_ways: usize,
    /// Overrides (paths and texts) with which its audience was seen to be true.
    pub overrides: Vec<(String, String)>,
}

/// What would have to change for an experience to win.
pub fn why_not(program: &Program, context: &Context, experience: u32) -> Option<WhyNot> {
    let experience = program.experience(experience)?;
    let mut losses = Losses::default();
    let decisions = decide_traced(program, context, &mut losses);
    let lost = losses.0.iter().find(|(index, _, _)| *index == experience.index);
    let won = decisions.slots.iter().find(|decision| decision.experience == Some(experience.index));
    let mut found = WhyNot {
        experience: experience.index,
        lost: lost.map(|(_, loss, _)| *loss),
        won: won.map(|decision| decision.reason),
        changes: Vec::new(),
        other_ways: 0,
        overrides: Vec::new(),
    };
    if found.lost.is_some() {
        let mut seeker = Seeker { program, context, experience: &experience, found: &mut found };
        seeker.page();
        seeker.schedule();
        let values = seeker.audience();
        seeker.content();
        seeker.draws();
        // With what its audience asks for, others may win or lose.
        seeker.slots(&decide(program, &context.supposing(program, &values)));
    }
    Some(found)
}

struct Seeker<'a> {
    program: &'a Program,
    context: &'a Context,
    experience: &'a Experience,
    found: &'a mut WhyNot,
}

/// Page rules as a list for people.
fn rules(rules: &[String]) -> String {
    if rules.is_empty() { "every page".to_owned() } else { rules.join(" or ") }
}

impl Seeker<'_> {
    fn needs(&mut self, step: Loss, text: String) {
        self.found.changes.push(Change { step, text, by: None, clause: None });
    }

    fn page(&mut self) {
        let (program, context) = (self.program, self.context);
        if self.experience.on_page(program, &Page::new(program, context)) {
            return;
        }
        let Step::Page { pages, slots } = steps::page(program, self.experience) else { return };
        let own = if pages.is_empty() { String::new() } else { format!("it is for {}; ", rules(&pages)) };
        let slots = slots.iter().map(|(slot, pages)| format!("{} on {}", program.slot_id(*slot), rules(pages)));
        let slots = slots.collect::<Vec<_>>().join(", ");
        self.needs(Loss::Page, format!("the page is {}{}; {own}its slots are {slots}", context.host(), context.path()));
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

    /// Returns values of fields with which the audience is true.
    fn audience(&mut self) -> Vec<(u32, Option<Value>)> {
        let (program, context) = (self.program, self.context);
        let Some(root) = self.experience.audience else { return Vec::new() };
        let Some(change) = audience_change(program, context, root) else { return Vec::new() };
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
        change.values
    }

    fn content(&mut self) {
        for reading in steps::missing(self.program, self.context, self.experience) {
            let step = if reading.needs.is_some() { Loss::NoConsent } else { Loss::Unknown };
            self.needs(step, format!("{}; its content needs it", reading_text(&reading)));
        }
    }

    fn draws(&mut self) {
        for loss in [Loss::Holdout, Loss::ExperienceHoldout, Loss::Traffic] {
            let Some(Step::Draw { bucket, share }) = Step::of(self.program, self.context, self.experience, loss) else {
                continue;
            };
            let inside = bucket < share;
            let of_one = steps::of_one;
            let text = match loss {
                Loss::Traffic if !inside => {
                    format!("its traffic would have to be above {}; it is {}", of_one(bucket), of_one(share))
                }
                Loss::Holdout if inside => {
                    format!("the site's holdout would have to be at most {}; it is {}", of_one(bucket), of_one(share))
                }
                Loss::ExperienceHoldout if inside => {
                    format!("its holdout would have to be at most {}; it is {}", of_one(bucket), of_one(share))
                }
                _ => continue,
            };
            self.needs(loss, format!("{text} (the visitor's bucket is {})", of_one(bucket)));
        }
    }

    /// Those that are decided before and have one of its slots.
    fn slots(&mut self, decisions: &Decisions) {
        for (slot, ..) in self.program.experience_slots(self.experience.slots.clone()) {
            let winner = decisions.slots.iter().find(|decision| decision.slot == slot).and_then(|decision| decision.experience);
            let Some(winner) = winner.filter(|winner| *winner < self.experience.index) else { continue };
            let text = format!(
                "{} has the slot {} and is decided before this one: {0} would have to lose, or this one would need a higher priority",
                self.program.experience_id(winner),
                self.program.slot_id(slot)
            );
            self.found.changes.push(Change { step: Loss::SlotTaken, text, by: Some(winner), clause: None });
        }
    }
}
