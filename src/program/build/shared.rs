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

#[cfg(test)]
mod tests {
    use crate::Program;
    use crate::compile::{Zones, compile};
    use crate::program::layout::Op;

    struct None;

    impl Zones for None {
        fn offset(&self, _: &str, _: i64) -> Option<i32> {
            Option::None
        }
    }

    /// A program with experiences of these audiences.
    fn program(audiences: &[&str]) -> Program {
        let experiences = audiences.iter().enumerate().map(|(number, audience)| {
            let slot = format!("s{number}");
            serde_json::json!({ "id": format!("e{number}"), "type": "personalization", "audience": audience, "slots": { slot: { "json": 1 } } })
        });
        let slots = (0..audiences.len()).map(|number| (format!("s{number}"), serde_json::json!({ "type": "data" })));
        let site = serde_json::json!({ "site": { "id": "x" }, "slots": slots.collect::<serde_json::Map<_, _>>(),
            "audiences": { "paris": "geo.city == 'Paris'" }, "experiences": experiences.collect::<Vec<_>>() });
        compile(&site.to_string(), &None).unwrap_or_else(|errors| panic!("{errors:#?}"))
    }

    /// The operations of the nodes that are shared, in the order of their numbers.
    fn shared(audiences: &[&str]) -> Vec<Op> {
        let program = program(audiences);
        let mut nodes: Vec<_> = (0..).map_while(|node| program.marked(node)).filter(|node| node.shared > 0).collect();
        nodes.sort_by_key(|node| node.shared);
        assert_eq!(nodes.len(), program.shared_count());
        nodes.into_iter().map(|node| node.op).collect()
    }

    #[test]
    fn what_several_ask_for_is_shared() {
        // The named audience always is: whoever names it asks for it.
        assert_eq!(shared(&["geo.city == 'Rome'"]), [Op::Eq]);
        let one = "geo.country == 'FR' && time.hour < 12";
        assert_eq!(shared(&[one, "geo.country == 'DE'"]), [Op::Eq]);
        // Of two equal ones the whole is asked for twice, and its parts by it alone.
        assert_eq!(shared(&[one, one]), [Op::Eq, Op::And]);
        assert_eq!(shared(&[one, "geo.country == 'FR' || geo.is_eu"]), [Op::Eq, Op::Eq]);
        assert_eq!(shared(&["paris && geo.is_eu", "paris || geo.is_eu"]), [Op::Eq]);
        // Fields and constants cost no more than what is kept.
        assert_eq!(shared(&["geo.is_eu && has(geo.city)", "geo.is_eu || has(geo.city)"]), [Op::Eq]);
    }

    #[test]
    fn what_reads_the_item_of_a_macro_around_is_not_shared() {
        let list = "language.accepted";
        let both =
            [&*format!("{list}.exists(tag, tag == 'fr' && geo.is_eu)"), &*format!("{list}.all(tag, tag == 'fr' && geo.is_eu)")];
        assert_eq!(shared(&both), [Op::Eq]);
        // A macro as a whole reads nothing of what is around it.
        let inner = "['Rome', 'Oslo'].exists(other, other == geo.city)";
        let outer = |tag: &str| format!("{list}.exists(tag, {inner} && tag == '{tag}')");
        assert_eq!(shared(&[&outer("fr"), &outer("de")]), [Op::Eq, Op::Exists]);
    }

    #[test]
    fn the_operand_that_costs_less_comes_first() {
        for (audience, right_first) in [
            ("geo.city.contains('a') && geo.is_eu", true),
            ("geo.is_eu && geo.city.contains('a')", false),
            ("geo.is_eu || geo.city.contains('a')", false),
            ("language.accepted.exists(tag, tag == 'fr') || geo.city == 'Rome'", true),
            ("geo.city == 'Rome' && geo.country == 'IT'", false),
        ] {
            let program = program(&[audience]);
            let root = program.experience(0).and_then(|experience| program.marked(experience.audience?)).unwrap();
            assert_eq!(root.right_first, right_first, "{audience}");
        }
    }
}
