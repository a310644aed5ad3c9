//! What an expression is worth, by walking its tree: simple, slow, and with nothing in common with the evaluator.

use idoine::expr::{Constant, Node, NodeKind};
use std::cmp::Ordering;
use std::collections::HashMap;

#[derive(Debug, Clone)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

/// Why there is no value. What is missing outweighs what fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    Failed,
    Missing,
}

pub type Worth = Result<Value, Lack>;

impl Value {
    pub fn of(constant: &Constant) -> Value {
        match constant {
            Constant::Bool(value) => Value::Bool(*value),
            Constant::Int(number) => Value::Int(*number),
            Constant::Uint(number) => Value::Uint(*number),
            Constant::Double(number) => Value::Double(*number),
            Constant::String(text) => Value::Text(text.clone()),
            Constant::List(items) => Value::List(items.iter().map(Value::of).collect()),
            Constant::Map(entries) => {
                Value::Map(entries.iter().map(|(key, value)| (Value::of(key), Value::of(value))).collect())
            }
            other => panic!("{other:?} is not part of what is walked"),
        }
    }

    /// The same, to the last bit; but any NaN is another.
    pub fn is(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Double(one), Value::Double(other)) => one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan(),
            (Value::List(one), Value::List(other)) => one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.is(b)),
            (Value::Map(one), Value::Map(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.0.is(&b.0) && a.1.is(&b.1))
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other) && equal(self, other),
        }
    }
}

/// The values of fields and other names; a field that is not here is missing.
pub struct Scope {
    names: HashMap<String, Value>,
    variables: Vec<(String, Value)>,
    /// Nodes that were evaluated, once for each item of a macro.
    pub steps: u64,
}

/// What the walked language has of fields.
pub const FIELDS: &[&str] = &[
    "geo.is_eu",
    "privacy.gpc",
    "time.hour",
    "network.asn",
    "geo.latitude",
    "geo.longitude",
    "geo.country",
    "geo.city",
    "language.accepted",
    "page.query",
];

impl Scope {
    pub fn new(names: HashMap<String, Value>) -> Scope {
        Scope { names, variables: Vec::new(), steps: 0 }
    }

