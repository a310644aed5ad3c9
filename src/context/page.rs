//! The page, how it is shown, and what the browser says of the visitor's privacy.

use super::sent::{Header, Sent};
use super::{Context, Field, Value};
use crate::text::{contains, is_one_of, trim};
use crate::url;

/// `page_url` is `url` without its fragment, `page` its parts, and `host` its host in lower case.
#[inline(never)]
pub(super) fn derive(context: &mut Context, sent: &Sent<'_>, url: &str, page_url: &str, page: &url::Parts<'_>, host: &str) {
    let query = url::firsts(&context.query);
    context.set(Field::PageQuery, Value::Map(query));
    context.set_text(Field::PagePath, page.path);
    context.set_text(Field::PageUrl, page_url);
    context.set_text(Field::PageHost, host);
    // No request carries a fragment: where the page has none, the browser says so by a `#` with nothing behind it.
    if let Some(hash) = url.get(page_url.len() + 1..) {
        context.set(Field::PageHash, Value::String(hash.to_owned()));
    }
    context.set_text(Field::PageReferrer, trim(sent.header(Header::Referer)));

    let ahead = |header| contains(&sent.header(header).to_ascii_lowercase(), "prefetch");
    let fetched_ahead = ahead(Header::SecPurpose) || ahead(Header::Purpose) || ahead(Header::XMoz);
    context.set_bool(Field::PagePrefetch, fetched_ahead);
    // Any other destination is not the page's own request.
    let destination = sent.header(Header::SecFetchDest);
    if is_one_of(destination, "document|iframe|frame|embed|object") {
        context.set_bool(Field::PageFramed, destination != "document");
    }
    context.set_bool(Field::PrivacyGpc, sent.header(Header::SecGpc) == "1");
    context.set_bool(Field::PrivacyDnt, sent.header(Header::Dnt) == "1");

    let scheme = sent.header(Header::ColorScheme);
    let scheme = scheme.strip_prefix("\"").and_then(|rest| rest.strip_suffix("\"")).unwrap_or(scheme);
    if is_one_of(scheme, "light|dark") {
        context.set_text(Field::DeviceColorScheme, scheme);
    }
}
