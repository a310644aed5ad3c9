//! Writing a program's bytes.

mod index;
mod shared;

pub(crate) use index::Key;
use index::Posted;

use super::layout::{FINGERPRINT, FORMAT, HEADER, MAGIC, NONE, Op, PartKind, SECTIONS, Section, WIDTHS};
use crate::bucket::murmur3_32;
use crate::edit::EditOp;
use crate::expr::{Checked, CheckedKind, Constant};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::ops::Range;

/// A part of a content's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    /// Text as it is.
    Literal(String),
    /// A field's value, or the default where it is absent.
    Field { field: u32, kind: PartKind, default: Option<String> },
}

/// An edit before it has a slot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContentEdit {
    pub(crate) op: EditOp,
    pub(crate) name: String,
    pub(crate) value: Vec<Part>,
}

/// Collects the records of each section; equal texts, nodes and runs of records are stored once.
pub(crate) struct Builder {
    sections: Vec<Vec<u32>>,
    texts: Vec<u8>,
    interned: HashMap<Vec<u8>, u32>,
    /// The position of each run of records that is stored once: by its section and words.
    runs: HashMap<Vec<u32>, u32>,
    /// Where each node was written in its expression; of equal nodes the first.
    spans: Vec<Range<usize>>,
    /// The experiences, and what they are found by.
    posted: Vec<Posted>,
}

/// A page rule: host and path, and parameters with their globs in turn.
pub(crate) struct PageRecord {
    pub(crate) host: u32,
    pub(crate) path: u32,
    pub(crate) queries: Vec<u32>,
}

impl Default for Builder {
    fn default() -> Builder {
        Builder::new()
    }
}

impl Builder {
    pub(crate) fn new() -> Builder {
        let mut builder = Builder {
            sections: vec![Vec::new(); SECTIONS],
            texts: Vec::new(),
            interned: HashMap::new(),
            runs: HashMap::new(),
            spans: Vec::new(),
            posted: Vec::new(),
        };
        // The first set of page rules is the one of every page.
        builder.pages(&[]);
        builder
    }

    /// Appends a record and returns its position.
    pub(crate) fn push(&mut self, section: Section, record: &[u32]) -> u32 {
        let width = WIDTHS.get(section as usize).copied().unwrap_or(1);
        let Some(words) = self.sections.get_mut(section as usize) else { return NONE };
        debug_assert_eq!(record.len(), width);
        words.extend_from_slice(record);
        (words.len() / width - 1) as u32
    }

    /// The position that the next record of a section gets.
    pub(crate) fn next(&self, section: Section) -> u32 {
        let width = WIDTHS.get(section as usize).copied().unwrap_or(1);
        self.sections.get(section as usize).map_or(0, |words| (words.len() / width) as u32)
    }

    fn section(&self, section: Section) -> &[u32] {
        self.sections.get(section as usize).map_or(&[], Vec::as_slice)
    }

    /// The first words of a record, to change them.
    fn record<const N: usize>(&mut self, section: Section, index: usize) -> Option<&mut [u32; N]> {
        let width = WIDTHS.get(section as usize)?;
        self.sections.get_mut(section as usize)?.get_mut(index * width..)?.first_chunk_mut()
    }

    /// The bytes of a text.
    fn bytes_of(&self, text: u32) -> &[u8] {
        let strings = self.section(Section::Strings).as_chunks::<2>().0;
        let Some([offset, len]) = strings.get(text as usize) else { return &[] };
        self.texts.get(*offset as usize..(*offset + *len) as usize).unwrap_or_default()
    }

    /// The position of a run of records, which is stored once. Nothing stands anywhere.
    pub(crate) fn run(&mut self, section: Section, words: &[u32]) -> u32 {
        if words.is_empty() {
            return 0;
        }
        let key = [&[section as u32], words].concat();
        if let Some(position) = self.runs.get(&key) {
            return *position;
        }
        let position = self.next(section);
        if let Some(section) = self.sections.get_mut(section as usize) {
            section.extend_from_slice(words);
        }
        self.runs.insert(key, position);
        position
    }

    /// The position of a text.
    pub(crate) fn text(&mut self, text: &str) -> u32 {
        self.bytes(text.as_bytes())
    }

