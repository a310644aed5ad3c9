//! What is kept of a visitor, and how events change it.

use super::affinities::Affinities;
use super::answers::Answers;
use super::cart::Basket;
use super::counters::Counters;
use super::engagement::Engagement;
use super::event::{Event, EventKind};
use super::exposures::Exposures;
use super::features::Features;
use super::index::{Effect, Index};
use super::milestones::Milestones;
use super::presence::Presence;
use super::purchases::Purchases;
use super::rules::Rules;
use super::sessions::Sessions;
use super::touches::Visits;
use super::traits::Traits;
use crate::consent::Purpose;

/// The first byte of a state.
const VERSION: u8 = 1;
/// What the sources of imported events begin with.
const IMPORTED: &str = "import:";
/// 9999-12-31: what is dated behind it is no event.
const LAST_INSTANT: i64 = 253_402_300_799_999;

/// What is kept of a visitor: a fold over events, bounded in size. Each part has its law, said in its file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// The rules by which it was last changed; 0 where nothing ever did. With others, what they do not ask for is dropped.
    rules: u32,
    pub(crate) presence: Presence,
    pub(crate) sessions: Sessions,
    pub(crate) visits: Visits,
    pub(crate) traits: Traits,
    pub(crate) counters: Counters,
    pub(crate) affinities: Affinities,
    pub(crate) engagement: Engagement,
    pub(crate) purchases: Purchases,
    pub(crate) features: Features,
    pub(crate) milestones: Milestones,
    pub(crate) basket: Basket,
    pub(crate) answers: Answers,
    pub(crate) exposures: Exposures,
}

impl State {
    /// No state has more bytes, whatever is folded into it.
    pub const MOST_BYTES: usize = 320 * 1024;

