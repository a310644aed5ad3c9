//! The tree of an expression as it was written.

use std::ops::Range;

/// A node of the tree and where it was written. Two nodes are equal when they say the same, wherever they stand.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its bytes in the expression.
    pub span: Range<usize>,
    /// Levels of the tree from here down.
    pub(super) depth: usize,
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.kind == other.kind
    }
}

/// A name and where it was written.
#[derive(Debug, Clone)]
pub struct Name {
    /// The name, without backticks.
    pub text: String,
    /// Its bytes in the expression.
    pub span: Range<usize>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.text == other.text
    }
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeKind {
    /// `true` or `false`
    Bool(bool),
    /// `42`
    Int(i64),
    /// `42u`
    Uint(u64),
    /// `4.2`
    Double(f64),
    /// `'text'`
    String(String),
    /// `[a, b]`
    List(Vec<Node>),
    /// `{a: b}`
    Map(Vec<(Node, Node)>),
    /// `a`
    Name(String),
    /// `a.b`
    Select(Box<Node>, Name),
    /// `a[b]`
    Index(Box<Node>, Box<Node>),
    /// `f(a)`, or `a.f(b)`
    Call {
        /// The function's name.
        name: Name,
        /// What stands before the dot.
        receiver: Option<Box<Node>>,
        /// What stands between the parentheses.
        arguments: Vec<Node>,
    },
    /// `!a`
    Not(Box<Node>),
    /// `-a`
    Negate(Box<Node>),
    /// `a + b`, `a == b`, `a in b`
    Binary {
        /// The operator as it is written.
        operator: &'static str,
        /// The left operand.
        left: Box<Node>,
        /// The right operand.
        right: Box<Node>,
    },
    /// `a && b && c`: two or more
    And(Vec<Node>),
    /// `a || b || c`: two or more
    Or(Vec<Node>),
    /// `a ? b : c`
    Conditional(Box<[Node; 3]>),
}

impl Node {
    pub(crate) fn new(kind: NodeKind, span: Range<usize>) -> Node {
        let deepest = |nodes: &[Node]| nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        let below = match &kind {
            NodeKind::Bool(_)
            | NodeKind::Int(_)
            | NodeKind::Uint(_)
            | NodeKind::Double(_)
            | NodeKind::String(_)
            | NodeKind::Name(_) => 0,
            NodeKind::List(items) => deepest(items),
            NodeKind::Map(entries) => entries.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0),
            NodeKind::Select(operand, _) | NodeKind::Not(operand) | NodeKind::Negate(operand) => operand.depth,
            NodeKind::Index(operand, index) => operand.depth.max(index.depth),
            NodeKind::Call { receiver, arguments, .. } => {
                receiver.as_ref().map_or(0, |receiver| receiver.depth).max(deepest(arguments))
            }
            NodeKind::Binary { left, right, .. } => left.depth.max(right.depth),
            // Written as a balanced tree of pairs.
            NodeKind::And(items) | NodeKind::Or(items) => deepest(items) + items.len().next_power_of_two().ilog2() as usize - 1,
            NodeKind::Conditional(parts) => deepest(parts.as_slice()),
        };
        Node { kind, span, depth: below + 1 }
    }

    /// Visits this node and all below it.
    #[cfg(feature = "author")]
    pub(crate) fn walk(&self, visit: &mut dyn FnMut(&Node)) {
        visit(self);
        match &self.kind {
            NodeKind::Bool(_)
            | NodeKind::Int(_)
            | NodeKind::Uint(_)
            | NodeKind::Double(_)
            | NodeKind::String(_)
            | NodeKind::Name(_) => {}
            NodeKind::List(items) | NodeKind::And(items) | NodeKind::Or(items) => {
                items.iter().for_each(|item| item.walk(visit))
            }
            NodeKind::Map(entries) => entries.iter().for_each(|(key, value)| {
                key.walk(visit);
                value.walk(visit);
            }),
            NodeKind::Select(operand, _) | NodeKind::Not(operand) | NodeKind::Negate(operand) => operand.walk(visit),
            NodeKind::Index(left, right) | NodeKind::Binary { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
            NodeKind::Call { receiver, arguments, .. } => {
                receiver.iter().map(|node| &**node).chain(arguments).for_each(|node| node.walk(visit))
            }
            NodeKind::Conditional(parts) => parts.iter().for_each(|part| part.walk(visit)),
        }
    }

    /// The names of a path such as `geo.country`; `None` when it is none.
    pub fn path(&self) -> Option<Vec<&str>> {
        match &self.kind {
            NodeKind::Name(name) => Some(vec![name]),
            NodeKind::Select(operand, name) => {
                let mut path = operand.path()?;
                path.push(&name.text);
                Some(path)
            }
            _ => None,
        }
    }
}
