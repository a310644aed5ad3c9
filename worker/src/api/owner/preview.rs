//! `POST /_idoine/api/preview`: a link with which a browser may preview the site, until it expires. `worker/js/links.js` checks it.

use super::{object, unavailable};
use crate::answer::Answer;
use crate::api::{BODY_LIMIT, bad_request, too_large};
use crate::audit::{Entry, write};
use crate::identity::preview_token;
use crate::pointer::instant_text;
use crate::tokens::Bearer;
use crate::visit::{Visit, is_loopback};
use crate::{host, program};
use serde_json::{Value, json};

const EXPECTED: &str = "Expected {\"url\": \"https://..\", \"hours\": 24}: a page of this site, and 1 to 168 hours.";

/// How long a link is good unless it is said.
const HOURS: i64 = 24;

pub async fn post(visit: &Visit, bearer: &Bearer) -> Answer {
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let Some((url, hours)) = asked(&body) else { return bad_request(EXPECTED) };
    let Some(key) = visit.key() else {
        return Answer::error(501, "no_key", "Links are signed with the secret IDOINE_KEY, which is not set.");
    };
    let expires = host::now() / 1000 + hours * 3600;
    let Some(token) = preview_token(&key, &visit.site, expires, &host::new_id()) else {
        return unavailable(visit, "a preview link can't be signed");
    };
    let Some((link, page)) = host::preview_link(&url, visit.origin(), &token) else { return bad_request(EXPECTED) };
    let program = program::current(visit).await;
    let hosts = program.iter().flat_map(|program| program.hosts());
    if !is_of_site(&page, visit.origin(), hosts) {
        return bad_request("`url` is no page of this site: its host is neither this one nor in site.hosts.");
    }
    let (expires, page): (_, String) = (instant_text(expires * 1000), page.chars().take(200).collect());
    let entry = Entry::new(bearer, "preview").with("until", Some(&expires)).with("what", Some(&page));
    match write(visit, &entry).await {
        Ok(()) => Answer::json(&json!({ "url": link, "expires": expires })),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

/// The page, and for how many hours.
fn asked(body: &[u8]) -> Option<(String, i64)> {
    let asked = object(body, &["url", "hours"])?;
    let hours = match asked.get("hours") {
        None | Some(Value::Null) => HOURS,
        Some(hours) => hours.as_i64().filter(|hours| (1..=168).contains(hours))?,
    };
    Some((asked.get("url")?.as_str()?.to_owned(), hours))
}

/// Whether a page's address, without its query, is one of the site's: of the host that was asked, or of one that the manifest
/// names; by HTTPS but on a developer's machine.
fn is_of_site<'a>(page: &str, own: &str, mut hosts: impl Iterator<Item = &'a str>) -> bool {
    let Some((scheme, rest)) = page.split_once("://") else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let secure = scheme == "https" || (scheme == "http" && is_loopback(host));
    let known = own.split_once("://").is_some_and(|(_, own)| own == host) || hosts.any(|known| known == host);
    secure && known && !path.starts_with("_idoine/")
}

#[cfg(test)]
mod tests {
    use super::is_of_site;

    #[test]
    fn pages_of_the_site() {
        let of_site = |page| is_of_site(page, "https://shop.example", ["www.shop.example", "localhost:8787"].into_iter());
        for page in ["https://shop.example/", "https://www.shop.example/a/b", "http://localhost:8787/"] {
            assert!(of_site(page), "{page}");
        }
        for page in [
            "http://shop.example/",
            "https://shop.example:8443/",
            "https://evil.example/shop.example",
            "https://shop.example.evil.example/",
            "https://shop.example/_idoine/context",
            "ftp://shop.example/",
            "",
        ] {
            assert!(!of_site(page), "{page}");
        }
    }
}
