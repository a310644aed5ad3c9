//! The API below `/_idoine/`.

mod consent;
mod context;
mod decide;
mod owner;
mod personas;
mod program;

use crate::answer::Answer;
use crate::cors::Caller;
use crate::host;
use crate::program as store;
use crate::route::Endpoint;
use crate::visit::Visit;
use idoine::Program;

/// The longest body that is read.
const BODY_LIMIT: u32 = 256 * 1024;

/// Answers a request to an endpoint.
pub async fn answer(visit: &Visit, endpoint: Endpoint) -> Answer {
    let caller = Caller { origin: visit.header("origin"), site: visit.header("sec-fetch-site"), own: visit.origin() };
    if let Endpoint::Owned(owned) = endpoint {
        return owner::answer(visit, owned, &caller).await;
    }
    let program = store::current(visit).await;
    let program = program.as_deref();
    let trusted = program.and_then(|program| caller.trusted_origin(program.hosts()));
    let answer = match visit.method() {
        "OPTIONS" => preflight(endpoint),
        "GET" | "HEAD" => match endpoint {
            Endpoint::Context => with(program, async |program| context::get(visit, program).await).await,
            Endpoint::Decide => with(program, async |program| decide::get(visit, program).await).await,
            Endpoint::Consent => consent::get(visit),
            Endpoint::Program => program::get(visit, program).await,
            Endpoint::Personas => personas::get(visit, program),
            Endpoint::Owned(_) | Endpoint::Unknown => not_found(),
        },
        "POST" => match endpoint {
            Endpoint::Decide => match (visit.body(BODY_LIMIT).await, program) {
                (None, _) => too_large(),
                (Some(body), program) => with(program, async |program| decide::post(visit, program, &body).await).await,
            },
            // Only a page of the site itself may say what its visitor agreed to.
            Endpoint::Consent if !caller.is_same_origin() && trusted.is_none() => {
                Answer::error(403, "forbidden", "A consent can only be given from a page of the site.")
            }
            Endpoint::Consent => match visit.body(BODY_LIMIT).await {
                None => too_large(),
                Some(body) => consent::post(visit, &body),
            },
            Endpoint::Unknown => not_found(),
            _ => not_allowed(endpoint),
        },
        _ => not_allowed(endpoint),
    };
    let answer = answer.with("vary", "origin");
    match trusted {
        Some(origin) => answer.with("access-control-allow-origin", origin).with("access-control-allow-credentials", "true"),
        None => answer,
    }
}

async fn with(program: Option<&Program>, answer: impl AsyncFnOnce(&Program) -> Answer) -> Answer {
    match program {
        Some(program) => answer(program).await,
        None => no_program(),
    }
}

fn preflight(endpoint: Endpoint) -> Answer {
    Answer::empty(204)
        .with("allow", endpoint.methods())
        .with("access-control-allow-methods", endpoint.methods())
        .with("access-control-allow-headers", "content-type")
        .with("access-control-max-age", "600")
}

fn not_found() -> Answer {
    Answer::error(404, "not_found", "There is nothing at this address.")
}

fn not_allowed(endpoint: Endpoint) -> Answer {
    Answer::error(405, "method_not_allowed", "This address does not take that method.").with("allow", endpoint.methods())
}

fn too_large() -> Answer {
    Answer::error(413, "too_large", "The body is larger than 256 KB, or can't be read.")
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
fn facts(visit: &Visit, page: &str, referrer: Option<String>) -> Option<idoine::Request> {
    let (stripped, mut overrides) = host::split_preview(page)?;
    let mut facts = match &visit.overrides {
        // The page's own preview parameters count as they do for the page itself; the request's go before them.
        Some(own) => {
            overrides.extend(own.iter().cloned());
            visit.facts(stripped, overrides)
        }
        None => visit.facts(page.to_owned(), Vec::new()),
    };
    facts.headers.retain(|(name, _)| name != "referer");
    facts.headers.extend(referrer.map(|referrer| ("referer".to_owned(), referrer)));
    Some(facts)
}
