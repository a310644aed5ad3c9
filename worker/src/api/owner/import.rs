//! `POST /_idoine/api/import`: events of the past, a line of JSON each. `worker/js/events/import.js` takes them.

use super::profile::no_profiles;
use super::unavailable;
use crate::answer::Answer;
use crate::api::{bad_request, no_program, parameter, too_large};
use crate::audit::{Entry, write};
use crate::collect::judgements;
use crate::tokens::Bearer;
use crate::visit::Visit;
use crate::{host, program, rules, shards};
use idoine::consent::Purpose;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/events/import.js")]
extern "C" {
    #[wasm_bindgen(js_name = importEvents, catch)]
    async fn js_import(
        env: &worker::Env,
        ctx: &worker::worker_sys::Context,
        site: &str,
        source: &str,
        purposes: Vec<String>,
        text: &str,
    ) -> Result<JsValue, JsValue>;
}

/// The longest body.
const BODY_LIMIT: u32 = 2 * 1024 * 1024;

/// The most lines.
const MOST_LINES: usize = 1000;

/// What people agreed to whose rows say nothing else.
const PURPOSES: &str = "analytics+personalization";

thread_local! {
    /// Whose imports of which source stand in the trail already, and for which hour: one takes thousands of requests.
    static NOTED: RefCell<Vec<(String, i64)>> = const { RefCell::new(Vec::new()) };
}

/// Whether somebody's import is not in the trail yet for this hour, as far as this isolate knows.
fn is_new(bearer: &Bearer, site: &str, source: &str, hour: i64) -> bool {
    let import = format!("{site} {} {source}", bearer.name);
    NOTED.with_borrow_mut(|noted| {
        noted.retain(|(_, at)| *at == hour);
        let is_new = noted.iter().all(|(known, _)| *known != import);
        if is_new {
            noted.push((import, hour));
        }
        is_new
    })
}

pub async fn post(visit: &Visit, bearer: &Bearer) -> Answer {
    if !shards::are_kept(&visit.env) {
        return no_profiles();
    }
    let Some(source) = parameter(visit, "source").filter(|source| is_source(source)) else {
        return bad_request("Expected `source`, where the events come from: 1 to 64 letters, digits, `-`, `_` or `.`.");
    };
    let Some(purposes) = purposes(parameter(visit, "purposes").as_deref().unwrap_or(PURPOSES)) else {
        return bad_request("Expected `purposes` to be personalization, analytics, marketing, with + between.");
    };
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let Ok(text) = String::from_utf8(body) else { return bad_request("Expected lines of JSON in UTF-8.") };
    if text.lines().filter(|line| !line.trim().is_empty()).count() > MOST_LINES {
        return bad_request("Expected 1,000 lines at most.");
    }
    if program::current(visit).await.is_none() {
        return no_program();
    }
    if is_new(bearer, &visit.site, &source, host::now().div_euclid(3_600_000)) {
        let entry = Entry::new(bearer, "import").with("what", Some(&source));
        if let Err(trouble) = write(visit, &entry).await {
            return unavailable(visit, &trouble);
        }
    }
    match js_import(&visit.env, visit.ctx.as_ref(), &visit.site, &source, purposes, &text)
        .await
        .ok()
        .and_then(|told| told.as_string())
    {
        // Who sent them sends them again; what was taken counts once.
        Some(results) if results.contains("\"status\":\"failed\"") => {
            Answer::bytes("application/json", results.into_bytes()).of_status(503).with("retry-after", "1")
        }
        Some(results) => Answer::bytes("application/json", results.into_bytes()).with("cache-control", "private, no-store"),
        None => {
            host::log("error", "not_imported", "events of an import could not be taken", &visit.site);
            Answer::error(503, "unavailable", "The events could not be taken: send them again.").with("retry-after", "1")
        }
    }
}

fn is_source(text: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=64).contains(&text.len()) && text.bytes().all(is_good)
}

/// Purposes by their names. Who writes a plus sign into an address without care writes a space.
fn purposes(text: &str) -> Option<Vec<String>> {
    let names = text.split(['+', ' ', ',']);
    let known = names.map(|name| Purpose::from_name(name).map(|purpose| purpose.name().to_owned()));
    known.collect()
}

/// What the site's program says of the events of a JSON list, as JSON. Called from `importEvents`.
#[wasm_bindgen]
pub fn judge_imported(site: &str, events: &str) -> Option<String> {
    let program = program::at_hand(site)?;
    serde_json::to_string(&judgements(&rules::of(&program), events, true)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_read() {
        let both = Some(vec!["analytics".to_owned(), "personalization".to_owned()]);
        for text in [PURPOSES, "analytics personalization", "analytics,personalization"] {
            assert_eq!(purposes(text), both, "{text}");
        }
        for text in ["", "all", "analytics+", "analytics++marketing"] {
            assert_eq!(purposes(text), None, "{text}");
        }
    }

    #[test]
    fn an_import_is_noted_once_an_hour() {
        let [anna, bob] = ["anna", "bob"].map(|name| Bearer { name: name.to_owned(), role: crate::tokens::Role::Publish });
        assert!(is_new(&anna, "shop", "erp", 1) && !is_new(&anna, "shop", "erp", 1));
        assert!(is_new(&bob, "shop", "erp", 1) && is_new(&anna, "blog", "erp", 1) && is_new(&anna, "shop", "crm", 1));
        assert!(is_new(&anna, "shop", "erp", 2));
        NOTED.with_borrow(|noted| assert_eq!(noted.len(), 1));
    }

    #[test]
    fn sources_have_plain_names() {
        assert!(["erp", "A.b-c_9"].into_iter().all(is_source));
        assert!(!["", "a b", "import:erp", "é"].into_iter().any(is_source));
        assert!(!is_source(&"a".repeat(65)));
    }
}
