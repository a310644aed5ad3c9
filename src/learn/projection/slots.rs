//! Which slots another projection may change: those whose experiences read something of a profile that is another value now.

use super::super::rules::Rules;
use super::open;
use crate::program::Program;

/// The ids of the slots that read what two projections say otherwise at an instant, in their order; before the first there is none. Of
/// what was shown (caps, cooldowns, assignments) nothing counts: what the page shows just now must not go because it was counted.
pub fn slots<'a>(program: &'a Program, rules: &Rules, one: Option<&[u8]>, other: &[u8], now: i64) -> Vec<&'a str> {
    let before = one.and_then(|bytes| open(rules, bytes, now)).unwrap_or_default();
    let after = open(rules, other, now).unwrap_or_default();
    let changed = |path: &str| value(&before, path) != value(&after, path);
    let readings = rules.readings.iter().filter(|reading| !reading.slots.is_empty() && changed(&reading.path));
    let by_user = changed("visitor.user_id").then_some(&rules.by_user);
    let mut numbers: Vec<u32> = readings.map(|reading| &reading.slots).chain(by_user).flatten().copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().map(|slot| program.slot_id(slot)).collect()
}

fn value<'a>(pairs: &'a [(String, String)], path: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str())
}
