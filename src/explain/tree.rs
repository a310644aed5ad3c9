//! From a program's nodes back to the tree of an expression: what a compiler made of a text, as a person would write it.
//!
//! A program holds no text of its expressions. What it made of `>`, `>=`, `!=`, long chains and names of items is undone here.

use crate::context::Value;
use crate::eval::{Operand, address, range, utf8};
use crate::expr::{Name, Node, NodeKind, print};
use crate::instant::Seconds;
use crate::program::Program;
use crate::program::layout::{NONE, Op};
use crate::time::instant_text;

/// The deepest tree that is read. The compiler's limits stay below; a forged program ends here.
const MAX_DEPTH: u32 = 128;
/// The most nodes of a tree.
const MAX_NODES: u32 = 20_000;
/// Stands where a tree is cut off.
pub(super) const CUT: &str = "...";

/// The text of an expression.
pub(crate) fn text(program: &Program, root: u32) -> String {
    print(&Reader { program, left: MAX_NODES }.node(root, 0))
}

/// Reads nodes, as many as may still be.
struct Reader<'p> {
    program: &'p Program,
    left: u32,
}

fn made(kind: NodeKind) -> Node {
    Node::new(kind, 0..0)
}

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), span: 0..0 }
}

fn string(text: &str) -> Node {
    made(NodeKind::String(text.to_owned()))
}

fn function(called: &str, arguments: Vec<Node>) -> Node {
    made(NodeKind::Call { name: name(called), receiver: None, arguments })
}

fn method(receiver: Node, called: &str, arguments: Vec<Node>) -> Node {
    made(NodeKind::Call { name: name(called), receiver: Some(Box::new(receiver)), arguments })
}

fn binary(operator: &'static str, left: Node, right: Node) -> Node {
    made(NodeKind::Binary { operator, left: Box::new(left), right: Box::new(right) })
}

/// A path such as `geo.country`, written as it is.
fn path(path: &str) -> Node {
    made(NodeKind::Name(path.to_owned()))
}

/// A field's value as it would be written in an expression; an instant without `timestamp()`.
pub(crate) fn value_text(value: &Value) -> String {
    print(&match value {
        Value::Bool(value) => made(NodeKind::Bool(*value)),
        Value::Int(value) => made(NodeKind::Int(*value)),
        Value::Double(value) => double(*value),
        Value::String(text) => string(text),
        Value::Strings(texts) => made(NodeKind::List(texts.iter().map(|text| string(text)).collect())),
        Value::Timestamp(ms) => return instant_text(*ms),
        Value::Map(pairs) => made(NodeKind::Map(pairs.iter().map(|(name, text)| (string(name), string(text))).collect())),
    })
}

/// What an expression comes to, as it would be written; `None` where it has no value.
pub(super) fn operand_text(value: Operand<'_>) -> Option<String> {
    value_tree(value, 0).map(|tree| print(&tree))
}

fn value_tree(value: Operand<'_>, depth: u32) -> Option<Node> {
    if depth >= MAX_DEPTH {
        return None;
    }
    let written = |called, write: &dyn Fn(&mut String)| {
        let mut text = String::new();
        write(&mut text);
        function(called, vec![string(&text)])
    };
    Some(match value {
        Operand::Bool(value) => made(NodeKind::Bool(value)),
        Operand::Int(number) => made(NodeKind::Int(number)),
        Operand::Uint(number) => made(NodeKind::Uint(number)),
        Operand::Double(number) => double(number),
        Operand::Text(text) => string(utf8(text)),
        Operand::Timestamp(at) => written("timestamp", &|out| at.seconds().write_instant(out)),
        Operand::Duration(seconds) => function("duration", vec![string(&length(seconds.seconds()))]),
        Operand::Version(text) => function("version", vec![string(utf8(text))]),
        Operand::Address(text) => written("ip", &|out| address(text).into_iter().for_each(|address| address.write(out))),
        Operand::Range(text) => written("cidr", &|out| range(text).into_iter().for_each(|range| range.write(out))),
        Operand::List(list) => {
            let items = list.iter().map(|item| value_tree(item, depth + 1));
            made(NodeKind::List(items.collect::<Option<_>>()?))
        }
        Operand::Map(map) => {
            let entries = map.iter().map(|(key, value)| Some((value_tree(key, depth + 1)?, value_tree(value, depth + 1)?)));
            made(NodeKind::Map(entries.collect::<Option<_>>()?))
        }
        Operand::Absent(_) => return None,
    })
}

