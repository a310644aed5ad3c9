//! Words that rows have in common.

use super::Lang;
use crate::consent::Purpose;

/// A purpose by its name.
pub(super) fn french_purpose(name: &'static str) -> &'static str {
    match name {
        "personalization" => "personnalisation",
        "analytics" => "mesure d'audience",
        other => other,
    }
}

/// A special category by its name.
pub(super) fn french_category(name: &'static str) -> &'static str {
    match name {
        "health" => "santé",
        "ethnicity" => "origine ethnique",
        "politics" => "opinions politiques",
        "union" => "appartenance syndicale",
        "sexuality" => "sexualité",
        "genetic" => "génétique",
        "biometric" => "biométrie",
        "criminal" => "infractions",
        "children" => "enfants",
        other => other,
    }
}

/// The kind of a row.
pub(super) fn french_kind(kind: &'static str) -> &'static str {
    match kind {
        "trait" => "attribut",
        "learned" => "appris",
        "event" => "événement",
        "property" => "propriété",
        "record" => "registre",
        "sink" => "destination",
        "enrichment" => "enrichissement",
        "log" => "journal",
        other => other,
    }
}

/// What a purpose is, where the manifest has no wording of its own.
pub(super) fn purpose(purpose: Purpose, lang: Lang) -> &'static str {
    lang.of(match purpose {
        Purpose::Personalization => {
            ["Content chosen by what is known of the visitor", "Contenus choisis d'après ce que l'on sait du visiteur"]
        }
        Purpose::Analytics => ["Measuring what visitors do", "Mesure de ce que font les visiteurs"],
        Purpose::Marketing => ["Reaching the visitor elsewhere", "S'adresser au visiteur ailleurs"],
    })
}

/// The profile's place.
pub(super) fn profile(lang: Lang) -> String {
    lang.of(["profile (Durable Object)", "profil (Durable Object)"]).to_owned()
}

/// The projection's place.
pub(super) fn projection(lang: Lang) -> String {
    lang.of(["cookie idoine_p (sealed)", "cookie idoine_p (scellé)"]).to_owned()
}
