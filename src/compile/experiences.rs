//! Experiences: their slots, variants and shares.

use super::content::ContentFields;
use super::reads::Reads;
use super::{Compiler, Outline, lookup, share};
use crate::bucket::MILLION;
use crate::consent::Purpose;
use crate::manifest::{Content, Experience, ExperienceKind, SlotContent, Spanned};
use crate::program::layout::{NONE, Section};
use std::collections::HashMap;

impl<'m> Compiler<'m, '_, '_> {
    pub(super) fn experiences(&mut self) {
        let manifest = self.manifest;
        let mut seen: HashMap<&str, ()> = HashMap::new();
        for experience in &manifest.experiences.0 {
            self.check_id(&experience.id);
            if seen.insert(&experience.id.value, ()).is_some() {
                self.error(&experience.id, format!("another experience has the id `{}`", experience.id.value));
            }
        }
        // The order of arbitration.
        let mut ordered: Vec<&'m Experience> = manifest.experiences.0.iter().collect();
        ordered.sort_by(|a, b| {
            let priority = |experience: &Experience| experience.priority.unwrap_or(0);
            priority(b).cmp(&priority(a)).then_with(|| a.id.value.cmp(&b.id.value))
        });
        for experience in ordered {
            self.experience(experience);
        }
    }

    fn experience(&mut self, experience: &'m Experience) {
        let checked = experience.audience.as_ref().and_then(|text| self.experience_audience(text));
        let mut reads = checked.as_ref().map_or_else(Reads::default, Reads::of);
        let audience = checked.as_ref().map_or(NONE, |checked| self.builder.expression(checked));
        let (from, until) = self.schedule(experience.schedule.as_ref());
        if let Some(goal) = &experience.goal
            && let Err(help) = lookup(&self.manifest.goals, &goal.value)
        {
            self.error_with_help(goal, format!("unknown goal `{}`", goal.value), help);
        }
        let pages = self.page_rules(&experience.pages.0);
        let variants = self.variant_count(experience);
        let (weights, weight_count) = self.weights(experience, variants);
        let mut fields = ContentFields::default();
        let (slots, slot_count) = self.experience_slots(experience, variants, &mut fields);
        let need_start = self.builder.next(Section::Needs);
        for field in &fields.needed {
            self.builder.push(Section::Needs, &[*field]);
        }
        let experiment = u32::from(experience.kind == ExperienceKind::Experiment);
        let purpose = experience.purpose.unwrap_or(Purpose::Personalization);
        let halves = |instant: i64| [instant as u32, (instant as u64 >> 32) as u32];
        let ([from_low, from_high], [until_low, until_high]) = (halves(from), halves(until));
        let record = [
            self.builder.text(&experience.id.value),
            experiment | purpose.code() << 8,
            audience,
            from_low,
            from_high,
            until_low,
            until_high,
            match &experience.traffic {
                Some(crate::manifest::Traffic::Share(part)) => share(Some(*part), MILLION),
                _ => MILLION,
            },
            share(experience.holdout, 0),
            weights,
            weight_count,
            pages,
            slots,
            slot_count,
            need_start,
            fields.needed.len() as u32,
        ];
        let index = self.builder.push(Section::Experiences, &record);
        reads.add_fields(&fields.read);
        self.experience_reads(index, reads);
        let ContentFields { needed: needs, read } = fields;
        self.outlines.push(Outline { experience, audience: checked, needs, read, from, until });
    }

    /// The number of variants, baseline included; the same in every slot.
    fn variant_count(&mut self, experience: &Experience) -> usize {
        let mut count = None;
        for (slot, content) in &experience.slots {
            match (experience.kind, content) {
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
                        self.error(
                            list,
                            "an experiment's list begins with { \"baseline\": true } and has at least one variant behind it",
                        );
                    }
                    if *count.get_or_insert(found) != found {
                        let expected = count.unwrap_or(found);
                        self.error(
                            list,
                            format!("expected {expected} variants as in the experience's first slot, found {found}"),
                        );
                    }
                }
            }
            if let Err(help) = lookup(&self.manifest.slots, &slot.value) {
                self.error_with_help(slot, format!("unknown slot `{}`", slot.value), help);
            }
        }
        if experience.slots.is_empty() && experience.suppresses.0.is_empty() && experience.factors.is_empty() {
            self.error(&experience.id, "the experience has no slots, so it can show nothing");
        }
        count.unwrap_or(2)
    }

    fn weights(&mut self, experience: &Experience, variants: usize) -> (u32, u32) {
        let start = self.builder.next(Section::Weights);
        let Some(weights) = &experience.weights else {
            if experience.kind == ExperienceKind::Experiment {
                for _ in 0..variants {
                    self.builder.push(Section::Weights, &[1]);
                }
                return (start, variants as u32);
            }
            return (start, 0);
        };
        if experience.kind == ExperienceKind::Personalization {
            self.error(weights, "only an experiment has weights; a personalization has traffic");
        } else if weights.value.0.len() != variants {
            let found = weights.value.0.len();
            self.error(weights, format!("expected {variants} weights, one for each variant, found {found}"));
        }
        let mut sum = 0;
        for weight in &weights.value.0 {
            if !(0..=MILLION as i32).contains(&weight.value) {
                self.error(weight, "expected a weight from 0 to 1000000");
            }
            sum += i64::from(weight.value.max(0));
            self.builder.push(Section::Weights, &[weight.value.max(0) as u32]);
        }
        if sum == 0 {
            self.error(weights, "the weights sum to nothing, so no variant can be drawn; give one of them a weight above 0");
        }
        (start, weights.value.0.len() as u32)
    }

    fn experience_slots(&mut self, experience: &Experience, variants: usize, fields: &mut ContentFields) -> (u32, u32) {
        let mut records = Vec::new();
        for (slot, content) in &experience.slots {
            let Ok((slot_index, declared)) = lookup(&self.manifest.slots, &slot.value) else { continue };
            let contents: Vec<Option<Spanned<Content>>> = match content {
                SlotContent::One(content) => vec![None, Some(Spanned::clone(content))],
                SlotContent::Variants(list) => list
                    .value
                    .0
                    .iter()
                    .map(|variant| {
                        let content = variant.value.clone()?;
                        Some(Spanned { value: content, span: variant.span.clone(), path: variant.path.clone() })
                    })
                    .collect(),
            };
            let mut contents: Vec<[u32; 2]> = contents
                .iter()
                .map(|content| {
                    let edits = content.as_ref().map_or_else(Vec::new, |content| self.content_edits(content, declared, fields));
                    self.builder.content(&edits)
                })
                .collect();
            contents.resize(variants, [0, 0]);
            let start = self.builder.next(Section::Contents);
            for content in &contents {
                self.builder.push(Section::Contents, content);
            }
            records.push([slot_index, start]);
        }
        let start = self.builder.next(Section::ExperienceSlots);
        for record in &records {
            self.builder.push(Section::ExperienceSlots, record);
        }
        (start, records.len() as u32)
    }
}
