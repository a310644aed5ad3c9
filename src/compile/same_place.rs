//! Two slots are never one place: else two experiences could edit the same elements.

use super::{Compiler, pages, selector};
use crate::manifest::{PageRule, SlotKind};
use crate::text::Cut;
use std::collections::HashMap;

/// The slots that have a selector in common, by their numbers.
#[derive(Default)]
struct Place<'m> {
    /// By each path, those that are on some paths alone.
    paths: HashMap<&'m str, u32>,
    /// Those whose pages are said otherwise.
    others: Vec<u32>,
}

/// The most slots of one selector whose pages are said by more than paths: each is compared with each.
const MOST: usize = 500;

impl<'m> Compiler<'m, '_, '_> {
    /// Refuses slots that have a selector in common on pages that overlap.
    pub(super) fn same_places(&mut self) {
        let slots = &self.manifest.slots;
        let parts = slots.iter().map(|(name, slot)| match slot.elements(&name.value) {
            Some(selector) => selector::parts(&selector),
            // No selector is empty.
            None if slot.kind == Some(SlotKind::Page) => vec![String::new()],
            None => Vec::new(),
        });
        let parts: Vec<Vec<String>> = parts.collect();
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut places: Vec<Place<'m>> = Vec::new();
        for (number, ((name, slot), parts)) in slots.iter().zip(&parts).enumerate() {
            for part in parts {
                let place = *numbers.entry(part).or_insert(places.len() as u32) as usize;
                if place == places.len() {
                    places.push(Place::default());
                }
                let taken = places.get_mut(place).map(|place| self.put(place, number as u32, &slot.pages.0));
                let both = if part.is_empty() { "are the whole page".to_owned() } else { format!("find `{part}`") };
                let (message, help) = match taken {
                    Some(Err(Some(other))) => (
                        format!("slots `{other}` and `{}` are the same place: both {both}, on pages that overlap", name.value),
                        format!("let the experiences share the slot `{other}`, or give each its own pages"),
                    ),
                    Some(Err(None)) => (
                        format!("more than {MOST} slots {both} on pages that a glob, a host or a query says"),
                        "let experiences share slots".to_owned(),
                    ),
                    _ => continue,
                };
                self.error_with_help(slot.selector.as_ref().unwrap_or(name), message, Some(help));
                break;
            }
        }
    }

    /// Puts a slot with its pages there; the name of one that is there already where their pages overlap, nothing where there
    /// are too many.
    fn put(&self, place: &mut Place<'m>, number: u32, rules: &'m [PageRule]) -> Result<(), Option<&'m str>> {
        let manifest = self.manifest;
        let taken = |other: u32| Err(manifest.slots.get(other as usize).map(|(name, _)| name.value.as_str()));
        // A slot may say a selector twice.
        let meets = |other: &u32| {
            let slot = manifest.slots.get(*other as usize);
            *other != number && slot.is_some_and(|(_, slot)| pages::meet(&slot.pages.0, rules))
        };
        if let Some(other) = place.others.iter().copied().find(meets) {
            return taken(other);
        }
        if !rules.is_empty() && rules.iter().all(|rule| plain_path(rule).is_some()) {
            for path in rules.iter().filter_map(plain_path) {
                let other = *place.paths.entry(path).or_insert(number);
                if other != number {
                    return taken(other);
                }
            }
            return Ok(());
        }
        if let Some(other) = place.paths.values().copied().filter(meets).min() {
            return taken(other);
        }
        if place.others.len() >= MOST {
            return Err(None);
        }
        place.others.push(number);
        Ok(())
    }
}

/// The path of a rule that names one and nothing else.
fn plain_path(rule: &PageRule) -> Option<&str> {
    let path = rule.path.as_ref()?;
    (rule.host.is_none() && rule.query.is_empty() && !path.value.has(b'*')).then_some(path.value.as_str())
}
