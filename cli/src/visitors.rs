//! Visitors as JSON: one on each line, or one in a file.

use idoine::visitor::Visitor;
use serde::de::DeserializeOwned;

/// What is expected where there is no JSON at all.
const EXAMPLE: &str = "such as {\"url\": \"https://shop.example/\"}";
/// Characters of an instant that can't be read which a message shows.
const MOST_SHOWN: usize = 40;

/// Why a line is no visitor.
pub(crate) struct Wrong {
    column: Option<usize>,
    message: String,
}

impl Wrong {
    /// For a person who has the lines before them: `line 3, column 7: ...`.
    pub(crate) fn at(&self, line: u64) -> String {
        format!("line {line}{}", self.column.map_or(format!(": {}", self.message), |_| format!(", {self}")))
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.column {
            Some(column) => write!(f, "column {column}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What a line holds, its end left out; `None` where that is nothing. Some editors begin a file with a byte order mark.
pub(crate) fn json(line: &[u8], number: u64) -> Option<&[u8]> {
    let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    let line = line.trim_ascii_end();
    (!line.is_empty()).then_some(line)
}

/// Reads a line's JSON. serde counts lines too, and knows of none but this one.
pub(crate) fn parse<T: DeserializeOwned>(line: &[u8]) -> Result<T, Wrong> {
    serde_json::from_slice(line).map_err(|error| {
        let text = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let mut message = text.strip_suffix(&place).unwrap_or(&text).to_owned();
        if !error.is_data() {
            message = format!("{message}; expected one JSON object per line, {EXAMPLE}");
        }
        // serde counts bytes, and people characters.
        let before = line.get(..error.column()).map(|before| String::from_utf8_lossy(before).chars().count());
        Wrong { column: before.filter(|_| error.line() == 1).map(|column| column.max(1)), message }
    })
}

/// Reads the one visitor of a file.
pub(crate) fn parse_file(text: &str) -> Result<Visitor, String> {
    let visitor = serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => error.to_string(),
        false => format!("{error}; expected one JSON object, {EXAMPLE}"),
    })?;
    check(visitor).map_err(|wrong| wrong.message)
}

/// A visitor whose instant can be read: by the clock's instead something else would be decided than was asked.
pub(crate) fn check(visitor: Visitor) -> Result<Visitor, Wrong> {
    let Some(text) = visitor.wrong_instant() else { return Ok(visitor) };
    let shown: String = text.chars().take(MOST_SHOWN).flat_map(char::escape_debug).collect();
    let message =
        format!("`now` is `{shown}`; expected an instant with its zone, such as 2026-11-20T12:30:00Z, or epoch milliseconds");
    Err(Wrong { column: None, message })
}
