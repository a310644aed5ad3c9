//! What would have to change for one experience to win: every step, not only the first that it fails.

use super::Outcomes;
use super::change::{ClauseChange, Values, audience_change, override_of};
use super::must::reading_text;
use super::steps::{self, Looking, Step};
use super::tree;
use super::words::{of_unit, step_text};
use crate::context::Context;
use crate::decide::{Decisions, Loss, Reason, Shown, decide_traced};
use crate::eval::Truth;
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
}

/// What would have to change for an experience to win.
pub fn why_not(program: &Program, context: &Context, experience: u32) -> Option<WhyNot> {
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
    };
    if found.won == Some(Reason::NoUnit) {
        found.note = Some(step_text(program, &steps::no_unit(program, context, &experience), context.now));
    }
    if found.lost.is_some() {
        let details = program.details(&experience);
        let forced = experience.forced(program, context).is_some();
        let kept = experience.kept(program, context, &details).is_some();
        let mut seeker = Seeker { program, context, experience: &experience, found: &mut found };
        seeker.page();
        // What a preview forces passes the steps that look at the visitor, what is kept some of them.
        let mut values = Values::new();
        if !forced {
            seeker.status();
            seeker.schedule();
            if !kept {
                values = seeker.audience();
            }
        }
        seeker.content();
        // With what its audience asks for, others may win or lose.
        let supposed = context.supposing(program, &values);
        if !forced {
            if !kept {
                seeker.prerequisites(&supposed, &details);
            }
            seeker.draws(kept || details.winner().is_some());
        }
        seeker.page_so_far(&supposed, forced);
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

    /// What the step looked at says what would have to change.
    fn step(&mut self, loss: Loss, step: &Step, by: Option<u32>) {
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

    fn page(&mut self) {
        let (program, context) = (self.program, self.context);
        if self.experience.on_page(program, &Page::new(program, context)) {
            return;
        }
        let Step::Page { pages, slots } = steps::page(program, self.experience) else { return };
        let own = if pages.is_empty() { String::new() } else { format!("it is for {}; ", rules(&pages)) };
        let slots = slots.iter().map(|(slot, pages)| format!("{} on {}", program.slot_id(*slot), rules(pages)));
        let slots = slots.collect::<Vec<_>>().join(", ");
        let slots = if slots.is_empty() { "it has no slots".to_owned() } else { format!("its slots are {slots}") };
        self.needs(Loss::Page, format!("the page is {}{}; {own}{slots}", context.host(), context.path()));
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
    fn audience(&mut self) -> Values {
        let (program, context) = (self.program, self.context);
        let Some(root) = self.experience.audience else { return Values::new() };
        let Some(change) = audience_change(program, context, root) else { return Values::new() };
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

    fn prerequisites(&mut self, supposed: &Context, details: &Details) {
        for required in Looking::new(self.program, supposed).prerequisites(details) {
            let by = self.program.experience(required.experience).map(|other| other.index);
            self.step(Loss::Prerequisite, &Step::Prerequisite(required), by);
        }
    }

    /// `assigned`: the variant is known without layer and traffic.
    fn draws(&mut self, assigned: bool) {
        for loss in [Loss::Holdout, Loss::ExperienceHoldout, Loss::Layer, Loss::Traffic] {
            if assigned && matches!(loss, Loss::Layer | Loss::Traffic) {
                continue;
            }
            let Some(step) = steps::draw(self.program, self.context, self.experience, loss) else { continue };
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

    /// Caps, groups and slots, as those left them that are decided before.
    fn page_so_far(&mut self, supposed: &Context, forced: bool) {
        let (program, experience) = (self.program, self.experience);
        let mut outcomes = Outcomes::default();
        let decisions = decide_traced(program, supposed, &mut outcomes);
        let mut shown = Shown::default();
        let mut before = Vec::new();
        for (index, outcome) in outcomes.0.into_iter().take_while(|(index, _)| *index != experience.index) {
            if let Some(winner) = program.experience(index).filter(|_| outcome.is_ok()) {
                shown.add(program, &winner, &program.details(&winner));
                before.push(index);
            }
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
        self.slots(supposed, &decisions, &before);
    }

    /// Those that are decided before and have one of its slots.
    fn slots(&mut self, supposed: &Context, decisions: &Decisions, before: &[u32]) {
        for (slot, ..) in self.program.experience_slots(self.experience.slots.clone()) {
            let winner = decisions.slots.iter().find(|decision| decision.slot == slot).and_then(|decision| decision.experience);
            let Some(winner) = winner.filter(|winner| before.contains(winner)) else { continue };
            let (id, slot) = (self.program.experience_id(winner), self.program.slot_id(slot));
            let text = if self.program.experience(winner).is_some_and(|one| one.forced(self.program, supposed).is_some()) {
                format!("{id} has the slot {slot}, as a preview asks for it")
            } else {
                format!(
                    "{id} has the slot {slot} and is decided before this one: {id} would have to lose, or this one would need a higher priority"
                )
            };
            self.found.changes.push(Change { step: Loss::SlotTaken, text, by: Some(winner), clause: None });
        }
    }
}
