//! What is learned of visitors: laws that hold for any events, what is read, what is projected, and how large it gets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod bounds;
mod corrections;
mod laws;
mod projected;
mod readings;
mod support;
