//! User-agent client hints (WICG UA-CH), which Chromium sends: structured fields (RFC 8941).

use super::agent::{self, version};
use super::words::{BROWSER, browser};
use crate::context::sent::{Header, Sent};
use crate::text::Cut;

/// The hints of a request; empty where the browser sends none.
pub(super) struct Hints<'a> {
    pub brands: &'a str,
    pub full_versions: &'a str,
    pub platform: &'a str,
    pub platform_version: &'a str,
    pub model: &'a str,
    pub form_factors: &'a str,
    pub mobile: bool,
}

/// What the brands say. Positions are those of the list of browsers.
#[derive(Default)]
pub(super) struct Branded {
    pub browser: Option<u8>,
    pub version: String,
    pub webview: bool,
    pub bot: bool,
}

impl<'a> Hints<'a> {
    #[inline(never)]
    pub(super) fn of(sent: &Sent<'a>) -> Hints<'a> {
        Hints {
            brands: sent.header(Header::Brands),
            full_versions: sent.header(Header::FullVersions),
            platform: unquoted(sent.header(Header::Platform)),
            platform_version: unquoted(sent.header(Header::PlatformVersion)),
            model: unquoted(sent.header(Header::Model)),
            form_factors: sent.header(Header::FormFactors),
            mobile: sent.header(Header::Mobile) == "?1",
        }
    }

    /// What the full versions say, or where they name no browser, the brands.
    pub(super) fn branded(&self, table: &[u8]) -> Branded {
        let full = branded(table, self.full_versions);
        if full.browser.is_some() { full } else { branded(table, self.brands) }
    }
}

/// Brands come in any order, with one of no meaning among them (GREASE) that may hold any character: what counts is the
/// narrowest brand that means something. A browser that has one more brand which is not known is another one.
#[inline(never)]
fn branded(table: &[u8], list: &str) -> Branded {
    let mut branded = Branded::default();
    let mut unknown = 0;
    let mut rest = list;
    while let Some((brand, more)) = quoted(rest) {
        let (number, next) = parameter(more);
        rest = next;
        let read = agent::read(table, brand);
        branded.bot |= read.bot;
        branded.webview |= read.webview;
        match read.browser.name {
            Some(name) if branded.browser.is_none_or(|known| name < known) => {
                branded.browser = Some(name);
                branded.version = version(number.as_bytes(), 0);
            }
            None if !read.webview => unknown += 1,
            _ => {}
        }
    }
    const CHROME: u8 = browser("chrome") - BROWSER;
    const OTHER: u8 = browser("other") - BROWSER;
    if unknown > 1 && branded.browser == Some(CHROME) {
        branded.browser = Some(OTHER);
    }
    branded
}

/// A structured field that is one string.
fn unquoted(value: &str) -> &str {
    quoted(value).map_or("", |(text, _)| text)
}

/// The next string of a structured field, with its escapes as they are, and what follows it.
fn quoted(field: &str) -> Option<(&str, &str)> {
    let (_, text) = field.cut(b'"')?;
    let (mut escaped, mut end) = (false, 0);
    for byte in text.bytes() {
        if byte == b'"' && !escaped {
            return Some((text.get(..end)?, text.get(end + 1..)?));
        }
        escaped = byte == b'\\' && !escaped;
        end += 1;
    }
    None
}

/// The version that follows a brand (`;v="126"`), up to its quote, and what follows it.
fn parameter(rest: &str) -> (&str, &str) {
    let signs = rest.bytes().take_while(|byte| matches!(byte, b';' | b' ')).count();
    match rest.get(signs..).and_then(|rest| rest.strip_prefix("v=")) {
        Some(parameter) => quoted(parameter).unwrap_or(("", parameter)),
        None => ("", rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_structured_fields() {
        assert_eq!(quoted(r#" "a", "b""#), Some(("a", r#", "b""#)));
        assert_eq!(quoted(r#""\\\"; \"v=1";v="2""#), Some((r#"\\\"; \"v=1"#, r#";v="2""#)));
        for broken in ["", "\"", "\"abc", r#""abc\""#, "abc"] {
            assert_eq!(quoted(broken), None, "{broken}");
        }
        assert_eq!(unquoted("\"macOS\""), "macOS");
        assert_eq!(unquoted("macOS"), "");
    }
}
