//! What is kept in the KV namespace `PROGRAMS`, and nothing of how it is used.
//!
//! ```text
//! program:<version>                      a program's bytes; who published it, in its metadata
//! site:<id>                              the pointer (see `pointer.rs`); what was live before, in its metadata
//! audit:<id>:<inverted time>:<random>    an entry of the audit trail (see `audit.rs`)
//! ```
//! `host.rs` of JavaScript asks the binding itself where metadata or lists are wanted: `worker/js/store.js`.

use crate::pointer::Pointer;
use idoine::Program;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
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

    #[wasm_bindgen(js_name = keysOf, catch)]
    async fn js_keys(store: &JsValue, prefix: &str, most: u32, cursor: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = putText, catch)]
    async fn js_put_text(store: &JsValue, key: &str, value: &str, options: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = putBytes, catch)]
    async fn js_put_bytes(store: &JsValue, key: &str, value: Vec<u8>, options: &str) -> Result<JsValue, JsValue>;
}

/// What is noted beside a program's bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Noted {
    /// The site's id.
    pub site: String,
    /// When it was published last, RFC 3339.
    pub at: String,
    /// The name of the token that published it.
    pub by: String,
    /// Its size.
    pub bytes: u64,
}

/// What is noted beside a pointer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Before {
    /// What was live before.
    pub previous: Option<String>,
}

/// A key and what is noted beside it.
#[derive(Debug, Deserialize)]
pub struct Key<T> {
    /// The key without its prefix.
    pub name: String,
    /// Absent for what `wrangler kv` put there.
    pub metadata: Option<T>,
}

/// Some keys, and from where to go on.
#[derive(Debug, Deserialize)]
pub struct Keys<T> {
    /// In the order of their bytes.
    pub keys: Vec<Key<T>>,
    /// Where the next ones begin, if there are more.
    pub cursor: Option<String>,
}

/// How a value is put.
#[derive(Serialize)]
struct Options<'a, T> {
    metadata: &'a T,
    #[serde(rename = "expirationTtl", skip_serializing_if = "Option::is_none")]
    expiration_ttl: Option<u32>,
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
    #[derive(Deserialize)]
    struct Entry {
        value: Option<String>,
        metadata: Option<Before>,
    }
    let entry = js_entry(&binding(env)?, &format!("site:{site}"), POINTER_SECONDS as u32).await.map_err(failed)?;
    let entry: Entry = parse(&entry)?;
    let (pointer, _) = Pointer::read(&entry.value.unwrap_or_default());
    Ok((pointer, entry.metadata.and_then(|before| before.previous)))
}

/// Stores a pointer.
pub async fn put_pointer(env: &worker::Env, site: &str, pointer: &Pointer, previous: Option<String>) -> Result<(), String> {
    let options = options(&Before { previous }, None)?;
    js_put_text(&binding(env)?, &format!("site:{site}"), &pointer.write(), &options).await.map(|_| ()).map_err(failed)
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

/// Stores a program's bytes under its version.
pub async fn put_program(env: &worker::Env, program: &Program, noted: &Noted) -> Result<(), String> {
    let key = format!("program:{}", program.version());
    let options = options(noted, None)?;
    js_put_bytes(&binding(env)?, &key, program.bytes().to_vec(), &options).await.map(|_| ()).map_err(failed)
}

/// The versions of all sites that are in the store.
pub async fn versions(env: &worker::Env) -> Result<Keys<Noted>, String> {
    // More than ten thousand are not looked at.
    parse(&js_keys(&binding(env)?, "program:", 10_000, "").await.map_err(failed)?)
}

/// Stores an entry that is a key and what is noted beside it.
pub async fn put_entry(env: &worker::Env, key: &str, noted: &impl Serialize, seconds: u32) -> Result<(), String> {
    let options = options(noted, Some(seconds))?;
    js_put_text(&binding(env)?, key, "", &options).await.map(|_| ()).map_err(failed)
}

/// Entries below a prefix, in the order of their keys.
pub async fn entries<T: DeserializeOwned>(env: &worker::Env, prefix: &str, most: u32, cursor: &str) -> Result<Keys<T>, String> {
    parse(&js_keys(&binding(env)?, prefix, most, cursor).await.map_err(failed)?)
}

fn options<T: Serialize>(metadata: &T, expiration_ttl: Option<u32>) -> Result<String, String> {
    serde_json::to_string(&Options { metadata, expiration_ttl }).map_err(|error| error.to_string())
}

fn parse<T: DeserializeOwned>(text: &JsValue) -> Result<T, String> {
    serde_json::from_str(&text.as_string().unwrap_or_default()).map_err(failed)
}
