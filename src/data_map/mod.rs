//! The data map: what a site keeps of its visitors, why, for how long, where, and who reads it; made of the manifest, for the
//! register of processing (GDPR, article 30). It is as complete as the manifest: what the site's owner does with the data elsewhere is
//! theirs to add. It is not legal advice.

mod events;
mod records;
mod rows;
mod words;

use crate::compile::{Zones, uses};
use crate::diagnostic::Diagnostic;
use serde::Serialize;

/// The language that it is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// French.
    Fr,
}

impl Lang {
    /// Its name (BCP 47).
    pub fn tag(self) -> &'static str {
        self.of(["en", "fr"])
    }

    /// What is said in this language, of what is said in both.
    pub fn of<T>(self, [english, french]: [T; 2]) -> T {
        match self {
            Lang::En => english,
            Lang::Fr => french,
        }
    }
}

/// What a site keeps of its visitors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataMap {
    /// The site's id.
    pub site: String,
    /// The version of the manifest's program.
    pub version: String,
    /// That it is not legal advice.
    pub note: &'static str,
    /// One row for each datum.
    pub rows: Vec<Row>,
}

/// A datum.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// `trait`, `learned`, `event`, `property`, `cookie`, `record`, `sink`, `webhook`, `enrichment` or `log`.
    pub kind: &'static str,
    /// Its name, as the manifest has it.
    pub name: String,
    /// What it is.
    pub what: String,
    /// Whether it tells who the visitor is.
    pub personal: bool,
    /// Which special category it is of; empty for none.
    pub sensitive: &'static str,
    /// The purpose without whose consent it is not kept; empty where it needs none.
    pub purpose: &'static str,
    /// Why it is kept.
    pub why: String,
    /// For how long.
    pub keep: String,
    /// Where.
    #[serde(rename = "where")]
    pub places: Vec<String>,
    /// Who reads it.
    #[serde(rename = "read_by")]
    pub readers: Vec<String>,
}

/// The columns of a table of rows, in their order, and the words for them.
pub fn columns(lang: Lang) -> [&'static str; 10] {
    lang.of([
        ["kind", "name", "what", "personal", "sensitive", "purpose", "why", "kept for", "where", "read by"],
        ["genre", "nom", "quoi", "personnel", "sensible", "finalité", "pourquoi", "conservation", "où", "lu par"],
    ])
}

/// The title of the map, and what stands below it.
pub fn title(lang: Lang) -> [&'static str; 2] {
    lang.of([
        ["Data map of", "Made of the manifest of version"],
        ["Cartographie des données de", "Établie d'après le manifeste de version"],
    ])
}

impl Row {
    /// What stands in each column.
    pub fn cells(&self, lang: Lang) -> [String; 10] {
        let [yes, no] = lang.of([["yes", "no"], ["oui", "non"]]);
        let kind = lang.of([self.kind, words::french_kind(self.kind)]);
        [
            kind.to_owned(),
            self.name.clone(),
            self.what.clone(),
            (if self.personal { yes } else { no }).to_owned(),
            lang.of([self.sensitive, words::french_category(self.sensitive)]).to_owned(),
            lang.of([self.purpose, words::french_purpose(self.purpose)]).to_owned(),
            self.why.clone(),
            self.keep.clone(),
            self.places.join("; "),
            self.readers.join("; "),
        ]
    }
}

/// The map of a manifest; all that is wrong with it where it is refused.
pub fn data_map(source: &str, zones: &dyn Zones, lang: Lang) -> Result<DataMap, Vec<Diagnostic>> {
    let uses = uses(source, zones)?;
    let note = lang.of([
        "This is not legal advice. It says what the manifest says; what becomes of the data elsewhere (behind the queue, in the bucket, at the receivers of webhooks) is for the site's owner to add.",
        "Ceci n'est pas un conseil juridique. Ce document dit ce que dit le manifeste ; ce que deviennent les données ailleurs (après la file, dans le bucket, chez les destinataires des webhooks) est à compléter par le responsable du site.",
    ]);
    Ok(DataMap { site: uses.manifest.site.id.value.clone(), version: uses.version.clone(), note, rows: rows::all(&uses, lang) })
}
