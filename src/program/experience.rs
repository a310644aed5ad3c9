//! Experiences as a program has them: what each of them says, and what only some say in a record of its own.

use super::layout::{NONE, Section, wide};
use super::{Page, Program, Run, Word, run};
use crate::bits::Bits;
use crate::bucket::MILLION;
use crate::consent::Purpose;
use crate::context::{Context, Unit};
use crate::profile::Levels;
#[cfg(feature = "explain")]
use crate::text::Cut;

/// An experience, read from the program.
#[derive(Debug, Clone)]
pub(crate) struct Experience {
    pub(crate) index: u32,
    pub(crate) id: u32,
    pub(crate) experiment: bool,
    pub(crate) purpose: Purpose,
    pub(crate) status: Status,
    /// The finest part of a clock or calendar that audience, contents or a ramp follow: 0 none, 1 the day, 2 the hour, 3 the minute;
    /// and [`Experience::REQUIRED`].
    pub(crate) clock: u32,
    /// The root of the audience's expression; `None` is everyone.
    pub(crate) audience: Option<u32>,
    /// Epoch milliseconds, inclusive.
    pub(crate) from: i64,
    /// Epoch milliseconds, exclusive.
    pub(crate) until: i64,
    /// Parts per million; of a ramp nothing.
    pub(super) traffic: u32,
    /// Parts per million.
    pub(crate) holdout: u32,
    /// Of each variant; of each run where there are runs.
    pub(crate) weights: Run,
    pub(crate) slots: Run,
    pub(crate) needs: Run,
    /// The content of the first of its slots' variant 1.
    pub(crate) contents: u32,
    /// Where its record in `Details` is.
    details: u32,
}

/// Whether an experience is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Running,
    Draft,
    Paused,
}

/// What only some experiences say: the words of their record, read where they are asked for.
#[derive(Debug, Clone)]
pub(crate) struct Details<'a>(Option<&'a [Word; 20]>);

impl Details<'_> {
    /// A word of the record; without one `NONE`, and 0 where that is an answer: what goes without saying.
    fn word(&self, index: usize) -> u32 {
        let plain = if matches!(index, UNIT | LAYER | CAP) { NONE } else { 0 };
        self.0.and_then(|words| words.get(index)).map_or(plain, |word| u32::from_le_bytes(*word))
    }

    fn flag(&self, bit: u32) -> bool {
        self.word(0) & bit != 0
    }

    pub(crate) fn sticky(&self) -> bool {
        self.flag(STICKY)
    }

    /// The site's cap holds for it and counts it.
    pub(crate) fn global_cap(&self) -> bool {
        !self.flag(NO_GLOBAL_CAP)
    }

    /// The share changes evenly between the points of the ramp.
    pub(crate) fn linear(&self) -> bool {
        self.flag(LINEAR)
    }

    pub(crate) fn unit(&self) -> Unit {
        match self.word(UNIT) {
            NONE => Unit::Visitor,
            USER => Unit::User,
            field => Unit::Trait(field),
        }
    }

    /// Name, and the part of the layer that it has in parts per million.
    pub(crate) fn layer(&self) -> Option<(u32, u32, u32)> {
        (self.word(LAYER) != NONE).then_some((self.word(LAYER), self.word(3), self.word(4)))
    }

    pub(crate) fn ramp(&self) -> Run {
        run(self.word(5), self.word(6))
    }

    pub(crate) fn requires(&self) -> Run {
        run(self.word(7), self.word(8))
    }

    /// Groups that it belongs to, in `Numbers`.
    pub(crate) fn groups(&self) -> Run {
        run(self.word(9), self.word(10))
    }

    /// Groups that it suppresses, in `Numbers`.
    pub(crate) fn suppresses(&self) -> Run {
        run(self.word(11), self.word(12))
    }

    pub(crate) fn cap(&self) -> u32 {
        self.word(CAP)
    }

    pub(crate) fn winner(&self) -> Option<Levels> {
        self.flag(WINNER).then(|| Levels(wide(self.word(14), self.word(15))))
    }

    pub(crate) fn factors(&self) -> Run {
        run(self.word(16), self.word(17))
    }

    pub(crate) fn runs(&self) -> Run {
        run(self.word(18), self.word(19))
    }
}

/// Where a record in `Details` has what is `NONE` for most.
const UNIT: usize = 1;
const LAYER: usize = 2;
const CAP: usize = 13;

/// Bits of the first word of a record in `Details`.
pub(crate) const STICKY: u32 = 1;
pub(crate) const NO_GLOBAL_CAP: u32 = 2;
pub(crate) const LINEAR: u32 = 4;
pub(crate) const WINNER: u32 = 8;
/// What stands for the known user in the word of the unit; the visitor is `NONE`.
pub(crate) const USER: u32 = NONE - 1;

/// An experience that a visitor must be assigned to.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    /// No experience's number where the program leaves the required one out.
    pub(crate) experience: u32,
    pub(crate) factor: u32,
    /// In `Numbers`; none means any.
    pub(crate) variants: Run,
}

