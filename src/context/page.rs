//! The page, how it is shown, and what the browser says of the visitor's privacy.

use super::{Context, Field, Request, Value};
use crate::text::{Cut, contains, is_one_of, trim};
use crate::url;

/// `url` is the page's without its fragment, `host` its host in lower case.
#[inline(never)]
pub(super) fn derive(context: &mut Context, request: &Request, page_url: &str, host: &str) {
    let page = url::split(page_url);
    context.set(Field::PageQuery, Value::Map(url::first_pairs(page.query)));
    context.set_text(Field::PagePath, page.path);
    context.set_text(Field::PageUrl, page_url);
    context.set_text(Field::PageHost, host);
    // No request carries a fragment: where the page has none, the browser says so by a `#` with nothing behind it.
    if let Some((_, hash)) = request.url.cut(b'#') {
        context.set(Field::PageHash, Value::String(hash.to_owned()));
    }
    context.set_text(Field::PageReferrer, trim(request.header("referer").unwrap_or_default()));

    // Chromium and the standard say Sec-Purpose, Safari Purpose, Firefox X-Moz.
    let fetched_ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| {
        let purpose = request.header(name).unwrap_or_default().to_ascii_lowercase();
        contains(&purpose, "prefetch")
    });
    context.set(Field::PagePrefetch, Value::Bool(fetched_ahead));
    // Any other destination is not the page's own request.
    match request.header("sec-fetch-dest") {
        Some("iframe" | "frame" | "embed" | "object") => context.set(Field::PageFramed, Value::Bool(true)),
        Some("document") => context.set(Field::PageFramed, Value::Bool(false)),
        _ => {}
    }
    for (field, name) in [(Field::PrivacyGpc, "sec-gpc"), (Field::PrivacyDnt, "dnt")] {
        context.set(field, Value::Bool(request.header(name) == Some("1")));
    }

    let scheme = request.header("sec-ch-prefers-color-scheme").unwrap_or_default();
    let scheme = scheme.strip_prefix("\"").and_then(|rest| rest.strip_suffix("\"")).unwrap_or(scheme);
    if is_one_of(scheme, "light|dark") {
        context.set_text(Field::DeviceColorScheme, scheme);
    }
}
