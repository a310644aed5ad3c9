//! `POST /_idoine/api/preview`: a link with which a browser may preview the site, until it expires. `worker/js/links.js` checks it.

use super::unavailable;
use crate::answer::Answer;
use crate::api::{BODY_LIMIT, bad_request, too_large};
use crate::audit::{Entry, write};
use crate::identity::preview_token;
use crate::pointer::instant_text;
use crate::tokens::Bearer;
use crate::visit::{Visit, is_loopback};
use crate::{host, program};
use serde::{Deserialize, Serialize};

const EXPECTED: &str = "Expected {\"url\": \"https://..\", \"hours\": 24}: a page of this site, and 1 to 168 hours.";

/// How long a link is good unless it is said.
const HOURS: u32 = 24;

/// A page of the site, and for how many hours (1 to 168, default 24) a link to it is good.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "PreviewAsked"))]
pub struct Asked {
    url: String,
    hours: Option<u32>,
}

/// The link, and when it ends.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "PreviewLink"))]
pub struct Link {
    url: String,
    expires: String,
}

pub async fn post(visit: &Visit, bearer: &Bearer) -> Answer {
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let Ok(Asked { url, hours }) = serde_json::from_slice(&body) else { return bad_request(EXPECTED) };
    let Some(hours) = Some(hours.unwrap_or(HOURS)).filter(|hours| (1..=168).contains(hours)) else {
        return bad_request(EXPECTED);
    };
    let Some(key) = visit.key() else {
        return Answer::error(501, "no_key", "Links are signed with the secret IDOINE_KEY, which is not set.");
    };
    let expires = host::now() / 1000 + i64::from(hours) * 3600;
    let Some(token) = preview_token(&key, &visit.site, expires, &host::new_id()) else {
        return unavailable(visit, "a preview link can't be signed");
    };
    let Some((link, page)) = host::preview_link(&url, visit.origin(), &token) else { return bad_request(EXPECTED) };
    let program = program::current(visit).await;
    let hosts = program.iter().flat_map(|program| program.hosts());
    if !is_of_site(&page, visit.origin(), hosts) {
        return bad_request("`url` is no page of this site: its host is neither this one nor in site.hosts.");
    }
    let mut entry = Entry::new(bearer, "preview");
    entry.until = Some(instant_text(expires * 1000));
    entry.what = Some(page.chars().take(200).collect());
    match write(visit, &entry).await {
        Ok(()) => Answer::json(&Link { url: link, expires: instant_text(expires * 1000) }),
        Err(trouble) => unavailable(visit, &trouble),
    }
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
