//! Which fields an audience reads: those whose values say why an experience won or lost.

use crate::program::Program;
use crate::program::layout::{NONE, Op};
use std::collections::BTreeSet;

/// The fields that an experience's audience reads, by itself and by the audiences that it names.
pub(super) fn audience_fields(program: &Program, experience: u32) -> BTreeSet<u32> {
    let mut fields = BTreeSet::new();
    let mut waiting: Vec<u32> = program.experience(experience).and_then(|experience| experience.audience).into_iter().collect();
    // A node may be an operand of several, and in a forged program of itself.
    let mut seen: BTreeSet<u32> = waiting.iter().copied().collect();
    while let Some(node) = waiting.pop() {
        let Some((op, a, b)) = program.node(node) else { continue };
        let items = |first, count| program.list_items(first, count).collect::<Vec<_>>();
        let operands = match op {
            Op::Bool | Op::Int | Op::Uint | Op::Double | Op::String | Op::Timestamp | Op::Duration | Op::Variable => Vec::new(),
            Op::Field | Op::Has => {
                fields.insert(a);
                Vec::new()
            }
            Op::HasKey => vec![a],
            Op::Audience => program.audience_node(a).into_iter().collect(),
            Op::List | Op::Constants | Op::SplitLimit | Op::Distance => items(a, b),
            Op::Map => items(a, b.saturating_mul(2)),
            Op::Conditional | Op::All | Op::Exists | Op::ExistsOne | Op::Filter | Op::MapItems => {
                let mut operands = items(b, 2);
                operands.push(a);
                operands
            }
            _ => vec![a, b],
        };
        waiting.extend(operands.into_iter().filter(|node| *node != NONE && seen.insert(*node)));
    }
    fields
}
