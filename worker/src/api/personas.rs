//! `GET /_idoine/personas`: the manifest's saved visitors, for the preview bar.

use crate::answer::Answer;
use idoine::Program;
use std::collections::BTreeMap;

/// By name, what is overridden in a visitor's context: paths and texts.
pub type Personas<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

pub fn get(program: &Program) -> Answer {
    let personas: Personas = program.personas().map(|(name, values)| (name, values.into_iter().collect())).collect();
    Answer::json(&personas)
}
