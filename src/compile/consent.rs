//! What visitors are asked, told and promised: checked, and written as two JSON texts that the runtimes hand on as they are. The *notice* is
//! for visitors, by `GET /_idoine/consent`; *keeping* is for who keeps what is known of them, in the Worker.

use super::{Compiler, lookup, nearest};
use crate::consent::{Mode, Purpose};
use crate::context::Kind;
use crate::edit::json_string;
use crate::manifest::{Ask, Experience, Manifest, Platform, PurposePlan, Spanned, Status, Trait, Wording};
use crate::program::layout::{NONE, Section};
use crate::time::DAY_MS;

/// Languages that all wording is in, beside the site's own.
const LANGUAGES: [&str; 2] = ["en", "fr"];
/// Characters of a title, and of any other wording.
const LONGEST_TITLE: usize = 100;
const LONGEST_TEXT: usize = 1000;
/// So many experiences are told that read a field.
const MOST_CHANGES: usize = 20;
/// The shortest and the longest time that anything is kept: a day, ten years.
const SHORTEST: i64 = DAY_MS;
const LONGEST: i64 = 3650 * DAY_MS;

/// For how long what is kept for a purpose is kept where the manifest does not say. CNIL's guidelines: 13 months for what follows a browser,
/// 25 months for what is measured with it.
fn kept_for(purpose: Purpose) -> i64 {
    match purpose {
        Purpose::Analytics => 760 * DAY_MS,
        Purpose::Personalization | Purpose::Marketing => 395 * DAY_MS,
    }
}

impl<'m> Compiler<'m, '_, '_> {
    /// Checks and writes all of it; of a program for browsers only how consent is had.
    pub(super) fn consent(&mut self) {
        let manifest = self.manifest;
        let plan = manifest.consent.as_ref();
        let mode = plan.and_then(|plan| plan.mode.as_ref()).map_or(Mode::OptIn, |mode| mode.value);
        let version = plan.and_then(|plan| plan.version.as_ref()).map_or(1, |version| version.value);
        if self.for_browsers {
            self.builder.push(Section::Consent, &[mode.code(), version.max(1) as u32, NONE, NONE]);
            return;
        }
        self.check_terms();
        self.check_purposes();
        self.check_bindings();
        self.check_preferences();
        let notice = self.notice(mode, version);
        let keeping = keeping(manifest, mode, version);
        let record = [mode.code(), version.max(1) as u32, self.builder.text(&notice), self.builder.text(&keeping)];
        self.builder.push(Section::Consent, &record);
    }

    fn check_terms(&mut self) {
        let manifest = self.manifest;
        let Some(plan) = &manifest.consent else { return };
        if let Some(version) = plan.version.as_ref().filter(|version| version.value < 1) {
            self.error(version, "expected a version from 1 on");
        }
        if let Some(policy) = &plan.policy {
            let text = &policy.value;
            let is_address = text.starts_with("https://") || (text.starts_with('/') && !text.starts_with("//"));
            if !is_address || text.bytes().any(|byte| byte <= b' ' || byte == b'\\') {
                self.error(policy, "expected an https URL, or a path of the site such as /privacy");
            }
        }
        if let Some(ask) = &plan.ask
            && manifest.purposes.is_none()
            && ask.value == Ask::Banner
        {
            let help = "say what is asked: \"purposes\": { \"personalization\": { \"title\": ..., \"text\": ... } }";
            self.error_with_help(ask, "the banner has nothing to ask", Some(help.to_owned()));
        }
        // Google asks nobody: it is told what was chosen, whoever asked. Behind the framework of IAB Europe there is a platform that asks.
        let asks = |platform: &&Spanned<Platform>| platform.value == Platform::Tcf;
        if let Some(asking) = plan.platforms.0.iter().find(asks)
            && plan.ask.as_ref().is_none_or(|ask| ask.value != Ask::Platform)
        {
            let help = "say \"ask\": \"platform\"; visitors are asked once".to_owned();
            self.error_with_help(asking, "behind `tcf` there is a platform that asks visitors itself", Some(help));
        }
    }

