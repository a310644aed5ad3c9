//! What a visitor likes: a decaying score for each value of a dimension.
//!
//! Scores are sums by half-life ([`super::decay`]), so that any order leads to the same, and parts add up. The strongest values of a
//! dimension are kept, and some more than are told, so that a new one can grow. Which is the strongest never changes by time alone, as all
//! scores of a dimension decay alike. A value that had to go begins again from nothing, so where more values than are kept were ever
//! seen, the weaker ones may depend on the order, and on how the parts were merged; the same parts in the same order give the same.

use super::decay::{Decayed, PERIODS};
use super::event::{Event, cut};
use super::index::{by_length, each_value};
use super::rules::{Affinity, Rules};

/// How many dimensions are kept.
pub(crate) const MOST_DIMENSIONS: usize = 16;
/// How many values of all of them together.
pub(crate) const MOST_VALUES: usize = 512;
/// How many values of a dimension are kept beside those that are told, at most as many.
const RESERVE: usize = 10;
/// The longest text of a value, in bytes.
pub(crate) const MOST_TEXT: usize = 64;

/// All dimensions.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Affinities(Vec<Dimension>);

/// One dimension.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Dimension {
    pub(crate) name: String,
    /// By which scores were added up.
    half_life: i64,
    /// In the order of [`by_length`].
    values: Vec<(String, Decayed)>,
}

impl Rules {
    /// The affinities that are kept, and how many values of each: those that fit into a profile. The compiler refuses manifests with
    /// more.
    pub fn kept_affinities(&self) -> impl Iterator<Item = (&Affinity, usize)> {
        let mut left = MOST_VALUES;
        self.affinities.iter().take(MOST_DIMENSIONS).map_while(move |affinity| {
            let keep = affinity.keep.max(1) as usize;
            let most = keep.saturating_add(keep.min(RESERVE));
            left = left.checked_sub(most)?;
            Some((affinity, most))
        })
    }

    pub(crate) fn kept_affinity(&self, dimension: &str) -> Option<(&Affinity, usize)> {
        self.kept_affinities().find(|(affinity, _)| affinity.dimension == dimension)
    }
}

impl Affinities {
    pub(crate) fn get(&self, dimension: &str) -> Option<&Dimension> {
        self.0.iter().find(|known| known.name == dimension)
    }

    fn entry(&mut self, rule: &Affinity) -> Option<&mut Dimension> {
        let place = match self.0.binary_search_by(|known| by_length(&known.name, &rule.dimension)) {
            Ok(place) => place,
            Err(place) => {
                let (name, half_life) = (rule.dimension.clone(), rule.half_life);
                self.0.insert(place, Dimension { name, half_life, values: Vec::new() });
                place
            }
        };
        self.0.get_mut(place)
    }

    /// Adds what an event tells, by one weight of a dimension.
    pub(crate) fn add(&mut self, rule: &Affinity, most: usize, weight: i64, event: &Event) {
        each_value(event, &rule.property, |value| {
            let text = value.text();
            let text = cut(&text, MOST_TEXT);
            if text.is_empty() || weight <= 0 {
                return;
            }
            if let Some(dimension) = self.entry(rule) {
                if let Some(score) = dimension.entry(text) {
                    score.add(rule.half_life, rule.cap, event.at, weight);
                }
                dimension.evict(most);
            }
        });
    }

    /// Adds what another part tells.
    pub(crate) fn merge(&mut self, rules: &Rules, other: &Affinities) {
        for dimension in &other.0 {
            let Some((rule, most)) = rules.kept_affinity(&dimension.name) else { continue };
            let Some(own) = self.entry(rule) else { continue };
            for (text, score) in &dimension.values {
                if let Some(own) = own.entry(text) {
                    own.merge(score, rule.cap);
                }
            }
            own.evict(most);
        }
    }

    /// Drops what no rule asks for any more; goes on by the half-lives that the rules have now.
    pub(crate) fn keep(&mut self, rules: &Rules) {
        self.0.retain_mut(|dimension| {
            let Some((rule, most)) = rules.kept_affinity(&dimension.name) else { return false };
            if dimension.half_life != rule.half_life {
                for (_, score) in &mut dimension.values {
                    *score = score.with_half_life(dimension.half_life, rule.half_life, rule.cap);
                }
                dimension.half_life = rule.half_life;
            }
            dimension.evict(most);
            true
        });
    }
}

impl Dimension {
    fn entry(&mut self, text: &str) -> Option<&mut Decayed> {
        let place = match self.values.binary_search_by(|(known, _)| by_length(known, text)) {
            Ok(place) => place,
            Err(place) => {
                self.values.insert(place, (text.to_owned(), Decayed::default()));
                place
            }
        };
        self.values.get_mut(place).map(|(_, score)| score)
    }

    /// Drops the weakest until so many are left.
    fn evict(&mut self, most: usize) {
        while self.values.len() > most {
            let weakest = self.values.iter().enumerate().min_by(|(_, one), (_, other)| stronger(other, one));
            let Some((place, _)) = weakest else { return };
            self.values.remove(place);
        }
    }

    /// Values and scores, the strongest first: as many as are told.
    pub(crate) fn strongest(&self, rule: &Affinity) -> Vec<&(String, Decayed)> {
        let mut values: Vec<_> = self.values.iter().collect();
        values.sort_by(|one, other| stronger(one, other));
        values.truncate(rule.keep.max(1) as usize);
        values
    }

    /// The half-life, counted from 1970, in which something was last added.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.values.iter().map(|(_, score)| score.landmark()).max().map(|first| first.saturating_add(PERIODS - 1))
    }

    /// A value's share of the scores of all that are kept, in hundredths, rounded down. Time alone does not change it.
    pub(crate) fn share(&self, text: &str) -> i64 {
        let landmark = self.values.iter().map(|(_, score)| score.landmark()).max().unwrap_or(0);
        let all: u128 = self.values.iter().map(|(_, score)| u128::from(score.above(landmark))).sum();
        let own = self.values.iter().find(|(known, _)| known == text).map_or(0, |(_, score)| score.above(landmark));
        i64::try_from((u128::from(own) * 100).checked_div(all).unwrap_or(0)).unwrap_or(0)
    }
}

/// The order of strength, the strongest first; of equal ones the text that comes first.
fn stronger((text, score): &(String, Decayed), (other_text, other): &(String, Decayed)) -> std::cmp::Ordering {
    other.strength().cmp(&score.strength()).then_with(|| text.cmp(other_text))
}
