//! Tokens (CEL specification, "Syntax").

use super::ExprError;
use std::ops::Range;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Ident(String),
    Int(i64),
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
const SYMBOLS: &[&str] = &["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "-", "(", ")", "[", "]", ",", "."];

/// Splits an expression into tokens, the last of which is `End`.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, ExprError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = rest(source, at).chars().next() {
        let start = at;
        let kind = if c.is_ascii_whitespace() {
            at += 1;
            continue;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = rest(source, at).find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            at = len.map_or(source.len(), |len| at + len);
            TokenKind::Ident(source.get(start..at).unwrap_or_default().to_owned())
        } else if c.is_ascii_digit() {
            number(source, &mut at)?
        } else if c == '\'' || c == '"' {
            string(source, &mut at, c)?
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest(source, at).starts_with(**symbol)) {
            at += symbol.len();
            TokenKind::Symbol(symbol)
        } else {
            let help = match c {
                '=' => Some("write == to compare".to_owned()),
                '&' | '|' => Some(format!("write {c}{c}")),
                _ => None,
            };
            let error = ExprError::new(at..at + c.len_utf8(), format!("unexpected character `{c}`"));
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

fn number(source: &str, at: &mut usize) -> Result<TokenKind, ExprError> {
    let start = *at;
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
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.map(TokenKind::Double).ok_or_else(|| ExprError::new(start..*at, "this number is too large"))
    } else {
        text.parse().map(TokenKind::Int).map_err(|_| ExprError::new(start..*at, "this whole number does not fit 64 bits"))
    }
}

fn string(source: &str, at: &mut usize, quote: char) -> Result<TokenKind, ExprError> {
    let start = *at;
    let mut text = String::new();
    let mut chars = rest(source, start).char_indices();
    chars.next();
    while let Some((offset, c)) = chars.next() {
        if c == quote {
            *at = start + offset + 1;
            return Ok(TokenKind::String(text));
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        let escape_start = start + offset;
        let bad = |len: usize| {
            let error = ExprError::new(escape_start..escape_start + len, "this is no escape sequence");
            error.with_help(Some("known ones: \\\\ \\' \\\" \\n \\r \\t \\uXXXX".to_owned()))
        };
        match chars.next().map(|(_, c)| c) {
            Some(c @ ('\\' | '\'' | '"' | '`' | '?')) => text.push(c),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let hex: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                let code = (hex.len() == 4).then(|| u32::from_str_radix(&hex, 16).ok()).flatten();
                text.push(code.and_then(char::from_u32).ok_or_else(|| bad(2))?);
            }
            _ => return Err(bad(1)),
        }
    }
    Err(ExprError::new(start..source.len(), "this text has no closing quote"))
}
