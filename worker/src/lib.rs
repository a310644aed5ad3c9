//! Idoine at the edge, between `worker/js/entry.js` and the core.
//!
//! The host asks once per request, before it asks the origin, and gets plain data: what to do to the page, or an answer of
//! Idoine's own. Nothing in here is at work while a page streams, so a trap costs at most the personalisation of the
//! requests that are being decided at that moment.

mod answer;
mod api;
mod audit;
mod collect;
mod cors;
mod enrichment;
mod host;
mod identity;
mod json;
mod learn;
#[cfg(any(test, feature = "openapi"))]
pub mod openapi;
mod page;
mod plan;
mod pointer;
mod program;
mod route;
mod routes;
mod rules;
mod shards;
mod store;
mod tokens;
mod visit;

use idoine::learn::projection;
use visit::Visit;
use wasm_bindgen::prelude::*;

/// How memory is handed out: as in the engine, some kilobytes smaller than by the standard library's. Unlike a page's, an isolate lives long
/// and takes programs of megabytes: what it gets of the host becomes one pool, so that what was freed is found again.
#[cfg(target_family = "wasm")]
struct Pooled;

#[cfg(target_family = "wasm")]
impl rlsf::GlobalTlsfOptions for Pooled {
    const ENABLE_REALLOCATION: bool = false;
}

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf<Pooled> = rlsf::GlobalTlsf::new();

/// Answers a request of Idoine's own with a `Response`; says of a page what to do to it, as JSON text. When nothing is to be done
/// that is whether a bot asks, or `undefined` where there is no program.
///
/// `site` is the id of the site that it is for; `url` is the request's without preview parameters, `overrides` are those (paths and texts in turn), `undefined` where
/// preview is not allowed. `ask` gets the answers of enrichments (see `enrichment.rs`); that it is called tells the host that
/// the page is going to be edited. `projection` are the bytes in the visitor's cookie, for the id that came beside it.
#[allow(clippy::too_many_arguments)] // What a request is made of.
#[wasm_bindgen]
pub async fn handle(
    request: web_sys::Request,
    env: worker::Env,
    ctx: worker::worker_sys::Context,
    site: String,
    url: String,
    overrides: Option<Vec<String>>,
    ask: js_sys::Function,
    projection: Option<Vec<u8>>,
) -> JsValue {
    let visit = Visit::new(request, env, worker::Context::new(ctx), site, url, overrides, ask).with_projection(projection);
    match route::route(visit.path()) {
        None => page::known(&visit).await,
        Some(found) => api::answer(&visit, found).await.into_response().map_or(JsValue::UNDEFINED, JsValue::from),
    }
}

/// Whether two projections say the same from an instant on, whenever they were written.
#[wasm_bindgen]
pub fn projection_same(one: &[u8], other: &[u8], now: f64) -> bool {
    projection::same(one, other, now as i64)
}

/// The slots that read what two projections say otherwise, as a JSON list; none where the site's program is not at hand.
#[wasm_bindgen]
pub fn projection_slots(site: &str, one: Option<Vec<u8>>, other: &[u8], now: f64) -> String {
    let named = learn::at_hand(site).map(|learned| {
        let slots = projection::slots(&learned.program, &learned.rules, one.as_deref(), other, now as i64);
        serde_json::to_string(&slots).unwrap_or_default()
    });
    named.filter(|text| !text.is_empty()).unwrap_or_else(|| "[]".to_owned())
}
