//! Where a visitor came from, first and last ([`crate::touch`]).
//!
//! Kept are the earliest visit, the latest that something led to and the latest direct one; of several at one instant the same one,
//! whichever was first to be folded. So any order leads to the same, as do repetitions, and parts merged in any order.

use super::event::cut;
use crate::touch::{Touch, Touches};
use std::cmp::Ordering;

/// The longest text of a touch, in bytes.
pub(crate) const MOST_TEXT: usize = 128;

/// What is kept of a visitor's visits.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Visits {
    pub(crate) first: Option<Touch>,
    /// The latest that something led to.
    led: Option<Touch>,
    /// The latest that nothing led to.
    direct: Option<Touch>,
}

fn texts(touch: &Touch) -> [&String; 6] {
    [&touch.source, &touch.medium, &touch.campaign, &touch.channel, &touch.referrer_host, &touch.click_id]
}

/// Whether a text of it is longer than is kept.
pub(crate) fn is_long(touch: &Touch) -> bool {
    texts(touch).into_iter().any(|text| text.len() > MOST_TEXT)
}

/// It, each text as long as is kept.
pub(crate) fn bounded(touch: &Touch) -> Touch {
    let [source, medium, campaign, channel, referrer_host, click_id] = texts(touch).map(|text| cut(text, MOST_TEXT).to_owned());
    Touch { at: touch.at, source, medium, campaign, channel, referrer_host, click_id }
}

impl Visits {
    /// Takes a visit.
    pub(crate) fn add(&mut self, touch: &Touch) {
        if is_long(touch) { self.take(&bounded(touch)) } else { self.take(touch) }
    }

    fn take(&mut self, touch: &Touch) {
        // At one instant one that something led to comes first; else all that they say tells them apart.
        let order = |touch: &Touch, other: &Touch| (touch.at, touch.is_direct()).cmp(&(other.at, other.is_direct()));
        replace(&mut self.first, touch, |known| order(touch, known).then_with(|| touch.cmp(known)) == Ordering::Less);
        let latest = if touch.is_direct() { &mut self.direct } else { &mut self.led };
        replace(latest, touch, |known| touch > known);
    }

    /// Takes another part's visits.
    pub(crate) fn merge(&mut self, other: &Visits) {
        for touch in [&other.first, &other.led, &other.direct].into_iter().flatten() {
            self.take(touch);
        }
    }

    /// The last touch, by the attribution window in milliseconds.
    pub(crate) fn last(&self, window: i64) -> Option<Touch> {
        let visits = [&self.led, &self.direct].into_iter().flatten().cloned();
        visits.fold(Touches::default(), |touches, visit| touches.with(visit, window)).last
    }
}

fn replace(known: &mut Option<Touch>, touch: &Touch, better: impl Fn(&Touch) -> bool) {
    match known {
        // Its texts take the place of the old ones.
        Some(known) if better(known) => known.clone_from(touch),
        Some(_) => {}
        None => *known = Some(touch.clone()),
    }
}
