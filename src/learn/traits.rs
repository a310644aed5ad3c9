//! What sources say of a visitor: every source's own value of every declared trait, with its time; which of them counts is found when it
//! is read.
//!
//! Of one source's values the newest is kept (`settle: first`: the oldest; `largest`: the largest), of the same instant the larger one.
//! So any order leads to the same, as do repetitions, and parts merged in any order. [`MOST`] values are kept, the newest.
//!
//! What a visitor corrected themselves (the source [`VISITOR`]) counts before all other sources, however these are settled and whenever they
//! come; of two corrections the newer one. That a visitor wants no value is kept as the empty text, which no other source can say.

use super::event::{Event, ONE, Scalar, cut};
use super::rules::{Rules, Settle, TraitRule};
use crate::consent::Purpose;
use crate::context::{Kind, Value, parse_instant};
use std::borrow::Cow;
use std::cmp::Ordering;

/// How many values are kept: of all traits and sources together.
pub(crate) const MOST: usize = 256;
/// The longest text, in bytes.
pub(crate) const MOST_TEXT: usize = 256;
/// The longest name of a source, in bytes.
pub(crate) const MOST_SOURCE: usize = 48;

/// The source of what a visitor corrects, or takes back.
pub const VISITOR: &str = "visitor";

/// All values, in the order of trait and source.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Traits(Vec<Told>);

/// What a source says of a trait.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) source: String,
    /// When it said so.
    pub(crate) at: i64,
    pub(crate) value: Scalar<'static>,
}

impl Told {
    fn key(&self) -> (&str, &str) {
        (&self.name, &self.source)
    }

    fn is_visitors(&self) -> bool {
        self.source == VISITOR
    }

    /// Whether a visitor wants no value of the trait.
    fn is_removal(&self) -> bool {
        self.is_visitors() && matches!(&self.value, Scalar::Text(text) if text.is_empty())
    }

    /// Whether this counts instead of another of the same trait: of one source always, else where the newest, oldest or largest counts.
    fn outranks(&self, other: &Told, settle: Settle) -> bool {
        if self.is_visitors() != other.is_visitors() {
            return self.is_visitors();
        }
        let newer = (self.at, &self.value).cmp(&(other.at, &other.value));
        match settle {
            _ if self.is_visitors() => newer == Ordering::Greater,
            Settle::Latest | Settle::Source => newer == Ordering::Greater,
            Settle::First => (self.at, &other.value) < (other.at, &self.value),
            Settle::Largest => (&self.value, other.at) > (&other.value, self.at),
        }
    }
}

/// Whether a value is one that the trait of a name can have.
pub fn accepts(rules: &Rules, name: &str, value: &Scalar) -> bool {
    let mut declared = rules.traits.iter().zip(&rules.index().traits);
    declared.any(|(rule, kind)| rule.name == name && accepted(rule, *kind, value).is_some())
}

/// A value as the trait's kind has it; `None` where it is no such value, or not one of those that are allowed.
pub(crate) fn accepted(rule: &TraitRule, kind: Kind, value: &Scalar) -> Option<Scalar<'static>> {
    let value = match (kind, value) {
        (Kind::Bool, Scalar::Text(text)) => match Value::parse(kind, text)? {
            Value::Bool(flag) => Scalar::Bool(flag),
            _ => return None,
        },
        (Kind::Bool, Scalar::Bool(flag)) => Scalar::Bool(*flag),
        (Kind::Int | Kind::Double, Scalar::Text(text)) => match Value::parse(Kind::Double, text)? {
            Value::Double(number) => Scalar::number(number)?,
            _ => return None,
        },
        (Kind::Int | Kind::Double, Scalar::Number(number)) => Scalar::Number(*number),
        // An instant is kept in seconds.
        (Kind::Timestamp, Scalar::Text(text)) => Scalar::Number(parse_instant(text)?.checked_mul(ONE / 1000)?),
        (Kind::Timestamp, Scalar::Number(ms)) => Scalar::Number(ms / 1000),
        (Kind::String | Kind::Strings | Kind::Map, value) => Scalar::Text(Cow::Owned(cut(&value.text(), MOST_TEXT).to_owned())),
        _ => return None,
    };
    match &value {
        Scalar::Number(number) if kind == Kind::Int && number % ONE != 0 => None,
        Scalar::Text(text) if text.is_empty() => None,
        Scalar::Text(text) if !rule.values.is_empty() && !is_allowed(rule, kind, text) => None,
        _ => Some(value),
    }
}

/// Whether a text is one of those that a trait may be; of a list, each of its items.
fn is_allowed(rule: &TraitRule, kind: Kind, text: &str) -> bool {
    let is_one = |text: &str| rule.values.iter().any(|allowed| allowed == text);
    match Value::parse(kind, text) {
        Some(Value::Strings(items)) => items.iter().all(|item| is_one(item)),
        _ => is_one(text),
    }
}

