//! Contents, and URLs with values in them, as a program has them: one text each, so that equal ones stand there once.
//!
//! ```text
//! content   edits until the end: operation (a byte), name, value; name and value each after its length
//! value     parts until the end: kind (a byte); then of a literal its text, of a field its number and its default; a text
//!           stands after its length, a default after its length and 1, or is 0 where there is none
//! number    seven bits in each byte, the lowest first; the last has no eighth bit
//! ```

use super::Program;
use super::layout::{PartKind, Section};
use crate::edit::EditOp;
use crate::eval::utf8;

/// A part of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    /// Text as it is.
    Literal(&'a str),
    /// A field's value escaped for its place, or the default where it is absent.
    Field { field: u32, kind: PartKind, default: Option<&'a str> },
}

/// The edits of a content: operation, name, and value.
pub(crate) struct Content<'a>(&'a [u8]);

/// The parts of a value.
#[derive(Debug, Clone)]
pub(crate) struct Parts<'a>(&'a [u8]);

impl Program {
    /// What a content does; nothing where there is no such content.
    pub(crate) fn content(&self, content: u32) -> Content<'_> {
        Content(self.raw(self.cell(Section::Contents, content as usize, 0)))
    }

    /// The parts of a value that is a text of its own.
    pub(crate) fn parts(&self, text: u32) -> Parts<'_> {
        Parts(self.raw(text))
    }
}

impl<'a> Iterator for Content<'a> {
    type Item = (EditOp, &'a str, Parts<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let op = EditOp::from_code(byte(&mut self.0)?)?;
        let name = utf8(sized(&mut self.0)?);
        Some((op, name, Parts(sized(&mut self.0)?)))
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        Some(match PartKind::from_code(byte(&mut self.0)?)? {
            PartKind::Literal => Part::Literal(utf8(sized(&mut self.0)?)),
            kind => {
                let field = number(&mut self.0)?;
                let default = match number(&mut self.0)?.checked_sub(1) {
                    Some(length) => Some(utf8(take(&mut self.0, length)?)),
                    None => None,
                };
                Part::Field { field, kind, default }
            }
        })
    }
}

#[inline(never)]
fn byte(rest: &mut &[u8]) -> Option<u32> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(u32::from(*first))
}

#[inline(never)]
fn number(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let next = byte(rest)?;
        number |= (next & 0x7f) << shift;
        if next < 0x80 {
            return Some(number);
        }
    }
    None
}

#[inline(never)]
fn take<'a>(rest: &mut &'a [u8], length: u32) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(length as usize)?;
    *rest = behind;
    Some(taken)
}

#[inline(never)]
fn sized<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number(rest)?;
    take(rest, length)
}
