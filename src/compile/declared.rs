//! The fields that a manifest declares, beside those that every site has.

use super::readings::Asked;
use super::{Compiler, personal};
use crate::consent::Purpose;
use crate::context::{FIELDS, Kind};
use crate::learn::rules::What;
use crate::manifest::{Manifest, Spanned};
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
    /// Whether it tells who the visitor is, or what is sensitive.
    pub(super) personal: bool,
    /// Whether the law protects it specially.
    pub(super) sensitive: bool,
}

/// All of them, in the order of their numbers. `asked` is what is read of profiles beside traits.
pub(super) fn declared<'m>(manifest: &'m Manifest, asked: &[(Asked, Spanned<()>)]) -> Vec<Declared<'m>> {
    let traits = manifest.traits.iter().map(|(name, declared)| Declared {
        path: format!("profile.{}", name.value),
        kind: declared.kind,
        purpose: Some(declared.purpose),
        values: declared.values.as_ref().map(|values| values.0.iter().map(|value| value.value.as_str()).collect()),
        personal: declared.is_personal(),
        sensitive: declared.is_sensitive(),
    });
    let readings = asked.iter().map(|(asked, _)| {
        let (personal, sensitive) = personal::of_reading(manifest, &asked.what, asked.counter.as_ref());
        Declared {
            path: asked.path.clone(),
            kind: asked.what.kind(),
            purpose: Some(Purpose::Personalization),
            values: values(&asked.what, manifest),
            personal,
            sensitive,
        }
    });
    let holidays = manifest.holidays.iter().map(|(name, _)| known(format!("holidays.{}", name.value), Kind::Bool, None));
    let places = manifest.places.iter().flat_map(|(name, places)| {
        let ids = places.iter().map(|(id, _)| id.value.as_str()).collect();
        let path = |part: &str| format!("places.{}.{part}", name.value);
        // In this order: the program says where the first of them is.
        [
            known(path("nearest"), Kind::String, Some(ids)),
            known(path("name"), Kind::String, None),
            known(path("distance_km"), Kind::Double, None),
        ]
    });
    let enrichments = manifest.enrichments.iter().flat_map(|(name, enrichment)| {
        enrichment.fields.iter().map(move |(field, declared)| Declared {
            path: format!("enrichment.{}.{}", name.value, field.value),
            kind: declared.kind,
            purpose: None,
            values: declared.values.as_ref().map(|values| values.0.iter().map(|value| value.value.as_str()).collect()),
            personal: false,
            sensitive: false,
        })
    });
    traits.chain(readings).chain(holidays).chain(places).chain(enrichments).collect()
}

/// The only values of what is read, where there are such.
fn values<'m>(what: &What, manifest: &'m Manifest) -> Option<Vec<&'m str>> {
    match what {
        What::Intent => {
            Some(manifest.intents.iter().flat_map(|intents| &intents.signals).map(|(name, _)| name.value.as_str()).collect())
        }
        what => Some(what.words().to_vec()).filter(|values| !values.is_empty()),
    }
}

/// A field that follows from the request alone.
fn known(path: String, kind: Kind, values: Option<Vec<&str>>) -> Declared<'_> {
    Declared { path, kind, purpose: None, values, personal: false, sensitive: false }
}

impl Compiler<'_, '_, '_> {
    /// Writes the records of all fields: those that every site has, then these.
    pub(super) fn fields(&mut self) {
        let fixed = FIELDS.iter().map(|field| (field.path, field.kind, field.purpose));
        let declared = self.names.declared.iter().map(|field| (field.path.as_str(), field.kind, field.purpose));
        for (path, kind, purpose) in fixed.chain(declared) {
            let path = self.builder.text(path);
            self.builder.push(Section::Fields, &[path, kind.code(), purpose.map_or(NONE, Purpose::code)]);
        }
    }
}
