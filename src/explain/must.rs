//! What a clause asks of what it reads, for it to be true or false: in words.

use super::clauses::{Reading, readings};
use super::tree;
use crate::context::Context;
use crate::eval::{Arena, value};
use crate::program::Program;
use crate::program::layout::Op;

/// The most values that are named.
pub(super) const MAX_VALUES: usize = 20;

/// How what is read would have to stand to the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// One of them.
    Is,
    /// None of them.
    IsNot,
    /// Less, or earlier.
    Below,
    /// As much, or less.
    AtMost,
    /// More, or later.
    Above,
    /// As much, or more.
    AtLeast,
    /// A list that has it, or a text that has it inside.
    Contains,
    /// A list or text that has it not.
    ContainsNot,
    /// A text that starts so.
    StartsWith,
    /// One that does not.
    StartsNotWith,
    /// A text that ends so.
    EndsWith,
    /// One that does not.
    EndsNotWith,
    /// A text that the pattern matches.
    Matches,
    /// One that it does not.
    MatchesNot,
    /// An address in the range.
    Within,
    /// One outside it.
    NotWithin,
    /// Any value at all.
    Known,
    /// None.
    Absent,
}

impl Relation {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Relation::Is => "is",
            Relation::IsNot => "is_not",
            Relation::Below => "below",
            Relation::AtMost => "at_most",
            Relation::Above => "above",
            Relation::AtLeast => "at_least",
            Relation::Contains => "contains",
            Relation::ContainsNot => "contains_not",
            Relation::StartsWith => "starts_with",
            Relation::StartsNotWith => "starts_not_with",
            Relation::EndsWith => "ends_with",
            Relation::EndsNotWith => "ends_not_with",
            Relation::Matches => "matches",
            Relation::MatchesNot => "matches_not",
            Relation::Within => "within",
            Relation::NotWithin => "not_within",
            Relation::Known => "known",
            Relation::Absent => "absent",
        }
    }

    /// What stands between "it would have to" and the values.
    pub(super) fn words(self) -> &'static str {
        match self {
            Relation::Is => "be",
            Relation::IsNot => "be anything but",
            Relation::Below => "be below",
            Relation::AtMost => "be at most",
            Relation::Above => "be above",
            Relation::AtLeast => "be at least",
            Relation::Contains => "contain",
            Relation::ContainsNot => "be without",
            Relation::StartsWith => "start with",
            Relation::StartsNotWith => "start with anything but",
            Relation::EndsWith => "end with",
            Relation::EndsNotWith => "end with anything but",
            Relation::Matches => "match",
            Relation::MatchesNot => "match anything but",
            Relation::Within => "be in",
            Relation::NotWithin => "be outside",
            Relation::Known => "be known",
            Relation::Absent => "be absent",
        }
    }

    fn opposite(self) -> Relation {
        match self {
            Relation::Is => Relation::IsNot,
            Relation::IsNot => Relation::Is,
            Relation::Below => Relation::AtLeast,
            Relation::AtMost => Relation::Above,
            Relation::Above => Relation::AtMost,
            Relation::AtLeast => Relation::Below,
            Relation::Contains => Relation::ContainsNot,
            Relation::ContainsNot => Relation::Contains,
            Relation::StartsWith => Relation::StartsNotWith,
            Relation::StartsNotWith => Relation::StartsWith,
            Relation::EndsWith => Relation::EndsNotWith,
            Relation::EndsNotWith => Relation::EndsWith,
            Relation::Matches => Relation::MatchesNot,
            Relation::MatchesNot => Relation::Matches,
            Relation::Within => Relation::NotWithin,
            Relation::NotWithin => Relation::Within,
            Relation::Known => Relation::Absent,
            Relation::Absent => Relation::Known,
        }
    }
}

/// What a clause asks of what it reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Must {
    /// What is compared, as an expression: a field's path, or what is made of it.
    pub subject: String,
    /// What that is for this visitor; `None` where it is not known.
    pub is: Option<String>,
    /// How it would have to stand to the values.
    pub relation: Relation,
    /// The values, as expressions.
    pub values: Vec<String>,
    /// The field that the subject is, or is made of alone; of a map with the key.
    pub(super) target: Option<Target>,
    /// Nodes of the values.
    pub(super) nodes: Vec<u32>,
}

impl Must {
    /// What the subject would have to do, in words: `be 'FR' or 'BE'`.
    pub(super) fn words(&self) -> String {
        let mut words = self.relation.words().to_owned();
        for (index, value) in self.values.iter().enumerate() {
            let last = index + 1 == self.values.len() && self.nodes.len() <= self.values.len();
            words.push_str(if index == 0 {
                " "
            } else if last {
                " or "
            } else {
                ", "
            });
            words.push_str(value);
        }
        if self.nodes.len() > self.values.len() {
            words.push_str(&format!(" or one of {} more", self.nodes.len() - self.values.len()));
        }
        words
    }
}

