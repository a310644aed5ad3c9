//! Reading a `Cookie` header (RFC 6265, section 4.2.1), tolerantly: what can't be read is as if absent.

use crate::text::{Cut, trim};

/// The cookie that carries the visitor's choice of purposes.
pub const CONSENT: &str = "idoine_consent";
/// The cookie that carries the `anonymousId`, with the host's signature after a dot where it has a key.
pub const ID: &str = "idoine_id";

/// The value of the first cookie of that name.
pub fn get<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.parts(b';').find_map(|pair| {
        let (key, value) = trim(pair).cut(b'=')?;
        (key == name).then_some(value)
    })
}

/// The id and the signature in the value of the id cookie. An id has 8 to 64 ASCII letters, digits, `-` or `_`.
pub fn split_id(value: &str) -> Option<(&str, Option<&str>)> {
    let (id, signature) = match value.cut(b'.') {
        Some((id, signature)) => (id, Some(signature)),
        None => (value, None),
    };
    is_id(id).then_some((id, signature))
}

fn is_id(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_cookie_among_others() {
        let header = "a=1; idoine_id=12345678-abcd ;b; idoine_id=second; =x";
        assert_eq!(get(header, ID), Some("12345678-abcd"));
        assert_eq!(get(header, "c"), None);
    }

    #[test]
    fn refuses_ids_that_are_not_ids() {
        assert_eq!(split_id("12345678"), Some(("12345678", None)));
        assert_eq!(split_id("12345678.sig"), Some(("12345678", Some("sig"))));
        for bad in ["", "1234567", "1234 5678", "<script>alert", "été-été-été", &"x".repeat(20_000)] {
            assert_eq!(split_id(bad), None, "{bad}");
        }
    }
}
