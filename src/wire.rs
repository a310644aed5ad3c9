//! The engine's binary boundary: a request comes in as bytes, decisions go out as small integers in them, edits as texts.
//! All numbers are little-endian; a text is its length in 32 bits and its UTF-8. Vectors are frozen in `tests/spec/wire.json`.

use crate::context::Request;
use crate::decide::{Decisions, Reason};
use crate::edit::Edit;
use crate::program::Program;
use crate::zone::Offsets;

/// Stands for "no experience" in results.
pub const NONE: u32 = u32::MAX;

/// Reads a request: now as a double in epoch milliseconds, the visitor's zone as so many doubles after their number
/// (see [`Offsets::from_numbers`]), and then until the end a tag (1 URL, 2 header, 3 `cf`, 4 override, 5 enrichment, 6 profile), a key
/// and a value. The texts stay where they are. `None` when the bytes are cut off or no such thing.
pub fn read_request(bytes: &[u8]) -> Option<Request<&str>> {
    let mut request = Request::default();
    read(&mut Reader(bytes), &mut request)?;
    Some(request)
}

fn read<'a>(reader: &mut Reader<'a>, request: &mut Request<&'a str>) -> Option<()> {
    // `as` saturates, and makes NaN zero.
    request.now = f64::from_le_bytes(*reader.take::<8>()?) as i64;
    let count = u32::from_le_bytes(*reader.take::<4>()?);
    // Gathered as it is read: a number in hostile bytes reserves nothing.
    let mut numbers = Vec::new();
    for _ in 0..count {
        numbers.push(f64::from_le_bytes(*reader.take::<8>()?));
    }
    request.offsets = Offsets::from_numbers(&numbers);
    while !reader.0.is_empty() {
        let [tag] = *reader.take::<1>()?;
        let pair = (reader.text()?, reader.text()?);
        let group = match tag {
            1 => {
                request.url = pair.1;
                continue;
            }
            2 => &mut request.headers,
            3 => &mut request.cf,
            4 => &mut request.overrides,
            5 => &mut request.enrichments,
            6 => &mut request.profile,
            _ => return None,
        };
        if group.is_empty() {
            // More than most requests have, so that it grows once.
            group.reserve(16);
        }
        group.push(pair);
    }
    Some(())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(head)
    }

    #[inline(never)]
    fn text(&mut self) -> Option<&'a str> {
        let length = u32::from_le_bytes(*self.take::<4>()?) as usize;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(head).ok()
    }
}

/// The decisions of a page: their number, then six numbers for each: slot, experience or [`NONE`], variant, source, reason, and
/// the number of the text that names the factor or [`NONE`].
pub fn write_decisions(decisions: &Decisions) -> Vec<u32> {
    let mut words = Vec::new();
    words.push(decisions.slots.len() as u32);
    for decision in &decisions.slots {
        let experience = decision.experience.unwrap_or(NONE);
        let factor = decision.factor.unwrap_or(NONE);
        let (source, reason) = (decision.source as u32, decision.reason as u32);
        words.push(decision.slot);
        words.push(experience);
        words.push(decision.variant);
        words.push(source);
        words.push(reason);
        words.push(factor);
    }
    words
}

/// What a number stands for. `kind`: 0 for the id of a slot, 1 of an experience, 2 for the name of a factor, 3 of a reason, and 4,
/// whatever the number, for the manifest's version. Empty where there is no such thing.
pub fn name(program: &Program, kind: u32, number: u32) -> String {
    let name = match kind {
        0 => program.slot_id(number),
        1 => program.experience_id(number),
        2 => program.factor_name(number),
        3 => Reason::ALL.get(number as usize).map_or("", |reason| reason.name()),
        4 => return program.version(),
        7 => program.slot_selector(number).or_else(|| program.slot_handed_over(number)).unwrap_or(""),
        _ => "",
    };
    name.to_owned()
}

/// The edits: their number, then for each its slot, its operation (from 1), and the texts selector, name and value.
pub fn write_edits(edits: &[Edit<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    push(&mut bytes, edits.len() as u32);
    for edit in edits {
        push(&mut bytes, edit.slot);
        push(&mut bytes, edit.op as u32 + 1);
        push_text(&mut bytes, edit.selector);
        push_text(&mut bytes, edit.name);
        push_text(&mut bytes, &edit.value);
    }
    bytes
}

#[inline(never)]
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push(bytes, text.len() as u32);
    bytes.extend_from_slice(text.as_bytes());
}

#[inline(never)]
fn push(bytes: &mut Vec<u8>, word: u32) {
    bytes.extend_from_slice(&word.to_le_bytes());
}
