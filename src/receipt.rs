//! Receipts: what a decision was made from, in a few words. The same program with the same context decides the same again, so
//! that whoever keeps a receipt with a decision can prove later that nothing else went into it.
//!
//! A context's digest is the first half of the SHA-256 of what follows. A number is 64 bits, little-endian; a text is the number
//! of its bytes and its UTF-8; a list is the number of its items and the items.
//!
//! ```text
//! context   text "idoine context 1", now (epoch milliseconds), consent (personalization 1, analytics 2, marketing 4),
//!           anonymousId (empty where there is none), offsets, query, fields, profile
//! offsets   list of: second since 1970, seconds ahead of UTC from then on (the lowest number there is: not known)
//! query     list of: name, value, both text and decoded
//! fields    list of those that are present, in the byte order of their paths: path, kind, value
//! kind      0 bool, 1 int, 2 double, 3 string, 4 strings, 5 timestamp, 6 map
//! value     0 or 1; the number; the double's bits; text; list of texts; epoch milliseconds; list of names and texts
//! profile   list of what is stored and may be read, in the byte order of the paths: path and text, as visitors are written
//! ```
//! Which fields are denied is not part of it: that follows from the consent and the program. Vectors are frozen in
//! `tests/spec/receipts.json`.

use crate::consent::{Consent, Purpose};
use crate::context::{Context, Value};
use crate::program::Program;
use crate::text::push_hex;
use crate::time::exact_instant_text;
use sha2::{Digest, Sha256};

/// What a decision was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Receipt {
    /// The program's version.
    pub program: String,
    /// The context's digest: 32 hex digits.
    pub context: String,
    /// The instant of the decision: `2026-11-20T12:30:00Z`, epoch milliseconds beyond the years of four digits.
    pub time: String,
}

impl Receipt {
    /// The receipt of what is decided with a program for a context.
    pub fn of(program: &Program, context: &Context) -> Receipt {
        Receipt { program: program.version(), context: digest(program, context), time: exact_instant_text(context.now) }
    }
}

/// The context's digest.
fn digest(program: &Program, context: &Context) -> String {
    let mut writer = Writer::default();
    writer.text("idoine context 1");
    writer.number(context.now);
    let granted = Purpose::ALL.into_iter().filter(|purpose| context.consent.has(*purpose));
    writer.number(granted.map(|purpose| 1 << purpose.code()).sum());
    writer.text(context.unit.as_deref().unwrap_or_default());
    writer.count(context.offsets.entries().len());
    for (from, seconds) in context.offsets.entries() {
        writer.number(*from);
        writer.number(seconds.map_or(i64::MIN, i64::from));
    }
    writer.pairs(context.query());
    // Another program may declare other fields: their places in the table tell nothing.
    let mut fields: Vec<(&str, &Value)> = Vec::new();
    for (path, value) in context.present(program) {
        let place = fields.partition_point(|(other, _)| *other < path);
        fields.insert(place, (path, value));
    }
    writer.count(fields.len());
    for (path, value) in fields {
        writer.text(path);
        writer.value(value);
    }
    writer.pairs(&stored(program, context));
    let mut digits = String::new();
    for byte in Sha256::digest(&writer.0).iter().take(16) {
        push_hex(&mut digits, byte >> 4);
        push_hex(&mut digits, *byte);
    }
    digits
}

/// What is stored of the visitor and may be read by this program: paths and texts as visitors are written, in the byte order of
/// the paths. Of an experience nothing unless its purpose is agreed to, and no variant that it does not have; variants that a
/// preview forces need no consent.
pub(crate) fn stored(program: &Program, context: &Context) -> Vec<(String, String)> {
    let may_read = |path: &str| match program.stored_of(context, path) {
        Some(Ok(experience)) => path.starts_with("variant.") || context.consent.has(experience.purpose),
        Some(Err(_)) => false,
        None => context.consent != Consent::default(),
    };
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (path, text) in context.profile.readable() {
        if may_read(path) {
            let place = pairs.partition_point(|(other, _)| other.as_str() < path);
            pairs.insert(place, (path.to_owned(), text));
        }
    }
    pairs
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    #[inline(never)]
    fn number(&mut self, number: i64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn count(&mut self, count: usize) {
        self.number(count as i64);
    }

    #[inline(never)]
    fn text(&mut self, text: &str) {
        self.count(text.len());
        self.0.extend_from_slice(text.as_bytes());
    }

    #[inline(never)]
    fn pairs(&mut self, pairs: &[(String, String)]) {
        self.count(pairs.len());
        for (name, value) in pairs {
            self.text(name);
            self.text(value);
        }
    }

    fn value(&mut self, value: &Value) {
        self.number(match value {
            Value::Bool(_) => 0,
            Value::Int(_) => 1,
            Value::Double(_) => 2,
            Value::String(_) => 3,
            Value::Strings(_) => 4,
            Value::Timestamp(_) => 5,
            Value::Map(_) => 6,
        });
        match value {
            Value::Bool(value) => self.number(i64::from(*value)),
            Value::Int(value) | Value::Timestamp(value) => self.number(*value),
            Value::Double(value) => self.number(value.to_bits() as i64),
            Value::String(value) => self.text(value),
            Value::Strings(values) => {
                self.count(values.len());
                values.iter().for_each(|value| self.text(value));
            }
            Value::Map(pairs) => self.pairs(pairs),
        }
    }
}
