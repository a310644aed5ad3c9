//! What is known of one value: facts that follow from each other, and facts that exclude each other.
//!
//! Every rule here holds for every value that a context may have; where none applies, nothing is concluded.

use crate::eval::{Operand, compute, number};
use crate::expr::{Checked, CheckedKind, Constant};
use crate::program::layout::Op;
use std::rc::Rc;

/// The value that a fact is about: a field's, or that of a part of an expression. Two parts with the same text are worth the
/// same, so the text stands for the part. An inequality and the equality that it denies have the same text: the flag tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::compile) enum Key<'c> {
    Field(u32),
    Text(&'c str, bool),
}

/// A fact about a value. All but the first also say that there is a value.
#[derive(Debug, Clone)]
pub(in crate::compile) enum Fact<'c> {
    /// There is none.
    Absent,
    Present,
    /// It equals one of these, or (when the flag is false) none of these.
    Among(bool, Rc<[Operand<'c>]>),
    /// An operation on it and a constant is true, or false.
    Test(Test<'c>),
}

/// See [`Fact::Test`].
#[derive(Debug, Clone, Copy)]
pub(in crate::compile) struct Test<'c> {
    pub(super) holds: bool,
    pub(super) op: Op,
    pub(super) constant: Operand<'c>,
    /// Whether the constant is the left operand.
    pub(super) reversed: bool,
}

/// Whole numbers below this are doubles too, so that comparing with constants is transitive whatever the types of the numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The value of a constant expression.
pub(super) fn constant(expression: &Checked) -> Option<Operand<'_>> {
    match &expression.kind {
        CheckedKind::Constant(constant) => value(constant),
        CheckedKind::Apply(Op::ToVersion, operands) => match operands.as_slice() {
            [Checked { kind: CheckedKind::Constant(Constant::String(text)), .. }] => Some(Operand::Version(text.as_bytes())),
            _ => None,
        },
        _ => None,
    }
}

fn value(constant: &Constant) -> Option<Operand<'_>> {
    let operand = match constant {
        Constant::Bool(value) => Operand::Bool(*value),
        Constant::Int(value) => Operand::Int(*value),
        Constant::Uint(value) => Operand::Uint(*value),
        Constant::Double(value) => Operand::Double(*value),
        Constant::String(text) => Operand::Text(text.as_bytes()),
        Constant::Timestamp(at) => Operand::Timestamp((*at).into()),
        Constant::Duration(length) => Operand::Duration((*length).into()),
        _ => return None,
    };
    number(operand).is_none_or(|number| number.abs() < EXACT).then_some(operand)
}

/// The constants of a list that is written out.
pub(super) fn constants(list: &Checked) -> Option<Rc<[Operand<'_>]>> {
    match &list.kind {
        CheckedKind::List(items) => items.iter().map(constant).collect(),
        _ => None,
    }
}

fn is_true(op: Op, left: Operand<'_>, right: Operand<'_>) -> bool {
    compute(op, left, right) == Some(true)
}

