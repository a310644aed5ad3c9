//! Personas: visitors that a manifest makes up for previews, each a list of overrides.

use super::variants::levels_of;
use super::{Compiler, lookup};
use crate::context::{Value, parse_instant};
use crate::cookies::split_id;
use crate::diagnostic::nearest;
use crate::expr::{Env, parse};
use crate::manifest::Spanned;
use crate::profile::{Levels, Profile};
use crate::program::layout::Section;
use crate::text::Cut;

impl Compiler<'_, '_, '_> {
    pub(super) fn personas(&mut self) {
        let manifest = self.manifest;
        for (name, values) in &manifest.personas {
            self.check_title(name);
            let mut records = Vec::with_capacity(values.len());
            for (path, value) in values {
                let path = &self.canonical(path);
                let text = &value.value.0;
                let wrong = match path.value.as_str() {
                    "now" => parse_instant(text).is_none().then_some("an instant such as 2026-11-20T12:30:00Z"),
                    "visitor.id" => (!text.is_empty() && split_id(text).is_none()).then_some("8 to 64 letters, digits, - or _"),
                    other => match Profile::check(other, text) {
                        Some(Ok(())) => self.stored_wrong(path, text),
                        Some(Err(expected)) => Some(expected),
                        None => self.field_wrong(path, text),
                    },
                };
                if let Some(expected) = wrong {
                    self.error(value, format!("expected {expected}, found `{text}`"));
                }
                records.push([self.builder.text(&path.value), self.builder.text(text)]);
            }
            let start = self.builder.next(Section::PersonaValues);
            for record in &records {
                self.builder.push(Section::PersonaValues, record);
            }
            let name = self.builder.text(&name.value);
            self.builder.push(Section::Personas, &[name, start, records.len() as u32]);
        }
    }

    /// A path in the one way of writing it: what is read of a profile may be written in several.
    fn canonical(&mut self, path: &Spanned<String>) -> Spanned<String> {
        let reading = parse(&path.value).ok().and_then(|node| self.names.reading(&node));
        match reading {
            Some(Ok(value)) => Spanned { value, ..path.clone() },
            _ => path.clone(),
        }
    }

    /// What was expected of the text of a field, if it is none of its values. Reports a field that there is not.
    fn field_wrong(&mut self, path: &Spanned<String>, text: &str) -> Option<&'static str> {
        let Some((_, kind)) = self.names.field(&path.value) else {
            if let Some(Err(error)) = parse(&path.value).ok().and_then(|node| self.names.reading(&node)) {
                self.error_inside(path, error);
                return None;
            }
            let names = self.names.names();
            let help = nearest(&path.value, names.iter().map(String::as_str));
            self.error_with_help(path, format!("unknown field `{}`", path.value), help);
            return None;
        };
        Value::parse(kind, text).is_none().then_some(kind.name())
    }

    /// What was expected of the text of something stored, where the experience or group that it is of does not have that. Reports
    /// one that there is not.
    fn stored_wrong(&mut self, path: &Spanned<String>, text: &str) -> Option<&'static str> {
        let (kind, id) = path.value.cut(b'.')?;
        if kind == "seen_group"
            && let Err(help) = lookup(&self.manifest.groups, id)
        {
            self.error_with_help(path, format!("unknown group `{id}`"), help);
        }
        if !matches!(kind, "variant" | "assignment" | "seen") {
            return None;
        }
        let experience = self.find_experience(path, id)?;
        // Empty text stands for nothing.
        let levels = Levels::parse(text).filter(|_| kind != "seen")?;
        let slots = experience.factors.iter().map(|(_, factor)| &factor.slots);
        let slots: Vec<_> = if experience.factors.is_empty() { vec![&experience.slots] } else { slots.collect() };
        let is_level = |(slots, factor)| levels.level(factor) < levels_of(experience.kind, slots) as u32;
        let own = levels.count() as usize == slots.len() && slots.into_iter().zip(0..).all(is_level);
        (!own).then_some(Levels::EXPECTED)
    }
}
