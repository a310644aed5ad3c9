//! Learning: what a visitor does becomes what the site knows. A pure fold of events into a profile that is bounded in size.
//!
//! ```text
//! Rules (compiled from the manifest) + State + Event --fold--> State';   State + now --read--> Readings
//! ```
//!
//! Everything is an integer or fixed point, so that every face folds the same, bit for bit. Events come in the order of
//! (timestamp, messageId) within a window of lateness ([`LATE_MS`]); who folds drops repetitions ([`timeline`](self)).

mod affinities;
pub(crate) mod answers;
mod buckets;
mod cart;
mod counters;
mod decay;
#[cfg(all(feature = "author", feature = "explain", feature = "serde"))]
pub(crate) mod described;
mod engagement;
pub mod event;
mod exposures;
pub mod facts;
mod features;
mod index;
mod milestones;
mod presence;
pub mod projection;
mod propensity;
mod purchases;
mod read;
pub mod rules;
mod sessions;
pub mod site;
pub mod sketch;
pub mod state;
mod touches;
mod traits;

pub use event::{Event, EventKind, Product, Scalar};
pub use facts::{Facts, facts};
pub use read::{next_change, read, text};
pub use rules::Rules;
pub use site::Site;
pub use state::State;
pub use traits::{VISITOR, accepts};

#[cfg(feature = "author")]
pub(crate) use affinities::MOST_VALUES;
#[cfg(feature = "author")]
pub(crate) use counters::MOST_PERIODS;
#[cfg(feature = "author")]
pub(crate) use milestones::MOST_INSTANTS;

use crate::time::DAY_MS;

/// How late an event may be, in milliseconds, to be folded as if it had come in time.
pub const LATE_MS: i64 = DAY_MS;
