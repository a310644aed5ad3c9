//! Recency, frequency and monetary value: how lately, how often and for how much a visitor bought, among all who bought at this site.
//!
//! Kept are the last purchase, their number and their sum: the greatest, and sums. So any order leads to the same, and parts add up. What
//! senders say who are not trusted is counted apart where the rules want trusted ones.
//!
//! Each is scored 1 to 5 by the site's own fifths ([`super::site`]); 5 is the most recent, most frequent, highest. Days of purchases are
//! compared with days of purchases, so time alone changes no score. The names are those of Putler's grid of eleven segments ("RFM Analysis
//! For Successful Customer Segmentation", putler.com/rfm-analysis), whose two axes are the score of recency, and the mean of the scores of
//! frequency and monetary value. Its ranges overlap; here each cell has one name (rows: recency, columns: the mean, rounded half up):
//!
//! | | 1 | 2 | 3 | 4 | 5 |
//! | --- | --- | --- | --- | --- | --- |
//! | 5 | new_customers | potential_loyalists | potential_loyalists | champions | champions |
//! | 4 | promising | potential_loyalists | potential_loyalists | loyal | champions |
//! | 3 | about_to_sleep | about_to_sleep | need_attention | loyal | loyal |
//! | 2 | hibernating | hibernating | at_risk | at_risk | cant_lose_them |
//! | 1 | lost | hibernating | at_risk | at_risk | cant_lose_them |

use super::event::Event;
use super::index::each_value;
use super::rules::Rfm;
use super::site::{Buyer, Site};
use crate::time::DAY_MS;

/// The names, by the row of recency and the column of frequency and monetary value, each from 1.
const GRID: [[&str; 5]; 5] = [
    ["lost", "hibernating", "at_risk", "at_risk", "cant_lose_them"],
    ["hibernating", "hibernating", "at_risk", "at_risk", "cant_lose_them"],
    ["about_to_sleep", "about_to_sleep", "need_attention", "loyal", "loyal"],
    ["promising", "potential_loyalists", "potential_loyalists", "loyal", "champions"],
    ["new_customers", "potential_loyalists", "potential_loyalists", "champions", "champions"],
];

/// All names; a projection says one by its place here, so that new ones go to the end.
pub(crate) const SEGMENTS: [&str; 11] = [
    "champions",
    "loyal",
    "potential_loyalists",
    "new_customers",
    "promising",
    "need_attention",
    "about_to_sleep",
    "at_risk",
    "cant_lose_them",
    "hibernating",
    "lost",
];

/// What one purchase adds at most, in millionths.
const MOST_VALUE: i64 = 1_000_000_000_000_000;

/// A visitor's purchases.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Purchases {
    pub(crate) last: Option<i64>,
    pub(crate) count: u32,
    /// In millionths.
    pub(crate) sum: i64,
    /// What senders said who are not trusted.
    pub(crate) untrusted_count: u32,
    pub(crate) untrusted_sum: i64,
}

impl Purchases {
    /// Takes a purchase.
    pub(crate) fn add(&mut self, rule: &Rfm, event: &Event, trusted: bool) {
        let mut value = 0i64;
        each_value(event, &rule.value, |found| value = value.saturating_add(found.as_number().unwrap_or(0)));
        let value = value.clamp(-MOST_VALUE, MOST_VALUE);
        if trusted {
            self.last = self.last.max(Some(event.at));
            self.count = self.count.saturating_add(1);
            self.sum = self.sum.saturating_add(value);
        } else {
            self.untrusted_count = self.untrusted_count.saturating_add(1);
            self.untrusted_sum = self.untrusted_sum.saturating_add(value);
        }
    }

    /// Takes another part's purchases.
    pub(crate) fn merge(&mut self, other: &Purchases) {
        self.last = self.last.max(other.last);
        self.count = self.count.saturating_add(other.count);
        self.sum = self.sum.saturating_add(other.sum);
        self.untrusted_count = self.untrusted_count.saturating_add(other.untrusted_count);
        self.untrusted_sum = self.untrusted_sum.saturating_add(other.untrusted_sum);
    }

    /// What the site's fifths are made from.
    pub(crate) fn buyer(&self) -> Option<Buyer> {
        Some(Buyer { day: self.last?.div_euclid(DAY_MS), count: i64::from(self.count), sum: self.sum })
    }

    /// The scores of recency, frequency and monetary value; nothing of who has not bought, or where the site has no fifths.
    pub(crate) fn scores(&self, site: &Site) -> Option<[i64; 3]> {
        let Buyer { day, count, sum } = self.buyer()?;
        let fifths = site.fifths()?;
        let score = |value: i64, fifths: [i64; 4]| 1 + fifths.iter().filter(|fifth| **fifth < value).count() as i64;
        Some([score(day, fifths.recency), score(count, fifths.frequency), score(sum, fifths.monetary)])
    }

    /// The name of the cell.
    pub(crate) fn segment(&self, site: &Site) -> Option<&'static str> {
        let [recency, frequency, monetary] = self.scores(site)?;
        let row = GRID.get(usize::try_from(recency - 1).ok()?)?;
        row.get(usize::try_from((frequency + monetary + 1) / 2 - 1).ok()?).copied()
    }
}
