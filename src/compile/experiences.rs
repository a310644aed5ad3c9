//! Experiences: their order, and what each of them says.

use super::content::ContentFields;
use super::reads::Reads;
use super::variants::Variants;
use super::{Compiler, MOST_EXPERIENCES, Outline, lookup, share};
use crate::bucket::MILLION;
use crate::consent::Purpose;
use crate::manifest::{Experience, ExperienceKind, Ramp, RampKind, Status, Traffic};
use crate::program::layout::{NONE, Section};
use crate::program::{LINEAR, NO_GLOBAL_CAP, STICKY, WINNER};
use crate::sorted::sorted;
use std::collections::HashMap;

impl<'m> Compiler<'m, '_, '_> {
    pub(super) fn experiences(&mut self) {
        let manifest = self.manifest;
        let count = manifest.experiences.0.len();
        if let Some(first) = manifest.experiences.0.get(MOST_EXPERIENCES) {
            self.error(&first.id, format!("a site has at most {MOST_EXPERIENCES} experiences, found {count}"));
            return;
        }
        let mut seen: HashMap<&str, ()> = HashMap::new();
        for experience in &manifest.experiences.0 {
            self.check_id(&experience.id);
            if seen.insert(&experience.id.value, ()).is_some() {
                self.error(&experience.id, format!("another experience has the id `{}`", experience.id.value));
            }
        }
        // The order of arbitration.
        let priority = |experience: &Experience| experience.priority.unwrap_or(0);
        let ordered = sorted(manifest.experiences.0.iter().collect(), &|a: &&'m Experience, b: &&'m Experience| {
            priority(b).cmp(&priority(a)).then_with(|| a.id.value.cmp(&b.id.value))
        });
        self.check_arbitration(&ordered);
        let requires = ordered.iter().flat_map(|experience| &experience.requires.0);
        self.required = requires.map(|required| required.experience.value.as_str()).collect();
        let reads: Vec<Reads> = ordered.iter().map(|experience| self.experience(experience, &ordered)).collect();
        self.all_reads(&ordered, &reads);
        self.post();
    }

    /// Writes an experience and returns what it reads.
    fn experience(&mut self, experience: &'m Experience, ordered: &[&Experience]) -> Reads {
        let checked = experience.audience.as_ref().and_then(|text| self.experience_audience(text));
        let mut reads = checked.as_ref().map_or_else(Reads::default, Reads::of);
        let audience = checked.as_ref().map_or(NONE, |checked| self.builder.expression(checked));
        let (from, until) = self.schedule(experience.schedule.as_ref());
        if let Some(goal) = &experience.goal
            && let Err(help) = lookup(&self.manifest.goals, &goal.value)
        {
            self.unknown(goal, "goal", help, "{ \"event\": ... }");
        }
        let pages = self.page_rules(&experience.pages.0);
        let mut fields = ContentFields::default();
        let variants = self.variants(experience, &mut fields);
        let needs = self.builder.run(Section::Needs, &fields.needed);
        let details = self.details(experience, &variants, ordered);
        let experiment = u32::from(experience.kind == ExperienceKind::Experiment);
        let purpose = experience.purpose.unwrap_or(Purpose::Personalization);
        let status = match experience.status {
            None | Some(Status::Running) => 0,
            Some(Status::Draft) => 1,
            Some(Status::Paused) => 2,
        };
        let traffic = match &experience.traffic {
            Some(Traffic::Share(traffic)) => traffic.0,
            _ => MILLION,
        };
        reads.add_fields(&fields.read);
        let clock = self.clock(&reads);
        let required = u32::from(self.required.contains(experience.id.value.as_str()));
        let ([from_low, from_high], [until_low, until_high]) = (halves(from), halves(until));
        let terms = [
            experiment | purpose.code() << 8 | status << 16 | clock << 24 | required << 26,
            from_low,
            from_high,
            until_low,
            until_high,
            traffic,
            share(experience.holdout, 0),
            variants.weights[0],
            variants.weights[1],
            variants.slots[0],
            variants.slots[1],
            needs,
            fields.needed.len() as u32,
            details,
        ];
        let terms = self.builder.run(Section::Terms, &terms);
        let record = [self.builder.text(&experience.id.value), audience, terms, variants.contents];
        self.builder.push(Section::Experiences, &record);
        self.sets.push(pages);
        let unit = experience.unit.as_ref().and_then(|unit| self.names.fields.get(&unit.value));
        reads.add_fields(&unit.map(|(field, _)| *field).into_iter().collect::<Vec<_>>());
        if experience.unit.as_ref().is_some_and(|unit| unit.value == "user") {
            reads.add_user();
        }
        self.check_experiment_reads(experience, &reads);
        let ContentFields { needed: needs, read } = fields;
        let slots = self.builder.slots(variants.slots);
        self.outlines.push(Outline { experience, audience: checked, needs, read, from, until, slots });
        reads
    }

