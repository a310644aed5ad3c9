//! What is known of all visitors of a site together, and is needed to read one of them.

/// The site's fifths, where it has any: the values at 20, 40, 60 and 80 % of those who bought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Site {
    /// Of the days of the last purchase, counted from 1970.
    pub recency: [i64; 4],
    /// Of the number of purchases.
    pub frequency: [i64; 4],
    /// Of what was paid, in millionths.
    pub monetary: [i64; 4],
    /// How many have bought.
    pub buyers: u64,
}
