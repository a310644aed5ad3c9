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
