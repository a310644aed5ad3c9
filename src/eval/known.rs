//! What is known already of the nodes that several others share: each is evaluated at most once for a context.

use super::{Absent, Error, Operand, Why};
use crate::program::Program;

/// What a shared node came to: all of them are true or false, or have no value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Settled {
    Bool(bool),
    Absent(Absent),
}

impl Settled {
    pub(super) fn of(value: Operand<'_>, node: u32) -> Settled {
        match value {
            Operand::Bool(value) => Settled::Bool(value),
            Operand::Absent(absent) => Settled::Absent(absent),
            // Only of a forged program.
            _ => Settled::Absent(Absent { why: Why::Error(Error::WrongType), node }),
        }
    }
}

impl<'a> From<Settled> for Operand<'a> {
    fn from(settled: Settled) -> Operand<'a> {
        match settled {
            Settled::Bool(value) => Operand::Bool(value),
            Settled::Absent(absent) => Operand::Absent(absent),
        }
    }
}

/// The shared nodes that were evaluated. To begin costs no more than clearing four bytes for each that there is.
pub(crate) struct Known {
    /// For each shared node its place among the settled, from 1; else 0.
    places: Vec<u32>,
    settled: Vec<Settled>,
}

impl Known {
    pub(super) fn new(program: &Program) -> Known {
        Known { places: vec![0; program.shared_count()], settled: Vec::new() }
    }

    /// What is known of a shared node. They count from 1.
    pub(super) fn get(&self, shared: u32) -> Option<Settled> {
        let place = *self.places.get((shared as usize).wrapping_sub(1))?;
        self.settled.get((place as usize).checked_sub(1)?).copied()
    }

    pub(super) fn put(&mut self, shared: u32, settled: Settled) {
        if let Some(place) = self.places.get_mut((shared as usize).wrapping_sub(1)) {
            self.settled.push(settled);
            *place = self.settled.len() as u32;
        }
    }
}
