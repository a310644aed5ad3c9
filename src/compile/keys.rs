//! By which values of fields an experience is found: its audience is true only where a field has one of them.

use super::{Compiler, Outline};
use crate::context::{FIELDS, Kind};
use crate::expr::{Checked, CheckedKind, Constant};
use crate::manifest::Status;
use crate::program::build::Key;
use crate::program::index::hash;
use crate::program::layout::Op;
use std::collections::{HashMap, HashSet};

/// An experience that can have more values than that is not found by them: each is a posting.
const MOST_KEYS: usize = 16;

/// Values of fields of which a context must have one, and how likely it has, as far as can be told.
#[derive(Clone)]
struct Access {
    keys: Vec<Key>,
    likely: f64,
}

impl Compiler<'_, '_, '_> {
    /// Has every experience found by its page rules and by the values that tell most.
    pub(super) fn post(&mut self) {
        let kinds = FIELDS.iter().map(|field| field.kind).chain(self.names.declared.iter().map(|field| field.kind)).collect();
        let mut finder = Finder { kinds, audiences: Vec::new(), seen: HashMap::new() };
        let own = self.outlines.iter().filter_map(|outline| outline.audience.as_ref());
        for expression in self.checked_audiences.iter().flatten().chain(own) {
            finder.count(expression);
        }
        // An audience that is named further down is not followed: what names it is then found by other values, or by none.
        for checked in &self.checked_audiences {
            let access = checked.as_ref().and_then(|checked| finder.access(checked));
            finder.audiences.push(access);
        }
        for (index, (outline, set)) in self.outlines.iter().zip(&self.sets).enumerate() {
            let Outline { experience, audience, .. } = outline;
            // Who keeps a variant is not asked for the audience.
            let access = audience.as_ref().filter(|_| !experience.is_sticky()).and_then(|audience| finder.access(audience));
            let live = matches!(experience.status, None | Some(Status::Running));
            self.builder.post(index as u32, *set, live, access.map_or(Vec::new(), |access| access.keys));
        }
    }
}

struct Finder {
    /// Of each field.
    kinds: Vec<Kind>,
    /// Of the audiences before.
    audiences: Vec<Option<Access>>,
    /// The values that each field is compared with in the manifest: the more, the less likely is each of them.
    seen: HashMap<u32, HashSet<u32>>,
}

impl Finder {
    /// Counts the values that an expression compares fields with.
    fn count(&mut self, expression: &Checked) {
        let mut keys = Vec::new();
        expression.walk(&mut |part| keys.extend(self.equalities(part).unwrap_or_default()));
        for Key { field, hash } in keys {
            self.seen.entry(field).or_default().insert(hash);
        }
    }

    /// The values without one of which an expression is not true; the least likely ones.
    fn access(&self, expression: &Checked) -> Option<Access> {
        match &expression.kind {
            CheckedKind::And(operands) => {
                let mut best: Option<Access> = None;
                for access in operands.iter().filter_map(|operand| self.access(operand)) {
                    if best.as_ref().is_none_or(|best| access.likely < best.likely) {
                        best = Some(access);
                    }
                }
                best
            }
            CheckedKind::Or(operands) => {
                let mut all = Access { keys: Vec::new(), likely: 0.0 };
                for operand in operands {
                    let access = self.access(operand)?;
                    all.likely += access.likely;
                    all.keys.extend(access.keys);
                }
                all.limited()
            }
            CheckedKind::Audience(number) => self.audiences.get(*number as usize).cloned().flatten(),
            _ => {
                let keys = self.equalities(expression)?;
                let likely = |key: &Key| 1.0 / (1 + self.seen.get(&key.field).map_or(0, HashSet::len)) as f64;
                Access { likely: keys.iter().map(likely).sum(), keys }.limited()
            }
        }
    }

    /// The values of a field of which a comparison asks for one.
    fn equalities(&self, expression: &Checked) -> Option<Vec<Key>> {
        match &expression.kind {
            CheckedKind::Field(field, _) if self.is(*field, &[Kind::Bool]) => {
                Some(vec![Key { field: *field, hash: hash(*field, &[1]) }])
            }
            CheckedKind::Apply(Op::Eq, operands) => match operands.as_slice() {
                [Checked { kind: CheckedKind::Field(field, _), .. }, value]
                | [value, Checked { kind: CheckedKind::Field(field, _), .. }]
                    if self.is(*field, SINGLE) =>
                {
                    Some(vec![key(*field, value)?])
                }
                _ => None,
            },
            CheckedKind::Apply(Op::In, operands) => match operands.as_slice() {
                [Checked { kind: CheckedKind::Field(field, _), .. }, list] if self.is(*field, SINGLE) => match &list.kind {
                    CheckedKind::List(items) => items.iter().map(|item| key(*field, item)).collect(),
                    CheckedKind::Constant(Constant::List(items)) => {
                        items.iter().map(|item| constant_key(*field, item)).collect()
                    }
                    _ => None,
                },
                // A list that has the value.
                [value, Checked { kind: CheckedKind::Field(field, _), .. }] if self.is(*field, &[Kind::Strings]) => {
                    Some(vec![key(*field, value)?])
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn is(&self, field: u32, kinds: &[Kind]) -> bool {
        self.kinds.get(field as usize).is_some_and(|kind| kinds.contains(kind))
    }
}

/// What is compared by its bytes. Doubles compare with whole numbers too, and instants with nothing that is written out.
const SINGLE: &[Kind] = &[Kind::Bool, Kind::Int, Kind::String];

impl Access {
    /// Each value once, and not too many of them.
    fn limited(mut self) -> Option<Access> {
        let mut once: Vec<Key> = Vec::new();
        for key in self.keys {
            if !once.contains(&key) {
                once.push(key);
            }
        }
        self.keys = once;
        (self.keys.len() <= MOST_KEYS).then_some(self)
    }
}

fn key(field: u32, value: &Checked) -> Option<Key> {
    match &value.kind {
        CheckedKind::Constant(constant) => constant_key(field, constant),
        _ => None,
    }
}

fn constant_key(field: u32, constant: &Constant) -> Option<Key> {
    let hash = match constant {
        Constant::String(text) => hash(field, text.as_bytes()),
        Constant::Int(number) => hash(field, &number.to_le_bytes()),
        Constant::Bool(value) => hash(field, &[u8::from(*value)]),
        _ => return None,
    };
    Some(Key { field, hash })
}
