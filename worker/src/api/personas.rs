//! `GET /_idoine/personas`: the manifest's saved visitors, for the preview bar.

use super::{no_program, not_found};
use crate::answer::Answer;
use crate::visit::Visit;
use idoine::Program;
use std::collections::BTreeMap;

pub fn get(visit: &Visit, program: Option<&Program>) -> Answer {
    if !visit.is_preview() {
        return not_found();
    }
    let Some(program) = program else { return no_program() };
    let personas: BTreeMap<_, BTreeMap<_, _>> =
        program.personas().map(|(name, values)| (name, values.into_iter().collect())).collect();
    Answer::json(&personas)
}
