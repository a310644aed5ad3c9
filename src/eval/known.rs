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

#[cfg(test)]
mod tests {
    use crate::compile::{Zones, compile};
    use crate::context::{Context, Value};
    use crate::decide::{Assigner, decide_with};
    use crate::program::Program;

    struct None;

    impl Zones for None {
        fn offset(&self, _: &str, _: i64) -> Option<i32> {
            Option::None
        }
    }

    /// A program with an experience for each audience, all of one slot, and a context with these fields.
    fn site(audiences: &[&str], values: &[(&str, Value)]) -> (Program, Context) {
        let experiences = audiences.iter().enumerate().map(|(number, audience)| {
            serde_json::json!({ "id": format!("e{number}"), "type": "personalization", "audience": audience, "slots": { "s": { "json": 1 } } })
        });
        let site = serde_json::json!({ "site": { "id": "x" }, "slots": { "s": { "type": "data" } }, "experiences": experiences.collect::<Vec<_>>() });
        let program = compile(&site.to_string(), &None).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let values = values.iter().map(|(path, value)| (program.field(path).unwrap().0, value.clone())).collect();
        let context = Context::of_values(&program, values);
        (program, context)
    }

    /// How many shared nodes are evaluated in a decision.
    fn evaluated(audiences: &[&str], values: &[(&str, Value)]) -> usize {
        let (program, context) = site(audiences, values);
        let mut assigner = Assigner::new(&program, &context);
        decide_with(&mut assigner, &mut ());
        assigner.evaluator.known.settled.len()
    }

    #[test]
    fn what_is_shared_is_evaluated_once_for_a_page() {
        let audiences = [
            "geo.city.startsWith('P') && geo.country == 'DE'",
            "geo.city.startsWith('P') && geo.country == 'IT'",
            "!geo.city.startsWith('P')",
            "geo.country == 'IT' || geo.country == 'DE'",
        ];
        let text = |text: &str| Value::String(text.to_owned());
        // The beginning of the city, and the two countries.
        assert_eq!(evaluated(&audiences, &[("geo.city", text("Paris")), ("geo.country", text("FR"))]), 3);
        // What has no value is known to have none.
        assert_eq!(evaluated(&audiences, &[]), 3);
    }

    #[test]
    fn nobody_is_asked_whose_slot_is_taken() {
        let asked = |first: &str| evaluated(&[first, "geo.city.startsWith('P')", "geo.city.startsWith('P') && geo.is_eu"], &[]);
        assert_eq!(asked("true"), 0);
        assert_eq!(asked("false"), 1);
    }
}
