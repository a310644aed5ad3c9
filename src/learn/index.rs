//! What an event changes, by its name: so that folding one does not ask every rule.

use super::answers::{NPS_ANSWERED, QUESTION_ANSWERED};
use super::cart::Change;
use super::event::{Event, EventKind, Scalar};
use super::projection::{Path, ids};
use super::rules::{Cart, Expected, Matching, Rules};
use super::sessions::MOST_INTENTS;
use crate::bucket::murmur3_32;
use crate::context::Kind;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::OnceLock;

/// What an event of some name changes; numbers are places in the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Counter(usize),
    /// A dimension, and which of its weights.
    Affinity(usize, usize),
    /// Which of its weights.
    Engagement(usize),
    /// Which intent, and which of its signals.
    Intent(usize, usize),
    Feature(usize),
    Milestone(usize),
    Purchase,
    Cart(Change),
    Answer,
    Score,
}

/// Those of an event's name.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Whether its money counts only where the sender is trusted.
    pub(crate) trusted: bool,
    pub(crate) effects: Vec<Effect>,
}

/// Effects by the event's name; those of page views by themselves.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pages: Effects,
    /// In the order of [`by_length`].
    names: Vec<(String, Effects)>,
    /// Which rules these are: a hash of what they say.
    pub(crate) fingerprint: u32,
    /// The kinds of the traits, in the order of the rules.
    pub(crate) traits: Vec<Kind>,
    /// The ids of a projection's entries, in their order.
    pub(crate) ids: Vec<(u32, Path)>,
    /// How many periods of each length a counter keeps.
    pub(crate) spans: Vec<[i64; 3]>,
    /// How many values a dimension keeps.
    pub(crate) values: Vec<usize>,
}

/// An index that is made at first use. It is no part of what the rules say: rules are equal without it, and copies make their own.
#[derive(Default)]
pub struct Indexed(OnceLock<Index>);

impl Clone for Indexed {
    fn clone(&self) -> Indexed {
        Indexed::default()
    }
}

impl PartialEq for Indexed {
    fn eq(&self, _: &Indexed) -> bool {
        true
    }
}

impl std::fmt::Debug for Indexed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Indexed")
    }
}

impl Rules {
    pub(crate) fn index(&self) -> &Index {
        self.index.0.get_or_init(|| Index::new(self))
    }
}

impl Index {
    fn new(rules: &Rules) -> Index {
        let traits = rules.traits.iter().map(|rule| kind(&rule.kind)).collect();
        // 0 stands for a state that knows of no rules.
        let fingerprint = murmur3_32(&rules.to_bytes(), 0).max(1);
        let mut index = Index { traits, fingerprint, ids: ids(rules), ..Index::default() };
        for event in rules.events.iter().filter(|event| event.trusted) {
            index.entry(&event.name).trusted = true;
        }
        for (place, counter) in rules.kept_counters().enumerate() {
            index.spans.push(counter.spans());
            index.add(&counter.matching, Effect::Counter(place));
        }
        for (place, (affinity, most)) in rules.kept_affinities().enumerate() {
            index.values.push(most);
            for (weight, (matching, _)) in affinity.weights.iter().enumerate() {
                index.add(matching, Effect::Affinity(place, weight));
            }
        }
        for (weight, (matching, _)) in rules.engagement.weights.iter().enumerate() {
            index.add(matching, Effect::Engagement(weight));
        }
        for (place, (_, signals)) in rules.intent.signals.iter().take(MOST_INTENTS).enumerate() {
            for (signal, (matching, _)) in signals.iter().enumerate() {
                index.add(matching, Effect::Intent(place, signal));
            }
        }
        for (place, feature) in rules.kept_features().enumerate() {
            index.add(&feature.matching, Effect::Feature(place));
        }
        for (place, milestone) in rules.kept_milestones().enumerate() {
            if let Some(matching) = &milestone.matching {
                index.add(matching, Effect::Milestone(place));
            }
        }
        if let Some(rfm) = &rules.rfm {
            index.entry(&rfm.event).effects.push(Effect::Purchase);
        }
        let Cart { added, removed, viewed, ordered } = &rules.cart;
        for (event, change) in
            [(added, Change::Add), (removed, Change::Remove), (viewed, Change::View), (ordered, Change::Order)]
        {
            if !event.is_empty() {
                index.entry(event).effects.push(Effect::Cart(change));
            }
        }
        index.entry(QUESTION_ANSWERED).effects.push(Effect::Answer);
        index.entry(NPS_ANSWERED).effects.push(Effect::Score);
        index
    }

    fn add(&mut self, matching: &Matching, effect: Effect) {
        self.entry(&matching.event).effects.push(effect);
    }

    fn entry(&mut self, event: &str) -> &mut Effects {
        if event == EventKind::Page.name() {
            return &mut self.pages;
        }
        let place = match self.place(event) {
            Ok(place) => place,
            Err(place) => {
                self.names.insert(place, (event.to_owned(), Effects::default()));
                place
            }
        };
        // Never the latter: the place is one of the list's.
        self.names.get_mut(place).map_or(&mut self.pages, |(_, effects)| effects)
    }

    fn place(&self, event: &str) -> Result<usize, usize> {
        self.names.binary_search_by(|(name, _)| by_length(name, event))
    }

    /// What an event changes.
    pub(crate) fn of(&self, event: &Event) -> Option<&Effects> {
        match event.kind {
            EventKind::Page => Some(&self.pages),
            EventKind::Track => self.names.get(self.place(&event.name).ok()?).map(|(_, effects)| effects),
            _ => None,
        }
    }
}

/// An order of texts that mostly needs no look at them: the shorter comes first.
pub(crate) fn by_length(one: &str, other: &str) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// The kind of that name; a text's where there is none of that name.
fn kind(name: &str) -> Kind {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).unwrap_or(Kind::String)
}

impl Matching {
    /// Whether an event of that name is one of these.
    pub(crate) fn properties_match(&self, event: &Event) -> bool {
        self.properties.iter().all(|(path, expected)| {
            let mut found = false;
            each_value(event, path, |value| found |= expected.is(value));
            found
        })
    }
}

impl Expected {
    fn is(&self, value: &Scalar) -> bool {
        match (self, value) {
            (Expected::Bool(expected), Scalar::Bool(value)) => expected == value,
            (Expected::Number(expected), Scalar::Number(value)) => expected == value,
            (Expected::Text(expected), Scalar::Text(value)) => expected == value,
            _ => false,
        }
    }
}

/// Calls `take` with the property of that path, or with each product's where the event has none, or where the path begins with
/// `products.`.
pub(crate) fn each_value(event: &Event, path: &str, mut take: impl FnMut(&Scalar)) {
    let field = match path.strip_prefix("products.") {
        Some(field) => field,
        None => match event.property(path) {
            Some(value) => return take(value),
            None => path,
        },
    };
    for product in &event.products {
        match field {
            "product_id" | "sku" | "id" if !product.id.is_empty() => take(&Scalar::Text(Cow::Borrowed(&product.id))),
            "price" => take(&Scalar::Number(product.price)),
            "quantity" => take(&Scalar::Number(product.quantity.saturating_mul(super::event::ONE))),
            _ => product.properties.iter().filter(|(known, _)| known == field).take(1).for_each(|(_, value)| take(value)),
        }
    }
}
