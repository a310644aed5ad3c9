//! Values of fields with which an audience is true.

use super::change::{Literal, Seeker, Values, Way, cost};
use super::clauses::readings;
use super::domain::Domain;
use super::must::{Asker, Target};
use crate::context::{Context, Value};
use crate::eval::Truth;
use crate::program::Program;
use std::rc::Rc;

/// The most changes for which values are tried.
const MAX_TRIED: usize = 64;

impl Seeker<'_> {
    /// Whether a clause that asks one field alone holds with none of its values, of which all are known.
    pub(super) fn never(&mut self, literal: &Literal, target: &Target) -> bool {
        let domain = self.domain(target.field);
        let path = self.program.field_path(target.field);
        let alone = readings(self.program, self.context, literal.node).iter().all(|reading| reading.path == path);
        let mut values = domain.known.iter().cloned().map(Some).chain([None]);
        domain.all
            && alone
            && !values.any(|value| self.holds(&self.context.supposing(self.program, &[(target.field, value)]), literal))
    }

    fn domain(&mut self, field: u32) -> Rc<Domain> {
        let program = self.program;
        self.domains.entry(field).or_insert_with(|| Rc::new(Domain::of(program, field))).clone()
    }

    /// Values with which the audience is true, found by making the clauses of a way hold.
    pub(super) fn values(&mut self, way: &Way, root: u32) -> Option<Values> {
        if cost(way).0 > MAX_TRIED {
            return None;
        }
        let program = self.program;
        let mut values = Values::new();
        // What can't be seen without consent must be seen first.
        for reading in way.iter().filter(|literal| !literal.holds).flat_map(|one| readings(program, self.context, one.node)) {
            let path = reading.needs.map(|purpose| format!("consent.{}", purpose.name()));
            if let Some((consent, _)) = path.and_then(|path| program.field(&path)) {
                put(&mut values, consent, Some(Value::Bool(true)));
            }
        }
        // More often than there are changes, as one may undo another.
        for _ in 0..=MAX_TRIED {
            let context = self.context.supposing(program, &values);
            // The audience may be true before all of the way holds: by another way, which is not the one that is told.
            let Some(open) = way.iter().find(|literal| !self.holds(&context, literal)) else {
                let values = self.with_followers(way, &context, values)?;
                return (self.truth(&context, root) == Truth::True).then_some(values);
            };
            let (field, value) = self.best(way, open, &values)?;
            put(&mut values, field, value);
        }
        None
    }

    /// With the values of what follows from those that change, as it is made anew from them: what consent uncovers was never
    /// seen here, and another zone's hour is not known. `None` where no text keeps one.
    fn with_followers(&self, way: &Way, context: &Context, mut values: Values) -> Option<Values> {
        let program = self.program;
        let changed: Vec<u32> = values
            .iter()
            .filter(|(field, value)| self.context.get(*field) != value.as_ref())
            .map(|(field, _)| *field)
            .collect();
        for reading in way.iter().flat_map(|literal| readings(program, context, literal.node)) {
            let field = program.field(&reading.path).map(|(field, _)| field);
            if let Some(field) = field.filter(|field| changed.iter().any(|from| program.follows(*field, *from))) {
                override_of(program, field, reading.value.as_ref())?;
                put(&mut values, field, reading.value);
            }
        }
        Some(values)
    }

    fn holds(&mut self, context: &Context, literal: &Literal) -> bool {
        self.truth(context, literal.node) == if literal.wanted { Truth::True } else { Truth::False }
    }

    /// The value of the clause's field with which it holds, and with it most of the others.
    fn best(&mut self, way: &Way, open: &Literal, values: &[(u32, Option<Value>)]) -> Option<(u32, Option<Value>)> {
        let program = self.program;
        let context = self.context.supposing(program, values);
        let asker = Asker { program, context: &context };
        let target = asker.must(open.node, open.wanted)?.target?;
        // What other clauses ask of the same field may be what this one asks for, too.
        let domain = self.domain(target.field);
        let mut tried: Vec<Option<Value>> = Vec::new();
        let asked = [open].into_iter().chain(way.iter().filter(|literal| *literal != open));
        let musts = asked.filter_map(|literal| asker.must(literal.node, literal.wanted));
        for must in musts.filter(|must| must.target.as_ref() == Some(&target)) {
            for candidate in asker.candidates(&must, &domain) {
                if !tried.contains(&candidate) {
                    tried.push(candidate);
                }
            }
        }
        let mut best: Option<(usize, Option<Value>)> = None;
        for candidate in tried {
            let mut supposed = values.to_vec();
            put(&mut supposed, target.field, candidate.clone());
            let context = self.context.supposing(program, &supposed);
            if !self.holds(&context, open) || override_of(program, target.field, candidate.as_ref()).is_none() {
                continue;
            }
            let holding = way.iter().filter(|literal| self.holds(&context, literal)).count();
            if best.as_ref().is_none_or(|(most, _)| holding > *most) {
                best = Some((holding, candidate));
            }
        }
        best.map(|(_, value)| (target.field, value))
    }
}

fn put(values: &mut Values, field: u32, value: Option<Value>) {
    values.retain(|(known, _)| *known != field);
    values.push((field, value));
}

/// The path of a field and the text that overrides its value; `None` where no text does.
pub(super) fn override_of(program: &Program, field: u32, value: Option<&Value>) -> Option<(String, String)> {
    let text = match value {
        Some(value) => value.override_text()?,
        None if program.is_always_known(field) => return None,
        None => String::new(),
    };
    Some((program.field_path(field).to_owned(), text))
}
