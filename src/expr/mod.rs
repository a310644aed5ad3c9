//! The language of audiences: a subset of CEL (Common Expression Language) that is boolean, total and cheap.
//! Text becomes tokens, a tree, and then a checked tree whose fields and audiences are resolved.

mod check;
mod lex;
mod parse;

pub use check::{Checked, Env, Type, check};
pub use parse::{Node, NodeKind, parse};

use std::ops::Range;

/// The longest expression, in bytes.
pub const MAX_LENGTH: usize = 64 << 10;
/// The deepest nesting of parentheses, lists and calls.
pub const MAX_DEPTH: usize = 64;
/// The most nodes of an expression.
pub const MAX_NODES: usize = 10_000;

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

impl ExprError {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> ExprError {
        ExprError { span, message: message.into(), help: None }
    }

    pub(crate) fn with_help(self, help: Option<String>) -> ExprError {
        ExprError { help, ..self }
    }
}
