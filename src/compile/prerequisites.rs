//! Prerequisites that can't be met: an experience that requires another one, or some of its variants, which nobody is assigned
//! to.

use super::Outline;
use super::logic::{Cases, Logic};
use crate::manifest::{Experience, ExperienceKind, List, Requirement, Spanned, Status, Weight};
use std::collections::HashMap;

/// A prerequisite that nobody meets.
pub(super) struct Unmet<'m> {
    pub(super) of: &'m Experience,
    pub(super) at: &'m Spanned<String>,
    /// Why, as the end of a sentence that begins with the one required.
    pub(super) why: String,
}

/// As far a chain of prerequisites is followed.
const LONGEST: usize = 32;

/// Finds them among experiences in the order of arbitration, with the cases of their audiences.
pub(super) fn unmet<'a, 'm>(outlines: &'a [Outline<'m>], audiences: &[Cases<'a>], logic: &mut Logic<'a>) -> Vec<Unmet<'m>> {
    let ids: HashMap<&str, u32> =
        outlines.iter().enumerate().map(|(index, outline)| (outline.experience.id.value.as_str(), index as u32)).collect();
    let mut found: Vec<Unmet<'m>> = Vec::new();
    // Those that nobody is assigned to, whoever requires them.
    let mut dead: Vec<bool> =
        outlines.iter().zip(audiences).map(|(outline, cases)| cases.is_never() && !outline.experience.is_sticky()).collect();
    for round in 0..LONGEST {
        let known = found.len();
        for (index, (outline, audience)) in outlines.iter().zip(audiences).enumerate() {
            let experience = outline.experience;
            // Who was assigned before needs no prerequisite.
            if !experience.is_running() || experience.is_sticky() || dead.get(index) != Some(&false) {
                continue;
            }
            for requirement in &experience.requires.0 {
                let Some(other) = ids.get(requirement.experience.value.as_str()).map(|other| *other as usize) else { continue };
                let Some((required, of_required)) = outlines.get(other).zip(audiences.get(other)) else { continue };
                let mut why = (dead.get(other) == Some(&true)).then(|| "is never assigned to anybody".to_owned());
                if round == 0 {
                    why = why.or_else(|| why_never(requirement, required.experience));
                    why = why.or_else(|| why_none(requirement, experience));
                    why = why.or_else(|| why_apart(outline, required));
                    if why.is_none() && !required.experience.is_sticky() && !logic.is_spent() {
                        let both = logic.product(audience, of_required);
                        let needs = [outline.needs.as_slice(), &required.needs].concat();
                        let never = logic.with_values(&both, &needs).is_never();
                        why = never.then(|| "is for others: both audiences are never true together".to_owned());
                    }
                }
                if let Some(why) = why {
                    found.push(Unmet { of: experience, at: &requirement.experience, why });
                    if let Some(dead) = dead.get_mut(index) {
                        *dead = true;
                    }
                    break;
                }
            }
        }
        if found.len() == known {
            break;
        }
    }
    found
}

/// Why no variant is all that an experience requires of another one.
fn why_none(requirement: &Requirement, experience: &Experience) -> Option<String> {
    let is_of = |other: &Requirement, variant: i32| {
        other.experience.value != requirement.experience.value
            || other.factor.as_ref().map(|factor| &factor.value) != requirement.factor.as_ref().map(|factor| &factor.value)
            || other.variants.as_ref().is_none_or(|list| list.value.0.iter().any(|other| other.value == variant))
    };
    let wanted = &requirement.variants.as_ref()?.value.0;
    let taken = wanted.iter().any(|variant| experience.requires.0.iter().all(|other| is_of(other, variant.value)));
    (!taken).then(|| "is required with other variants too".to_owned())
}

/// Why nobody takes part in both at once.
fn why_apart(outline: &Outline<'_>, required: &Outline<'_>) -> Option<String> {
    if outline.until <= required.from || required.until <= outline.from {
        return Some("runs at other times".to_owned());
    }
    let layer = other_part(outline.experience, required.experience)?;
    Some(format!("has another part of the layer `{layer}`"))
}

/// The layer of which both experiences have a part, and so others each; none where somebody may be assigned whatever the layer
/// says, or may have a unit for the one alone.
fn other_part<'m>(one: &'m Experience, required: &Experience) -> Option<&'m str> {
    let (layer, other) = (one.layer.as_ref()?, required.layer.as_ref()?);
    let free = |experience: &Experience| experience.winner.is_some() || experience.is_sticky();
    let same = layer.name.value == other.name.value && one.purpose() == required.purpose();
    (same && !free(one) && !free(required)).then_some(layer.name.value.as_str())
}

/// Why nobody is assigned to what a prerequisite asks for, whoever it is.
fn why_never(requirement: &Requirement, required: &Experience) -> Option<String> {
    match required.status {
        Some(Status::Draft) => return Some("is a draft".to_owned()),
        Some(Status::Paused) => return Some("is paused".to_owned()),
        _ => {}
    }
    let wanted = requirement.variants.as_ref()?.value.0.iter().map(|variant| variant.value);
    let factor = match &requirement.factor {
        Some(name) => Some(required.factors.iter().position(|(factor, _)| factor.value == name.value)?),
        None => None,
    };
    let level = factor.unwrap_or(0);
    if required.kind == ExperienceKind::Personalization {
        return (!wanted.clone().any(|variant| variant == 1))
            .then(|| "is a personalization: all have its variant 1".to_owned());
    }
    if let Some(winner) = &required.winner {
        let won = winner.value.0.get(level)?;
        return (!wanted.clone().any(|variant| variant == *won)).then(|| format!("is over: all have its winner {won}"));
    }
    if required.is_sticky() {
        // Somebody may have been assigned when the weights were others.
        return None;
    }
    let weights = |list: Option<&Spanned<List<Weight>>>| -> Option<Vec<u32>> {
        list.map(|list| list.value.0.iter().map(|weight| weight.0).collect())
    };
    let drawn = |variant: i32| match (&required.runs, factor) {
        (Some(runs), _) => {
            let weights = weights(required.weights.as_ref());
            runs.value.0.iter().enumerate().any(|(run, levels)| {
                let weight = weights.as_ref().and_then(|weights| weights.get(run)).copied();
                levels.value.0.get(level) == Some(&variant) && weight != Some(0)
            })
        }
        (None, Some(factor)) => {
            let weights = required.factors.get(factor).and_then(|(_, factor)| weights(factor.weights.as_ref()));
            weights.is_none_or(|weights| weights.get(variant as usize) != Some(&0))
        }
        (None, None) => weights(required.weights.as_ref()).is_none_or(|weights| weights.get(variant as usize) != Some(&0)),
    };
    (!wanted.clone().any(drawn)).then(|| "assigns nobody to these variants: their weight is 0".to_owned())
}

impl Experience {
    /// Whether who was assigned stays so, whatever the audience says now.
    pub(super) fn is_sticky(&self) -> bool {
        self.sticky.as_ref().is_some_and(|sticky| sticky.value)
    }
}