/// A kept value as one of the trait's kind.
pub(crate) fn value(kind: Kind, kept: &Scalar) -> Option<Value> {
    Some(match (kind, kept) {
        (Kind::Bool, Scalar::Bool(flag)) => Value::Bool(*flag),
        (Kind::Int, Scalar::Number(number)) => Value::Int(number / ONE),
        (Kind::Double, Scalar::Number(number)) => Value::Double(super::read::double(*number)),
        (Kind::Timestamp, Scalar::Number(number)) => Value::Timestamp(super::read::second(number / 1000)),
        (Kind::String | Kind::Strings | Kind::Map, Scalar::Text(text)) => Value::parse(kind, text)?,
        _ => return None,
    })
}

impl Traits {
    /// Takes the declared traits of an event, as far as they are agreed to.
    pub(crate) fn add(&mut self, rules: &Rules, event: &Event) {
        for (name, value) in &event.traits {
            let mut declared = rules.traits.iter().zip(&rules.index().traits);
            let Some((rule, kind)) = declared.find(|(rule, _)| rule.name == *name) else { continue };
            let purpose = Purpose::from_name(&rule.purpose.0);
            if !purpose.is_some_and(|purpose| event.consent.has(purpose)) {
                continue;
            }
            let value = match value {
                Scalar::Text(text) if text.is_empty() && event.source == VISITOR => Scalar::Text(Cow::Borrowed("")),
                value => match accepted(rule, *kind, value) {
                    Some(value) => value,
                    None => continue,
                },
            };
            let source = cut(&event.source, MOST_SOURCE).to_owned();
            self.put(Told { name: rule.name.clone(), source, at: event.at, value }, rule.settle);
        }
        self.evict();
    }

    fn put(&mut self, told: Told, settle: Settle) {
        match self.0.binary_search_by(|known| known.key().cmp(&told.key())) {
            Ok(place) => {
                if let Some(known) = self.0.get_mut(place).filter(|known| told.outranks(known, settle)) {
                    *known = told;
                }
            }
            Err(place) => self.0.insert(place, told),
        }
    }

    fn evict(&mut self) {
        while self.0.len() > MOST {
            // What another source said must not come back because a correction is old.
            let oldest = self.0.iter().enumerate().min_by_key(|(_, told)| (told.is_visitors(), told.at, told.key()));
            let Some((place, _)) = oldest else { return };
            self.0.remove(place);
        }
    }

    /// What another part was told.
    pub(crate) fn merge(&mut self, rules: &Rules, other: &Traits) {
        for told in &other.0 {
            let Some(rule) = rules.traits.iter().find(|rule| rule.name == told.name) else { continue };
            self.put(told.clone(), rule.settle);
        }
        self.evict();
    }

    /// Drops what is no longer declared.
    pub(crate) fn keep(&mut self, rules: &Rules) {
        self.0.retain(|told| rules.traits.iter().any(|rule| rule.name == told.name));
    }

    /// Drops what was said of these traits before an instant. Returns whether there was any.
    pub(crate) fn strip(&mut self, names: &[String], before: i64) -> bool {
        let many = self.0.len();
        self.0.retain(|told| told.at >= before || !names.contains(&told.name));
        self.0.len() < many
    }

    /// Every source's value of a trait.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Told> {
        self.0.iter().filter(move |told| told.name == name)
    }

    /// The value that counts; `None` also where the visitor wants none.
    pub(crate) fn settled<'a>(&'a self, rule: &'a TraitRule) -> Option<&'a Told> {
        self.counting(rule).filter(|told| !told.is_removal())
    }

    /// Whether it is the visitor's own word that counts, a value or that there is to be none.
    pub(crate) fn is_corrected(&self, name: &str) -> bool {
        self.all(name).any(Told::is_visitors)
    }

    /// When the trait became what it is, a removal included.
    pub(crate) fn changed(&self, rule: &TraitRule) -> Option<i64> {
        self.counting(rule).map(|told| told.at)
    }

    fn counting<'a>(&'a self, rule: &'a TraitRule) -> Option<&'a Told> {
        let place = |told: &Told| rule.sources.iter().position(|source| *source == told.source).unwrap_or(usize::MAX);
        self.all(&rule.name).reduce(|best, told| {
            let better = match rule.settle {
                Settle::Source if told.is_visitors() == best.is_visitors() && place(told) != place(best) => {
                    place(told) < place(best)
                }
                settle => told.outranks(best, settle),
            };
            if better { told } else { best }
        })
    }
}
