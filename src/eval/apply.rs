//! Operations on one or two values that are there.

use super::convert::convert;
use super::operand::{Error, List, Operand, compare, equal, utf8};
use super::{MAX_ITEMS, MAX_TEXT};
use crate::address::Address;
use crate::instant::Seconds;
use crate::program::layout::Op;
use crate::time::Civil;
use crate::{glob, text};
use std::borrow::Cow;

type Applied<'a> = Result<Operand<'a>, Error>;

/// An operation on two values.
pub(crate) fn binary<'a>(op: Op, left: Operand<'a>, right: Operand<'a>) -> Applied<'a> {
    match op {
        Op::Eq => Ok(Operand::Bool(equal(&left, &right))),
        Op::Ne => Ok(Operand::Bool(!equal(&left, &right))),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => {
            let ordering = compare(&left, &right).ok_or(Error::WrongType)?;
            Ok(Operand::Bool(ordering.is_some_and(|ordering| match op {
                Op::Lt => ordering.is_lt(),
                Op::Le => ordering.is_le(),
                Op::Gt => ordering.is_gt(),
                _ => ordering.is_ge(),
            })))
        }
        Op::In => match &right {
            Operand::List(list) => Ok(Operand::Bool(list.iter().any(|item| equal(&left, &item)))),
            Operand::Map(map) => Ok(Operand::Bool(map.get(&left).is_some())),
            _ => Err(Error::WrongType),
        },
        Op::Index => match &right_of(&left, &right) {
            Indexed::List(list, index) => list.get(index.ok_or(Error::NoSuchItem)?).ok_or(Error::NoSuchItem),
            Indexed::Map(map) => map.get(&right).ok_or(Error::NoSuchKey),
            Indexed::Neither => Err(Error::WrongType),
        },
        Op::Add | Op::Sub | Op::Mul | Op::Div | Op::Rem => arithmetic(op, left, right),
        Op::ContainsIp => {
            let address = match right {
                Operand::Address(address) => address,
                Operand::Text(text) => Address::parse(utf8(&text)).ok_or(Error::Conversion)?,
                _ => return Err(Error::WrongType),
            };
            let Operand::Range(range) = left else { return Err(Error::WrongType) };
            Ok(Operand::Bool(range.contains(address)))
        }
        _ => {
            let (Operand::Text(left), Operand::Text(right)) = (left, right) else { return Err(Error::WrongType) };
            Ok(match op {
                Op::StartsWith => Operand::Bool(left.starts_with(&right)),
                Op::EndsWith => Operand::Bool(left.ends_with(&right)),
                Op::Contains => Operand::Bool(text::find(&left, &right).is_some()),
                Op::Glob => Operand::Bool(glob::matches(&right, &left)),
                Op::Split => split(left, &right, -1)?,
                _ => return Err(Error::WrongType),
            })
        }
    }
}

enum Indexed<'b, 'a> {
    List(&'b List<'a>, Option<usize>),
    Map(&'b super::operand::Map<'a>),
    Neither,
}

fn right_of<'b, 'a>(left: &'b Operand<'a>, index: &Operand<'_>) -> Indexed<'b, 'a> {
    match (left, index) {
        (Operand::List(list), Operand::Int(index)) => Indexed::List(list, usize::try_from(*index).ok()),
        (Operand::List(list), Operand::Uint(index)) => Indexed::List(list, usize::try_from(*index).ok()),
        (Operand::List(list), Operand::Double(index)) => {
            let whole = *index >= 0.0 && *index == index.trunc();
            Indexed::List(list, whole.then_some(*index as usize))
        }
        (Operand::Map(map), _) => Indexed::Map(map),
        _ => Indexed::Neither,
    }
}

fn arithmetic<'a>(op: Op, left: Operand<'a>, right: Operand<'a>) -> Applied<'a> {
    let zero = || if matches!(op, Op::Div | Op::Rem) { Error::DivisionByZero } else { Error::Overflow };
    Ok(match (left, right) {
        (Operand::Int(left), Operand::Int(right)) => Operand::Int(
            match op {
                Op::Add => left.checked_add(right),
                Op::Sub => left.checked_sub(right),
                Op::Mul => left.checked_mul(right),
                _ if right == 0 => return Err(zero()),
                Op::Div => left.checked_div(right),
                _ => left.checked_rem(right),
            }
            .ok_or(Error::Overflow)?,
        ),
        (Operand::Uint(left), Operand::Uint(right)) => Operand::Uint(
            match op {
                Op::Add => left.checked_add(right),
                Op::Sub => left.checked_sub(right),
                Op::Mul => left.checked_mul(right),
                Op::Div => left.checked_div(right),
                _ => left.checked_rem(right),
            }
            .ok_or_else(zero)?,
        ),
        (Operand::Double(left), Operand::Double(right)) => Operand::Double(match op {
            Op::Add => left + right,
            Op::Sub => left - right,
            Op::Mul => left * right,
            Op::Div => left / right,
            _ => return Err(Error::WrongType),
        }),
        (Operand::Text(left), Operand::Text(right)) if op == Op::Add => {
            if left.len() + right.len() > MAX_TEXT {
                return Err(Error::TooLarge);
            }
            let mut joined = left.into_owned();
            joined.extend_from_slice(&right);
            Operand::Text(joined.into())
        }
        (Operand::List(left), Operand::List(right)) if op == Op::Add => {
            if left.len() + right.len() > MAX_ITEMS {
                return Err(Error::TooLarge);
            }
            Operand::list(left.iter().chain(right.iter()).collect())
        }
        (Operand::Timestamp(left), Operand::Timestamp(right)) if op == Op::Sub => Operand::Duration(minus(left, right)?),
        (Operand::Timestamp(at), Operand::Duration(length)) => {
            Operand::Timestamp(sum(op, at, length)?.instant().ok_or(Error::Overflow)?)
        }
        (Operand::Duration(length), Operand::Timestamp(at)) if op == Op::Add => {
            Operand::Timestamp(sum(op, at, length)?.instant().ok_or(Error::Overflow)?)
        }
        (Operand::Duration(left), Operand::Duration(right)) => {
            Operand::Duration(sum(op, left, right)?.length().ok_or(Error::Overflow)?)
        }
        _ => return Err(Error::WrongType),
    })
}

