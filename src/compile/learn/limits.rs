//! How much may be learned: a profile is bounded, whatever the manifest says (docs/profiles.md).

use crate::learn::event::ONE;
use crate::time::{DAY_MS, HOUR_MS};
use std::ops::RangeInclusive;

/// Counters, each with its windows.
pub(super) const COUNTERS: usize = 64;
/// Windows of a counter.
pub(super) const WINDOWS: usize = 8;
/// Events of a tracking plan, and properties of each.
pub(super) const EVENTS: usize = 500;
pub(super) const PROPERTIES: usize = 100;
pub(super) const TRAITS: usize = 200;
/// What is read of profiles beside traits.
pub(super) const READINGS: usize = 500;
pub(super) const AFFINITIES: usize = 16;
/// What an affinity, an engagement or an intent looks at.
pub(super) const SIGNALS: usize = 32;
pub(super) const INTENTS: usize = 16;
pub(super) const PROPENSITIES: usize = 16;
pub(super) const COEFFICIENTS: usize = 32;
pub(super) const MOST_COEFFICIENT: i64 = 1000 * ONE;
pub(super) const FEATURES: usize = 64;
pub(super) const MILESTONES: usize = 32;
pub(super) const WEBHOOKS: usize = 16;
/// Weights, caps and thresholds, in millionths.
pub(super) const WEIGHTS: RangeInclusive<i64> = ONE / 1000..=1_000_000 * ONE;
/// Half-lives, in milliseconds.
pub(super) const HALF_LIVES: RangeInclusive<i64> = HOUR_MS..=400 * DAY_MS;
/// Lengths of time after which something is said of a visitor.
pub(super) const LENGTHS: RangeInclusive<i64> = HOUR_MS..=400 * DAY_MS;
