//! Sums by period, the newest periods alone: what windows and decaying scores are kept as.
//!
//! A period's sum does not depend on the order in which it was added up, and which periods stay depends on the newest alone. So
//! folding in any order, and merging parts in any order, leads to the same bytes.

/// Sums by the number of their period, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Buckets(Vec<(i64, i64)>);

impl Buckets {
    /// Adds to the sum of a period, which never gets larger than `most`. Periods that are `keep` or more before the newest are dropped.
    pub(crate) fn add(&mut self, period: i64, value: i64, keep: i64, most: i64) {
        let sum = |sum: i64| sum.saturating_add(value).min(most);
        match self.0.last_mut() {
            Some((newest, known)) if *newest == period => *known = sum(*known),
            Some((newest, _)) if *newest > period => {
                if newest.saturating_sub(period) < keep {
                    match self.0.binary_search_by_key(&period, |(known, _)| *known) {
                        Ok(place) => self.0.iter_mut().skip(place).take(1).for_each(|(_, known)| *known = sum(*known)),
                        Err(place) => self.0.insert(place, (period, sum(0))),
                    }
                }
            }
            _ => {
                self.0.push((period, sum(0)));
                let old = self.0.iter().take_while(|(known, _)| period.saturating_sub(*known) >= keep).count();
                self.0.drain(..old);
            }
        }
    }

    /// Drops the periods that are `keep` or more before the newest.
    pub(crate) fn keep(&mut self, keep: i64) {
        if let Some(newest) = self.newest() {
            self.0.retain(|(known, _)| newest.saturating_sub(*known) < keep);
        }
    }

    /// Adds all sums of another.
    pub(crate) fn merge(&mut self, other: &Buckets, keep: i64, most: i64) {
        for (period, value) in &other.0 {
            self.add(*period, *value, keep, most);
        }
    }

    /// The newest period.
    pub(crate) fn newest(&self) -> Option<i64> {
        self.0.last().map(|(period, _)| *period)
    }

    /// Periods and sums, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().rev().copied()
    }

    /// The sum of all periods from one on.
    pub(crate) fn since(&self, period: i64) -> i64 {
        self.newest_first().take_while(|(known, _)| *known >= period).fold(0, |sum: i64, (_, value)| sum.saturating_add(value))
    }

    /// The oldest period from one on.
    pub(crate) fn oldest_since(&self, period: i64) -> Option<i64> {
        self.newest_first().take_while(|(known, _)| *known >= period).last().map(|(known, _)| known)
    }
}
