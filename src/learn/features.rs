//! Which features of an application a visitor uses.
//!
//! Kept are how often, and when first and last: a sum, the least and the greatest instant. So any order leads to the same, and parts add up.

use super::rules::{Feature, Rules};

/// How many features are kept.
pub(crate) const MOST: usize = 64;

/// The features that were used, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Features(Vec<Used>);

/// The use of a feature.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Used {
    pub(crate) name: String,
    pub(crate) count: u32,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Rules {
    /// The features that are kept: those that fit into a profile. The compiler refuses manifests with more.
    pub(crate) fn kept_features(&self) -> impl Iterator<Item = &Feature> {
        self.features.iter().take(MOST)
    }
}

impl Features {
    /// Takes so many uses between two instants.
    pub(crate) fn add(&mut self, name: &str, count: u32, first: i64, last: i64) {
        match self.0.binary_search_by(|used| used.name.as_str().cmp(name)) {
            Ok(place) => {
                if let Some(used) = self.0.get_mut(place) {
                    used.count = used.count.saturating_add(count);
                    used.first = used.first.min(first);
                    used.last = used.last.max(last);
                }
            }
            Err(place) => self.0.insert(place, Used { name: name.to_owned(), count, first, last }),
        }
    }

    /// Takes another part's.
    pub(crate) fn merge(&mut self, rules: &Rules, other: &Features) {
        for used in &other.0 {
            if rules.kept_features().any(|feature| feature.name == used.name) {
                self.add(&used.name, used.count, used.first, used.last);
            }
        }
    }

    /// Drops what is no longer declared.
    pub(crate) fn keep(&mut self, rules: &Rules) {
        self.0.retain(|used| rules.kept_features().any(|feature| feature.name == used.name));
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Used> {
        self.0.get(self.0.binary_search_by(|used| used.name.as_str().cmp(name)).ok()?)
    }

    /// `unused`, `tried`, `adopted`, or `left`.
    pub(crate) fn adoption(&self, feature: &Feature, now: i64) -> &'static str {
        match self.get(&feature.name) {
            None => "unused",
            Some(used) if feature.left > 0 && now.saturating_sub(used.last) >= feature.left => "left",
            Some(used) if used.count >= feature.adopted => "adopted",
            Some(_) => "tried",
        }
    }

    /// When it is left, if it is not used again.
    pub(crate) fn next_adoption(&self, feature: &Feature, now: i64) -> Option<i64> {
        let used = self.get(&feature.name).filter(|_| feature.left > 0)?;
        Some(used.last.saturating_add(feature.left)).filter(|left| *left > now)
    }
}
