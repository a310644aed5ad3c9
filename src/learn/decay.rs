//! Scores that halve: exponential decay forward from a landmark, after Cormode, Shkapenyuk, Srivastava and Xu, "Forward Decay: A
//! Practical Time Decay Model for Streaming Systems" (ICDE 2009).
//!
//! What an event adds is its weight times 2^((its instant - landmark) / half-life), once and for ever; the score at an instant is
//! the sum, divided by 2^((instant - landmark) / half-life). Here every half-life has a landmark of its own: its beginning, counted from
//! 1970. An event adds a whole number between its weight and twice that to the sum of its half-life, so the sums are exact, whatever the
//! order, and renormalising is a shift. After [`PERIODS`] half-lives what was added is below a 65,000th of its weight, and goes.
//!
//! Scores decay alike, so which of two is larger never changes by time alone.

use super::buckets::Buckets;

/// For how many half-lives what was added counts.
pub(crate) const PERIODS: i64 = 16;
/// The largest sum of a half-life, so that those of all fit into 64 bits.
const MOST: i64 = 1 << 44;
/// The shortest half-life.
const LEAST: i64 = 1000;
/// The longest, some two years.
const LONGEST: i64 = (1 << 36) - 1;
/// One, as a 31-bit fraction.
const Q31: u64 = 1 << 31;

/// A score.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct Decayed(Buckets);

/// 2^x for x between 0 and 1, as 31-bit fractions: its Taylor series, whose last coefficient makes 2^1 exactly 2. All coefficients are
/// positive, so it never falls where x rises; it is within 2e-9.
fn power_of_two(x: u64) -> u64 {
    const COEFFICIENTS: [u64; 9] = [234, 2838, 32_755, 330_788, 2_863_360, 20_654_775, 119_194_166, 515_882_496, 1_488_522_236];
    let sum = COEFFICIENTS.iter().fold(0, |sum, coefficient| ((sum * x) >> 31) + coefficient);
    ((sum * x) >> 31) + Q31
}

/// 2^-x for an x of any size with a 31-bit fraction, as a 31-bit fraction.
pub(crate) fn power_of_two_below_one(x: u64) -> u64 {
    let halvings = (x >> 31).saturating_add(1).min(63);
    power_of_two(Q31 - x % Q31) >> halvings
}

/// The period of an instant, and how much of it is over as a 31-bit fraction.
fn period(half_life: i64, at: i64) -> (i64, u64) {
    let half_life = half_life.clamp(LEAST, LONGEST);
    let period = at.div_euclid(half_life);
    let over = at.wrapping_sub(period.wrapping_mul(half_life)) as u64;
    // 27 of the fraction's bits: as many as there is room for beside the longest half-life.
    (period, ((over << 27) / half_life as u64) << 4)
}

/// The most that a half-life adds: the score at its beginning would be twice the cap, at its end it is the cap.
fn most(cap: i64) -> i64 {
    cap.clamp(0, MOST / 2) * 2
}

impl Decayed {
    /// Adds a weight in millionths; one that is not positive adds nothing.
    pub(crate) fn add(&mut self, half_life: i64, cap: i64, at: i64, weight: i64) {
        if weight <= 0 {
            return;
        }
        let (period, over) = period(half_life, at);
        let (weight, power) = (weight.min(MOST) as u64, power_of_two(over));
        let raised = match u32::try_from(weight) {
            // The same, without numbers of 128 bits.
            Ok(weight) if weight < 1 << 30 => ((u64::from(weight) * power + Q31 / 2) >> 31) as i64,
            _ => ((u128::from(weight) * u128::from(power) + u128::from(Q31 / 2)) >> 31) as i64,
        };
        self.0.add(period, raised, PERIODS, most(cap));
    }

    /// The same score by another half-life: each sum as if it had been added at the end of its half-life.
    #[must_use]
    pub(crate) fn with_half_life(&self, old: i64, new: i64, cap: i64) -> Decayed {
        let mut score = Decayed::default();
        for (period, sum) in self.0.newest_first() {
            let end = period.saturating_add(1).saturating_mul(old.clamp(LEAST, LONGEST)).saturating_sub(1);
            score.add(new, cap, end, sum / 2);
        }
        score
    }

    /// Adds what another was told.
    pub(crate) fn merge(&mut self, other: &Decayed, cap: i64) {
        self.0.merge(&other.0, PERIODS, most(cap));
    }

    /// The score as a number times a power of two, which is the same at any instant: periods are landmarks.
    fn raised(&self) -> (u64, i64) {
        let Some(newest) = self.0.newest() else { return (0, 0) };
        let first = newest.saturating_sub(PERIODS - 1);
        let sum = self.0.newest_first().fold(0u64, |sum, (period, value)| {
            let shift = period.saturating_sub(first).clamp(0, PERIODS - 1) as u32;
            sum.saturating_add((value.clamp(0, MOST) as u64) << shift)
        });
        (sum, first)
    }

    /// Which of two scores of one half-life is larger, by a number that is the same for all scores of it: the larger, the larger.
    pub(crate) fn strength(&self) -> (i64, u64) {
        match self.raised() {
            (0, _) => (i64::MIN, 0),
            (number, power) => (power + 63 - i64::from(number.leading_zeros()), number << number.leading_zeros()),
        }
    }

    /// The score, in millionths, above a landmark that is that many half-lives after 1970: what shares are made from.
    pub(crate) fn above(&self, landmark: i64) -> u64 {
        let (number, power) = self.raised();
        number.checked_shr(landmark.saturating_sub(power).clamp(0, 64) as u32).unwrap_or(0)
    }

    /// The landmark from which on all that it was told has bits.
    pub(crate) fn landmark(&self) -> i64 {
        self.raised().1
    }

    /// The score at an instant, in millionths; never above the cap. It never rises by time alone.
    pub(crate) fn at(&self, half_life: i64, cap: i64, now: i64) -> i64 {
        let (number, power) = self.raised();
        let (period, over) = period(half_life, now);
        // 2^-over, doubled: between one and two.
        let falling = u128::from(number) * u128::from(power_of_two(Q31 - over.min(Q31)));
        let shift = period.saturating_sub(power).saturating_add(32).clamp(0, 127) as u32;
        i64::try_from(falling >> shift).unwrap_or(i64::MAX).min(cap.max(0))
    }

    /// The first instant behind one at which the score is below a threshold that it is not below then.
    pub(crate) fn falls_below(&self, half_life: i64, cap: i64, threshold: i64, now: i64) -> Option<i64> {
        if threshold <= 0 || self.at(half_life, cap, now) < threshold {
            return None;
        }
        // Scores have 62 bits at most.
        let (mut before, mut behind) = (now, now.saturating_add(half_life.clamp(LEAST, LONGEST).saturating_mul(64)));
        while behind.saturating_sub(before) > 1 {
            let middle = before + (behind - before) / 2;
            if self.at(half_life, cap, middle) < threshold { behind = middle } else { before = middle }
        }
        Some(behind)
    }
}