    fn check_purposes(&mut self) {
        let manifest = self.manifest;
        for (_, plan) in manifest.purposes.iter().flat_map(|purposes| &purposes.0) {
            self.check_wording(&plan.title, LONGEST_TITLE);
            self.check_wording(&plan.text, LONGEST_TEXT);
            if let Some(keep) = plan.keep.as_ref().filter(|keep| !(SHORTEST..=LONGEST).contains(&keep.value.0)) {
                self.error(keep, "expected a time from 1d to 3650d");
            }
        }
        for (_, declared) in &manifest.traits {
            declared.title.iter().for_each(|title| self.check_wording(title, LONGEST_TITLE));
            declared.why.iter().for_each(|why| self.check_wording(why, LONGEST_TEXT));
            self.check_labels(declared);
        }
        for experience in &manifest.experiences.0 {
            experience.because.iter().for_each(|because| self.check_wording(because, LONGEST_TEXT));
        }
    }

    /// Only what the trait may be is ever shown.
    fn check_labels(&mut self, declared: &Trait) {
        let values = || declared.values.iter().flat_map(|values| &values.0).map(|value| value.value.as_str());
        for (value, label) in &declared.labels {
            self.check_wording(label, LONGEST_TITLE);
            if !values().any(|known| known == value.value) {
                let help = nearest(&value.value, values()).unwrap_or_else(|| "add it to \"enum\"".to_owned());
                self.error_with_help(value, format!("`{}` is no value of the trait's enum", value.value), Some(help));
            }
        }
    }

    /// Whoever reads a page is to understand what they are asked on it.
    fn check_wording(&mut self, wording: &Wording, longest: usize) {
        let manifest = self.manifest;
        for (_, text) in &wording.value {
            if text.value.trim().is_empty() || text.value.chars().count() > longest {
                self.error(text, format!("expected a text of 1 to {longest} characters"));
            }
        }
        let own =
            manifest.site.languages.iter().flat_map(|languages| &languages.value.0).map(|language| language.value.as_str());
        let missing = LANGUAGES.into_iter().chain(own).find(|language| lookup(&wording.value, language).is_err());
        if let Some(language) = missing {
            let help = format!("add \"{language}\": \"...\"");
            self.error_with_help(wording, format!("the wording in `{language}` is missing"), Some(help));
        }
    }

    /// Where purposes are declared, everything is for one of them, and says for which.
    fn check_bindings(&mut self) {
        let manifest = self.manifest;
        if manifest.purposes.is_none() {
            return;
        }
        for (name, declared) in &manifest.traits {
            self.bound(name, "trait", Some(declared.purpose));
        }
        for (name, event) in &manifest.events {
            self.bound(name, "event", event.purpose);
        }
        for experience in &manifest.experiences.0 {
            self.bound(&experience.id, "experience", experience.purpose);
        }
        for (name, webhook) in &manifest.webhooks {
            self.bound(name, "webhook", webhook.purpose);
        }
        let sinks = manifest.sinks.iter().flat_map(|sinks| [("queue", &sinks.queue), ("r2", &sinks.r2)]);
        for (name, plan) in sinks.filter_map(|(name, plan)| Some((name, plan.as_ref()?))) {
            let Spanned { span, path, .. } = plan.purpose.clone();
            let named = Spanned { value: name.to_owned(), span, path };
            self.bound(&named, "sink", Some(plan.purpose.value));
        }
    }

    fn bound(&mut self, name: &Spanned<String>, what: &str, purpose: Option<Purpose>) {
        let declared: Vec<Purpose> = declared(self.manifest).map(|(purpose, _)| purpose).collect();
        let words: Vec<&str> = declared.iter().map(|purpose| purpose.name()).collect();
        let (message, help) = match purpose {
            Some(purpose) if declared.contains(&purpose) => return,
            Some(purpose) => {
                let message = format!("the {what} `{}` is for {}, which nobody is asked about", name.value, purpose.name());
                (message, format!("declare it among \"purposes\", or take one of: {}", words.join(", ")))
            }
            None => {
                let message = format!("the {what} `{}` does not say what it is for", name.value);
                (message, format!("say \"purpose\": one of {}", words.join(", ")))
            }
        };
        self.error_with_help(name, message, Some(help));
    }

    fn check_preferences(&mut self) {
        let manifest = self.manifest;
        let Some(preferences) = &manifest.preferences else { return };
        let wanted = [
            (&preferences.topics, Kind::Strings, "of type strings, with an enum"),
            (&preferences.frequency, Kind::String, "of type string, with an enum"),
            (&preferences.quiet, Kind::Bool, "of type bool"),
        ];
        for (name, kind, expected) in wanted {
            let Some(name) = name else { continue };
            match lookup(&manifest.traits, &name.value) {
                Err(help) => self.unknown(name, "trait", help, "{ \"type\": ..., \"purpose\": ... }"),
                Ok((_, declared)) if declared.kind != kind || (declared.values.is_none() && kind != Kind::Bool) => {
                    self.error(name, format!("expected a trait {expected}"));
                }
                Ok(_) => {}
            }
        }
    }