/// Whether a name can stand behind a dot without backticks.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether nothing in an expression depends on the visitor.
fn is_constant(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Name(_) => false,
        NodeKind::Bool(_) | NodeKind::Int(_) | NodeKind::Uint(_) | NodeKind::Double(_) | NodeKind::String(_) => true,
        NodeKind::List(items) | NodeKind::And(items) | NodeKind::Or(items) => items.iter().all(is_constant),
        NodeKind::Map(entries) => entries.iter().all(|(key, value)| is_constant(key) && is_constant(value)),
        NodeKind::Select(operand, _) | NodeKind::Not(operand) | NodeKind::Negate(operand) => is_constant(operand),
        NodeKind::Index(left, right) | NodeKind::Binary { left, right, .. } => is_constant(left) && is_constant(right),
        NodeKind::Call { receiver, arguments, .. } => {
            receiver.as_deref().is_none_or(is_constant) && arguments.iter().all(is_constant)
        }
        NodeKind::Conditional(parts) => parts.iter().all(is_constant),
    }
}

/// A length of time as people write it: 72h, 1h30m, 90.5s.
fn length(seconds: Seconds) -> String {
    let mut text = String::new();
    if seconds.nanos != 0 || seconds.whole == 0 {
        seconds.write_length(&mut text);
        return text;
    }
    let whole = seconds.whole.unsigned_abs();
    text.push_str(if seconds.whole < 0 { "-" } else { "" });
    for (number, unit) in [(whole / 3600, 'h'), (whole / 60 % 60, 'm'), (whole % 60, 's')] {
        if number > 0 {
            text.push_str(&number.to_string());
            text.push(unit);
        }
    }
    text
}

