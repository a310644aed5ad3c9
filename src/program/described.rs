//! A program in words: what it says of its site, and of each audience, slot, experience and so on, property by property, so that two
//! programs can be held against each other.

use super::layout::{NONE, Section, wide};
use super::{Cap, Details, Experience, Part, Program, Requirement, Run, Status, run};
use crate::bucket::murmur3_32;
use crate::context::{FIELDS, Unit};
use crate::explain::text as expression;
use crate::learn::Rules;
use crate::learn::described::described as learned;
use crate::profile::Levels;
use crate::text::Quoted;
use crate::time::exact_instant_text;
use std::collections::BTreeMap;

/// What a program says of one thing: texts by the names of its properties.
pub(crate) type Properties = BTreeMap<String, String>;

/// All things of a kind, by their names.
pub(crate) type Things = BTreeMap<String, Properties>;

impl Program {
    /// The site and what goes without a name of its own.
    pub(crate) fn described_site(&self) -> Properties {
        let [_, minutes, new_campaign, days] = self.record(Section::Sources, 0).unwrap_or([NONE, 0, 0, 0]);
        let mut site = Properties::new();
        let mut put = |property: &str, text: String| {
            if !text.is_empty() {
                site.insert(property.to_owned(), text);
            }
        };
        put("id", self.site_id().to_owned());
        put("hosts", list(self.hosts()));
        put("languages", list(self.languages()));
        put("holdout", share(self.holdout()));
        put("cap", self.site_cap().map(|cap| cap_text(&cap)).unwrap_or_default());
        put("internal hosts", list(self.column(Section::InternalHosts, 0..usize::MAX).map(|host| self.text(host))));
        put("session", format!("{minutes} minutes{}", if new_campaign == 1 { ", or a new campaign" } else { "" }));
        put("attribution", format!("{days} days"));
        put("known sites", digest(self.sites()));
        put("click ids", list(self.rows(Section::ClickIds, 3).iter().map(String::as_str)));
        put("channels", list(self.rows(Section::Channels, 6).iter().map(String::as_str)));
        put("capture", self.text(self.cell(Section::Script, 0, 0)).to_owned());
        put("exposure", self.text(self.cell(Section::Script, 0, 1)).to_owned());
        put("device words", digest(self.device_words()));
        let zones: Vec<&str> =
            (0..self.count(Section::Zones)).map(|zone| self.text(self.cell(Section::Zones, zone, 0))).collect();
        put("time zones", list(zones.into_iter()));
        put("clocks of time zones", self.digest_of(&[Section::ZoneChanges]));
        site
    }

    /// All else, by its kind.
    pub(crate) fn described(&self) -> Vec<(&'static str, Things)> {
        let mut kinds = vec![
            ("fields", self.described_fields()),
            ("holidays", self.described_holidays()),
            ("places", self.described_places()),
            ("enrichments", self.described_enrichments()),
            ("audiences", self.described_audiences()),
            ("slots", self.described_slots()),
            ("groups", self.described_groups()),
            ("experiences", self.described_experiences()),
            ("personas", self.described_personas()),
        ];
        // Of a program for browsers nothing.
        kinds.extend(learned(&Rules::from_bytes(self.rules_bytes()).unwrap_or_default()));
        kinds
    }

    /// Records of texts, a line each.
    fn rows(&self, section: Section, width: usize) -> Vec<String> {
        let row = |index: usize| {
            let texts = (0..width).map(|word| self.cell(section, index, word)).map(|text| match text {
                NONE => "-".to_owned(),
                text => self.text(text).replace('\n', " "),
            });
            texts.collect::<Vec<_>>().join(" / ")
        };
        (0..self.count(section)).map(row).collect()
    }

    /// What stands in sections that are no words; empty where nothing does.
    fn digest_of(&self, sections: &[Section]) -> String {
        let mut bytes = Vec::new();
        for section in sections {
            for index in 0..self.count(*section) {
                bytes.extend(self.words_of(*section, index).unwrap_or_default().iter().flatten());
            }
        }
        if bytes.is_empty() { String::new() } else { digest(&bytes) }
    }

