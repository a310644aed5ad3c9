//! The API below `/_idoine/`.

pub mod batch;
#[cfg(any(test, feature = "openapi"))]
pub mod collect;
pub mod consent;
pub mod context;
pub mod decide;
pub mod health;
#[cfg(any(test, feature = "openapi"))]
pub mod identity;
pub mod ofrep;
pub mod owner;
pub mod personas;
pub mod profile;
mod program;

use crate::answer::Answer;
use crate::cors::Caller;
use crate::host;
use crate::program as store;
use crate::route::{Access, Found, Operation, Route};
use crate::routes::Endpoint;
use crate::tokens::{self, Role};
use crate::visit::Visit;
use idoine::Program;

/// The longest body that is read, unless an endpoint says otherwise.
const BODY_LIMIT: u32 = 256 * 1024;

/// A request to an endpoint, and what is known of it beforehand.
struct Call<'a> {
    visit: &'a Visit,
    endpoint: Endpoint,
    /// What stands in the address for a name in braces.
    key: &'a str,
    /// The role of its token, where it brings one; an error where it brings one that is not known.
    role: Result<Option<Role>, ()>,
    /// Whether a page sent it that is none of the site's.
    foreign: bool,
    /// Whether a page of the site sent it, as far as the browser tells.
    own: bool,
    program: Option<&'a Program>,
}

/// Answers a request below `/_idoine/`.
pub async fn answer(visit: &Visit, found: Found<'_>) -> Answer {
    let caller = Caller { origin: visit.header("origin"), site: visit.header("sec-fetch-site"), own: visit.origin() };
    if let Some(route) = found.route.filter(|route| route.is_owners()) {
        return owner::answer(visit, route, found.key, &caller).await;
    }
    let program = store::current(visit).await;
    let program = program.as_deref();
    let trusted = program.and_then(|program| caller.trusted_origin(program.hosts()));
    let own = caller.is_same_origin() || trusted.is_some();
    let foreign = caller.origin.is_some() && !own;
    let answer = match found.route {
        None => not_found(),
        Some(route) if visit.method() == "OPTIONS" && route.is_for_pages() => preflight(route),
        Some(route) => match route.operation(visit.method()) {
            None => not_allowed(route),
            Some(operation) => {
                let role = tokens::role(visit);
                let call = Call { visit, endpoint: route.endpoint, key: found.key, role, foreign, own, program };
                match refusal(&call, operation) {
                    Some(refusal) => refusal,
                    None => call.answer(operation).await,
                }
            }
        },
    };
    if found.route.is_some_and(|route| !route.is_for_pages()) {
        return answer;
    }
    let answer = answer.with("vary", "origin");
    match trusted {
        Some(origin) => answer
            .with("access-control-allow-origin", origin)
            .with("access-control-allow-credentials", "true")
            .with("access-control-expose-headers", "etag, retry-after"),
        None => answer,
    }
}

/// What is answered to those who may not call.
fn refusal(call: &Call<'_>, operation: &Operation) -> Option<Answer> {
    match operation.access {
        Access::Anyone | Access::VisitorOrRead => None,
        Access::Preview => (!call.visit.is_preview()).then(not_found),
        // Who may publish may read.
        // The owner's addresses are asked for elsewhere.
        Access::Read | Access::OwnerRead | Access::OwnerPublish => (!matches!(call.role, Ok(Some(_)))).then(unauthorized),
    }
}

