//! What is wrong with a manifest, or surely not what its author meant: where, what was expected, and what to do.

use crate::sorted::sorted;
use std::fmt::Write as _;
use std::ops::Range;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
pub enum Severity {
    /// The manifest is refused.
    Error,
    /// The manifest is taken, but part of it has no effect.
    Warning,
}

impl Severity {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Where in the document's tree, such as `experiences[0].slots.hero`; empty for the whole document.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column of the first character, from 1, in characters.
    pub column: usize,
    /// Column behind the last character on that line.
    pub end_column: usize,
    /// What is wrong and what was expected.
    pub message: String,
    /// What to do, where there is more to say than the message does.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub help: Option<String>,
}

impl Diagnostic {
    /// As people read it in a terminal: the place, the line of the source and a caret below what is meant.
    pub fn render(&self, file: &str, source: &str) -> String {
        let mut out = format!("{}: {}\n", self.severity.name(), self.message);
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let _ = writeln!(out, "{margin}--> {file}:{}:{}", self.line, self.column);
        if !self.path.is_empty() {
            let _ = writeln!(out, "{margin} |  at {}", self.path);
        }
        // Lines of a machine-written document may be very long: show the part around the place.
        const BEFORE: usize = 60;
        const WIDTH: usize = 160;
        let line = source.lines().nth(self.line - 1).unwrap_or_default();
        let skipped = if self.column > WIDTH - BEFORE { self.column - 1 - BEFORE } else { 0 };
        let shown: String = line.chars().skip(skipped).take(WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let indent = " ".repeat(self.column - 1 - skipped);
        let carets = "^".repeat((self.end_column.saturating_sub(self.column)).clamp(1, WIDTH));
        let _ = writeln!(out, "{number} | {shown}\n{margin} | {indent}{carets}");
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{margin} = help: {help}");
        }
        out
    }
}

/// Collects what is wrong with one document.
#[derive(Debug)]
pub struct Diagnostics<'s> {
    source: &'s str,
    line_starts: Vec<usize>,
    found: Vec<Diagnostic>,
    more: usize,
    warnings: Vec<Diagnostic>,
}

/// No more is kept of one document; the rest is counted. A wrong file of 16 MB could have millions.
const MOST: usize = 10_000;

impl<'s> Diagnostics<'s> {
    /// Nothing wrong yet.
    pub fn new(source: &'s str) -> Diagnostics<'s> {
        let starts = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Diagnostics {
            source,
            line_starts: std::iter::once(0).chain(starts).collect(),
            found: Vec::new(),
            more: 0,
            warnings: Vec::new(),
        }
    }

    /// The document.
    pub fn source(&self) -> &'s str {
        self.source
    }

    /// Reports what is wrong with a range of bytes.
    pub fn error(&mut self, path: &str, range: Range<usize>, message: impl Into<String>) {
        self.report(path, range, message.into(), None);
    }

    /// Reports what is wrong, and what to do.
    pub fn error_with_help(&mut self, path: &str, range: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.report(path, range, message.into(), Some(help.into()));
    }

    fn report(&mut self, path: &str, range: Range<usize>, message: String, help: Option<String>) {
        if self.found.len() >= MOST {
            self.more += 1;
            return;
        }
        let found = self.placed(Severity::Error, path, range, message, help);
        self.found.push(found);
    }

    /// Warns of what has no effect, and says what to do.
    pub fn warning(&mut self, path: &str, range: Range<usize>, message: String, help: &str) {
        if self.warnings.len() < MOST {
            let found = self.placed(Severity::Warning, path, range, message, Some(help.to_owned()));
            self.warnings.push(found);
        }
    }

    fn placed(&self, severity: Severity, path: &str, range: Range<usize>, message: String, help: Option<String>) -> Diagnostic {
        let line = self.line_starts.partition_point(|start| *start <= range.start).max(1);
        let line_start = self.line_starts.get(line - 1).copied().unwrap_or(0);
        let column_of = |at: usize| self.source.get(line_start..at).map_or(1, |before| before.chars().count() + 1);
        let line_end = self.line_starts.get(line).map_or(self.source.len(), |next| next - 1);
        let column = column_of(range.start.min(line_end));
        let end_column = column_of(range.end.min(line_end)).max(column + 1);
        Diagnostic { severity, path: path.to_owned(), line, column, end_column, message, help }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether nothing is wrong so far at a place of the document's tree, nor below it.
    #[inline(never)]
    pub fn is_clean(&self, path: &str) -> bool {
        let below = |rest: &str| rest.is_empty() || rest.starts_with(['.', '[']);
        // What else would be found is only counted.
        self.found.len() < MOST && !self.found.iter().any(|found| found.path.strip_prefix(path).is_some_and(below))
    }

    /// What is wrong, in the order of the document.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        let mut found = ordered(std::mem::take(&mut self.found));
        if self.more > 0 {
            let message = format!("and {} more errors", self.more);
            found.push(self.placed(Severity::Error, "", 0..1, message, None));
        }
        found
    }

    /// The warnings, in the order of the document.
    pub fn warnings(&mut self) -> Vec<Diagnostic> {
        ordered(std::mem::take(&mut self.warnings))
    }
}

fn ordered(found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    sorted(found, &|one, other| (one.line, one.column).cmp(&(other.line, other.column)))
}

/// The candidate nearest to a misspelt name, if one is near: `did you mean ...?`.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest_of(name, &mut candidates.into_iter())
}

/// Written once, not for each kind of list.
fn nearest_of(name: &str, candidates: &mut dyn Iterator<Item = &str>) -> Option<String> {
    let name: Vec<char> = name.chars().take(80).collect();
    let distances = candidates.map(|candidate| (distance(&name, &candidate.chars().collect::<Vec<_>>()), candidate));
    let (distance, candidate) = distances.min_by_key(|(distance, _)| *distance)?;
    let length = name.len();
    (distance <= 1 + length / 4 && distance < length).then(|| format!("did you mean `{candidate}`?"))
}

/// How many characters are to be left out, put in, replaced or swapped with the next to make one text of the other (the distance of
/// Damerau and Levenshtein: what was swapped can be changed further).
fn distance(one: &[char], other: &[char]) -> usize {
    let width = other.len() + 1;
    // A row for each beginning of the one text: the distances to all beginnings of the other.
    let mut table: Vec<usize> = (0..width).collect();
    for (row, char) in one.iter().enumerate() {
        table.push(row + 1);
        // Where this character was last in the other text.
        let mut last = None;
        for (column, candidate) in other.iter().enumerate() {
            let at = |row: usize, column: usize| table.get(row * width + column).copied().unwrap_or(0);
            let replaced = at(row, column) + usize::from(char != candidate);
            let mut least = replaced.min(at(row, column + 1) + 1).min(at(row + 1, column) + 1);
            // Of two that were swapped one has nothing between: else replacing is as good.
            let before = |row: usize| one.iter().take(row).rposition(|known| known == candidate);
            if let Some(last) = last
                && (last + 1 == column || row.checked_sub(1).and_then(|row| one.get(row)) == Some(candidate))
                && let Some(before) = before(row)
            {
                least = least.min(at(before, last) + (row - before) + (column - last - 1));
            }
            table.push(least);
            if char == candidate {
                last = Some(column);
            }
        }
    }
    table.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::distance;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_distance_is_the_one_of_damerau_and_levenshtein(one in "[abcé]{0,9}", other in "[abcé]{0,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(distance(&chars(&one), &chars(&other)), strsim::damerau_levenshtein(&one, &other));
        }
    }
}