    fn described_fields(&self) -> Things {
        let declared = FIELDS.len() as u32..self.field_count() as u32;
        let describe = |field: u32| {
            let purpose = self.field_purpose(field).map(|purpose| purpose.name().to_owned());
            let kind = self.field_kind(field).map(|kind| kind.name().to_owned());
            (self.field_path(field).to_owned(), properties([("type", kind), ("purpose", purpose)]))
        };
        declared.map(describe).collect()
    }

    fn described_holidays(&self) -> Things {
        let describe = |(field, dates): (u32, Run)| {
            let dates: Vec<String> = self.column(Section::HolidayDates, dates).map(day_text).collect();
            (self.field_path(field).to_owned(), properties([("dates", Some(list(dates.iter().map(String::as_str))))]))
        };
        self.holidays().map(describe).collect()
    }

    fn described_places(&self) -> Things {
        let describe = |(field, places): (u32, Run)| {
            let places = places.map_while(|index| self.place(index)).map(|(id, name, point)| {
                let bytes: Vec<u8> = point.iter().flat_map(|part| part.to_bits().to_le_bytes()).collect();
                let name = if name == NONE { String::new() } else { format!("{} ", Quoted(self.text(name))) };
                (self.text(id).to_owned(), format!("{name}at {}", digest(&bytes)))
            });
            (self.field_path(field).to_owned(), places.collect())
        };
        self.place_lists().map(describe).collect()
    }

    fn described_enrichments(&self) -> Things {
        let describe = |index: usize| {
            let [name, url, first, fields, seconds, wait, decimals] =
                self.record(Section::Enrichments, index).unwrap_or([NONE, NONE, 0, 0, 0, 0, 0]);
            let mut known = properties([
                ("url", Some(self.value_text(self.parts(url)))),
                ("cache_seconds", Some(seconds.to_string())),
                ("timeout_ms", Some(wait.to_string())),
                ("decimals", Some(decimals.to_string())),
            ]);
            for [field, path, values, count] in
                run(first, fields).map_while(|index| self.record(Section::EnrichmentFields, index))
            {
                let values = list(self.enrichment_values(run(values, count)));
                let only = if values.is_empty() { String::new() } else { format!(", one of {values}") };
                known.insert(format!("field {}", self.field_path(field)), format!("{}{only}", self.text(path)));
            }
            (self.text(name).to_owned(), known)
        };
        (0..self.count(Section::Enrichments)).map(describe).collect()
    }

    fn described_audiences(&self) -> Things {
        let describe = |audience: u32| {
            let text = self.audience_node(audience).map(|node| expression(self, node));
            (self.audience_name(audience).to_owned(), properties([("expression", text)]))
        };
        (0..self.audience_count() as u32).map(describe).collect()
    }

    fn described_slots(&self) -> Things {
        let describe = |slot: u32| {
            let known = properties([
                ("selector", self.slot_selector(slot).map(str::to_owned)),
                ("pages", pages_text(self.page_rules(self.slot_pages(slot)))),
            ]);
            (self.slot_id(slot).to_owned(), known)
        };
        (0..self.slot_count() as u32).map(describe).collect()
    }

    fn described_groups(&self) -> Things {
        let groups = (0..self.count(Section::Groups) as u32).filter_map(|group| self.group(group));
        let describe = |group: super::experience::Group| {
            let cap = self.cap(group.cap).map(|cap| cap_text(&cap));
            (self.text(group.name).to_owned(), properties([("max", Some(group.max.to_string())), ("cap", cap)]))
        };
        groups.map(describe).collect()
    }

    fn described_personas(&self) -> Things {
        let describe = |(name, values): (&str, Vec<(&str, &str)>)| {
            (name.to_owned(), values.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect())
        };
        self.personas().map(describe).collect()
    }

