//! What a program says of enrichments: endpoints, what to read of their answers, and which pages need them.

use super::layout::Section;
use super::{Page, Part, Program, Run, run};
use crate::context::{Context, Kind, Value};
use crate::edit::display;
use crate::number::push_fixed;
use crate::{context, url};

/// The longest URL that is asked, in bytes. Values of a request may be of any length.
const LONGEST_URL: usize = 2048;

/// An endpoint that tells more of a request.
#[derive(Debug, Clone)]
pub struct Enrichment<'a> {
    program: &'a Program,
    record: [u32; 7],
}

impl<'a> Enrichment<'a> {
    /// The name in the manifest.
    pub fn name(&self) -> &'a str {
        self.program.text(self.record[0])
    }

    /// How long an answer may be kept for the same URL.
    pub fn cache_seconds(&self) -> u32 {
        self.record[4]
    }

    /// How long a page may wait for the answer.
    pub fn timeout_ms(&self) -> u32 {
        self.record[5]
    }

    /// The URL to ask for a request; `None` when it can't be said: a value in it is missing and has no default, or it gets
    /// too long or leads to another path than the one that is written.
    pub fn url(&self, context: &Context) -> Option<String> {
        let mut built = String::new();
        for part in self.program.parts(self.record[1]) {
            let (field, default) = match part {
                Part::Literal(text) => {
                    built.push_str(text);
                    continue;
                }
                Part::Field { field, default, .. } => (field, default),
            };
            match context.get(field) {
                Some(Value::Double(number)) => {
                    let mut text = String::new();
                    push_fixed(&mut text, *number, self.record[6]).then(|| url::encode(&text, &mut built))?;
                }
                Some(known) => url::encode(&display(known), &mut built),
                None => url::encode(default?, &mut built),
            }
        }
        let before_query = built.split('?').next().unwrap_or_default();
        let climbs = before_query.split('/').any(|step| matches!(step, "." | ".."));
        (!built.is_empty() && built.len() <= LONGEST_URL && !climbs).then_some(built)
    }

    /// What to read of the answer: the field's path, its type, and where in the answer it stands.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Kind, &'a str)> {
        let program = self.program;
        let fields = run(self.record[2], self.record[3]);
        fields.map_while(|index| program.record::<2>(Section::EnrichmentFields, index)).filter_map(|[field, path]| {
            let (name, kind) = (program.field_path(field), program.field_kind(field)?);
            Some((name, kind, program.text(path)))
        })
    }
}

impl Program {
    /// The enrichments, in the manifest's order.
    pub fn enrichments(&self) -> impl Iterator<Item = Enrichment<'_>> {
        (0..self.count(Section::Enrichments) as u32).filter_map(|index| self.enrichment(index))
    }

    fn enrichment(&self, index: u32) -> Option<Enrichment<'_>> {
        Some(Enrichment { program: self, record: self.record(Section::Enrichments, index as usize)? })
    }

    /// The enrichments that some experience reads which passes page and schedule: those that a page has to wait for.
    pub fn enrichments_for(&self, context: &context::Context) -> Vec<Enrichment<'_>> {
        let reads = 0..self.count(Section::EnrichmentReads);
        if reads.is_empty() {
            return Vec::new();
        }
        let page = Page::new(self, context);
        let here = page.experiences(self);
        let read = reads.filter_map(|index| {
            let [experience, enrichment] = self.record(Section::EnrichmentReads, index)?;
            let experience = self.experience(experience).filter(|_| here.has(experience))?;
            experience.may_run(self, context, &page).then_some(enrichment)
        });
        let read: Vec<u32> = read.collect();
        let all = 0..self.count(Section::Enrichments) as u32;
        all.filter(|index| read.contains(index)).filter_map(|index| self.enrichment(index)).collect()
    }

    /// A field of an enrichment by its path: its number, its type, and the only texts it may have (none: any).
    pub(crate) fn enrichment_field(&self, path: &str) -> Option<(u32, Kind, Run)> {
        (0..self.count(Section::EnrichmentFields)).find_map(|index| {
            let [field, _, first, values] = self.record(Section::EnrichmentFields, index)?;
            let kind = self.field_kind(field).filter(|_| self.field_path(field) == path)?;
            Some((field, kind, run(first, values)))
        })
    }

    pub(crate) fn enrichment_values(&self, values: Run) -> impl Iterator<Item = &str> {
        self.column(Section::EnrichmentValues, values).map(|value| self.text(value))
    }
}
