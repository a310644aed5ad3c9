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
        for index in 0..self.count(Section::KeyFields) {
            let Some([field]) = self.record(Section::KeyFields, index) else { break };
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
            let all = self.postings(set);
            let key = |set: u32| self.record(Section::Pages, set as usize).map_or(0, |[_, key]| key as usize);
            let (first, end) = (key(set), key(set.saturating_add(1)));
            // Where the postings of a key begin.
            let begin = |key: usize| match self.record(Section::Keys, key).filter(|_| key < end) {
                Some([_, posting]) => posting as usize,
                None => all.end,
            };
            self.post(all.start..begin(first), &mut candidates);
            if first == end {
                continue;
            }
            for wanted in &hashes {
                let (mut low, mut high) = (first, end);
                while low < high {
                    let middle = low + (high - low) / 2;
                    let [hash] = self.record(Section::Keys, middle).unwrap_or([u32::MAX]);
                    if hash < *wanted { low = middle + 1 } else { high = middle }
                }
                if low < end && self.record(Section::Keys, low) == Some([*wanted]) {
                    self.post(begin(low)..begin(low + 1), &mut candidates);
                }
            }
        }
        candidates
    }
}
