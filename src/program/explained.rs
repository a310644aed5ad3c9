//! What of a program only explanations read.

use super::layout::{NONE, Op, Section};
use super::{Part, Program, Run, run};
use crate::consent::Purpose;
use crate::context::Field;

impl Program {
    /// Number of named audiences.
    pub(crate) fn audience_count(&self) -> usize {
        self.count(Section::Audiences)
    }

    /// The name of an audience.
    pub(crate) fn audience_name(&self, audience: u32) -> &str {
        self.text(self.cell(Section::Audiences, audience as usize, 0))
    }

    /// The set of page rules of each experience.
    pub(crate) fn sets_of_experiences(&self) -> Vec<u32> {
        let mut sets = vec![NONE; self.experience_count()];
        for set in 0..self.count(Section::Pages).saturating_sub(1) as u32 {
            let first = |set: usize| self.cell(Section::Pages, set, 2) as usize;
            for experience in self.column(Section::Postings, first(set as usize)..first(set as usize + 1)) {
                if let Some(place) = sets.get_mut(experience as usize) {
                    *place = set;
                }
            }
        }
        sets
    }

    /// The rules of a set of page rules as people write them, such as `shop.example/products/*?currency=EUR`.
    pub(crate) fn page_rules(&self, set: u32) -> Vec<String> {
        let first = |set: u32| self.record(Section::Pages, set as usize).map_or(0, |[first]| first as usize);
        let rules = (first(set)..first(set.saturating_add(1))).map_while(|rule| self.record(Section::PageRules, rule));
        let rules = rules.map_while(|[rule]| self.record(Section::Rules, rule as usize));
        let written = rules.map(|[path, conditions]: [u32; 2]| {
            let [host, start, len] = self.record(Section::RuleConditions, conditions as usize).unwrap_or([NONE, 0, 0]);
            let mut rule = format!("{}{}", self.text(host), self.text(path));
            let parameters = run(start, len).map_while(|parameter| self.record::<2>(Section::Queries, parameter));
            for (index, [name, glob]) in parameters.enumerate() {
                rule.push_str(if index == 0 { "?" } else { "&" });
                rule.push_str(&format!("{}={}", self.text(name), self.text(glob)));
            }
            rule
        });
        written.collect()
    }

    /// Whether a field is read anew where another one is overridden: what a consent uncovers, the clock of a zone, the holidays
    /// of a date, the nearest place, and the answers of an enrichment whose URL is made of it.
    pub(crate) fn follows(&self, field: u32, from: u32) -> bool {
        let is = |known: Field| from == known as u32;
        let consent = self.field_path(from).strip_prefix("consent.").and_then(Purpose::from_name);
        let is_clock = || (Field::TimeHour as u32..=Field::TimeDate as u32).contains(&field);
        let is_holiday = || self.holidays().any(|(holidays, _)| holidays == field);
        let is_place = || self.place_lists().any(|(first, _)| (first..first.saturating_add(3)).contains(&field));
        consent.is_some() && consent == self.field_purpose(field)
            || is(Field::GeoTimezone) && (is_clock() || is_holiday())
            || is(Field::TimeDate) && is_holiday()
            || (is(Field::GeoLatitude) || is(Field::GeoLongitude)) && is_place()
            || self.is_answer(field, from)
    }

    /// Whether an enrichment tells a field, and is asked with the value of another one.
    fn is_answer(&self, field: u32, from: u32) -> bool {
        self.asked_with(from).any(|[_, _, first, fields, ..]| {
            let mut told = run(first, fields).map_while(|index| self.record::<2>(Section::EnrichmentFields, index));
            told.any(|[told, _]| told == field)
        })
    }

    /// Whether an enrichment is asked with the value of a field.
    pub(crate) fn is_asked_with(&self, from: u32) -> bool {
        self.asked_with(from).next().is_some()
    }

    /// The enrichments whose URL is made of a field.
    fn asked_with(&self, from: u32) -> impl Iterator<Item = [u32; 4]> {
        let enrichments =
            (0..self.count(Section::Enrichments)).filter_map(|index| self.record::<4>(Section::Enrichments, index));
        enrichments
            .filter(move |[_, url, ..]| self.parts(*url).any(|part| matches!(part, Part::Field { field, .. } if field == from)))
    }

    /// The ids of the places of a list.
    pub(crate) fn place_ids(&self, places: Run) -> impl Iterator<Item = &str> {
        places.map_while(|index| self.place(index)).map(|(id, ..)| self.text(id))
    }

    /// The texts that a field is compared with anywhere in the program.
    pub(crate) fn compared_with(&self, field: u32) -> Vec<&str> {
        let mut texts = Vec::new();
        let is_field = |node: u32| self.node(node).is_some_and(|(op, of, _)| op == Op::Field && of == field);
        let mut add = |node: u32| {
            if let Some((Op::String, text, _)) = self.node(node)
                && !texts.contains(&self.text(text))
            {
                texts.push(self.text(text));
            }
        };
        for (op, a, b) in (0..self.count(Section::Nodes) as u32).filter_map(|node| self.node(node)) {
            match op {
                Op::Eq | Op::In if is_field(b) => add(a),
                Op::Eq if is_field(a) => add(b),
                Op::In if is_field(a) => {
                    let Some((Op::List | Op::Constants, start, len)) = self.node(b) else { continue };
                    self.list_items(start, len).for_each(&mut add);
                }
                _ => {}
            }
        }
        texts
    }

    /// Whether nothing makes a field absent but the want of consent.
    pub(crate) fn is_always_known(&self, field: u32) -> bool {
        let known = [Field::VisitorReturning, Field::ConsentPersonalization, Field::ConsentAnalytics, Field::ConsentMarketing];
        known.into_iter().any(|known| known as u32 == field)
    }
}
