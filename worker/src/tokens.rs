//! Who may use the owner's API: the secret `IDOINE_TOKENS`, a list of `role:name:token` with spaces, commas or line ends between.
//! A token is compared by its digest, with every entry, in a time that says nothing of it. It is never logged, nor is a word
//! of the list.

use crate::host;
use crate::identity::equal;
use crate::visit::Visit;
use sha2::{Digest, Sha256};
use std::cell::Cell;

/// The shortest token: what is shorter may be guessed.
const SHORTEST: usize = 24;

/// What a token is good for. Each may what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Asks for decisions; sees what is published and who did it; makes preview links.
    Read,
    /// Publishes, schedules, rolls back.
    Publish,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The name of the token.
    pub name: String,
    /// What it is good for.
    pub role: Role,
}

thread_local! {
    /// Whether this isolate has told that entries of the list are no tokens.
    static TOLD: Cell<bool> = const { Cell::new(false) };
}

/// Who sent a request, by its `Authorization` header; `None` when it has no token of the list.
pub fn bearer(visit: &Visit) -> Option<Bearer> {
    let list = host::var(&visit.env, "IDOINE_TOKENS").unwrap_or_default();
    let (entries, bad) = read(&list);
    if bad > 0 && !TOLD.replace(true) {
        let message = format!(
            "{bad} entries of IDOINE_TOKENS are no tokens: expected role:name:token, the role read or publish, the token {SHORTEST} characters at least"
        );
        host::log("error", "bad_tokens", &message, &visit.site);
    }
    let (scheme, given) = visit.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    find(&entries, given.trim())
}

/// The role of a request's token; `Ok(None)` when it brings none, an error when it brings one that is not of the list. Another scheme is
/// none of ours: a site may ask its visitors for passwords.
pub fn role(visit: &Visit) -> Result<Option<Role>, ()> {
    let scheme = visit.header("authorization").and_then(|header| header.split_once(' ')).map(|(scheme, _)| scheme);
    if !scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")) {
        return Ok(None);
    }
    bearer(visit).map(|bearer| Some(bearer.role)).ok_or(())
}

/// Whose token it is. Every entry is looked at.
fn find(entries: &[(Bearer, &str)], given: &str) -> Option<Bearer> {
    let given = Sha256::digest(given.as_bytes());
    let mut found = None;
    for (bearer, token) in entries {
        if equal(&Sha256::digest(token.as_bytes()), &given) {
            found = Some(bearer);
        }
    }
    found.cloned()
}

/// The entries of a list, and how many are none.
fn read(list: &str) -> (Vec<(Bearer, &str)>, usize) {
    let (mut entries, mut bad) = (Vec::new(), 0);
    let written = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    for entry in written {
        let mut parts = entry.splitn(3, ':');
        let role = match parts.next() {
            Some("read") => Some(Role::Read),
            Some("publish") => Some(Role::Publish),
            _ => None,
        };
        let name = parts.next().filter(|name| {
            (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        });
        let token = parts.next().filter(|token| token.len() >= SHORTEST);
        match (role, name, token) {
            (Some(role), Some(name), Some(token)) => entries.push((Bearer { name: name.to_owned(), role }, token)),
            _ => bad += 1,
        }
    }
    (entries, bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = "abcdefghijklmnopqrstuvwx";

    #[test]
    fn a_list_is_read() {
        let list = format!("read:ci:{LONG} publish:anna:{LONG}1,read:b.o-b_2:{LONG}:with:colons\n\n,");
        let (entries, bad) = read(&list);
        let told: Vec<_> = entries.iter().map(|(bearer, token)| (bearer.role, bearer.name.as_str(), *token)).collect();
        let (one, colons) = (format!("{LONG}1"), format!("{LONG}:with:colons"));
        assert_eq!(
            told,
            [(Role::Read, "ci", LONG), (Role::Publish, "anna", one.as_str()), (Role::Read, "b.o-b_2", colons.as_str())]
        );
        assert_eq!(bad, 0);
    }

    #[test]
    fn what_is_no_entry_is_counted() {
        for bad in [
            "publish:anna:abcdefghijklmnopqrstuvw", // 23 characters
            "admin:anna:abcdefghijklmnopqrstuvwx",
            "publish::abcdefghijklmnopqrstuvwx",
            "publish:anna",
            "abcdefghijklmnopqrstuvwx",
            "publish:a/b:abcdefghijklmnopqrstuvwx",
        ] {
            assert_eq!(read(bad), (vec![], 1), "{bad}");
        }
    }

    #[test]
    fn a_token_is_found_whole_or_not() {
        let list = format!("read:one:{LONG} publish:two:{LONG}2");
        let (entries, _) = read(&list);
        let name = |given: &str| find(&entries, given).map(|bearer| bearer.name);
        assert_eq!(name(LONG).as_deref(), Some("one"));
        assert_eq!(name(&format!("{LONG}2")).as_deref(), Some("two"));
        for bad in ["", "bcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvw", &LONG.to_uppercase(), &format!("{LONG}3")] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }
}
