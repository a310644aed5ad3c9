//! What expressions read of a profile, now; and when time alone will make it another.
//!
//! Readings are by the second: they are what they are at the beginning of the second, and instants are told in whole seconds. So the
//! projection, which has no room for more, says the same as the store.

use super::affinities::Dimension;
use super::event::{ONE, Scalar};
use super::propensity::logistic;
use super::rules::{Feature, Milestone, Rules, What};
use super::site::Site;
use super::state::State;
use super::traits;
use crate::context::{Kind, Value};
use crate::time::DAY_MS;
use crate::touch::Touch;

const SECOND: i64 = 1000;

/// A fixed-point number as a double: the nearest.
pub(crate) fn double(millionths: i64) -> f64 {
    millionths as f64 / ONE as f64
}

/// The fixed-point number that a double was made from.
pub(crate) fn millionths(double: f64) -> i64 {
    Scalar::number(double).and_then(|number| number.as_number()).unwrap_or(0)
}

/// The beginning of a second.
pub(crate) fn second(ms: i64) -> i64 {
    ms.saturating_sub(ms.rem_euclid(SECOND))
}

/// What is read of a profile at an instant, in epoch milliseconds; `None` where it is not known.
pub fn read(rules: &Rules, state: &State, site: &Site, now: i64, what: &What) -> Option<Value> {
    Reader::at(rules, state, site, now).read(what)
}

/// The first second behind an instant at which time alone may make a reading another; between, it is the same. `None`: never.
pub fn next_change(rules: &Rules, state: &State, site: &Site, now: i64, what: &What) -> Option<i64> {
    Reader::at(rules, state, site, now).next_second(what)
}

/// A profile at the beginning of a second.
pub(super) struct Reader<'a> {
    rules: &'a Rules,
    state: &'a State,
    site: &'a Site,
    now: i64,
}

