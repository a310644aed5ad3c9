//! What JavaScript asks of the core where profiles are kept (`worker/js/profiles/learn.js`). All of it but [`learn_ready`] ends at once, with
//! the site's program that is at hand: bytes in, bytes out.

mod event;

use crate::{program, rules};
use idoine::learn::site::Buyers;
use idoine::learn::{self, Event, Rules, Site, State};
use idoine::{Context, Program, Truth};
use serde_json::{Map, Value, json};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// A program and what it says of learning.
pub struct Learned {
    /// The program.
    pub program: Rc<Program>,
    /// Its rules.
    pub rules: Rc<Rules>,
}

/// The site's program that is at hand, with its rules.
pub fn at_hand(site: &str) -> Option<Learned> {
    let program = program::at_hand(site)?;
    let rules = rules::of(&program);
    Some(Learned { program, rules })
}

/// The same, for who can't do without: nobody is to take a program that is not there for a state that can't be read.
fn needed(site: &str) -> Result<Learned, JsValue> {
    at_hand(site).ok_or_else(|| JsValue::from_str("the site's program is not at hand"))
}

/// A state; empty where there are no bytes, `None` where they are none.
pub fn state(bytes: &[u8]) -> Option<State> {
    if bytes.is_empty() { Some(State::default()) } else { State::decode(bytes) }
}

/// What is known of all visitors together, as it is kept.
pub fn site_of(quantiles: &[u8]) -> Site {
    Site::decode(quantiles).unwrap_or_default()
}

/// Has the site's program at hand; the version of the one that is, `undefined` where there is none.
#[wasm_bindgen]
pub async fn learn_ready(env: worker::Env, ctx: worker::worker_sys::Context, site: String) -> Option<String> {
    let program = program::live(&env, &worker::Context::new(ctx), &site).await?;
    Some(program.version())
}

/// The version of the program that is at hand; `undefined` where there is none.
#[wasm_bindgen]
pub fn learn_version(site: &str) -> Option<String> {
    Some(program::at_hand(site)?.version())
}

/// What the program at hand says to who keeps profiles, as JSON.
#[wasm_bindgen]
pub fn learn_program(site: &str) -> Option<String> {
    let Learned { program, rules } = &at_hand(site)?;
    let webhooks: Vec<Value> = rules
        .webhooks
        .iter()
        .map(|webhook| {
            json!({
                "name": webhook.name, "url": webhook.url, "events": webhook.events,
                "audiences": webhook.audiences, "purpose": webhook.purpose.0,
            })
        })
        .collect();
    let nobody = Context::of_profile::<&str>(program, &[], 0);
    let audiences: Vec<&str> = idoine::audiences(program, &nobody).into_iter().map(|(name, _)| name).collect();
    let told = json!({
        "version": program.version(), "audiences": audiences, "watched": rules.watched,
        "webhooks": webhooks, "rfm": rules.rfm.is_some(),
        "consent": crate::json::read::<Value>(program.keeping()).unwrap_or_default(),
    });
    Some(told.to_string())
}

/// A state with more events: one to a line, canonical JSON, in their order; `late` ones are older than the state's window. `undefined` where
/// the bytes are no state; throws where there is no program.
#[wasm_bindgen]
pub fn learn_fold(site: &str, bytes: &[u8], events: &str, late: bool) -> Result<Option<Vec<u8>>, JsValue> {
    let Learned { program, rules } = &needed(site)?;
    let Some(mut state) = state(bytes) else { return Ok(None) };
    for line in events.lines() {
        let Ok(value) = crate::json::read::<Value>(line) else { continue };
        let Some(event) = event::read(program, &value) else { continue };
        fold(rules, &mut state, &event, late);
    }
    Ok(Some(state.encode()))
}

fn fold(rules: &Rules, state: &mut State, event: &Event, late: bool) {
    if late { state.fold_late(rules, event) } else { state.fold(rules, event) }
}

/// One state of several; those that are none are left out.
#[wasm_bindgen]
pub fn learn_merge(site: &str, states: Vec<js_sys::Uint8Array>) -> Result<Vec<u8>, JsValue> {
    let learned = needed(site)?;
    let mut whole = State::default();
    for part in states.iter().filter_map(|bytes| State::decode(&bytes.to_vec())) {
        whole.merge(&learned.rules, &part);
    }
    Ok(whole.encode())
}

