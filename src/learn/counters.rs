//! How often, how much, and when first and last: of the events that a rule names.
//!
//! | what | law |
//! | --- | --- |
//! | how many, the sum, of all time and by period | sums: any order, parts add up |
//! | first, last | the least and the greatest instant |
//!
//! A window of up to an hour is counted in minutes, up to two days in hours, up to 400 days in days (of UTC). It is counted in
//! whole periods: it reaches back for its length at least, and for one period more at most.

use super::buckets::Buckets;
use super::event::Event;
use super::index::each_value;
use super::rules::{Counter, Rules};
use crate::time::DAY_MS;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;
/// The longest window.
pub(crate) const LONGEST: i64 = 400 * DAY_MS;
/// How many counters are kept.
pub(crate) const MOST_COUNTERS: usize = 128;
/// How many periods may have a sum, in all counters together.
pub(crate) const MOST_PERIODS: i64 = 8192;
/// What one event adds to a sum at most, so that thousands of such do not overflow.
const MOST_VALUE: i64 = 1_000_000_000_000_000;

/// The counters of a visitor, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Counters(Vec<Counted>);

/// What was counted by one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Counted {
    pub(crate) id: u32,
    /// Events.
    pub(crate) count: i64,
    /// Millionths.
    pub(crate) sum: i64,
    /// What senders said who are not trusted, where the plan wants trusted ones.
    pub(crate) untrusted: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// By minute, hour and day: as many as the windows need.
    periods: [Buckets; 3],
}

/// The length of the periods in which a window is counted, and its place among the three.
pub(crate) fn granularity(window: i64) -> (usize, i64) {
    if window <= HOUR {
        (0, MINUTE)
    } else if window <= 2 * DAY_MS {
        (1, HOUR)
    } else {
        (2, DAY_MS)
    }
}

impl Counter {
    /// How many periods of each length its windows need.
    pub(crate) fn spans(&self) -> [i64; 3] {
        let mut spans = [0; 3];
        for window in self.windows.iter().filter(|window| **window > 0) {
            let window = (*window).min(LONGEST);
            let (place, length) = granularity(window);
            let needed = window.div_euclid(length) + i64::from(window.rem_euclid(length) > 0) + 1;
            spans.iter_mut().skip(place).take(1).for_each(|span| *span = needed.max(*span));
        }
        spans
    }
}

impl Rules {
    /// The counters that are kept: those that fit into a profile. The compiler refuses manifests with more.
    pub fn kept_counters(&self) -> impl Iterator<Item = &Counter> {
        let mut left = MOST_PERIODS;
        self.counters.iter().take(MOST_COUNTERS).take_while(move |counter| {
            left -= counter.spans().iter().sum::<i64>();
            left >= 0
        })
    }
}

impl Counters {
    pub(crate) fn get(&self, id: u32) -> Option<&Counted> {
        self.0.get(self.0.binary_search_by_key(&id, |counted| counted.id).ok()?)
    }

    fn entry(&mut self, id: u32) -> Option<&mut Counted> {
        let place = match self.0.binary_search_by_key(&id, |counted| counted.id) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, Counted { id, first: i64::MAX, last: i64::MIN, ..Counted::default() });
                place
            }
        };
        self.0.get_mut(place)
    }

    /// Counts an event that the rule names.
    pub(crate) fn add(&mut self, rule: &Counter, spans: [i64; 3], event: &Event, trusted: bool) {
        if !rule.matching.properties_match(event) {
            return;
        }
        let mut value = 0i64;
        if let Some(path) = &rule.sum {
            each_value(event, path, |found| {
                let found = found.as_number().unwrap_or(0).clamp(-MOST_VALUE, MOST_VALUE);
                value = value.saturating_add(found);
            });
        }
        let Some(counted) = self.entry(rule.id) else { return };
        counted.count = counted.count.saturating_add(1);
        counted.first = counted.first.min(event.at);
        counted.last = counted.last.max(event.at);
        if trusted {
            counted.sum = counted.sum.saturating_add(value);
        } else {
            counted.untrusted = counted.untrusted.saturating_add(value);
        }
        let added = match rule.sum {
            Some(_) if !trusted => return,
            Some(_) => value,
            None => 1,
        };
        for ((periods, span), length) in counted.periods.iter_mut().zip(spans).zip([MINUTE, HOUR, DAY_MS]) {
            if span > 0 {
                periods.add(event.at.div_euclid(length), added, span, i64::MAX);
            }
        }
    }

    /// Adds what was counted of another part.
    pub(crate) fn merge(&mut self, rules: &Rules, other: &Counters) {
        for counted in &other.0 {
            let Some(rule) = rules.kept_counters().find(|rule| rule.id == counted.id) else { continue };
            let spans = rule.spans();
            let Some(own) = self.entry(counted.id) else { continue };
            own.count = own.count.saturating_add(counted.count);
            own.sum = own.sum.saturating_add(counted.sum);
            own.untrusted = own.untrusted.saturating_add(counted.untrusted);
            own.first = own.first.min(counted.first);
            own.last = own.last.max(counted.last);
            for ((own, other), span) in own.periods.iter_mut().zip(&counted.periods).zip(spans) {
                own.merge(other, span, i64::MAX);
            }
        }
    }

    /// Drops what no rule counts any more.
    pub(crate) fn keep(&mut self, rules: &Rules) {
        self.0.retain_mut(|counted| {
            let Some(rule) = rules.kept_counters().find(|rule| rule.id == counted.id) else { return false };
            counted.periods.iter_mut().zip(rule.spans()).for_each(|(periods, span)| periods.keep(span));
            true
        });
    }
}

impl Counted {
    /// What was counted within a window.
    pub(crate) fn within(&self, window: i64, now: i64) -> i64 {
        let (place, length) = granularity(window);
        let Some(periods) = self.periods.get(place) else { return 0 };
        periods.since(now.saturating_sub(window.min(LONGEST)).div_euclid(length))
    }

    /// When the window is next without something that it counts now.
    pub(crate) fn next_change(&self, window: i64, now: i64) -> Option<i64> {
        let (place, length) = granularity(window);
        let window = window.min(LONGEST);
        let oldest = self.periods.get(place)?.oldest_since(now.saturating_sub(window).div_euclid(length))?;
        // The first instant whose window begins behind that period.
        Some(oldest.saturating_add(1).saturating_mul(length).saturating_add(window))
    }
}
