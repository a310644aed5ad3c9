//! Who may use what only servers use: tokens of the secret `IDOINE_TOKENS`.

use crate::host;
use crate::identity::equal;
use crate::visit::Visit;

/// The fewest characters of a token: fewer could be guessed.
const LEAST: usize = 24;

/// What a token allows. `Publish` allows what `Read` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Asking for decisions.
    Read,
    /// Publishing programs.
    Publish,
}

/// The role of the request's bearer token; `Ok(None)` when it brings none, an error when it brings one that is not known.
pub fn role(visit: &Visit) -> Result<Option<Role>, ()> {
    let Some(token) = visit.header("authorization").and_then(bearer) else { return Ok(None) };
    let tokens = host::var(&visit.env, "IDOINE_TOKENS").unwrap_or_default();
    role_of(&tokens, token).map(Some).ok_or(())
}

/// The token of an `Authorization` header. Another scheme is none of ours: a site may ask its visitors for passwords.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// The role of a token among `role:name:token`, separated by spaces, commas or line ends. All of them are compared, each in a time
/// that does not depend on where they differ.
fn role_of(tokens: &str, token: &str) -> Option<Role> {
    let mut found = None;
    for entry in tokens.split([' ', ',', '\n', '\r', '\t']) {
        let mut parts = entry.splitn(3, ':');
        let (Some(role), Some(_), Some(known)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let role = match role {
            "read" => Role::Read,
            "publish" => Role::Publish,
            _ => continue,
        };
        if known.len() >= LEAST && equal(known.as_bytes(), token.as_bytes()) {
            found = Some(role);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: &str = "0123456789abcdefghijklmn";
    const PUBLISH: &str = "abcdefghijklmn:0123456789";

    #[test]
    fn tokens_have_roles() {
        let tokens = format!("read:shop:{READ}, publish:ci:{PUBLISH}\nadmin:x:{READ}x read:short:short");
        assert_eq!(role_of(&tokens, READ), Some(Role::Read));
        assert_eq!(role_of(&tokens, PUBLISH), Some(Role::Publish));
        for wrong in ["", "short", "0123456789abcdefghijklm", "0123456789abcdefghijklmnx", "0123456789abcdefghijklmN"] {
            assert_eq!(role_of(&tokens, wrong), None, "{wrong}");
        }
        assert_eq!(role_of("", ""), None);
        assert_eq!(role_of("read::", ""), None);
    }

    #[test]
    fn other_schemes_are_no_token() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        for none in ["Basic abc", "abc", "", "Bearerabc"] {
            assert_eq!(bearer(none), None, "{none}");
        }
    }
}
