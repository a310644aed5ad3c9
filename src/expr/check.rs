//! Types and names: every path is a field or an audience, every operator gets operands of its types.

use super::{ExprError, Node, NodeKind};
use crate::context::Kind;
use crate::diagnostic::nearest;
use crate::program::layout::Op;

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A single value.
    One(Kind),
    /// A list written as `[...]`, with the type of its items; `None` when it is empty.
    List(Option<Kind>),
}

impl Type {
    fn name(self) -> String {
        match self {
            Type::One(Kind::Strings) | Type::List(Some(Kind::String)) => "list of string".to_owned(),
            Type::One(kind) => kind.name().to_owned(),
            Type::List(Some(kind)) => format!("list of {}", kind.name()),
            Type::List(None) => "list".to_owned(),
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Type::One(Kind::Int | Kind::Double))
    }
}

/// The names that an expression may use.
pub trait Env {
    /// The number and type of the field of that path.
    fn field(&self, path: &str) -> Option<(u32, Kind)>;
    /// The only values of a field, where they are declared.
    fn values(&self, field: u32) -> Option<Vec<&str>>;
    /// The number of the audience of that name.
    fn audience(&self, name: &str) -> Option<u32>;
    /// All field paths and audience names, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Checked {
    /// A constant.
    Bool(bool),
    /// A constant.
    Int(i64),
    /// A constant.
    Double(f64),
    /// A constant.
    String(String),
    /// A list of expressions.
    List(Vec<Checked>),
    /// The value of a field.
    Field(u32),
    /// Whether a field is present.
    Has(u32),
    /// A named audience.
    Audience(u32),
    /// Negation.
    Not(Box<Checked>),
    /// An operation on two operands.
    #[allow(private_interfaces)] // Operations are the program's own numbering.
    Binary(Op, Box<Checked>, Box<Checked>),
}

const METHODS: &[(&str, Op)] = &[("startsWith", Op::StartsWith), ("endsWith", Op::EndsWith), ("contains", Op::Contains)];
const TEXT: Type = Type::One(Kind::String);
const BOOL: Type = Type::One(Kind::Bool);

/// Checks an audience's expression: every name and every type; the whole must be true or false. All errors at once.
pub fn check(node: &Node, env: &dyn Env) -> Result<Checked, Vec<ExprError>> {
    let mut checker = Checker { env, errors: Vec::new() };
    match checker.of_type(node, BOOL) {
        Some(checked) if checker.errors.is_empty() => Ok(checked),
        _ => Err(checker.errors),
    }
}

struct Checker<'e> {
    env: &'e dyn Env,
    errors: Vec<ExprError>,
}

