//! What evaluating an expression may cost at worst, and how deep it goes: known before it runs.

use super::check::{Checked, CheckedKind};
use super::constant::Constant;
use crate::eval::MAX_ITEMS;
use crate::program::layout::Op;

/// The worst cost of an expression, in steps: one for each node that is evaluated, once for each item that a macro looks at, and
/// one for each item that is compared. A list that is not written out counts as 256 items, the most it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Steps.
    pub steps: u64,
    /// The most items of its value, if that is a list or a map.
    items: u64,
}

/// The worst cost of an expression. A named audience is evaluated once per page, whatever names it: `audience` tells its steps.
pub fn cost(expression: &Checked, audience: &mut dyn FnMut(u32) -> u64) -> Cost {
    let unknown = MAX_ITEMS as u64;
    let (steps, items) = match &expression.kind {
        CheckedKind::Constant(constant) => (size(constant), items(constant)),
        CheckedKind::List(list) => (sum(list, audience).0, list.len() as u64),
        CheckedKind::Map(entries) => {
            let count = entries.len() as u64;
            let parts = entries.iter().map(|(key, value)| (cost(key, audience).steps, cost(value, audience).steps));
            let steps = parts.map(|(key, value)| key.saturating_add(value)).collect::<Vec<_>>();
            // Each key is compared with those before it.
            (steps.into_iter().fold(1 + count * count / 2, u64::saturating_add), count)
        }
        CheckedKind::Field(_, items) | CheckedKind::Variable(_, items) => (1, if *items { unknown } else { 0 }),
        CheckedKind::Has(_) => (1, 0),
        CheckedKind::HasKey(map, _) => {
            let map = cost(map, audience);
            (map.steps.saturating_add(map.items).saturating_add(1), 0)
        }
        CheckedKind::Audience(number) => (audience(*number).saturating_add(1), 0),
        CheckedKind::And(operands) | CheckedKind::Or(operands) => {
            (sum(operands, audience).0.saturating_add(operands.len() as u64), 0)
        }
        CheckedKind::Conditional(parts) => {
            let [condition, then, otherwise] = parts.each_ref().map(|part| cost(part, audience));
            let steps = condition.steps.saturating_add(then.steps.max(otherwise.steps)).saturating_add(1);
            (steps, then.items.max(otherwise.items))
        }
        CheckedKind::Apply(op, operands) => {
            let (steps, largest, all) = sum(operands, audience);
            let looked = match op {
                Op::In | Op::Eq | Op::Index => largest,
                Op::Split | Op::SplitLimit => unknown,
                _ => 0,
            };
            let items = match op {
                Op::Index => unknown,
                Op::Add => all,
                _ => largest.max(looked),
            };
            (steps.saturating_add(looked), items)
        }
        CheckedKind::Fold(op, list, _, body) => {
            let (list, body) = (cost(list, audience), cost(body, audience));
            let steps = list.items.saturating_mul(body.steps.saturating_add(1)).saturating_add(list.steps).saturating_add(1);
            (steps, if matches!(op, Op::Filter | Op::MapItems) { list.items } else { 0 })
        }
    };
    Cost { steps, items }
}

/// The steps of an operation and its operands, the most items of one of them, and the items of all.
fn sum(operands: &[Checked], audience: &mut dyn FnMut(u32) -> u64) -> (u64, u64, u64) {
    operands.iter().fold((1, 0, 0), |(steps, largest, all), operand| {
        let cost = cost(operand, audience);
        (cost.steps.saturating_add(steps), cost.items.max(largest), cost.items.saturating_add(all))
    })
}

fn size(constant: &Constant) -> u64 {
    match constant {
        Constant::List(items) => 1 + items.iter().map(size).sum::<u64>(),
        Constant::Map(entries) => 1 + entries.iter().map(|(key, value)| size(key) + size(value)).sum::<u64>(),
        _ => 1,
    }
}

fn items(constant: &Constant) -> u64 {
    match constant {
        Constant::List(items) => items.len() as u64,
        Constant::Map(entries) => entries.len() as u64,
        _ => 0,
    }
}

