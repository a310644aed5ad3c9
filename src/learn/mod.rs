//! Learning: what a visitor does becomes what the site knows. A pure fold of events into a profile that is bounded in size.
//!
//! ```text
//! Rules (compiled from the manifest) + State + Event --fold--> State';   State + now --read--> Readings
//! ```
//!
//! Everything is an integer or fixed point, so that every face folds the same, bit for bit. Events come in the order of
//! (timestamp, messageId) within a window of lateness ([`LATE_MS`]); who folds drops repetitions ([`timeline`](self)).

pub mod event;
pub mod rules;

pub use event::{Event, EventKind, Product, Scalar};
pub use rules::Rules;

use crate::time::DAY_MS;

/// How late an event may be, in milliseconds, to be folded as if it had come in time.
pub const LATE_MS: i64 = DAY_MS;
