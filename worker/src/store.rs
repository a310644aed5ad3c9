//! What is kept in the KV namespace `PROGRAMS`, and nothing of how it is used.
//!
//! ```text
//! program:<version>                      a program's bytes; who published it, in its metadata
//! site:<id>                              the pointer (see `pointer.rs`); what was live before, in its metadata
//! audit:<id>:<inverted time>:<random>    an entry of the audit trail (see `audit.rs`)
//! ```
//! Where metadata or lists are wanted, JavaScript asks the binding: `worker/js/store.js`.

use crate::pointer::Pointer;
use idoine::Program;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

/// The binding of the store.
const STORE: &str = "PROGRAMS";

/// The shortest time in seconds that KV keeps what a data centre has read. A pointer is never older than that, and what an
/// isolate adds by not looking.
const POINTER_SECONDS: u64 = 30;

/// The largest value that KV takes, and so the largest program that can be published.
pub const MAX_BYTES: u32 = 25 << 20;

#[wasm_bindgen(module = "/js/store.js")]
extern "C" {
    /// See there.
    #[wasm_bindgen(js_name = entryOf, catch)]
    async fn js_entry(store: &JsValue, key: &str, cache_seconds: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = versionsOf, catch)]
    async fn js_versions(store: &JsValue, site: &str, most: u32) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = notesOf, catch)]
    async fn js_notes(store: &JsValue, prefix: &str, most: u32, cursor: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = put, catch)]
    async fn js_put(store: &JsValue, key: &str, value: JsValue, noted: &str, seconds: Option<u32>) -> Result<JsValue, JsValue>;
}

fn failed(error: impl std::fmt::Debug) -> String {
    format!("the program store fails: {error:?}")
}

fn kv(env: &worker::Env) -> Result<worker::kv::KvStore, String> {
    env.kv(STORE).map_err(|error| format!("the KV binding {STORE} is missing: {error}"))
}

/// The binding as JavaScript has it.
fn binding(env: &worker::Env) -> Result<JsValue, String> {
    let binding = js_sys::Reflect::get(env.as_ref(), &JsValue::from_str(STORE)).map_err(failed)?;
    if binding.is_undefined() { Err(format!("the KV binding {STORE} is missing")) } else { Ok(binding) }
}

/// What a site's pointer says; the numbers of its lines that say nothing.
pub async fn pointer(env: &worker::Env, site: &str) -> Result<(Pointer, Vec<usize>), String> {
    let text = kv(env)?.get(&format!("site:{site}")).cache_ttl(POINTER_SECONDS).text().await;
    let text = text.map_err(|error| format!("the program store fails: {error}"))?;
    let text = text.ok_or_else(|| format!("nothing is published for site {site}"))?;
    let (pointer, bad) = Pointer::read(&text);
    if pointer == Pointer::default() {
        return Err(format!("the pointer of site {site} is not a version"));
    }
    Ok((pointer, bad))
}

/// The pointer for who is going to write it, with what was live before it was written last. Where nothing is published yet, or
/// nothing that can be read, it is empty.
pub async fn pointer_to_write(env: &worker::Env, site: &str) -> Result<(Pointer, Option<String>), String> {
    let entry = json(js_entry(&binding(env)?, &format!("site:{site}"), POINTER_SECONDS as u32).await)?;
    let text = |path: &str| entry.pointer(path).and_then(Value::as_str);
    let (pointer, _) = Pointer::read(text("/value").unwrap_or_default());
    Ok((pointer, text("/metadata/previous").map(str::to_owned)))
}

/// Stores a pointer.
pub async fn put_pointer(env: &worker::Env, site: &str, pointer: &Pointer, previous: Option<&str>) -> Result<(), String> {
    put(env, &format!("site:{site}"), pointer.write().into(), json!({ "previous": previous }), None).await
}

/// The program of a version; `None` when the store does not have it.
pub async fn program(env: &worker::Env, version: &str) -> Result<Option<Program>, String> {
    let bytes = kv(env)?.get(&format!("program:{version}")).bytes().await;
    let Some(bytes) = bytes.map_err(|error| format!("the program store fails: {error}"))? else { return Ok(None) };
    let program = Program::load(bytes).map_err(|error| format!("program {version}: {error}"))?;
    if program.version() != version {
        return Err(format!("what is stored as program {version} is program {}", program.version()));
    }
    Ok(Some(program))
}

/// Stores a program's bytes under its version, with who published it when.
pub async fn put_program(env: &worker::Env, program: &Program, at: &str, by: &str) -> Result<(), String> {
    let noted = json!({ "site": program.site_id(), "at": at, "by": by, "bytes": program.bytes().len() });
    let bytes = js_sys::Uint8Array::from(program.bytes());
    put(env, &format!("program:{}", program.version()), bytes.into(), noted, None).await
}

/// The versions of a site that are in the store: `{ versions, more }`, as the API answers.
pub async fn versions(env: &worker::Env, site: &str, most: u32) -> Result<Value, String> {
    json(js_versions(&binding(env)?, site, most).await)
}

/// Stores a note that is a key of its own, for so many seconds.
pub async fn put_note(env: &worker::Env, key: &str, noted: Value, seconds: u32) -> Result<(), String> {
    put(env, key, JsValue::from_str(""), noted, Some(seconds)).await
}

/// The notes below a prefix, in the order of their keys: `{ entries, cursor }`, as the API answers.
pub async fn notes(env: &worker::Env, prefix: &str, most: u32, cursor: &str) -> Result<Value, String> {
    json(js_notes(&binding(env)?, prefix, most, cursor).await)
}

async fn put(env: &worker::Env, key: &str, value: JsValue, noted: Value, seconds: Option<u32>) -> Result<(), String> {
    js_put(&binding(env)?, key, value, &noted.to_string(), seconds).await.map(|_| ()).map_err(failed)
}

fn json(answer: Result<JsValue, JsValue>) -> Result<Value, String> {
    crate::json::read(&answer.map_err(failed)?.as_string().unwrap_or_default()).map_err(failed)
}
