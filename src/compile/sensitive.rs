//! Special categories of data: what the law protects more than the rest (GDPR, articles 9 and 10; of children recital 38). What is
//! called like one of them is refused, unless the manifest says of it what it is: nobody is to keep such a thing without having
//! meant to. Names are looked at, by their words, not values; so this finds slips, and proves nothing.

use super::Compiler;
use super::personal::sensitive_property;
use crate::consent::Mode;
use crate::manifest::{Sensitive, Spanned};

/// The words of each category, English and French, without accents. `*` at the end: words that begin so. `+`: words that stand
/// together. `=` at the start: the whole name alone, as it has other meanings beside other words.
const WORDS: [(Sensitive, &str); 10] = [
    (
        Sensitive::Health,
        "health sante medic* medecin disease* illness* maladi* malade* diagnosis diagnosed symptom* patholog* therap* psychiatr* \
         psycholog* disabilit* handicap* invalidit* pregnan* grossesse allerg* diabet* cancer hiv vih asthm* vaccin* covid \
         blood+type blood+group groupe+sanguin bmi imc patient patients prescription* ordonnance* hospitalis* hospitaliz* depressi* \
         addict* fertility fertilite menopaus* menstru* contracep*",
    ),
    (
        Sensitive::Religion,
        "relig* faith christian christianity chretien* cathol* protestant* orthodox* muslim* musulman* islam* jew jews jewish juif* \
         juive* judais* hindu* buddhis* bouddhis* atheis* athee* croyan* halal kosher casher confession",
    ),
    (Sensitive::Ethnicity, "ethni* =race racial* raciale* skin+color skin+colour couleur+peau caucasian hispanic ancestry"),
    (
        Sensitive::Politics,
        "politic* =politique politiques electoral* voter voters electeur* ideolog* partisan* republican democrat socialist* communist*",
    ),
    (
        Sensitive::Union,
        "=union trade+union* labor+union* labour+union* union+member* unionized unionised syndicat syndicats syndical* syndique*",
    ),
    (
        Sensitive::Sexuality,
        "sexual* sexuel* homosex* heterosex* bisex* transsex* transgender* transgenre* lgbt* gay lesbian* lesbienne* queer sex+life \
         vie+sexuelle",
    ),
    (Sensitive::Genetic, "genetic* genetiqu* genom* genotyp* dna adn chromosom* heredit*"),
    (
        Sensitive::Biometric,
        "biometr* faceprint* voiceprint* face+recognition facial+recognition reconnaissance+faciale iris+scan retina+scan \
         empreinte+digitale empreintes+digitales",
    ),
    (
        Sensitive::Criminal,
        "criminal* criminel* crime crimes convict convicted conviction convictions felon* offender* arrested arrestation* prison* \
         casier+judiciaire condamn* infraction* penal penale delit delits",
    ),
    (
        Sensitive::Children,
        "child children childhood kid kids =minor is+minor minors mineur* enfant* infant infants baby babies bebe* toddler* teen teens teenager* \
         underage",
    ),
];

impl Sensitive {
    /// Its name in manifests.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Sensitive::Health => "health",
            Sensitive::Religion => "religion",
            Sensitive::Ethnicity => "ethnicity",
            Sensitive::Politics => "politics",
            Sensitive::Union => "union",
            Sensitive::Sexuality => "sexuality",
            Sensitive::Genetic => "genetic",
            Sensitive::Biometric => "biometric",
            Sensitive::Criminal => "criminal",
            Sensitive::Children => "children",
            Sensitive::None => "none",
        }
    }

    /// What it is about, in words.
    fn words(self) -> &'static str {
        match self {
            Sensitive::Ethnicity => "ethnic origin",
            Sensitive::Politics => "political opinions",
            Sensitive::Union => "trade union membership",
            Sensitive::Genetic => "genes",
            Sensitive::Biometric => "biometrics",
            Sensitive::Criminal => "crimes",
            other => other.name(),
        }
    }

    /// What the law says of it.
    fn law(self) -> &'static str {
        match self {
            Sensitive::Criminal => "the law lets few keep it (GDPR, article 10)",
            Sensitive::Children => "the law protects it specially (GDPR, article 8 and recital 38)",
            _ => "the law forbids to keep it without explicit consent (GDPR, article 9)",
        }
    }
}

