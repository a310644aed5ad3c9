//! First and last touch: which visits a visitor is attributed to. A pure fold over visits; what profiles keep of it is in
//! [`crate::learn`].
//!
//! - The **first** touch is the earliest visit, direct or not. No later visit changes it.
//! - The **last** touch is the latest visit that something led to (the last non-direct one), unless the latest visit of all is
//!   direct and came more than the attribution window after it: then that direct visit.
//!
//! Visits may come in any order, and more than once: only their instants count. Of two visits of the same instant the one
//! that was folded first stays, but a direct one yields.

use crate::context::{Context, Field, is_direct};

/// One visit, as far as it tells where it came from. Texts are empty where the context has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    any(feature = "serde", feature = "learn"),
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct Touch {
    /// When, in epoch milliseconds.
    pub at: i64,
    /// `source.name`
    pub source: String,
    /// `source.medium`
    pub medium: String,
    /// `source.campaign`
    pub campaign: String,
    /// `source.channel`
    pub channel: String,
    /// `source.referrer_host`
    pub referrer_host: String,
    /// `source.click_id`: the click id's name, never its value, which would tell who clicked.
    pub click_id: String,
}

impl Touch {
    /// The touch of a page view.
    pub fn of(context: &Context) -> Touch {
        let text = |field| context.text(field).unwrap_or_default().to_owned();
        Touch {
            at: context.now,
            source: text(Field::SourceName),
            medium: text(Field::SourceMedium),
            campaign: text(Field::SourceCampaign),
            channel: text(Field::SourceChannel),
            referrer_host: text(Field::SourceReferrerHost),
            click_id: text(Field::SourceClickId),
        }
    }

    /// Whether nothing led to the visit: no UTM parameter, click id or foreign referrer; also page views that follow from the
    /// site's own pages.
    pub fn is_direct(&self) -> bool {
        is_direct(&self.source, &self.medium)
    }

    /// Whether both tell the same source, medium, campaign and click id.
    pub fn is_same_campaign(&self, other: &Touch) -> bool {
        let parts = |touch: &Touch| [&touch.source, &touch.medium, &touch.campaign, &touch.click_id].map(String::clone);
        parts(self) == parts(other)
    }
}

/// A visitor's first and last touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(default, deny_unknown_fields))]
pub struct Touches {
    /// The first; `None` before any visit.
    pub first: Option<Touch>,
    /// The last that is not direct, within the window; `None` before any visit.
    pub last: Option<Touch>,
}

impl Touches {
    /// The touches with one more visit. `window` is the attribution window in milliseconds (see
    /// [`crate::Program::attribution_window`]).
    pub fn with(self, touch: Touch, window: i64) -> Touches {
        let Touches { first, last } = self;
        let last = match last {
            Some(last) if !replaces(&touch, &last, window) => last,
            _ => touch.clone(),
        };
        let first = match first {
            Some(first) if first.at <= touch.at => first,
            _ => touch,
        };
        Touches { first: Some(first), last: Some(last) }
    }
}

/// Whether a visit takes the place of the last touch.
fn replaces(touch: &Touch, last: &Touch, window: i64) -> bool {
    match (touch.is_direct(), last.is_direct()) {
        (false, false) | (true, true) => touch.at > last.at,
        (true, false) => touch.at.saturating_sub(last.at) > window,
        (false, true) => last.at.saturating_sub(touch.at) <= window,
    }
}