    fn described_experiences(&self) -> Things {
        let sets = self.sets_of_experiences();
        let describe = |experience: Experience| {
            let set = sets.get(experience.index as usize).copied().unwrap_or(NONE);
            (self.text(experience.id).to_owned(), self.described_experience(&experience, set))
        };
        self.experiences().map(describe).collect()
    }

    fn described_experience(&self, experience: &Experience, set: u32) -> Properties {
        let details = self.details(experience);
        let when = |at: i64, never: i64| (at != never).then(|| exact_instant_text(at));
        let names = |groups: Run| {
            let groups = self.numbers(groups).filter_map(|group| self.group(group));
            some(list(groups.map(|group| self.text(group.name))))
        };
        let status = match experience.status {
            Status::Running => "running",
            Status::Draft => "draft",
            Status::Paused => "paused",
        };
        let weights = |weights: Run| some(list(self.numbers(weights).map(|weight| weight.to_string())));
        let runs = details
            .runs()
            .take_while(|run| *run < self.count(Section::Runs))
            .map(|run| levels_text(self.run_levels(run), details.factors().len()));
        let mut known = properties([
            ("type", Some(if experience.experiment { "experiment" } else { "personalization" }.to_owned())),
            ("status", Some(status.to_owned())),
            ("purpose", Some(experience.purpose.name().to_owned())),
            ("audience", experience.audience.map(|node| expression(self, node))),
            ("schedule from", when(experience.from, i64::MIN)),
            ("schedule until", when(experience.until, i64::MAX)),
            ("traffic", Some(self.traffic_text(experience, &details))),
            ("holdout", (experience.holdout > 0).then(|| share(experience.holdout))),
            ("weights", weights(experience.weights.clone())),
            ("pages", pages_text(self.page_rules(set))),
            ("sticky", details.sticky().then(|| "true".to_owned())),
            ("global_cap", (!details.global_cap()).then(|| "false".to_owned())),
            ("cap", self.cap(details.cap()).map(|cap| cap_text(&cap))),
            ("winner", details.winner().map(|levels| levels_text(levels, details.factors().len()))),
            ("groups", names(details.groups())),
            ("suppresses", names(details.suppresses())),
            ("requires", some(list(self.requirements(details.requires()).map(|one| self.requirement_text(&one))))),
            ("runs", some(list(runs))),
            (
                "unit",
                match details.unit() {
                    Unit::Visitor => None,
                    Unit::User => Some("user".to_owned()),
                    Unit::Trait(field) => Some(self.field_path(field).to_owned()),
                },
            ),
            ("layer", details.layer().map(|(name, from, to)| format!("{} {} to {}", self.text(name), share(from), share(to)))),
        ]);
        for factor in details.factors() {
            let Some((name, of)) = self.factor(factor) else { break };
            known.insert(format!("factor {}", self.text(name)), weights(of).unwrap_or_default());
        }
        self.describe_contents(experience, &mut known);
        known
    }

    /// The slots of an experience, with what each of its variants does there.
    fn describe_contents(&self, experience: &Experience, known: &mut Properties) {
        let details = self.details(experience);
        for (slot, before, factor) in self.experience_slots(experience.slots.clone()) {
            let of = details.factors().start.saturating_add(factor as usize);
            let name = self.factor(of).filter(|_| !details.factors().is_empty()).map(|(name, _)| self.text(name));
            // A forged number is no more than there are contents, and the baseline.
            let levels = experience.levels(self, &details, factor).min(self.count(Section::Contents) as u32 + 1);
            let contents = (1..levels).map(|level| {
                let content = experience.contents.saturating_add(before).saturating_add(level - 1);
                let edits: Vec<String> = self
                    .content(content)
                    .map(|(op, name, value)| {
                        let name = if name.is_empty() { String::new() } else { format!(" {name}") };
                        format!("{}{name} {}", op.name(), Quoted(&self.value_text(value)))
                    })
                    .collect();
                let edits = if edits.is_empty() { "baseline".to_owned() } else { edits.join(" and ") };
                if levels > 2 { format!("{level}: {edits}") } else { edits }
            });
            let of_factor = name.map(|name| format!(" (factor {name})")).unwrap_or_default();
            known.insert(format!("content of {}", self.slot_id(slot)), format!("{}{of_factor}", list(contents)));
        }
    }