    /// What visitors are told.
    fn notice(&self, mode: Mode, version: i32) -> String {
        let manifest = self.manifest;
        let plan = manifest.consent.as_ref();
        let mut json = Json::default();
        json.open('{');
        json.text("mode", mode.name());
        json.number("version", i64::from(version));
        if let Some(policy) = plan.and_then(|plan| plan.policy.as_ref()) {
            json.text("policy", &policy.value);
        }
        json.text("ask", plan.and_then(|plan| plan.ask.as_ref()).map_or(Ask::Page, |ask| ask.value).name());
        let platforms = plan.iter().flat_map(|plan| &plan.platforms.0).map(|platform| platform.value.name());
        json.texts("platforms", platforms);
        json.key("purposes");
        json.open('[');
        for (purpose, plan) in declared(manifest) {
            json.open('{');
            json.text("name", purpose.name());
            json.wording("title", &plan.title);
            json.wording("text", &plan.text);
            json.number("keep_days", keep(manifest, purpose) / DAY_MS);
            json.close('}');
        }
        json.close(']');
        json.key("traits");
        json.open('[');
        for (number, (name, declared)) in manifest.traits.iter().enumerate() {
            self.told_trait(&mut json, name, declared, &self.readers(number));
        }
        json.close(']');
        json.key("readings");
        json.open('[');
        for (number, (asked, _)) in self.names.asked.iter().enumerate() {
            json.open('{');
            json.text("path", &asked.path);
            json.changes(&self.readers(manifest.traits.len() + number));
            json.close('}');
        }
        json.close(']');
        json.key("preferences");
        json.open('{');
        if let Some(preferences) = &manifest.preferences {
            let all = [("topics", &preferences.topics), ("frequency", &preferences.frequency), ("quiet", &preferences.quiet)];
            for (name, of) in all {
                of.iter().for_each(|of| json.text(name, &of.value));
            }
        }
        json.close('}');
        json.close('}');
        json.0
    }

    /// Some of the experiences that read a field that the manifest declares, those first that say why; drafts are left out.
    fn readers(&self, declared: usize) -> Vec<&'m Experience> {
        let readers = self.readers.get(declared).into_iter().flatten();
        let experiences = readers.filter_map(|index| Some(self.outlines.get(*index as usize)?.experience));
        let mut live: Vec<_> = experiences.filter(|experience| experience.status != Some(Status::Draft)).collect();
        live.sort_by_key(|experience| experience.because.is_none());
        live.truncate(MOST_CHANGES);
        live
    }

    fn told_trait(&self, json: &mut Json, name: &Spanned<String>, declared: &Trait, readers: &[&Experience]) {
        json.open('{');
        json.text("name", &name.value);
        json.text("type", declared.kind.name());
        if let Some(values) = &declared.values {
            json.texts("values", values.0.iter().map(|value| value.value.as_str()));
        }
        if !declared.labels.is_empty() {
            json.key("labels");
            json.open('{');
            declared.labels.iter().for_each(|(value, label)| json.wording(&value.value, label));
            json.close('}');
        }
        declared.title.iter().for_each(|title| json.wording("title", title));
        declared.why.iter().for_each(|why| json.wording("why", why));
        json.text("purpose", declared.purpose.name());
        json.flag("editable", is_editable(self.manifest, name, declared));
        json.flag("personal", declared.is_personal());
        json.changes(readers);
        json.close('}');
    }
}

/// The purposes that the manifest declares.
pub(crate) fn declared(manifest: &Manifest) -> impl Iterator<Item = (Purpose, &PurposePlan)> {
    let plans = || manifest.purposes.iter().flat_map(|purposes| &purposes.0);
    Purpose::ALL.into_iter().filter_map(move |purpose| Some((purpose, &plans().find(|(name, _)| name.value == purpose)?.1)))
}

/// For how long what is kept for a purpose is kept, in milliseconds.
pub(crate) fn keep(manifest: &Manifest, purpose: Purpose) -> i64 {
    let plan = declared(manifest).find(|(name, _)| *name == purpose);
    plan.and_then(|(_, plan)| plan.keep.as_ref()).map_or(kept_for(purpose), |keep| keep.value.0)
}