/// A field, or a key of a field that is a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) field: u32,
    pub(super) key: Option<String>,
}

/// Reads clauses of one program for one visitor.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) program: &'a Program,
    pub(super) context: &'a Context,
}

impl Asker<'_> {
    /// What a clause asks for, if it is a plain question.
    pub(super) fn must(&self, node: u32, wanted: bool) -> Option<Must> {
        let program = self.program;
        let (op, a, b) = program.node(node)?;
        // One alone: in a forged program it may stand before itself.
        if op == Op::Not && !matches!(program.node(a), Some((Op::Not, ..))) {
            return self.must(a, !wanted);
        }
        let made = |subject: u32, relation: Relation, nodes: Vec<u32>| {
            Some(self.compared(subject, if wanted { relation } else { relation.opposite() }, nodes))
        };
        match op {
            Op::Field => {
                let must = self.compared(node, Relation::Is, Vec::new());
                Some(Must { values: vec![(if wanted { "true" } else { "false" }).to_owned()], ..must })
            }
            Op::Has | Op::HasKey => {
                let reading = readings(program, self.context, node).into_iter().next()?;
                let target = match op {
                    Op::Has => Some(Target { field: a, key: None }),
                    _ => self.field(a).map(|field| Target { field, key: Some(program.text(b).to_owned()) }),
                };
                let relation = if wanted { Relation::Known } else { Relation::Absent };
                let is = reading.value.as_ref().map(tree::value_text);
                Some(Must { subject: reading.path, is, relation, values: Vec::new(), target, nodes: Vec::new() })
            }
            Op::Eq if self.is_fixed(b) => made(a, Relation::Is, vec![b]),
            Op::Eq if self.is_fixed(a) => made(b, Relation::Is, vec![a]),
            Op::Lt if self.is_fixed(b) => made(a, Relation::Below, vec![b]),
            Op::Lt if self.is_fixed(a) => made(b, Relation::Above, vec![a]),
            Op::Le if self.is_fixed(b) => made(a, Relation::AtMost, vec![b]),
            Op::Le if self.is_fixed(a) => made(b, Relation::AtLeast, vec![a]),
            Op::In if self.is_fixed(b) => match program.node(b) {
                Some((Op::List | Op::Constants, start, len)) => made(a, Relation::Is, program.list_items(start, len).collect()),
                _ => None,
            },
            Op::In if self.is_fixed(a) => made(b, Relation::Contains, vec![a]),
            Op::StartsWith if self.is_fixed(b) => made(a, Relation::StartsWith, vec![b]),
            Op::EndsWith if self.is_fixed(b) => made(a, Relation::EndsWith, vec![b]),
            Op::Contains if self.is_fixed(b) => made(a, Relation::Contains, vec![b]),
            Op::Glob if self.is_fixed(b) => made(a, Relation::Matches, vec![b]),
            Op::ContainsIp if self.is_fixed(a) => made(b, Relation::Within, vec![a]),
            _ => None,
        }
    }

    fn compared(&self, subject: u32, relation: Relation, nodes: Vec<u32>) -> Must {
        let arena = Arena::default();
        Must {
            subject: tree::text(self.program, subject),
            is: tree::operand_text(value(self.program, self.context, subject, &arena)),
            relation,
            values: nodes.iter().take(MAX_VALUES).map(|node| tree::text(self.program, *node)).collect(),
            target: self.target(subject),
            nodes,
        }
    }

    /// Whether a part of an expression is the same for every visitor.
    fn is_fixed(&self, node: u32) -> bool {
        readings(self.program, self.context, node).is_empty()
    }

    fn field(&self, node: u32) -> Option<u32> {
        match self.program.node(node)? {
            (Op::Field, field, _) => Some(field),
            _ => None,
        }
    }

    /// The field that a subject is, or is made of by one conversion.
    fn target(&self, node: u32) -> Option<Target> {
        match self.program.node(node)? {
            (Op::LowerAscii | Op::UpperAscii | Op::Trim, a, _) => self.plain_target(a),
            (op, a, _) if op.is_conversion() => self.plain_target(a),
            _ => self.plain_target(node),
        }
    }

    fn plain_target(&self, node: u32) -> Option<Target> {
        let (op, a, b) = self.program.node(node)?;
        match (op, self.program.node(b)) {
            (Op::Field, _) => Some(Target { field: a, key: None }),
            (Op::Index, Some((Op::String, key, _))) => {
                Some(Target { field: self.field(a)?, key: Some(self.program.text(key).to_owned()) })
            }
            _ => None,
        }
    }
}

/// What a field is, or why it has no value.
pub(crate) fn reading_text(reading: &Reading) -> String {
    match (&reading.value, reading.needs) {
        (Some(value), _) => format!("{} is {}", reading.path, tree::value_text(value)),
        (None, Some(purpose)) => format!("{} needs consent for {}", reading.path, purpose.name()),
        (None, None) => format!("{} is not known", reading.path),
    }
}
