//! The fields that a manifest declares, beside those that every site has.

use super::Compiler;
use crate::consent::Purpose;
use crate::context::Kind;
use crate::manifest::Manifest;
use crate::program::layout::{NONE, Section};

/// A field that the manifest declares.
pub(super) struct Declared<'m> {
    /// Its path in expressions and templates.
    pub(super) path: String,
    pub(super) kind: Kind,
    /// The purpose without whose consent it is absent.
    pub(super) purpose: Option<Purpose>,
    /// The only values it may have, where they are listed.
    pub(super) values: Option<Vec<&'m str>>,
}

/// All of them, in the order of their numbers.
pub(super) fn declared(manifest: &Manifest) -> Vec<Declared<'_>> {
    let traits = manifest.traits.iter().map(|(name, declared)| Declared {
        path: format!("profile.{}", name.value),
        kind: declared.kind,
        purpose: Some(declared.purpose),
        values: declared.values.as_ref().map(|values| values.0.iter().map(|value| value.value.as_str()).collect()),
    });
    let enrichments = manifest.enrichments.iter().flat_map(|(name, enrichment)| {
        enrichment.fields.iter().map(move |(field, declared)| Declared {
            path: format!("enrichment.{}.{}", name.value, field.value),
            kind: declared.kind,
            purpose: None,
            values: declared.values.as_ref().map(|values| values.0.iter().map(|value| value.value.as_str()).collect()),
        })
    });
    traits.chain(enrichments).collect()
}

impl Compiler<'_, '_, '_> {
    /// Writes their records.
    pub(super) fn declared(&mut self) {
        for field in &self.names.declared {
            let path = self.builder.text(&field.path);
            let purpose = field.purpose.map_or(NONE, Purpose::code);
            self.builder.push(Section::Declared, &[path, field.kind.code(), purpose]);
        }
    }
}
