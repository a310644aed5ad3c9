//! `GET /_idoine/personas`: the manifest's saved visitors, for the preview bar.

use crate::answer::Answer;
use idoine::Program;
use std::collections::BTreeMap;

/// By name, what is overridden in a visitor's context: paths and texts.
pub type Personas<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

pub fn get(program: &Program) -> Answer {
    // Inserted one by one: to make maps of whole lists sorts those, which costs kilobytes of code.
    let mut personas = Personas::new();
    for (name, values) in program.personas() {
        let overrides = personas.entry(name).or_default();
        for (path, text) in values {
            overrides.insert(path, text);
        }
    }
    Answer::json(&personas)
}
