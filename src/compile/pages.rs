//! Sets of pages, as page rules say them: whether one holds another, and whether two have a page in common.

use crate::glob;
use crate::manifest::PageRule;

/// What a rule says of hosts and paths where it says nothing.
const ANY: &str = "*";

fn host(rule: &PageRule) -> &str {
    rule.host.as_ref().map_or(ANY, |host| &host.value)
}

fn path(rule: &PageRule) -> &str {
    rule.path.as_ref().map_or(ANY, |path| &path.value)
}

/// Whether every page of the second rules is one of the first. No rules mean all pages. Rules are compared one by one: that
/// some together hold another is not found.
pub(super) fn hold(outer: &[PageRule], inner: &[PageRule]) -> bool {
    let all = PageRule { path: None, host: None, query: Vec::new() };
    let inner = if inner.is_empty() { std::slice::from_ref(&all) } else { inner };
    outer.is_empty() || inner.iter().all(|inner| outer.iter().any(|outer| rule_holds(outer, inner)))
}

/// Only a star matches a star. So a glob that matches another as if that were a text matches all that it does, and no other.
fn glob_holds(outer: &str, inner: &str) -> bool {
    glob::matches(outer.as_bytes(), inner.as_bytes())
}

fn rule_holds(outer: &PageRule, inner: &PageRule) -> bool {
    let query = outer.query.iter().all(|(name, glob)| {
        inner.query.iter().any(|(other, narrower)| name.value == other.value && glob_holds(&glob.value, &narrower.value))
    });
    query && glob_holds(host(outer), host(inner)) && glob_holds(path(outer), path(inner))
}

/// Whether two sets of rules may have a page in common.
pub(super) fn meet(left: &[PageRule], right: &[PageRule]) -> bool {
    left.is_empty() || right.is_empty() || left.iter().any(|left| right.iter().any(|right| rules_meet(left, right)))
}

fn rules_meet(left: &PageRule, right: &PageRule) -> bool {
    // A parameter has one value, the first.
    let query = left.query.iter().all(|(name, glob)| {
        right
            .query
            .iter()
            .all(|(other, glob_of_other)| name.value != other.value || globs_meet(&glob.value, &glob_of_other.value))
    });
    query && globs_meet(path(left), path(right)) && globs_meet(host(left), host(right))
}

/// Whether some text matches both globs.
fn globs_meet(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if !left.contains(&b'*') || !right.contains(&b'*') {
        return glob::matches(left, right) || glob::matches(right, left);
    }
    // No page's path is that long.
    if left.len().saturating_mul(right.len()) > 1 << 22 {
        return true;
    }
    // Whether what is left of both from a place on has a text in common: for each place of the one, by the places of the
    // other, from the ends. A star stands for nothing, or for the next sign of the other.
    let mut behind: Vec<bool> = Vec::new();
    for at in (0..=left.len()).rev() {
        let sign = left.get(at);
        let mut row = vec![false; right.len() + 1];
        for other_at in (0..=right.len()).rev() {
            let other = right.get(other_at);
            let below = behind.get(other_at) == Some(&true);
            let beside = row.get(other_at + 1) == Some(&true);
            let both = behind.get(other_at + 1) == Some(&true);
            let meets = match (sign, other) {
                (None, None) => true,
                (Some(b'*'), _) | (_, Some(b'*')) => below || beside,
                (sign, other) => sign == other && both,
            };
            if let Some(place) = row.get_mut(other_at) {
                *place = meets;
            }
        }
        behind = row;
    }
    behind.first() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::{glob_holds, globs_meet};
    use crate::glob::matches;

    /// Every text of up to `length` signs of an alphabet.
    fn texts(alphabet: &[u8], length: usize) -> Vec<Vec<u8>> {
        let mut all = vec![Vec::new()];
        let mut last = all.clone();
        for _ in 0..length {
            last = last
                .iter()
                .flat_map(|text: &Vec<u8>| alphabet.iter().map(|sign| [text.as_slice(), &[*sign]].concat()))
                .collect();
            all.extend(last.clone());
        }
        all
    }

    #[test]
    fn the_longest_globs_are_taken_to_meet() {
        let meet = |length: usize| globs_meet(&format!("{}*", "a".repeat(length - 1)), &format!("{}*", "b".repeat(length - 1)));
        assert!(!meet(2048));
        assert!(meet(2049));
    }

    #[test]
    fn globs_are_compared_as_their_texts_are() {
        // With globs of four signs that say two letters, a text of eight shows any difference; a third letter stands for the rest.
        let globs = texts(b"ab*", 4);
        let all = texts(b"abc", 6);
        let matched: Vec<Vec<bool>> = globs.iter().map(|glob| all.iter().map(|text| matches(glob, text)).collect()).collect();
        let mut met = 0;
        for (left, of_left) in globs.iter().zip(&matched) {
            for (right, of_right) in globs.iter().zip(&matched) {
                let pairs = || of_left.iter().zip(of_right);
                let name = |glob: &[u8]| String::from_utf8(glob.to_vec()).unwrap();
                let (left, right) = (name(left), name(right));
                let meet = pairs().any(|(left, right)| *left && *right);
                assert_eq!(globs_meet(&left, &right), meet, "{left} and {right}");
                met += usize::from(meet);
                assert_eq!(glob_holds(&left, &right), pairs().all(|(left, right)| *left || !*right), "{left} holds {right}");
            }
        }
        assert!(met > 1000 && met < globs.len() * globs.len());
    }
}
