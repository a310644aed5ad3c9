//! Evaluation of a program's expressions: three-valued, total, without allocation.
//!
//! A missing field is *unknown*. `&&` and `||` absorb it as CEL's commutative operators absorb errors (CEL specification,
//! "Logical Operators"): `false && unknown` is false, `true || unknown` is true. Every other operator with an unknown
//! operand is unknown.

use crate::context::{Context, Value};
use crate::program::Program;
use crate::program::layout::Op;
use crate::text;
use std::cmp::Ordering;

/// The compiler refuses expressions deeper than this, so only a forged program gets here.
const MAX_DEPTH: u32 = 200;
/// Nodes that one audience may visit. The compiler's limits stay far below.
const MAX_VISITS: u32 = 1 << 20;

/// The outcome of an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    /// Some value was missing.
    Unknown,
    /// Some value was missing because its purpose is not agreed to.
    Denied,
}

#[derive(Debug, Clone, Copy)]
enum Operand<'a> {
    Unknown,
    Bool(bool),
    Int(i64),
    Double(f64),
    String(&'a [u8]),
    Strings(&'a [String]),
    /// First entry in the program's lists, and their number.
    List(u32, u32),
}

/// Evaluates audiences for one context; named audiences at most once.
pub(crate) struct Evaluator<'a> {
    program: &'a Program,
    context: &'a Context,
    audiences: Vec<Option<Truth>>,
    visits: u32,
    denied: bool,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(program: &'a Program, context: &'a Context) -> Evaluator<'a> {
        Evaluator { program, context, audiences: vec![None; program.audience_count()], visits: 0, denied: false }
    }

    /// The truth of a boolean expression.
    pub(crate) fn truth(&mut self, node: u32) -> Truth {
        self.visits = MAX_VISITS;
        self.truth_at(node, 0)
    }

    fn truth_at(&mut self, node: u32, depth: u32) -> Truth {
        let outer = std::mem::replace(&mut self.denied, false);
        let truth = match self.eval(node, depth) {
            Operand::Bool(true) => Truth::True,
            Operand::Bool(false) => Truth::False,
            _ if self.denied => Truth::Denied,
            _ => Truth::Unknown,
        };
        self.denied = outer;
        truth
    }

    fn eval(&mut self, node: u32, depth: u32) -> Operand<'a> {
        let Some((op, a, b)) = self.program.node(node).filter(|_| depth < MAX_DEPTH && self.visits > 0) else {
            return Operand::Unknown;
        };
        self.visits -= 1;
        let depth = depth + 1;
        match op {
            Op::Bool => Operand::Bool(a != 0),
            Op::Int => Operand::Int(wide(a, b) as i64),
            Op::Double => Operand::Double(f64::from_bits(wide(a, b))),
            Op::String => Operand::String(self.program.raw(a)),
            Op::List => Operand::List(a, b),
            Op::Field => self.field(a),
            Op::Has => Operand::Bool(self.context.get(a).is_some()),
            Op::Audience => self.audience(a, depth),
            Op::And => self.logic(a, b, depth, false),
            Op::Or => self.logic(a, b, depth, true),
            Op::Not => match self.eval(a, depth) {
                Operand::Bool(value) => Operand::Bool(!value),
                _ => Operand::Unknown,
            },
            Op::In => self.contains(a, b, depth),
            Op::Eq | Op::Ne => match equal(self.eval(a, depth), self.eval(b, depth)) {
                Some(equal) => Operand::Bool(equal == (op == Op::Eq)),
                None => Operand::Unknown,
            },
            Op::Lt => self.ordered(a, b, depth, Ordering::is_lt),
            Op::Le => self.ordered(a, b, depth, Ordering::is_le),
            Op::Gt => self.ordered(a, b, depth, Ordering::is_gt),
            Op::Ge => self.ordered(a, b, depth, Ordering::is_ge),
            Op::StartsWith => self.texts(a, b, depth, |text, part| text.starts_with(part)),
            Op::EndsWith => self.texts(a, b, depth, |text, part| text.ends_with(part)),
            Op::Contains => self.texts(a, b, depth, |text, part| text::find(text, part).is_some()),
        }
    }

    fn field(&mut self, field: u32) -> Operand<'a> {
        match self.context.get(field) {
            Some(Value::Bool(value)) => Operand::Bool(*value),
            Some(Value::Int(value)) => Operand::Int(*value),
            Some(Value::Double(value)) => Operand::Double(*value),
            Some(Value::String(value)) => Operand::String(value.as_bytes()),
            Some(Value::Strings(values)) => Operand::Strings(values),
            // The language's own values for these come with its next version.
            Some(Value::Timestamp(_) | Value::Map(_)) => Operand::Unknown,
            None => {
                self.denied |= self.context.is_denied(field);
                Operand::Unknown
            }
        }
    }

    fn audience(&mut self, audience: u32, depth: u32) -> Operand<'a> {
        let known = self.audiences.get(audience as usize).copied().flatten();
        let truth = match (known, self.program.audience_node(audience)) {
            (Some(truth), _) => truth,
            (None, None) => Truth::Unknown,
            (None, Some(node)) => {
                let truth = self.truth_at(node, depth);
                if let Some(place) = self.audiences.get_mut(audience as usize) {
                    *place = Some(truth);
                }
                truth
            }
        };
        self.denied |= truth == Truth::Denied;
        match truth {
            Truth::True => Operand::Bool(true),
            Truth::False => Operand::Bool(false),
            Truth::Unknown | Truth::Denied => Operand::Unknown,
        }
    }

    /// `&&` when `absorbing` is false, `||` when it is true.
    fn logic(&mut self, a: u32, b: u32, depth: u32, absorbing: bool) -> Operand<'a> {
        let left = self.eval(a, depth);
        if matches!(left, Operand::Bool(value) if value == absorbing) {
            return left;
        }
        match (left, self.eval(b, depth)) {
            (_, Operand::Bool(value)) if value == absorbing => Operand::Bool(absorbing),
            (Operand::Bool(_), Operand::Bool(value)) => Operand::Bool(value),
            _ => Operand::Unknown,
        }
    }

    fn contains(&mut self, a: u32, b: u32, depth: u32) -> Operand<'a> {
        let item = self.eval(a, depth);
        if matches!(item, Operand::Unknown) {
            return item;
        }
        match self.eval(b, depth) {
            Operand::Strings(values) => match item {
                Operand::String(text) => Operand::Bool(values.iter().any(|value| value.as_bytes() == text)),
                _ => Operand::Unknown,
            },
            Operand::List(start, len) => {
                let program = self.program;
                let mut unknown = false;
                for node in program.list_items(start, len) {
                    let other = self.eval(node, depth);
                    match equal(item, other) {
                        Some(true) => return Operand::Bool(true),
                        Some(false) => {}
                        None => unknown = true,
                    }
                }
                if unknown { Operand::Unknown } else { Operand::Bool(false) }
            }
            _ => Operand::Unknown,
        }
    }

    fn ordered(&mut self, a: u32, b: u32, depth: u32, test: fn(Ordering) -> bool) -> Operand<'a> {
        let (left, right) = (self.eval(a, depth), self.eval(b, depth));
        compare(left, right).map_or(Operand::Unknown, |ordering| Operand::Bool(test(ordering)))
    }

    fn texts(&mut self, a: u32, b: u32, depth: u32, test: fn(&[u8], &[u8]) -> bool) -> Operand<'a> {
        match (self.eval(a, depth), self.eval(b, depth)) {
            (Operand::String(text), Operand::String(part)) => Operand::Bool(test(text, part)),
            _ => Operand::Unknown,
        }
    }
}

