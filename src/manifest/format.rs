//! One look for manifests: spaces, line breaks and commas, while every comment and every value stays as it was written.
//!
//! What the author put on one line stays there while it fits; what the author broke stays broken. So formatting a formatted
//! manifest changes nothing, and a table of short entries stays a table.

use crate::diagnostic::{Diagnostic, Diagnostics};
use jsonc_parser::{Scanner, ScannerOptions, tokens::Token};

/// Lines are broken, where that makes them shorter, to have at most this many characters.
const WIDTH: usize = 120;
const INDENT: usize = 2;

/// Formats a manifest, or any JSON with comments. Text that is no such thing is refused, with the place.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::new(source);
    if super::parse(&mut diagnostics).is_none() {
        return Err(diagnostics.finish());
    }
    let document = Builder::new(source).pieces(None);
    // The author's line ends, should they be those of Windows.
    let first_line = source.split_inclusive('\n').next().unwrap_or_default();
    let line_end = if first_line.ends_with("\r\n") { "\r\n" } else { "\n" };
    let mut writer = Writer { text: String::with_capacity(source.len()), column: 0, line_end };
    writer.broken(&document, 0, true);
    writer.line(0);
    Ok(writer.text)
}

/// Something between brackets, or in the document itself.
struct Piece<'s> {
    /// Line breaks in front of it as written: none, one, or more (which is a blank line).
    breaks: usize,
    kind: Kind<'s>,
    /// A comma follows.
    comma: bool,
    /// A comment that belongs to what follows it on its line.
    leads: bool,
}

enum Kind<'s> {
    Comment(&'s str),
    Entry {
        key: Option<&'s str>,
        /// Between a key and its value.
        comments: Vec<&'s str>,
        value: Value<'s>,
    },
}

enum Value<'s> {
    Scalar(&'s str),
    Container {
        open: &'static str,
        close: &'static str,
        pieces: Vec<Piece<'s>>,
        /// The author broke the line behind the opening bracket.
        expanded: bool,
        /// How long it is on one line; `None` when it cannot be on one.
        flat: Option<usize>,
        /// Whether breaking it makes any line shorter.
        breakable: bool,
    },
}

fn is_line_comment(text: &str) -> bool {
    text.starts_with("//")
}

fn length(text: &str) -> usize {
    text.chars().count()
}

impl Value<'_> {
    fn flat(&self) -> Option<usize> {
        match self {
            Value::Scalar(text) => Some(length(text)),
            Value::Container { flat, .. } => *flat,
        }
    }

    fn breakable(&self) -> bool {
        matches!(self, Value::Container { breakable: true, .. })
    }
}

impl Piece<'_> {
    fn is_entry(&self) -> bool {
        matches!(self.kind, Kind::Entry { .. })
    }

    fn ends_line(&self) -> bool {
        matches!(self.kind, Kind::Comment(text) if is_line_comment(text))
    }

    /// How long it is on one line, its comma included.
    fn flat(&self) -> Option<usize> {
        let inline = |text: &str| (!is_line_comment(text) && !text.contains('\n')).then(|| length(text));
        let own = match &self.kind {
            Kind::Comment(text) => inline(text)?,
            Kind::Entry { key, comments, value } => {
                let comments = comments.iter().map(|text| Some(inline(text)? + 1)).sum::<Option<usize>>()?;
                key.map_or(0, |key| length(key) + 2) + comments + value.flat()?
            }
        };
        Some(own + usize::from(self.comma))
    }
}

/// Makes pieces of a source that is known to be right.
struct Builder<'s> {
    source: &'s str,
    scanner: Scanner<'s>,
    /// Where the last token ended.
    end: usize,
}

