//! Values while an expression is evaluated, and how they compare.

use crate::address::{Address, Range};
use crate::instant::Seconds;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

/// Why there is no value. A later one outweighs an earlier one where operands lack theirs for several reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Why {
    /// Evaluation failed. In a decision that counts as missing.
    Error(Error),
    /// A field is missing.
    Missing,
    /// A field is missing because its purpose is not agreed to.
    Denied,
}

/// What evaluation can fail of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// A missing value: why, and the node that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent {
    pub(crate) why: Why,
    pub(crate) node: u32,
}

impl Absent {
    /// The weightier of two; the first of equals.
    pub(crate) fn or(self, other: Absent) -> Absent {
        if other.why > self.why { other } else { self }
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Operand<'a> {
    Absent(Absent),
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    /// UTF-8.
    Text(Cow<'a, [u8]>),
    Timestamp(Seconds),
    Duration(Seconds),
    Version(Cow<'a, [u8]>),
    Address(Address),
    Range(Range),
    List(List<'a>),
    Map(Map<'a>),
}

#[derive(Debug, Clone)]
pub(crate) enum List<'a> {
    /// A field's.
    Texts(&'a [String]),
    Items(Rc<[Operand<'a>]>),
}

#[derive(Debug, Clone)]
pub(crate) enum Map<'a> {
    /// A field's.
    Texts(&'a [(String, String)]),
    Entries(Rc<[(Operand<'a>, Operand<'a>)]>),
}

impl<'a> Operand<'a> {
    pub(crate) fn text(text: String) -> Operand<'a> {
        Operand::Text(Cow::Owned(text.into_bytes()))
    }

    pub(crate) fn list(items: Vec<Operand<'a>>) -> Operand<'a> {
        Operand::List(List::Items(items.into()))
    }
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            List::Texts(texts) => texts.len(),
            List::Items(items) => items.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Operand<'a>> {
        match self {
            List::Texts(texts) => texts.get(index).map(|text| Operand::Text(text.as_bytes().into())),
            List::Items(items) => items.get(index).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Operand<'a>> {
        (0..self.len()).map_while(|index| self.get(index))
    }
}

impl<'a> Map<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Map::Texts(pairs) => pairs.len(),
            Map::Entries(entries) => entries.len(),
        }
    }

    pub(crate) fn get(&self, key: &Operand<'_>) -> Option<Operand<'a>> {
        match (self, key) {
            (Map::Texts(pairs), Operand::Text(key)) => {
                let found = pairs.iter().find(|(name, _)| name.as_bytes() == key.as_ref());
                found.map(|(_, value)| Operand::Text(value.as_bytes().into()))
            }
            (Map::Texts(_), _) => None,
            (Map::Entries(entries), key) => entries.iter().find(|(known, _)| equal(known, key)).map(|(_, value)| value.clone()),
        }
    }

    /// The keys as a list.
    pub(crate) fn keys(&self) -> List<'a> {
        let keys: Vec<Operand<'a>> = match self {
            Map::Texts(pairs) => pairs.iter().map(|(name, _)| Operand::Text(name.as_bytes().into())).collect(),
            Map::Entries(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
        };
        List::Items(keys.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Operand<'a>, Operand<'a>)> {
        (0..self.len()).map_while(move |index| match self {
            Map::Texts(pairs) => {
                let (name, value) = pairs.get(index)?;
                Some((Operand::Text(name.as_bytes().into()), Operand::Text(value.as_bytes().into())))
            }
            Map::Entries(entries) => entries.get(index).cloned(),
        })
    }
}

/// Equality (CEL specification, "Equality"): values of different types differ, but numbers compare by value.
pub(crate) fn equal(left: &Operand<'_>, right: &Operand<'_>) -> bool {
    match (left, right) {
        (Operand::List(left), Operand::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(left, right)| equal(&left, &right))
        }
        (Operand::Map(left), Operand::Map(right)) => {
            let same = |(key, value): (Operand<'_>, Operand<'_>)| right.get(&key).is_some_and(|other| equal(&value, &other));
            left.len() == right.len() && left.iter().all(same)
        }
        (Operand::Address(left), Operand::Address(right)) => left == right,
        (Operand::Range(left), Operand::Range(right)) => left == right,
        _ => matches!(compare(left, right), Some(Some(Ordering::Equal))),
    }
}

/// Order of two values; `None` where their types have none, `Some(None)` where one is no number.
pub(crate) fn compare(left: &Operand<'_>, right: &Operand<'_>) -> Option<Option<Ordering>> {
    Some(match (left, right) {
        (Operand::Text(left), Operand::Text(right)) => Some(left.cmp(right)),
        (Operand::Bool(left), Operand::Bool(right)) => Some(left.cmp(right)),
        (Operand::Int(left), Operand::Int(right)) => Some(left.cmp(right)),
        (Operand::Uint(left), Operand::Uint(right)) => Some(left.cmp(right)),
        (Operand::Double(left), Operand::Double(right)) => left.partial_cmp(right),
        (Operand::Int(left), Operand::Uint(right)) => Some(compare_signed(*left, *right)),
        (Operand::Uint(left), Operand::Int(right)) => Some(compare_signed(*right, *left).reverse()),
        // As the conformance cases of CEL have it: the whole number becomes the nearest double first.
        (Operand::Int(left), Operand::Double(right)) => (*left as f64).partial_cmp(right),
        (Operand::Double(left), Operand::Int(right)) => left.partial_cmp(&(*right as f64)),
        (Operand::Uint(left), Operand::Double(right)) => (*left as f64).partial_cmp(right),
        (Operand::Double(left), Operand::Uint(right)) => left.partial_cmp(&(*right as f64)),
        (Operand::Timestamp(left), Operand::Timestamp(right)) | (Operand::Duration(left), Operand::Duration(right)) => {
            Some(left.cmp(right))
        }
        (Operand::Version(left), Operand::Version(right)) => Some(crate::version::compare(utf8(left), utf8(right))),
        _ => return None,
    })
}

/// The text of bytes that are UTF-8.
pub(crate) fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn compare_signed(signed: i64, unsigned: u64) -> Ordering {
    u64::try_from(signed).map_or(Ordering::Less, |signed| signed.cmp(&unsigned))
}
