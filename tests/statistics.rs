//! Assignments by the million: A/A tests, independence of every draw from every other, and shares that grow.
//!
//! A stage of its own in `npm test`, in release: without optimization most of it takes minutes and is ignored. Everything is drawn
//! from fixed seeds, so that a test which passes once passes always. Where a family of tests is made, its members share the family's chance of a
//! false alarm ([`ALPHA`]) among them (Bonferroni).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]
#![allow(clippy::disallowed_methods)] // A probability may differ in its last bit.

#[path = "statistics/aa.rs"]
mod aa;
#[path = "statistics/distributions.rs"]
mod distributions;
#[path = "statistics/independence.rs"]
mod independence;
#[path = "statistics/shares.rs"]
mod shares;
#[path = "statistics/site.rs"]
mod site;
mod support;
#[path = "statistics/units.rs"]
mod units;

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};

/// How probable a false alarm may be where draws are as they should be; for a family of tests, of all of them together.
const ALPHA: f64 = 0.001;

/// The results of so many pieces of work, in their order.
fn on_all_processors<T: Send>(count: u64, work: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let next = AtomicU64::new(0);
    let some = || {
        let mine = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|piece| *piece < count));
        mine.map(|piece| (piece, work(piece))).collect::<Vec<_>>()
    };
    let mut results = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(some)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    results.sort_by_key(|(piece, _)| *piece);
    results.into_iter().map(|(_, result)| result).collect()
}
