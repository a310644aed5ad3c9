//! Values that are known when an expression is compiled.

use super::check::{Checked, CheckedKind};
use super::types::Type;
use crate::eval::{Arena, Error, Operand, convert_constant};
use crate::instant::Seconds;
use crate::program::layout::Op;

/// A value that is known when an expression is compiled.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// Of [`Type::Bool`].
    Bool(bool),
    /// Of [`Type::Int`].
    Int(i64),
    /// Of [`Type::Uint`].
    Uint(u64),
    /// Of [`Type::Double`].
    Double(f64),
    /// Of [`Type::String`].
    String(String),
    /// Of [`Type::Timestamp`].
    Timestamp(Seconds),
    /// Of [`Type::Duration`].
    Duration(Seconds),
    /// Of [`Type::Version`], as it is written.
    Version(String),
    /// Of [`Type::Ip`], as it is written.
    Ip(String),
    /// Of [`Type::Cidr`], as it is written.
    Cidr(String),
    /// Of [`Type::List`].
    List(Vec<Constant>),
    /// Of [`Type::Map`].
    Map(Vec<(Constant, Constant)>),
}

impl Constant {
    /// Its type; of mixed items any.
    pub fn type_of(&self) -> Type {
        match self {
            Constant::Bool(_) => Type::Bool,
            Constant::Int(_) => Type::Int,
            Constant::Uint(_) => Type::Uint,
            Constant::Double(_) => Type::Double,
            Constant::String(_) => Type::String,
            Constant::Timestamp(_) => Type::Timestamp,
            Constant::Duration(_) => Type::Duration,
            Constant::Version(_) => Type::Version,
            Constant::Ip(_) => Type::Ip,
            Constant::Cidr(_) => Type::Cidr,
            Constant::List(items) => Type::list(Type::joined(items.iter().map(Constant::type_of))),
            Constant::Map(entries) => {
                let (keys, values) = (entries.iter().map(|(key, _)| key), entries.iter().map(|(_, value)| value));
                let joined =
                    |constants: &mut dyn Iterator<Item = &Constant>| Box::new(Type::joined(constants.map(Constant::type_of)));
                Type::Map(joined(&mut { keys }), joined(&mut { values }))
            }
        }
    }
}

/// The value of a conversion whose operand is a constant text or number; `None` where it is not one, or where the program
/// converts the text itself. A text that can't be converted is a mistake of its author.
pub(super) fn folded(op: Op, operands: &[Checked]) -> Option<Result<Constant, String>> {
    let [Checked { kind: CheckedKind::Constant(constant), .. }] = operands else { return None };
    let (what, expected) = match op {
        Op::ToTimestamp => ("timestamp", "a text such as 2026-11-20T12:30:00Z, between the years 1 and 9999"),
        Op::ToDuration => ("duration", "a text such as 1h30m or 90s, of at most 315576000000 seconds"),
        Op::ToVersion => ("version", "numbers with dots between, such as 17.2"),
        Op::ToIp => ("IP address", "an address such as 192.0.2.1 or 2001:db8::1"),
        Op::ToCidr => (
            "range of IP addresses",
            "an address and the length of its prefix, such as 192.0.2.0/24, with no bits set behind the prefix",
        ),
        Op::ToInt => ("int", "a whole number of 64 bits"),
        Op::ToUint => ("uint", "a whole number of 64 bits without a sign"),
        Op::ToDouble => ("double", "a number"),
        Op::ToBool => ("bool", "true or false"),
        _ => return None,
    };
    let (operand, text) = match constant {
        Constant::String(text) => (Operand::Text(text.as_bytes()), text.clone()),
        Constant::Int(number) => (Operand::Int(*number), number.to_string()),
        _ => return None,
    };
    let arena = Arena::default();
    match convert_constant(op, operand, &arena) {
        Ok(Operand::Bool(value)) => Some(Ok(Constant::Bool(value))),
        Ok(Operand::Int(value)) => Some(Ok(Constant::Int(value))),
        Ok(Operand::Uint(value)) => Some(Ok(Constant::Uint(value))),
        Ok(Operand::Double(value)) => Some(Ok(Constant::Double(value))),
        Ok(Operand::Timestamp(value)) => Some(Ok(Constant::Timestamp(value.seconds()))),
        Ok(Operand::Duration(value)) => Some(Ok(Constant::Duration(value.seconds()))),
        Ok(_) => None,
        Err(Error::Conversion) => Some(Err(format!("`{text}` is no {what}; expected {expected}"))),
        Err(_) => None,
    }
}
