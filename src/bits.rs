//! Sets of small numbers: a bit for each.

/// Numbers below a limit that is set when it is made. Asking costs the same however many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// None of the numbers below `limit`.
    pub(crate) fn new(limit: usize) -> Bits {
        Bits(vec![0; limit.div_ceil(64)])
    }

    /// Puts a number in; beyond the limit it stays out.
    #[inline(never)]
    pub(crate) fn insert(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut(number as usize / 64) {
            *word |= 1 << (number % 64);
        }
    }

    /// Whether a number is in.
    pub(crate) fn has(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// The first number from `from` on that is in.
    #[inline(never)]
    pub(crate) fn next(&self, from: u32) -> Option<u32> {
        let mut at = from as usize / 64;
        // Those before it in its word are left out.
        let mut word = self.0.get(at)? & (u64::MAX << (from % 64));
        while word == 0 {
            at += 1;
            word = *self.0.get(at)?;
        }
        Some(at as u32 * 64 + word.trailing_zeros())
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.next(from)?;
            from = found + 1;
            Some(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn as_a_set_of_the_standard_library(limit in 0u32..300, numbers in prop::collection::vec(0u32..400, 0..50)) {
            let mut bits = Bits::new(limit as usize);
            numbers.iter().for_each(|number| bits.insert(*number));
            // Limits are rounded up to whole words.
            let expected: BTreeSet<u32> = numbers.into_iter().filter(|number| *number < limit.next_multiple_of(64)).collect();
            prop_assert_eq!(bits.iter().collect::<Vec<_>>(), expected.iter().copied().collect::<Vec<_>>());
            prop_assert!((0..500).all(|number| bits.has(number) == expected.contains(&number)));
        }
    }
}
