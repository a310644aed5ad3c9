//! Lists that belong to the context: holidays, places, the site's languages.

use super::Compiler;
use crate::context::{FIELDS, day_number, is_language};
use crate::geo::point;
use crate::manifest::Spanned;
use crate::program::layout::{NONE, Section};
use crate::sorted::sorted;
use crate::time::{Civil, Moment, parse_moment};

/// The most places of a site: what is kept of one is some 50 bytes in the program.
const MOST_PLACES: usize = 10_000;
/// The most languages of a site.
const MOST_LANGUAGES: usize = 100;

impl Compiler<'_, '_, '_> {
    /// The number of the declared field of that path.
    fn declared_field(&self, path: &str) -> u32 {
        let position = self.names.declared.iter().position(|field| field.path == path);
        position.map_or(NONE, |position| (FIELDS.len() + position) as u32)
    }

    pub(super) fn holidays(&mut self) {
        for (name, dates) in &self.manifest.holidays {
            self.check_identifier(name);
            let mut days: Vec<u32> = dates.0.iter().filter_map(|date| self.holiday(date)).collect();
            days = sorted(days, &u32::cmp);
            days.dedup();
            let start = self.builder.next(Section::HolidayDates);
            for day in &days {
                self.builder.push(Section::HolidayDates, &[*day]);
            }
            let field = self.declared_field(&format!("holidays.{}", name.value));
            self.builder.push(Section::Holidays, &[field, start, days.len() as u32]);
        }
    }

    /// A date as a number; of the year 0 for every year.
    fn holiday(&mut self, date: &Spanned<String>) -> Option<u32> {
        let text = &date.value;
        // A leap year, so that the 29th of February is a day.
        let every_year = (text.len() == 5).then(|| format!("2000-{text}"));
        match parse_moment(every_year.as_ref().unwrap_or(text)) {
            Some(Moment::Local(civil)) if text.len() <= 10 => {
                let year = if every_year.is_some() { 0 } else { civil.year };
                if every_year.is_none() && year == 0 {
                    self.error(date, "there is no year 0");
                    return None;
                }
                Some(day_number(Civil { year, ..civil }))
            }
            _ => {
                self.error_with_help(
                    date,
                    format!("expected a day of the calendar, such as 2026-12-25, found `{text}`"),
                    Some("for a day of every year leave the year out: 12-25".into()),
                );
                None
            }
        }
    }

    pub(super) fn places(&mut self) {
        let mut count = 0;
        for (name, places) in &self.manifest.places {
            self.check_identifier(name);
            if places.is_empty() {
                self.error(name, format!("the list `{}` has no place", name.value));
            }
            // By height over the equator's plane: whoever looks for the nearest starts at the visitor's own.
            let mut records = Vec::with_capacity(places.len());
            for (id, place) in places {
                self.check_id(id);
                if let Some(name) = &place.name {
                    self.check_title(name);
                }
                count += 1;
                if count == MOST_PLACES + 1 {
                    self.error(id, format!("a site has at most {MOST_PLACES} places; this is one too many"));
                }
                records.push((point(place.latitude.0, place.longitude.0), id, place));
            }
            let records =
                sorted(records, &|(one, a, _), (other, b, _)| one[2].total_cmp(&other[2]).then_with(|| a.value.cmp(&b.value)));
            let start = self.builder.next(Section::Places);
            for (place, id, entry) in &records {
                let id = self.builder.text(&id.value);
                let name = entry.name.as_ref().map_or(NONE, |name| self.builder.text(&name.value));
                let mut record = vec![id, name];
                record.extend(place.iter().flat_map(|part| [part.to_bits() as u32, (part.to_bits() >> 32) as u32]));
                self.builder.push(Section::Places, &record);
            }
            let field = self.declared_field(&format!("places.{}.nearest", name.value));
            self.builder.push(Section::PlaceLists, &[field, start, records.len() as u32]);
        }
    }

    pub(super) fn languages(&mut self) {
        let Some(languages) = &self.manifest.site.languages else { return };
        if languages.value.0.is_empty() {
            self.error(
                languages,
                "expected at least one language, such as \"fr\"; leave the field out where the site has none to choose from",
            );
        }
        let mut seen: Vec<String> = Vec::new();
        for language in &languages.value.0 {
            let tag = &language.value;
            let lower = tag.to_ascii_lowercase();
            if !is_language(tag) {
                self.error(language, format!("expected a language tag such as fr, de-CH or zh-Hant, found `{tag}`"));
            } else if seen.contains(&lower) {
                self.error(language, format!("`{tag}` stands here twice"));
            } else if seen.len() == MOST_LANGUAGES {
                self.error(language, format!("a site has at most {MOST_LANGUAGES} languages"));
            }
            seen.push(lower);
            let text = self.builder.text(tag);
            self.builder.push(Section::Languages, &[text]);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::compile::{Zones, compile};
    use crate::diagnostic::Diagnostic;

    struct None;

    impl Zones for None {
        fn offset(&self, _: &str, _: i64) -> Option<i32> {
            Option::None
        }
    }

    fn errors(places: usize, languages: usize) -> Vec<Diagnostic> {
        let place = |index| (format!("p{index}"), serde_json::json!({ "latitude": 1, "longitude": index % 180 }));
        let (few, many) = ((0..3).map(place), (0..places - 3).map(place));
        let tags: Vec<String> = (0..languages).map(|index| format!("fr-{index:03}")).collect();
        let manifest = serde_json::json!({
            "site": { "id": "x", "languages": tags },
            "places": { "few": few.collect::<serde_json::Map<_, _>>(), "many": many.collect::<serde_json::Map<_, _>>() },
        });
        compile(&manifest.to_string(), &None).err().unwrap_or_default()
    }

    #[test]
    fn lists_have_limits_and_one_error_each() {
        assert_eq!(errors(10_000, 100), []);
        let found = errors(10_002, 101);
        let told: Vec<_> = found.iter().map(|error| (error.path.as_str(), error.message.as_str())).collect();
        let places = "a site has at most 10000 places; this is one too many";
        assert_eq!(told, [("site.languages[100]", "a site has at most 100 languages"), ("places.many.p9997", places)]);
    }
}
