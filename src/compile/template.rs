//! Interpolation: `{{ path | "default" }}` inside a text.

use super::html::{self, HtmlPlace};
use crate::context::Kind;
use crate::diagnostic::nearest;
use crate::edit::json_string;
use crate::expr::{Env, ExprError, parse};
use crate::program::build::Part;
use crate::program::layout::PartKind;
use crate::text::{Cut, cut_at};
use std::ops::Range;

/// Where a text goes.
pub(super) enum Place<'a> {
    /// An element's text.
    Text,
    /// An element's HTML.
    Html,
    /// The attribute of that name.
    Attribute(&'a str),
    /// The URL of a redirect.
    Redirect,
    /// The path of a fragment.
    Fragment,
}

/// A text, taken apart.
#[derive(Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    Literal(String),
    Field { field: u32, path: String, default: Option<String>, span: Range<usize>, personal: bool },
}

impl Template {
    pub(super) fn parse(text: &str, env: &dyn Env) -> Result<Template, Vec<ExprError>> {
        Template::parse_with(text, env, false)
    }

    /// As [`Template::parse`], for the URL of an enrichment, which says how numbers are written.
    pub(super) fn parse_url(text: &str, env: &dyn Env) -> Result<Template, Vec<ExprError>> {
        Template::parse_with(text, env, true)
    }

    fn parse_with(text: &str, env: &dyn Env, doubles: bool) -> Result<Template, Vec<ExprError>> {
        let mut pieces = Vec::new();
        let mut errors = Vec::new();
        let mut at = 0;
        while let Some((literal, behind)) = cut_at(text.get(at..).unwrap_or_default(), "{{") {
            let start = at + literal.len();
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let Some((inside, _)) = cut_at(behind, "}}") else {
                errors.push(ExprError::new(start..start + 2, "`{{` has no closing `}}`"));
                return Err(errors);
            };
            let span = start..start + 2 + inside.len() + 2;
            at = span.end;
            match field(inside, span, env, doubles) {
                Ok(piece) => pieces.push(piece),
                Err(error) => errors.push(error),
            }
        }
        let rest = text.get(at..).unwrap_or_default();
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        if errors.is_empty() { Ok(Template { pieces }) } else { Err(errors) }
    }