    /// Writes what only some experiences say; `NONE` for one that says nothing of it.
    fn details(&mut self, experience: &Experience, variants: &Variants, ordered: &[&Experience]) -> u32 {
        let (linear, ramp) = match &experience.traffic {
            Some(Traffic::Ramp(ramp)) => (ramp.kind == RampKind::Linear, self.ramp(ramp)),
            _ => (false, [0, 0]),
        };
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = flag(experience.sticky.as_ref().is_some_and(|sticky| sticky.value), STICKY)
            | flag(!experience.has_global_cap(), NO_GLOBAL_CAP)
            | flag(linear, LINEAR)
            | flag(variants.winner.is_some(), WINNER);
        let layer = experience
            .layer
            .as_ref()
            .map_or([NONE, 0, 0], |layer| [self.builder.text(&layer.name.value), layer.from.value.0, layer.to.value.0]);
        let winner = variants.winner.unwrap_or(0);
        let record = [flags, self.unit(experience.unit.as_ref()), layer[0], layer[1], layer[2], ramp[0], ramp[1]];
        let requires = self.requirements(experience, ordered);
        let groups = self.group_list(&experience.groups.0);
        let suppresses = self.group_list(&experience.suppresses.0);
        let tail = [
            self.cap(experience.cap.as_ref()),
            winner as u32,
            (winner >> 32) as u32,
            variants.factors[0],
            variants.factors[1],
            variants.runs.unwrap_or(0),
            if variants.runs.is_some() { variants.weights[1] } else { 0 },
        ];
        let record: Vec<u32> = [record.as_slice(), &requires, &groups, &suppresses, &tail].concat();
        let plain = flags == 0
            && [record.get(1), record.get(2), record.get(13)].iter().all(|word| *word == Some(&NONE))
            && [ramp[1], requires[1], groups[1], suppresses[1], variants.factors[1]].iter().all(|count| *count == 0);
        if plain { NONE } else { self.builder.run(Section::Details, &record) }
    }

    /// Writes the points of a ramp.
    fn ramp(&mut self, ramp: &Ramp) -> [u32; 2] {
        let points = &ramp.points;
        if points.value.0.is_empty() {
            self.error_of_whole(points, "expected at least one point, such as { \"at\": \"2026-11-20\", \"share\": 0.1 }");
        }
        let mut records = Vec::new();
        let mut last = None;
        for point in &points.value.0 {
            let Some(at) = self.instant(&point.value.at) else { continue };
            if let Some((before, text)) = last
                && at <= before
            {
                let help = self.skipped(text, before);
                let message = "the points of a ramp are in the order of time: this one is not after the one before";
                self.error_with_help(&point.value.at, message, help);
            }
            last = Some((at, &point.value.at));
            let [low, high] = halves(at.div_euclid(1000));
            records.push([low, high, point.value.share.0]);
        }
        let start = self.builder.next(Section::RampPoints);
        for record in &records {
            self.builder.push(Section::RampPoints, record);
        }
        [start, records.len() as u32]
    }
}

/// The low and the high half of a number of 64 bits.
fn halves(number: i64) -> [u32; 2] {
    [number as u32, (number as u64 >> 32) as u32]
}
