//! What the shards of profiles are asked for the site's owner: `worker/js/profiles/owner.js`.

use js_sys::{Array, Reflect, Uint8Array};
use serde_json::Value;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/profiles/owner.js")]
extern "C" {
    #[wasm_bindgen(js_name = keepsProfiles)]
    fn js_keeps(env: &worker::Env) -> bool;

    #[wasm_bindgen(js_name = profileOf, catch)]
    async fn js_profile(env: &worker::Env, site: &str, key: &str, by: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = askOf, catch)]
    async fn js_ask(env: &worker::Env, site: &str, key: &str, name: &str, given: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = countsOf, catch)]
    async fn js_counts(env: &worker::Env, site: &str, names: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = membersOf, catch)]
    async fn js_members(
        env: &worker::Env,
        site: &str,
        audience: &str,
        cursor: &str,
        most: u32,
        by: &str,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = countedOf, catch)]
    async fn js_counted(env: &worker::Env, site: &str, name: &str, days: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = receiptOf, catch)]
    async fn js_receipt(env: &worker::Env, site: &str, id: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = renewQuantiles, catch)]
    async fn js_renew(env: &worker::Env, site: &str) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/js/profiles/erase.js")]
extern "C" {
    #[wasm_bindgen(js_name = eraseOf, catch)]
    async fn js_erase(env: &worker::Env, site: &str, key: &str, receipt: &str) -> Result<JsValue, JsValue>;
}

/// A profile as its shard has it.
pub struct Stored {
    /// The states of its parts.
    pub states: Vec<Vec<u8>>,
    /// What is known of all visitors together.
    pub quantiles: Vec<u8>,
    /// The rest, as the API answers.
    pub about: Value,
}

/// Whether profiles are kept.
pub fn are_kept(env: &worker::Env) -> bool {
    js_keeps(env)
}

fn failed(error: impl std::fmt::Debug) -> String {
    format!("the profiles can't be asked: {error:?}")
}

fn json(answer: Result<JsValue, JsValue>) -> Result<Value, String> {
    crate::json::read(&answer.map_err(failed)?.as_string().unwrap_or_default()).map_err(failed)
}

/// A profile; `None` when there is none. `by` reads it.
pub async fn profile(env: &worker::Env, site: &str, key: &str, by: &str) -> Result<Option<Stored>, String> {
    let found = js_profile(env, site, key, by).await.map_err(failed)?;
    if found.is_null() || found.is_undefined() {
        return Ok(None);
    }
    let field = |name: &str| Reflect::get(&found, &JsValue::from_str(name)).map_err(failed);
    let bytes = |value: &JsValue| if value.is_object() { Uint8Array::new(value).to_vec() } else { Vec::new() };
    Ok(Some(Stored {
        states: Array::from(&field("states")?).iter().map(|state| bytes(&state)).collect(),
        quantiles: bytes(&field("quantiles")?),
        about: json(Ok(field("about")?))?,
    }))
}

/// What a profile's shard answers to a call.
pub async fn ask(env: &worker::Env, site: &str, key: &str, name: &str, given: &Value) -> Result<Value, String> {
    json(js_ask(env, site, key, name, &given.to_string()).await)
}

/// Has all erased that is stored of a visitor.
pub async fn erase(env: &worker::Env, site: &str, key: &str, receipt: &str) -> Result<Value, String> {
    json(js_erase(env, site, key, receipt).await)
}

/// What became of an erasure, as the API answers; null where there is no such receipt.
pub async fn receipt(env: &worker::Env, site: &str, id: &str) -> Result<Value, String> {
    json(js_receipt(env, site, id).await)
}

/// How many profiles are in these audiences, as the API answers.
pub async fn counts(env: &worker::Env, site: &str, names: &[&str]) -> Result<Value, String> {
    json(js_counts(env, site, &Value::from(names.to_vec()).to_string()).await)
}

/// Members of an audience for `by`, and where the next ones begin; null for a cursor that is none.
pub async fn members(
    env: &worker::Env,
    site: &str,
    audience: &str,
    cursor: &str,
    most: u32,
    by: &str,
) -> Result<Value, String> {
    json(js_members(env, site, audience, cursor, most, by).await)
}

/// Has the site's quantiles worked out anew.
pub async fn renew(env: &worker::Env, site: &str) -> Result<Value, String> {
    json(js_renew(env, site).await)
}

/// What was counted on the last days, as the API answers.
pub async fn counted(env: &worker::Env, site: &str, name: &str, days: u32) -> Result<Value, String> {
    json(js_counted(env, site, name, days).await)
}
