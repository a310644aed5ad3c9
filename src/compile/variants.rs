//! The variants of an experience: how many there are, their weights, factors and runs, and the winner.

use super::content::ContentFields;
use super::{Compiler, lookup};
use crate::manifest::{Content, Experience, ExperienceKind, List, Named, SlotContent, Spanned, Weight};
use crate::profile::Levels;
use crate::program::layout::Section;

/// The most variants of a slot, the baseline among them.
const MOST_VARIANTS: usize = 255;
/// The most factors of an experiment.
const MOST_FACTORS: usize = Levels::MOST as usize;

/// What the variants of an experience come to in a program.
pub(super) struct Variants {
    /// Of its variants, or of its runs.
    pub(super) weights: [u32; 2],
    pub(super) slots: [u32; 2],
    /// The first of the contents of its slots.
    pub(super) contents: u32,
    pub(super) factors: [u32; 2],
    /// The first run, if there are any.
    pub(super) runs: Option<u32>,
    pub(super) winner: Option<u64>,
}

/// The number of levels of slots that vary together.
pub(super) fn levels_of(kind: ExperienceKind, slots: &Named<SlotContent>) -> usize {
    match slots.first() {
        Some((_, SlotContent::Variants(list))) if kind == ExperienceKind::Experiment => list.value.0.len(),
        _ => 2,
    }
}