impl<'a> Reader<'a> {
    pub(super) fn at(rules: &'a Rules, state: &'a State, site: &'a Site, now: i64) -> Reader<'a> {
        Reader { rules, state, site, now: second(now) }
    }

    /// The first second at which time alone may have made a reading another.
    pub(super) fn next_second(&self, what: &What) -> Option<i64> {
        let change = self.next_change(what)?;
        Some(second(change.saturating_add(SECOND - 1)).max(self.now.saturating_add(SECOND)))
    }

    pub(super) fn read(&self, what: &What) -> Option<Value> {
        let State { presence, sessions, visits, counters, purchases, features, basket, answers, .. } = self.state;
        let (rules, now) = (self.rules, self.now);
        let instant = |ms: i64| Some(Value::Timestamp(second(ms)));
        let word = |word: &str| Some(Value::String(word.to_owned()));
        let part = |touch: Option<&Touch>, part: &str| {
            let text = touch_part(touch?, part)?;
            Some(Value::String(text.to_owned())).filter(|_| !text.is_empty())
        };
        let score = |place: usize| Some(Value::Int(*purchases.scores(self.site)?.get(place)?));
        match what {
            What::Trait(name) => self.settled(name),
            What::Count(id, window) => Some(Value::Int(match (counters.get(*id), window) {
                (None, _) => 0,
                (Some(counted), 0) => counted.count,
                (Some(counted), window) => counted.within(*window, now),
            })),
            What::Sum(id, window) => Some(Value::Double(double(match (counters.get(*id), window) {
                (None, _) => 0,
                (Some(counted), 0) => counted.sum,
                (Some(counted), window) => counted.within(*window, now),
            }))),
            What::First(id) => instant(counters.get(*id)?.first),
            What::Last(id) => instant(counters.get(*id)?.last),
            What::FirstSeen => instant(presence.first?),
            What::LastSeen => instant(presence.last()?),
            What::Sessions => Some(Value::Int(i64::from(sessions.count))),
            What::SessionPages => {
                Some(Value::Int(sessions.current(rules, now).map_or(0, |session| i64::from(session.page_count))))
            }
            What::SessionStarted => instant(sessions.current(rules, now)?.started),
            What::FirstTouch(name) => part(visits.first.as_ref(), name),
            What::LastTouch(name) => part(visits.last(rules.attribution).as_ref(), name),
            What::Affinity(dimension) => self.told(dimension).into_iter().next().map(|(text, _)| Value::String(text)),
            What::Affinities(dimension) => {
                // A list is written with commas.
                let texts = self.told(dimension).into_iter().map(|(text, _)| text).filter(|text| !text.contains(','));
                Some(Value::Strings(texts.take(5).collect())).filter(|list| *list != Value::Strings(Vec::new()))
            }
            What::AffinityShare(dimension, text) => {
                Some(Value::Int(self.state.affinities.get(dimension).map_or(0, |dimension| dimension.share(text))))
            }
            What::RfmSegment => word(purchases.segment(self.site)?),
            What::RfmRecency => score(0),
            What::RfmFrequency => score(1),
            What::RfmMonetary => score(2),
            What::Lifecycle => word(presence.lifecycle(&rules.lifecycle, now)?),
            What::Engagement => word(self.state.engagement.level(&rules.engagement, now)),
            What::Intent => word(sessions.intent(rules, now)?),
            What::Propensity(name) => Some(Value::Double(double(self.propensity(name)?))),
            What::NpsScore => Some(Value::Int(i64::from(answers.nps?.1))),
            What::NpsCategory => word(answers.category()?),
            What::Answer(question) => word(answers.get(question)?),
            What::Feature(name) => word(features.adoption(self.feature(name)?, now)),
            What::FeatureCount(name) => Some(Value::Int(features.get(name).map_or(0, |used| i64::from(used.count)))),
            What::CartQuantity => Some(Value::Int(basket.quantity())),
            What::CartValue => Some(Value::Double(double(basket.value()))),
            What::CartUpdated => instant(basket.updated?),
            What::Milestone(name) => {
                let (milestone, reached) = self.milestone(name)?;
                Some(Value::Bool(reached.is_some_and(|reached| milestone.is_told(reached, now))))
            }
            What::MilestoneReached(name) => instant(self.milestone(name)?.1.filter(|reached| *reached <= now)?),
        }
    }

    fn next_change(&self, what: &What) -> Option<i64> {
        let State { presence, sessions, counters, features, .. } = self.state;
        let (rules, now) = (self.rules, self.now);
        match what {
            What::Count(id, window) | What::Sum(id, window) if *window > 0 => counters.get(*id)?.next_change(*window, now),
            What::SessionPages | What::SessionStarted => sessions.over(rules).filter(|over| *over > now),
            What::Affinity(dimension) | What::Affinities(dimension) => {
                self.told(dimension).into_iter().filter_map(|(_, falls)| falls).min()
            }
            What::Lifecycle => presence.next_lifecycle(&rules.lifecycle, now),
            What::Engagement => self.state.engagement.next_level(&rules.engagement, now),
            What::Intent => sessions.next_intent(rules, now),
            What::Propensity(name) => {
                let rule = rules.propensities.iter().find(|rule| rule.name == *name)?;
                rule.coefficients.iter().filter_map(|(what, _)| self.next_number(what)).min()
            }
            What::Feature(name) => features.next_adoption(self.feature(name)?, now),
            What::Milestone(name) => {
                let (milestone, reached) = self.milestone(name)?;
                milestone.next_told(reached?, now)
            }
            What::MilestoneReached(name) => self.milestone(name)?.1.filter(|reached| *reached > now),
            What::Count(..)
            | What::Sum(..)
            | What::Trait(_)
            | What::First(_)
            | What::Last(_)
            | What::FirstSeen
            | What::LastSeen
            | What::Sessions
            | What::FirstTouch(_)
            | What::LastTouch(_)
            | What::AffinityShare(..)
            | What::RfmSegment
            | What::RfmRecency
            | What::RfmFrequency
            | What::RfmMonetary
            | What::NpsScore
            | What::NpsCategory
            | What::Answer(_)
            | What::FeatureCount(_)
            | What::CartQuantity
            | What::CartValue
            | What::CartUpdated => None,
        }
    }

    /// When an event last made a reading what it is; the beginning of time where none did.
    pub(super) fn changed(&self, what: &What) -> i64 {
        let State { presence, sessions, visits, counters, purchases, features, basket, answers, .. } = self.state;
        let at = match what {
            What::Trait(name) => {
                let rule = self.rules.traits.iter().find(|rule| rule.name == *name);
                rule.and_then(|rule| self.state.traits.changed(rule))
            }
            What::Count(id, _) | What::Sum(id, _) | What::First(id) | What::Last(id) => {
                counters.get(*id).map(|counted| counted.last)
            }
            What::FirstSeen => presence.first,
            What::LastSeen | What::Lifecycle | What::Engagement | What::Propensity(_) => presence.last(),
            What::Sessions | What::SessionPages | What::SessionStarted | What::Intent => {
                sessions.last.as_ref().map(|session| session.last_event)
            }
            What::FirstTouch(_) => visits.first.as_ref().map(|touch| touch.at),
            What::LastTouch(_) => visits.last(self.rules.attribution).map(|touch| touch.at),
            What::Affinity(dimension) | What::Affinities(dimension) | What::AffinityShare(dimension, _) => {
                let rule = self.rules.kept_affinity(dimension);
                let newest = self.state.affinities.get(dimension).and_then(Dimension::newest);
                rule.zip(newest).map(|((rule, _), newest)| newest.saturating_mul(rule.half_life))
            }
            What::RfmSegment | What::RfmRecency | What::RfmFrequency | What::RfmMonetary => purchases.last,
            What::NpsScore | What::NpsCategory => answers.nps.map(|(at, _)| at),
            What::Answer(question) => answers.questions.iter().find(|(known, ..)| known == question).map(|(_, at, _)| *at),
            What::Feature(name) | What::FeatureCount(name) => features.get(name).map(|used| used.last),
            What::CartQuantity | What::CartValue | What::CartUpdated => basket.updated,
            What::Milestone(name) | What::MilestoneReached(name) => self.milestone(name).and_then(|(_, reached)| reached),
        };
        at.unwrap_or(i64::MIN)
    }

    fn feature(&self, name: &str) -> Option<&Feature> {
        self.rules.kept_features().find(|feature| feature.name == name)
    }

    /// A milestone, and when it was, or will be, reached.
    fn milestone(&self, name: &str) -> Option<(&Milestone, Option<i64>)> {
        let milestone = self.rules.kept_milestones().find(|milestone| milestone.name == name)?;
        Some((milestone, self.state.milestones.reached(milestone, &self.state.presence)))
    }

    /// In millionths, to the thousandth.
    fn propensity(&self, name: &str) -> Option<i64> {
        let rule = self.rules.propensities.iter().find(|rule| rule.name == name)?;
        let mut sum = i128::from(rule.intercept) * i128::from(ONE);
        for (what, coefficient) in &rule.coefficients {
            sum += i128::from(self.number(what).unwrap_or(0)) * i128::from(*coefficient);
        }
        let z = (sum / i128::from(ONE)).clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Some((logistic(z as i64) + 500) / 1000 * 1000)
    }

    /// A reading as a number, in millionths: true is one, of an instant the whole days since. What is unknown adds nothing, nor does what
    /// is no number.
    pub(super) fn number(&self, what: &What) -> Option<i64> {
        if matches!(what, What::Propensity(_)) {
            return None;
        }
        match self.read(what)? {
            Value::Bool(flag) => Some(i64::from(flag) * ONE),
            Value::Int(number) => Some(number.saturating_mul(ONE)),
            Value::Double(number) => Some(millionths(number)),
            Value::Timestamp(at) => Some(self.now.saturating_sub(at).div_euclid(DAY_MS).saturating_mul(ONE)),
            Value::String(_) | Value::Strings(_) | Value::Map(_) => None,
        }
    }

    /// When time alone makes that number another.
    fn next_number(&self, what: &What) -> Option<i64> {
        if matches!(what, What::Propensity(_)) {
            return None;
        }
        let next_day = match self.read(what) {
            Some(Value::Timestamp(at)) => {
                let days = self.now.saturating_sub(at).div_euclid(DAY_MS);
                Some(at.saturating_add(days.saturating_add(1).saturating_mul(DAY_MS)))
            }
            _ => None,
        };
        self.next_change(what).into_iter().chain(next_day).min()
    }

    fn settled(&self, name: &str) -> Option<Value> {
        let mut declared = self.rules.traits.iter().zip(&self.rules.index().traits);
        let (rule, kind) = declared.find(|(rule, _)| rule.name == name)?;
        traits::value(*kind, &self.state.traits.settled(rule)?.value)
    }

    /// The values of a dimension that are told, the strongest first, and when each is told no more.
    fn told(&self, dimension: &str) -> Vec<(String, Option<i64>)> {
        let Some((rule, _)) = self.rules.kept_affinity(dimension) else { return Vec::new() };
        let Some(known) = self.state.affinities.get(dimension) else { return Vec::new() };
        let least = rule.least.max(1);
        let strongest = known.strongest(rule).into_iter();
        let told = strongest.filter(|(_, score)| score.at(rule.half_life, rule.cap, self.now) >= least);
        told.map(|(text, score)| (text.clone(), score.falls_below(rule.half_life, rule.cap, least, self.now))).collect()
    }
}

/// A part of a touch, by its name in expressions.
fn touch_part<'a>(touch: &'a Touch, part: &str) -> Option<&'a str> {
    Some(match part {
        "channel" => &touch.channel,
        "source" => &touch.source,
        "medium" => &touch.medium,
        "campaign" => &touch.campaign,
        _ => return None,
    })
}

