//! An audience taken apart: the value of each part of its expression, down to the fields that it reads.

use super::tree::{self, operands, parts};
use crate::consent::Purpose;
use crate::context::{Context, Value};
use crate::eval::{self, Truth};
use crate::program::Program;
use crate::program::layout::Op;

/// The most clauses of one audience that are told apart.
const MAX_CLAUSES: u32 = 250;
/// The most clauses of all audiences of an explanation.
const MAX_ALL: u32 = 10_000;
/// The deepest that clauses within clauses are told.
const MAX_DEPTH: u32 = 24;
/// The most fields of one clause that are told.
const MAX_FIELDS: usize = 32;
/// The most nodes of a clause that are looked at for fields.
const MAX_LOOKED_AT: u32 = 2_000;
/// The longest text of a clause, in bytes.
const MAX_TEXT: usize = 1_000;
/// Nodes that are visited for one explanation.
const MAX_VISITS: u32 = 1 << 24;

/// How the parts of a clause go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// All of them: `&&`.
    All,
    /// One of them: `||`.
    Any,
    /// Not the one part: `!`.
    Not,
    /// The second where the first is true, else the third: `? :`.
    If,
    /// The one part is what the name of an audience stands for.
    Audience,
}

impl Join {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Join::All => "all",
            Join::Any => "any",
            Join::Not => "not",
            Join::If => "if",
            Join::Audience => "audience",
        }
    }
}

/// A field that a clause reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Its path; of a map's key with that, such as `page.query.color`.
    pub path: String,
    /// Its value, if it has one.
    pub value: Option<Value>,
    /// The purpose for want of whose consent it has none.
    pub needs: Option<Purpose>,
}

impl Reading {
    /// What a field is for this visitor.
    pub(super) fn of(program: &Program, context: &Context, field: u32) -> Reading {
        Reading {
            path: program.field_path(field).to_owned(),
            value: context.get(field).cloned(),
            needs: program.field_purpose(field).filter(|_| context.is_denied(field)),
        }
    }
}

/// A part of an audience, and what it is for this visitor.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The part as an expression.
    pub text: String,
    /// What it is.
    pub value: Truth,
    /// What failed, where that is why it is unknown.
    pub error: Option<&'static str>,
    /// How its parts go together, where it has some.
    pub join: Option<Join>,
    /// What it is made of.
    pub parts: Vec<Clause>,
    /// How many parts are not told, as there are too many.
    pub left_out: usize,
    /// What it reads, where it has no parts.
    pub fields: Vec<Reading>,
}

/// Takes audiences apart, as long as there are not too many clauses in all.
pub(super) struct Clauses<'a> {
    program: &'a Program,
    context: &'a Context,
    /// Clauses that may still be told of this audience.
    left: u32,
    /// Clauses that may still be told of all audiences.
    left_of_all: u32,
    visits: u32,
}

impl<'a> Clauses<'a> {
    pub(super) fn new(program: &'a Program, context: &'a Context) -> Clauses<'a> {
        Clauses { program, context, left: 0, left_of_all: MAX_ALL, visits: MAX_VISITS }
    }

    /// The clauses of an audience.
    pub(super) fn of(&mut self, root: u32) -> Clause {
        self.left = MAX_CLAUSES.min(self.left_of_all);
        self.left_of_all -= self.left;
        let clause = self.clause(root, 0);
        self.left_of_all += self.left;
        clause
    }

    fn clause(&mut self, node: u32, depth: u32) -> Clause {
        self.left = self.left.saturating_sub(1);
        let (value, error) = eval::look(self.program, self.context, node, &mut self.visits);
        let mut clause = Clause {
            text: shortened(tree::text(self.program, node)),
            value,
            error: error.map(|error| error.message()),
            join: None,
            parts: Vec::new(),
            left_out: 0,
            fields: Vec::new(),
        };
        match taken_apart(self.program, node) {
            Some((join, parts)) => {
                clause.join = Some(join);
                for part in parts {
                    if self.left == 0 || depth >= MAX_DEPTH {
                        clause.left_out += 1;
                    } else {
                        clause.parts.push(self.clause(part, depth + 1));
                    }
                }
            }
            None => clause.fields = readings(self.program, self.context, node),
        }
        clause
    }
}

/// What a node that joins others is made of.
pub(super) fn taken_apart(program: &Program, node: u32) -> Option<(Join, Vec<u32>)> {
    let (op, a, b) = program.node(node)?;
    match op {
        Op::And => Some((Join::All, parts(program, op, node))),
        Op::Or => Some((Join::Any, parts(program, op, node))),
        // `!geo.is_eu` and `a != b` are clauses themselves.
        Op::Not => match program.node(a) {
            Some((Op::And | Op::Or | Op::Not | Op::Conditional | Op::Audience, ..)) => Some((Join::Not, vec![a])),
            _ => None,
        },
        Op::Conditional => Some((Join::If, [a].into_iter().chain(program.list_items(b, 2)).collect())),
        Op::Audience => Some((Join::Audience, program.audience_node(a).into_iter().collect())),
        _ => None,
    }
}

/// The fields that a clause reads, in the order in which they stand there.
pub(super) fn readings(program: &Program, context: &Context, node: u32) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    // The next one last.
    let mut open = vec![node];
    let mut left = MAX_LOOKED_AT;
    while let Some(node) = open.pop() {
        let Some((op, a, b)) = program.node(node).filter(|_| left > 0 && readings.len() < MAX_FIELDS) else { continue };
        left -= 1;
        let key = match (op, program.node(a), program.node(b)) {
            (Op::Index, Some((Op::Field, field, _)), Some((Op::String, key, _))) => Some((field, program.text(key))),
            (Op::HasKey, Some((Op::Field, field, _)), _) => Some((field, program.text(b))),
            (Op::In, Some((Op::String, key, _)), Some((Op::Field, field, _))) => Some((field, program.text(key))),
            _ => None,
        };
        let is_map = |field: &u32| matches!(program.field_kind(*field), Some(crate::context::Kind::Map));
        let found = match (op, key.filter(|(field, _)| is_map(field))) {
            (_, Some((field, key))) => {
                let whole = Reading::of(program, context, field);
                let value = match whole.value {
                    Some(Value::Map(pairs)) => {
                        pairs.into_iter().find(|(name, _)| name == key).map(|(_, text)| Value::String(text))
                    }
                    _ => None,
                };
                Reading { path: format!("{}.{key}", whole.path), value, ..whole }
            }
            (Op::Field | Op::Has, None) => Reading::of(program, context, a),
            (_, None) => {
                open.extend(operands(program, node).into_iter().rev());
                continue;
            }
        };
        if !readings.iter().any(|known| known.path == found.path) {
            readings.push(found);
        }
    }
    readings
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text.push_str(tree::CUT);
    }
    text
}
