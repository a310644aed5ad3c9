//! The program: a manifest, compiled. Immutable bytes, read in place; loading makes no work per experience.

#[cfg(feature = "author")]
pub(crate) mod build;
mod content;
#[cfg(all(feature = "author", feature = "explain", feature = "serde"))]
mod described;
mod enrichment;
mod experience;
#[cfg(feature = "explain")]
mod explained;
pub(crate) mod index;
pub(crate) mod layout;
mod lists;
pub(crate) mod page;
mod source;
mod zones;

pub(crate) use content::Part;
#[cfg(all(feature = "author", feature = "explain", feature = "serde"))]
pub(crate) use described::{Properties, Things};
pub use enrichment::Enrichment;
pub(crate) use experience::{Cap, Details, Experience, Requirement, Status};
#[cfg(feature = "author")]
pub(crate) use experience::{LINEAR, NO_GLOBAL_CAP, STICKY, USER, WINNER};
pub use layout::{FORMAT, MAX_BYTES, RULES};
pub(crate) use page::Page;

use crate::bucket::murmur3_32;
use crate::consent::{Mode, Purpose, Terms};
use crate::context::Kind;
use crate::text::push_hex;
use layout::{HEADER, MAGIC, NONE, Op, SECTIONS, Section, WIDTHS};
use std::fmt;

/// Why bytes are no program that this version can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// Not a program at all.
    NotAProgram,
    /// Larger than [`MAX_BYTES`].
    TooLarge,
    /// Made by another version of the compiler.
    OtherVersion,
    /// Cut off, or changed on its way.
    Damaged,
}

impl LoadError {
    /// What is wrong and what to do. Made without the standard library's formatting, which would weigh on the engine.
    pub fn message(&self) -> String {
        let message = match self {
            LoadError::NotAProgram => "not an Idoine program; expected the output of `idoine compile`",
            LoadError::TooLarge => "the program is larger than 64 MiB",
            LoadError::OtherVersion => "the program is of another version of Idoine; publish it again",
            LoadError::Damaged => "the program is damaged; publish it again",
        };
        message.to_owned()
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for LoadError {}

/// A compiled manifest. Every read is checked, so that even a forged program with a right checksum gives an answer.
#[derive(Debug, Clone)]
pub struct Program {
    bytes: Vec<u8>,
    /// Offset in words and number of records of each section.
    sections: [(usize, usize); SECTIONS],
}

/// A node of an expression. What `a` and `b` are, its operation says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) op: Op,
    /// Of `&&` and `||`: the right operand costs less than the left one.
    pub(crate) right_first: bool,
    /// Its number, from 1, among the nodes whose value is worth keeping as several others ask for it; else 0.
    pub(crate) shared: u32,
    pub(crate) a: u32,
    pub(crate) b: u32,
}

/// See [`Program::column`].
struct Column<'a> {
    program: &'a Program,
    section: Section,
    records: Run,
}

impl Iterator for Column<'_> {
    type Item = u32;

    #[inline(never)]
    fn next(&mut self) -> Option<u32> {
        let index = self.records.next()?;
        Some(u32::from_le_bytes(*self.program.words_of(self.section, index)?.first()?))
    }
}

/// 32 bits, little-endian.
type Word = [u8; 4];

/// A run of records.
pub(crate) type Run = std::ops::Range<usize>;

fn run(start: u32, len: u32) -> Run {
    start as usize..(start as usize).saturating_add(len as usize)
}

impl Program {
    /// Takes over a program's bytes after checking that they are whole and of this version.
    pub fn load(bytes: Vec<u8>) -> Result<Program, LoadError> {
        if bytes.len() > MAX_BYTES {
            return Err(LoadError::TooLarge);
        }
        let mut program = Program { bytes, sections: [(0, 0); SECTIONS] };
        if program.word(0) != MAGIC {
            return Err(LoadError::NotAProgram);
        }
        if program.word(1) != FORMAT {
            return Err(LoadError::OtherVersion);
        }
        let body = program.bytes.get(12..).unwrap_or_default();
        if program.word(3) as usize != program.bytes.len() || program.word(2) != murmur3_32(body, 0) {
            return Err(LoadError::Damaged);
        }
        if program.word(6) != layout::FINGERPRINT || program.word(7) as usize != SECTIONS {
            return Err(LoadError::OtherVersion);
        }
        let words = program.words().len();
        for (index, width) in WIDTHS.iter().enumerate() {
            let (offset, count) = (program.word(HEADER + 2 * index) as usize, program.word(HEADER + 2 * index + 1) as usize);
            if count.checked_mul(*width).and_then(|length| length.checked_add(offset)).is_none_or(|end| end > words) {
                return Err(LoadError::Damaged);
            }
            if let Some(section) = program.sections.get_mut(index) {
                *section = (offset, count);
            }
        }
        Ok(program)
    }