    fn lookup(&self, node: &Node) -> Option<Worth> {
        let path = node.path()?;
        if let [name] = path.as_slice()
            && let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| known == name)
        {
            return Some(Ok(value.clone()));
        }
        let path = path.join(".");
        match self.names.get(&path) {
            Some(value) => Some(Ok(value.clone())),
            None => FIELDS.contains(&path.as_str()).then_some(Err(Lack::Missing)),
        }
    }

    pub fn walk(&mut self, node: &Node) -> Worth {
        self.steps += 1;
        if let Some(worth) = self.lookup(node) {
            return worth;
        }
        match &node.kind {
            NodeKind::Bool(value) => Ok(Value::Bool(*value)),
            NodeKind::Int(number) => Ok(Value::Int(*number)),
            NodeKind::Uint(number) => Ok(Value::Uint(*number)),
            NodeKind::Double(number) => Ok(Value::Double(*number)),
            NodeKind::String(text) => Ok(Value::Text(text.clone())),
            NodeKind::List(items) => Ok(Value::List(self.all_of(items)?)),
            NodeKind::Map(entries) => self.map(entries),
            NodeKind::Name(name) => panic!("nothing is named {name}"),
            NodeKind::Select(operand, name) => item(&self.walk(operand)?, &Value::Text(name.text.clone())),
            NodeKind::Index(operand, index) => {
                let [operand, index] = self.both(operand, index)?;
                item(&operand, &index)
            }
            NodeKind::Call { name, receiver: None, arguments } if name.text == "has" => self.has(&arguments[0]),
            NodeKind::Call { name, receiver: Some(list), arguments } if is_macro(&name.text) => {
                self.fold(&name.text, list, arguments)
            }
            NodeKind::Call { name, receiver, arguments } => {
                let operands: Vec<&Node> = receiver.as_deref().into_iter().chain(arguments).collect();
                call(&name.text, &self.all_of(operands)?)
            }
            NodeKind::Not(operand) => Ok(Value::Bool(!truth(&self.walk(operand)?))),
            NodeKind::Negate(operand) => match self.walk(operand)? {
                Value::Int(number) => int(-i128::from(number)),
                Value::Double(number) => Ok(Value::Double(-number)),
                other => panic!("-{other:?}"),
            },
            NodeKind::Binary { operator: "in", left, right } if matches!(right.kind, NodeKind::List(_)) => {
                self.is_in(left, right)
            }
            NodeKind::Binary { operator, left, right } => {
                let [left, right] = self.both(left, right)?;
                binary(operator, left, right)
            }
            NodeKind::And(items) => self.absorb(items, false),
            NodeKind::Or(items) => self.absorb(items, true),
            NodeKind::Conditional(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                if truth(&self.walk(condition)?) { self.walk(then) } else { self.walk(otherwise) }
            }
        }
    }

    /// In a list that is written out what equals one item is in it, whatever another one lacks.
    fn is_in(&mut self, value: &Node, list: &Node) -> Worth {
        let NodeKind::List(items) = &list.kind else { panic!("{list:?}") };
        let value = self.walk(value);
        let items: Vec<Worth> = items.iter().map(|item| self.walk(item)).collect();
        if let Ok(value) = &value
            && items.iter().flatten().any(|item| equal(item, value))
        {
            return Ok(Value::Bool(true));
        }
        let lack = items.iter().chain([&value]).filter_map(|worth| worth.as_ref().err()).max();
        lack.map_or(Ok(Value::Bool(false)), |lack| Err(*lack))
    }

    /// All values, or the weightiest lack.
    fn all_of<'n>(&mut self, nodes: impl IntoIterator<Item = &'n Node>) -> Result<Vec<Value>, Lack> {
        let worths: Vec<Worth> = nodes.into_iter().map(|node| self.walk(node)).collect();
        match worths.iter().filter_map(|worth| worth.as_ref().err()).max() {
            Some(lack) => Err(*lack),
            None => worths.into_iter().collect(),
        }
    }

    fn both(&mut self, left: &Node, right: &Node) -> Result<[Value; 2], Lack> {
        Ok(self.all_of([left, right])?.try_into().unwrap())
    }

    fn absorb(&mut self, items: &[Node], absorbing: bool) -> Worth {
        let worths: Vec<Worth> = items.iter().map(|item| self.walk(item)).collect();
        absorbed(worths, absorbing)
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Worth {
        let parts = self.all_of(entries.iter().flat_map(|(key, value)| [key, value]))?;
        let mut map: Vec<(Value, Value)> = Vec::new();
        for pair in parts.chunks(2) {
            if map.iter().any(|(key, _)| equal(key, &pair[0])) {
                return Err(Lack::Failed);
            }
            map.push((pair[0].clone(), pair[1].clone()));
        }
        Ok(Value::Map(map))
    }

    fn has(&mut self, field: &Node) -> Worth {
        match (self.lookup(field), &field.kind) {
            (Some(worth), _) => Ok(Value::Bool(worth.is_ok())),
            (None, NodeKind::Select(map, key)) => {
                let map = self.walk(map)?;
                Ok(Value::Bool(item(&map, &Value::Text(key.text.clone())).is_ok()))
            }
            _ => panic!("has({field:?})"),
        }
    }

    fn fold(&mut self, name: &str, list: &Node, arguments: &[Node]) -> Worth {
        let items = match self.walk(list)? {
            Value::List(items) => items,
            Value::Map(entries) => entries.into_iter().map(|(key, _)| key).collect(),
            other => panic!("{other:?}.{name}"),
        };
        let NodeKind::Name(variable) = &arguments[0].kind else { panic!("{arguments:?}") };
        let mut each = |items: &[Value], body: &Node| -> Vec<Worth> {
            let worth = |item: &Value| {
                self.variables.push((variable.clone(), item.clone()));
                let worth = self.walk(body);
                self.variables.pop();
                worth
            };
            items.iter().map(worth).collect()
        };
        let mut filtered = |items: Vec<Value>, condition: &Node| -> Result<Vec<Value>, Lack> {
            let kept = values(each(&items, condition))?;
            Ok(items.into_iter().zip(kept).filter(|(_, kept)| truth(kept)).map(|(item, _)| item).collect())
        };
        match (name, &arguments[1..]) {
            ("all", [body]) => absorbed(each(&items, body), false),
            ("exists", [body]) => absorbed(each(&items, body), true),
            ("exists_one", [body]) => Ok(Value::Bool(filtered(items, body)?.len() == 1)),
            ("filter", [body]) => filtered(items, body).map(Value::List),
            ("map", [body]) => values(each(&items, body)).map(Value::List),
            ("map", [condition, body]) => {
                let kept = filtered(items, condition)?;
                values(each(&kept, body)).map(Value::List)
            }
            _ => panic!("{name} of {} arguments", arguments.len()),
        }
    }
}

