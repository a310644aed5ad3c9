//! How far an experience is fitted to its visitors.

use super::reads::Reads;
use super::{Compiler, Outline};
use crate::context::FIELDS;

/// The degrees of personalisation, from the coarsest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degree {
    /// The same for everyone on its pages.
    Everyone,
    /// For the many who share something that their request tells: device, place, source, language, hour, page.
    Many,
    /// For the few of whom something is remembered: a trait, or that they came before.
    Few,
    /// Made of the visitor's own traits: its contents interpolate some.
    OneToOne,
}

impl Degree {
    /// All of them, from the coarsest.
    pub const ALL: [Degree; 4] = [Degree::Everyone, Degree::Many, Degree::Few, Degree::OneToOne];

    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Degree::Everyone => "everyone",
            Degree::Many => "many",
            Degree::Few => "few",
            Degree::OneToOne => "one_to_one",
        }
    }

    /// As people say it.
    pub fn words(self) -> &'static str {
        match self {
            Degree::Everyone => "for everyone",
            Degree::Many => "for many",
            Degree::Few => "for few",
            Degree::OneToOne => "one to one",
        }
    }
}

impl Compiler<'_, '_, '_> {
    /// The degree of an experience, by what its audience and its contents read.
    pub(super) fn degree(&self, outline: &Outline<'_>) -> Degree {
        let audience = self.with_audiences(outline.audience.as_ref().map_or_else(Reads::default, Reads::of));
        let asked = audience.fields().map(|field| self.field_degree(field, Degree::Few));
        let shown = outline.read.iter().map(|field| self.field_degree(*field, Degree::OneToOne));
        asked.chain(shown).max().unwrap_or(Degree::Everyone)
    }

    /// That of an experience which reads this field; `own` is what a trait makes it. Whether somebody agrees is asked for
    /// every visitor's sake: it tells no one from another.
    fn field_degree(&self, field: u32, own: Degree) -> Degree {
        let declared = || self.names.declared(field).map(|field| field.path.as_str());
        let path = FIELDS.get(field as usize).map(|field| field.path).or_else(declared).unwrap_or_default();
        match path.split('.').next() {
            Some("profile") => own,
            Some("visitor") => Degree::Few,
            Some("consent") => Degree::Everyone,
            _ => Degree::Many,
        }
    }
}
