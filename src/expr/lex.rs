//! Tokens (CEL specification, "Syntax").

use super::ExprError;
use crate::number::parse_double;
use crate::text::Visible;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Ident(String),
    /// A name in backticks, which only stands behind a dot.
    Quoted(String),
    /// A whole number without its sign.
    Int(u64),
    /// A whole number with `u` behind it.
    Uint(u64),
    Double(f64),
    String(String),
    /// An operator or a bracket.
    Symbol(&'static str),
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

/// Longer ones first.
const SYMBOLS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "-", "+", "*", "/", "%", "?", ":", "(", ")", "[", "]", "{", "}", ",",
    ".",
];

/// Splits an expression into tokens, the last of which is `End`.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, ExprError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = rest(source, at).chars().next() {
        let start = at;
        let kind = if matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}') {
            at += 1;
            continue;
        } else if rest(source, at).starts_with("//") {
            at += rest(source, at).find('\n').unwrap_or(rest(source, at).len());
            continue;
        } else if let Some((prefix, raw)) = string_start(rest(source, at)) {
            at += prefix;
            string(source, start, &mut at, raw)?
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = rest(source, at).find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            at = len.map_or(source.len(), |len| at + len);
            TokenKind::Ident(source.get(start..at).unwrap_or_default().to_owned())
        } else if c.is_ascii_digit() || (c == '.' && rest(source, at + 1).starts_with(|c: char| c.is_ascii_digit())) {
            number(source, &mut at)?
        } else if c == '`' {
            quoted(source, &mut at)?
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest(source, at).starts_with(**symbol)) {
            at += symbol.len();
            TokenKind::Symbol(symbol)
        } else {
            let help = match c {
                '=' => Some("write == to compare".to_owned()),
                '&' | '|' => Some(format!("write {c}{c}")),
                '‘' | '’' | '“' | '”' => Some("write straight quotes: ' or \"".to_owned()),
                _ => None,
            };
            let error = ExprError::new(at..at + c.len_utf8(), format!("unexpected character `{}`", Visible(c)));
            return Err(error.with_help(help));
        };
        tokens.push(Token { kind, span: start..at });
    }
    tokens.push(Token { kind: TokenKind::End, span: source.len()..source.len() });
    Ok(tokens)
}

fn rest(source: &str, at: usize) -> &str {
    source.get(at..).unwrap_or_default()
}

/// Whether a text begins here: the length of what stands before its quote, and whether it is raw.
fn string_start(text: &str) -> Option<(usize, bool)> {
    let quote = |at: usize| rest(text, at).starts_with(['\'', '"']);
    match text.as_bytes() {
        [b'\'' | b'"', ..] => Some((0, false)),
        [b'r' | b'R', ..] if quote(1) => Some((1, true)),
        _ => None,
    }
}

fn number(source: &str, at: &mut usize) -> Result<TokenKind, ExprError> {
    let start = *at;
    let too_large = |end: usize| ExprError::new(start..end, "this whole number does not fit 64 bits");
    let unsigned = |at: &mut usize| {
        let found = rest(source, *at).starts_with(['u', 'U']);
        *at += usize::from(found);
        found
    };
    if let Some(hex) = rest(source, start).strip_prefix("0x").or_else(|| rest(source, start).strip_prefix("0X")) {
        let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
        *at = start + 2 + digits;
        let text = rest(hex, 0).get(..digits).unwrap_or_default();
        if digits == 0 {
            return Err(ExprError::new(start..*at, "expected hexadecimal digits behind 0x"));
        }
        let value = u64::from_str_radix(text, 16).map_err(|_| too_large(*at))?;
        return Ok(if unsigned(at) { TokenKind::Uint(value) } else { TokenKind::Int(value) });
    }
    let digits = |at: &mut usize| {
        let len = rest(source, *at).bytes().take_while(u8::is_ascii_digit).count();
        *at += len;
        len > 0
    };
    digits(at);
    let mut double = false;
    if rest(source, *at).starts_with('.') && rest(source, *at + 1).starts_with(|c: char| c.is_ascii_digit()) {
        *at += 1;
        double = digits(at);
    }
    if rest(source, *at).starts_with(['e', 'E']) {
        *at += 1;
        if rest(source, *at).starts_with(['+', '-']) {
            *at += 1;
        }
        double = true;
        if !digits(at) {
            return Err(ExprError::new(start..*at, "expected digits in the exponent"));
        }
    }
    let text = source.get(start..*at).unwrap_or_default();
    if double {
        return parse_double(text).map(TokenKind::Double).ok_or_else(|| ExprError::new(start..*at, "this number is too large"));
    }
    let value = text.parse().map_err(|_| too_large(*at))?;
    Ok(if unsigned(at) { TokenKind::Uint(value) } else { TokenKind::Int(value) })
}

