//! Values that are worth a try where a clause asks for something of a field.

use super::domain::Domain;
use super::must::{Asker, MAX_VALUES, Must, Relation};
use super::tree;
use crate::context::{Kind, Value};
use crate::eval::{Arena, Operand, utf8, value};

/// A text that is tried where any but some would do.
const OTHER: &str = "other";
/// A version that is tried where one below another would do.
const LOWEST: &str = "0";

impl Asker<'_> {
    /// Values of its field that may be what a clause asks for. Whether they are is seen by evaluating it.
    pub(super) fn candidates(&self, must: &Must, domain: &Domain) -> Vec<Option<Value>> {
        let Some(target) = &must.target else { return Vec::new() };
        let Some(kind) = self.program.field_kind(target.field) else { return Vec::new() };
        let mut values = Vec::new();
        if must.relation == Relation::Absent {
            values.push(None);
        }
        if must.nodes.is_empty() {
            values.extend(samples(kind).into_iter().map(Some));
        }
        for node in must.nodes.iter().take(MAX_VALUES) {
            let arena = Arena::default();
            let constant = value(self.program, self.context, *node, &arena);
            values.extend(near(kind, constant).into_iter().map(Some));
        }
        values.extend(domain.known.iter().cloned().map(Some));
        values.retain(|value| value.as_ref().is_none_or(|value| domain.has(value)));
        let current = self.context.get(target.field);
        match (kind, &target.key) {
            (Kind::Strings, _) => values.into_iter().map(|value| in_list(value, current, must.relation, domain)).collect(),
            (Kind::Map, Some(key)) => values.into_iter().map(|value| in_map(key, value, current)).collect(),
            _ => values,
        }
    }
}

/// Any values of a kind; of a list and a map those of its items.
fn samples(kind: Kind) -> Vec<Value> {
    match kind {
        Kind::Bool => vec![Value::Bool(true), Value::Bool(false)],
        Kind::Int => vec![Value::Int(1)],
        Kind::Double => vec![Value::Double(1.0)],
        Kind::Timestamp => vec![Value::Timestamp(0)],
        Kind::String | Kind::Strings | Kind::Map => vec![Value::String("x".to_owned())],
    }
}

/// A constant as a value of that kind, and its neighbours; of a list and a map as one of its items.
fn near(kind: Kind, constant: Operand<'_>) -> Vec<Value> {
    let text = |text: &str| Value::String(text.to_owned());
    match (kind, constant) {
        (Kind::Bool, Operand::Bool(value)) => vec![Value::Bool(value), Value::Bool(!value)],
        (Kind::Int, Operand::Int(number)) => {
            vec![Value::Int(number), Value::Int(number.saturating_add(1)), Value::Int(number.saturating_sub(1))]
        }
        (Kind::Int, Operand::Double(number)) => {
            vec![
                Value::Int(number as i64),
                Value::Int((number as i64).saturating_add(1)),
                Value::Int((number as i64).saturating_sub(1)),
            ]
        }
        (Kind::Double, constant) => match crate::eval::number(constant) {
            Some(number) if number.is_finite() => {
                vec![Value::Double(number), Value::Double(number + 1.0), Value::Double(number - 1.0)]
            }
            _ => Vec::new(),
        },
        (Kind::Timestamp, Operand::Timestamp(at)) => {
            let ms = at.seconds().millis();
            vec![Value::Timestamp(ms), Value::Timestamp(ms.saturating_add(1000)), Value::Timestamp(ms.saturating_sub(1000))]
        }
        (Kind::String | Kind::Strings | Kind::Map, Operand::Text(found) | Operand::Version(found)) => {
            let found = utf8(found);
            // A pattern's own stars match, but nobody would write them.
            let mut texts = vec![text(&found.replace('*', "")), text(found), text(OTHER)];
            if matches!(constant, Operand::Version(_)) {
                texts.push(text(LOWEST));
            }
            texts
        }
        // What a text is converted to.
        (Kind::String | Kind::Map, constant) => match tree::operand_text(constant) {
            Some(written) => vec![text(written.split('\'').nth(1).unwrap_or(&written))],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// A list with that item, or without.
fn in_list(item: Option<Value>, current: Option<&Value>, relation: Relation, domain: &Domain) -> Option<Value> {
    let Some(Value::String(item)) = item else { return item };
    let mut items = match current {
        Some(Value::Strings(items)) => items.clone(),
        _ => Vec::new(),
    };
    items.retain(|known| *known != item);
    if relation != Relation::ContainsNot {
        items.push(item);
    } else if items.is_empty() {
        // An empty list can't be written as an override.
        let others = domain.known.iter().cloned().chain([Value::String(OTHER.to_owned())]);
        items.extend(others.filter(|other| domain.has(other)).find_map(|other| match other {
            Value::String(text) if text != item => Some(text),
            _ => None,
        }));
    }
    Some(Value::Strings(items))
}

/// A map in which a key has that value, or none.
fn in_map(key: &str, value: Option<Value>, current: Option<&Value>) -> Option<Value> {
    let mut pairs = match current {
        Some(Value::Map(pairs)) => pairs.clone(),
        _ => Vec::new(),
    };
    pairs.retain(|(known, _)| known != key);
    if let Some(Value::String(text)) = value {
        pairs.push((key.to_owned(), text));
    }
    Some(Value::Map(pairs))
}