    /// The program's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it takes for everything but texts and the nodes of expressions, in bytes.
    #[cfg(feature = "author")]
    pub fn bytes_beside_texts_and_nodes(&self) -> usize {
        let beside = [Section::Texts, Section::Strings, Section::Nodes, Section::Lists];
        let take = |section: Section| self.count(section) * WIDTHS.get(section as usize).copied().unwrap_or(0) * 4;
        self.bytes.len() - beside.into_iter().map(take).sum::<usize>()
    }

    /// The manifest's version: 16 hex digits of a hash of what it says. Two manifests that say the same have the same.
    pub fn version(&self) -> String {
        let mut digits = String::new();
        for byte in self.bytes.get(16..24).unwrap_or_default() {
            push_hex(&mut digits, byte >> 4);
            push_hex(&mut digits, *byte);
        }
        digits
    }

    /// As [`Program::version`], as it stands in the bytes.
    #[cfg(feature = "author")]
    pub(crate) fn version_bytes(&self) -> Option<[u8; 8]> {
        self.bytes.get(16..24)?.try_into().ok()
    }

    /// The words, as they stand in the bytes.
    fn words(&self) -> &[Word] {
        self.bytes.as_chunks().0
    }

    fn word(&self, index: usize) -> u32 {
        self.words().get(index).map_or(0, |word| u32::from_le_bytes(*word))
    }

    fn count(&self, section: Section) -> usize {
        self.sections.get(section as usize).map_or(0, |(_, count)| *count)
    }

    /// The first words of a record; `None` past the section's end.
    fn record<const N: usize>(&self, section: Section, index: usize) -> Option<[u32; N]> {
        let mut record = [0; N];
        self.read(section, index, &mut record).then_some(record)
    }

    /// Reads the first words of a record, however many, and says whether there are as many: code that is there once for all records.
    fn read(&self, section: Section, index: usize, into: &mut [u32]) -> bool {
        let Some(words) = self.words_of(section, index).and_then(|words| words.get(..into.len())) else { return false };
        for (number, word) in into.iter_mut().zip(words) {
            *number = u32::from_le_bytes(*word);
        }
        true
    }

    /// A word of a record; `NONE` past the section's end.
    fn cell(&self, section: Section, index: usize, word: usize) -> u32 {
        let word = self.words_of(section, index).and_then(|words| words.get(word));
        word.map_or(NONE, |word| u32::from_le_bytes(*word))
    }