/// A name in backticks: letters, digits, `_`, `-`, `.`, `/` and spaces.
fn quoted(source: &str, at: &mut usize) -> Result<TokenKind, ExprError> {
    let start = *at;
    let inside = rest(source, start + 1);
    let length = inside.find('`').ok_or_else(|| ExprError::new(start..source.len(), "this name has no closing backtick"))?;
    let name = inside.get(..length).unwrap_or_default();
    *at = start + length + 2;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(ExprError::new(start..*at, "a name in backticks has letters, digits, _ - . / and spaces")
            .with_help(Some("for any other key write map['key']".to_owned())));
    }
    Ok(TokenKind::Quoted(name.to_owned()))
}

/// Reads a text from its opening quote; `at` ends behind its closing one.
fn string(source: &str, start: usize, at: &mut usize, raw: bool) -> Result<TokenKind, ExprError> {
    let open = rest(source, *at);
    let quote = open.chars().next().unwrap_or('\'');
    let triple = open.chars().take(3).filter(|c| *c == quote).count() == 3;
    let close = quote.to_string().repeat(if triple { 3 } else { 1 });
    *at += close.len();
    let mut text = String::new();
    loop {
        let here = rest(source, *at);
        if here.starts_with(&close) {
            *at += close.len();
            return Ok(TokenKind::String(text));
        }
        let Some(c) = here.chars().next() else { break };
        if !triple && matches!(c, '\n' | '\r') {
            return Err(ExprError::new(start..*at, "this text has no closing quote on its line")
                .with_help(Some("write \\n, or a text of several lines between three quotes".to_owned())));
        }
        if c == '\\' && !raw {
            text.push(escape(source, at)?);
        } else {
            *at += c.len_utf8();
            text.push(c);
        }
    }
    Err(ExprError::new(start..source.len(), "this text has no closing quote"))
}

/// Reads an escape sequence from its backslash on.
fn escape(source: &str, at: &mut usize) -> Result<char, ExprError> {
    let start = *at;
    let code = rest(source, start + 1).chars().next();
    let bad = |len: usize| {
        let end = source.len().min(start + len);
        ExprError::new(start..end, "this is no escape sequence").with_help(Some(
            "known ones: \\\\ \\' \\\" \\` \\? \\a \\b \\f \\n \\r \\t \\v \\xHH \\uHHHH \\UHHHHHHHH \\000 to \\377".to_owned(),
        ))
    };
    let mut digits = |offset: usize, count: usize, radix: u32| {
        let text = rest(source, start + offset).get(..count)?;
        let value = text.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(text, radix).ok()).flatten()?;
        *at = start + offset + count;
        char::from_u32(value)
    };
    let read = match code {
        Some('x' | 'X') => return digits(2, 2, 16).ok_or_else(|| bad(2)),
        Some('u') => return digits(2, 4, 16).ok_or_else(|| bad(2)),
        Some('U') => return digits(2, 8, 16).ok_or_else(|| bad(2)),
        Some('0'..='3') => return digits(1, 3, 8).ok_or_else(|| bad(2)),
        Some(c @ ('\\' | '\'' | '"' | '`' | '?')) => c,
        Some('a') => '\u{7}',
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('v') => '\u{b}',
        _ => return Err(bad(1)),
    };
    *at = start + 2;
    Ok(read)
}
