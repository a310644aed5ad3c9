//! Types and names: every path is a field or an audience, every operator gets operands of its types.

use super::constant::Constant;
use super::functions::{FUNCTIONS, Style, resolve};
use super::tree::{Name, Node, NodeKind};
use super::types::Type;
use super::{ExprError, constant};
use crate::context::{Field, Kind};
use crate::diagnostic::nearest;
use crate::program::layout::Op;
use std::ops::Range;

/// The names that an expression may use.
pub trait Env {
    /// The number and type of the field of that path.
    fn field(&self, path: &str) -> Option<(u32, Kind)>;
    /// The only values of a field, where they are declared.
    fn values(&self, field: u32) -> Option<Vec<&str>>;
    /// The number of the audience of that name.
    fn audience(&self, name: &str) -> Option<u32>;
    /// The value that stands for a path, where one is given beforehand.
    fn given(&self, _path: &str) -> Option<&Constant> {
        None
    }
    /// The path of the field that stands for what is read of a profile, such as `profile.count('Product Viewed', '7d')`, or
    /// what is wrong with it; `None` where nothing is.
    fn reading(&self, _node: &Node) -> Option<Result<String, ExprError>> {
        None
    }
    /// Whether a field tells who the visitor is, or what is sensitive.
    fn is_personal(&self, _field: u32) -> bool {
        false
    }
    /// Whether there is a time zone of that name.
    fn has_zone(&self, name: &str) -> bool;
    /// All field paths and audience names, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// A checked expression and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What it is.
    pub kind: CheckedKind,
    /// Its bytes in the expression.
    pub span: Range<usize>,
}

impl Checked {
    /// Visits this and every part of it.
    pub fn walk<'c>(&'c self, visit: &mut dyn FnMut(&'c Checked)) {
        visit(self);
        match &self.kind {
            CheckedKind::List(items) | CheckedKind::And(items) | CheckedKind::Or(items) | CheckedKind::Apply(_, items) => {
                items.iter().for_each(|item| item.walk(visit));
            }
            CheckedKind::Map(entries) => entries.iter().for_each(|(key, value)| {
                key.walk(visit);
                value.walk(visit);
            }),
            CheckedKind::HasKey(map, _) => map.walk(visit),
            CheckedKind::Conditional(parts) => parts.iter().for_each(|part| part.walk(visit)),
            CheckedKind::Fold(_, list, _, body) => {
                list.walk(visit);
                body.walk(visit);
            }
            CheckedKind::Constant(_)
            | CheckedKind::Field(..)
            | CheckedKind::Has(_)
            | CheckedKind::Audience(_)
            | CheckedKind::Variable(..) => {}
        }
    }
}

/// What a checked expression is.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckedKind {
    /// A value that is known already.
    Constant(Constant),
    /// A list of expressions.
    List(Vec<Checked>),
    /// A map of expressions.
    Map(Vec<(Checked, Checked)>),
    /// The value of a field, and whether that has items.
    Field(u32, bool),
    /// Whether a field is present.
    Has(u32),
    /// Whether a map has a key.
    HasKey(Box<Checked>, String),
    /// A named audience.
    Audience(u32),
    /// The item that a macro looks at, by how many macros stand around it, and whether that may have items itself.
    Variable(u32, bool),
    /// All of them.
    And(Vec<Checked>),
    /// One of them.
    Or(Vec<Checked>),
    /// Condition, value if it is true, value if it is false.
    Conditional(Box<[Checked; 3]>),
    /// An operation on its operands.
    #[allow(private_interfaces)] // Operations are the program's own numbering.
    Apply(Op, Vec<Checked>),
    /// A macro over the items of a list or the keys of a map: operation, list, variable and what is evaluated for each.
    #[allow(private_interfaces)]
    Fold(Op, Box<Checked>, u32, Box<Checked>),
}

