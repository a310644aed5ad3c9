//! The parts of an absolute URL that a context needs. A small reading, not the whole of the URL standard: runtimes hand
//! in URLs that a browser or a server has already parsed, and anything else still gets an answer.

use crate::text::{Cut, find, hex_digit, is_digits, lossy, place, push};

/// The parts of a URL, as slices of it; percent-escapes as they are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Host without port and user information; empty when there is none.
    pub host: &'a str,
    /// Path, `/` when it is empty.
    pub path: &'a str,
    /// Query without `?`.
    pub query: &'a str,
}

/// Splits an absolute URL, or a path with an optional query.
#[inline(never)]
pub fn split(url: &str) -> Parts<'_> {
    let url = url.cut(b'#').map_or(url, |(before, _)| before);
    let (before_query, query) = url.cut(b'?').unwrap_or((url, ""));
    let behind_scheme = find(before_query.as_bytes(), b"://").and_then(|at| before_query.get(at + 3..));
    let (authority, path) = match behind_scheme {
        Some(rest) => {
            let length = place(rest.as_bytes(), b'/').unwrap_or(rest.len());
            rest.split_at_checked(length).unwrap_or((rest, ""))
        }
        None => ("", before_query),
    };
    let host_port = authority.cut_last(b'@').map_or(authority, |(_, host)| host);
    let host = match host_port.cut_last(b':') {
        Some((host, port)) if is_digits(port) => host,
        _ => host_port,
    };
    Parts { host, path: if path.is_empty() { "/" } else { path }, query }
}

/// The query's parameters in their order, decoded as `application/x-www-form-urlencoded` (URL standard, section 5.1).
#[inline(never)]
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in query.parts(b'&') {
        if !pair.is_empty() {
            let (name, value) = pair.cut(b'=').unwrap_or((pair, ""));
            pairs.push((decode(name), decode(value)));
        }
    }
    pairs
}

/// Of those parameters the first of each name.
#[inline(never)]
pub fn firsts(pairs: &[(String, String)]) -> Vec<(String, String)> {
    let mut firsts: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs {
        if firsts.iter().all(|(known, _)| known != name) {
            firsts.push((name.clone(), value.clone()));
        }
    }
    firsts
}

/// Percent-decodes, `+` as a space; bytes that are not UTF-8 become U+FFFD.
#[inline(never)]
fn decode(text: &str) -> String {
    if !text.has(b'%') && !text.has(b'+') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let hex = |at: usize| hex_digit(*bytes.get(at)?);
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(byte) = bytes.get(i) {
        let escaped = match byte {
            b'%' => hex(i + 1).zip(hex(i + 2)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        i += if escaped.is_some() { 3 } else { 1 };
        out.push(escaped.unwrap_or(if *byte == b'+' { b' ' } else { *byte }));
    }
    lossy(&out)
}

/// Percent-encodes everything but the unreserved characters (RFC 3986, section 2.3).
pub fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            push(out, byte);
        } else {
            push(out, b'%');
            for digit in [byte >> 4, byte & 15] {
                push(out, if digit < 10 { b'0' + digit } else { b'A' - 10 + digit });
            }
        }
    }
}

/// Appends a parameter to a query, encoded.
#[cfg(feature = "serde")]
pub(crate) fn push_parameter(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    encode(name, query);
    query.push('=');
    encode(value, query);
}

/// The query of these parameters, as [`query_pairs`] reads it.
#[cfg(all(feature = "explain", feature = "serde"))]
pub(crate) fn query_text(pairs: &[(String, String)]) -> String {
    let mut query = String::new();
    for (name, value) in pairs {
        push_parameter(&mut query, name, value);
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_what_browsers_send() {
        let parts = |host, path, query| Parts { host, path, query };
        for (url, expected) in [
            ("https://shop.example/a?b=c#d", parts("shop.example", "/a", "b=c")),
            ("https://shop.example:8787", parts("shop.example", "/", "")),
            ("https://user:pass@shop.example:1/x", parts("shop.example", "/x", "")),
            ("http://[::1]:8787/x", parts("[::1]", "/x", "")),
            ("/path?x", parts("", "/path", "x")),
            ("", parts("", "/", "")),
            ("https://a.example?x=/y", parts("a.example", "/", "x=/y")),
        ] {
            assert_eq!(split(url), expected, "{url}");
        }
    }

    #[test]
    fn decodes_queries() {
        let pairs = query_pairs("a=1&b=x+y%20z&c&%C3%A9=%&&=e&f=%ff");
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("é", "%"), ("", "e"), ("f", "\u{fffd}")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
