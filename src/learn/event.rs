//! An event as it is folded: what the edge makes of the JSON that clients send.

use crate::consent::Consent;
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

    /// The kind of that `type`; a mobile application's `screen` is a page.
    pub fn from_name(name: &str) -> Option<EventKind> {
        if name == "screen" { Some(EventKind::Page) } else { EventKind::ALL.into_iter().find(|kind| kind.name() == name) }
    }

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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// What the visitor agreed to when it happened.
    pub consent: Consent,
    /// The seconds that the visitor's clock was ahead of UTC; 0 where nobody knows. Days and weeks of caps are told by it.
    pub offset: i32,
    /// Where a page view came from.
    pub touch: Option<Touch>,
}

impl Scalar<'_> {
    /// A number as a fixed-point one: millionths, rounded to the nearest. What is no number or too large is none.
    pub fn number(value: f64) -> Option<Scalar<'static>> {
        // Below 2^63 with some room; larger numbers are nobody's money.
        let scaled = value * ONE as f64;
        if scaled.abs() < 9.0e18 { Some(Scalar::Number((scaled + if scaled < 0.0 { -0.5 } else { 0.5 }) as i64)) } else { None }
    }

    /// It as a text: what an affinity is an affinity to.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Scalar::Bool(true) => Cow::Borrowed("true"),
            Scalar::Bool(false) => Cow::Borrowed("false"),
            Scalar::Text(text) => Cow::Borrowed(text),
            Scalar::Number(number) => Cow::Owned(millionths_text(*number)),
        }
    }

    /// Its number.
    pub(crate) fn as_number(&self) -> Option<i64> {
        if let Scalar::Number(number) = self { Some(*number) } else { None }
    }
}

/// A text's first bytes, without half a character.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// A fixed-point number in decimal, such as `12.5`.
pub(crate) fn millionths_text(number: i64) -> String {
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    let (whole, mut rest) = (number.unsigned_abs() / ONE as u64, number.unsigned_abs() % ONE as u64);
    crate::number::push_int(&mut text, whole as i64);
    let mut place = ONE as u64 / 10;
    if rest > 0 {
        text.push('.');
    }
    while rest > 0 {
        text.push((b'0' + (rest / place) as u8) as char);
        rest %= place;
        place = (place / 10).max(1);
    }
    text
}

impl<'a> Event<'a> {
    /// An event with nothing in it but its id, its instant and its kind.
    pub fn new(id: impl Into<Cow<'a, str>>, at: i64, kind: EventKind) -> Event<'a> {
        Event {
            id: id.into(),
            at,
            kind,
            name: Cow::Borrowed(""),
            properties: Vec::new(),
            products: Vec::new(),
            traits: Vec::new(),
            source: Cow::Borrowed("browser"),
            trusted: false,
            bot: false,
            consent: Consent::default(),
            offset: 0,
            touch: None,
        }
    }

    /// The property of a path.
    pub fn property(&self, path: &str) -> Option<&Scalar<'a>> {
        self.properties.iter().find(|(known, _)| known == path).map(|(_, value)| value)
    }

    /// The text of a property.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.property(path)? {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Default for Product<'_> {
    fn default() -> Self {
        Product { id: Cow::Borrowed(""), price: 0, quantity: 1, properties: Vec::new() }
    }
}

impl<'a> Product<'a> {
    /// Takes a field of a product: `product_id` (else `sku`, else `id`), `price`, `quantity`, or another scalar.
    pub fn put(&mut self, name: impl Into<Cow<'a, str>>, value: Scalar<'a>) {
        let name = name.into();
        match (name.as_ref(), &value) {
            ("product_id", _) => self.id = Cow::Owned(value.text().into_owned()),
            ("sku" | "id", _) if self.id.is_empty() => self.id = Cow::Owned(value.text().into_owned()),
            ("price", Scalar::Number(price)) => self.price = *price,
            ("quantity", Scalar::Number(quantity)) => self.quantity = quantity / ONE,
            _ => self.properties.push((name, value)),
        }
    }

    /// A field by its name.
    pub fn field(&self, name: &str) -> Option<Scalar<'_>> {
        match name {
            "product_id" | "sku" | "id" if !self.id.is_empty() => Some(Scalar::Text(Cow::Borrowed(&self.id))),
            "price" => Some(Scalar::Number(self.price)),
            "quantity" => Some(Scalar::Number(self.quantity.saturating_mul(ONE))),
            _ => self.properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
        }
    }
}
