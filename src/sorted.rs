//! Sorting, small: the standard library's sorts weigh some five kilobytes for each type.

use std::cmp::Ordering;

/// The items in order; of equal ones the first stays the first.
pub(crate) fn sorted<T>(items: Vec<T>, compare: &dyn Fn(&T, &T) -> Ordering) -> Vec<T> {
    let order = order(items.len(), &|a, b| match (items.get(a), items.get(b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| items.get_mut(index)?.take()).collect()
}

/// The numbers below `len` in order: runs of twice the length are merged from two until one run is all.
fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    let mut run = 1;
    while run < len {
        let mut merged = Vec::with_capacity(len);
        for pair in order.chunks(2 * run) {
            let (mut left, mut right) = pair.split_at_checked(run).unwrap_or((pair, &[]));
            loop {
                let (next, from) = match (left.split_first(), right.split_first()) {
                    (Some((a, _)), Some((b, rest))) if compare(*b, *a).is_lt() => (*b, (left, rest)),
                    (Some((a, rest)), _) => (*a, (rest, right)),
                    (None, Some((b, rest))) => (*b, (left, rest)),
                    (None, None) => break,
                };
                merged.push(next);
                (left, right) = from;
            }
        }
        order = merged;
        run *= 2;
    }
    order
}

/// Numbers, each once and in order: few enough that putting one in its place is quick.
#[cfg(feature = "author")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers(Vec<u32>);

#[cfg(feature = "author")]
impl Numbers {
    /// Puts a number in; whether it is new.
    pub(crate) fn insert(&mut self, number: u32) -> bool {
        match self.0.binary_search(&number) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, number);
                true
            }
        }
    }

    /// Puts numbers in.
    pub(crate) fn extend(&mut self, numbers: &[u32]) {
        for number in numbers {
            self.insert(*number);
        }
    }

    /// Whether the number is there.
    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0.binary_search(&number).is_ok()
    }

    /// The numbers, in order.
    pub(crate) fn all(&self) -> &[u32] {
        &self.0
    }
}

/// Values by name, in the order of the names.
#[cfg(feature = "author")]
#[derive(Debug, Clone)]
pub(crate) struct ByName<T>(Vec<(String, T)>);

#[cfg(feature = "author")]
impl<T> ByName<T> {
    /// Of two values of one name the first counts.
    pub(crate) fn new(pairs: Vec<(String, T)>) -> ByName<T> {
        let mut pairs = sorted(pairs, &|one, other| one.0.cmp(&other.0));
        pairs.dedup_by(|later, first| later.0 == first.0);
        ByName(pairs)
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// The value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.get(self.place(name).ok()?).map(|(_, value)| value)
    }

    /// The value of that name, to change it.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let place = self.place(name).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Takes the value of that name out.
    pub(crate) fn remove(&mut self, name: &str) -> Option<T> {
        self.place(name).ok().map(|place| self.0.remove(place).1)
    }

    /// Puts a value in place of the one of that name.
    pub(crate) fn insert(&mut self, name: String, value: T) {
        match self.place(&name) {
            Ok(place) => self.0.splice(place..=place, [(name, value)]).for_each(drop),
            Err(place) => self.0.insert(place, (name, value)),
        }
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &T)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_the_standard_library_does(items: Vec<(u8, u8)>) {
            let mut expected = items.clone();
            expected.sort_by_key(|(key, _)| *key % 8);
            prop_assert_eq!(sorted(items, &|(a, _), (b, _)| (a % 8).cmp(&(b % 8))), expected);
        }
    }
}