impl Checker<'_> {
    fn fail<T>(&mut self, error: ExprError) -> Option<T> {
        self.errors.push(error);
        None
    }

    fn of_type(&mut self, node: &Node, expected: Type) -> Option<Checked> {
        let (checked, found) = self.any(node)?;
        if found == expected {
            return Some(checked);
        }
        let message = format!("expected {}, found {}", expected.name(), found.name());
        let help = match (&node.kind, expected, found) {
            (NodeKind::Path(parts), BOOL, TEXT) => Some(format!("compare it: {} == '...'", parts.join("."))),
            _ => None,
        };
        self.fail(ExprError::new(node.span.clone(), message).with_help(help))
    }

    fn any(&mut self, node: &Node) -> Option<(Checked, Type)> {
        Some(match &node.kind {
            NodeKind::Bool(value) => (Checked::Bool(*value), BOOL),
            NodeKind::Int(value) => (Checked::Int(*value), Type::One(Kind::Int)),
            NodeKind::Double(value) => (Checked::Double(*value), Type::One(Kind::Double)),
            NodeKind::String(value) => (Checked::String(value.clone()), TEXT),
            NodeKind::List(items) => return self.list(items),
            NodeKind::Path(parts) => return self.path(node, parts),
            NodeKind::Call { name, name_span, method, arguments } => {
                return self.call(node, name, name_span, *method, arguments);
            }
            NodeKind::Not(operand) => (Checked::Not(Box::new(self.of_type(operand, BOOL)?)), BOOL),
            NodeKind::Binary { operator, left, right } => return self.binary(node, operator, left, right),
        })
    }

    fn list(&mut self, items: &[Node]) -> Option<(Checked, Type)> {
        let mut kind: Option<Kind> = None;
        let mut checked = Vec::with_capacity(items.len());
        for item in items {
            let Some((value, found)) = self.any(item) else { continue };
            match (kind, found) {
                (None, Type::One(first)) if first != Kind::Strings => kind = Some(first),
                (Some(first), Type::One(other)) if first == other => {}
                (Some(first), found) if found.is_number() && Type::One(first).is_number() => kind = Some(Kind::Double),
                (_, found) => {
                    let expected = kind.map_or("a single value", Kind::name);
                    let message = format!("expected {expected} like the items before it, found {}", found.name());
                    self.errors.push(ExprError::new(item.span.clone(), message));
                }
            }
            checked.push(value);
        }
        Some((Checked::List(checked), Type::List(kind)))
    }

    fn path(&mut self, node: &Node, parts: &[String]) -> Option<(Checked, Type)> {
        let path = parts.join(".");
        if let Some((field, kind)) = self.env.field(&path) {
            return Some((Checked::Field(field), Type::One(kind)));
        }
        if let Some(audience) = self.env.audience(&path) {
            return Some((Checked::Audience(audience), BOOL));
        }
        let names = self.env.names();
        let below = format!("{path}.");
        let help = nearest(&path, names.iter().map(String::as_str)).or_else(|| {
            let inside: Vec<_> = names.iter().filter(|name| name.starts_with(&below)).map(String::as_str).collect();
            (!inside.is_empty()).then(|| format!("fields of it: {}", inside.join(", ")))
        });
        self.fail(ExprError::new(node.span.clone(), format!("unknown field or audience `{path}`")).with_help(help))
    }

    fn call(
        &mut self,
        node: &Node,
        name: &str,
        name_span: &std::ops::Range<usize>,
        method: bool,
        arguments: &[Node],
    ) -> Option<(Checked, Type)> {
        if name == "has" && !method {
            return match arguments {
                [field @ Node { kind: NodeKind::Path(parts), span }] => match self.path(field, parts)? {
                    (Checked::Field(field), _) => Some((Checked::Has(field), BOOL)),
                    _ => self.fail(ExprError::new(span.clone(), "has() takes a field, not an audience")),
                },
                _ => self.fail(ExprError::new(node.span.clone(), "has() takes one field, such as has(geo.country)")),
            };
        }
        let known = METHODS.iter().find(|(known, _)| *known == name && method);
        match (known, arguments) {
            (Some((_, op)), [text, part]) => {
                let (text, part) = (self.of_type(text, TEXT), self.of_type(part, TEXT));
                Some((Checked::Binary(*op, Box::new(text?), Box::new(part?)), BOOL))
            }
            (Some(_), _) => self.fail(ExprError::new(node.span.clone(), format!("{name}() takes one text"))),
            (None, _) => {
                let help = nearest(name, METHODS.iter().map(|(name, _)| *name).chain(["has"])).or_else(|| {
                    Some(
                        "known functions: has(field), text.startsWith(text), text.endsWith(text), text.contains(text)"
                            .to_owned(),
                    )
                });
                self.fail(ExprError::new(name_span.clone(), format!("unknown function `{name}`")).with_help(help))
            }
        }
    }

    fn binary(&mut self, node: &Node, operator: &str, left: &Node, right: &Node) -> Option<(Checked, Type)> {
        let op = match operator {
            "&&" | "||" => {
                let op = if operator == "&&" { Op::And } else { Op::Or };
                let (left, right) = (self.of_type(left, BOOL), self.of_type(right, BOOL));
                return Some((Checked::Binary(op, Box::new(left?), Box::new(right?)), BOOL));
            }
            "==" => Op::Eq,
            "!=" => Op::Ne,
            "<" => Op::Lt,
            "<=" => Op::Le,
            ">" => Op::Gt,
            ">=" => Op::Ge,
            _ => Op::In,
        };
        let (a, b) = (self.any(left), self.any(right));
        let ((a, a_type), (b, b_type)) = (a?, b?);
        let same = |a: Type, b: Type| a == b || (a.is_number() && b.is_number());
        let fits = match op {
            Op::In => match b_type {
                Type::One(Kind::Strings) => a_type == TEXT,
                Type::List(None) => matches!(a_type, Type::One(_)),
                Type::List(Some(kind)) => same(a_type, Type::One(kind)),
                Type::One(_) => false,
            },
            Op::Eq | Op::Ne => matches!(a_type, Type::One(kind) if kind != Kind::Strings) && same(a_type, b_type),
            _ => (a_type == TEXT || a_type.is_number()) && same(a_type, b_type),
        };
        if !fits {
            let message = format!("`{operator}` does not go with {} and {}", a_type.name(), b_type.name());
            let help = match (op, a_type, b_type) {
                (Op::In, _, Type::One(_)) => Some("the right side of `in` is a list: ['a', 'b']".to_owned()),
                (Op::Eq, TEXT, Type::List(_) | Type::One(Kind::Strings)) => {
                    Some("write `in` to look for a value in a list".to_owned())
                }
                (_, Type::One(Kind::String), Type::One(Kind::Int)) => Some("write texts in quotes".to_owned()),
                _ => None,
            };
            return self.fail(ExprError::new(node.span.clone(), message).with_help(help));
        }
        self.check_values(&a, right);
        self.check_values(&b, left);
        Some((Checked::Binary(op, Box::new(a), Box::new(b)), BOOL))
    }

    /// A field with declared values is compared only with those.
    fn check_values(&mut self, field: &Checked, other: &Node) {
        let Checked::Field(field) = field else { return };
        let env = self.env;
        let Some(values) = env.values(*field) else { return };
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
