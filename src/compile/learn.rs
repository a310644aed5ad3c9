//! What a site learns of its visitors: the manifest's sections about it become [`Rules`].

use super::Compiler;
use crate::context::FIELDS;
use crate::learn::Rules;
use crate::learn::rules::{PurposeName, Reading, Settle, TraitRule, What};
use crate::program::layout::Section;

impl Compiler<'_, '_, '_> {
    /// Writes the rules, for those who learn: a browser only decides.
    pub(super) fn learned(&mut self) {
        if self.for_browsers {
            return;
        }
        let rules = self.rules();
        let bytes = self.builder.bytes(&rules.to_bytes());
        self.builder.push(Section::Learned, &[bytes]);
    }

    fn rules(&self) -> Rules {
        let (session, attribution) = self.sessions;
        Rules { session, attribution, traits: self.trait_rules(), readings: self.readings(), ..Rules::default() }
    }

    fn trait_rules(&self) -> Vec<TraitRule> {
        let traits = self.manifest.traits.iter().map(|(name, declared)| TraitRule {
            name: name.value.clone(),
            kind: declared.kind.name().to_owned(),
            purpose: PurposeName(declared.purpose.name().to_owned()),
            personal: declared.personal == Some(true),
            values: declared.values.iter().flat_map(|values| &values.0).map(|value| value.value.clone()).collect(),
            settle: Settle::default(),
            sources: Vec::new(),
        });
        traits.collect()
    }

    /// What is read of profiles, in the order of the fields.
    fn readings(&self) -> Vec<Reading> {
        let fields = (FIELDS.len() as u32..).zip(&self.names.declared);
        let readings = fields.filter_map(|(field, declared)| {
            let what = What::Trait(declared.path.strip_prefix("profile.")?.to_owned());
            Some(Reading { path: declared.path.clone(), what, on_pages: self.read_fields.contains(field) })
        });
        readings.collect()
    }
}
