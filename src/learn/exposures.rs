//! What a visitor was shown: the variant of each experience that stays theirs, and how often they saw what, for caps and cooldowns.
//!
//! The variant is the earliest that was shown, of the same instant the one whose text comes first. Counts are sums of the newest day, of the
//! newest week and of all time: any order leads to the same, and parts add up. Those of a session are of the newest session. Days and weeks
//! are the visitor's, by their own clock when they saw it. What is shown at one instant, in several slots, was seen once. [`MOST`] experiences
//! are kept, those seen last; one that had to go begins again from nothing.

use super::event::{Event, ONE, Scalar};
use super::rules::{ExperienceRule, Rules};
use crate::number::push_int;
use crate::profile::Levels;
use crate::time::DAY_MS;

/// How many experiences are kept.
pub(crate) const MOST: usize = 64;
/// The longest levels, in bytes.
const MOST_LEVELS: usize = 32;

/// All that was shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Exposures {
    /// In the order of the ids.
    experiences: Vec<Exposed>,
    /// Of all experiences that the site's cap counts.
    pub(crate) site: Shown,
}

/// What was shown of an experience.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Exposed {
    pub(crate) id: String,
    /// When, and which variant, or level of each factor: the first.
    pub(crate) variant: Option<(i64, String)>,
    pub(crate) shown: Shown,
}

/// How often something was shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Shown {
    pub(crate) total: u32,
    pub(crate) last: i64,
    /// The visitor's day of the last time, counted from 1970.
    day: i64,
    on_day: u32,
    in_week: u32,
    /// When the session of the last time began.
    session: i64,
    in_session: u32,
}

/// Weeks begin on Monday; the first day of 1970 was a Thursday.
fn week(day: i64) -> i64 {
    day.saturating_add(3).div_euclid(7)
}

impl Shown {
    /// One showing, as an addend.
    fn once(at: i64, offset: i32, session: Option<i64>) -> Shown {
        let day = at.saturating_add(i64::from(offset).saturating_mul(1000)).div_euclid(DAY_MS);
        let session = session.filter(|started| at >= *started);
        Shown {
            total: 1,
            last: at,
            day,
            on_day: 1,
            in_week: 1,
            session: session.unwrap_or(i64::MIN),
            in_session: u32::from(session.is_some()),
        }
    }

    /// Both together.
    pub(crate) fn add(&mut self, other: &Shown) {
        if self.total == 0 || other.total == 0 {
            *self = if self.total == 0 { *other } else { *self };
            return;
        }
        // Of the newer one; of both where they are of the same.
        let of = |own: (i64, u32), other: (i64, u32)| match own.0.cmp(&other.0) {
            std::cmp::Ordering::Less => other.1,
            std::cmp::Ordering::Equal => own.1.saturating_add(other.1),
            std::cmp::Ordering::Greater => own.1,
        };
        *self = Shown {
            total: self.total.saturating_add(other.total),
            last: self.last.max(other.last),
            day: self.day.max(other.day),
            on_day: of((self.day, self.on_day), (other.day, other.on_day)),
            in_week: of((week(self.day), self.in_week), (week(other.day), other.in_week)),
            session: self.session.max(other.session),
            in_session: of((self.session, self.in_session), (other.session, other.in_session)),
        };
    }

    /// As [`crate::profile`] reads it: `session,day,week,total,last`. `session`: when the last session began.
    pub(crate) fn counts(&self, session: Option<i64>) -> [u32; 4] {
        let in_session = if Some(self.session) == session { self.in_session } else { 0 };
        [in_session, self.on_day, self.in_week, self.total]
    }
}

impl Exposures {
    /// Takes an exposure. `session`: when the session began that it is in.
    pub(crate) fn add(&mut self, rules: &Rules, event: &Event, session: Option<i64>) {
        let Some(id) = event.text("experience") else { return };
        let Some(rule) = rules.experiences.iter().find(|rule| rule.id == id) else { return };
        let place = match self.experiences.binary_search_by(|known| known.id.as_str().cmp(id)) {
            Ok(place) => place,
            Err(place) => {
                self.experiences.insert(place, Exposed { id: rule.id.clone(), variant: None, shown: Shown::default() });
                place
            }
        };
        let Some(exposed) = self.experiences.get_mut(place) else { return };
        if let Some(levels) = levels(event) {
            exposed.take_variant((event.at, levels));
        }
        let once = Shown::once(event.at, event.offset, session);
        let again = |shown: &Shown| shown.total > 0 && shown.last == event.at;
        if !again(&exposed.shown) {
            exposed.shown.add(&once);
        }
        if rule.site && !again(&self.site) {
            self.site.add(&once);
        }
        self.evict();
    }

    fn evict(&mut self) {
        while self.experiences.len() > MOST {
            let oldest = self.experiences.iter().enumerate().min_by_key(|(_, known)| (known.shown.last, &known.id));
            let Some((place, _)) = oldest else { return };
            self.experiences.remove(place);
        }
    }

    /// Takes another part's.
    pub(crate) fn merge(&mut self, rules: &Rules, other: &Exposures) {
        for exposed in &other.experiences {
            if !rules.experiences.iter().any(|rule| rule.id == exposed.id) {
                continue;
            }
            match self.experiences.binary_search_by(|known| known.id.cmp(&exposed.id)) {
                Ok(place) => {
                    if let Some(known) = self.experiences.get_mut(place) {
                        known.shown.add(&exposed.shown);
                        if let Some(variant) = &exposed.variant {
                            known.take_variant(variant.clone());
                        }
                    }
                }
                Err(place) => self.experiences.insert(place, exposed.clone()),
            }
        }
        self.site.add(&other.site);
        self.evict();
    }

    /// Drops what no page has to know any more.
    pub(crate) fn keep(&mut self, rules: &Rules) {
        self.experiences.retain(|known| rules.experiences.iter().any(|rule| rule.id == known.id));
    }

    /// What was shown, with the rule of each.
    pub(crate) fn all<'a>(&'a self, rules: &'a Rules) -> impl Iterator<Item = (&'a ExperienceRule, &'a Exposed)> {
        self.experiences.iter().filter_map(|known| Some((rules.experiences.iter().find(|rule| rule.id == known.id)?, known)))
    }
}

impl Exposed {
    fn take_variant(&mut self, variant: (i64, String)) {
        if self.variant.as_ref().is_none_or(|known| variant < *known) {
            self.variant = Some(variant);
        }
    }
}

/// The variant that was shown, or the level of each factor, as [`crate::profile`] reads it.
fn levels(event: &Event) -> Option<String> {
    let levels = match (event.property("levels"), event.property("variant")) {
        (Some(Scalar::Text(levels)), _) => levels.clone().into_owned(),
        (None, Some(Scalar::Number(variant))) => {
            let mut text = String::new();
            push_int(&mut text, variant / ONE);
            text
        }
        (None, Some(Scalar::Text(variant))) => variant.clone().into_owned(),
        _ => return None,
    };
    Some(levels).filter(|levels| levels.len() <= MOST_LEVELS && Levels::parse(levels).is_some())
}