/// Whether visitors may correct a trait.
pub(crate) fn is_editable(manifest: &Manifest, name: &Spanned<String>, declared: &Trait) -> bool {
    let preferences = manifest.preferences.iter();
    let mut preferred = preferences.flat_map(|of| [&of.topics, &of.frequency, &of.quiet]).flatten();
    declared.editable.as_ref().is_some_and(|editable| editable.value) || preferred.any(|of| of.value == name.value)
}

/// What those who keep something are told.
fn keeping(manifest: &Manifest, mode: Mode, version: i32) -> String {
    let mut json = Json::default();
    json.open('{');
    json.text("mode", mode.name());
    json.number("version", i64::from(version));
    json.key("keep");
    json.open('{');
    Purpose::ALL.into_iter().for_each(|purpose| json.number(purpose.name(), keep(manifest, purpose)));
    json.close('}');
    json.key("traits");
    json.open('{');
    manifest.traits.iter().for_each(|(name, declared)| json.text(&name.value, declared.purpose.name()));
    json.close('}');
    json.texts(
        "editable",
        manifest
            .traits
            .iter()
            .filter(|(name, declared)| is_editable(manifest, name, declared))
            .map(|(name, _)| name.value.as_str()),
    );
    json.key("personal");
    json.open('{');
    let personal = manifest.traits.iter().filter(|(_, declared)| declared.is_personal());
    json.texts("traits", personal.map(|(name, _)| name.value.as_str()));
    json.key("properties");
    json.open('{');
    for (name, event) in &manifest.events {
        let personal: Vec<&str> = event
            .properties
            .iter()
            .filter(|(_, property)| property.is_personal())
            .map(|(path, _)| path.value.as_str())
            .collect();
        if !personal.is_empty() {
            json.texts(&name.value, personal.into_iter());
        }
    }
    json.close('}');
    json.close('}');
    json.key("events");
    json.open('{');
    for (name, event) in &manifest.events {
        json.text(&name.value, event.purpose.unwrap_or(Purpose::Analytics).name());
    }
    json.close('}');
    json.key("sinks");
    json.open('{');
    let sinks = manifest.sinks.as_ref();
    let of = |plan: Option<&crate::manifest::SinkPlan>| plan.map_or(Purpose::Analytics, |plan| plan.purpose.value).name();
    json.text("queue", of(sinks.and_then(|sinks| sinks.queue.as_ref())));
    json.text("r2", of(sinks.and_then(|sinks| sinks.r2.as_ref())));
    json.close('}');
    json.close('}');
    json.0
}

/// JSON as it is written.
#[derive(Default)]
struct Json(String);

impl Json {
    /// Begins an object or a list, as a value or as an item.
    fn open(&mut self, bracket: char) {
        self.next();
        self.0.push(bracket);
    }

    fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    /// A comma, where something stands before.
    fn next(&mut self) {
        if !self.0.is_empty() && !self.0.ends_with(['{', '[', ':']) {
            self.0.push(',');
        }
    }

    fn string(&mut self, text: &str) {
        self.next();
        self.0.push('"');
        json_string(text, &mut self.0);
        self.0.push('"');
    }

    fn key(&mut self, key: &str) {
        self.string(key);
        self.0.push(':');
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.string(text);
    }

    fn texts<'a>(&mut self, key: &str, texts: impl Iterator<Item = &'a str>) {
        self.key(key);
        self.open('[');
        texts.for_each(|text| self.string(text));
        self.close(']');
    }

    fn number(&mut self, key: &str, number: i64) {
        self.key(key);
        self.0.push_str(&number.to_string());
    }

    fn flag(&mut self, key: &str, flag: bool) {
        self.key(key);
        self.0.push_str(if flag { "true" } else { "false" });
    }

    /// What a field changes on the site: some of the experiences that read it.
    fn changes(&mut self, readers: &[&Experience]) {
        self.key("changes");
        self.open('[');
        for Experience { id, because, .. } in readers {
            self.open('{');
            self.text("experience", &id.value);
            because.iter().for_each(|because| self.wording("because", because));
            self.close('}');
        }
        self.close(']');
    }

    fn wording(&mut self, key: &str, wording: &Wording) {
        self.key(key);
        self.open('{');
        wording.value.iter().for_each(|(language, text)| self.text(&language.value, &text.value));
        self.close('}');
    }
}
