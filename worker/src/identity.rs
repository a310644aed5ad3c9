//! The id cookie: a random id, and the Worker's signature on it where the Worker has a key, so that nobody can make up
//! another visitor's id or many of their own. And the tokens of preview links, signed by the same secret.

use hmac::{Hmac, KeyInit, Mac};
use idoine::cookies;
use sha2::{Digest, Sha256};

/// Bytes of the signature that are kept: 128 bits.
const SIGNATURE: usize = 16;

/// The value of the id cookie for an id.
pub fn sign(key: Option<&str>, id: &str) -> String {
    match key.and_then(|key| signature(key, id)) {
        Some(signature) => format!("{id}.{signature}"),
        None => id.to_owned(),
    }
}

/// The secrets that ids are signed with: the current one, and those that it took the place of, by which an id is known still. Without
/// a current one any id is known.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    current: Option<String>,
    old: Vec<String>,
}

impl Keys {
    /// The current one, and the others as a variable lists them.
    pub fn new(current: Option<String>, old: &str) -> Keys {
        let words = old.split([' ', ',', '\t', '\r', '\n']).filter(|key| !key.is_empty());
        Keys { current, old: words.map(str::to_owned).collect() }
    }

    /// What new ids are signed with.
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }
}

/// The id in a cookie's value; `None` when it is no id, or there is a key and the signature is by none.
pub fn verify(keys: &Keys, value: &str) -> Option<String> {
    let (id, found) = cookies::split_id(value)?;
    let found = found.unwrap_or_default().as_bytes();
    let is_by = |key: &str| signature(key, id).is_some_and(|expected| equal(expected.as_bytes(), found));
    let known = keys.current().is_none_or(|current| is_by(current) || keys.old.iter().any(|key| is_by(key)));
    known.then(|| id.to_owned())
}

/// The id that stands for what a server calls a visitor: an id as it is, an id cookie's signed value by its id, and any other text
/// by a digest of it.
pub fn of_name(keys: &Keys, name: &str) -> String {
    let known = match cookies::split_id(name) {
        Some((id, None)) => Some(id.to_owned()),
        Some((_, Some(_))) if keys.current().is_some() => verify(keys, name),
        _ => None,
    };
    known.unwrap_or_else(|| digest(name.as_bytes()))
}

/// The first half of the SHA-256 of bytes: 32 hex digits.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What stands for the key of a profile where it is not to be read: without the Worker's secret nobody finds out whose it is.
pub fn pseudonym(secret: Option<&str>, profile: &str) -> String {
    signature(secret.unwrap_or_default(), &format!("idoine trail\n{profile}")).unwrap_or_default()
}

fn signature(key: &str, id: &str) -> Option<String> {
    Some(base64url(mac(key.as_bytes(), id)?.get(..SIGNATURE)?))
}

/// The token of a preview link: when it ends (seconds since 1970), a nonce, and the signature of both and the site, by a key of
/// its own that is derived from the Worker's. `worker/js/links.js` checks it.
pub fn preview_token(key: &str, site: &str, expires: i64, nonce: &str) -> Option<String> {
    let own = mac(key.as_bytes(), "idoine preview link")?;
    let signature = mac(&own, &format!("preview\n{site}\n{expires}\n{nonce}"))?;
    Some(format!("{expires}.{nonce}.{}", base64url(&signature)))
}

fn mac(key: &[u8], text: &str) -> Option<Vec<u8>> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

/// Compares in a time that does not depend on where the bytes differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |difference, (x, y)| std::hint::black_box(difference | (x ^ y)));
    a.len() == b.len() && difference == 0
}

/// RFC 4648, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0usize, |group, at| group << 8 | usize::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..=chunk.len() {
            out.extend(ALPHABET.get(group >> (18 - 6 * at) & 63).map(|byte| *byte as char));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e";

    fn by(key: &str) -> Keys {
        Keys::new(Some(key.to_owned()), "")
    }

    #[test]
    fn encodes_as_the_standard_says() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("\u{3ff}?", "z78_")] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_signature_is_hmac_sha256() {
        // RFC 4231, test case 2, its first 16 bytes.
        assert_eq!(signature("Jefe", "what do ya want for nothing?").as_deref(), Some("W9zBRr9gdU5qBCQmCJV1xw"));
    }

    #[test]
    fn a_signed_id_is_known_again() {
        let value = sign(Some("secret"), ID);
        assert_eq!(verify(&by("secret"), &value).as_deref(), Some(ID));
        assert_eq!(sign(None, ID), ID);
        assert_eq!(verify(&Keys::default(), ID).as_deref(), Some(ID));
    }

    #[test]
    fn an_id_outlives_the_key_that_signed_it() {
        let value = sign(Some("first"), ID);
        let keys = |old| Keys::new(Some("third".to_owned()), old);
        for old in ["first", "second,first", "second\r\nfirst\n"] {
            assert_eq!(verify(&keys(old), &value).as_deref(), Some(ID), "{old}");
        }
        for old in ["", "second", "firs", "first second x"] {
            assert_eq!(verify(&keys(old), &value).is_some(), old.starts_with("first "), "{old}");
        }
        // An empty word is no key.
        assert_eq!(verify(&keys(" , "), &sign(Some(""), ID)), None);
    }

    #[test]
    fn a_server_may_call_a_visitor_anything() {
        let signed = sign(Some("secret"), ID);
        assert_eq!(of_name(&Keys::default(), ID), ID);
        assert_eq!(of_name(&by("secret"), &signed), ID);
        // SHA-256 of "abc", FIPS 180-2.
        assert_eq!(of_name(&Keys::default(), "abc"), "ba7816bf8f01cfea414140de5dae2223");
        for name in ["jo@shop.example", "12345678.abc", &signed] {
            assert_eq!(of_name(&Keys::default(), name), digest(name.as_bytes()), "{name}");
        }
        assert_eq!(of_name(&by("another"), &signed), digest(signed.as_bytes()));
    }

    #[test]
    fn what_is_forged_is_as_if_absent() {
        let value = sign(Some("secret"), ID);
        let other = sign(Some("secret"), "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4f");
        let mixed = format!("{ID}.{}", other.split_once('.').unwrap().1);
        for bad in [
            ID,
            &mixed,
            value.strip_suffix(|_: char| true).unwrap(),
            &format!("{value}A"),
            &format!("{ID}."),
            "",
            ".",
            &"x".repeat(20_000),
        ] {
            assert_eq!(verify(&by("secret"), bad), None, "{bad}");
        }
        assert_eq!(verify(&by("another"), &value), None);
        assert_eq!(verify(&Keys::default(), "<script>"), None);
    }
}
