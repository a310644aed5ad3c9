//! What order, repetition, lateness and merging do.

use crate::support::*;
use idoine::learn::{Event, LATE_MS, State};
use proptest::prelude::*;
use proptest::sample::Index;

/// As a shard keeps a profile: a base of what is older than the window, the window's events, and both together.
#[derive(Default)]
struct Kept {
    base: State,
    window: Vec<Event<'static>>,
    current: State,
    newest: i64,
}

impl Kept {
    fn take(&mut self, rules: &idoine::learn::Rules, event: &Event<'static>) {
        if self.window.iter().any(|known| known.id == event.id) {
            return;
        }
        if event.at < self.newest - LATE_MS {
            self.base.fold_late(rules, event);
            self.current.fold_late(rules, event);
            return;
        }
        let key = |event: &Event| (event.at, event.id.to_string());
        let place = self.window.partition_point(|known| key(known) < key(event));
        self.window.insert(place, event.clone());
        self.newest = self.newest.max(event.at);
        while self.window.first().is_some_and(|first| first.at < self.newest - LATE_MS) {
            let first = self.window.remove(0);
            self.base.fold(rules, &first);
        }
        self.current = self.base.clone();
        self.window.iter().for_each(|event| self.current.fold(rules, event));
    }
}

/// Moved, each by so many places at most.
fn shuffled<T: Clone>(items: &[T], moves: &[(Index, Index)]) -> Vec<T> {
    let mut items = items.to_vec();
    for (one, other) in moves {
        if !items.is_empty() {
            let (one, other) = (one.index(items.len()), other.index(items.len()));
            items.swap(one, other);
        }
    }
    items
}