impl<'c> Test<'c> {
    fn positive(&self) -> Test<'c> {
        Test { holds: true, ..*self }
    }

    fn is_order(&self) -> bool {
        matches!(self.op, Op::Lt | Op::Le)
    }

    /// The same, said so that it can be compared with others: a false order of values that are all comparable is the opposite
    /// order, and bounds of whole numbers are whole and belong to their range. Of orders alone.
    pub(super) fn plain(mut self, whole: bool, comparable: bool) -> Test<'c> {
        let constant = number(self.constant);
        if !self.holds && (comparable || constant.is_none()) {
            let op = if self.op == Op::Lt { Op::Le } else { Op::Lt };
            self = Test { holds: true, op, reversed: !self.reversed, ..self };
        }
        if let (true, true, Some(bound)) = (whole, self.holds, constant) {
            let bound = match (self.op == Op::Lt, self.reversed) {
                (true, false) => bound.ceil() - 1.0,
                (false, false) => bound.floor(),
                (true, true) => bound.floor() + 1.0,
                (false, true) => bound.ceil(),
            };
            self = Test { op: Op::Le, constant: Operand::Double(bound), ..self };
        }
        self
    }

    fn value_of(&self, value: Operand<'_>) -> Option<bool> {
        if self.reversed { compute(self.op, self.constant, value) } else { compute(self.op, value, self.constant) }
    }

    /// Whether a value for which this is true, or false as it says, passes the other too, as far as the other can be worked out.
    fn entails(&self, other: &Test<'_>) -> bool {
        let (own, others) = (self.constant, other.constant);
        match (self.holds, other.holds) {
            (true, true) if self.is_order() => {
                let strict = other.op == Op::Lt && self.op == Op::Le;
                let op = if strict { Op::Lt } else { Op::Le };
                other.is_order()
                    && self.reversed == other.reversed
                    && if self.reversed { is_true(op, others, own) } else { is_true(op, own, others) }
            }
            // A text that starts with "/a/b" starts with "/a"; a pattern that matches another as if it were a text matches all
            // that the other does, since only stars match stars.
            (true, true) => {
                (self.op == other.op || (other.op == Op::Contains && matches!(self.op, Op::StartsWith | Op::EndsWith)))
                    && is_true(other.op, own, others)
            }
            (false, false) => other.positive().entails(&self.positive()),
            _ => false,
        }
    }

    /// Whether no value passes both.
    fn excludes(&self, other: &Test<'_>) -> bool {
        let (own, others) = (self.constant, other.constant);
        match (self.holds, other.holds) {
            (true, true) if self.is_order() && other.is_order() => {
                let (upper, lower) = if self.reversed { (other, self) } else { (self, other) };
                let op = if upper.op == Op::Lt || lower.op == Op::Lt { Op::Lt } else { Op::Le };
                self.reversed != other.reversed && compute(op, lower.constant, upper.constant) == Some(false)
            }
            (true, true) => {
                matches!(self.op, Op::StartsWith | Op::EndsWith)
                    && self.op == other.op
                    && !is_true(self.op, own, others)
                    && !is_true(self.op, others, own)
            }
            (true, false) => self.entails(&other.positive()),
            (false, true) => other.excludes(self),
            (false, false) => false,
        }
    }
}

impl Fact<'_> {
    /// Whether a value is as this says.
    pub(super) fn admits(&self, value: Operand<'_>) -> bool {
        match self {
            Fact::Absent => false,
            Fact::Present => true,
            Fact::Among(holds, values) => values.iter().any(|one| is_true(Op::Eq, *one, value)) == *holds,
            Fact::Test(test) => test.value_of(value) == Some(test.holds),
        }
    }

    /// Whether no value is as both say, of what no list of values shows.
    pub(super) fn excludes(&self, other: &Fact<'_>) -> bool {
        match (self, other) {
            (Fact::Absent, other) | (other, Fact::Absent) => !matches!(other, Fact::Absent),
            (Fact::Test(one), Fact::Test(other)) => one.excludes(other),
            _ => false,
        }
    }
}

/// The only values that are as all of the facts say, of a field's own values or of those that a fact lists; `None` where
/// there may be any number.
pub(super) fn candidates<'c>(facts: &[&Fact<'c>], own: Option<Vec<Operand<'c>>>) -> Option<Vec<Operand<'c>>> {
    let listed = facts.iter().find_map(|fact| match fact {
        Fact::Among(true, values) => Some(values.to_vec()),
        _ => None,
    });
    let mut values = listed.or(own)?;
    values.retain(|value| facts.iter().all(|fact| fact.admits(*value)));
    Some(values)
}

/// Whether the facts about a value, with its [`candidates`], prove another one.
pub(super) fn prove(facts: &[&Fact<'_>], candidates: Option<&[Operand<'_>]>, goal: &Fact<'_>) -> bool {
    match facts.first() {
        None => return false,
        // All of them are this then: any other fact excludes it.
        Some(Fact::Absent) => return matches!(goal, Fact::Absent),
        _ => {}
    }
    if candidates.is_some_and(|values| values.iter().all(|value| goal.admits(*value))) {
        return true;
    }
    match goal {
        Fact::Absent | Fact::Among(true, _) => false,
        Fact::Present => true,
        Fact::Among(false, values) => values.iter().all(|value| facts.iter().any(|fact| !fact.admits(*value))),
        Fact::Test(goal) => facts.iter().any(|fact| match fact {
            // Looking for one long text in another may fail: only the very same test surely doesn't.
            Fact::Test(test) if matches!(goal.op, Op::Contains | Op::Glob) => {
                test.op == goal.op && test.holds == goal.holds && is_true(Op::Eq, test.constant, goal.constant)
            }
            Fact::Test(test) => test.entails(goal),
            _ => false,
        }),
    }
}
