//! The copy with all mutants in it. Only one of them is ever asked for, so each stands beside the text as it was, and inside that
//! text others may stand.

use std::cmp::Reverse;

use crate::find::{How, Mutant};

/// A rewritten file. A region is a mutant's number and the bytes between which an error of the compiler is its doing; the
/// replacements come before what stands around them.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) regions: Vec<(u64, usize, usize)>,
}

/// What is put in: where, in which order at the same place, and for whom.
struct Piece {
    at: usize,
    order: (u8, Reverse<usize>, u8),
    /// Text, and the mutant if the text is its alone.
    parts: Vec<(Option<u64>, String)>,
}

/// At one place: what ends there (the shorter first), then what begins there (the longer first).
fn pieces(kept: &[(u64, &Mutant)], text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut done: Vec<(usize, usize)> = Vec::new();
    for (id, mutant) in kept {
        let (start, end) = (mutant.whole.start, mutant.whole.end);
        let len = end - start;
        let asked = format!("crate::mutant::is({id})");
        let mut around = |rank: u8, before: Vec<(Option<u64>, String)>, behind: &str| {
            pieces.push(Piece { at: start, order: (1, Reverse(len), rank), parts: before });
            // Of equally long ones, the last that began ends first.
            pieces.push(Piece {
                at: end,
                order: (0, Reverse(usize::MAX - len), u8::MAX - rank),
                parts: vec![(None, behind.to_owned())],
            });
        };
        match mutant.how {
            How::Early => pieces.push(Piece {
                at: start,
                order: (1, Reverse(usize::MAX), 0),
                parts: vec![(Some(*id), format!(" if {asked} {{ return {}; }}", mutant.becomes))],
            }),
            How::Arm if len == 0 => pieces.push(Piece {
                at: start,
                order: (1, Reverse(usize::MAX), 0),
                parts: vec![(Some(*id), format!(" if !{asked}"))],
            }),
            How::Arm => around(0, vec![(Some(*id), format!("!{asked} && (")), (None, String::new())], ")"),
            How::Delete => around(1, vec![(Some(*id), format!("if !{asked} {{ "))], " }"),
            How::Replace => {
                if done.contains(&(start, end)) {
                    continue;
                }
                done.push((start, end));
                let mut before = vec![(None, "(".to_owned())];
                for (id, other) in kept.iter().filter(|(_, other)| other.how == How::Replace && other.whole == mutant.whole) {
                    before.push((Some(*id), format!("if crate::mutant::is({id}) {{ {} }}", other.becomes)));
                    before.push((None, " else ".to_owned()));
                }
                before.push((None, "{ ".to_owned()));
                around(2, before, " })");
            }
        }
    }
    debug_assert!(pieces.iter().all(|piece| text.is_char_boundary(piece.at)));
    pieces.sort_by_key(|piece| (piece.at, piece.order));
    pieces
}

pub(crate) fn written(text: &str, kept: &[(u64, &Mutant)]) -> Written {
    let mut out = String::new();
    let mut regions = Vec::new();
    let mut from = 0;
    // Where each byte of the text went, at the places where something is put in.
    let mut moved: Vec<(usize, usize)> = vec![(0, 0)];
    for piece in pieces(kept, text) {
        out.push_str(text.get(from..piece.at).unwrap_or_default());
        from = piece.at;
        for (id, part) in piece.parts {
            if let Some(id) = id {
                regions.push((id, out.len(), out.len() + part.len()));
            }
            out.push_str(&part);
        }
        moved.push((piece.at, out.len()));
    }
    out.push_str(text.get(from..).unwrap_or_default());
    let at = |place: usize, first: bool| {
        let known = |entry: &&(usize, usize)| if first { entry.0 < place } else { entry.0 <= place };
        moved.iter().rfind(known).map_or(place, |(was, is)| is + place - was)
    };
    let mut wholes: Vec<(u64, usize, usize)> =
        kept.iter().map(|(id, mutant)| (*id, at(mutant.whole.start, true), at(mutant.whole.end, false))).collect();
    wholes.sort_by_key(|(_, start, end)| end - start);
    regions.extend(wholes);
    Written { text: out, regions }
}
