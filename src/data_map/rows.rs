//! The rows of what is kept in profiles: traits, and what is learned.

use super::{Lang, Row, events, words};
use crate::compile::{Uses, declared_purposes, is_editable, keep};
use crate::consent::Purpose;
use crate::learn::described::matching;
use crate::learn::rules::{Matching, What};
use crate::manifest::{Duration, Sensitive, Spanned, Wording};
use crate::time::DAY_MS;

/// What rows are made of.
pub(super) struct Maker<'u> {
    pub(super) uses: &'u Uses,
    pub(super) lang: Lang,
}

/// All rows, in the order of their kinds.
pub(super) fn all(uses: &Uses, lang: Lang) -> Vec<Row> {
    let maker = Maker { uses, lang };
    let mut rows = maker.traits();
    rows.extend(maker.learned());
    rows.extend(events::all(&maker));
    rows
}

impl Maker<'_> {
    fn traits(&self) -> Vec<Row> {
        let rows = self.uses.manifest.traits.iter().map(|(name, declared)| {
            let is = |what: &What| matches!(what, What::Trait(found) if *found == name.value);
            let mut row = self.of_profile(
                "trait",
                &name.value,
                self.lang.of(["what is said of a visitor", "ce qui est dit d'un visiteur"]),
                &is,
            );
            row.personal = declared.is_personal();
            row.sensitive = category(declared.sensitive.as_ref());
            if let Some(title) = declared.title.as_ref().and_then(|title| self.said(title)) {
                row.what = title.to_owned();
            }
            row.purpose = declared.purpose.name();
            row.why = self.why(declared.purpose);
            if let Some(why) = declared.why.as_ref().and_then(|why| self.said(why)) {
                row.why = format!("{why} ({})", row.why);
            }
            if is_editable(&self.uses.manifest, name, declared) {
                row.readers.push(self.lang.of(["preference centre", "centre de préférences"]).to_owned());
            }
            row.keep = self.keep(declared.purpose);
            row
        });
        rows.collect()
    }

    fn learned(&self) -> Vec<Row> {
        let rules = &self.uses.rules;
        let mut rows = Vec::new();
        let mut add = |name: &str, what: [&str; 2], is: &dyn Fn(&What) -> bool| {
            rows.push(self.of_profile("learned", name, self.lang.of(what), is));
        };
        let visits = ["first and last visit, and what follows from them", "première et dernière visite, et ce qui en découle"];
        add("visits", visits, &|what| matches!(what, What::FirstSeen | What::LastSeen | What::Lifecycle));
        let sessions = ["the number of sessions, and the last one", "le nombre de sessions, et la dernière"];
        add("sessions", sessions, &|what| matches!(what, What::Sessions | What::SessionPages | What::SessionStarted));
        let touches = ["where the first and the last visit came from", "d'où sont venues la première et la dernière visite"];
        add("touches", touches, &|what| matches!(what, What::FirstTouch(_) | What::LastTouch(_)));
        add("engagement", ["how much the visitor does", "combien le visiteur agit"], &|what| *what == What::Engagement);
        if !rules.intent.signals.is_empty() {
            let intents = ["what the visitor is about to do", "ce que le visiteur s'apprête à faire"];
            add("intents", intents, &|what| *what == What::Intent);
        }
        if rules.rfm.is_some() {
            let rfm = ["last purchase, number and sum of purchases", "dernier achat, nombre et somme des achats"];
            add("rfm", rfm, &|what| {
                matches!(what, What::RfmSegment | What::RfmRecency | What::RfmFrequency | What::RfmMonetary)
            });
        }
        let cart = ["what is in the cart", "le contenu du panier"];
        add("cart", cart, &|what| matches!(what, What::CartQuantity | What::CartValue | What::CartUpdated));
        let answers = ["answers to questions", "réponses aux questions"];
        add("answers", answers, &|what| matches!(what, What::Answer(_) | What::NpsScore | What::NpsCategory));
        add(
            "exposures",
            ["which experiences were shown, and how often", "quelles expériences ont été montrées, et combien de fois"],
            &|_| false,
        );
        add(
            "notes",
            ["notes and tags that the site's team writes", "notes et étiquettes que l'équipe du site écrit"],
            &|_| false,
        );
        for counter in &rules.counters {
            let of = matching(&counter.matching);
            let name = counter.sum.as_ref().map_or_else(|| of.clone(), |path| format!("{path}: {of}"));
            let windows =
                counter.windows.iter().map(|window| if *window == 0 { "∞".to_owned() } else { Duration(*window).text() });
            let windows = windows.collect::<Vec<_>>().join(", ");
            let (count, sum) = (["how often", "combien de fois"], ["the sum of what was told", "la somme de ce qui a été dit"]);
            let what = self.lang.of(if counter.sum.is_some() { sum } else { count });
            let id = counter.id;
            let is = move |what: &What| matches!(what, What::Count(found, _) | What::Sum(found, _) | What::First(found) | What::Last(found) if *found == id);
            let mut row = self.of_profile("learned", &name, what, &is);
            if !windows.is_empty() {
                row.what = format!("{what} ({windows})");
            }
            (row.personal, row.sensitive) = self.told_by(&counter.matching, counter.sum.as_ref());
            rows.push(row);
        }
        for affinity in &rules.affinities {
            let name = &affinity.dimension;
            let what = self
                .lang
                .of(["what the visitor likes: the strongest values", "ce que le visiteur aime : les valeurs les plus fortes"]);
            let mut row = self.of_profile("learned", name, what, &|what| {
                matches!(what, What::Affinity(found) | What::Affinities(found) | What::AffinityShare(found, _) if found == name)
            });
            let declared = self.uses.manifest.affinities.iter().find(|(found, _)| found.value == *name);
            row.sensitive = category(declared.and_then(|(_, affinity)| affinity.sensitive.as_ref()));
            row.personal = !row.sensitive.is_empty();
            row.what = format!("{what} ({} ≤ {})", affinity.property, affinity.keep);
            rows.push(row);
        }
        for feature in &rules.features {
            let what = self.lang.of(["whether and how often it is used", "si et combien de fois elle est utilisée"]);
            let is = |what: &What| matches!(what, What::Feature(found) | What::FeatureCount(found) if *found == feature.name);
            rows.push(self.of_profile("learned", &feature.name, what, &is));
        }
        for milestone in &rules.milestones {
            let what = self.lang.of(["when it was reached", "quand il a été atteint"]);
            let is = |what: &What| matches!(what, What::Milestone(found) | What::MilestoneReached(found) if *found == milestone.name);
            rows.push(self.of_profile("learned", &milestone.name, what, &is));
        }
        for propensity in &rules.propensities {
            let what = self.lang.of([
                "how likely it is; worked out when it is read, and not kept",
                "sa probabilité ; calculée à la lecture, non conservée",
            ]);
            let is = |what: &What| matches!(what, What::Propensity(found) if *found == propensity.name);
            rows.push(self.of_profile("learned", &propensity.name, what, &is));
        }
        rows
    }

    /// Whether what is counted is personal, and sensitive.
    fn told_by(&self, matching: &Matching, sum: Option<&String>) -> (bool, &'static str) {
        let asked: Vec<&String> = matching.properties.iter().map(|(path, _)| path).chain(sum).collect();
        let events = self.uses.manifest.events.iter().filter(|(name, _)| name.value == matching.event);
        let properties = events.flat_map(|(_, plan)| &plan.properties);
        let found = properties.filter(|(path, _)| asked.contains(&&path.value)).map(|(_, property)| property);
        let found: Vec<_> = found.filter(|property| property.is_personal()).collect();
        (!found.is_empty(), found.iter().map(|property| category(property.sensitive.as_ref())).max().unwrap_or_default())
    }

    /// A row of what a profile has. `is` tells which readings are of it.
    fn of_profile(&self, kind: &'static str, name: &str, what: &str, is: &dyn Fn(&What) -> bool) -> Row {
        let readings: Vec<_> = self.uses.rules.readings.iter().filter(|reading| is(&reading.what)).collect();
        let paths: Vec<&str> = readings.iter().map(|reading| reading.path.as_str()).collect();
        let mut readers = self.readers(&paths);
        let propensities = self.uses.rules.propensities.iter().filter(|one| one.coefficients.iter().any(|(what, _)| is(what)));
        readers.extend(propensities.map(|one| self.reader(["propensity", "propension"], &one.name)));
        let on_pages = readings.iter().any(|reading| reading.on_pages);
        let mut places = vec![words::profile(self.lang)];
        places.extend(on_pages.then(|| words::projection(self.lang)));
        Row {
            kind,
            name: name.to_owned(),
            what: what.to_owned(),
            personal: false,
            sensitive: "",
            purpose: Purpose::Personalization.name(),
            why: self.why(Purpose::Personalization),
            keep: self.keep(Purpose::Personalization),
            places,
            readers,
        }
    }

    /// The experiences and audiences that read one of these fields.
    pub(super) fn readers(&self, paths: &[&str]) -> Vec<String> {
        let reads = |own: &Vec<String>| own.iter().any(|path| paths.contains(&path.as_str()));
        let experiences = self.uses.experiences.iter().filter(|(_, own)| reads(own));
        let experiences = experiences.map(|(id, _)| self.reader(["experience", "expérience"], id));
        let audiences = self.uses.audiences.iter().filter(|(_, own)| reads(own));
        experiences.chain(audiences.map(|(name, _)| self.reader(["audience", "audience"], name))).collect()
    }

    /// Who reads something, by what it is and its name.
    pub(super) fn reader(&self, kind: [&str; 2], name: &str) -> String {
        format!("{} {name}", self.lang.of(kind))
    }

    /// A wording in this language.
    fn said<'w>(&self, wording: &'w Wording) -> Option<&'w str> {
        wording.value.iter().find(|(language, _)| language.value == self.lang.tag()).map(|(_, text)| text.value.as_str())
    }

    /// The wording of a purpose.
    pub(super) fn why(&self, purpose: Purpose) -> String {
        let found = declared_purposes(&self.uses.manifest).find(|(name, _)| *name == purpose);
        let own = found.and_then(|(_, plan)| Some(format!("{}: {}", self.said(&plan.title)?, self.said(&plan.text)?)));
        own.unwrap_or_else(|| words::purpose(purpose, self.lang).to_owned())
    }

    /// For so many days a purpose keeps what it has.
    pub(super) fn days(&self, purpose: Purpose) -> i64 {
        keep(&self.uses.manifest, purpose) / DAY_MS
    }

    /// The same in words.
    pub(super) fn keep(&self, purpose: Purpose) -> String {
        let days = self.days(purpose);
        let after = ["days after the visitor was there last", "jours après la dernière venue du visiteur"];
        format!("{days} {}", self.lang.of(after))
    }
}

/// The name of a category; nothing for none.
pub(super) fn category(said: Option<&Spanned<Sensitive>>) -> &'static str {
    said.filter(|said| said.value.is_some()).map_or("", |said| said.value.name())
}