fn is_macro(name: &str) -> bool {
    ["all", "exists", "exists_one", "filter", "map"].contains(&name)
}

fn values(worths: Vec<Worth>) -> Result<Vec<Value>, Lack> {
    match worths.iter().filter_map(|worth| worth.as_ref().err()).max() {
        Some(lack) => Err(*lack),
        None => worths.into_iter().collect(),
    }
}

/// The absorbing value if one of them is it, else the weightiest lack, else the other value.
fn absorbed(worths: Vec<Worth>, absorbing: bool) -> Worth {
    if worths.iter().any(|worth| matches!(worth, Ok(Value::Bool(value)) if *value == absorbing)) {
        return Ok(Value::Bool(absorbing));
    }
    values(worths)?;
    Ok(Value::Bool(!absorbing))
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        other => panic!("{other:?} is no truth"),
    }
}

fn int(number: i128) -> Worth {
    i64::try_from(number).map(Value::Int).map_err(|_| Lack::Failed)
}

fn uint(number: i128) -> Worth {
    u64::try_from(number).map(Value::Uint).map_err(|_| Lack::Failed)
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let whole = |value: &Value| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    let double = |value: &Value| match value {
        Value::Double(number) => Some(*number),
        value => whole(value).map(|number| number as f64),
    };
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.chars().cmp(right.chars())),
        _ => match (whole(left), whole(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => double(left)?.partial_cmp(&double(right)?),
        },
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            let found =
                |(key, value): &(Value, Value)| right.iter().any(|other| equal(key, &other.0) && equal(value, &other.1));
            left.len() == right.len() && left.iter().all(found)
        }
        _ => order(left, right) == Some(Ordering::Equal),
    }
}

fn item(of: &Value, at: &Value) -> Worth {
    let found = match (of, at) {
        (Value::List(items), Value::Int(index)) => usize::try_from(*index).ok().and_then(|index| items.get(index)),
        (Value::Map(entries), key) => entries.iter().find(|(known, _)| equal(known, key)).map(|(_, value)| value),
        _ => panic!("{of:?}[{at:?}]"),
    };
    found.cloned().ok_or(Lack::Failed)
}

fn binary(operator: &str, left: Value, right: Value) -> Worth {
    let ordered = |accepts: fn(Ordering) -> bool| Ok(Value::Bool(order(&left, &right).is_some_and(accepts)));
    match operator {
        "==" => return Ok(Value::Bool(equal(&left, &right))),
        "!=" => return Ok(Value::Bool(!equal(&left, &right))),
        "<" => return ordered(Ordering::is_lt),
        "<=" => return ordered(Ordering::is_le),
        ">" => return ordered(Ordering::is_gt),
        ">=" => return ordered(Ordering::is_ge),
        "in" => {
            return Ok(Value::Bool(match right {
                Value::List(items) => items.iter().any(|item| equal(item, &left)),
                map => item(&map, &left).is_ok(),
            }));
        }
        _ => {}
    }
    let whole = |left: i128, right: i128| match operator {
        "+" => Ok(left + right),
        "-" => Ok(left - right),
        "*" => left.checked_mul(right).ok_or(Lack::Failed),
        "/" => left.checked_div(right).ok_or(Lack::Failed),
        // The quotient must fit too.
        "%" => left.checked_rem(right).filter(|_| right != -1 || left != i128::from(i64::MIN)).ok_or(Lack::Failed),
        other => panic!("{other}"),
    };
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => int(whole(left.into(), right.into())?),
        (Value::Uint(left), Value::Uint(right)) => uint(whole(left.into(), right.into())?),
        (Value::Double(left), Value::Double(right)) => Ok(Value::Double(match operator {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" => left / right,
            other => panic!("{other} of doubles"),
        })),
        (Value::Text(left), Value::Text(right)) if operator == "+" => limited(left + &right),
        (Value::List(mut left), Value::List(right)) if operator == "+" => {
            left.extend(right);
            if left.len() > 256 { Err(Lack::Failed) } else { Ok(Value::List(left)) }
        }
        (left, right) => panic!("{left:?} {operator} {right:?}"),
    }
}

