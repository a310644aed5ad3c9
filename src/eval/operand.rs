//! Values while an expression is evaluated, and how they compare.

use crate::address::{Address, Range};
use crate::instant::Seconds;
use crate::program::layout::wide;
use std::cmp::Ordering;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Evaluation failed. In a decision that counts as missing.
    Error(Error),
    /// A field is missing.
    Missing,
    /// A field is missing because its purpose is not agreed to.
    Denied,
}

impl Why {
    /// The heavier outweighs the lighter where operands lack their values for several reasons.
    fn weight(self) -> u8 {
        match self {
            Why::Error(_) => 0,
            Why::Missing => 1,
            Why::Denied => 2,
        }
    }
}

/// What evaluation can fail of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Error {
    /// Integer division or remainder by zero.
    DivisionByZero,
    /// An integer, instant or length of time beyond its range.
    Overflow,
    /// A text, list or number of steps larger than evaluation allows.
    TooLarge,
    /// A conversion of a value that the other type does not have.
    Conversion,
    /// No item at that position.
    NoSuchItem,
    /// No such key in the map.
    NoSuchKey,
    /// Two equal keys in a map, or one of a type that no key has.
    BadKey,
    /// A time zone that is not known here.
    UnknownZone,
    /// Operands of types that the operation does not take: after `dyn()` alone.
    WrongType,
}

#[cfg(any(feature = "author", feature = "explain"))]
impl Error {
    /// What it means for its author.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Error::DivisionByZero => "division by zero",
            Error::Overflow => "the result is out of range",
            Error::TooLarge => {
                "this is too large: a text has at most 65536 bytes, a list that is made at most 256 items, and no long text is looked for in another"
            }
            Error::Conversion => "this value can't be converted",
            Error::NoSuchItem => "the list has no item at this position",
            Error::NoSuchKey => "the map has no such key",
            Error::BadKey => "a map's keys are bool, int, uint or string, no two of them equal",
            Error::UnknownZone => "this time zone is not known here",
            Error::WrongType => "an operand is of a type that this operation does not take",
        }
    }
}

/// A missing value: why, and the node that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent {
    pub(crate) why: Why,
    pub(crate) node: u32,
}

impl Absent {
    /// What is wanting once this is too.
    #[inline(never)]
    pub(crate) fn after(self, known: Option<Absent>) -> Option<Absent> {
        Some(known.map_or(self, |known| known.or(self)))
    }

    /// The weightier of two; the first of equals, which all errors are.
    pub(crate) fn or(self, other: Absent) -> Absent {
        if other.why.weight() > self.why.weight() { other } else { self }
    }
}

/// A number of seconds in words of 32 bits, so that a value takes no more room than its largest kind needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Packed {
    whole: [u32; 2],
    nanos: u32,
}

impl From<Seconds> for Packed {
    fn from(Seconds { whole, nanos }: Seconds) -> Packed {
        Packed { whole: [whole as u32, (whole as u64 >> 32) as u32], nanos }
    }
}

impl Packed {
    pub(crate) fn seconds(self) -> Seconds {
        let [low, high] = self.whole;
        Seconds { whole: wide(low, high) as i64, nanos: self.nanos }
    }
}

