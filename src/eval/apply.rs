//! Operations on one or two values that are there.

use super::arena::Arena;
use super::convert::convert;
use super::operand::{Error, List, Operand, Packed, address, compare, duration, equal, range, timestamp, utf8};
use super::{MAX_ITEMS, MAX_SEARCH, MAX_TEXT};
use crate::instant::Seconds;
use crate::program::layout::Op;
use crate::time::Civil;
use crate::{glob, text};

type Applied<'a> = Result<Operand<'a>, Error>;

/// An operation on two values.
pub(crate) fn binary<'a>(op: Op, left: Operand<'a>, right: Operand<'a>, arena: &'a Arena<'a>) -> Applied<'a> {
    match (op, left, right) {
        (Op::Eq, left, right) => Ok(Operand::Bool(equal(left, right))),
        (Op::Lt | Op::Le, left, right) => {
            // Nothing comes before or after what is no number.
            let ordering = compare(left, right).ok_or(Error::WrongType)?;
            Ok(Operand::Bool(ordering.is_some_and(|ordering| ordering.is_lt() || (op == Op::Le && ordering.is_eq()))))
        }
        (Op::In, left, Operand::List(list)) => Ok(Operand::Bool(list.iter().any(|item| equal(left, item)))),
        (Op::In, left, Operand::Map(map)) => Ok(Operand::Bool(map.get(left).is_some())),
        (Op::Index, Operand::Map(map), key) => map.get(key).ok_or(Error::NoSuchKey),
        (Op::Index, Operand::List(list), index) => {
            // Any number may stand here behind dyn().
            let index = super::operand::number(index).ok_or(Error::WrongType)?;
            let whole = index == f64::from(index as u32);
            list.get(index as usize).filter(|_| whole).ok_or(Error::NoSuchItem)
        }
        (Op::ContainsIp, Operand::Range(within), Operand::Address(of) | Operand::Text(of)) => {
            let (within, of) = range(within).zip(address(of)).ok_or(Error::Conversion)?;
            Ok(Operand::Bool(within.contains(of)))
        }
        (Op::Add, Operand::Text(left), Operand::Text(right)) => {
            let mut joined = left.to_vec();
            joined.extend_from_slice(right);
            let kept = if joined.len() > MAX_TEXT { None } else { arena.text(joined) };
            kept.map(Operand::Text).ok_or(Error::TooLarge)
        }
        // Looking for one text in another takes as long as both together at worst multiplied.
        (Op::Contains | Op::Glob | Op::Split, Operand::Text(left), Operand::Text(right))
            if left.len() * right.len() > MAX_SEARCH =>
        {
            Err(Error::TooLarge)
        }
        (_, Operand::Text(left), Operand::Text(right)) => Ok(Operand::Bool(match op {
            Op::StartsWith => left.starts_with(right),
            Op::EndsWith => left.ends_with(right),
            Op::Contains => text::find(left, right).is_some(),
            Op::Glob => glob::matches(right, left),
            Op::Split => return split(left, right, -1, arena),
            _ => return Err(Error::WrongType),
        })),
        (Op::Add, Operand::List(left), Operand::List(right)) => {
            let mut joined = Vec::new();
            for part in [left, right] {
                part.iter().for_each(|item| joined.push(item));
            }
            list(joined, arena)
        }
        (op, left, right) => arithmetic(op, left, right),
    }
}

/// A list that an operation made.
pub(crate) fn list<'a>(items: Vec<Operand<'a>>, arena: &'a Arena<'a>) -> Applied<'a> {
    let kept = if items.len() > MAX_ITEMS { None } else { arena.list(items) };
    kept.map(|items| Operand::List(List::Items(items))).ok_or(Error::TooLarge)
}

fn arithmetic<'a>(op: Op, left: Operand<'a>, right: Operand<'a>) -> Applied<'a> {
    let result = match (left, right) {
        (_, Operand::Int(0) | Operand::Uint(0)) if matches!(op, Op::Div | Op::Rem) => return Err(Error::DivisionByZero),
        (Operand::Int(left), Operand::Int(right)) => match op {
            Op::Add => left.checked_add(right),
            Op::Sub => left.checked_sub(right),
            Op::Mul => left.checked_mul(right),
            Op::Div => left.checked_div(right),
            Op::Rem => left.checked_rem(right),
            _ => return Err(Error::WrongType),
        }
        .map(Operand::Int),
        (Operand::Uint(left), Operand::Uint(right)) => match op {
            Op::Add => left.checked_add(right),
            Op::Sub => left.checked_sub(right),
            Op::Mul => left.checked_mul(right),
            Op::Div => left.checked_div(right),
            Op::Rem => left.checked_rem(right),
            _ => return Err(Error::WrongType),
        }
        .map(Operand::Uint),
        (Operand::Double(left), Operand::Double(right)) => Some(Operand::Double(match op {
            Op::Add => left + right,
            Op::Sub => left - right,
            Op::Mul => left * right,
            Op::Div => left / right,
            _ => return Err(Error::WrongType),
        })),
        (Operand::Timestamp(left), Operand::Timestamp(right)) if op == Op::Sub => {
            minus(left.seconds(), right.seconds()).map(duration)
        }
        (Operand::Timestamp(at), Operand::Duration(length)) => sum(op, at, length)?.instant().map(timestamp),
        (Operand::Duration(length), Operand::Timestamp(at)) if op == Op::Add => sum(op, at, length)?.instant().map(timestamp),
        (Operand::Duration(left), Operand::Duration(right)) => sum(op, left, right)?.length().map(duration),
        _ => return Err(Error::WrongType),
    };
    result.ok_or(Error::Overflow)
}