/// How an operation on values is written.
enum Written {
    Operator(&'static str),
    Function(&'static str),
    Method(&'static str),
}

fn written(op: Op) -> Option<Written> {
    use Written::{Function, Method, Operator};
    Some(match op {
        Op::Eq => Operator("=="),
        Op::Lt => Operator("<"),
        Op::Le => Operator("<="),
        Op::In => Operator("in"),
        Op::Add => Operator("+"),
        Op::Sub => Operator("-"),
        Op::Mul => Operator("*"),
        Op::Div => Operator("/"),
        Op::Rem => Operator("%"),
        Op::Size => Function("size"),
        Op::ToBool => Function("bool"),
        Op::ToInt => Function("int"),
        Op::ToUint => Function("uint"),
        Op::ToDouble => Function("double"),
        Op::ToString => Function("string"),
        Op::ToTimestamp => Function("timestamp"),
        Op::ToDuration => Function("duration"),
        Op::ToVersion => Function("version"),
        Op::ToIp => Function("ip"),
        Op::ToCidr => Function("cidr"),
        Op::StartsWith => Method("startsWith"),
        Op::EndsWith => Method("endsWith"),
        Op::Contains => Method("contains"),
        Op::Glob => Method("glob"),
        Op::LowerAscii => Method("lowerAscii"),
        Op::UpperAscii => Method("upperAscii"),
        Op::Trim => Method("trim"),
        Op::Split => Method("split"),
        Op::ContainsIp => Method("containsIP"),
        Op::FullYear => Method("getFullYear"),
        Op::Month => Method("getMonth"),
        Op::Date => Method("getDate"),
        Op::DayOfMonth => Method("getDayOfMonth"),
        Op::DayOfWeek => Method("getDayOfWeek"),
        Op::DayOfYear => Method("getDayOfYear"),
        Op::Hours => Method("getHours"),
        Op::Minutes => Method("getMinutes"),
        Op::Seconds => Method("getSeconds"),
        Op::Milliseconds => Method("getMilliseconds"),
        _ => return None,
    })
}

impl Reader<'_> {
    fn node(&mut self, node: u32, depth: u32) -> Node {
        let cut = || made(NodeKind::Name(CUT.to_owned()));
        let Some((op, a, b)) = self.program.node(node).filter(|_| depth < MAX_DEPTH && self.left > 0) else { return cut() };
        self.left -= 1;
        let depth = depth + 1;
        let bits = u64::from(a) | u64::from(b) << 32;
        match op {
            Op::Bool => made(NodeKind::Bool(a != 0)),
            Op::Int => made(NodeKind::Int(bits as i64)),
            Op::Uint => made(NodeKind::Uint(bits)),
            Op::Double => double(f64::from_bits(bits)),
            Op::String => string(self.program.text(a)),
            Op::Timestamp | Op::Duration => {
                let Some((Op::Int, low, high)) = self.program.node(a) else { return cut() };
                let seconds = Seconds { whole: (u64::from(low) | u64::from(high) << 32) as i64, nanos: b.min(999_999_999) };
                if op == Op::Duration {
                    return function("duration", vec![string(&length(seconds))]);
                }
                let mut text = String::new();
                seconds.write_instant(&mut text);
                function("timestamp", vec![string(&text)])
            }
            Op::List | Op::Constants => made(NodeKind::List(self.nodes(a, b, depth))),
            Op::Map => {
                let mut items = self.nodes(a, b.saturating_mul(2), depth).into_iter();
                let mut entries = Vec::new();
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    entries.push((key, value));
                }
                made(NodeKind::Map(entries))
            }
            Op::Field => path(self.program.field_path(a)),
            Op::Has => function("has", vec![path(self.program.field_path(a))]),
            Op::HasKey => {
                let key = name(self.program.text(b));
                function("has", vec![made(NodeKind::Select(Box::new(self.node(a, depth)), key))])
            }
            Op::Audience => made(NodeKind::Name(self.program.audience_name(a).to_owned())),
            Op::Variable => made(NodeKind::Name(self.variable(a))),
            Op::And => made(NodeKind::And(self.chain(op, node, depth))),
            Op::Or => made(NodeKind::Or(self.chain(op, node, depth))),
            Op::Not => match self.node(a, depth).kind {
                NodeKind::Binary { operator: "==", left, right } => binary("!=", *left, *right),
                kind => made(NodeKind::Not(Box::new(made(kind)))),
            },
            Op::Neg => made(NodeKind::Negate(Box::new(self.node(a, depth)))),
            Op::Conditional => {
                let condition = self.node(a, depth);
                let mut results = self.nodes(b, 2, depth).into_iter();
                let (then, otherwise) = (results.next().unwrap_or_else(cut), results.next().unwrap_or_else(cut));
                made(NodeKind::Conditional(Box::new([condition, then, otherwise])))
            }
            Op::All => self.fold("all", a, b, depth),
            Op::Exists => self.fold("exists", a, b, depth),
            Op::ExistsOne => self.fold("exists_one", a, b, depth),
            Op::Filter => self.fold("filter", a, b, depth),
            Op::MapItems => self.fold("map", a, b, depth),
            Op::Index => self.index(a, b, depth),
            Op::SplitLimit => {
                let mut operands = self.nodes(a, b, depth).into_iter();
                method(operands.next().unwrap_or_else(cut), "split", operands.collect())
            }
            // The visitor's place are the first two.
            Op::Distance => method(path("geo"), "distance_km", self.nodes(a.saturating_add(2), b.saturating_sub(2), depth)),
            op => self.apply(op, a, b, depth).unwrap_or_else(cut),
        }
    }

    fn nodes(&mut self, start: u32, len: u32, depth: u32) -> Vec<Node> {
        let mut nodes = Vec::new();
        for item in self.program.list_items(start, len) {
            // A forged list may be as long as a number.
            if self.left == 0 {
                break;
            }
            nodes.push(self.node(item, depth));
        }
        nodes
    }

    /// The operands of a chain of `&&` or `||`, which the compiler made a balanced tree of.
    fn chain(&mut self, op: Op, root: u32, depth: u32) -> Vec<Node> {
        let parts = parts(self.program, op, root);
        parts.into_iter().map(|part| self.node(part, depth)).collect()
    }

    fn fold(&mut self, called: &str, list: u32, pair: u32, depth: u32) -> Node {
        let list = self.node(list, depth);
        let mut items = self.program.list_items(pair, 2);
        let (variable, body) = (items.next().unwrap_or(NONE), items.next().unwrap_or(NONE));
        let variable = made(NodeKind::Name(self.variable(variable)));
        method(list, called, vec![variable, self.node(body, depth)])
    }

    /// The name of the item of a macro, which a program has by number: x, y, z, x3, x4, and so on, without those that are
    /// audiences.
    fn variable(&self, number: u32) -> String {
        let names = ["x", "y", "z"].into_iter().map(str::to_owned).chain((3u32..).map(|number| format!("x{number}")));
        let audiences = 0..self.program.audience_count() as u32;
        let free = |name: &String| audiences.clone().all(|audience| self.program.audience_name(audience) != name);
        // A macro stands within at most as many as an expression is deep.
        names.filter(free).nth(number.min(MAX_DEPTH) as usize).unwrap_or_default()
    }

    fn index(&mut self, operand: u32, index: u32, depth: u32) -> Node {
        let (operand, index) = (self.node(operand, depth), self.node(index, depth));
        match index.kind {
            NodeKind::String(key) if is_plain(&key) => made(NodeKind::Select(Box::new(operand), name(&key))),
            _ => made(NodeKind::Index(Box::new(operand), Box::new(index))),
        }
    }

    fn apply(&mut self, op: Op, a: u32, b: u32, depth: u32) -> Option<Node> {
        let written = written(op)?;
        let left = self.node(a, depth);
        let right = if b == NONE { None } else { Some(self.node(b, depth)) };
        Some(match (written, right) {
            // `a > 5` is kept as `5 < a`.
            (Written::Operator(operator @ ("<" | "<=")), Some(right)) if is_constant(&left) && !is_constant(&right) => {
                binary(if operator == "<" { ">" } else { ">=" }, right, left)
            }
            (Written::Operator(operator), Some(right)) => binary(operator, left, right),
            (Written::Operator(_), None) => return None,
            (Written::Function(called), right) => function(called, [left].into_iter().chain(right).collect()),
            (Written::Method(called), right) => method(left, called, right.into_iter().collect()),
        })
    }
}

/// The operands of a chain of `&&` or `||`, in their order.
pub(super) fn parts(program: &Program, op: Op, root: u32) -> Vec<u32> {
    let mut parts = Vec::new();
    // Nodes to be looked at, the next one last.
    let mut open = vec![root];
    let mut left = MAX_NODES;
    while let Some(node) = open.pop() {
        match program.node(node) {
            Some((found, a, b)) if found == op && left > 0 => {
                left -= 1;
                open.extend([b, a]);
            }
            _ => parts.push(node),
        }
    }
    parts
}

/// The nodes that a node takes its value from, in their order; of the lists that are all constants none.
pub(super) fn operands(program: &Program, node: u32) -> Vec<u32> {
    let Some((op, a, b)) = program.node(node) else { return Vec::new() };
    // A forged list may be as long as a number.
    let items = |start: u32, len: u32| program.list_items(start, len).take(MAX_NODES as usize);
    match op {
        Op::Bool | Op::Int | Op::Uint | Op::Double | Op::String | Op::Timestamp | Op::Duration => Vec::new(),
        Op::Constants | Op::Field | Op::Has | Op::Variable => Vec::new(),
        Op::List | Op::SplitLimit | Op::Distance => items(a, b).collect(),
        Op::Map => items(a, b.saturating_mul(2)).collect(),
        Op::Audience => program.audience_node(a).into_iter().collect(),
        Op::Conditional => [a].into_iter().chain(items(b, 2)).collect(),
        Op::All | Op::Exists | Op::ExistsOne | Op::Filter | Op::MapItems => {
            [a].into_iter().chain(items(b, 2).skip(1)).collect()
        }
        Op::HasKey => vec![a],
        _ => [a, b].into_iter().filter(|operand| *operand != NONE).collect(),
    }
}

fn double(number: f64) -> Node {
    if number.is_finite() {
        return made(NodeKind::Double(number));
    }
    let text = if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    };
    function("double", vec![string(text)])
}