    /// The first words of a run of records. One that is forged ends where the section does.
    fn column(&self, section: Section, records: Run) -> Column<'_> {
        Column { program: self, section, records }
    }

    /// The words of a record.
    #[inline(never)]
    fn words_of(&self, section: Section, index: usize) -> Option<&[Word]> {
        let (offset, count) = *self.sections.get(section as usize)?;
        let width = *WIDTHS.get(section as usize)?;
        if index >= count {
            return None;
        }
        self.words().get(offset + index * width..)?.get(..width)
    }

    /// The bytes of a text. Comparing them compares code points.
    pub(crate) fn raw(&self, string: u32) -> &[u8] {
        let read = || {
            let [offset, length] = self.record(Section::Strings, string as usize)?;
            let (texts, words) = *self.sections.get(Section::Texts as usize)?;
            let texts = self.words().get(texts..texts + words)?.as_flattened();
            texts.get(offset as usize..)?.get(..length as usize)
        };
        read().unwrap_or_default()
    }

    /// A text; empty where there is none.
    pub(crate) fn text(&self, string: u32) -> &str {
        std::str::from_utf8(self.raw(string)).unwrap_or_default()
    }

    /// A text, where there is one.
    fn text_or_none(&self, string: u32) -> Option<&str> {
        (string != NONE).then(|| self.text(string))
    }

    fn site(&self) -> [u32; 4] {
        self.record(Section::Site, 0).unwrap_or([NONE, 0, NONE, 0])
    }

    /// The site's id.
    pub fn site_id(&self) -> &str {
        self.text(self.cell(Section::Site, 0, 0))
    }

    /// The share of visitors that never sees personalisation, in parts per million.
    pub(crate) fn holdout(&self) -> u32 {
        self.site()[1]
    }

    /// The cap over all experiences.
    pub(crate) fn site_cap(&self) -> Option<Cap> {
        self.cap(self.cell(Section::Site, 0, 2))
    }

    /// How many nodes several others share (see [`Node::shared`]).
    pub(crate) fn shared_count(&self) -> usize {
        // A forged number is no more than there are nodes.
        (self.site()[3] as usize).min(self.count(Section::Nodes))
    }

    /// On which terms the site asks for consent.
    pub fn terms(&self) -> Terms {
        let [mode, version, ..] = self.record::<4>(Section::Consent, 0).unwrap_or_default();
        Terms { mode: Mode::from_code(mode), version }
    }

    /// What visitors are told where they are asked for consent, JSON; empty in a program for browsers.
    #[cfg(feature = "learn")]
    pub fn notice(&self) -> &str {
        self.text(self.cell(Section::Consent, 0, 2))
    }

    /// What the page's script captures, names with spaces between them; empty where it captures nothing.
    #[cfg(feature = "learn")]
    pub fn capture(&self) -> &str {
        self.text(self.cell(Section::Script, 0, 0))
    }

    /// When a slot counts as seen: the share of it that is in view, and milliseconds; empty where it is as always.
    #[cfg(feature = "learn")]
    pub fn exposure(&self) -> &str {
        self.text(self.cell(Section::Script, 0, 1))
    }

    /// What those are told who keep what is known of visitors, JSON; empty in a program for browsers.
    #[cfg(feature = "learn")]
    pub fn keeping(&self) -> &str {
        self.text(self.cell(Section::Consent, 0, 3))
    }

    /// What is learned of visitors, as [`crate::learn::Rules::from_bytes`] reads it; empty in a program for browsers.
    #[cfg(feature = "learn")]
    pub fn rules_bytes(&self) -> &[u8] {
        self.raw(self.cell(Section::Learned, 0, 0))
    }

    /// The hosts of the site, lower case.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.column(Section::Hosts, 0..usize::MAX).map(|host| self.text(host))
    }

    /// Number of the fields: those that every site has, and behind them those that the manifest declares.
    pub fn field_count(&self) -> usize {
        self.count(Section::Fields)
    }

    /// The number and type of the field of that path.
    pub fn field(&self, path: &str) -> Option<(u32, Kind)> {
        let field = (0..self.field_count() as u32).find(|field| self.field_path(*field) == path)?;
        Some((field, self.field_kind(field)?))
    }

    /// The type of a field.
    pub(crate) fn field_kind(&self, field: u32) -> Option<Kind> {
        Kind::from_code(self.cell(Section::Fields, field as usize, 1))
    }

    /// The path of a field.
    pub fn field_path(&self, field: u32) -> &str {
        self.text(self.cell(Section::Fields, field as usize, 0))
    }

    /// The purpose without whose consent a field is absent.
    pub fn field_purpose(&self, field: u32) -> Option<Purpose> {
        Purpose::from_code(self.cell(Section::Fields, field as usize, 2))
    }

    /// A node's operation and operands.
    pub(crate) fn node(&self, node: u32) -> Option<(Op, u32, u32)> {
        self.marked(node).map(|node| (node.op, node.a, node.b))
    }

    /// A node with what the compiler noted of it.
    pub(crate) fn marked(&self, node: u32) -> Option<Node> {
        let [word, a, b] = self.record(Section::Nodes, node as usize)?;
        Some(Node { op: Op::from_code(word & 0xff)?, right_first: word >> 8 & 1 == 1, shared: word >> 9, a, b })
    }

    pub(crate) fn list_items(&self, start: u32, len: u32) -> impl Iterator<Item = u32> {
        self.column(Section::Lists, run(start, len))
    }

    pub(crate) fn audience_node(&self, audience: u32) -> Option<u32> {
        Some(self.record::<2>(Section::Audiences, audience as usize)?[1])
    }

    /// Number of slots.
    pub fn slot_count(&self) -> usize {
        self.count(Section::Slots)
    }

    /// A slot's id.
    pub fn slot_id(&self, slot: u32) -> &str {
        self.text(self.cell(Section::Slots, slot as usize, 0))
    }

    /// A slot's CSS selector; `None` where it has no element, or is handed to the page's own code.
    pub fn slot_selector(&self, slot: u32) -> Option<&str> {
        self.text_or_none(self.cell(Section::Slots, slot as usize, 1))
    }

    /// The CSS selector of a slot that is handed to the page's own code.
    pub fn slot_handed_over(&self, slot: u32) -> Option<&str> {
        self.text_or_none(self.cell(Section::Slots, slot as usize, 3))
    }

    /// The personas: name, and paths with their text.
    pub fn personas(&self) -> impl Iterator<Item = (&str, Vec<(&str, &str)>)> {
        (0..self.count(Section::Personas)).filter_map(|index| {
            let [name, start, len] = self.record(Section::Personas, index)?;
            let values = run(start, len).map_while(|value| self.record::<2>(Section::PersonaValues, value));
            Some((self.text(name), values.map(|[path, text]| (self.text(path), self.text(text))).collect()))
        })
    }
}
