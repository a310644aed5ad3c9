//! How much a visitor does: one decaying score, in levels. A sum by half-life ([`super::decay`]): any order leads to the same, and parts add up.

use super::decay::Decayed;
use super::rules;
use super::sessions::UNCAPPED;

/// The score.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Engagement {
    /// By which it was added up.
    half_life: i64,
    score: Decayed,
}

impl Engagement {
    /// Adds the weight of an event.
    pub(crate) fn add(&mut self, rule: &rules::Engagement, at: i64, weight: i64) {
        self.half_life = rule.half_life;
        self.score.add(rule.half_life, UNCAPPED, at, weight);
    }

    /// Adds another part's.
    pub(crate) fn merge(&mut self, rule: &rules::Engagement, other: &Engagement) {
        if other.half_life != 0 {
            self.half_life = rule.half_life;
            self.score.merge(&other.score, UNCAPPED);
        }
    }

    /// Goes on by the half-life that the rules have now.
    pub(crate) fn keep(&mut self, rule: &rules::Engagement) {
        if self.half_life != 0 && self.half_life != rule.half_life {
            self.score = self.score.with_half_life(self.half_life, rule.half_life, UNCAPPED);
            self.half_life = rule.half_life;
        }
    }

    /// The score at an instant, in millionths.
    pub(crate) fn score(&self, rule: &rules::Engagement, now: i64) -> i64 {
        self.score.at(rule.half_life, UNCAPPED, now)
    }

    /// `none`, `low`, `medium` or `high`.
    pub(crate) fn level(&self, rule: &rules::Engagement, now: i64) -> &'static str {
        let [medium, high] = rule.levels;
        match self.score(rule, now) {
            ..=0 => "none",
            score if score >= high.max(1) => "high",
            score if score >= medium.max(1) => "medium",
            _ => "low",
        }
    }

    /// When time alone makes it another: when the score falls below the highest level that it reaches.
    pub(crate) fn next_level(&self, rule: &rules::Engagement, now: i64) -> Option<i64> {
        let [medium, high] = rule.levels;
        let score = self.score(rule, now);
        let level = [1, medium, high].into_iter().filter(|level| *level > 0 && *level <= score).max()?;
        self.score.falls_below(rule.half_life, UNCAPPED, level, now)
    }
}