/// A state without what was said of these traits before an instant; `undefined` where nothing was, or the bytes are no state.
#[wasm_bindgen]
pub fn learn_strip(bytes: &[u8], names: Vec<String>, before: f64) -> Option<Vec<u8>> {
    let mut state = State::decode(bytes)?;
    state.strip(&names, before as i64).then(|| state.encode())
}

/// The projection of a state; `user` is who the visitor is known to be.
#[wasm_bindgen]
pub fn learn_project(site: &str, bytes: &[u8], quantiles: &[u8], now: f64, user: Option<String>) -> Result<Vec<u8>, JsValue> {
    let learned = needed(site)?;
    let state = state(bytes).unwrap_or_default();
    Ok(learn::projection::encode(&learned.rules, &state, &site_of(quantiles), now as i64, user.as_deref()))
}

/// What the program reads of a state, as pairs for a request.
pub fn pairs(learned: &Learned, state: &State, site: &Site, now: i64) -> Vec<(String, String)> {
    let rules = &learned.rules;
    let told = rules.readings.iter().filter_map(|reading| {
        let value = learn::read(rules, state, site, now, &reading.what)?;
        Some((reading.path.clone(), learn::text(&value)))
    });
    told.collect()
}

/// The page of facts of a state: the fields of `Facts`, with everything that the program reads as texts by path.
pub fn facts(learned: &Learned, state: &State, site: &Site, now: i64) -> Map<String, Value> {
    let mut page = match serde_json::to_value(learn::facts(&learned.rules, state, site, now)) {
        Ok(Value::Object(page)) => page,
        _ => Map::new(),
    };
    let readings = pairs(learned, state, site, now).into_iter().map(|(path, text)| (path, Value::from(text)));
    page.insert("readings".to_owned(), Value::Object(readings.collect()));
    page
}

/// The same as JSON.
#[wasm_bindgen]
pub fn learn_facts(site: &str, bytes: &[u8], quantiles: &[u8], now: f64) -> Result<String, JsValue> {
    let learned = needed(site)?;
    let state = state(bytes).unwrap_or_default();
    Ok(Value::Object(facts(&learned, &state, &site_of(quantiles), now as i64)).to_string())
}

/// Whether a value, as JSON, is one that the trait of this name can have.
#[wasm_bindgen]
pub fn learn_accepts(site: &str, name: &str, value: &str) -> Result<bool, JsValue> {
    let learned = needed(site)?;
    let value = crate::json::read::<Value>(value).ok();
    let value = value.as_ref().and_then(event::scalar);
    Ok(value.is_some_and(|value| learn::accepts(&learned.rules, name, &value)))
}

/// In which audiences of the program a state is, in their order: 1 in it, 0 not, 2 unknown.
#[wasm_bindgen]
pub fn learn_audiences(site: &str, bytes: &[u8], quantiles: &[u8], now: f64) -> Result<Vec<u8>, JsValue> {
    let learned = needed(site)?;
    let state = state(bytes).unwrap_or_default();
    let now = now as i64;
    let context = Context::of_profile(&learned.program, &pairs(&learned, &state, &site_of(quantiles), now), now);
    let told = idoine::audiences(&learned.program, &context).into_iter().map(|(_, truth)| match truth {
        Truth::True => 1,
        Truth::False => 0,
        Truth::Unknown | Truth::Denied => 2,
    });
    Ok(told.collect())
}

/// The histograms of those who bought, with further states: each of one profile.
#[wasm_bindgen]
pub fn learn_sketch(bytes: &[u8], states: Vec<js_sys::Uint8Array>) -> Vec<u8> {
    let mut buyers = Buyers::decode(bytes).unwrap_or_default();
    for state in states.iter().filter_map(|bytes| State::decode(&bytes.to_vec())) {
        buyers.change(None, state.buyer());
    }
    buyers.encode()
}

/// What is known of all visitors together, of the histograms of all shards.
#[wasm_bindgen]
pub fn learn_quantiles(sketches: Vec<js_sys::Uint8Array>) -> Vec<u8> {
    let mut buyers = Buyers::default();
    for sketch in sketches.iter().filter_map(|bytes| Buyers::decode(&bytes.to_vec())) {
        buyers.merge(&sketch);
    }
    buyers.site().encode()
}
