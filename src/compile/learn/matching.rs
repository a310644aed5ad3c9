//! Which events are meant, and numbers within their limits.

use super::super::Compiler;
use super::super::plan::{self, Wrong};
use super::super::readings::MOST_PROPERTIES;
use super::limits::{SIGNALS, WEIGHTS};
use crate::learn::event::ONE;
use crate::learn::rules::{Expected, Matching};
use crate::manifest::{Decimal, Duration, Named, OneOrMore, Scalar, Signal, Spanned};
use std::ops::RangeInclusive;

impl Compiler<'_, '_, '_> {
    fn wrong<T>(&mut self, at: &Spanned<T>, result: Result<(), Wrong>) {
        if let Err((message, help)) = result {
            self.error_with_help(at, message, help);
        }
    }

    /// Refuses what is more than there may be.
    pub(super) fn at_most<T>(&mut self, named: &Named<T>, most: usize, what: &str) {
        if let Some((name, _)) = named.get(most) {
            self.error(name, format!("at most {most} {what} are kept, found {}", named.len()));
        }
    }

    pub(in crate::compile) fn check_event(&mut self, event: &Spanned<String>) {
        let known = plan::event(self.manifest, &event.value).map(|_| ());
        self.wrong(event, known);
    }

    pub(super) fn check_path(&mut self, path: &Spanned<String>) {
        self.wrong(path, plan::path(&path.value));
    }

    /// Whether an event of the plan has a property; what is wrong with either alone is said elsewhere.
    pub(super) fn check_property(&mut self, event: &Spanned<String>, path: &Spanned<String>) {
        if let Ok(found) = plan::event(self.manifest, &event.value)
            && plan::path(&path.value).is_ok()
        {
            self.wrong(event, plan::property(found, &event.value, &path.value).map(|_| ()));
        }
    }

    /// As [`Compiler::check_property`], for a number.
    pub(super) fn check_sum(&mut self, event: &str, path: &Spanned<String>) {
        if let Ok(found) = plan::event(self.manifest, event)
            && plan::path(&path.value).is_ok()
        {
            self.wrong(path, plan::number(found, event, &path.value));
        }
    }

    /// An event's name, or the one that goes without saying.
    pub(super) fn event_name(&mut self, written: Option<&Spanned<String>>, usual: &str) -> String {
        let Some(event) = written else { return usual.to_owned() };
        self.check_event(event);
        event.value.clone()
    }

    /// Which events are meant.
    pub(super) fn matching(&mut self, event: &Spanned<String>, properties: &Named<Spanned<Scalar>>) -> Matching {
        self.check_event(event);
        if let Some((path, _)) = properties.get(MOST_PROPERTIES) {
            self.error(path, format!("at most {MOST_PROPERTIES} properties are compared, found {}", properties.len()));
        }
        let found = plan::event(self.manifest, &event.value).ok().flatten();
        let mut expected: Vec<(String, Expected)> = Vec::with_capacity(properties.len());
        for (path, scalar) in properties {
            let value = match &scalar.value {
                Scalar::Bool(value) => Expected::Bool(*value),
                Scalar::Number(Decimal(number)) => Expected::Number(*number),
                Scalar::Text(text) => Expected::Text(text.clone()),
            };
            self.wrong(path, plan::value(found, &event.value, &path.value, &value));
            expected.push((path.value.clone(), value));
        }
        expected.sort_by(|(one, _), (other, _)| one.cmp(other));
        Matching { event: event.value.clone(), properties: expected }
    }

    /// What events add.
    pub(super) fn signals(&mut self, weights: &Named<OneOrMore<Signal>>) -> Vec<(Matching, i64)> {
        let mut found = Vec::new();
        for (event, OneOrMore(signals)) in weights {
            for signal in signals {
                let weight = self.decimal(Some(&signal.weight), WEIGHTS, ONE);
                found.push((self.matching(event, &signal.properties), weight));
            }
            if found.len() > SIGNALS {
                self.error(event, format!("at most {SIGNALS} weights are looked at"));
                break;
            }
        }
        found
    }

    /// A number in millionths.
    pub(super) fn decimal(&mut self, written: Option<&Spanned<Decimal>>, range: RangeInclusive<i64>, usual: i64) -> i64 {
        let Some(number) = written else { return usual };
        let Decimal(found) = number.value;
        if !range.contains(&found) {
            let text = |number: i64| number as f64 / ONE as f64;
            let (least, most) = range.into_inner();
            self.error(number, format!("expected {} to {}, found {}", text(least), text(most), text(found)));
        }
        found
    }

    pub(super) fn whole(&mut self, written: Option<&Spanned<i32>>, range: RangeInclusive<i32>, usual: u32) -> u32 {
        let Some(number) = written else { return usual };
        if !range.contains(&number.value) {
            let (least, most) = range.into_inner();
            self.error(number, format!("expected {least} to {most}, found {}", number.value));
        }
        number.value.max(0) as u32
    }

    /// A length of time in milliseconds.
    pub(super) fn length(&mut self, written: Option<&Spanned<Duration>>, range: RangeInclusive<i64>, usual: i64) -> i64 {
        let Some(length) = written else { return usual };
        if !range.contains(&length.value.0) {
            let [least, most] = [*range.start(), *range.end()].map(|limit| Duration(limit).text());
            self.error(length, format!("expected a length of time from {least} to {most}, found {}", length.value.text()));
        }
        length.value.0
    }
}
