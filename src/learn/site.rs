//! What is known of all visitors of a site together, and is needed to read one of them: the fifths of those who bought.
//!
//! Each shard keeps the histograms of its own profiles: whenever one changes, what it was is taken out and what it is put in. Shards'
//! histograms add up.

use super::sketch::Sketch;
use super::state::State;

/// So few buyers have no fifths.
const LEAST_BUYERS: u64 = 5;
/// Days up to the year 2329 have a bucket each.
const DAY_BITS: u32 = 17;
/// Others are right to a 128th.
const BITS: u32 = 7;

/// Someone who bought, as far as the site's fifths are made from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buyer {
    /// The day of the last purchase, counted from 1970.
    pub day: i64,
    /// How many purchases.
    pub count: i64,
    /// What was paid, in millionths.
    pub sum: i64,
}

/// The fifths of those who bought: the values at 20, 40, 60 and 80 %.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fifths {
    /// Of the day of the last purchase, counted from 1970.
    pub recency: [i64; 4],
    /// Of the number of purchases.
    pub frequency: [i64; 4],
    /// Of what was paid, in millionths.
    pub monetary: [i64; 4],
}

/// The site, as far as a profile is read by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Site {
    /// Those of the site, where enough have bought.
    fifths: Option<Fifths>,
    /// How many have bought.
    pub buyers: u64,
}

impl Site {
    /// The bytes that it is kept in.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads them. `None` when they are none.
    pub fn decode(bytes: &[u8]) -> Option<Site> {
        postcard::from_bytes(bytes).ok()
    }

    /// The site's fifths.
    pub fn fifths(&self) -> Option<&Fifths> {
        self.fifths.as_ref()
    }
}

/// The histograms of those who bought.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Buyers {
    days: Sketch,
    counts: Sketch,
    sums: Sketch,
}

impl Default for Buyers {
    fn default() -> Buyers {
        Buyers { days: Sketch::new(DAY_BITS), counts: Sketch::new(BITS), sums: Sketch::new(BITS) }
    }
}

impl Buyers {
    /// A profile has changed: `before` and `after` are [`State::buyer`] of it.
    pub fn change(&mut self, before: Option<Buyer>, after: Option<Buyer>) {
        if before != after {
            before.into_iter().for_each(|buyer| self.put(buyer, -1));
            after.into_iter().for_each(|buyer| self.put(buyer, 1));
        }
    }

    fn put(&mut self, buyer: Buyer, times: i64) {
        self.days.add(buyer.day, times);
        self.counts.add(buyer.count, times);
        self.sums.add(buyer.sum, times);
    }

    /// Adds those of another shard.
    pub fn merge(&mut self, other: &Buyers) {
        self.days.merge(&other.days);
        self.counts.merge(&other.counts);
        self.sums.merge(&other.sums);
    }

    /// What profiles are read by.
    pub fn site(&self) -> Site {
        let fifths = |sketch: &Sketch| [1, 2, 3, 4].map(|part| sketch.quantile(part, 5).unwrap_or(0));
        let buyers = self.days.count();
        let known = buyers >= LEAST_BUYERS;
        let all = Fifths { recency: fifths(&self.days), frequency: fifths(&self.counts), monetary: fifths(&self.sums) };
        Site { fifths: known.then_some(all), buyers }
    }

    /// The bytes that a shard keeps, and hands on.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }

    /// Reads them. `None` when they are none.
    pub fn decode(bytes: &[u8]) -> Option<Buyers> {
        postcard::from_bytes(bytes).ok()
    }
}

impl State {
    /// What this profile adds to the site's histograms; nothing of who has not bought.
    pub fn buyer(&self) -> Option<Buyer> {
        self.purchases.buyer()
    }
}
