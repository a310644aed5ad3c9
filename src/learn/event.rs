//! An event as it is folded: what the edge makes of the JSON that clients send.

use crate::touch::Touch;
use std::borrow::Cow;

/// What an event is, by Segment's calls, and the one that a shown decision makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A page was viewed.
    Page,
    /// Something was done; its name says what.
    Track,
    /// Who the visitor is: traits, and the user's id.
    Identify,
    /// What the visitor belongs to.
    Group,
    /// Two ids of one visitor.
    Alias,
    /// A decision that the visitor saw: `properties.experience`, `properties.variant`, `properties.slot`.
    Exposure,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [EventKind; 6] =
        [EventKind::Page, EventKind::Track, EventKind::Identify, EventKind::Group, EventKind::Alias, EventKind::Exposure];

    /// The `type` in JSON.
    pub fn name(self) -> &'static str {
        match self {
            EventKind::Page => "page",
            EventKind::Track => "track",
            EventKind::Identify => "identify",
            EventKind::Group => "group",
            EventKind::Alias => "alias",
            EventKind::Exposure => "exposure",
        }
    }
}

/// A value in an event. Numbers are fixed point, in millionths: what is not a multiple of one is rounded to the nearest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// A number, in millionths.
    Number(i64),
    /// A text.
    Text(Cow<'a, str>),
}

/// Millionths in one.
pub const ONE: i64 = 1_000_000;

/// One of an order's or cart's products: `properties.products[]` (Segment's Ecommerce events, version 2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product<'a> {
    /// `product_id`, else `sku`.
    pub id: Cow<'a, str>,
    /// Of one piece, in millionths of the currency's unit.
    pub price: i64,
    /// Pieces; 1 where it says nothing.
    pub quantity: i64,
    /// Its other scalars by name, such as `category` and `brand`.
    pub properties: Vec<(Cow<'a, str>, Scalar<'a>)>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// `messageId`: no two events have the same.
    pub id: Cow<'a, str>,
    /// `timestamp` in epoch milliseconds.
    pub at: i64,
    /// `type`.
    pub kind: EventKind,
    /// Of [`EventKind::Track`] what was done (`event`), of [`EventKind::Page`] the page's name; else empty.
    pub name: Cow<'a, str>,
    /// The scalars of `properties` by path (`color`, `search.term`; two levels deep, 64 at most).
    pub properties: Vec<(Cow<'a, str>, Scalar<'a>)>,
    /// `properties.products`, and of an event about one product (`product_id` among its properties) that one.
    pub products: Vec<Product<'a>>,
    /// `traits`, by name: of [`EventKind::Identify`] alone.
    pub traits: Vec<(Cow<'a, str>, Scalar<'a>)>,
    /// Who sent it: `browser`, or the name of a write key or an import.
    pub source: Cow<'a, str>,
    /// Whether who sent it holds a secret of the site's: money counts as it says.
    pub trusted: bool,
    /// Whether a bot did it.
    pub bot: bool,
    /// Where a page view came from.
    pub touch: Option<Touch>,
}
