//! Quantiles of many numbers in little room: a histogram whose buckets get wider with the numbers, by the same share (as Gil Tene's
//! HdrHistogram has them). Integers alone. What was put in can be taken out again, and histograms add up, in any order.

/// A histogram.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sketch {
    /// Numbers of so many bits have a bucket each; larger ones share it with those that begin with as many equal bits.
    bits: u32,
    /// How many are in which bucket, in the order of the buckets.
    counts: Vec<(u32, i64)>,
}

impl Sketch {
    /// An empty one, whose quantiles are too large by 2^-`bits` of themselves at most. At most 20 bits.
    pub fn new(bits: u32) -> Sketch {
        Sketch { bits: bits.min(20), counts: Vec::new() }
    }

    /// The bucket of a number; those below zero are with zero.
    fn bucket(&self, value: i64) -> u32 {
        let value = value.max(0) as u64;
        let bits = self.bits.min(20);
        let shift = (63 - (value | 1).leading_zeros()).saturating_sub(bits);
        // Above the buckets of one number each, every doubling has 2^bits.
        (shift << bits).saturating_add((value >> shift) as u32)
    }

    /// The largest number of a bucket.
    fn largest(&self, bucket: u32) -> i64 {
        let bits = self.bits.min(20);
        let shift = (bucket >> bits).saturating_sub(1).min(63);
        let begins = u64::from(bucket - (shift << bits).min(bucket));
        let next = begins.saturating_add(1).checked_shl(shift).unwrap_or(u64::MAX);
        i64::try_from(next.saturating_sub(1)).unwrap_or(i64::MAX)
    }

    /// Puts a number in so many times; negative: takes it out.
    pub fn add(&mut self, value: i64, times: i64) {
        self.put(self.bucket(value), times);
    }

    fn put(&mut self, bucket: u32, times: i64) {
        match self.counts.binary_search_by_key(&bucket, |(known, _)| *known) {
            Ok(place) => {
                if let Some((_, count)) = self.counts.get_mut(place) {
                    *count = count.saturating_add(times);
                    if *count == 0 {
                        self.counts.remove(place);
                    }
                }
            }
            Err(_) if times == 0 => {}
            Err(place) => self.counts.insert(place, (bucket, times)),
        }
    }

    /// Puts in what is in another of as many bits.
    pub fn merge(&mut self, other: &Sketch) {
        if self.bits == other.bits {
            other.counts.iter().for_each(|(bucket, count)| self.put(*bucket, *count));
        }
    }

    /// How many numbers are in it.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| (*count).max(0) as u64).fold(0, u64::saturating_add)
    }

    /// A number that `part` of `whole` parts of the numbers are not above; the least such one, rounded up to the largest of its bucket.
    /// `None` when there is no number.
    pub fn quantile(&self, part: u64, whole: u64) -> Option<i64> {
        let wanted = u128::from(self.count()) * u128::from(part);
        let mut below = 0u128;
        let reached = self.counts.iter().find(|(_, count)| {
            below += (*count).max(0) as u128;
            below > 0 && below * u128::from(whole) >= wanted
        });
        reached.map(|(bucket, _)| self.largest(*bucket))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn buckets_hold_their_numbers(bits in 0u32..21, value in 0i64.., scale in 0u32..63) {
            let sketch = Sketch::new(bits);
            let value = value >> scale;
            let largest = sketch.largest(sketch.bucket(value));
            prop_assert!(largest >= value);
            prop_assert!(largest - value <= value >> bits, "{value}: {largest}");
            prop_assert_eq!(sketch.bucket(largest), sketch.bucket(value));
            if largest < i64::MAX {
                prop_assert!(sketch.bucket(largest + 1) > sketch.bucket(value));
            }
        }

        #[test]
        fn quantiles_are_near_and_never_below(mut values in prop::collection::vec(0i64..1_000_000_000, 1..200), part in 1u64..5) {
            let mut sketch = Sketch::new(7);
            values.iter().for_each(|value| sketch.add(*value, 1));
            values.sort_unstable();
            let exact = values[(values.len() * part as usize).div_ceil(5) - 1];
            let found = sketch.quantile(part, 5).unwrap();
            prop_assert!(found >= exact && found - exact <= exact >> 7, "{found} for {exact}");
        }

        #[test]
        fn what_is_taken_out_was_never_in(kept: Vec<i32>, gone: Vec<i32>) {
            let (mut sketch, mut expected) = (Sketch::new(7), Sketch::new(7));
            kept.iter().chain(&gone).for_each(|value| sketch.add(i64::from(*value), 1));
            gone.iter().for_each(|value| sketch.add(i64::from(*value), -1));
            kept.iter().for_each(|value| expected.add(i64::from(*value), 1));
            prop_assert_eq!(sketch, expected);
        }

        #[test]
        fn histograms_add_up_in_any_order(parts: Vec<Vec<i32>>) {
            let sketches: Vec<Sketch> = parts.iter().map(|values| {
                let mut sketch = Sketch::new(7);
                values.iter().for_each(|value| sketch.add(i64::from(*value), 1));
                sketch
            }).collect();
            let (mut forward, mut backward) = (Sketch::new(7), Sketch::new(7));
            sketches.iter().for_each(|sketch| forward.merge(sketch));
            sketches.iter().rev().for_each(|sketch| backward.merge(sketch));
            prop_assert_eq!(forward, backward);
        }
    }
}
