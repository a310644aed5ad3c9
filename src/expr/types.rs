//! The types of expressions.

use crate::context::Kind;

/// The type of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// Whole number of 64 bits with a sign.
    Int,
    /// Whole number of 64 bits without a sign.
    Uint,
    /// IEEE 754 double.
    Double,
    /// Text.
    String,
    /// An instant between the years 1 and 9999, to the nanosecond.
    Timestamp,
    /// A length of time of at most some 10,000 years, to the nanosecond.
    Duration,
    /// A version such as `17.5.1` or `2.0.0-beta.3`.
    Version,
    /// An IP address.
    Ip,
    /// A range of IP addresses.
    Cidr,
    /// A list and the type of its items.
    List(Box<Type>),
    /// A map and the types of its keys and values.
    Map(Box<Type>, Box<Type>),
    /// Any type: of an empty list's items, of mixed items, of `dyn(x)`.
    Dyn,
}

impl Type {
    /// The name of the type, as CEL writes it.
    pub fn name(&self) -> String {
        match self {
            Type::Bool => "bool".to_owned(),
            Type::Int => "int".to_owned(),
            Type::Uint => "uint".to_owned(),
            Type::Double => "double".to_owned(),
            Type::String => "string".to_owned(),
            Type::Timestamp => "timestamp".to_owned(),
            Type::Duration => "duration".to_owned(),
            Type::Version => "version".to_owned(),
            Type::Ip => "ip".to_owned(),
            Type::Cidr => "cidr".to_owned(),
            Type::List(item) => format!("list({})", item.name()),
            Type::Map(key, value) => format!("map({}, {})", key.name(), value.name()),
            Type::Dyn => "dyn".to_owned(),
        }
    }

    /// A list of items of a type.
    pub fn list(item: Type) -> Type {
        Type::List(Box::new(item))
    }

    pub(super) fn may_have_items(&self) -> bool {
        matches!(self, Type::List(_) | Type::Map(..) | Type::Dyn)
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Uint | Type::Double)
    }

    /// The type of things that are of the one or of the other; `None` where no one type compares them. Numbers of all types
    /// compare with each other.
    pub(super) fn comparable(&self, other: &Type) -> Option<Type> {
        Some(match (self, other) {
            (Type::Dyn, _) | (_, Type::Dyn) => Type::Dyn,
            (one, other) if one == other => one.clone(),
            (one, other) if one.is_number() && other.is_number() => Type::Dyn,
            (Type::List(one), Type::List(other)) => Type::list(one.comparable(other)?),
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                Type::Map(Box::new(key.comparable(other_key)?), Box::new(value.comparable(other_value)?))
            }
            _ => return None,
        })
    }

    /// The type of a list's or map's items: the same for all of them, or any.
    pub(super) fn joined(types: impl IntoIterator<Item = Type>) -> Type {
        types.into_iter().reduce(|one, other| one.join(other).unwrap_or(Type::Dyn)).unwrap_or(Type::Dyn)
    }

    fn join(self, other: Type) -> Option<Type> {
        // An empty list goes with every list.
        let inner = |one: Type, other: Type| match (one, other) {
            (Type::Dyn, item) | (item, Type::Dyn) => Some(Box::new(item)),
            (one, other) => one.join(other).map(Box::new),
        };
        match (self, other) {
            (one, other) if one == other => Some(one),
            (Type::List(one), Type::List(other)) => Some(Type::List(inner(*one, *other)?)),
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                Some(Type::Map(inner(*key, *other_key)?, inner(*value, *other_value)?))
            }
            _ => None,
        }
    }
}

impl From<Kind> for Type {
    fn from(kind: Kind) -> Type {
        match kind {
            Kind::Bool => Type::Bool,
            Kind::Int => Type::Int,
            Kind::Double => Type::Double,
            Kind::String => Type::String,
            Kind::Strings => Type::list(Type::String),
            Kind::Timestamp => Type::Timestamp,
            Kind::Map => Type::Map(Box::new(Type::String), Box::new(Type::String)),
        }
    }
}
