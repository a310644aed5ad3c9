//! A request as the Worker sees it, and what the core may know of it.

use crate::host::Sent;
use crate::identity::Keys;
use crate::{host, identity, rules};
use idoine::consent::{By, Choice, Consent, Mode, Purpose, Signals, Terms, may_measure};
use idoine::cookies;
use idoine::learn::projection;
use idoine::learn::rules::Reading;
use idoine::time::{DAY_MS, HOUR_MS};
use idoine::{Context, Decisions, Offsets, Program, Request};
use std::cell::{Cell, OnceCell};

/// How long a visitor's cookies are kept, in seconds: 395 days, thirteen months at most.
pub const MAX_AGE: u32 = 395 * 24 * 60 * 60;

/// The path of the user's id in what is stored of a visitor.
pub const USER_ID: &str = "visitor.user_id";

/// A request and what came with it.
pub struct Visit {
    /// The request itself: for its body. All else is in `sent`.
    request: web_sys::Request,
    /// What came with it, read once.
    sent: Sent,
    /// Bindings and variables.
    pub env: worker::Env,
    /// What may go on after the answer.
    pub ctx: worker::Context,
    /// The id of the site that it is for.
    pub site: String,
    /// The request's absolute URL without preview parameters.
    pub url: String,
    /// The preview parameters; `None` where preview is not allowed.
    pub overrides: Option<Vec<(String, String)>>,
    /// The host's function that asks the endpoints of enrichments.
    pub ask: js_sys::Function,
    /// The projection that came with it, bound to the id that came with it.
    projection: Option<Vec<u8>>,
    /// Whether it was read.
    is_read: Cell<bool>,
    /// What the visitor is given with the answer, and is decided for already.
    given: OnceCell<Given>,
}

/// An id and what holds unless it is refused, for a visitor who brought neither.
struct Given {
    id: String,
    choice: Choice,
}

impl Visit {
    /// Puts together what `handle` was given.
    pub fn new(
        request: web_sys::Request,
        env: worker::Env,
        ctx: worker::Context,
        site: String,
        url: String,
        overrides: Option<Vec<String>>,
        ask: js_sys::Function,
    ) -> Visit {
        let sent = host::sent_with(&request);
        Visit {
            request,
            sent,
            env,
            ctx,
            site,
            url,
            overrides: overrides.map(host::pairs),
            ask,
            projection: None,
            is_read: Cell::new(false),
            given: OnceCell::new(),
        }
    }

    /// The same with what the host has found in the cookie of the projection (`worker/js/projection.js`).
    #[must_use]
    pub fn with_projection(self, projection: Option<Vec<u8>>) -> Visit {
        Visit { projection, ..self }
    }

    /// The path of the URL.
    pub fn path(&self) -> &str {
        path_of(&self.url)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        origin_of(&self.url)
    }

    /// Whether the request came by plain HTTP on a developer's machine.
    pub fn is_local(&self) -> bool {
        self.origin().strip_prefix("http://").is_some_and(is_loopback)
    }

    /// Whether preview is allowed.
    pub fn is_preview(&self) -> bool {
        self.overrides.is_some()
    }

    /// The method of the request.
    pub fn method(&self) -> &str {
        &self.sent.method
    }

    /// A header's value; its name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.sent.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the request says that the answer of an entity tag is known.
    pub fn knows(&self, tag: &str) -> bool {
        let known = |tags: &str| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
        self.header("if-none-match").is_some_and(known)
    }

    /// The bytes of the body; `None` when there are more than `limit`.
    pub async fn body(&self, limit: u32) -> Option<Vec<u8>> {
        let told = self.header("content-length").and_then(|length| length.parse::<u64>().ok());
        if told.is_some_and(|length| length > u64::from(limit)) {
            return None;
        }
        host::read_body(&self.request, limit).await
    }

    /// The choice that the visitor made, where there is one.
    pub fn choice(&self) -> Option<Choice> {
        Choice::read(cookies::get(self.header("cookie")?, cookies::CONSENT)?)
    }

    /// What the browser refuses for its person.
    pub fn signals(&self) -> Signals {
        Signals { gpc: self.header("sec-gpc") == Some("1"), dnt: self.header("dnt") == Some("1") }
    }

    /// The purposes that hold for the visitor on the site's terms.
    pub fn consent(&self, terms: Terms) -> Consent {
        let cookie = self.header("cookie").unwrap_or_default();
        Consent::of_request(cookies::get(cookie, cookies::CONSENT), self.signals(), terms)
    }

    /// The anonymous id that the request carries, if it is one of ours.
    pub fn id(&self) -> Option<String> {
        identity::verify(&self.keys(), cookies::get(self.header("cookie")?, cookies::ID)?)
    }

