//! What is celebrated once: the n-th of some events, or an anniversary of the first visit.
//!
//! Kept are the instants of the first n events; the n-th of them is when the milestone was reached. So any order leads to the same, and parts
//! are merged in any order to what all their events would have led to. An anniversary follows from the first visit.

use super::presence::Presence;
use super::rules::{Milestone, Rules};
use crate::time::Civil;

/// How many milestones are kept.
pub(crate) const MOST: usize = 64;
/// How many instants of all of them together.
pub(crate) const MOST_INSTANTS: usize = 1024;

/// The first instants of each milestone's events, in the order of the names.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Milestones(Vec<(String, Vec<i64>)>);

impl Rules {
    /// The milestones that are kept: those that fit into a profile. The compiler refuses manifests with more.
    pub fn kept_milestones(&self) -> impl Iterator<Item = &Milestone> {
        let mut left = MOST_INSTANTS;
        self.milestones.iter().take(MOST).take_while(move |milestone| {
            let needed = if milestone.matching.is_some() { milestone.count.max(1) as usize } else { 0 };
            match left.checked_sub(needed) {
                Some(rest) => {
                    left = rest;
                    true
                }
                None => false,
            }
        })
    }
}

impl Milestones {
    /// Takes an event of a milestone.
    pub(crate) fn add(&mut self, milestone: &Milestone, at: i64) {
        let most = milestone.count.max(1) as usize;
        let place = match self.place(&milestone.name) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (milestone.name.clone(), Vec::new()));
                place
            }
        };
        let Some((_, instants)) = self.0.get_mut(place) else { return };
        // Nearly always: it was reached, or this is the newest.
        if instants.len() >= most && instants.last().is_some_and(|last| *last <= at) {
            return;
        }
        let place = instants.partition_point(|known| *known <= at);
        instants.insert(place, at);
        instants.truncate(most);
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
    }

    /// Takes another part's.
    pub(crate) fn merge(&mut self, rules: &Rules, other: &Milestones) {
        for (name, instants) in &other.0 {
            let Some(milestone) = rules.kept_milestones().find(|milestone| milestone.name == *name) else { continue };
            for at in instants {
                self.add(milestone, *at);
            }
        }
    }

    /// Drops what is no longer declared.
    pub(crate) fn keep(&mut self, rules: &Rules) {
        self.0.retain_mut(|(name, instants)| {
            let Some(milestone) = rules.kept_milestones().find(|milestone| milestone.name == *name) else { return false };
            instants.truncate(milestone.count.max(1) as usize);
            true
        });
    }

    /// When a milestone was, or will be, reached.
    pub(crate) fn reached(&self, milestone: &Milestone, presence: &Presence) -> Option<i64> {
        if milestone.matching.is_none() {
            return anniversary(presence.first?, i64::from(milestone.count.max(1)));
        }
        let (_, instants) = self.0.get(self.place(&milestone.name).ok()?)?;
        instants.get((milestone.count.max(1) as usize).checked_sub(1)?).copied()
    }
}

/// The same day and time so many years later, in UTC; of the 29th of February the 1st of March, where a year has none.
fn anniversary(first: i64, years: i64) -> Option<i64> {
    let civil = Civil::from_millis(first);
    (years < 1000).then(|| Civil { year: civil.year.saturating_add(years), ..civil }.to_millis())
}

impl Milestone {
    /// Whether it is told at an instant, having been reached at another.
    pub(crate) fn is_told(&self, reached: i64, now: i64) -> bool {
        reached <= now && (self.lasts <= 0 || now.saturating_sub(reached) < self.lasts)
    }

    /// When time alone makes that another.
    pub(crate) fn next_told(&self, reached: i64, now: i64) -> Option<i64> {
        let over = (self.lasts > 0).then(|| reached.saturating_add(self.lasts));
        Some(reached).into_iter().chain(over).filter(|at| *at > now).min()
    }
}