fn limited(text: String) -> Worth {
    if text.len() > 65_536 { Err(Lack::Failed) } else { Ok(Value::Text(text)) }
}

fn call(name: &str, operands: &[Value]) -> Worth {
    use Value::{Bool, Double, Int, List, Map, Text, Uint};
    Ok(match (name, operands) {
        ("size", [Text(text)]) => Int(text.chars().count() as i64),
        ("size", [List(items)]) => Int(items.len() as i64),
        ("size", [Map(entries)]) => Int(entries.len() as i64),
        ("startsWith", [Text(text), Text(part)]) => Bool(text.starts_with(part)),
        ("endsWith", [Text(text), Text(part)]) => Bool(text.ends_with(part)),
        ("contains", [Text(text), Text(part)]) => Bool(text.contains(part)),
        ("lowerAscii", [Text(text)]) => Text(text.to_ascii_lowercase()),
        ("upperAscii", [Text(text)]) => Text(text.to_ascii_uppercase()),
        ("trim", [Text(text)]) => Text(text.trim().to_owned()),
        ("split", [Text(text), Text(separator)]) => split(text, separator, usize::MAX)?,
        ("split", [Text(text), Text(separator), Int(limit)]) => {
            split(text, separator, usize::try_from(*limit).unwrap_or(usize::MAX))?
        }
        ("int", [Uint(number)]) => return int(i128::from(*number)),
        // The least integer is out of range, as CEL's conformance cases have it.
        ("int", [Double(number)]) if number.trunc() > i64::MIN as f64 && number.trunc() < i64::MAX as f64 => {
            Int(*number as i64)
        }
        ("int", [Double(_)]) => return Err(Lack::Failed),
        ("int", [Text(text)]) => return text.parse().map(Int).map_err(|_| Lack::Failed),
        ("uint", [Int(number)]) => return uint(i128::from(*number)),
        ("double", [Int(number)]) => Double(*number as f64),
        ("double", [Uint(number)]) => Double(*number as f64),
        ("string", [Int(number)]) => Text(number.to_string()),
        ("string", [Uint(number)]) => Text(number.to_string()),
        ("string", [Bool(value)]) => Text(value.to_string()),
        ("bool", [Text(text)]) => match text.as_str() {
            "1" | "t" | "true" | "TRUE" | "True" => Bool(true),
            "0" | "f" | "false" | "FALSE" | "False" => Bool(false),
            _ => return Err(Lack::Failed),
        },
        _ => panic!("{name}({operands:?})"),
    })
}

fn split(text: &str, separator: &str, limit: usize) -> Worth {
    let parts: Vec<String> = if limit == 0 || (separator.is_empty() && text.is_empty()) {
        Vec::new()
    } else if separator.is_empty() {
        let mut parts: Vec<String> = text.chars().map(String::from).collect();
        let rest = parts.split_off(parts.len().min(limit));
        if let Some(last) = parts.last_mut() {
            last.push_str(&rest.concat());
        }
        parts
    } else {
        text.splitn(limit, separator).map(str::to_owned).collect()
    };
    if parts.len() > 256 { Err(Lack::Failed) } else { Ok(Value::List(parts.into_iter().map(Value::Text).collect())) }
}