fn sum(op: Op, left: Seconds, right: Seconds) -> Result<Seconds, Error> {
    let right = match op {
        Op::Add => Some(right),
        Op::Sub => right.negated(),
        _ => return Err(Error::WrongType),
    };
    right.and_then(|right| left.plus(right)).ok_or(Error::Overflow)
}

/// The time between two instants, which CEL's implementations keep in 64 bits of nanoseconds.
fn minus(left: Seconds, right: Seconds) -> Result<Seconds, Error> {
    let difference = sum(Op::Sub, left, right)?;
    // 2^63 nanoseconds.
    const LIMIT: Seconds = Seconds { whole: 9_223_372_036, nanos: 854_775_807 };
    let within = difference <= LIMIT && difference.negated().is_some_and(|negated| negated <= LIMIT);
    if within { Ok(difference) } else { Err(Error::Overflow) }
}

/// An operation on one value.
pub(crate) fn unary<'a>(op: Op, value: Operand<'a>) -> Applied<'a> {
    Ok(match (op, value) {
        (Op::Not, Operand::Bool(value)) => Operand::Bool(!value),
        (Op::Neg, Operand::Int(number)) => Operand::Int(number.checked_neg().ok_or(Error::Overflow)?),
        (Op::Neg, Operand::Double(number)) => Operand::Double(-number),
        (Op::Size, Operand::Text(text)) => Operand::Int(utf8(&text).chars().count() as i64),
        (Op::Size, Operand::List(list)) => Operand::Int(list.len() as i64),
        (Op::Size, Operand::Map(map)) => Operand::Int(map.len() as i64),
        (Op::LowerAscii, Operand::Text(text)) => Operand::Text(text.to_ascii_lowercase().into()),
        (Op::UpperAscii, Operand::Text(text)) => Operand::Text(text.to_ascii_uppercase().into()),
        (Op::Trim, Operand::Text(text)) => {
            let trimmed = utf8(&text).trim();
            if trimmed.len() == text.len() { Operand::Text(text) } else { Operand::text(trimmed.to_owned()) }
        }
        (op, Operand::Duration(length)) if op.is_getter() => Operand::Int(match op {
            Op::Hours => length.towards_zero() / 3600,
            Op::Minutes => length.towards_zero() / 60,
            Op::Seconds => length.towards_zero(),
            Op::Milliseconds => {
                let positive = if length.whole < 0 { length.negated().unwrap_or(length) } else { length };
                let part = i64::from(positive.nanos / 1_000_000);
                if length.whole < 0 { -part } else { part }
            }
            _ => return Err(Error::WrongType),
        }),
        (op, value @ Operand::Timestamp(_)) if op.is_getter() => getter(op, value, 0)?,
        (op, value) => return convert(op, value),
    })
}

/// A part of an instant on a clock that is so many seconds ahead of UTC.
pub(crate) fn getter<'a>(op: Op, value: Operand<'a>, offset: i32) -> Applied<'a> {
    let Operand::Timestamp(at) = value else { return Err(Error::WrongType) };
    let local = Seconds { whole: at.whole + i64::from(offset), ..at };
    let civil = Civil::from_millis(local.millis());
    Ok(Operand::Int(match op {
        Op::FullYear => civil.year,
        Op::Month => i64::from(civil.month) - 1,
        Op::Date => i64::from(civil.day),
        Op::DayOfMonth => i64::from(civil.day) - 1,
        Op::DayOfWeek => civil.weekday(),
        Op::DayOfYear => civil.day_of_year() - 1,
        Op::Hours => i64::from(civil.hour),
        Op::Minutes => i64::from(civil.minute),
        Op::Seconds => i64::from(civil.second),
        Op::Milliseconds => i64::from(civil.millisecond),
        _ => return Err(Error::WrongType),
    }))
}

/// The parts of a text between separators; at most `limit` of them, the last with the rest, where it is not negative.
pub(crate) fn split<'a>(text: Cow<'a, [u8]>, separator: &[u8], limit: i64) -> Applied<'a> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest: &[u8] = &text;
    let mut done = most == 0;
    while !done {
        let at = if parts.len() + 1 >= most {
            None
        } else if separator.is_empty() {
            let first = utf8(rest).chars().next().map(char::len_utf8);
            first.filter(|first| *first < rest.len())
        } else {
            text::find(rest, separator)
        };
        let (part, behind) = match at {
            Some(at) => (rest.get(..at), rest.get(at + separator.len()..)),
            None => (Some(rest), None),
        };
        if parts.len() >= MAX_ITEMS {
            return Err(Error::TooLarge);
        }
        // No characters in an empty text.
        if !(separator.is_empty() && text.is_empty()) {
            parts.push(Operand::Text(part.unwrap_or_default().to_vec().into()));
        }
        rest = behind.unwrap_or_default();
        done = at.is_none();
    }
    Ok(Operand::list(parts))
}
