//! The index: which experiences could win on a page. Each stands under the sets of page rules, and there, where its audience is
//! true only if a field has one of some values, under those values alone. What is found is looked at in full, so that two
//! values of one hash cost a look and nothing else.

use super::layout::Section;
use super::{Page, Program};
use crate::bits::Bits;
use crate::bucket::murmur3_32;
use crate::context::{Context, Value};
use crate::eval::MAX_ITEMS;

/// Stands in place of a hash for experiences that are not live: nobody looks for it.
#[cfg(feature = "author")]
pub(crate) const NOT_LIVE: u32 = 0;

/// The hash of a field and its value: a text's bytes, a whole number's eight of them, a boolean's one.
#[inline(never)]
pub(crate) fn hash(field: u32, value: &[u8]) -> u32 {
    murmur3_32(value, field).max(1)
}

impl Program {
    /// The experiences that could win on a page: all that are live, on the page, and have no key, or one that the context has.
    pub(crate) fn candidates(&self, context: &Context, page: &Page) -> Bits {
        let mut candidates = Bits::new(self.experience_count());
        let mut hashes = Vec::new();
        for field in self.column(Section::KeyFields, 0..usize::MAX) {
            match context.get(field) {
                Some(Value::String(text)) => hashes.push(hash(field, text.as_bytes())),
                Some(Value::Int(number)) => hashes.push(hash(field, &number.to_le_bytes())),
                Some(Value::Bool(value)) => hashes.push(hash(field, &[u8::from(*value)])),
                Some(Value::Strings(texts)) => {
                    // The evaluator looks at no more of them.
                    for text in texts.iter().take(MAX_ITEMS) {
                        hashes.push(hash(field, text.as_bytes()));
                    }
                }
                _ => {}
            }
        }
        for set in page.sets() {
            let (first, end) = (self.cell(Section::Pages, set as usize, 1), self.cell(Section::Pages, set as usize + 1, 1));
            // Where the postings of a key begin, and those of all keys end.
            let begin = |key: u32| match key < end {
                true => self.cell(Section::Keys, key as usize, 1),
                false => self.cell(Section::Pages, set as usize + 1, 2),
            };
            self.post(self.cell(Section::Pages, set as usize, 2)..begin(first), &mut candidates);
            for wanted in &hashes {
                let (mut low, mut high) = (first, end);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if self.cell(Section::Keys, middle as usize, 0) < *wanted { low = middle + 1 } else { high = middle }
                }
                if low < end && self.cell(Section::Keys, low as usize, 0) == *wanted {
                    self.post(begin(low)..begin(low + 1), &mut candidates);
                }
            }
        }
        candidates
    }
}