    /// Reads the bytes of a state. `None` when they are of another version, or none.
    pub fn decode(bytes: &[u8]) -> Option<State> {
        let (version, rest) = bytes.split_first()?;
        if *version != VERSION {
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
        self.take(rules, event, true);
    }

    /// Takes an event that is older than those which were folded by more than [`super::LATE_MS`]: all but sessions and intents learns of
    /// it, and the cart if it has not changed since.
    pub fn fold_late(&mut self, rules: &Rules, event: &Event) {
        self.take(rules, event, false);
    }

    fn take(&mut self, rules: &Rules, event: &Event, in_order: bool) {
        let learned = !event.bot && event.consent.has(Purpose::Personalization) && (0..=LAST_INSTANT).contains(&event.at);
        if !learned {
            return;
        }
        self.keep(rules);
        // Past orders and calls are no visits to the site.
        let visits = is_done_by_visitor(event) && !event.source.starts_with(IMPORTED);
        if is_done_by_visitor(event) {
            self.presence.add(event.at, rules.lifecycle.dormant);
        }
        if visits && in_order {
            self.sessions.add(rules, event);
        }
        if let Some(touch) = event.touch.as_ref().filter(|_| visits) {
            self.visits.add(touch);
        }
        match event.kind {
            EventKind::Page | EventKind::Track => self.take_effects(rules, event, visits && in_order),
            EventKind::Identify => self.traits.add(rules, event),
            EventKind::Exposure => {
                let session = self.sessions.last.as_ref().map(|session| session.started);
                self.exposures.add(rules, event, session);
            }
            EventKind::Group | EventKind::Alias => {}
        }
    }

    fn take_effects(&mut self, rules: &Rules, event: &Event, in_session: bool) {
        let index = rules.index();
        let Some(effects) = index.of(event) else { return };
        let trusted = event.trusted || !effects.trusted;
        for effect in &effects.effects {
            self.take_effect(rules, index, event, trusted, in_session, *effect);
        }
    }

    /// One of the things that an event's name changes. Nothing, where the rules have no such place: never.
    fn take_effect(
        &mut self,
        rules: &Rules,
        index: &Index,
        event: &Event,
        trusted: bool,
        in_session: bool,
        effect: Effect,
    ) -> Option<()> {
        match effect {
            Effect::Counter(place) => {
                self.counters.add(rules.counters.get(place)?, *index.spans.get(place)?, event, trusted);
            }
            Effect::Affinity(place, weight) => {
                let rule = rules.affinities.get(place)?;
                let (matching, weight) = rule.weights.get(weight)?;
                if matching.properties_match(event) {
                    self.affinities.add(rule, *index.values.get(place)?, *weight, event);
                }
            }
            Effect::Engagement(weight) => {
                let (matching, weight) = rules.engagement.weights.get(weight)?;
                if matching.properties_match(event) {
                    self.engagement.add(&rules.engagement, event.at, *weight);
                }
            }
            Effect::Intent(place, signal) => {
                let (name, signals) = rules.intent.signals.get(place)?;
                let (matching, strength) = signals.get(signal)?;
                if in_session && matching.properties_match(event) {
                    self.sessions.signal(&rules.intent, name, *strength, event.at);
                }
            }
            Effect::Feature(place) => {
                let feature = rules.features.get(place)?;
                if feature.matching.properties_match(event) {
                    self.features.add(&feature.name, 1, event.at, event.at);
                }
            }
            Effect::Milestone(place) => {
                let milestone = rules.milestones.get(place)?;
                if milestone.matching.as_ref()?.properties_match(event) {
                    self.milestones.add(milestone, event.at);
                }
            }
            Effect::Purchase => {
                let rule = rules.rfm.as_ref()?;
                self.purchases.add(rule, event, event.trusted || trusted && !rule.trusted);
            }
            Effect::Cart(change) => self.basket.add(change, event),
            Effect::Answer => self.answers.add(event),
            Effect::Score => self.answers.score(event),
        }
        Some(())
    }

    /// Takes what another part of the same visitor knows: of another device, or of the time before they said who they are. Each part is
    /// merged once; in which order makes no difference.
    pub fn merge(&mut self, rules: &Rules, other: &State) {
        if other.rules == 0 {
            return;
        }
        self.keep(rules);
        let mut kept = None;
        if other.rules != self.rules {
            kept.insert(other.clone()).keep(rules);
        }
        let other = kept.as_ref().unwrap_or(other);
        self.presence.merge(&other.presence, rules.lifecycle.dormant);
        self.sessions.merge(&other.sessions);
        self.visits.merge(&other.visits);
        self.traits.merge(rules, &other.traits);
        self.counters.merge(rules, &other.counters);
        self.affinities.merge(rules, &other.affinities);
        self.engagement.merge(&rules.engagement, &other.engagement);
        self.purchases.merge(&other.purchases);
        self.features.merge(rules, &other.features);
        self.milestones.merge(rules, &other.milestones);
        self.basket.merge(&other.basket);
        self.answers.merge(&other.answers);
        self.exposures.merge(rules, &other.exposures);
    }

    /// Drops what was said of these traits before an instant: a consent for them was withdrawn, or they are too old. Returns whether there
    /// was any.
    pub fn strip(&mut self, names: &[String], before: i64) -> bool {
        self.traits.strip(names, before)
    }

    /// Drops what the rules do not ask for any more, where they have changed.
    fn keep(&mut self, rules: &Rules) {
        let fingerprint = rules.index().fingerprint;
        if self.rules == fingerprint {
            return;
        }
        self.rules = fingerprint;
        self.sessions.keep();
        self.engagement.keep(&rules.engagement);
        self.traits.keep(rules);
        self.counters.keep(rules);
        self.affinities.keep(rules);
        self.features.keep(rules);
        self.milestones.keep(rules);
        self.exposures.keep(rules);
    }
}

/// Whether the visitor did it: what a server says of them is not done by them.
fn is_done_by_visitor(event: &Event) -> bool {
    match event.kind {
        EventKind::Page | EventKind::Track | EventKind::Exposure => true,
        EventKind::Identify | EventKind::Group | EventKind::Alias => event.source == "browser",
    }
}
