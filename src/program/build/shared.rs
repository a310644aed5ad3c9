//! Which nodes several others share, and which operand of `&&` and `||` costs less.

use super::Builder;
use crate::program::layout::{NONE, Op, Section};

/// What reckoning costs: as many steps as a field, a constant and their comparison.
const SEARCH: u32 = 4;
const CONVERSION: u32 = 8;
/// Items that a macro may look at.
const ITEMS: u32 = 16;

impl Op {
    /// Whether it is true or false, and costs more than looking up what it came to.
    fn is_worth_keeping(self) -> bool {
        use Op::*;
        matches!(
            self,
            And | Or
                | Not
                | Eq
                | Lt
                | Le
                | In
                | StartsWith
                | EndsWith
                | Contains
                | Glob
                | All
                | Exists
                | ExistsOne
                | HasKey
                | ContainsIp
        )
    }

    fn own_cost(self) -> u32 {
        use Op::*;
        match self {
            StartsWith | EndsWith | Contains | Glob | LowerAscii | UpperAscii | Trim | Split | SplitLimit => SEARCH,
            Audience => SEARCH,
            _ if self.is_conversion() || self.is_getter() => CONVERSION,
            Distance | ContainsIp => CONVERSION,
            _ => 1,
        }
    }
}

impl Builder {
    /// Notes in each node its number among those that several others share, and whether its right operand costs less.
    pub(super) fn mark_shared(&mut self) {
        let nodes: Vec<[u32; 3]> = self.section(Section::Nodes).as_chunks().0.to_vec();
        // How many ask for each node; the lowest variable of a macro around it that it reads; what it costs.
        let mut asked = vec![0u32; nodes.len()];
        let mut free = vec![NONE; nodes.len()];
        let mut costs = vec![0u32; nodes.len()];
        let ask = |node: u32, times: u32, asked: &mut Vec<u32>| {
            if let Some(count) = asked.get_mut(node as usize) {
                *count = count.saturating_add(times);
            }
        };
        for (node, [op, a, b]) in nodes.iter().enumerate() {
            let Some(op) = Op::from_code(*op) else { continue };
            // Operands stand before what uses them.
            let (operands, bound) = self.operands(op, *a, *b);
            let mut cost = op.own_cost();
            let mut lowest = if op == Op::Variable { *a } else { NONE };
            for operand in operands {
                ask(operand, 1, &mut asked);
                let times = if bound.is_some() { ITEMS } else { 1 };
                cost = cost.saturating_add(costs.get(operand as usize).copied().unwrap_or(0).saturating_mul(times));
                let read = free.get(operand as usize).copied().unwrap_or(NONE);
                if Some(read) != bound {
                    lowest = lowest.min(read);
                }
            }
            if let (Some(place), Some(read)) = (costs.get_mut(node), free.get_mut(node)) {
                (*place, *read) = (cost, lowest);
            }
        }
        for [_, audience, ..] in self.section(Section::Experiences).as_chunks::<4>().0.to_vec() {
            ask(audience, 1, &mut asked);
        }
        // Whoever names an audience asks for it.
        for [_, root] in self.section(Section::Audiences).as_chunks::<2>().0.to_vec() {
            ask(root, 2, &mut asked);
        }
        let mut shared = 0;
        for (node, [op, a, b]) in nodes.iter().enumerate() {
            let Some(known) = Op::from_code(*op) else { continue };
            let cost = |node: u32| costs.get(node as usize).copied().unwrap_or(0);
            let mut word = *op;
            if matches!(known, Op::And | Op::Or) && cost(*b) < cost(*a) {
                word |= 1 << 8;
            }
            let is_shared = asked.get(node).is_some_and(|count| *count > 1) && free.get(node) == Some(&NONE);
            if is_shared && known.is_worth_keeping() && shared < MOST_SHARED {
                shared += 1;
                word |= shared << 9;
            }
            if let Some([place]) = self.record(Section::Nodes, node) {
                *place = word;
            }
        }
        if let Some([_, _, _, count]) = self.record(Section::Site, 0) {
            *count = shared;
        }
    }

    /// The nodes that a node asks for; of a macro also the variable that it binds.
    fn operands(&self, op: Op, a: u32, b: u32) -> (Vec<u32>, Option<u32>) {
        let list = |start: u32, len: u32| {
            let lists = self.section(Section::Lists);
            let end = (start as usize).saturating_add(len as usize);
            lists.get(start as usize..end).unwrap_or_default().to_vec()
        };
        match op {
            Op::Bool | Op::Int | Op::Uint | Op::Double | Op::String | Op::Field | Op::Has | Op::Audience | Op::Variable => {
                (Vec::new(), None)
            }
            Op::Timestamp | Op::Duration | Op::HasKey => (vec![a], None),
            Op::List | Op::Constants | Op::SplitLimit | Op::Distance => (list(a, b), None),
            Op::Map => (list(a, b.saturating_mul(2)), None),
            Op::Conditional => ([vec![a], list(b, 2)].concat(), None),
            Op::All | Op::Exists | Op::ExistsOne | Op::Filter | Op::MapItems => match list(b, 2).as_slice() {
                [variable, body] => (vec![a, *body], Some(*variable)),
                _ => (vec![a], None),
            },
            _ if b == NONE => (vec![a], None),
            _ => (vec![a, b], None),
        }
    }
}

/// As many as a node's word has room for.
const MOST_SHARED: u32 = (1 << 23) - 1;