impl<'s> Builder<'s> {
    fn new(source: &'s str) -> Builder<'s> {
        Builder { source, scanner: Scanner::new(source, &ScannerOptions::default()), end: 0 }
    }

    /// The next token: line breaks in front of it, its text, and what it is.
    fn next(&mut self) -> Option<(usize, &'s str, Token<'s>)> {
        let token = self.scanner.scan().ok()??;
        let (start, end) = (self.scanner.token_start(), self.scanner.token_end());
        let breaks = self.source.get(self.end..start).unwrap_or_default().matches('\n').count();
        self.end = end;
        Some((breaks, self.source.get(start..end).unwrap_or_default().trim_end(), token))
    }

    /// What stands until the closing bracket, or until the end of the document.
    fn pieces(&mut self, close: Option<&Token<'_>>) -> Vec<Piece<'s>> {
        let mut pieces: Vec<Piece<'s>> = Vec::new();
        // A key that waits for its value, with its breaks and the comments since.
        let mut key: Option<(usize, &'s str, Vec<&'s str>)> = None;
        // Line breaks in front of a comma count for what follows the comma.
        let mut carried = 0;
        while let Some((breaks, text, token)) = self.next() {
            let breaks = breaks + std::mem::take(&mut carried);
            let value = match token {
                token if Some(&token) == close => break,
                Token::Comma => {
                    carried = breaks;
                    comma(&mut pieces);
                    continue;
                }
                Token::CommentLine(_) | Token::CommentBlock(_) => {
                    match &mut key {
                        Some((_, _, comments)) => comments.push(text),
                        None => pieces.push(Piece { breaks, kind: Kind::Comment(text), comma: false, leads: false }),
                    }
                    continue;
                }
                Token::Colon => continue,
                Token::OpenBrace => self.container("{", "}", &Token::CloseBrace),
                Token::OpenBracket => self.container("[", "]", &Token::CloseBracket),
                _ if close == Some(&Token::CloseBrace) && key.is_none() => {
                    key = Some((breaks, text, Vec::new()));
                    continue;
                }
                _ => Value::Scalar(text),
            };
            let (breaks, key, comments) =
                key.take().map_or((breaks, None, Vec::new()), |(breaks, key, comments)| (breaks, Some(key), comments));
            pieces.push(Piece { breaks, kind: Kind::Entry { key, comments, value }, comma: false, leads: false });
        }
        tidy(&mut pieces);
        pieces
    }

    fn container(&mut self, open: &'static str, close: &'static str, end: &Token<'_>) -> Value<'s> {
        let pieces = self.pieces(Some(end));
        let until_entry = pieces.iter().position(Piece::is_entry).map_or(pieces.len(), |at| at + 1);
        let expanded = pieces.iter().take(until_entry).any(|piece| piece.breaks > 0);
        let inner = pieces.iter().map(Piece::flat).sum::<Option<usize>>().filter(|_| !expanded);
        // A space between pieces; objects have one inside of each brace, too.
        let spaces = if open == "{" && !pieces.is_empty() { pieces.len() + 1 } else { pieces.len().saturating_sub(1) };
        let flat = inner.map(|inner| inner + spaces + 2);
        let breakable = pieces.len() > 1
            || pieces.iter().any(|piece| matches!(&piece.kind, Kind::Entry { value, .. } if value.breakable()));
        Value::Container { open, close, pieces, expanded, flat, breakable }
    }
}

/// Puts a comma where it stands: behind the last entry, or behind the comments that follow that entry on its line.
fn comma(pieces: &mut [Piece<'_>]) {
    let Some(entry) = pieces.iter().rposition(Piece::is_entry) else { return };
    let behind = pieces.get(entry + 1..).unwrap_or_default();
    let inline = behind.iter().all(|piece| piece.breaks == 0 && !piece.ends_line());
    let at = if inline { pieces.len().saturating_sub(1) } else { entry };
    if let Some(piece) = pieces.get_mut(at) {
        piece.comma = true;
    }
}

/// Drops a comma that no entry follows, and finds the comments that lead an entry.
fn tidy(pieces: &mut [Piece<'_>]) {
    let last = pieces.iter().rposition(Piece::is_entry).unwrap_or(0);
    for piece in pieces.iter_mut().skip(last) {
        piece.comma = false;
    }
    let mut after_comma = true;
    for at in 0..pieces.len() {
        let follower = pieces.get(at + 1).is_some_and(|next| next.breaks == 0 && (next.is_entry() || !next.ends_line()));
        let Some(piece) = pieces.get_mut(at) else { return };
        piece.leads = after_comma && !piece.is_entry() && !piece.ends_line() && follower;
        after_comma = piece.comma || (after_comma && !piece.is_entry());
    }
}

struct Writer {
    text: String,
    /// Characters on the last line.
    column: usize,
    line_end: &'static str,
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, line)) => length(line),
            None => self.column + length(text),
        };
    }

    fn line(&mut self, indent: usize) {
        self.text.push_str(self.line_end);
        self.column = 0;
        self.push(&" ".repeat(indent));
    }

    /// Pieces on lines of their own. Where the author broke the lines, those that shared one still do, as far as they fit.
    fn broken(&mut self, pieces: &[Piece<'_>], indent: usize, by_author: bool) {
        // The document has no bracket whose line a comment could end.
        let is_document = self.text.is_empty();
        let mut previous: Option<&Piece<'_>> = None;
        // Whether the last entry is on one line, so that another may follow it there.
        let mut one_line = true;
        for (at, piece) in pieces.iter().enumerate() {
            let joins = match previous {
                None if is_document => None,
                None => Some(piece.breaks == 0 && !piece.is_entry() && pieces.get(at + 1).is_none_or(|next| next.breaks > 0)),
                Some(previous) if previous.ends_line() => Some(false),
                Some(previous) if previous.leads => Some(true),
                Some(_) if piece.breaks > 0 => Some(false),
                // A comment behind what it is about.
                Some(_) if !piece.is_entry() && !piece.leads => Some(true),
                Some(_) => Some(by_author && one_line && self.fits(pieces.get(at..).unwrap_or_default())),
            };
            match joins {
                None => {}
                Some(true) => self.push(" "),
                Some(false) => {
                    if piece.breaks > 1 && previous.is_some() {
                        self.text.push_str(self.line_end);
                    }
                    self.line(indent);
                }
            }
            let lines = self.text.len();
            self.piece(piece, indent);
            let broken = self.text.get(lines..).unwrap_or_default().contains('\n');
            one_line = !broken && (one_line || piece.is_entry());
            previous = Some(piece);
        }
    }

    /// Whether the first entry, and the comments that lead it, fit behind what is on this line.
    fn fits(&self, pieces: &[Piece<'_>]) -> bool {
        let mut needed = 0;
        for piece in pieces {
            let Some(flat) = piece.flat() else { return false };
            needed += flat + 1;
            if !piece.leads {
                break;
            }
        }
        self.column + needed <= WIDTH
    }

    fn piece(&mut self, piece: &Piece<'_>, indent: usize) {
        match &piece.kind {
            Kind::Comment(text) => self.comment(text, indent),
            Kind::Entry { key, comments, value } => {
                if let Some(key) = key {
                    self.push(key);
                    self.push(": ");
                }
                for comment in comments {
                    self.comment(comment, indent + INDENT);
                    if is_line_comment(comment) {
                        self.line(indent + INDENT);
                    } else {
                        self.push(" ");
                    }
                }
                self.value(value, indent, usize::from(piece.comma));
            }
        }
        if piece.comma {
            self.push(",");
        }
    }

    fn value(&mut self, value: &Value<'_>, indent: usize, behind: usize) {
        match value {
            Value::Scalar(text) => self.push(text),
            Value::Container { open, close, pieces, expanded, flat, breakable } => {
                self.push(open);
                let fits = flat.is_some_and(|flat| !breakable || self.column - 1 + flat + behind <= WIDTH);
                if fits {
                    let inside = if *open == "{" && !pieces.is_empty() { " " } else { "" };
                    self.push(inside);
                    for (at, piece) in pieces.iter().enumerate() {
                        if at > 0 {
                            self.push(" ");
                        }
                        self.piece(piece, indent);
                    }
                    self.push(inside);
                } else {
                    self.broken(pieces, indent + INDENT, *expanded);
                    self.line(indent);
                }
                self.push(close);
            }
        }
    }

    /// A comment of several lines keeps its inside, but for a column of stars, which moves along.
    fn comment(&mut self, text: &str, indent: usize) {
        let mut lines = text.lines();
        self.push(lines.next().unwrap_or_default().trim_end());
        let stars = text.lines().skip(1).all(|line| line.trim_start().starts_with('*'));
        for line in lines {
            if stars {
                self.line(indent + 1);
                self.push(line.trim());
            } else {
                self.line(0);
                self.push(line.trim_end());
            }
        }
    }
}
