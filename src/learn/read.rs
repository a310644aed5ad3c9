//! What expressions read of a profile, now; and when time alone will make it another.
//!
//! Readings are by the second: they are what they are at the beginning of the second, and instants are told in whole seconds. So the
//! projection, which has no room for more, says the same as the store.

use super::event::{ONE, Scalar};
use super::rules::{Rules, What};
use super::site::Site;
use super::state::State;
use super::traits;
use crate::context::{Kind, Value};

const SECOND: i64 = 1000;

/// A fixed-point number as a double: the nearest.
pub(crate) fn double(millionths: i64) -> f64 {
    millionths as f64 / ONE as f64
}

/// The beginning of a second.
pub(crate) fn second(ms: i64) -> i64 {
    ms.saturating_sub(ms.rem_euclid(SECOND))
}

/// What is read of a profile at an instant, in epoch milliseconds; `None` where it is not known.
pub fn read(rules: &Rules, state: &State, site: &Site, now: i64, what: &What) -> Option<Value> {
    Reader { rules, state, site, now: second(now) }.read(what)
}

/// The first second behind an instant at which time alone may make a reading another; between, it is the same. `None`: never.
pub fn next_change(rules: &Rules, state: &State, site: &Site, now: i64, what: &What) -> Option<i64> {
    let now = second(now);
    let change = Reader { rules, state, site, now }.next_change(what)?;
    // The first beginning of a second at which it has changed.
    Some(second(change.saturating_add(SECOND - 1)).max(now.saturating_add(SECOND)))
}

struct Reader<'a> {
    rules: &'a Rules,
    state: &'a State,
    #[allow(dead_code)]
    site: &'a Site,
    now: i64,
}

impl Reader<'_> {
    fn read(&self, what: &What) -> Option<Value> {
        let State { presence, counters, .. } = self.state;
        let instant = |ms: i64| Some(Value::Timestamp(second(ms)));
        match what {
            What::Trait(name) => self.settled(name),
            What::Count(id, window) => Some(Value::Int(match (counters.get(*id), window) {
                (None, _) => 0,
                (Some(counted), 0) => counted.count,
                (Some(counted), window) => counted.within(*window, self.now),
            })),
            What::Sum(id, window) => Some(Value::Double(double(match (counters.get(*id), window) {
                (None, _) => 0,
                (Some(counted), 0) => counted.sum,
                (Some(counted), window) => counted.within(*window, self.now),
            }))),
            What::First(id) => instant(counters.get(*id)?.first),
            What::Last(id) => instant(counters.get(*id)?.last),
            What::FirstSeen => instant(presence.first?),
            What::LastSeen => instant(presence.last()?),
            What::Affinity(dimension) => self.told(dimension).into_iter().next().map(|(text, _)| Value::String(text)),
            What::Affinities(dimension) => {
                // A list is written with commas.
                let texts = self.told(dimension).into_iter().map(|(text, _)| text).filter(|text| !text.contains(','));
                Some(Value::Strings(texts.take(5).collect())).filter(|list| *list != Value::Strings(Vec::new()))
            }
            What::AffinityShare(dimension, text) => {
                Some(Value::Int(self.state.affinities.get(dimension).map_or(0, |dimension| dimension.share(text))))
            }
            _ => None,
        }
    }

    fn next_change(&self, what: &What) -> Option<i64> {
        match what {
            What::Count(id, window) | What::Sum(id, window) if *window > 0 => {
                self.state.counters.get(*id)?.next_change(*window, self.now)
            }
            What::Affinity(dimension) | What::Affinities(dimension) => {
                self.told(dimension).into_iter().filter_map(|(_, falls)| falls).min()
            }
            _ => None,
        }
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