    /// The secret that ids are signed with, where there is one.
    pub fn key(&self) -> Option<String> {
        host::var(&self.env, "IDOINE_KEY")
    }

    /// The secrets that ids may be signed with.
    pub fn keys(&self) -> Keys {
        Keys::new(self.key(), &host::var(&self.env, "IDOINE_KEYS_OLD").unwrap_or_default())
    }

    /// Where what is not refused is agreed to, a visitor without an id is given one with the page, and is decided for as who they will be.
    pub fn give(&self, terms: Terms) {
        let consent = self.consent(terms);
        let is_asked = self.choice().is_some_and(|choice| choice.is_made(terms));
        // A page that is fetched ahead may never be seen.
        let is_ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| self.header(name).is_some());
        let is_new = !is_asked && !is_ahead && !self.is_preview() && self.id().is_none();
        if terms.mode == Mode::OptOut && consent != Consent::default() && is_new {
            let fresh = Choice { granted: consent, version: terms.version, at: host::now() / 1000, ..Choice::default() };
            let choice = self.choice().filter(|choice| choice.by != By::Default).unwrap_or(fresh);
            let _ = self.given.set(Given { id: host::new_id(), choice });
        }
    }

    /// The `Set-Cookie` headers of what the visitor is given.
    pub fn given(&self) -> Vec<String> {
        let Some(Given { id, choice }) = self.given.get() else { return Vec::new() };
        let id = identity::sign(self.key().as_deref(), id);
        vec![self.cookie(cookies::CONSENT, &choice.value(), MAX_AGE, false), self.cookie(cookies::ID, &id, MAX_AGE, true)]
    }

    /// A `Set-Cookie` header; `secret` from the scripts of the page.
    pub fn cookie(&self, name: &str, value: &str, max_age: u32, secret: bool) -> String {
        let secure = if self.is_local() { "" } else { "; Secure" };
        let http_only = if secret { "; HttpOnly" } else { "" };
        format!("{name}={value}; Path=/; SameSite=Lax; Max-Age={max_age}{secure}{http_only}")
    }

    /// Whether what is done in the page is counted without the visitor.
    pub fn is_measured(&self, terms: Terms) -> bool {
        may_measure(self.choice(), self.signals(), terms)
    }

    /// The context of a page with what experiments draw for where the site measures each page by itself.
    pub fn measured(&self, terms: Terms, context: Context) -> Context {
        if self.is_measured(terms) { context.on_page(host::new_id()) } else { context }
    }

    /// What the core may know of the request, as one for the page at `url`. Of the cookies that is the choice of purposes
    /// and, where something is agreed to, an id that is ours and what the program reads of the profile.
    pub fn facts(&self, program: &Program, url: String, overrides: Vec<(String, String)>) -> Request {
        let mut headers: Vec<_> = self.sent.headers.iter().filter(|(name, _)| name != "cookie").cloned().collect();
        let consent = self.consent(program.terms());
        // A preview may agree in the visitor's place; the core then reads the id, or leaves it unread.
        let with_id = consent != Consent::default() || self.is_preview();
        let kept = match self.given.get() {
            Some(Given { id, choice }) => Some(format!("{}={id}; {}={}", cookies::ID, cookies::CONSENT, choice.value())),
            None => self.header("cookie").and_then(|header| kept_cookies(header, &self.keys(), with_id)),
        };
        headers.extend(kept.map(|kept| ("cookie".to_owned(), kept)));
        let request = with_offsets(Request {
            url,
            headers,
            cf: self.sent.cf.clone(),
            now: host::now(),
            offsets: Offsets::default(),
            overrides,
            enrichments: Vec::new(),
            profile: Vec::new(),
        });
        let profile = self.stored(program, consent, &request);
        Request { profile, ..request }
    }

    /// What is stored of the visitor, as the projection says it at the request's instant. A preview reads it as it reads whatever else its
    /// request shows, until it says itself who the visitor is.
    fn stored(&self, program: &Program, consent: Consent, request: &Request) -> Vec<(String, String)> {
        let Some(bytes) = &self.projection else { return Vec::new() };
        let agreed = request.overrides.iter().rfind(|(path, _)| path == "consent.personalization");
        let agreed = agreed.map_or(consent.has(Purpose::Personalization), |(_, text)| matches!(text.as_str(), "true" | "1"));
        if !agreed || request.overrides.iter().any(|(path, _)| says_who(path)) || self.id().is_none() {
            return Vec::new();
        }
        self.is_read.set(true);
        projection::open(&rules::of(program), bytes, request.instant()).unwrap_or_default()
    }

    /// Until when a page stays as it was decided, if nothing happens but that time passes: where the visitor agreed to it, also what their profile
    /// says of itself later. Of that only the part of the day is told that pages of many have in common, unless it comes within the hour.
    pub fn until(&self, program: &Program, context: &Context, decisions: &Decisions) -> Option<i64> {
        let now = context.now;
        let of_program = idoine::until(program, context);
        let rules = rules::of(program);
        let is_shown = |reading: &Reading| {
            reading.slots.iter().any(|slot| decisions.slots.binary_search_by_key(slot, |decision| decision.slot).is_ok())
        };
        let stored = self.projection.as_ref().filter(|_| self.is_read.get());
        let of_profile = stored.and_then(|bytes| projection::next(&rules, bytes, now, is_shown)).map(|change| {
            let end_of = |unit: i64| now - now.rem_euclid(unit) + unit;
            match change {
                change if change <= end_of(HOUR_MS) => change,
                change if change <= end_of(DAY_MS) => end_of(HOUR_MS),
                _ => end_of(DAY_MS),
            }
        });
        of_program.into_iter().chain(of_profile).min()
    }
}

