//! Two slots are never one place: else two experiences could edit the same elements.

use super::{Compiler, pages, selector};
use crate::manifest::{PageRule, Slot, Spanned};
use std::collections::HashMap;

/// A slot with its name.
type NamedSlot<'m> = (&'m Spanned<String>, &'m Slot);

/// The slots that are one place on all pages.
#[derive(Default)]
struct Place<'m> {
    /// By each path, of those that are on some paths alone.
    paths: HashMap<&'m str, NamedSlot<'m>>,
    /// Those whose pages are said otherwise.
    others: Vec<NamedSlot<'m>>,
}

/// The most slots of one selector whose pages are said by more than paths: each is compared with each.
const MOST: usize = 500;

impl<'m> Compiler<'m, '_, '_> {
    /// Refuses slots that have a selector in common on pages that overlap.
    pub(super) fn same_places(&mut self) {
        let mut places: HashMap<String, Place<'m>> = HashMap::new();
        for (name, slot) in &self.manifest.slots {
            let Some(selector) = &slot.selector else { continue };
            for part in selector::parts(&selector.value) {
                let place = places.entry(part).or_default();
                match place.add((name, slot)) {
                    Ok(()) => {}
                    Err(Some((other, of_other))) if other.value != name.value => {
                        let shared = of_other.selector.as_ref().map_or("", |selector| selector.value.trim());
                        let message = format!(
                            "slots `{}` and `{}` are the same place: both find `{shared}`, on pages that overlap",
                            other.value, name.value
                        );
                        let help = format!("let the experiences share the slot `{}`, or give each its own pages", other.value);
                        self.error_with_help(selector, message, Some(help));
                        break;
                    }
                    // One slot may say a selector twice.
                    Err(Some(_)) => {}
                    Err(None) => {
                        let message =
                            format!("more than {MOST} slots have this selector on pages that a glob, a host or a query says");
                        self.error_with_help(selector, message, Some("let experiences share slots".to_owned()));
                        break;
                    }
                }
            }
        }
    }
}

impl<'m> Place<'m> {
    /// Adds a slot; the one that is there already where their pages overlap, nothing where there are too many.
    fn add(&mut self, slot: NamedSlot<'m>) -> Result<(), Option<NamedSlot<'m>>> {
        let rules = &slot.1.pages.0;
        let meets = |other: &&NamedSlot<'m>| pages::meet(&other.1.pages.0, rules);
        if let Some(other) = self.others.iter().find(meets) {
            return Err(Some(*other));
        }
        let paths: Option<Vec<&'m str>> = rules.iter().map(plain_path).collect();
        match paths.filter(|paths| !paths.is_empty()) {
            Some(paths) => {
                for path in paths {
                    if let Some(other) = self.paths.insert(path, slot)
                        && other.0.value != slot.0.value
                    {
                        return Err(Some(other));
                    }
                }
            }
            None => {
                if let Some(other) = self.paths.values().filter(|other| meets(other)).min_by_key(|other| other.0.span.start) {
                    return Err(Some(*other));
                }
                if self.others.len() >= MOST {
                    return Err(None);
                }
                self.others.push(slot);
            }
        }
        Ok(())
    }
}

/// The path of a rule that names one and nothing else.
fn plain_path(rule: &PageRule) -> Option<&str> {
    let path = rule.path.as_ref()?;
    (rule.host.is_none() && rule.query.is_empty() && !path.value.contains('*')).then_some(path.value.as_str())
}