/// The levels of an expression as the program has them, with named audiences written out: `audience` tells theirs.
pub fn depth(expression: &Checked, audience: &mut dyn FnMut(u32) -> usize) -> usize {
    1 + match &expression.kind {
        CheckedKind::Constant(constant) => constant_depth(constant),
        CheckedKind::Field(..) | CheckedKind::Has(_) | CheckedKind::Variable(..) => 0,
        CheckedKind::Audience(number) => audience(*number),
        CheckedKind::HasKey(map, _) => depth(map, audience),
        CheckedKind::List(items) | CheckedKind::Apply(_, items) => deepest(items, audience),
        // Pairs of pairs.
        CheckedKind::And(items) | CheckedKind::Or(items) => {
            deepest(items, audience) + items.len().next_power_of_two().ilog2() as usize - 1
        }
        CheckedKind::Conditional(parts) => deepest(parts.as_slice(), audience),
        CheckedKind::Map(entries) => {
            entries.iter().map(|(key, value)| depth(key, audience).max(depth(value, audience))).max().unwrap_or(0)
        }
        CheckedKind::Fold(_, list, _, body) => depth(list, audience).max(depth(body, audience)),
    }
}

fn deepest(items: &[Checked], audience: &mut dyn FnMut(u32) -> usize) -> usize {
    items.iter().map(|item| depth(item, audience)).max().unwrap_or(0)
}

fn constant_depth(constant: &Constant) -> usize {
    match constant {
        Constant::List(items) => 1 + items.iter().map(constant_depth).max().unwrap_or(0),
        Constant::Map(entries) => {
            1 + entries.iter().map(|(key, value)| constant_depth(key).max(constant_depth(value))).max().unwrap_or(0)
        }
        _ => 0,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::context::Kind;
    use crate::expr::{Env, check_any, parse};

    struct Names([(&'static str, Constant); 4]);

    impl Env for Names {
        fn field(&self, path: &str) -> Option<(u32, Kind)> {
            match path {
                "flag" => Some((0, Kind::Bool)),
                "tags" => Some((1, Kind::Strings)),
                _ => None,
            }
        }
        fn values(&self, _: u32) -> Option<Vec<&str>> {
            None
        }
        fn audience(&self, name: &str) -> Option<u32> {
            (name == "loyal").then_some(7)
        }
        fn given(&self, path: &str) -> Option<&Constant> {
            self.0.iter().find_map(|(name, constant)| (*name == path).then_some(constant))
        }
        fn has_zone(&self, _: &str) -> bool {
            false
        }
        fn names(&self) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn levels_are_those_of_the_program() {
        let one = || Constant::Int(1);
        let names = Names([
            ("none", Constant::List(Vec::new())),
            ("empty", Constant::Map(Vec::new())),
            ("lists", Constant::List(vec![Constant::List(vec![one()]), one()])),
            ("map", Constant::Map(vec![(one(), Constant::List(vec![one()]))])),
        ]);
        for (text, levels) in [
            ("1", 1),
            ("flag", 1),
            ("loyal", 11),
            ("!flag", 2),
            ("[]", 1),
            ("[flag, !flag, flag]", 3),
            ("flag && flag", 2),
            ("flag || flag || flag", 3),
            ("flag || flag || flag || !flag", 4),
            ("{}", 1),
            ("{flag: !flag}", 3),
            ("{!flag: flag}", 3),
            ("flag ? flag : !flag", 3),
            ("has({'a': flag}.a)", 3),
            ("tags.exists(tag, !flag)", 3),
            ("[!flag].exists(is, is)", 4),
            ("none", 2),
            ("empty", 2),
            ("lists", 3),
            ("map", 3),
        ] {
            let (checked, _) = check_any(&parse(text).unwrap(), &names).unwrap();
            assert_eq!(depth(&checked, &mut |audience| audience as usize + 3), levels, "{text}");
        }
    }
}
