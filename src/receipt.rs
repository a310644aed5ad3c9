//! Receipts: what a decision was made from, in a few words. The same program with the same context decides the same again, so
//! that whoever keeps a receipt with a decision can prove later that nothing else went into it.
//!
//! A context's digest is the first half of the SHA-256 of what follows. A number is 64 bits, little-endian; a text is the number
//! of its bytes and its UTF-8; a list is the number of its items and the items.
//!
//! ```text
//! context   text "idoine context 1", now (epoch milliseconds), consent (personalization 1, analytics 2, marketing 4),
//!           anonymousId (empty where there is none), offsets, query, fields
//! offsets   list of: second since 1970, seconds ahead of UTC from then on (the lowest number there is: not known)
//! query     list of: name, value, both text and decoded
//! fields    list of those that are present, in the byte order of their paths: path, kind, value
//! kind      0 bool, 1 int, 2 double, 3 string, 4 strings, 5 timestamp, 6 map
//! value     0 or 1; the number; the double's bits; text; list of texts; epoch milliseconds; list of names and texts
//! ```
//! Which fields are denied is not part of it: that follows from the consent and the program. Vectors are frozen in
//! `tests/spec/receipts.json`.

use crate::consent::Purpose;
use crate::context::{Context, Value};
use crate::program::Program;
use crate::text::push_hex;
use crate::time::exact_instant_text;
use sha2::{Digest, Sha256};

/// What a decision was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    let mut hasher = Hasher(Sha256::new());
    hasher.text("idoine context 1");
    hasher.number(context.now);
    let granted = Purpose::ALL.into_iter().filter(|purpose| context.consent.has(*purpose));
    hasher.number(granted.map(|purpose| 1 << purpose.code()).sum());
    hasher.text(context.unit.as_deref().unwrap_or_default());
    hasher.list(context.offsets.entries().iter(), |hasher, (from, seconds)| {
        hasher.number(*from);
        hasher.number(seconds.map_or(i64::MIN, i64::from));
    });
    hasher.pairs(context.query());
    // Another program may declare other fields: their places in the table tell nothing.
    let mut fields: Vec<_> = context.present(program).collect();
    fields.sort_unstable_by_key(|(path, _)| *path);
    hasher.list(fields.into_iter(), |hasher, (path, value)| {
        hasher.text(path);
        hasher.value(value);
    });
    let mut digits = String::new();
    for byte in hasher.0.finalize().iter().take(16) {
        push_hex(&mut digits, byte >> 4);
        push_hex(&mut digits, *byte);
    }
    digits
}

struct Hasher(Sha256);

impl Hasher {
    fn number(&mut self, number: i64) {
        self.0.update(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as i64);
        self.0.update(text.as_bytes());
    }

    fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut item: impl FnMut(&mut Hasher, T)) {
        self.number(items.len() as i64);
        for one in items {
            item(self, one);
        }
    }

    fn pairs(&mut self, pairs: &[(String, String)]) {
        self.list(pairs.iter(), |hasher, (name, value)| {
            hasher.text(name);
            hasher.text(value);
        });
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
            Value::Strings(values) => self.list(values.iter(), |hasher, value| hasher.text(value)),
            Value::Map(pairs) => self.pairs(pairs),
        }
    }
}
