//! Who may call the API from another page than the site's own.

use crate::visit::is_loopback;

/// What a request says of the page that sent it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// The `Sec-Fetch-Site` header.
    pub site: Option<&'a str>,
    /// Scheme, host and port that the request was sent to.
    pub own: &'a str,
}

impl<'a> Caller<'a> {
    /// Whether a page of the same origin sent the request, as the browser tells it.
    pub fn is_same_origin(&self) -> bool {
        match self.site {
            Some(site) => site == "same-origin",
            None => self.origin == Some(self.own),
        }
    }

    /// Whether a page of another origin sent the request: what is no page says nothing of an origin.
    pub fn is_another_site(&self) -> bool {
        self.origin.is_some_and(|origin| origin != self.own)
            || self.site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
    }

    /// The caller's origin when it is another one, and of a host of the site.
    pub fn trusted_origin<'h>(&self, hosts: impl IntoIterator<Item = &'h str>) -> Option<&'a str> {
        let origin = self.origin.filter(|origin| *origin != self.own)?;
        let (scheme, authority) = origin.split_once("://")?;
        let (host, has_port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, true),
            _ => (authority, false),
        };
        let local = is_loopback(host);
        // A page that came by plain HTTP may be anyone's on the way.
        if scheme != "https" && !(scheme == "http" && (local || self.own.starts_with("http://"))) {
            return None;
        }
        // Another port is another server, unless the manifest names it or this is a developer's machine.
        let known = |listed: &str| listed == authority || (listed == host && (local || !has_port));
        hosts.into_iter().any(known).then_some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller<'a>(origin: Option<&'a str>, site: Option<&'a str>) -> Caller<'a> {
        Caller { origin, site, own: "https://shop.example" }
    }

    #[test]
    fn the_browser_tells_same_origin() {
        assert!(caller(Some("https://shop.example"), None).is_same_origin());
        assert!(caller(None, Some("same-origin")).is_same_origin());
        for (origin, site) in [
            (None, None),
            (Some("null"), None),
            (Some("http://shop.example"), None),
            (Some("https://evil.example"), None),
            (Some("https://shop.example"), Some("cross-site")),
            (None, Some("same-site")),
            (None, Some("none")),
        ] {
            assert!(!caller(origin, site).is_same_origin(), "{origin:?} {site:?}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_told() {
        for (origin, site) in [(None, None), (Some("https://shop.example"), Some("same-origin")), (None, Some("none"))] {
            assert!(!caller(origin, site).is_another_site(), "{origin:?} {site:?}");
        }
        for (origin, site) in [
            (Some("https://evil.example"), None),
            (Some("null"), None),
            (Some("https://www.shop.example"), None),
            (None, Some("cross-site")),
            (None, Some("same-site")),
        ] {
            assert!(caller(origin, site).is_another_site(), "{origin:?} {site:?}");
        }
    }

    #[test]
    fn hosts_of_the_site_are_trusted() {
        let hosts = ["shop.example", "www.shop.example", "shop.example:8443", "localhost"];
        let trusted = |origin| caller(Some(origin), Some("cross-site")).trusted_origin(hosts);
        for origin in ["https://www.shop.example", "https://shop.example:8443", "http://localhost:3000"] {
            assert_eq!(trusted(origin), Some(origin));
        }
        for origin in [
            "https://shop.example", // the request's own
            "http://www.shop.example",
            "https://www.shop.example:8080",
            "https://evil.example",
            "https://shop.example.evil.example",
            "https://evil.example/shop.example",
            "null",
            "",
        ] {
            assert_eq!(trusted(origin), None, "{origin}");
        }
    }
}