/// An exclusion group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) name: u32,
    pub(crate) max: u32,
    pub(crate) cap: u32,
}

/// How often something may be shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap {
    /// Times in a session, on a day, in a week, and at all; `NONE` where there is no limit.
    pub(crate) limits: [u32; 4],
    pub(crate) cooldown_minutes: u32,
}

impl Program {
    /// Number of experiences.
    pub fn experience_count(&self) -> usize {
        self.count(Section::Experiences)
    }

    /// The experiences in the order of arbitration: priority, highest first, then id.
    #[cfg(feature = "explain")]
    pub(crate) fn experiences(&self) -> impl Iterator<Item = Experience> {
        (0..self.experience_count() as u32).filter_map(|index| self.experience(index))
    }

    /// The first of some experiences from a number on.
    pub(crate) fn next_experience(&self, among: &Bits, from: u32) -> Option<Experience> {
        self.experience(among.next(from)?)
    }

    pub(crate) fn experience(&self, index: u32) -> Option<Experience> {
        let [id, audience, terms, contents] = self.record(Section::Experiences, index as usize)?;
        let t: [u32; 14] = self.record(Section::Terms, terms as usize)?;
        let wide = |low: u32, high: u32| wide(low, high) as i64;
        Some(Experience {
            index,
            id,
            experiment: t[0] & 0xff == 1,
            purpose: Purpose::from_code(t[0] >> 8 & 0xff)?,
            clock: t[0] >> 24,
            status: match t[0] >> 16 & 0xff {
                0 => Status::Running,
                1 => Status::Draft,
                _ => Status::Paused,
            },
            audience: Some(audience).filter(|node| *node != NONE),
            from: wide(t[1], t[2]),
            until: wide(t[3], t[4]),
            traffic: t[5],
            holdout: t[6],
            weights: run(t[7], t[8]),
            slots: run(t[9], t[10]),
            needs: run(t[11], t[12]),
            contents,
            details: t[13],
        })
    }

    /// What only some experiences say; of the others what goes without saying.
    pub(crate) fn details(&self, experience: &Experience) -> Details<'_> {
        let record = self.words_of(Section::Details, experience.details as usize);
        Details(record.and_then(|words| words.first_chunk()))
    }

    /// An experience's id.
    pub fn experience_id(&self, experience: u32) -> &str {
        self.text(self.cell(Section::Experiences, experience as usize, 0))
    }

    /// The slots of an experience: each with the number of its contents that come before this slot's own, and its factor.
    pub(crate) fn experience_slots(&self, slots: Run) -> impl Iterator<Item = (u32, u32, u32)> {
        slots
            .map_while(|index| self.record::<3>(Section::ExperienceSlots, index))
            .map(|[slot, contents, factor]| (slot, contents, factor))
    }

    /// Weights, groups or variants.
    pub(crate) fn numbers(&self, numbers: Run) -> impl Iterator<Item = u32> {
        self.column(Section::Numbers, numbers)
    }

    pub(crate) fn needs(&self, needs: Run) -> impl Iterator<Item = u32> {
        self.column(Section::Needs, needs)
    }

    pub(crate) fn requirements(&self, requires: Run) -> impl Iterator<Item = Requirement> {
        let read = |[experience, factor, start, len]: [u32; 4]| Requirement { experience, factor, variants: run(start, len) };
        requires.map_while(move |index| self.record(Section::Requires, index).map(read))
    }

    pub(crate) fn group(&self, group: u32) -> Option<Group> {
        let [name, max, cap] = self.record(Section::Groups, group as usize)?;
        Some(Group { name, max, cap })
    }

    pub(crate) fn cap(&self, cap: u32) -> Option<Cap> {
        let [session, day, week, total, cooldown_minutes] = self.record(Section::Caps, cap as usize)?;
        Some(Cap { limits: [session, day, week, total], cooldown_minutes })
    }

    /// The name of a factor, and the weights of its levels.
    pub(crate) fn factor(&self, factor: usize) -> Option<(u32, Run)> {
        let [name, start, len] = self.record(Section::Factors, factor)?;
        Some((name, run(start, len)))
    }

    /// The name of a factor, by the number of its text.
    pub fn factor_name(&self, text: u32) -> &str {
        self.text(text)
    }

    /// The levels of a run of a fraction.
    pub(crate) fn run_levels(&self, run: usize) -> Levels {
        Levels(self.record(Section::Runs, run).map_or(0, |[low, high]| wide(low, high)))
    }

    /// Tells when each point of an experience's ramp is reached.
    pub(crate) fn each_point(&self, details: &Details, told: &mut impl FnMut(i64)) {
        for point in details.ramp() {
            let Some([low, high, _]) = self.record::<3>(Section::RampPoints, point) else { break };
            told((wide(low, high) as i64).wrapping_mul(1000));
        }
    }

    /// Whether some experience that could be shown passes page and schedule: whether a page could differ from what the origin sent.
    pub fn concerns(&self, context: &Context) -> bool {
        let page = Page::new(self, context);
        page.experiences(self).iter().any(|experience| {
            self.experience(experience)
                .is_some_and(|experience| !experience.slots.is_empty() && experience.may_run(self, context, &page))
        })
    }
}

