//! The language of audiences: a subset of CEL (Common Expression Language) that is total and cheap.
//! Text becomes tokens, a tree, and then a checked tree whose fields and audiences are resolved.
//!
//! Who only explains (feature `explain`) has the tree and its text: it reads expressions from a program, never from text.

#[cfg(feature = "author")]
mod check;
#[cfg(feature = "author")]
mod constant;
#[cfg(feature = "author")]
mod cost;
#[cfg(feature = "schema")]
mod editor;
#[cfg(feature = "author")]
mod functions;
#[cfg(feature = "author")]
mod lex;
#[cfg(feature = "author")]
mod parse;
mod print;
#[cfg(all(feature = "author", feature = "serde"))]
mod tagged;
mod tree;
#[cfg(feature = "author")]
mod types;

#[cfg(feature = "author")]
pub use check::{Checked, CheckedKind, Env, check, check_any};
#[cfg(feature = "author")]
pub use constant::Constant;
#[cfg(feature = "author")]
pub use cost::{Cost, cost, depth};
#[cfg(feature = "schema")]
pub use editor::{expressions, functions};
#[cfg(feature = "author")]
pub use functions::{FUNCTIONS, Function, Pattern, Style};
#[cfg(feature = "author")]
pub use parse::parse;
pub use print::print;
#[cfg(all(feature = "author", feature = "serde"))]
pub use tagged::Bindings;
pub use tree::{Name, Node, NodeKind};
#[cfg(feature = "author")]
pub use types::Type;

use std::ops::Range;

/// The longest expression, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;
/// The most levels of an expression's tree.
pub const MAX_DEPTH: usize = 64;
/// The most words of an expression.
pub const MAX_NODES: usize = 10_000;
/// The most steps that an expression may take, by the compiler's reckoning ([`cost`]).
pub const MAX_COST: u64 = 100_000;

/// Words that are no names (CEL specification, "Syntax": reserved words).
pub const RESERVED: &[&str] = &[
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// The bytes of the expression that are meant.
    pub span: Range<usize>,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

#[cfg(feature = "author")]
impl ExprError {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> ExprError {
        ExprError { span, message: message.into(), help: None }
    }

    pub(crate) fn with_help(self, help: Option<String>) -> ExprError {
        ExprError { help, ..self }
    }
}
