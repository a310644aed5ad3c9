//! Who belongs to which audience, and why.

use super::clauses::{Clause, Clauses};
use crate::context::Context;
use crate::eval::{Evaluator, Truth};
use crate::program::Program;

/// A named audience, and what it is for somebody.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership<'a> {
    /// The audience's name.
    pub audience: &'a str,
    /// Whether they belong to it; unknown where that is for a request or a page to say, or a value is missing.
    pub clause: Clause,
}

/// Each named audience and why somebody belongs to it or does not, in the order of the manifest.
pub fn memberships<'a>(program: &'a Program, context: &Context) -> Vec<Membership<'a>> {
    let mut clauses = Clauses::new(program, context);
    named(program).map(|(audience, node)| Membership { audience, clause: clauses.of(node) }).collect()
}

/// The same, without a reason.
pub fn audiences<'a>(program: &'a Program, context: &Context) -> Vec<(&'a str, Truth)> {
    let mut evaluator = Evaluator::new(program, context);
    named(program).map(|(audience, node)| (audience, evaluator.truth(node))).collect()
}

fn named(program: &Program) -> impl Iterator<Item = (&str, u32)> {
    let audiences = 0..program.audience_count() as u32;
    audiences.filter_map(|audience| Some((program.audience_name(audience), program.audience_node(audience)?)))
}