/// The category that a name looks like.
fn category(name: &str) -> Option<Sensitive> {
    let words = words(name);
    WORDS.iter().find(|(_, known)| known.split_whitespace().any(|known| stands_in(&words, known))).map(|(found, _)| *found)
}

/// Whether words of the table stand in a name.
fn stands_in(words: &[String], known: &str) -> bool {
    let (known, whole) = known.strip_prefix('=').map_or((known, false), |known| (known, true));
    let parts: Vec<&str> = known.split('+').collect();
    let fits = |(word, part): (&String, &&str)| match part.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == part,
    };
    (!whole || words.len() == parts.len()) && words.windows(parts.len()).any(|words| words.iter().zip(&parts).all(fits))
}

/// The words of a name in lower case, without accents. They end where no letter is, and where capitals begin a new one: `bloodType`,
/// `HIVStatus`.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    // Without the tables of all of Unicode: the table has no words beyond these letters.
    let is_letter = |c: char| c.is_ascii_alphabetic() || c >= 'À';
    let is_capital = |c: char| c.is_ascii_uppercase() || ('À'..='Þ').contains(&c);
    let is_small = |at: usize| chars.get(at).is_some_and(|c| is_letter(*c) && !is_capital(*c));
    let mut words = vec![String::new()];
    for (at, c) in chars.iter().copied().enumerate() {
        let begins = is_capital(c) && at > 0 && (is_small(at - 1) || is_small(at + 1));
        if begins || !is_letter(c) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| is_letter(c)) {
            word.push(match c {
                'À'..='Å' | 'à'..='å' => 'a',
                'Ç' | 'ç' => 'c',
                'È'..='Ë' | 'è'..='ë' => 'e',
                'Ì'..='Ï' | 'ì'..='ï' => 'i',
                'Ò'..='Ö' | 'ò'..='ö' => 'o',
                'Ù'..='Ü' | 'ù'..='ü' => 'u',
                c => c.to_ascii_lowercase(),
            });
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Compiler<'_, '_, '_> {
    /// Refuses what is called like something that the law protects, where nothing is said of it.
    pub(super) fn sensitive(&mut self) {
        let manifest = self.manifest;
        for (name, declared) in &manifest.traits {
            self.check_mode(declared.sensitive.as_ref());
            if declared.sensitive.is_none() && !self.looks_plain(name, "trait") {
                continue;
            }
            let values = declared.values.iter().flat_map(|values| &values.0).filter(|_| declared.sensitive.is_none());
            // A value that says `kids` is a shelf, not somebody's child.
            let found = values.filter_map(|value| Some((value, category(&value.value)?)));
            if let Some((value, found)) = found.clone().find(|(_, found)| *found != Sensitive::Children) {
                self.refuse_unsaid(
                    value,
                    &format!("the value `{}` of the trait `{}`", value.value, name.value),
                    found,
                    "the trait",
                );
            }
        }
        for (event, plan) in &manifest.events {
            for (path, property) in &plan.properties {
                self.check_mode(property.sensitive.as_ref());
                match &property.sensitive {
                    None => {
                        self.looks_plain(path, "property");
                    }
                    // What goes without saying is no explicit consent.
                    Some(said) if said.value.is_some() && plan.purpose.is_none() => {
                        let message = format!(
                            "`{}` has a sensitive property, and does not say for which purpose it is kept",
                            event.value
                        );
                        self.error_with_help(said, message, Some("say \"purpose\": ... in the event".to_owned()));
                    }
                    Some(_) => {}
                }
            }
        }
        for (dimension, affinity) in &manifest.affinities {
            let property = affinity.property.as_ref().unwrap_or(dimension);
            self.check_mode(affinity.sensitive.as_ref());
            if affinity.sensitive.is_some() || !self.looks_plain(dimension, "affinity") {
                continue;
            }
            if let Some(found) = sensitive_property(manifest, &property.value) {
                let message =
                    format!("the affinity `{}` is of a property that is sensitive ({})", dimension.value, found.name());
                let help = format!("say \"sensitive\": \"{}\" in the affinity too", found.name());
                self.error_with_help(property, message, Some(help));
            } else if property.value != dimension.value {
                self.looks_plain(property, "property");
            }
        }
    }

    /// Refuses what is sensitive where a site does not wait for consent to it.
    fn check_mode(&mut self, said: Option<&Spanned<Sensitive>>) {
        let mode = self.manifest.consent.as_ref().and_then(|plan| plan.mode.as_ref()).map_or(Mode::OptIn, |mode| mode.value);
        if let Some(said) = said.filter(|said| said.value.is_some() && mode != Mode::OptIn) {
            let message = format!("what is sensitive needs explicit consent, and the site's mode is {}", mode.name());
            self.error_with_help(said, message, Some("ask first: \"mode\": \"opt-in\"; or do not keep it".to_owned()));
        }
    }

    /// Whether a name looks like nothing that is sensitive; else that is reported.
    fn looks_plain(&mut self, name: &Spanned<String>, what: &str) -> bool {
        // Where a category was misspelt, that is what is wrong.
        let found = category(&name.value).filter(|_| self.diagnostics.is_clean(&name.path));
        if let Some(found) = found {
            self.refuse_unsaid(name, &format!("the {what} `{}`", name.value), found, "it");
        }
        found.is_none()
    }

    fn refuse_unsaid(&mut self, at: &Spanned<String>, what: &str, found: Sensitive, it: &str) {
        let help = format!(
            "say of {it} \"sensitive\": \"{}\"; or \"sensitive\": \"none\" where it tells nothing of the kind",
            found.name()
        );
        let message = format!("{what} looks like data on {}: {}", found.words(), found.law());
        self.error_with_help(at, message, Some(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart() {
        for (name, expected) in [
            ("blood_type", "blood type"),
            ("bloodType", "blood type"),
            ("HIVStatus", "hiv status"),
            ("user.état-de-santé2", "user etat de sante"),
            ("SANTÉ", "sante"),
            ("", ""),
            ("__", ""),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
    }

    #[test]
    fn what_is_called_like_something_sensitive_is_found() {
        for (name, expected) in [
            ("health_score", Sensitive::Health),
            ("has_diabetes", Sensitive::Health),
            ("groupeSanguin", Sensitive::Health),
            ("religion", Sensitive::Religion),
            ("is_halal", Sensitive::Religion),
            ("race", Sensitive::Ethnicity),
            ("ethnic-origin", Sensitive::Ethnicity),
            ("political_party", Sensitive::Politics),
            ("opinions.politiques", Sensitive::Politics),
            ("tradeUnion", Sensitive::Union),
            ("syndicat", Sensitive::Union),
            ("sexual_orientation", Sensitive::Sexuality),
            ("vie_sexuelle", Sensitive::Sexuality),
            ("DNATest", Sensitive::Genetic),
            ("biometrics", Sensitive::Biometric),
            ("criminal_record", Sensitive::Criminal),
            ("casier_judiciaire", Sensitive::Criminal),
            ("children_count", Sensitive::Children),
            ("is_minor", Sensitive::Children),
            ("nombreEnfants", Sensitive::Children),
        ] {
            assert_eq!(category(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn other_words_are_let_alone() {
        let plain = "plan first_name favourite_category open_complaint email city country language industry hospitality \
            notifications_disabled diagnostics_enabled race_distance trail_race credit_union european_union syndicated_feed minor_version \
            privacy_policy politique_de_confidentialite gender sex age birthday weight height media_type image_orientation \
            account_status app_rating penalty_points product_id revenue price quantity order_id coupon brand color size sku trackpad \
            device_fingerprint fertilizer medium_size polite greeting unionfind grace embrace brace general generation agent argent \
            skin_care facial_cream cosmetics";
        for name in plain.split_whitespace() {
            assert_eq!(category(name), None, "{name}");
        }
    }
}