fn wide(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Equality of two known values of comparable types; `None` otherwise.
fn equal(left: Operand<'_>, right: Operand<'_>) -> Option<bool> {
    match (left, right) {
        (Operand::Bool(left), Operand::Bool(right)) => Some(left == right),
        _ => compare(left, right).map(Ordering::is_eq),
    }
}

/// Order of two numbers, or of two texts by code points; `None` otherwise.
fn compare(left: Operand<'_>, right: Operand<'_>) -> Option<Ordering> {
    match (left, right) {
        (Operand::Int(left), Operand::Int(right)) => Some(left.cmp(&right)),
        (Operand::Double(left), Operand::Double(right)) => left.partial_cmp(&right),
        (Operand::Int(left), Operand::Double(right)) => compare_int_double(left, right),
        (Operand::Double(left), Operand::Int(right)) => compare_int_double(right, left).map(Ordering::reverse),
        (Operand::String(left), Operand::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// The exact order of an integer and a double, without rounding the integer.
fn compare_int_double(int: i64, double: f64) -> Option<Ordering> {
    // 2^63 as a double; i64::MAX itself is none.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if double.is_nan() {
        None
    } else if double >= LIMIT {
        Some(Ordering::Less)
    } else if double < -LIMIT {
        Some(Ordering::Greater)
    } else {
        let whole = double.trunc();
        Some(int.cmp(&(whole as i64)).then(0.0f64.partial_cmp(&(double - whole))?))
    }
}