    /// The position of bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> u32 {
        if let Some(position) = self.interned.get(bytes) {
            return *position;
        }
        let offset = self.texts.len() as u32;
        self.texts.extend_from_slice(bytes);
        let position = self.push(Section::Strings, &[offset, bytes.len() as u32]);
        self.interned.insert(bytes.to_vec(), position);
        position
    }

    /// The slots of a run of an experience's slots.
    pub(crate) fn slots(&self, [start, len]: [u32; 2]) -> Vec<u32> {
        let records = self.section(Section::ExperienceSlots).as_chunks::<3>().0.iter();
        records.skip(start as usize).take(len as usize).map(|[slot, ..]| *slot).collect()
    }

    fn node(&mut self, op: Op, a: u32, b: u32, span: &Range<usize>) -> u32 {
        let position = self.run(Section::Nodes, &[op as u32, a, b]);
        if position as usize == self.spans.len() {
            self.spans.push(span.clone());
        }
        position
    }

    /// Where a node was written in its expression.
    pub(crate) fn node_span(&self, node: u32) -> Option<Range<usize>> {
        self.spans.get(node as usize).cloned()
    }

    /// The first of the entries in `Lists` that hold these nodes.
    fn list(&mut self, nodes: Vec<u32>) -> u32 {
        self.run(Section::Lists, &nodes)
    }

    /// Writes an expression and returns its root.
    pub(crate) fn expression(&mut self, expression: &Checked) -> u32 {
        let span = &expression.span;
        match &expression.kind {
            CheckedKind::Constant(constant) => self.constant(constant, span),
            CheckedKind::List(items) => {
                let simple =
                    |item: &Checked| matches!(item.kind, CheckedKind::Constant(Constant::String(_) | Constant::Int(_)));
                let op = if items.iter().all(simple) { Op::Constants } else { Op::List };
                let nodes = items.iter().map(|item| self.expression(item)).collect();
                let start = self.list(nodes);
                self.node(op, start, items.len() as u32, span)
            }
            CheckedKind::Map(entries) => {
                let nodes = entries.iter().flat_map(|(key, value)| [self.expression(key), self.expression(value)]).collect();
                let start = self.list(nodes);
                self.node(Op::Map, start, entries.len() as u32, span)
            }
            CheckedKind::Field(field, _) => self.node(Op::Field, *field, NONE, span),
            CheckedKind::Has(field) => self.node(Op::Has, *field, NONE, span),
            CheckedKind::HasKey(map, key) => {
                let (map, key) = (self.expression(map), self.text(key));
                self.node(Op::HasKey, map, key, span)
            }
            CheckedKind::Audience(audience) => self.node(Op::Audience, *audience, NONE, span),
            CheckedKind::Variable(number, _) => self.node(Op::Variable, *number, NONE, span),
            CheckedKind::And(items) => self.balanced(Op::And, items, span),
            CheckedKind::Or(items) => self.balanced(Op::Or, items, span),
            CheckedKind::Conditional(parts) => {
                let [condition, then, otherwise] = parts.each_ref().map(|part| self.expression(part));
                let start = self.list(vec![then, otherwise]);
                self.node(Op::Conditional, condition, start, span)
            }
            CheckedKind::Apply(op @ (Op::SplitLimit | Op::Distance), operands) => {
                let nodes = operands.iter().map(|operand| self.expression(operand)).collect();
                let start = self.list(nodes);
                self.node(*op, start, operands.len() as u32, span)
            }
            CheckedKind::Apply(op, operands) => {
                let mut nodes = operands.iter().map(|operand| self.expression(operand)).collect::<Vec<_>>().into_iter();
                let (left, right) = (nodes.next().unwrap_or(NONE), nodes.next().unwrap_or(NONE));
                self.node(*op, left, right, span)
            }
            CheckedKind::Fold(op, list, variable, body) => {
                let (list, body) = (self.expression(list), self.expression(body));
                let start = self.list(vec![*variable, body]);
                self.node(*op, list, start, span)
            }
        }
    }

    /// A chain of an associative operator, as a balanced tree: a thousand terms are ten levels deep.
    fn balanced(&mut self, op: Op, items: &[Checked], span: &Range<usize>) -> u32 {
        let mut level: Vec<u32> = items.iter().map(|item| self.expression(item)).collect();
        while level.len() > 1 {
            level = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => self.node(op, *left, *right, span),
                    _ => pair.first().copied().unwrap_or(NONE),
                })
                .collect();
        }
        level.first().copied().unwrap_or(NONE)
    }

    fn constant(&mut self, constant: &Constant, span: &Range<usize>) -> u32 {
        let halves = |bits: u64| (bits as u32, (bits >> 32) as u32);
        let (op, (a, b)) = match constant {
            Constant::Bool(value) => (Op::Bool, (u32::from(*value), NONE)),
            Constant::Int(value) => (Op::Int, halves(*value as u64)),
            Constant::Uint(value) => (Op::Uint, halves(*value)),
            Constant::Double(value) => (Op::Double, halves(value.to_bits())),
            Constant::String(value) => (Op::String, (self.text(value), NONE)),
            Constant::Timestamp(seconds) | Constant::Duration(seconds) => {
                let op = if matches!(constant, Constant::Timestamp(_)) { Op::Timestamp } else { Op::Duration };
                (op, (self.constant(&Constant::Int(seconds.whole), span), seconds.nanos))
            }
            Constant::Version(text) | Constant::Ip(text) | Constant::Cidr(text) => {
                let op = match constant {
                    Constant::Version(_) => Op::ToVersion,
                    Constant::Ip(_) => Op::ToIp,
                    _ => Op::ToCidr,
                };
                (op, (self.constant(&Constant::String(text.clone()), span), NONE))
            }
            Constant::List(items) => {
                let nodes = items.iter().map(|item| self.constant(item, span)).collect();
                (Op::List, (self.list(nodes), items.len() as u32))
            }
            Constant::Map(entries) => {
                let nodes =
                    entries.iter().flat_map(|(key, value)| [self.constant(key, span), self.constant(value, span)]).collect();
                (Op::Map, (self.list(nodes), entries.len() as u32))
            }
        };
        self.node(op, a, b, span)
    }

    /// Writes a content and returns its text: see `program/content.rs`.
    pub(crate) fn content(&mut self, edits: &[ContentEdit]) -> u32 {
        let mut bytes = Vec::new();
        for edit in edits {
            bytes.push(edit.op as u8);
            put_sized(&mut bytes, edit.name.as_bytes());
            let value = parts(&edit.value);
            put_sized(&mut bytes, &value);
        }
        self.bytes(&bytes)
    }

    /// Writes the parts of a value and returns their text.
    pub(crate) fn parts(&mut self, value: &[Part]) -> u32 {
        let bytes = parts(value);
        self.bytes(&bytes)
    }

    /// The program's bytes. Its version is that of another program of the same manifest, if one is given, else its own.
    pub(crate) fn finish(mut self, version: Option<[u8; 8]>) -> Vec<u8> {
        self.index();
        self.mark_shared();
        self.texts.resize(self.texts.len().next_multiple_of(4), 0);
        let texts = std::mem::take(&mut self.texts);
        if let Some(section) = self.sections.get_mut(Section::Texts as usize) {
            section.extend(texts.as_chunks::<4>().0.iter().map(|chunk| u32::from_le_bytes(*chunk)));
        }
        let mut table = Vec::new();
        let mut data = Vec::new();
        for (section, width) in self.sections.iter().zip(WIDTHS) {
            table.extend([(HEADER + 2 * SECTIONS + data.len()) as u32, (section.len() / width) as u32]);
            data.extend_from_slice(section);
        }
        let body: Vec<u8> = table.iter().chain(&data).flat_map(|word| word.to_le_bytes()).collect();
        let digest = Sha256::digest(&body);
        let total = (HEADER * 4 + body.len()) as u32;
        let mut tail = total.to_le_bytes().to_vec();
        match version {
            Some(version) => tail.extend(version),
            None => tail.extend(digest.iter().take(8)),
        }
        tail.extend(FINGERPRINT.to_le_bytes());
        tail.extend((SECTIONS as u32).to_le_bytes());
        tail.extend(body);
        let mut bytes = Vec::with_capacity(total as usize);
        for word in [MAGIC, FORMAT, murmur3_32(&tail, 0)] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(tail);
        bytes
    }
}

fn parts(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        match part {
            Part::Literal(text) => {
                bytes.push(PartKind::Literal as u8);
                put_sized(&mut bytes, text.as_bytes());
            }
            Part::Field { field, kind, default } => {
                bytes.push(*kind as u8);
                put_number(&mut bytes, *field);
                put_number(&mut bytes, default.as_ref().map_or(0, |text| text.len() as u32 + 1));
                bytes.extend_from_slice(default.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
    bytes
}

fn put_sized(bytes: &mut Vec<u8>, text: &[u8]) {
    put_number(bytes, text.len() as u32);
    bytes.extend_from_slice(text);
}

fn put_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