/// A value, or the want of one. In the order of the conversions of [`Op`](crate::program::layout::Op).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operand<'a> {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    /// UTF-8.
    Text(&'a [u8]),
    Timestamp(Packed),
    Duration(Packed),
    /// As it is written: its text was looked at, and is one.
    Version(&'a [u8]),
    /// As a version.
    Address(&'a [u8]),
    /// As a version.
    Range(&'a [u8]),
    List(List<'a>),
    Map(Map<'a>),
    Absent(Absent),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum List<'a> {
    /// A field's.
    Texts(&'a [String]),
    Items(&'a [Operand<'a>]),
    /// The keys of a map.
    Keys(Map<'a>),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Map<'a> {
    /// A field's.
    Texts(&'a [(String, String)]),
    /// Keys and values in turn.
    Entries(&'a [Operand<'a>]),
}

impl<'a> List<'a> {
    pub(crate) fn len(self) -> usize {
        match self {
            List::Texts(texts) => texts.len(),
            List::Items(items) => items.len(),
            List::Keys(map) => map.len(),
        }
    }

    #[inline(never)]
    pub(crate) fn get(self, index: usize) -> Option<Operand<'a>> {
        Some(match self {
            List::Texts(texts) => Operand::Text(texts.get(index)?.as_bytes()),
            List::Items(items) => *items.get(index)?,
            List::Keys(map) => map.entry(index)?.0,
        })
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Operand<'a>> {
        (0..self.len()).map_while(move |index| self.get(index))
    }
}

impl<'a> Map<'a> {
    pub(crate) fn len(self) -> usize {
        match self {
            Map::Texts(pairs) => pairs.len(),
            Map::Entries(entries) => entries.len() / 2,
        }
    }

    #[inline(never)]
    pub(crate) fn entry(self, index: usize) -> Option<(Operand<'a>, Operand<'a>)> {
        Some(match self {
            Map::Texts(pairs) => {
                let (name, value) = pairs.get(index)?;
                (Operand::Text(name.as_bytes()), Operand::Text(value.as_bytes()))
            }
            Map::Entries(entries) => (*entries.get(index * 2)?, *entries.get(index * 2 + 1)?),
        })
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = (Operand<'a>, Operand<'a>)> {
        (0..self.len()).map_while(move |index| self.entry(index))
    }

    pub(crate) fn get(self, key: Operand<'_>) -> Option<Operand<'a>> {
        self.iter().find(|(known, _)| equal(*known, key)).map(|(_, value)| value)
    }
}

/// Equality (CEL specification, "Equality"): values of different types differ, but numbers compare by value.
pub(crate) fn equal(left: Operand<'_>, right: Operand<'_>) -> bool {
    match (left, right) {
        (Operand::List(left), Operand::List(right)) => {
            let same = |index| left.get(index).zip(right.get(index)).is_some_and(|(left, right)| equal(left, right));
            left.len() == right.len() && (0..left.len()).all(same)
        }
        (Operand::Map(left), Operand::Map(right)) => {
            let same = |index| {
                let entry = left.entry(index);
                entry.is_some_and(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
            };
            left.len() == right.len() && (0..left.len()).all(same)
        }
        (Operand::Address(left), Operand::Address(right)) => address(left) == address(right),
        (Operand::Range(left), Operand::Range(right)) => range(left) == range(right),
        _ => matches!(compare(left, right), Some(Some(Ordering::Equal))),
    }
}

/// Order of two values; `None` where their types have none, `Some(None)` where one is no number.
pub(crate) fn compare(left: Operand<'_>, right: Operand<'_>) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Operand::Text(left), Operand::Text(right)) => Some(left.cmp(right)),
        (Operand::Bool(left), Operand::Bool(right)) => Some(left.cmp(&right)),
        (Operand::Timestamp(left), Operand::Timestamp(right)) | (Operand::Duration(left), Operand::Duration(right)) => {
            Some(left.seconds().cmp(&right.seconds()))
        }
        (Operand::Version(left), Operand::Version(right)) => Some(crate::version::compare(utf8(left), utf8(right))),
        (left, right) => match (whole(left), whole(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            // As the conformance cases of CEL have it: a whole number becomes the nearest double first.
            _ => number(left)?.partial_cmp(&number(right)?),
        },
    })
}

/// A whole number by its order among those with and without a sign: whether it is positive, and its bits.
fn whole(operand: Operand<'_>) -> Option<(bool, u64)> {
    match operand {
        Operand::Int(number) => Some((number >= 0, number as u64)),
        Operand::Uint(number) => Some((true, number)),
        _ => None,
    }
}

/// A number as a double.
pub(crate) fn number(operand: Operand<'_>) -> Option<f64> {
    match operand {
        Operand::Int(number) => Some(number as f64),
        Operand::Uint(number) => Some(number as f64),
        Operand::Double(number) => Some(number),
        _ => None,
    }
}

/// The address that is written so.
#[inline(never)]
pub(crate) fn address(text: &[u8]) -> Option<Address> {
    Address::parse(utf8(text))
}

/// The range of addresses that is written so.
#[inline(never)]
pub(crate) fn range(text: &[u8]) -> Option<Range> {
    Range::parse(utf8(text))
}

/// An instant.
pub(crate) fn timestamp<'a>(seconds: Seconds) -> Operand<'a> {
    Operand::Timestamp(seconds.into())
}

/// A length of time.
pub(crate) fn duration<'a>(seconds: Seconds) -> Operand<'a> {
    Operand::Duration(seconds.into())
}

/// The text of bytes that are UTF-8.
pub(crate) fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
