//! JSON as it is read here: from bytes alone. Whoever reads it from text as well has all of the reading a second time in the module.

use serde::Deserialize;

/// What a text says.
pub fn read<'a, T: Deserialize<'a>>(text: &'a str) -> serde_json::Result<T> {
    serde_json::from_slice(text.as_bytes())
}