/// A value as text that [`Value::parse`] reads.
pub fn text(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Bool(flag) => text.push_str(&Scalar::Bool(*flag).text()),
        Value::Int(number) | Value::Timestamp(number) => crate::number::push_int(&mut text, *number),
        Value::Double(number) => crate::number::push_double(&mut text, *number),
        Value::String(own) => text.push_str(own),
        Value::Strings(items) => text = items.join(","),
        Value::Map(pairs) => {
            for (name, value) in pairs {
                if !text.is_empty() {
                    text.push('&');
                }
                push_part(&mut text, name);
                text.push('=');
                push_part(&mut text, value);
            }
        }
    }
    text
}

/// Appends a part of a query: what would end it, or stand for something else, is escaped.
fn push_part(out: &mut String, part: &str) {
    for sign in part.chars() {
        match sign {
            '%' => out.push_str("%25"),
            '&' => out.push_str("%26"),
            '+' => out.push_str("%2B"),
            '=' => out.push_str("%3D"),
            ' ' => out.push('+'),
            _ => out.push(sign),
        }
    }
}

/// The kind of a reading: of a trait as it is declared.
pub fn kind(rules: &Rules, what: &What) -> Kind {
    match what {
        What::Trait(name) => {
            let mut declared = rules.traits.iter().zip(&rules.index().traits);
            declared.find(|(rule, _)| rule.name == *name).map_or(Kind::String, |(_, kind)| *kind)
        }
        what => what.kind(),
    }
}
