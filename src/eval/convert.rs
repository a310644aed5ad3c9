//! Conversions between types (CEL specification, "List of Standard Definitions").

use super::arena::Arena;
use super::operand::{Error, Operand, address, duration, range, timestamp, utf8};
use crate::instant::Seconds;
use crate::number::{parse_digits, parse_double, parse_int, push_double, push_int, push_uint};
use crate::program::layout::Op;
use crate::version::is_version;

/// The first double past the integers of 64 bits with a sign.
const INT_LIMIT: f64 = 9_223_372_036_854_775_808.0;
/// The first double past those without.
const UINT_LIMIT: f64 = 18_446_744_073_709_551_616.0;

/// A value as one of another type.
pub(crate) fn convert<'a>(op: Op, value: Operand<'a>, arena: &'a Arena<'a>) -> Result<Operand<'a>, Error> {
    if op as u32 == Op::ToBool as u32 + kind(value) {
        return Ok(value);
    }
    let converted = match (op, value) {
        (op, Operand::Text(bytes)) if op.is_conversion() => of_text(op, bytes),
        (Op::ToInt, Operand::Uint(number)) => i64::try_from(number).ok().map(Operand::Int),
        // The least integer is out of range too, as the conformance cases have it: a double near it may have been rounded.
        (Op::ToInt, Operand::Double(number)) => {
            (number > -INT_LIMIT && number < INT_LIMIT).then_some(Operand::Int(number as i64))
        }
        (Op::ToInt, Operand::Timestamp(at)) => Some(Operand::Int(at.seconds().whole)),
        (Op::ToUint, Operand::Int(number)) => u64::try_from(number).ok().map(Operand::Uint),
        (Op::ToUint, Operand::Double(number)) => (number > -1.0 && number < UINT_LIMIT).then_some(Operand::Uint(number as u64)),
        (Op::ToDouble, value) => super::operand::number(value).map(Operand::Double),
        (Op::ToTimestamp, Operand::Int(seconds)) => Seconds::new(seconds).instant().map(timestamp),
        (Op::ToString, value) => {
            let text = to_text(value).ok_or(Error::WrongType)?;
            return arena.text(text.into_bytes()).map(Operand::Text).ok_or(Error::TooLarge);
        }
        _ => return Err(Error::WrongType),
    };
    converted.ok_or(Error::Conversion)
}

/// The type of a value by its place among the conversions of [`Op`], which stand in this order.
fn kind(value: Operand<'_>) -> u32 {
    match value {
        Operand::Bool(_) => 0,
        Operand::Int(_) => 1,
        Operand::Uint(_) => 2,
        Operand::Double(_) => 3,
        Operand::Text(_) => 4,
        Operand::Timestamp(_) => 5,
        Operand::Duration(_) => 6,
        Operand::Version(_) => 7,
        Operand::Address(_) => 8,
        Operand::Range(_) => 9,
        _ => u32::MAX / 2,
    }
}

fn of_text<'a>(op: Op, bytes: &'a [u8]) -> Option<Operand<'a>> {
    let text = utf8(bytes);
    match op {
        Op::ToBool => match text {
            "1" | "t" | "true" | "TRUE" | "True" => Some(Operand::Bool(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Some(Operand::Bool(false)),
            _ => None,
        },
        Op::ToInt => parse_int(text).map(Operand::Int),
        Op::ToUint => parse_digits(text).map(Operand::Uint),
        Op::ToDouble => {
            let number = match text {
                "NaN" => Some(f64::NAN),
                "Infinity" | "+Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                text => parse_double(text),
            };
            number.map(Operand::Double)
        }
        Op::ToTimestamp => Seconds::parse_instant(text).map(timestamp),
        Op::ToDuration => Seconds::parse_length(text).map(duration),
        Op::ToVersion => is_version(text).then_some(Operand::Version(bytes)),
        Op::ToIp => address(bytes).map(|_| Operand::Address(bytes)),
        Op::ToCidr => range(bytes).map(|_| Operand::Range(bytes)),
        _ => None,
    }
}

fn to_text(value: Operand<'_>) -> Option<String> {
    let mut text = String::new();
    match value {
        Operand::Bool(value) => text.push_str(if value { "true" } else { "false" }),
        Operand::Int(number) => push_int(&mut text, number),
        Operand::Uint(number) => push_uint(&mut text, number),
        Operand::Double(number) => push_double(&mut text, number),
        Operand::Timestamp(at) => at.seconds().write_instant(&mut text),
        Operand::Duration(length) => length.seconds().write_length(&mut text),
        Operand::Version(version) => text.push_str(utf8(version)),
        Operand::Address(written) => address(written)?.write(&mut text),
        Operand::Range(written) => range(written)?.write(&mut text),
        _ => return None,
    }
    Some(text)
}