    /// The first field that tells something of a profile.
    pub(super) fn private_field(&self) -> Option<&str> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Field { path, .. } if path.starts_with("profile.") || path.starts_with("visitor.") => Some(path.as_str()),
            _ => None,
        })
    }

    /// The fields, each with its place in the text.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, Range<usize>)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Field { path, span, .. } => Some((path.as_str(), span.clone())),
            Piece::Literal(_) => None,
        })
    }

    /// What stands between the fields, each with where it begins in the text.
    pub(super) fn literals(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut at = 0;
        self.pieces.iter().filter_map(move |piece| {
            let start = at;
            match piece {
                Piece::Literal(text) => {
                    at += text.len();
                    Some((text.as_str(), start))
                }
                Piece::Field { span, .. } => {
                    at = span.end;
                    None
                }
            }
        })
    }

    /// The first field that may be a segment of a path by itself, and so `..`, which percent-encoding does not change.
    pub(super) fn whole_segment(&self) -> Option<Range<usize>> {
        let (mut fixed, mut open) = (false, None);
        for piece in &self.pieces {
            match piece {
                Piece::Field { span, .. } => open = open.or_else(|| Some(span.clone())),
                Piece::Literal(text) => {
                    for c in text.chars() {
                        if matches!(c, '/' | '?') {
                            if !fixed && open.is_some() {
                                return open;
                            }
                            if c == '?' {
                                return None;
                            }
                            (fixed, open) = (false, None);
                        }
                        // A dot may be written as %2e, half of it by the value.
                        fixed |= !matches!(c, '/' | '.' | '%' | '2' | 'e' | 'E');
                    }
                }
            }
        }
        open.filter(|_| !fixed)
    }

    /// A URL: all fields percent-encoded.
    pub(super) fn url(self) -> Vec<Part> {
        self.parts(str::to_owned, |_| PartKind::Url)
    }

    /// The inside of a JSON string: all of it escaped.
    pub(super) fn json(self) -> Vec<Part> {
        self.parts(
            |literal| {
                let mut escaped = String::new();
                json_string(literal, &mut escaped);
                escaped
            },
            |_| PartKind::Json,
        )
    }

    /// The parts, each field escaped for its place; errors where a field may not stand.
    pub(super) fn placed(self, place: &Place<'_>) -> Result<Vec<Part>, Vec<ExprError>> {
        let mut errors = Vec::new();
        let mut kinds = Vec::new();
        // A value may be empty: what stands before a later one is read with the earlier ones there, and without them.
        let mut readings = ["x", ""].map(|value| (value, html::Scanner::new(), String::new()));
        for piece in &self.pieces {
            let mut found = Vec::new();
            for (value, scanner, before) in &mut readings {
                let text = match piece {
                    Piece::Literal(text) => text.as_str(),
                    Piece::Field { path, personal, .. } => {
                        let attribute = |name: &str, before: &str, plain| {
                            let kind = attribute_kind(name, before, plain)?;
                            let is_private = *personal && kind != PartKind::Url && !html::is_read_to_people(name);
                            let why = "it is personal, and this is not an attribute for people's eyes alone";
                            if is_private { Err(format!("`{path}` can't stand in `{name}`: {why}")) } else { Ok(kind) }
                        };
                        let kind = match place {
                            Place::Text => Ok(PartKind::Plain),
                            Place::Attribute(name) => attribute(name, before, PartKind::Plain),
                            Place::Redirect => url_kind("redirect", before),
                            Place::Fragment => url_kind("fragment", before),
                            Place::Html => match scanner.place() {
                                HtmlPlace::Text => Ok(PartKind::Html),
                                HtmlPlace::Attribute { name, value } => attribute(&name, &value, PartKind::Html),
                                HtmlPlace::Forbidden(what) => Err(format!("a value can't be interpolated in {what}")),
                            },
                        };
                        found.push(match kind {
                            Ok(PartKind::Url) if *personal => Err(format!(
                                "`{path}` can't stand in a URL: it is personal, and URLs are kept in logs and histories"
                            )),
                            kind => kind,
                        });
                        *value
                    }
                };
                scanner.feed(text);
                before.push_str(text);
            }
            if let Piece::Field { span, .. } = piece {
                match found.into_iter().collect::<Result<Vec<_>, _>>() {
                    Ok(found) => kinds.extend(found.first()),
                    Err(message) => errors.push(ExprError::new(span.clone(), message)),
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut kinds = kinds.into_iter();
        Ok(self.parts(str::to_owned, |_| kinds.next().unwrap_or(PartKind::Html)))
    }

    fn parts(self, literal: impl Fn(&str) -> String, mut kind: impl FnMut(u32) -> PartKind) -> Vec<Part> {
        let parts = self.pieces.into_iter().map(|piece| match piece {
            Piece::Literal(text) => Part::Literal(literal(&text)),
            Piece::Field { field, default, .. } => Part::Field { field, kind: kind(field), default },
        });
        parts.collect()
    }
}

/// How a value is escaped in an attribute, which may hold a URL.
fn attribute_kind(name: &str, before: &str, plain: PartKind) -> Result<PartKind, String> {
    match html::attribute(name) {
        html::AttributeKind::Plain => Ok(plain),
        html::AttributeKind::Code => {
            Err(format!("a value can't be interpolated in the attribute `{name}`, which is not known to hold plain words"))
        }
        html::AttributeKind::Url => url_kind(name, before),
    }
}

/// How a value is escaped in a URL.
fn url_kind(name: &str, before: &str) -> Result<PartKind, String> {
    html::is_fixed_origin(before).then_some(PartKind::Url).ok_or_else(|| {
        format!(
            "a value in the URL of `{name}` must come after a fixed start, such as /search?q={{{{ ... }}}} or https://shop.example/{{{{ ... }}}}"
        )
    })
}

/// The paths that a text interpolates, as they are written.
pub(super) fn insides(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, behind) = cut_at(rest, "{{")?;
        let (inside, behind) = cut_at(behind, "}}")?;
        rest = behind;
        Some(parted(inside).0)
    })
}

/// A path and its default. The path may have texts in quotes.
fn parted(inside: &str) -> (&str, Option<&str>) {
    let (mut quote, mut escaped) = (None, false);
    let bar = inside.char_indices().find(|(_, c)| {
        match (*c, quote) {
            _ if escaped => escaped = false,
            ('\\', Some(_)) => escaped = true,
            ('\'' | '"', None) => quote = Some(*c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
        *c == '|' && quote.is_none()
    });
    match bar.and_then(|(at, _)| inside.split_at_checked(at)) {
        Some((path, default)) => (path.trim(), Some(default.strip_prefix('|').unwrap_or(default).trim())),
        None => (inside.trim(), None),
    }
}

/// The inside of `{{ }}`: a path, then optionally `|` and a default in double quotes.
fn field(inside: &str, span: Range<usize>, env: &dyn Env, doubles: bool) -> Result<Piece, ExprError> {
    let (path, default) = parted(inside);
    let default = match default {
        None => None,
        Some(quoted) => match quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
            Some(text) if !text.has(b'"') => Some(text.to_owned()),
            _ => {
                let error = ExprError::new(span, "expected a default in double quotes");
                return Err(error.with_help(Some(format!("write {{{{ {path} | \"default\" }}}}"))));
            }
        },
    };
    let reading = if path.starts_with("profile.") { parse(path).ok().and_then(|node| env.reading(&node)) } else { None };
    let path = match reading {
        Some(Err(error)) => return Err(ExprError { span, ..error }),
        Some(Ok(path)) => path,
        None => path.to_owned(),
    };
    match env.field(&path) {
        None => {
            let names = env.names();
            let help = nearest(&path, names.iter().map(String::as_str).filter(|name| name.has(b'.')));
            Err(ExprError::new(span, format!("unknown field `{path}`")).with_help(help))
        }
        Some((_, kind @ (Kind::Double | Kind::Timestamp | Kind::Map))) if kind != Kind::Double || !doubles => {
            Err(ExprError::new(span, format!("`{path}` is a {}, which has no one way to be written", kind.name())))
        }
        Some((field, _)) => Ok(Piece::Field { field, path, default, span, personal: env.is_personal(field) }),
    }
}
