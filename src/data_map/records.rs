//! The rows of what is kept beside profiles: whose a browser is, what was agreed to, who looked, what is counted of nobody. For how long is
//! what `worker/js/profiles/` and `worker/src/audit.rs` say.

use super::Row;
use super::rows::Maker;
use crate::consent::{Mode, Purpose};

/// A record: its name, what it is, why it is kept, for how long and where, each in English and French.
struct Record {
    name: &'static str,
    what: [&'static str; 2],
    why: [&'static str; 2],
    keep: [&'static str; 2],
    place: [&'static str; 2],
}

const SHARD: [&str; 2] = ["Durable Object"; 2];
const PROOF: [&str; 2] = ["Proof of consent", "Preuve du consentement"];
const QUALITY: [&str; 2] = ["Quality of the data", "Qualité des données"];
const MEASURE: [&str; 2] = ["Measuring, of nobody", "Mesure, de personne"];
const DAYS_400: [&str; 2] = ["400 days", "400 jours"];

const RECORDS: [Record; 9] = [
    Record {
        name: "consents",
        what: [
            "what is agreed to and refused in each browser, since when and to which wording; what a user's other browsers are told of it",
            "ce qui est accepté et refusé dans chaque navigateur, depuis quand et selon quel texte ; ce qu'en savent les autres navigateurs de l'utilisateur",
        ],
        why: PROOF,
        keep: DAYS_400,
        place: SHARD,
    },
    Record {
        name: "choices",
        what: [
            "each choice that was made, under a pseudonym, 200 at most",
            "chaque choix qui a été fait, sous un pseudonyme, 200 au plus",
        ],
        why: PROOF,
        keep: ["760 days, or until the visitor is erased", "760 jours, ou jusqu'à l'effacement du visiteur"],
        place: SHARD,
    },
    Record {
        name: "consent rates",
        what: ["how many agreed and refused, by day: counts", "combien ont accepté et refusé, par jour : des nombres"],
        why: PROOF,
        keep: DAYS_400,
        place: SHARD,
    },
    Record {
        name: "measured",
        what: [
            "pages, exposures and what was done by visitors who were not asked: sums by day, no id",
            "pages, expositions et actions de visiteurs à qui rien n'a été demandé : des sommes par jour, aucun identifiant",
        ],
        why: MEASURE,
        keep: DAYS_400,
        place: SHARD,
    },
    Record {
        name: "erased",
        what: [
            "who is to stay forgotten, and of whom the bucket may have lines: a pseudonym",
            "qui doit rester oublié, et de qui le bucket peut avoir des lignes : un pseudonyme",
        ],
        why: ["Erasure", "Effacement"],
        keep: [
            "31 days; as long as the bucket's events where it may have lines",
            "31 jours ; autant que les événements du bucket s'il peut avoir des lignes",
        ],
        place: SHARD,
    },
    Record {
        name: "receipts",
        what: [
            "that somebody was erased: a random number and the time",
            "qu'une personne a été effacée : un numéro aléatoire et l'heure",
        ],
        why: ["Proof of erasure", "Preuve de l'effacement"],
        keep: ["five years", "cinq ans"],
        place: SHARD,
    },
    Record {
        name: "accesses",
        what: ["who of the site's team read or exported a profile", "qui de l'équipe du site a lu ou exporté un profil"],
        why: ["Audit", "Audit"],
        keep: ["400 days, or until the visitor is erased", "400 jours, ou jusqu'à l'effacement du visiteur"],
        place: SHARD,
    },
    Record {
        name: "trail",
        what: [
            "who of the site's team did what; a profile by a pseudonym",
            "qui de l'équipe du site a fait quoi ; un profil par un pseudonyme",
        ],
        why: ["Audit", "Audit"],
        keep: DAYS_400,
        place: ["KV"; 2],
    },
    Record {
        name: "violations",
        what: [
            "in what events are otherwise than planned: counts, no values",
            "en quoi les événements diffèrent du plan : des nombres, aucune valeur",
        ],
        why: QUALITY,
        keep: ["30 days", "30 jours"],
        place: SHARD,
    },
];

impl Maker<'_> {
    pub(super) fn records(&self) -> Vec<Row> {
        let manifest = &self.uses.manifest;
        let mode = manifest.consent.as_ref().and_then(|plan| plan.mode.as_ref()).map_or(Mode::OptIn, |mode| mode.value);
        let mut rows = self.of_profiles();
        let kept = RECORDS.iter().filter(|record| record.name != "measured" || mode == Mode::MeasurementExempt);
        rows.extend(kept.map(|record| Row {
            why: self.lang.of(record.why).to_owned(),
            keep: self.lang.of(record.keep).to_owned(),
            places: vec![self.lang.of(record.place).to_owned()],
            readers: vec![self.lang.of(["the site's team (API)", "l'équipe du site (API)"]).to_owned()],
            ..self.row("record", record.name, self.lang.of(record.what))
        }));
        rows
    }

    /// What goes with profiles.
    fn of_profiles(&self) -> Vec<Row> {
        let links = [
            "which browsers are a user's, and which users are one",
            "quels navigateurs sont ceux d'un utilisateur, et quels utilisateurs n'en font qu'un",
        ];
        let audiences = [
            "which audiences the visitor was in last, of those that a webhook is told of",
            "les audiences du visiteur, parmi celles dont un webhook est averti",
        ];
        let is_watched = self.uses.manifest.webhooks.iter().any(|(_, webhook)| !webhook.audiences.0.is_empty());
        let known = [("links", links, true), ("audiences", audiences, is_watched)];
        let rows = known.into_iter().filter(|(_, _, is)| *is).map(|(name, what, _)| {
            let mut row = self.of_purpose(self.row("record", name, self.lang.of(what)), Purpose::Personalization);
            row.places = vec![SHARD[0].to_owned()];
            row.readers = vec!["Worker".to_owned()];
            row
        });
        rows.collect()
    }
}