#[cfg(feature = "explain")]
impl Program {
    /// The experience that a path such as `assignment.<experience>` of a context's profile is of, if what is stored there can be
    /// read by this program; else what was expected. `None` when the path is of no experience.
    pub(crate) fn stored_of(&self, context: &Context, path: &str) -> Option<Result<Experience, &'static str>> {
        let (kind, id) = path.cut(b'.').filter(|(kind, _)| matches!(*kind, "variant" | "assignment" | "seen"))?;
        let Some(experience) = self.experiences().find(|experience| self.text(experience.id) == id) else {
            return Some(Err("an experience's id after the dot"));
        };
        let details = self.details(&experience);
        let prefix = if kind == "variant" { "variant." } else { "assignment." };
        if kind == "seen" || experience.stored(self, context, prefix, &details).is_some() {
            return Some(Ok(experience));
        }
        Some(Err(Levels::EXPECTED))
    }
}

impl Experience {
    /// In `clock`: others require it, wherever they are.
    pub(crate) const REQUIRED: u32 = 4;

    /// Whether one that is for the page passes the other steps that look at no visitor: slots, status and schedule.
    pub(crate) fn may_run(&self, program: &Program, context: &Context, page: &Page) -> bool {
        let live = self.status == Status::Running && self.in_schedule(context.now);
        (live || self.forced(program, context).is_some()) && self.has_place(program, page)
    }

    /// Whether at least one of its slots is on the page, or it has none.
    pub(crate) fn has_place(&self, program: &Program, page: &Page) -> bool {
        for (slot, ..) in program.experience_slots(self.slots.clone()) {
            if page.has_slot(program, slot) {
                return true;
            }
        }
        self.slots.is_empty()
    }

    /// Whether its own rules match and it has a place there.
    #[cfg(feature = "explain")]
    pub(crate) fn on_page(&self, program: &Program, page: &Page) -> bool {
        page.experiences(program).has(self.index) && self.has_place(program, page)
    }

    pub(crate) fn in_schedule(&self, now: i64) -> bool {
        (self.from..self.until).contains(&now)
    }

    /// The share of its audience that takes part at an instant, in parts per million.
    #[inline(never)]
    pub(crate) fn traffic(&self, program: &Program, details: &Details, now: i64) -> u32 {
        if details.ramp().is_empty() {
            return self.traffic;
        }
        // Seconds: their product with a share stays far below 64 bits.
        let now = now.div_euclid(1000);
        let mut share = 0;
        let mut begun: Option<i64> = None;
        for point in details.ramp() {
            let Some([low, high, next]) = program.record(Section::RampPoints, point) else { break };
            let at = wide(low, high) as i64;
            if at > now {
                if let Some(begun) = begun.filter(|_| details.linear()) {
                    let (part, whole) = (now.saturating_sub(begun), at.saturating_sub(begun).max(1));
                    let change = (i64::from(next) - i64::from(share)).saturating_mul(part) / whole;
                    share = (i64::from(share) + change).clamp(0, i64::from(MILLION)) as u32;
                }
                break;
            }
            (begun, share) = (Some(at), next);
        }
        share
    }

    /// The variant that a preview asks for, if there is one.
    pub(crate) fn forced(&self, program: &Program, context: &Context) -> Option<Levels> {
        if context.profile.forces { self.stored(program, context, "variant.", &program.details(self)) } else { None }
    }

    /// The variant that was assigned before and stays, whatever has become of audience and traffic since.
    pub(crate) fn kept(&self, program: &Program, context: &Context, details: &Details) -> Option<Levels> {
        let may_keep = details.sticky() && context.consent.has(self.purpose);
        if may_keep { self.stored(program, context, "assignment.", details) } else { None }
    }

    /// The variant that is stored for the experience, if it is one of its own.
    #[inline(never)]
    pub(crate) fn stored(&self, program: &Program, context: &Context, kind: &str, details: &Details) -> Option<Levels> {
        let levels = context.profile.levels(kind, program.raw(self.id))?;
        let factors = details.factors().len().max(1) as u32;
        let valid = |factor: u32| levels.level(factor) < self.levels(program, details, factor);
        (levels.count() == factors && (0..factors).all(valid)).then_some(levels)
    }

    /// How many levels a factor has; without factors the number of variants.
    pub(crate) fn levels(&self, program: &Program, details: &Details, factor: u32) -> u32 {
        let factors = details.factors();
        let weights = if factors.is_empty() {
            self.weights.clone()
        } else {
            program.factor(factors.start.saturating_add(factor as usize)).map_or(0..0, |(_, weights)| weights)
        };
        if self.experiment { weights.len() as u32 } else { 2 }
    }
}
