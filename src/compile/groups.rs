//! What arbitrates between experiences: layers, requirements, exclusion groups, caps.

use super::variants::levels_of;
use super::{Compiler, lookup};
use crate::context::Kind;
use crate::decide::MAX_CHAIN;
use crate::diagnostic::nearest;
use crate::manifest::{Cap, Experience, Requirement, Spanned};
use crate::number::share_text;
use crate::program::USER;
use crate::program::layout::{NONE, Section};
use std::collections::HashMap;

/// The most experiences that one requires.
const MOST_REQUIRED: usize = 16;

/// A part of a layer that an experience has.
struct Part<'m> {
    experience: &'m str,
    from: u32,
    to: u32,
}

impl<'m> Compiler<'m, '_, '_> {
    /// The experience of an id that stands somewhere. Reports where there is none.
    pub(super) fn find_experience(&mut self, at: &Spanned<String>, id: &str) -> Option<&'m Experience> {
        let experiences = &self.manifest.experiences.0;
        let found = experiences.iter().find(|experience| experience.id.value == id);
        if found.is_none() {
            let help = nearest(id, experiences.iter().map(|experience| experience.id.value.as_str()));
            let help = help.unwrap_or_else(|| "expected the `id` of another experience".to_owned());
            self.error_with_help(at, format!("unknown experience `{id}`"), Some(help));
        }
        found
    }
}

