//! What is kept of a visitor, and how events change it.

use super::affinities::Affinities;
use super::counters::Counters;
use super::event::{Event, EventKind};
use super::index::Effect;
use super::presence::Presence;
use super::rules::Rules;
use super::traits::Traits;
use crate::consent::Purpose;

/// The first byte of a state.
const VERSION: u8 = 1;
/// 9999-12-31: what is dated behind it is no event.
const LAST_INSTANT: i64 = 253_402_300_799_999;

/// What is kept of a visitor: a fold over events, bounded in size.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct State {
    pub(crate) presence: Presence,
    pub(crate) traits: Traits,
    pub(crate) counters: Counters,
    pub(crate) affinities: Affinities,
}

impl State {
    /// No state has more bytes, whatever is folded into it.
    pub const MOST_BYTES: usize = 256 * 1024;

    /// Reads the bytes of a state. `None` when they are of another version, or none.
    pub fn decode(bytes: &[u8]) -> Option<State> {
        let (version, rest) = bytes.split_first()?;
        if *version != VERSION || bytes.len() > State::MOST_BYTES {
            return None;
        }
        postcard::from_bytes(rest).ok()
    }

    /// The bytes that are kept.
    pub fn encode(&self) -> Vec<u8> {
        // It fails for types alone that are not among these.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == State::default()
    }

    /// Takes the next event: those of a visitor come in the order of (instant, id), each once. What a bot does is nobody's, nor is
    /// anything learned without consent to personalization.
    pub fn fold(&mut self, rules: &Rules, event: &Event) {
        if !is_learned(event) {
            return;
        }
        self.fold_anywhere(rules, event);
    }

    /// Takes an event that is older than those which were folded by more than [`super::LATE_MS`]: whatever does not depend on the order
    /// learns of it.
    pub fn fold_late(&mut self, rules: &Rules, event: &Event) {
        if !is_learned(event) {
            return;
        }
        self.fold_anywhere(rules, event);
    }

    /// What any order leads to the same in.
    fn fold_anywhere(&mut self, rules: &Rules, event: &Event) {
        if is_presence(event) {
            self.presence.add(event.at, rules.lifecycle.dormant);
        }
        if !event.traits.is_empty() {
            self.traits.add(rules, event);
        }
        let index = rules.index();
        let Some(effects) = index.of(event) else { return };
        let trusted = event.trusted || !effects.trusted;
        for effect in &effects.effects {
            match effect {
                Effect::Counter(place) => {
                    if let (Some(rule), Some(spans)) = (rules.counters.get(*place), index.spans.get(*place)) {
                        self.counters.add(rule, *spans, event, trusted);
                    }
                }
                Effect::Affinity(place, weight) => {
                    let rule = rules.affinities.get(*place);
                    let weighed = rule.and_then(|rule| Some((rule, rule.weights.get(*weight)?)));
                    let (Some((rule, (matching, weight))), Some(most)) = (weighed, index.values.get(*place)) else { continue };
                    if matching.properties_match(event) {
                        self.affinities.add(rule, *most, *weight, event);
                    }
                }
            }
        }
    }

    /// Takes what another part of the same visitor knows: of another device, or of the time before they said who they are. Each part is
    /// merged once; in which order makes no difference.
    pub fn merge(&mut self, rules: &Rules, other: &State) {
        self.presence.merge(&other.presence, rules.lifecycle.dormant);
        self.traits.merge(rules, &other.traits);
        self.counters.merge(rules, &other.counters);
        self.affinities.merge(rules, &other.affinities);
    }

    /// Drops what the rules do not ask for any more: for when they have changed.
    pub fn keep(&mut self, rules: &Rules) {
        self.traits.keep(rules);
        self.counters.keep(rules);
        self.affinities.keep(rules);
    }
}

fn is_learned(event: &Event) -> bool {
    !event.bot && event.consent.has(Purpose::Personalization) && (0..=LAST_INSTANT).contains(&event.at)
}

/// Whether the visitor was there: whoever does something is; what a server says of them is not done by them.
fn is_presence(event: &Event) -> bool {
    match event.kind {
        EventKind::Page | EventKind::Track | EventKind::Exposure => true,
        EventKind::Identify | EventKind::Group | EventKind::Alias => event.source == "browser",
    }
}