/// Whether what is overridden at a path is who the visitor is.
fn says_who(path: &str) -> bool {
    path.starts_with("profile.") || path.starts_with("visitor.")
}

/// A visitor's request as somebody else tells of it: what is said of cookies counts as it does in a request of the visitor's own.
pub fn with_own_cookies(mut request: Request, keys: &Keys) -> Request {
    request.headers.retain_mut(|(name, value)| match name.as_str() {
        "cookie" => kept_cookies(value, keys, true).map(|kept| *value = kept).is_some(),
        _ => true,
    });
    request
}

/// What of a `Cookie` header the core may know: an id that is ours, and the choice of purposes. `None` when there is neither.
fn kept_cookies(header: &str, keys: &Keys, with_id: bool) -> Option<String> {
    let mut kept = Vec::new();
    if let Some(id) = cookies::get(header, cookies::ID).filter(|_| with_id).and_then(|value| identity::verify(keys, value)) {
        kept.push(format!("{}={id}", cookies::ID));
    }
    if let Some(choice) = cookies::get(header, cookies::CONSENT) {
        kept.push(format!("{}={choice}", cookies::CONSENT));
    }
    (!kept.is_empty()).then(|| kept.join("; "))
}

/// The request with the offsets of its time zone around its instant.
pub fn with_offsets(request: Request) -> Request {
    let offsets = request.timezone().map(|zone| host::zone_offsets(zone, request.instant())).unwrap_or_default();
    Request { offsets, ..request }
}

/// Whether a host, with or without a port, is this machine and no other.
pub fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let is_address = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host.strip_prefix("127.").is_some_and(is_address)
}

/// Scheme, host and port of an absolute URL.
pub fn origin_of(url: &str) -> &str {
    url.strip_suffix(after_origin(url)).unwrap_or_default()
}

fn after_origin(url: &str) -> &str {
    let host = url.split_once("://").map_or("", |(_, rest)| rest);
    host.find(['/', '?', '#']).and_then(|end| host.get(end..)).unwrap_or_default()
}

fn path_of(url: &str) -> &str {
    let rest = after_origin(url);
    rest.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_cookies_only_ours_are_kept() {
        let keys = |key: &str| Keys::new(Some(key.to_owned()), "");
        let signed = identity::sign(Some("key"), "12345678-abcd");
        let header = format!("session=1; idoine_consent=v1.personalization; idoine_id={signed}");
        let both = "idoine_id=12345678-abcd; idoine_consent=v1.personalization";
        assert_eq!(kept_cookies(&header, &keys("key"), true).as_deref(), Some(both));
        assert_eq!(kept_cookies(&header, &keys("key"), false).as_deref(), Some("idoine_consent=v1.personalization"));
        assert_eq!(kept_cookies(&header, &keys("other"), true).as_deref(), Some("idoine_consent=v1.personalization"));
        assert_eq!(kept_cookies("session=1; idoine_id=12345678-abcd", &keys("key"), true), None);
        let headers = [("cookie", "a=b"), ("cookie", header.as_str()), ("accept", "x")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let request = with_own_cookies(Request { headers, ..Request::default() }, &keys("key"));
        let expected = [("cookie", both), ("accept", "x")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(request.headers, expected);
    }

    #[test]
    fn knows_this_machine() {
        for host in ["localhost", "localhost:8787", "shop.localhost", "127.0.0.1:1", "127.1.2.3", "[::1]", "[::1]:8787"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["shop.example", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "[::2]", "12.7.0.0", ""]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn finds_the_path_of_a_url() {
        for (url, expected) in [
            ("https://shop.example/", "/"),
            ("https://shop.example/a/b?c=/d#e", "/a/b"),
            ("http://[::1]:8787/_idoine/decide?url=https://x/", "/_idoine/decide"),
            ("nonsense", ""),
        ] {
            assert_eq!(path_of(url), expected, "{url}");
        }
    }
}
