//! Personal fields: what tells who a visitor is, and what is sensitive. They may be shown to the visitor and decided by, at the edge;
//! they stand in no URL, name no unit and no taste, and no browser is given an experience that reads them.

use super::reads::Reads;
use super::{Compiler, Outline, plan};
use crate::consent::Purpose;
use crate::learn::rules::{Counter, What};
use crate::manifest::{Experience, ExperienceKind, Manifest, PropertyPlan, Sensitive, Spanned};

/// Whether a reading of a profile tells what is personal, and what is sensitive: as it counts by such a property, or is of a
/// sensitive taste.
pub(super) fn of_reading(manifest: &Manifest, what: &What, counter: Option<&Counter>) -> (bool, bool) {
    if let What::Affinity(name) | What::Affinities(name) | What::AffinityShare(name, _) = what {
        let found = manifest.affinities.iter().find(|(known, _)| known.value == *name);
        let sensitive = found.and_then(|(_, affinity)| affinity.sensitive.as_ref()).is_some_and(|said| said.value.is_some());
        return (sensitive, sensitive);
    }
    let Some(counter) = counter else { return (false, false) };
    let asked = counter.matching.properties.iter().map(|(path, _)| path).chain(&counter.sum);
    let of_event = |path: &String| properties(manifest, path, Some(&counter.matching.event));
    let found: Vec<&PropertyPlan> = asked.flat_map(of_event).collect();
    (found.iter().any(|one| one.is_personal()), found.iter().any(|one| one.is_sensitive()))
}

/// What the plan says of a property, of an event or of any.
fn properties<'m>(manifest: &'m Manifest, asked: &str, event: Option<&str>) -> Vec<&'m PropertyPlan> {
    let events = manifest.events.iter().filter(|(name, _)| event.is_none_or(|event| name.value == event));
    let all = events.flat_map(|(_, plan)| &plan.properties);
    all.filter(|(path, _)| plan::below(&path.value) == asked).map(|(_, property)| property).collect()
}

/// What a property is declared to be in any event of the plan.
pub(super) fn sensitive_property(manifest: &Manifest, asked: &str) -> Option<Sensitive> {
    let said = properties(manifest, asked, None).into_iter().filter_map(|property| property.sensitive.as_ref());
    said.map(|said| said.value).find(|said| said.is_some())
}

impl<'m> Compiler<'m, '_, '_> {
    /// Refuses affinities to what is personal: each person would be a value of their own. What is sensitive may be one, where it says so.
    pub(super) fn check_affinity_property(&mut self, property: &Spanned<String>) {
        let told = properties(self.manifest, &property.value, None);
        if told.iter().any(|one| one.personal == Some(true)) {
            let message = format!("`{}` is personal, so nobody's taste: an affinity keeps the values of many", property.value);
            self.error_with_help(property, message, Some("take a property that many share, such as a category".to_owned()));
        }
    }

    /// Whether an experience reads what is personal, by its audience or by its contents.
    pub(super) fn reads_personal(&self, outline: &Outline<'_>) -> bool {
        let mut reads = outline.audience.as_ref().map_or_else(Reads::default, Reads::of);
        reads.add_fields(&outline.read);
        self.with_audiences(reads).fields().any(|field| self.names.is_personal_field(field))
    }

    /// Refuses experiments that read what is sensitive without a consent for analytics: by who saw what, their results tell who is what.
    pub(super) fn check_experiment_reads(&mut self, experience: &Experience, reads: &Reads) {
        if experience.kind != ExperienceKind::Experiment || self.for_browsers {
            return;
        }
        let all = self.with_audiences(reads.clone());
        let is_wrong = |field: &u32| {
            let declared = self.names.declared(*field).filter(|declared| declared.sensitive);
            let agreed = |purpose: Option<Purpose>| purpose == Some(Purpose::Analytics);
            declared.is_some_and(|declared| !(agreed(declared.purpose) && agreed(experience.purpose)))
        };
        let found = all.fields().find(is_wrong).and_then(|field| self.names.declared(field));
        if let Some(path) = found.map(|declared| declared.path.clone()) {
            let message = format!("an experiment reads `{path}`, which is sensitive: its results tell who was in its audience");
            let help = "make it a personalization; or bind both to the purpose analytics, and ask for that consent";
            self.error_with_help(experience.audience.as_ref().unwrap_or(&experience.id), message, Some(help.to_owned()));
        }
    }
}
