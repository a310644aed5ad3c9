//! Idoine's decisioning core: **the apt content, for this visitor, at this moment**.
//!
//! ```text
//! manifest --compile--> Program;  Request --derive--> Context;  decide(Program, Context) --> Decisions --> Edits
//! ```
//!
//! The core is pure. It knows no clock, randomness, network, storage, DOM or binding: time, ids and time-zone offsets
//! come in as arguments, so that a decision is the same natively, in workerd and in the browser, bit for bit.

// The language of audiences and the manifest: what authors write (feature `author`).
#[cfg(feature = "author")]
pub mod compile;
#[cfg(feature = "author")]
pub mod diagnostic;
#[cfg(any(feature = "author", feature = "explain"))]
pub mod expr;
#[cfg(feature = "author")]
pub mod manifest;

// The program and what is decided with it: what runtimes load.
pub mod context;
mod decide;
mod edit;
mod eval;
#[cfg(feature = "explain")]
mod explain;
#[cfg(feature = "learn")]
pub mod learn;
pub mod profile;
pub mod program;
pub mod session;
pub mod touch;
pub mod wire;
pub mod zone;

// What is kept of visitors, for the register (for authors).
#[cfg(all(feature = "author", feature = "explain", feature = "serde"))]
pub mod data_map;

// What a site's own code may name, for TypeScript (for authors).
#[cfg(all(feature = "author", feature = "explain", feature = "schema", feature = "serde"))]
pub mod typescript;

// What another program says otherwise (for authors).
#[cfg(all(feature = "author", feature = "explain", feature = "serde"))]
pub mod diff;

// What a decision was made from, and what another program would make of it (feature `explain`).
#[cfg(all(feature = "explain", feature = "serde"))]
pub mod log;
#[cfg(feature = "explain")]
pub mod receipt;
#[cfg(all(feature = "explain", feature = "serde"))]
pub mod replay;

// The JSON shapes that every face shares (feature `serde`).
#[cfg(feature = "serde")]
pub mod report;
#[cfg(feature = "serde")]
pub mod visitor;

// Small facts of the world.
pub mod address;
mod bits;
pub mod bucket;
pub mod consent;
pub mod cookies;
mod geo;
mod glob;
pub mod instant;
mod number;
#[cfg(any(feature = "author", feature = "explain"))]
mod sorted;
mod text;
pub mod time;
mod url;
pub mod version;

pub use context::{Context, Request};
pub use decide::{Decision, Decisions, Loss, Reason, Source, Trace, decide, decide_by_scan, decide_traced, until};
#[cfg(feature = "explain")]
pub use edit::shows_visitor;
pub use edit::{Edit, EditOp, edits};
#[cfg(feature = "explain")]
pub use eval::Truth;
#[cfg(feature = "explain")]
pub use explain::{
    Candidate, Change, Clause, ClauseChange, Derive, Explained, Explanation, Join, Limited, Membership, Must, Prerequisite,
    Reading, Relation, Step, Unassigned, WhyNot, audiences, explain, memberships, why_not,
};
pub use program::{LoadError, Program};
#[cfg(feature = "explain")]
pub use receipt::Receipt;
pub use zone::Offsets;