/// Checks an audience's expression: every name and every type; the whole must be true or false. All errors at once.
pub fn check(node: &Node, env: &dyn Env) -> Result<Checked, Vec<ExprError>> {
    let mut checker = Checker::new(env);
    match checker.of_type(node, &Type::Bool) {
        Some(checked) if checker.errors.is_empty() => Ok(checked),
        _ => Err(checker.errors),
    }
}

/// Checks an expression of any type. All errors at once.
pub fn check_any(node: &Node, env: &dyn Env) -> Result<(Checked, Type), Vec<ExprError>> {
    let mut checker = Checker::new(env);
    match checker.any(node) {
        Some(checked) if checker.errors.is_empty() => Ok(checked),
        _ => Err(checker.errors),
    }
}

struct Checker<'e> {
    env: &'e dyn Env,
    errors: Vec<ExprError>,
    /// The variables of the macros around, the innermost last.
    variables: Vec<(String, Type)>,
}

type Typed = (Checked, Type);

impl<'e> Checker<'e> {
    fn new(env: &'e dyn Env) -> Checker<'e> {
        Checker { env, errors: Vec::new(), variables: Vec::new() }
    }

    fn fail<T>(&mut self, error: ExprError) -> Option<T> {
        self.errors.push(error);
        None
    }

    fn of_type(&mut self, node: &Node, expected: &Type) -> Option<Checked> {
        let (checked, found) = self.any(node)?;
        if found == *expected || found == Type::Dyn {
            return Some(checked);
        }
        let message = format!("expected {}, found {}", expected.name(), found.name());
        let path = node.path().map(|path| path.join(".")).or_else(|| self.reading(node)?.ok());
        let help = match (path, expected, &found) {
            (Some(path), Type::Bool, Type::String) => Some(format!("compare it: {path} == '...'")),
            (Some(path), Type::Bool, Type::Int | Type::Double) => Some(format!("compare it: {path} > 0")),
            _ => None,
        };
        self.fail(ExprError::new(node.span.clone(), message).with_help(help))
    }

    fn any(&mut self, node: &Node) -> Option<Typed> {
        let span = node.span.clone();
        let (kind, found) = match &node.kind {
            NodeKind::Bool(value) => (CheckedKind::Constant(Constant::Bool(*value)), Type::Bool),
            NodeKind::Int(value) => (CheckedKind::Constant(Constant::Int(*value)), Type::Int),
            NodeKind::Uint(value) => (CheckedKind::Constant(Constant::Uint(*value)), Type::Uint),
            NodeKind::Double(value) => (CheckedKind::Constant(Constant::Double(*value)), Type::Double),
            NodeKind::String(value) => (CheckedKind::Constant(Constant::String(value.clone())), Type::String),
            NodeKind::List(items) => {
                let items: Vec<Option<Typed>> = items.iter().map(|item| self.any(item)).collect();
                let (items, types): (Vec<Checked>, Vec<Type>) =
                    items.into_iter().collect::<Option<Vec<_>>>()?.into_iter().unzip();
                (CheckedKind::List(items), Type::list(Type::joined(types)))
            }
            NodeKind::Map(entries) => self.map(entries)?,
            NodeKind::Name(_) => return self.path(node),
            NodeKind::Select(operand, name) => return self.select(node, operand, name),
            NodeKind::Index(operand, index) => {
                let (operand, index) = (self.any(operand), self.any(index));
                return self.apply("[]", &|style| style == Style::Operator, node, vec![operand?, index?], &[]);
            }
            NodeKind::Call { name, receiver, arguments } => return self.call(node, name, receiver.as_deref(), arguments),
            NodeKind::Not(operand) => {
                let operand = self.of_type(operand, &Type::Bool)?;
                (CheckedKind::Apply(Op::Not, vec![operand]), Type::Bool)
            }
            NodeKind::Negate(operand) => {
                let operand = self.any(operand)?;
                return self.apply("-", &|style| style == Style::Operator, node, vec![operand], &[]);
            }
            NodeKind::Binary { operator, left, right } => {
                let (a, b) = (self.any(left), self.any(right));
                let (a, b) = (a?, b?);
                self.check_values(&a.0, right);
                self.check_values(&b.0, left);
                return self.apply(operator, &|style| style == Style::Operator, node, vec![a, b], &[left, right]);
            }
            NodeKind::And(items) | NodeKind::Or(items) => {
                let items: Vec<Option<Checked>> = items.iter().map(|item| self.of_type(item, &Type::Bool)).collect();
                let items: Vec<Checked> = items.into_iter().collect::<Option<_>>()?;
                let and = matches!(node.kind, NodeKind::And(_));
                (if and { CheckedKind::And(items) } else { CheckedKind::Or(items) }, Type::Bool)
            }
            NodeKind::Conditional(parts) => self.conditional(parts)?,
        };
        Some((Checked { kind, span }, found))
    }

    fn map(&mut self, entries: &[(Node, Node)]) -> Option<(CheckedKind, Type)> {
        let checked: Vec<_> = entries.iter().map(|(key, value)| (self.any(key), self.any(value))).collect();
        let (mut items, mut keys, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for ((node, _), (key, value)) in entries.iter().zip(checked) {
            let ((key, key_type), (value, value_type)) = (key?, value?);
            if !matches!(key_type, Type::Bool | Type::Int | Type::Uint | Type::String | Type::Dyn) {
                let message = format!("a key is a bool, int, uint or string, found {}", key_type.name());
                self.errors.push(ExprError::new(node.span.clone(), message));
            }
            items.push((key, value));
            keys.push(key_type);
            values.push(value_type);
        }
        let found = Type::Map(Box::new(Type::joined(keys)), Box::new(Type::joined(values)));
        Some((CheckedKind::Map(items), found))
    }

    fn conditional(&mut self, parts: &[Node; 3]) -> Option<(CheckedKind, Type)> {
        let [condition, then, otherwise] = parts;
        let checked = self.of_type(condition, &Type::Bool);
        let (a, b) = (self.any(then), self.any(otherwise));
        let (condition, (a, a_type), (b, b_type)) = (checked?, a?, b?);
        let joined = Type::joined([a_type.clone(), b_type.clone()]);
        if joined == Type::Dyn && a_type != Type::Dyn && b_type != Type::Dyn {
            let message = format!("both results must be of one type, found {} and {}", a_type.name(), b_type.name());
            return self.fail(ExprError::new(then.span.start..otherwise.span.end, message));
        }
        Some((CheckedKind::Conditional(Box::new([condition, a, b])), joined))
    }

    /// A field, an audience, a given value or a variable, by as many names as one of them takes; the rest selects from it.
    fn path(&mut self, node: &Node) -> Option<Typed> {
        if let Some(found) = self.resolve(node) {
            return Some(found);
        }
        let path = node.path().unwrap_or_default().join(".");
        self.unknown_path(node, &path)
    }

    /// See [`Env::reading`].
    fn reading(&self, node: &Node) -> Option<Result<String, ExprError>> {
        let is_variable = self.variables.iter().any(|(name, _)| name == "profile");
        if is_variable { None } else { self.env.reading(node) }
    }

    fn unknown_path<T>(&mut self, node: &Node, path: &str) -> Option<T> {
        if let Some(Err(error)) = self.reading(node) {
            return self.fail(error);
        }
        let mut names = self.env.names();
        names.extend(self.variables.iter().map(|(name, _)| name.clone()));
        let below = format!("{path}.");
        let help = nearest(path, names.iter().map(String::as_str)).or_else(|| {
            let inside: Vec<_> = names.iter().filter(|name| name.starts_with(&below)).map(String::as_str).collect();
            (!inside.is_empty()).then(|| format!("fields of it: {}", inside.join(", ")))
        });
        self.fail(ExprError::new(node.span.clone(), format!("unknown field or audience `{path}`")).with_help(help))
    }

    fn resolve(&self, node: &Node) -> Option<Typed> {
        let Some(path) = node.path() else {
            let path = self.reading(node)?.ok()?;
            return self.named(&path, node);
        };
        let span = node.span.clone();
        let found = |kind: CheckedKind, found: Type| Some((Checked { kind, span: span.clone() }, found));
        if let [name] = path.as_slice()
            && let Some(index) = self.variables.iter().rposition(|(known, _)| known == name)
        {
            let item = self.variables.get(index)?.1.clone();
            return found(CheckedKind::Variable(index as u32, item.may_have_items()), item);
        }
        if path.first().is_some_and(|first| self.variables.iter().any(|(known, _)| known == first)) {
            return None;
        }
        self.named(&path.join("."), node)
    }

    /// A given value, a field or an audience.
    fn named(&self, path: &str, node: &Node) -> Option<Typed> {
        let (kind, found) = if let Some(constant) = self.env.given(path) {
            (CheckedKind::Constant(constant.clone()), constant.type_of())
        } else if let Some((field, kind)) = self.env.field(path) {
            let of = Type::from(kind);
            (CheckedKind::Field(field, of.may_have_items()), of)
        } else {
            (CheckedKind::Audience(self.env.audience(path)?), Type::Bool)
        };
        Some((Checked { kind, span: node.span.clone() }, found))
    }

    fn select(&mut self, node: &Node, operand: &Node, name: &Name) -> Option<Typed> {
        if let Some(found) = self.resolve(node) {
            return Some(found);
        }
        // No field of that path: then a key of a map, if what stands before it is one.
        let known = match operand.path() {
            Some(_) => self.leads_somewhere(operand),
            None => true,
        };
        if !known {
            return self.path(node);
        }
        let (checked, found) = self.any(operand)?;
        let key = Checked { kind: CheckedKind::Constant(Constant::String(name.text.clone())), span: name.span.clone() };
        let value = match found {
            Type::Map(key_type, value) if matches!(*key_type, Type::String | Type::Dyn) => *value,
            Type::Dyn => Type::Dyn,
            found => {
                let message = format!("only a map has keys; this is {}", found.name());
                let error = ExprError::new(name.span.clone(), message);
                let help = FUNCTIONS.iter().any(|f| f.name == name.text && f.style != Style::Operator);
                return self.fail(error.with_help(help.then(|| format!("call the function: .{}(...)", name.text))));
            }
        };
        Some((Checked { kind: CheckedKind::Apply(Op::Index, vec![checked, key]), span: node.span.clone() }, value))
    }

    /// Whether some beginning of a path is known.
    fn leads_somewhere(&self, node: &Node) -> bool {
        let mut node = node;
        loop {
            if self.resolve(node).is_some() {
                return true;
            }
            match &node.kind {
                NodeKind::Select(operand, _) => node = operand,
                _ => return false,
            }
        }
    }

    fn call(&mut self, node: &Node, name: &Name, receiver: Option<&Node>, arguments: &[Node]) -> Option<Typed> {
        if let Some(receiver) = receiver {
            if let Some(op) = fold_op(&name.text, arguments.len()) {
                return self.fold(node, op, receiver, arguments);
            }
            if matches!(&receiver.kind, NodeKind::Name(first) if first == "geo") && name.text == "distance_km" {
                return self.distance(node, arguments);
            }
            match self.reading(node) {
                Some(Err(error)) => return self.fail(error),
                Some(Ok(path)) => return self.named(&path, node).or_else(|| self.unknown_path(node, &path)),
                None => {}
            }
        } else if name.text == "has" {
            return self.has(node, arguments);
        }
        let style =
            |style: Style| style == Style::Both || style == if receiver.is_some() { Style::Method } else { Style::Function };
        if !FUNCTIONS.iter().any(|function| function.name == name.text && style(function.style)) {
            return self.unknown_function(name);
        }
        let nodes: Vec<&Node> = receiver.into_iter().chain(arguments).collect();
        let operands: Vec<Option<Typed>> = nodes.iter().map(|node| self.any(node)).collect();
        self.apply(&name.text, &style, node, operands.into_iter().collect::<Option<_>>()?, &nodes)
    }

    fn unknown_function<T>(&mut self, name: &Name) -> Option<T> {
        let names = FUNCTIONS.iter().filter(|function| function.style != Style::Operator).map(|function| function.name);
        let other_style = FUNCTIONS.iter().find(|function| function.name == name.text);
        let help = match other_style {
            Some(function) => Some(format!("write {}", function.signature)),
            None => nearest(&name.text, names.clone()).or_else(|| {
                let mut known: Vec<_> = names.collect();
                known.dedup();
                Some(format!("known functions: {}", known.join(", ")))
            }),
        };
        self.fail(ExprError::new(name.span.clone(), format!("unknown function `{}`", name.text)).with_help(help))
    }

    /// An entry of the table of functions that takes these operands.
    fn apply(
        &mut self,
        name: &str,
        style: &dyn Fn(Style) -> bool,
        node: &Node,
        operands: Vec<Typed>,
        nodes: &[&Node],
    ) -> Option<Typed> {
        let (mut operands, types): (Vec<Checked>, Vec<Type>) = operands.into_iter().unzip();
        let span = node.span.clone();
        let Some((op, found)) = resolve(name, style, &types) else {
            return self.no_overload(name, style, span, &types, nodes);
        };
        let kind = match op {
            // dyn(x) is x.
            None => {
                let operand = operands.into_iter().next()?;
                return Some((Checked { span, ..operand }, found));
            }
            Some(op) => {
                if style(Style::Operator) && matches!(name, ">" | ">=") {
                    operands.reverse();
                }
                self.check_zone(op, &operands);
                match constant::folded(op, &operands) {
                    Some(Ok(constant)) => CheckedKind::Constant(constant),
                    Some(Err(message)) => {
                        let at = nodes.first().map_or(span.clone(), |node| node.span.clone());
                        return self.fail(ExprError::new(at, message));
                    }
                    None => CheckedKind::Apply(op, operands),
                }
            }
        };
        let checked = Checked { kind, span: span.clone() };
        let opposite = style(Style::Operator) && name == "!=";
        let kind = if opposite { CheckedKind::Apply(Op::Not, vec![checked]) } else { checked.kind };
        Some((Checked { kind, span }, found))
    }

    fn no_overload<T>(
        &mut self,
        name: &str,
        style: &dyn Fn(Style) -> bool,
        span: Range<usize>,
        types: &[Type],
        nodes: &[&Node],
    ) -> Option<T> {
        let names: Vec<String> = types.iter().map(Type::name).collect();
        let operator = style(Style::Operator);
        let message = match (operator, name, names.as_slice()) {
            (true, "[]", [operand, index]) => format!("{operand} has no items at {index}"),
            (true, _, [one]) => format!("`{name}` does not go with {one}"),
            (true, _, _) => format!("`{name}` does not go with {}", names.join(" and ")),
            _ => format!("`{name}` does not take ({})", names.join(", ")),
        };
        let comparison =
            |node: &&Node| matches!(node.kind, NodeKind::Binary { operator: "<" | "<=" | ">" | ">=" | "==" | "!=", .. });
        let help = match (operator, name, types) {
            (true, "<" | "<=" | ">" | ">=", _) if nodes.first().is_some_and(comparison) => {
                Some("comparisons can't be chained; join them with &&".to_owned())
            }
            (true, "in", [_, Type::String]) => Some("the right side of `in` is a list: ['a', 'b']".to_owned()),
            (true, "==" | "!=", [Type::String, Type::List(_)]) => Some("write `in` to look for a value in a list".to_owned()),
            (true, "==" | "<" | "<=" | ">" | ">=", [Type::Version, Type::String] | [Type::String, Type::Version]) => {
                Some("make the text a version: version('17.2')".to_owned())
            }
            (true, "==" | "<" | "<=" | ">" | ">=", [Type::Timestamp, Type::String] | [Type::String, Type::Timestamp]) => {
                Some("make the text a timestamp: timestamp('2026-11-20T00:00:00Z')".to_owned())
            }
            (true, "==" | "!=", [Type::String, one] | [one, Type::String]) if one.is_number() => {
                Some("write texts in quotes".to_owned())
            }
            (true, _, [one, other]) if one.is_number() && other.is_number() => {
                Some(format!("convert one of them, such as {}(...)", one.name()))
            }
            _ => {
                let takes: Vec<&str> = FUNCTIONS
                    .iter()
                    .filter(|function| function.name == name && style(function.style))
                    .map(|function| function.signature)
                    .collect();
                (!takes.is_empty() && takes.len() <= 8).then(|| format!("it takes {}", takes.join(", ")))
            }
        };
        self.fail(ExprError::new(span, message).with_help(help))
    }

    fn has(&mut self, node: &Node, arguments: &[Node]) -> Option<Typed> {
        let span = node.span.clone();
        let usage = "has() takes one field, such as has(geo.country), or a key of a map, such as has(page.query.coupon)";
        let [argument] = arguments else {
            return self.fail(ExprError::new(span, usage));
        };
        if let (NodeKind::Call { .. }, Some(Err(error))) = (&argument.kind, self.reading(argument)) {
            return self.fail(error);
        }
        let done = |kind: CheckedKind| Some((Checked { kind, span: span.clone() }, Type::Bool));
        match (self.resolve(argument).map(|(checked, _)| checked.kind), &argument.kind) {
            (Some(CheckedKind::Field(field, _)), _) => done(CheckedKind::Has(field)),
            (Some(CheckedKind::Audience(_)), _) => {
                self.fail(ExprError::new(argument.span.clone(), "has() takes a field, not an audience"))
            }
            (Some(CheckedKind::Constant(_)), _) => done(CheckedKind::Constant(Constant::Bool(true))),
            (_, NodeKind::Select(operand, name)) => {
                if operand.path().is_some() && !self.leads_somewhere(operand) {
                    return self.path(argument);
                }
                let (map, found) = self.any(operand)?;
                if !matches!(&found, Type::Map(..) | Type::Dyn) {
                    let message = format!("only a map has keys; this is {}", found.name());
                    return self.fail(ExprError::new(name.span.clone(), message));
                }
                done(CheckedKind::HasKey(Box::new(map), name.text.clone()))
            }
            (None, NodeKind::Name(_)) => self.path(argument),
            _ => self.fail(ExprError::new(argument.span.clone(), usage)),
        }
    }

    /// `list.exists(item, condition)` and its like.
    fn fold(&mut self, node: &Node, op: Op, receiver: &Node, arguments: &[Node]) -> Option<Typed> {
        let list = self.any(receiver);
        let (variable, rest) = arguments.split_first()?;
        let NodeKind::Name(name) = &variable.kind else {
            return self.fail(ExprError::new(variable.span.clone(), "expected the name of the item, such as `tag`"));
        };
        let (list, found) = list?;
        let item = match &found {
            Type::List(item) => (**item).clone(),
            Type::Map(key, _) => (**key).clone(),
            Type::Dyn => Type::Dyn,
            other => {
                let message = format!("expected a list or a map, found {}", other.name());
                return self.fail(ExprError::new(receiver.span.clone(), message));
            }
        };
        let number = self.variables.len() as u32;
        self.variables.push((name.clone(), item.clone()));
        let checked = match (op, rest) {
            (Op::MapItems, [body]) => self.any(body).map(|(body, body_type)| (list, body, Type::list(body_type))),
            (Op::MapItems, [condition, body]) => {
                let (condition, body) = (self.of_type(condition, &Type::Bool), self.any(body));
                condition.zip(body).map(|(condition, (body, body_type))| {
                    let kind = CheckedKind::Fold(Op::Filter, Box::new(list), number, Box::new(condition));
                    (Checked { kind, span: receiver.span.clone() }, body, Type::list(body_type))
                })
            }
            (_, [body]) => {
                let result = if op == Op::Filter { Type::list(item) } else { Type::Bool };
                self.of_type(body, &Type::Bool).map(|body| (list, body, result))
            }
            _ => None,
        };
        self.variables.pop();
        let (list, body, found) = checked?;
        Some((Checked { kind: CheckedKind::Fold(op, Box::new(list), number, Box::new(body)), span: node.span.clone() }, found))
    }

    /// `geo.distance_km(latitude, longitude)`: the visitor's place are two more operands.
    fn distance(&mut self, node: &Node, arguments: &[Node]) -> Option<Typed> {
        let operands: Vec<Option<Typed>> = arguments.iter().map(|argument| self.any(argument)).collect();
        let operands: Vec<Typed> = operands.into_iter().collect::<Option<_>>()?;
        let nodes: Vec<&Node> = arguments.iter().collect();
        let (checked, found) = self.apply("geo.distance_km", &|style| style == Style::Function, node, operands, &nodes)?;
        let CheckedKind::Apply(op, operands) = checked.kind else { return None };
        let place = [Field::GeoLatitude, Field::GeoLongitude].map(|field| {
            let path = crate::context::FIELDS.get(field as usize).map_or("", |field| field.path);
            let kind = match self.env.given(path) {
                Some(constant) => CheckedKind::Constant(constant.clone()),
                None => CheckedKind::Field(field as u32, false),
            };
            Checked { kind, span: node.span.clone() }
        });
        let kind = CheckedKind::Apply(op, place.into_iter().chain(operands).collect());
        Some((Checked { kind, span: node.span.clone() }, found))
    }

    /// A getter's time zone, where it is written out.
    fn check_zone(&mut self, op: Op, operands: &[Checked]) {
        let [_, Checked { kind: CheckedKind::Constant(Constant::String(zone)), span }] = operands else { return };
        if op.is_getter() && !self.env.has_zone(zone) && !crate::zone::utc(zone) && crate::time::parse_offset(zone).is_none() {
            let message =
                format!("unknown time zone `{zone}`; expected an IANA name such as Europe/Paris, or an offset such as +01:00");
            self.errors.push(ExprError::new(span.clone(), message));
        }
    }

    /// A field with declared values is compared only with those.
    fn check_values(&mut self, field: &Checked, other: &Node) {
        let CheckedKind::Field(field, _) = field.kind else { return };
        let env = self.env;
        let Some(values) = env.values(field) else { return };
        let texts = match &other.kind {
            NodeKind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(other),
        };
        for node in texts {
            if let NodeKind::String(text) = &node.kind
                && !values.contains(&text.as_str())
            {
                let help = nearest(text, values.iter().copied()).or_else(|| Some(format!("its values: {}", values.join(", "))));
                let message = format!("`{text}` is no value of this field");
                self.errors.push(ExprError::new(node.span.clone(), message).with_help(help));
            }
        }
    }
}

/// The macro of that name and number of arguments.
fn fold_op(name: &str, arguments: usize) -> Option<Op> {
    Some(match (name, arguments) {
        ("all", 2) => Op::All,
        ("exists", 2) => Op::Exists,
        ("exists_one" | "existsOne", 2) => Op::ExistsOne,
        ("filter", 2) => Op::Filter,
        ("map", 2 | 3) => Op::MapItems,
        _ => return None,
    })
}