impl Compiler<'_, '_, '_> {
    /// Writes the exclusion groups and checks the layers.
    pub(super) fn groups(&mut self) {
        let manifest = self.manifest;
        for (name, group) in &manifest.groups {
            self.check_id(name);
            let max = group.max.as_ref().map_or(1, |max| max.value);
            if let Some(written) = group.max.as_ref().filter(|max| max.value < 1) {
                self.error(written, format!("expected at least 1, found {}", written.value));
            }
            let record = [self.builder.text(&name.value), max.max(1) as u32, self.cap(group.cap.as_ref())];
            self.builder.push(Section::Groups, &record);
        }
        let mut parts: HashMap<&str, Vec<Part<'_>>> = HashMap::new();
        for (name, layer) in &manifest.layers {
            self.check_id(name);
            self.unit(layer.unit.as_ref());
        }
        for experience in &manifest.experiences.0 {
            let Some(range) = &experience.layer else { continue };
            let layer = match lookup(&manifest.layers, &range.name.value) {
                Ok((_, layer)) => layer,
                Err(help) => {
                    self.unknown(&range.name, "layer", help, "{}");
                    continue;
                }
            };
            let unit = |unit: &Option<Spanned<String>>| unit.as_ref().map_or("visitor".to_owned(), |unit| unit.value.clone());
            let (own, expected) = (unit(&experience.unit), unit(&layer.unit));
            if own != expected {
                let message = format!("the layer `{}` is drawn by {expected}, this experience by {own}", range.name.value);
                let help = format!("say \"unit\": \"{expected}\" in the experience, or \"unit\": \"{own}\" in the layer");
                self.error_with_help(&range.name, message, Some(help));
            }
            let (from, to) = (range.from.value.0, range.to.value.0);
            if from >= to {
                self.error(&range.to, "the part of the layer ends where it begins, or before; expected `to` above `from`");
            }
            let others = parts.entry(range.name.value.as_str()).or_default();
            if let Some(other) = others.iter().find(|other| from < other.to && other.from < to) {
                let message = format!(
                    "this part of the layer overlaps with that of `{}`, which is {} to {}",
                    other.experience,
                    share_text(other.from),
                    share_text(other.to)
                );
                self.error(&range.from, message);
            }
            others.push(Part { experience: &experience.id.value, from, to });
        }
    }

    /// The word for a unit in a program.
    pub(super) fn unit(&mut self, unit: Option<&Spanned<String>>) -> u32 {
        let Some(unit) = unit else { return NONE };
        match unit.value.as_str() {
            "visitor" => NONE,
            "user" => USER,
            path if path.starts_with("profile.") => {
                match self.names.fields.get(path).filter(|(field, _)| self.names.is_trait(*field)) {
                    Some((field, _)) if self.names.is_personal_field(*field) => {
                        let message = format!("`{path}` is personal, and a unit is told by what everyone of it is shown");
                        let help = "take visitor, user, or a trait that is not personal, such as the id of an account";
                        self.error_with_help(unit, message, Some(help.to_owned()));
                        NONE
                    }
                    Some((field, Kind::String | Kind::Int)) => *field,
                    Some((_, kind)) => {
                        let message = format!("`{path}` is a {}; a unit is a trait of type string or int", kind.name());
                        self.error(unit, message);
                        NONE
                    }
                    None => {
                        let names: Vec<String> =
                            self.manifest.traits.iter().map(|(name, _)| format!("profile.{}", name.value)).collect();
                        let help = crate::diagnostic::nearest(path, names.iter().map(String::as_str));
                        self.unknown(unit, "trait", help, "{ \"type\": \"string\", \"purpose\": \"personalization\" }");
                        NONE
                    }
                }
            }
            other => {
                let message = format!("expected visitor, user, or a trait such as profile.organisation, found `{other}`");
                self.error(unit, message);
                NONE
            }
        }
    }

    /// The position of a cap.
    pub(super) fn cap(&mut self, cap: Option<&Spanned<Cap>>) -> u32 {
        let Some(written) = cap else { return NONE };
        let Cap { session, day, week, total, cooldown } = &written.value;
        let parts = [session, day, week, total, cooldown];
        for part in parts.into_iter().flatten().filter(|part| part.value < 1) {
            self.error(part, format!("expected at least 1, found {}", part.value));
        }
        if parts.iter().all(|part| part.is_none()) {
            self.error_of_whole(written, "an empty cap limits nothing; expected session, day, week, total or cooldown_minutes");
        }
        let [session, day, week, total, cooldown] =
            parts.map(|part| part.as_ref().map_or(NONE, |part| part.value.max(1) as u32));
        let cooldown = if cooldown == NONE { 0 } else { cooldown };
        self.builder.run(Section::Caps, &[session, day, week, total, cooldown])
    }

    /// The groups of that name, in `Numbers`.
    pub(super) fn group_list(&mut self, names: &[Spanned<String>]) -> [u32; 2] {
        let mut groups = Vec::new();
        for name in names {
            match lookup(&self.manifest.groups, &name.value) {
                Ok((group, _)) if groups.contains(&group) => {
                    self.error(name, format!("the group `{}` is named twice", name.value));
                }
                Ok((group, _)) => groups.push(group),
                Err(help) => self.unknown(name, "group", help, "{}"),
            }
        }
        self.numbers(&groups)
    }

    /// Writes numbers: the first, and how many there are.
    pub(super) fn numbers(&mut self, numbers: &[u32]) -> [u32; 2] {
        [self.builder.run(Section::Numbers, numbers), numbers.len() as u32]
    }

    /// Writes what an experience requires. `ordered`: all experiences by their numbers.
    pub(super) fn requirements(&mut self, experience: &Experience, ordered: &[&Experience]) -> [u32; 2] {
        if let Some(more) = experience.requires.0.get(MOST_REQUIRED) {
            self.error(&more.experience, format!("an experience requires at most {MOST_REQUIRED} others"));
        }
        let records: Vec<_> =
            experience.requires.0.iter().filter_map(|requirement| self.requirement(requirement, ordered)).collect();
        let start = self.builder.next(Section::Requires);
        for record in &records {
            self.builder.push(Section::Requires, record);
        }
        [start, records.len() as u32]
    }

    fn requirement(&mut self, requirement: &Requirement, ordered: &[&Experience]) -> Option<[u32; 4]> {
        let name = &requirement.experience;
        if self.left_out.contains(name.value.as_str()) {
            return Some([NONE, 0, 0, 0]);
        }
        let other = self.find_experience(name, &name.value)?;
        let index = ordered.iter().position(|experience| experience.id.value == name.value)?;
        let mut factor = 0;
        match &requirement.factor {
            Some(wanted) => match lookup(&other.factors, &wanted.value) {
                Ok((found, _)) => factor = found,
                Err(_) if other.factors.is_empty() => {
                    self.error(wanted, format!("`{}` has no factors", name.value));
                }
                Err(help) => {
                    self.error_with_help(wanted, format!("`{}` has no factor `{}`", name.value, wanted.value), help);
                }
            },
            None => {
                if let Some(variants) = requirement.variants.as_ref().filter(|_| !other.factors.is_empty()) {
                    let message = format!("`{}` has several factors; say which of them is meant: \"factor\": ...", name.value);
                    self.error(variants, message);
                }
            }
        }
        let mut variants = Vec::new();
        if let Some(written) = &requirement.variants {
            let slots = other.factors.get(factor as usize).map_or(&other.slots, |(_, factor)| &factor.slots);
            let count = levels_of(other.kind, slots);
            if written.value.0.is_empty() {
                self.error_of_whole(written, "expected at least one variant; without `variants` any will do");
            }
            for variant in &written.value.0 {
                if !(0..count as i32).contains(&variant.value) {
                    let most = count.saturating_sub(1);
                    self.error(variant, format!("`{}` has the variants 0 to {most}, found {}", name.value, variant.value));
                }
                variants.push(variant.value.max(0) as u32);
            }
        }
        let [start, len] = self.numbers(&variants);
        Some([index as u32, factor, start, len])
    }

    /// Refuses circles of requirements and chains that are too long, and suppression of what is decided earlier.
    pub(super) fn check_arbitration(&mut self, ordered: &[&Experience]) {
        let position = |id: &str| ordered.iter().position(|other| other.id.value == id);
        // The longest chain from each, by going over all of them until nothing changes; a circle never ends.
        let mut chains = vec![0u32; ordered.len()];
        let positions: HashMap<&str, usize> =
            ordered.iter().enumerate().map(|(index, other)| (other.id.value.as_str(), index)).collect();
        for _ in 0..=MAX_CHAIN {
            let mut changed = false;
            for (index, experience) in ordered.iter().enumerate() {
                for required in &experience.requires.0 {
                    let Some(other) = positions.get(required.experience.value.as_str()) else { continue };
                    let chain = chains.get(*other).copied().unwrap_or(0) + 1;
                    if let Some(known) = chains.get_mut(index).filter(|known| **known < chain) {
                        *known = chain;
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        for (index, experience) in ordered.iter().enumerate() {
            let Some(first) = experience.requires.0.first() else { continue };
            if chains.get(index).copied().unwrap_or(0) <= MAX_CHAIN {
                continue;
            }
            if let Some(circle) = circle(experience, ordered, &positions) {
                // Once for each circle, where it first stands.
                if circle.iter().all(|other| position(other) >= Some(index)) {
                    let names = [circle.as_slice(), &[experience.id.value.as_str()]].concat().join(" -> ");
                    self.error(&first.experience, format!("this experience requires itself: {names}"));
                }
            }
        }
        let long = chains.iter().any(|chain| *chain > MAX_CHAIN);
        if long && self.diagnostics.is_empty() {
            let longest = ordered.iter().zip(&chains).max_by_key(|(_, chain)| **chain);
            if let Some(first) = longest.and_then(|(experience, _)| experience.requires.0.first()) {
                self.error(&first.experience, format!("more than {MAX_CHAIN} experiences require one another in a row"));
            }
        }
        for (index, experience) in ordered.iter().enumerate() {
            for group in &experience.suppresses.0 {
                let is_member = |other: &&&Experience| other.groups.0.iter().any(|own| own.value == group.value);
                if is_member(&experience) {
                    self.error(group, format!("the experience suppresses `{}` and belongs to it", group.value));
                } else if let Some(earlier) = ordered.iter().take(index).find(is_member) {
                    let (id, priority) = (&earlier.id.value, earlier.priority.unwrap_or(0));
                    let message = format!("`{id}` of the group `{}` is decided before this experience", group.value);
                    let help = format!("give this experience a priority above {priority}");
                    self.error_with_help(group, message, Some(help));
                }
            }
        }
    }
}

/// A way from an experience back to itself, by what is required.
fn circle<'m>(from: &'m Experience, ordered: &[&'m Experience], positions: &HashMap<&str, usize>) -> Option<Vec<&'m str>> {
    let mut before: HashMap<usize, usize> = HashMap::new();
    let start = *positions.get(from.id.value.as_str())?;
    let mut waiting = vec![start];
    let mut at = 0;
    while let Some(index) = waiting.get(at).copied() {
        at += 1;
        for required in &ordered.get(index)?.requires.0 {
            let Some(next) = positions.get(required.experience.value.as_str()) else { continue };
            if *next == start {
                let mut way = vec![index];
                while let Some(previous) = way.last().and_then(|last| before.get(last)) {
                    way.push(*previous);
                }
                way.reverse();
                return way.into_iter().map(|index| Some(ordered.get(index)?.id.value.as_str())).collect();
            }
            if *next != start && !before.contains_key(next) {
                before.insert(*next, index);
                waiting.push(*next);
            }
        }
    }
    None
}