impl Compiler<'_, '_, '_> {
    pub(super) fn variants(&mut self, experience: &Experience, fields: &mut ContentFields) -> Variants {
        self.check_kind(experience);
        let mut slots = Shown::default();
        let mut levels = Vec::new();
        let mut factors = [0, 0];
        if experience.factors.is_empty() {
            let count = self.level_count(experience.kind, &experience.slots);
            levels.push(count);
            self.slot_records(&experience.slots, 0, fields, &mut slots);
        } else {
            let mut records = Vec::new();
            for (index, (name, factor)) in experience.factors.iter().enumerate() {
                self.check_id(name);
                if factor.slots.is_empty() {
                    self.error(name, "the factor has no slots, so it can vary nothing");
                }
                let count = self.level_count(ExperienceKind::Experiment, &factor.slots);
                levels.push(count);
                self.slot_records(&factor.slots, index as u32, fields, &mut slots);
                if let Some(weights) = factor.weights.as_ref().filter(|_| experience.runs.is_some()) {
                    self.error(weights, "with runs the experience has weights, one for each run, and its factors have none");
                }
                let [start, len] = self.weights(factor.weights.as_ref(), count, "level");
                records.push([self.builder.text(&name.value), start, len]);
            }
            factors = [self.builder.next(Section::Factors), records.len() as u32];
            for record in &records {
                self.builder.push(Section::Factors, record);
            }
        }
        self.check_slots_once(experience);
        let runs = self.runs(experience, &levels);
        let weights = match (&experience.runs, experience.kind, experience.factors.is_empty()) {
            (Some(runs), ..) => self.weights(experience.weights.as_ref(), runs.value.0.len(), "run"),
            (None, ExperienceKind::Experiment, true) => {
                self.weights(experience.weights.as_ref(), levels.first().copied().unwrap_or(2), "variant")
            }
            (None, ExperienceKind::Experiment, false) => {
                if let Some(weights) = &experience.weights {
                    self.error(weights, "an experiment with factors has weights in each factor, or runs");
                }
                [0, 0]
            }
            (None, ExperienceKind::Personalization, _) => [0, 0],
        };
        let winner = self.winner(experience, &levels);
        let contents = self.builder.run(Section::Contents, &slots.contents);
        let count = slots.records.len() as u32 / 3;
        let slots = [self.builder.run(Section::ExperienceSlots, &slots.records), count];
        Variants { weights, slots, contents, factors, runs, winner }
    }

    /// What only experiments have, and what can't stand together.
    fn check_kind(&mut self, experience: &Experience) {
        if experience.slots.is_empty() && experience.factors.is_empty() && experience.suppresses.0.is_empty() {
            let path = experience.id.path.strip_suffix("id").unwrap_or_default();
            // Slots that were refused are slots.
            if ["slots", "factors", "suppresses"].iter().all(|part| self.diagnostics.is_clean(&format!("{path}{part}"))) {
                self.error(&experience.id, "the experience has no slots, so it can show nothing, and `suppresses` no group");
            }
        }
        if let (Some((slot, _)), Some(_)) = (experience.slots.first(), experience.factors.first()) {
            self.error(slot, "an experience has slots or factors, not both; put the slot into one of the factors");
        }
        if let Some((name, _)) = experience.factors.get(MOST_FACTORS) {
            self.error(name, format!("an experiment has at most {MOST_FACTORS} factors"));
        }
        if let Some(runs) = experience.runs.as_ref().filter(|_| experience.factors.is_empty()) {
            self.error(runs, "runs are combinations of factors, and the experience has none");
        }
        if experience.kind == ExperienceKind::Experiment {
            return;
        }
        let only = |what: &str| format!("only an experiment has {what}");
        if let Some(weights) = &experience.weights {
            self.error(weights, "only an experiment has weights; a personalization has traffic");
        }
        if let Some((name, _)) = experience.factors.first() {
            self.error(name, only("factors"));
        }
        if let Some(winner) = &experience.winner {
            self.error(winner, only("a winner"));
        }
        if let Some(sticky) = experience.sticky.as_ref().filter(|sticky| sticky.value) {
            self.error(sticky, only("variants that can be sticky"));
        }
    }

    /// No slot stands in two factors.
    fn check_slots_once(&mut self, experience: &Experience) {
        let mut seen: Vec<&str> = Vec::new();
        for (slot, _) in experience.factors.iter().flat_map(|(_, factor)| &factor.slots) {
            if seen.contains(&slot.value.as_str()) {
                self.error(slot, format!("the slot `{}` is in another factor already", slot.value));
            }
            seen.push(&slot.value);
        }
    }

    /// The number of variants, baseline included; the same in every slot.
    fn level_count(&mut self, kind: ExperienceKind, slots: &Named<SlotContent>) -> usize {
        let mut count = None;
        for (slot, content) in slots {
            match (kind, content) {
                (ExperienceKind::Personalization, SlotContent::One(_)) => {}
                (ExperienceKind::Personalization, SlotContent::Variants(list)) => self.error_with_help(
                    list,
                    "a personalization shows one content, found a list",
                    Some("write the content alone, or say \"type\": \"experiment\"".into()),
                ),
                (ExperienceKind::Experiment, SlotContent::One(content)) => self.error_with_help(
                    content.as_ref(),
                    "an experiment has a list of variants, found one content",
                    Some("write [{ \"baseline\": true }, { ... }]".into()),
                ),
                (ExperienceKind::Experiment, SlotContent::Variants(list)) => {
                    let found = list.value.0.len();
                    if list.value.0.first().is_none_or(|first| first.value.is_some()) || found < 2 {
                        self.error_of_whole(
                            list,
                            "an experiment's list begins with { \"baseline\": true } and has at least one variant behind it",
                        );
                    }
                    if found > MOST_VARIANTS {
                        self.error(list, format!("a slot has at most {MOST_VARIANTS} variants, found {found}"));
                    }
                    if *count.get_or_insert(found) != found {
                        let expected = count.unwrap_or(found);
                        self.error_of_whole(
                            list,
                            format!("expected {expected} variants as in the experience's first slot, found {found}"),
                        );
                    }
                }
            }
            if let Err(help) = lookup(&self.manifest.slots, &slot.value) {
                self.unknown(slot, "slot", help, "{ \"selector\": ... }");
            }
        }
        count.unwrap_or(2)
    }

    /// Writes weights: by default all the same.
    fn weights(&mut self, weights: Option<&Spanned<List<Weight>>>, count: usize, what: &str) -> [u32; 2] {
        let Some(weights) = weights else { return self.numbers(&vec![1; count]) };
        let numbers: Vec<u32> = weights.value.0.iter().map(|weight| weight.0).collect();
        let found = numbers.len();
        if found != count {
            self.error_of_whole(weights, format!("expected {count} weights, one for each {what}, found {found}"));
        } else if numbers.iter().all(|weight| *weight == 0) {
            self.error(
                weights,
                format!("the weights sum to nothing, so no {what} can be drawn; give one of them a weight above 0"),
            );
        }
        self.numbers(&numbers)
    }

    /// Writes the runs of a fraction.
    fn runs(&mut self, experience: &Experience, levels: &[usize]) -> Option<u32> {
        let runs = experience.runs.as_ref()?;
        if runs.value.0.is_empty() {
            self.error_of_whole(runs, "expected at least one run; without `runs` every combination is one");
        }
        let mut records: Vec<[u32; 2]> = Vec::new();
        for run in &runs.value.0 {
            let Some(bits) = self.levels(experience, run, levels) else { continue };
            let record = [bits as u32, (bits >> 32) as u32];
            if records.contains(&record) {
                self.error(run, "this run is written twice; give it a greater weight instead");
            }
            records.push(record);
        }
        let start = self.builder.next(Section::Runs);
        for record in &records {
            self.builder.push(Section::Runs, record);
        }
        Some(start)
    }

    fn winner(&mut self, experience: &Experience, levels: &[usize]) -> Option<u64> {
        let winner = experience.winner.as_ref()?;
        if experience.kind == ExperienceKind::Personalization {
            return None;
        }
        self.levels(experience, winner, levels)
    }

    /// One level for each factor.
    fn levels(&mut self, experience: &Experience, written: &Spanned<crate::manifest::Levels>, levels: &[usize]) -> Option<u64> {
        let found = &written.value.0;
        if found.len() != levels.len() {
            let message = match levels.len() {
                1 => format!("expected the number of one variant, found {} numbers", found.len()),
                count => format!("expected {count} levels, one for each factor, found {}", found.len()),
            };
            self.error_of_whole(written, message);
            return None;
        }
        let mut packed = Levels::NONE;
        for ((level, count), factor) in found.iter().zip(levels).zip(0..) {
            if !(0..*count as i32).contains(level) {
                let of =
                    experience.factors.get(factor as usize).map_or(String::new(), |(name, _)| format!(" of `{}`", name.value));
                self.error(written, format!("expected a variant{of} from 0 to {}, found {level}", count.saturating_sub(1)));
                return None;
            }
            packed = packed.with(factor, *level as u32);
        }
        Some(packed.0)
    }

    /// What an experience shows in its slots.
    fn slot_records(&mut self, slots: &Named<SlotContent>, factor: u32, fields: &mut ContentFields, shown: &mut Shown) {
        for (slot, content) in slots {
            let Ok((slot_index, declared)) = lookup(&self.manifest.slots, &slot.value) else { continue };
            // The baseline has none.
            let contents: Vec<Spanned<Content>> = match content {
                SlotContent::One(content) => vec![Spanned::clone(content)],
                SlotContent::Variants(list) => {
                    let variants = list.value.0.iter().filter_map(|variant| {
                        let value = variant.value.clone()?;
                        Some(Spanned { value, span: variant.span.clone(), path: variant.path.clone() })
                    });
                    variants.collect()
                }
            };
            shown.records.extend([slot_index, shown.contents.len() as u32, factor]);
            for content in &contents {
                let edits = self.content_edits(content, declared, fields);
                shown.contents.push(self.builder.content(&edits));
            }
        }
    }
}

/// What an experience shows in its slots.
#[derive(Default)]
struct Shown {
    /// For each slot three words: slot, how many contents come before its own, factor.
    records: Vec<u32>,
    /// The contents of each slot from variant 1 on.
    contents: Vec<u32>,
}
