//! What an experience reads: a page waits for those enrichments alone, and browsers are asked for those client hints alone.

use super::Compiler;
use crate::context::{FIELDS, Field};
use crate::expr::{Checked, CheckedKind};
use crate::manifest::{Experience, Status};
use crate::program::layout::Section;
use crate::sorted::Numbers;
use std::collections::HashMap;

/// The client hints that browsers send only to those who ask (WICG UA-CH, Responsive Image Client Hints, User Preference Media
/// Features Client Hints), and the fields that they tell.
const HINTS: &[(&str, &[Field])] = &[
    ("Sec-CH-UA-Full-Version-List", &[Field::DeviceBrowserVersion]),
    ("Sec-CH-UA-Platform-Version", &[Field::DeviceOsVersion]),
    ("Sec-CH-UA-Model", &[Field::DeviceType]),
    ("Sec-CH-UA-Form-Factors", &[Field::DeviceType]),
    ("Sec-CH-Viewport-Width", &[Field::DeviceViewportWidth]),
    ("Sec-CH-Viewport-Height", &[Field::DeviceViewportHeight]),
    ("Sec-CH-Prefers-Color-Scheme", &[Field::DeviceColorScheme]),
];

/// How often a field may be another: `Experience::clock`.
const DAY: u32 = 1;
const HOUR: u32 = 2;
const MINUTE: u32 = 3;

/// The fields that time alone changes, and how often one may be another. What is stored of a visitor stays as it is within a request.
const CLOCKS: &[(Field, u32)] = &[
    (Field::TimeNow, MINUTE),
    (Field::TimeHour, HOUR),
    (Field::TimeMinute, MINUTE),
    (Field::TimeClock, MINUTE),
    (Field::TimeWeekday, DAY),
    (Field::TimeDay, DAY),
    (Field::TimeDayOfYear, DAY),
    (Field::TimeWeek, DAY),
    (Field::TimeMonth, DAY),
    (Field::TimeYear, DAY),
    (Field::TimeDate, DAY),
];

/// What an expression names by itself: fields, and audiences whose expressions are not looked into.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    fields: Numbers,
    audiences: Numbers,
    /// Whether it is drawn by user.
    by_user: bool,
}

impl Reads {
    pub(super) fn of(expression: &Checked) -> Reads {
        let mut reads = Reads::default();
        expression.walk(&mut |part| match &part.kind {
            CheckedKind::Field(field, _) | CheckedKind::Has(field) => {
                reads.fields.insert(*field);
            }
            CheckedKind::Audience(audience) => {
                reads.audiences.insert(*audience);
            }
            _ => {}
        });
        reads
    }

    /// The fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = u32> {
        self.fields.all().iter().copied()
    }

    /// The audiences.
    pub(super) fn audiences(&self) -> impl Iterator<Item = u32> {
        self.audiences.all().iter().copied()
    }

    /// Adds what is read by another one.
    pub(super) fn add(&mut self, other: &Reads) {
        self.fields.extend(other.fields.all());
        self.audiences.extend(other.audiences.all());
        self.by_user |= other.by_user;
    }

    /// Adds fields that are read otherwise, by contents.
    pub(super) fn add_fields(&mut self, fields: &[u32]) {
        self.fields.extend(fields);
    }

    /// Adds who the user is.
    pub(super) fn add_user(&mut self) {
        self.by_user = true;
    }
}

impl Compiler<'_, '_, '_> {
    /// As [`Compiler::experience_reads`] for all experiences. Who requires another reads what that one reads.
    pub(super) fn all_reads(&mut self, ordered: &[&Experience], reads: &[Reads]) {
        let positions: HashMap<&str, usize> =
            ordered.iter().enumerate().map(|(index, experience)| (experience.id.value.as_str(), index)).collect();
        for index in 0..ordered.len() {
            let mut all = Reads::default();
            let (mut seen, mut waiting) = (Numbers::default(), vec![index]);
            while let Some((experience, own)) = waiting.pop().and_then(|at| Some((ordered.get(at)?, reads.get(at)?))) {
                all.add(own);
                let required =
                    experience.requires.0.iter().filter_map(|required| positions.get(required.experience.value.as_str()));
                waiting.extend(required.filter(|required| seen.insert(**required as u32)));
            }
            self.experience_reads(index as u32, all);
        }
    }

    /// What is named, and what the audiences among it name.
    pub(super) fn with_audiences(&self, reads: Reads) -> Reads {
        let mut all = reads;
        let mut waiting: Vec<u32> = all.audiences.all().to_vec();
        while let Some(audience) = waiting.pop() {
            let Some(named) = self.audience_reads.get(audience as usize) else { continue };
            all.fields.extend(named.fields.all());
            waiting.extend(named.audiences.all().iter().filter(|audience| all.audiences.insert(**audience)));
        }
        all
    }

    /// Writes which enrichments an experience reads, by itself and by the audiences that it names, and keeps all that it reads.
    fn experience_reads(&mut self, experience: u32, reads: Reads) {
        let all = self.with_audiences(reads);
        // Their fields are the last of those that the manifest declares, one enrichment after another.
        let fields = |enrichment: &crate::manifest::Enrichment| enrichment.fields.len() as u32;
        let enrichments = &self.manifest.enrichments;
        let count: u32 = enrichments.iter().map(|(_, enrichment)| fields(enrichment)).sum();
        let mut first = (FIELDS.len() + self.names.declared.len()) as u32 - count;
        for (index, (_, enrichment)) in enrichments.iter().enumerate() {
            let own = first..first + fields(enrichment);
            first = own.end;
            if all.fields.all().iter().any(|field| own.contains(field)) {
                self.builder.push(Section::EnrichmentReads, &[experience, index as u32]);
            }
        }
        self.read_fields.extend(all.fields.all());
        if all.by_user {
            self.by_user.push(experience);
        }
        for field in all.fields.all() {
            if let Some(readers) =
                (*field as usize).checked_sub(FIELDS.len()).and_then(|declared| self.readers.get_mut(declared))
            {
                readers.push(experience);
            }
        }
    }

    /// The finest part of a clock or calendar that is read, by itself and by the audiences that are named.
    pub(super) fn clock(&self, reads: &Reads) -> u32 {
        let all = self.with_audiences(reads.clone());
        let of_field = |field: &u32| {
            if self.names.declared(*field).is_some_and(|declared| declared.path.starts_with("holidays.")) {
                return DAY;
            }
            CLOCKS.iter().find(|(known, _)| *known as u32 == *field).map_or(0, |(_, clock)| *clock)
        };
        all.fields.all().iter().map(of_field).max().unwrap_or(0)
    }

    /// The slots that some of these experiences could win.
    pub(super) fn slots_of(&self, experiences: &[u32]) -> Vec<u32> {
        let outlines = experiences.iter().filter_map(|index| self.outlines.get(*index as usize));
        let running = outlines.filter(|outline| matches!(outline.experience.status, None | Some(Status::Running)));
        let mut slots = Numbers::default();
        running.for_each(|outline| slots.extend(&outline.slots));
        slots.all().to_vec()
    }

    /// Writes the client hints that tell a field which some experience reads.
    pub(super) fn client_hints(&mut self) {
        for (hint, fields) in HINTS {
            if fields.iter().any(|field| self.read_fields.contains(*field as u32)) {
                let hint = self.builder.text(hint);
                self.builder.push(Section::ClientHints, &[hint]);
            }
        }
    }
}