    fn traffic_text(&self, experience: &Experience, details: &Details<'_>) -> String {
        if details.ramp().is_empty() {
            return share(experience.traffic);
        }
        let points = details.ramp().map_while(|point| self.record(Section::RampPoints, point)).map(|[low, high, part]| {
            let seconds = wide(low, high) as i64;
            format!("{} from {}", share(part), exact_instant_text(seconds.saturating_mul(1000)))
        });
        format!("{}, {}", list(points), if details.linear() { "changing evenly" } else { "in steps" })
    }

    fn requirement_text(&self, one: &Requirement) -> String {
        let variants = list(self.numbers(one.variants.clone()).map(|variant| variant.to_string()));
        let of = if variants.is_empty() { String::new() } else { format!(" with {variants}") };
        let factor = self.experience(one.experience).and_then(|required| {
            let factors = self.details(&required).factors();
            let (name, _) = self.factor(factors.start.saturating_add(one.factor as usize)).filter(|_| !factors.is_empty())?;
            Some(format!(" in {}", self.text(name)))
        });
        format!("{}{}{of}", self.experience_id(one.experience), factor.unwrap_or_default())
    }

    /// A value as it is written, its fields in braces.
    fn value_text<'a>(&'a self, parts: impl Iterator<Item = Part<'a>>) -> String {
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Field { field, default, .. } => {
                    text.push_str("{{ ");
                    text.push_str(self.field_path(field));
                    if let Some(default) = default {
                        text.push_str(&format!(" | {}", Quoted(default)));
                    }
                    text.push_str(" }}");
                }
            }
        }
        text
    }
}

/// Properties that say something.
fn properties<const N: usize>(known: [(&str, Option<String>); N]) -> Properties {
    known.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?))).collect()
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn list(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    texts.fold(String::new(), |mut all, text| {
        all.push_str(if all.is_empty() { "" } else { ", " });
        all.push_str(text.as_ref());
        all
    })
}

fn pages_text(rules: Vec<String>) -> Option<String> {
    some(list(rules.iter()))
}

/// Stands for bytes that are no words.
fn digest(bytes: &[u8]) -> String {
    format!("#{:08x}", murmur3_32(bytes, 0))
}

/// Parts per million as per cent.
fn share(part: u32) -> String {
    let decimals = format!("{:04}", part % 10_000);
    let decimals = decimals.trim_end_matches('0');
    format!("{}{}{decimals}%", part / 10_000, if decimals.is_empty() { "" } else { "." })
}

fn cap_text(cap: &Cap) -> String {
    let names = ["a session", "a day", "a week", "at all"];
    let limits = cap.limits.iter().zip(names).filter(|(limit, _)| **limit != NONE);
    let mut texts: Vec<String> = limits.map(|(limit, name)| format!("{limit} {name}")).collect();
    if cap.cooldown_minutes > 0 {
        texts.push(format!("{} minutes between", cap.cooldown_minutes));
    }
    list(texts.iter())
}

fn levels_text(levels: Levels, factors: usize) -> String {
    let texts: Vec<String> =
        (0..factors.clamp(1, Levels::MOST as usize) as u32).map(|factor| levels.level(factor).to_string()).collect();
    texts.join("-")
}

/// A day of a calendar; of the year 0, one of every year.
fn day_text(day: u32) -> String {
    let (year, month, date) = (day >> 9, day >> 5 & 0xf, day & 0x1f);
    if year == 0 { format!("{month:02}-{date:02}") } else { format!("{year:04}-{month:02}-{date:02}") }
}