#[inline(never)]
fn sum(op: Op, left: Packed, right: Packed) -> Result<Seconds, Error> {
    let (left, right) = (left.seconds(), right.seconds());
    let right = match op {
        Op::Add => Some(right),
        Op::Sub => right.negated(),
        _ => return Err(Error::WrongType),
    };
    right.and_then(|right| left.plus(right)).ok_or(Error::Overflow)
}

/// The time between two instants, which CEL's implementations keep in 64 bits of nanoseconds.
fn minus(left: Seconds, right: Seconds) -> Option<Seconds> {
    // 2^63 nanoseconds.
    const LIMIT: Seconds = Seconds { whole: 9_223_372_036, nanos: 854_775_807 };
    let difference = left.plus(right.negated()?)?;
    (difference <= LIMIT && difference.negated()? <= LIMIT).then_some(difference)
}

/// An operation on one value.
pub(crate) fn unary<'a>(op: Op, value: Operand<'a>, arena: &'a Arena<'a>) -> Applied<'a> {
    Ok(match (op, value) {
        (Op::Not, Operand::Bool(value)) => Operand::Bool(!value),
        (Op::Neg, Operand::Int(number)) => Operand::Int(number.checked_neg().ok_or(Error::Overflow)?),
        (Op::Neg, Operand::Double(number)) => Operand::Double(-number),
        // Each character has one byte that continues none.
        (Op::Size, Operand::Text(text)) => Operand::Int(text.iter().filter(|byte| **byte & 0xc0 != 0x80).count() as i64),
        (Op::Size, Operand::List(list)) => Operand::Int(list.len() as i64),
        (Op::Size, Operand::Map(map)) => Operand::Int(map.len() as i64),
        (Op::LowerAscii | Op::UpperAscii, Operand::Text(text)) => {
            let mut cased = text.to_vec();
            if op == Op::LowerAscii {
                cased.make_ascii_lowercase()
            } else {
                cased.make_ascii_uppercase()
            }
            Operand::Text(arena.text(cased).ok_or(Error::TooLarge)?)
        }
        (Op::Trim, Operand::Text(text)) => Operand::Text(text::trim(utf8(text)).as_bytes()),
        (op, Operand::Duration(length)) if op.is_getter() => {
            let length = length.seconds();
            Operand::Int(match op {
                Op::Hours => length.towards_zero() / 3600,
                Op::Minutes => length.towards_zero() / 60,
                Op::Seconds => length.towards_zero(),
                Op::Milliseconds => length.millis_towards_zero() % 1000,
                _ => return Err(Error::WrongType),
            })
        }
        (op, Operand::Timestamp(at)) if op.is_getter() => getter(op, at.seconds(), 0)?,
        (op, value) => return convert(op, value, arena),
    })
}

/// A part of an instant on a clock that is so many seconds ahead of UTC.
pub(crate) fn getter<'a>(op: Op, at: Seconds, offset: i32) -> Applied<'a> {
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
pub(crate) fn split<'a>(text: &'a [u8], separator: &[u8], limit: i64, arena: &'a Arena<'a>) -> Applied<'a> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    let mut rest = text;
    // No characters in an empty text.
    let mut done = most == 0 || (separator.is_empty() && text.is_empty());
    while !done {
        let at = if parts.len() + 1 >= most {
            None
        } else if separator.is_empty() {
            // Behind the first character, if there is another.
            (1..rest.len()).find(|at| rest.get(*at).is_some_and(|byte| byte & 0xc0 != 0x80))
        } else {
            text::find(rest, separator)
        };
        let (part, behind) = rest.split_at_checked(at.unwrap_or(rest.len())).unwrap_or_default();
        if parts.len() > MAX_ITEMS {
            return Err(Error::TooLarge);
        }
        parts.push(Operand::Text(part));
        rest = behind.get(separator.len()..).unwrap_or_default();
        done = at.is_none();
    }
    list(parts, arena)
}
