//! What is in a visitor's cart.
//!
//! Each product has its quantity and price as of its last change; what says all that is in the cart, or empties it, drops what was put in
//! before. Within a part events are taken in their order, and a late one, older than the last change of the cart, changes nothing. Parts
//! are merged by product, the newest change of each counts, and by the newest emptying: in any order to the same. [`MOST`] products are kept,
//! those that changed last.

use super::event::{Event, Product, cut};

/// How many products are kept, those included that were taken out.
pub(crate) const MOST: usize = 50;
/// The longest id of a product, in bytes.
pub(crate) const MOST_ID: usize = 64;
/// The most pieces of a product.
const MOST_PIECES: i64 = 9999;
/// The highest price of a piece, in millionths.
const MOST_PRICE: i64 = 1_000_000_000_000_000;

/// The cart.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Basket {
    /// In the order of the ids.
    lines: Vec<Line>,
    /// What changed before this is no longer in it.
    emptied: Option<i64>,
    /// When it last changed.
    pub(crate) updated: Option<i64>,
}

/// A product of the cart. One that was taken out has no pieces.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Line {
    pub(crate) id: String,
    /// When it last changed.
    pub(crate) at: i64,
    pub(crate) quantity: i64,
    /// Of one piece, in millionths.
    pub(crate) price: i64,
}

/// What an event does to a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Add,
    Remove,
    /// Says all that is in it.
    View,
    Order,
}

impl Basket {
    /// Takes an event, unless the cart changed after it.
    pub(crate) fn add(&mut self, change: Change, event: &Event) {
        if self.updated.is_some_and(|updated| event.at < updated) {
            return;
        }
        self.updated = Some(event.at);
        match change {
            Change::Add => event.products.iter().for_each(|product| self.put(product, event.at, product.quantity)),
            Change::Remove => {
                event.products.iter().for_each(|product| self.put(product, event.at, product.quantity.saturating_neg()));
            }
            Change::View | Change::Order => {
                self.lines.clear();
                self.emptied = Some(event.at);
                if change == Change::View {
                    event.products.iter().for_each(|product| self.put(product, event.at, product.quantity));
                }
            }
        }
        self.evict();
    }

    fn put(&mut self, product: &Product, at: i64, more: i64) {
        let (id, price) = (cut(&product.id, MOST_ID), product.price.clamp(0, MOST_PRICE));
        if id.is_empty() {
            return;
        }
        match self.lines.binary_search_by(|line| line.id.as_str().cmp(id)) {
            Ok(place) => {
                if let Some(line) = self.lines.get_mut(place) {
                    line.quantity = line.quantity.saturating_add(more).clamp(0, MOST_PIECES);
                    line.price = if price > 0 { price } else { line.price };
                    line.at = at;
                }
            }
            Err(place) => {
                self.lines.insert(place, Line { id: id.to_owned(), at, quantity: more.clamp(0, MOST_PIECES), price });
            }
        }
    }

    fn evict(&mut self) {
        while self.lines.len() > MOST {
            let oldest = self.lines.iter().enumerate().min_by_key(|(_, line)| (line.at, &line.id));
            let Some((place, _)) = oldest else { return };
            self.lines.remove(place);
        }
    }

    /// Takes another part's.
    pub(crate) fn merge(&mut self, other: &Basket) {
        for line in &other.lines {
            match self.lines.binary_search_by(|known| known.id.cmp(&line.id)) {
                Ok(place) => {
                    let newest = |line: &Line| (line.at, line.quantity, line.price);
                    if let Some(known) = self.lines.get_mut(place).filter(|known| newest(line) > newest(known)) {
                        known.clone_from(line);
                    }
                }
                Err(place) => self.lines.insert(place, line.clone()),
            }
        }
        self.emptied = self.emptied.max(other.emptied);
        self.updated = self.updated.max(other.updated);
        if let Some(emptied) = self.emptied {
            self.lines.retain(|line| line.at >= emptied);
        }
        self.evict();
    }

    /// The products in it.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.quantity > 0)
    }

    /// Pieces.
    pub(crate) fn quantity(&self) -> i64 {
        self.lines().map(|line| line.quantity).fold(0, i64::saturating_add)
    }

    /// What they cost, in millionths.
    pub(crate) fn value(&self) -> i64 {
        self.lines().map(|line| line.quantity.saturating_mul(line.price)).fold(0, i64::saturating_add)
    }
}
