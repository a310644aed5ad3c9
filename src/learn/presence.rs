//! When a visitor was there: first, last, and in which runs without a long pause.
//!
//! A run is a stretch of time between whose events no pause is as long as the one after which a visitor is dormant. Runs are a union of
//! stretches: any order leads to the same, as do repetitions, and parts united in any order. The newest [`MOST_RUNS`] are kept. When the
//! visitor was first and last there are the least and the greatest instant.

use super::rules::Lifecycle;

/// How many runs are kept.
pub(crate) const MOST_RUNS: usize = 8;

/// When a visitor was there.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Presence {
    /// When first; nothing before any event.
    pub(crate) first: Option<i64>,
    /// Beginnings and ends, oldest first.
    runs: Vec<(i64, i64)>,
}

impl Presence {
    /// The visitor was there at an instant.
    pub(crate) fn add(&mut self, at: i64, dormant: i64) {
        match self.runs.last_mut() {
            // Nearly always.
            Some((start, end)) if at >= *start && at.saturating_sub(*end) < dormant => *end = at.max(*end),
            _ => self.unite(at, at, dormant),
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
    }

    /// What another part knows.
    pub(crate) fn merge(&mut self, other: &Presence, dormant: i64) {
        for (start, end) in &other.runs {
            self.unite(*start, *end, dormant);
        }
        self.first = [self.first, other.first].into_iter().flatten().min();
    }

    fn unite(&mut self, start: i64, end: i64, dormant: i64) {
        let (mut start, mut end) = (start, end);
        self.runs.retain(|(known_start, known_end)| {
            let apart = known_start.saturating_sub(end) >= dormant || start.saturating_sub(*known_end) >= dormant;
            if !apart {
                (start, end) = (start.min(*known_start), end.max(*known_end));
            }
            apart
        });
        let place = self.runs.iter().take_while(|(known, _)| *known < start).count();
        self.runs.insert(place, (start, end));
        let old = self.runs.len().saturating_sub(MOST_RUNS);
        self.runs.drain(..old);
    }

    /// When last.
    pub(crate) fn last(&self) -> Option<i64> {
        self.runs.last().map(|(_, end)| *end)
    }

    /// When the visitor came back from the last long pause; `None` where there was none.
    pub(crate) fn came_back(&self) -> Option<i64> {
        let (start, _) = self.runs.last()?;
        (self.first? < *start).then_some(*start)
    }

    /// `new`, `active`, `at_risk`, `dormant` or `won_back`; nothing of who was never there.
    pub(crate) fn lifecycle(&self, rule: &Lifecycle, now: i64) -> Option<&'static str> {
        let since = |at: i64| now.saturating_sub(at);
        let away = since(self.last()?);
        Some(if away >= rule.dormant {
            "dormant"
        } else if away >= rule.at_risk {
            "at_risk"
        } else if self.came_back().is_some_and(|back| since(back) < rule.won_back) {
            "won_back"
        } else if since(self.first?) < rule.new {
            "new"
        } else {
            "active"
        })
    }

    /// When time alone may make it another.
    pub(crate) fn next_lifecycle(&self, rule: &Lifecycle, now: i64) -> Option<i64> {
        let ends = [
            (self.last(), rule.at_risk),
            (self.last(), rule.dormant),
            (self.came_back(), rule.won_back),
            (self.first, rule.new),
        ];
        let ends = ends.into_iter().filter_map(|(from, length)| Some(from?.saturating_add(length)));
        ends.filter(|end| *end > now).min()
    }
}