fn moves() -> impl Strategy<Value = Vec<(Index, Index)>> {
    prop::collection::vec(any::<(Index, Index)>(), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// What comes within the window may come in any order, and more than once.
    #[test]
    fn any_order_within_the_window_leads_to_the_same(events in events(40, LATE_MS), moves in moves()) {
        let rules = rules();
        let mut kept = Kept::default();
        let arriving = shuffled(&events, &moves);
        arriving.iter().chain(arriving.first()).for_each(|event| kept.take(&rules, event));
        prop_assert_eq!(kept.current.encode(), folded(&rules, &events).encode());
    }

    /// Beyond it, all but sessions, intents and the cart are what they would be in order.
    #[test]
    fn late_events_change_what_needs_no_order(events in events(60, 300 * DAY), moves in moves()) {
        let rules = without_cart();
        prop_assert_eq!(folded_late(&rules, &shuffled(&events, &moves)).encode(), folded_late(&rules, &events).encode());
    }

    /// A late event changes neither the session nor its intents.
    #[test]
    fn late_events_change_no_session(events in events(40, 3 * DAY), late in events(10, 100 * DAY)) {
        use idoine::learn::{Site, read};
        use idoine::learn::rules::What;
        let rules = rules();
        let mut state = folded(&rules, &events);
        let site = Site::default();
        let session = |state: &State| [What::Sessions, What::SessionPages, What::SessionStarted, What::Intent]
            .map(|what| read(&rules, state, &site, NOW + 3 * DAY, &what));
        let before = session(&state);
        for event in &late {
            let mut event = event.clone();
            event.at -= 200 * DAY;
            state.fold_late(&rules, &event);
        }
        prop_assert_eq!(session(&state), before);
    }

    /// A visitor's events, divided among their devices, and merged: as if they had all come to one; but for sessions, intents, cart.
    #[test]
    fn parts_come_to_what_the_whole_would(events in events(80, 400 * DAY), devices in prop::collection::vec(0usize..3, 80)) {
        let rules = without_cart();
        let free: Vec<(usize, &Event)> = devices.into_iter().zip(&events).collect();
        let part = |device: usize| folded_late(&rules, free.iter().filter(|(of, _)| *of == device).map(|(_, event)| *event));
        let whole = folded_late(&rules, free.iter().map(|(_, event)| *event));
        let [one, two, three] = [part(0), part(1), part(2)];
        prop_assert_eq!(merged(&rules, &merged(&rules, &three, &one), &two).encode(), whole.encode());
    }

    #[test]
    fn merging_is_commutative_and_associative_and_nothing_is_its_identity(
        one in events(40, 200 * DAY), two in events(40, 200 * DAY), three in events(40, 200 * DAY)
    ) {
        let rules = rules();
        let [one, two, three] = [one, two, three].map(|events| folded(&rules, &events));
        prop_assert_eq!(merged(&rules, &one, &two), merged(&rules, &two, &one));
        let left = merged(&rules, &merged(&rules, &one, &two), &three);
        let right = merged(&rules, &one, &merged(&rules, &two, &three));
        prop_assert_eq!(left, right);
        prop_assert_eq!(&merged(&rules, &one, &State::default()), &one);
        prop_assert_eq!(&merged(&rules, &State::default(), &one), &one);
    }

    /// Traits, touches, times, answers, the cart: what is no sum may be merged again and again.
    #[test]
    fn what_is_no_sum_is_merged_once_or_twice_to_the_same(one in events(40, 200 * DAY), two in events(40, 200 * DAY)) {
        use idoine::learn::{Site, read};
        use idoine::learn::rules::What;
        let rules = rules();
        let site = Site::default();
        let [one, two] = [one, two].map(|events| folded(&rules, &events));
        let once = merged(&rules, &one, &two);
        let twice = merged(&rules, &once, &two);
        for what in whats() {
            let is_sum = matches!(what, What::Count(..) | What::Sum(..) | What::Sessions | What::FeatureCount(_) | What::Feature(_)
                | What::Affinity(_) | What::Affinities(_) | What::AffinityShare(..) | What::Engagement | What::Propensity(_)
                | What::Milestone(_) | What::MilestoneReached(_));
            if !is_sum {
                let read = |state: &State| read(&rules, state, &site, NOW + 200 * DAY, &what);
                prop_assert_eq!(read(&once), read(&twice), "{:?}", what);
            }
        }
    }

    #[test]
    fn states_are_read_as_they_were_written(events in events(60, 400 * DAY), cut: Index, byte: u8) {
        let rules = rules();
        let state = folded(&rules, &events);
        let bytes = state.encode();
        prop_assert_eq!(State::decode(&bytes), Some(state));
        // Other versions are none; whatever else is damaged gets an answer.
        prop_assert_eq!(State::decode(&[&[7], &bytes[1..]].concat()), None);
        State::decode(&bytes[..cut.index(bytes.len())]);
        let mut damaged = bytes.clone();
        damaged[cut.index(bytes.len())] = byte;
        if let Some(mut state) = State::decode(&damaged) {
            events.iter().for_each(|event| state.fold(&rules, event));
            state.encode();
        }
    }

    /// Who changes the rules and back loses what the others did not ask for, and nothing fails.
    #[test]
    fn other_rules_go_on(events in events(60, 100 * DAY)) {
        let (rules, mut other) = (rules(), rules());
        other.counters.remove(0);
        other.affinities[0].half_life = DAY;
        other.engagement.half_life = DAY;
        other.traits.remove(0);
        let mut state = folded(&rules, &events);
        for event in &events {
            state.fold(&other, event);
        }
        let once = state.encode();
        state.fold(&other, &bot());
        prop_assert_eq!(once, state.encode());
        let again = merged(&rules, &folded(&rules, &events), &state);
        prop_assert!(State::decode(&again.encode()) == Some(again));
    }
}

fn bot() -> Event<'static> {
    let mut event = event(1, 1, 0, NOW);
    event.bot = true;
    event
}

#[test]
fn bots_are_nobody_and_nothing_is_learned_without_consent() {
    let rules = rules();
    let mut refused = event(1, 1, 0, NOW);
    refused.consent = idoine::consent::Consent::default().with(idoine::consent::Purpose::Analytics, true);
    let mut never = event(1, 1, 0, i64::MAX);
    never.consent = consent();
    let mut state = State::default();
    for event in [bot(), refused, never] {
        state.fold(&rules, &event);
        state.fold_late(&rules, &event);
    }
    assert!(state.is_empty());
    state.fold(&rules, &event(1, 1, 0, NOW));
    assert!(!state.is_empty());
}