impl Call<'_> {
    async fn answer(&self, operation: &Operation) -> Answer {
        let visit = self.visit;
        // OFREP has errors of its own.
        match self.endpoint {
            Endpoint::Flag => return ofrep::flag(self).await,
            Endpoint::Flags => return ofrep::flags(self).await,
            _ => {}
        }
        let is_get = operation.method == "GET";
        match self.endpoint {
            Endpoint::Consent if is_get => return consent::get(visit, self.program),
            // Only a page of the site itself may say what its visitor agreed to.
            Endpoint::Consent if !self.own => {
                return Answer::error(403, "forbidden", "A consent can only be given from a page of the site.");
            }
            Endpoint::Consent => {
                return match visit.body(BODY_LIMIT).await {
                    None => too_large(BODY_LIMIT),
                    Some(body) => consent::post(visit, self.program, &body),
                };
            }
            Endpoint::Profile if is_get => {}
            Endpoint::Identity | Endpoint::Profile | Endpoint::Export | Endpoint::Erase if !self.own => {
                return Answer::error(403, "forbidden", "Only a page of the site can do that for its visitor.");
            }
            // The host goes on from here (`worker/js/identity.js`, `worker/js/rights.js`, `worker/js/erasing.js`).
            Endpoint::Identity | Endpoint::Profile | Endpoint::Export | Endpoint::Erase if self.program.is_some() => {
                return Answer::empty(200);
            }
            Endpoint::Identity | Endpoint::Profile | Endpoint::Export | Endpoint::Erase => return no_program(),
            Endpoint::Program => return program::get(visit, self.program).await,
            Endpoint::Health => return health::get(self.program),
            // JavaScript answers these; it leaves here what names no call.
            endpoint if endpoint.takes_events() => return not_found(),
            _ => {}
        }
        let body = match is_get {
            true => Vec::new(),
            false => {
                let limit = if self.endpoint == Endpoint::Batch { batch::BODY_LIMIT } else { BODY_LIMIT };
                match visit.body(limit).await {
                    None => return too_large(limit),
                    Some(body) => body,
                }
            }
        };
        let Some(program) = self.program else { return no_program() };
        match self.endpoint {
            Endpoint::Context => context::get(visit, program).await,
            Endpoint::Decide if is_get => decide::get(visit, program).await,
            Endpoint::Decide => decide::post(visit, program, &body).await,
            Endpoint::Personas => personas::get(program),
            Endpoint::Profile => profile::get(visit, program),
            Endpoint::Batch => batch::post(visit, program, &body),
            _ => not_found(),
        }
    }
}

fn preflight(route: &Route) -> Answer {
    // What clients send with events besides: their keys, and words that nothing here depends on.
    let headers = match route.endpoint.takes_events() {
        true => {
            "content-type, content-encoding, authorization, x-write-key, anonymousid, x-retry-count, x-ip-policy, x-enable-debug"
        }
        false => "content-type, if-none-match",
    };
    Answer::empty(204)
        .with("allow", route.methods())
        .with("access-control-allow-methods", route.methods())
        .with("access-control-allow-headers", headers)
        .with("access-control-max-age", "600")
}

fn not_found() -> Answer {
    Answer::error(404, "not_found", "There is nothing at this address.")
}

fn not_allowed(route: &Route) -> Answer {
    Answer::error(405, "method_not_allowed", "This address does not take that method.").with("allow", route.methods())
}

fn unauthorized() -> Answer {
    Answer::error(401, "unauthorized", "Expected `Authorization: Bearer ..` with a token of this Worker.")
        .with("www-authenticate", "Bearer")
}

fn too_large(limit: u32) -> Answer {
    Answer::error(413, "too_large", &format!("The body is larger than {} KB, or can't be read.", limit / 1024))
}

fn no_program() -> Answer {
    Answer::error(503, "no_program", "No program is published for this site, or it can't be loaded at the moment.")
}

fn bad_request(message: &str) -> Answer {
    Answer::error(400, "bad_request", message)
}

/// The value of a parameter of the request's own address.
fn parameter(visit: &Visit, name: &str) -> Option<String> {
    host::query(&visit.url).into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// What the core is told of a visit that asks about the page at `page`. The request's own `Referer` names that page, not
/// the one before it, so `referrer` stands in for it.
fn facts(visit: &Visit, program: &Program, page: &str, referrer: Option<String>) -> Option<idoine::Request> {
    let (stripped, mut overrides) = host::split_preview(page)?;
    let mut facts = match &visit.overrides {
        // The page's own preview parameters count as they do for the page itself; the request's go before them.
        Some(own) => {
            overrides.extend(own.iter().cloned());
            visit.facts(program, stripped, overrides)
        }
        None => visit.facts(program, page.to_owned(), Vec::new()),
    };
    facts.headers.retain(|(name, _)| name != "referer");
    facts.headers.extend(referrer.map(|referrer| ("referer".to_owned(), referrer)));
    Some(facts)
}
