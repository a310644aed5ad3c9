//! What the core must not know, from JavaScript: the clock, time zones, randomness, bodies.

use idoine::Offsets;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/host.js")]
extern "C" {
    /// Epoch milliseconds.
    #[wasm_bindgen(js_name = now)]
    fn js_now() -> f64;

    /// A new anonymous id.
    #[wasm_bindgen(js_name = newId)]
    pub fn new_id() -> String;

    /// What is known of a zone around an instant: see `Offsets::from_numbers`.
    #[wasm_bindgen(js_name = zoneOffsets)]
    fn js_zone_offsets(zone: &str, ms: f64) -> Vec<f64>;

    /// What came with a request: see there.
    #[wasm_bindgen(js_name = sentWith)]
    fn js_sent_with(request: &web_sys::Request) -> String;

    /// The query parameters of an address: names and values in turn.
    #[wasm_bindgen(js_name = queryOf)]
    fn js_query(url: &str) -> Vec<String>;

    #[wasm_bindgen(js_name = isLimited)]
    async fn js_is_limited(env: &worker::Env, name: &str, key: &str) -> JsValue;

    #[wasm_bindgen(js_name = readBody, catch)]
    async fn js_read_body(request: &web_sys::Request, limit: u32) -> Result<JsValue, JsValue>;
}

#[wasm_bindgen(module = "/js/log.js")]
extern "C" {
    /// Logs an event of a site: level, the event's name for programs, words for people, the site's id.
    #[wasm_bindgen(js_name = logOfSite)]
    pub fn log(level: &str, event: &str, message: &str, site: &str);
}

#[wasm_bindgen(module = "/js/preview.js")]
extern "C" {
    /// A URL without its preview parameters, then those: paths and texts in turn. Empty when it is no URL.
    #[wasm_bindgen(js_name = splitPreview)]
    fn js_split_preview(url: &str) -> Vec<String>;

    /// See there.
    #[wasm_bindgen(js_name = previewLink)]
    fn js_preview_link(url: &str, base: &str, token: &str) -> Vec<String>;
}

/// Epoch milliseconds.
pub fn now() -> i64 {
    js_now() as i64
}

/// How far a time zone is ahead of UTC around an instant; empty when there is no such zone.
pub fn zone_offsets(zone: &str, ms: i64) -> Offsets {
    Offsets::from_numbers(&js_zone_offsets(zone, ms as f64))
}

/// What came with a request beside its URL and its body.
#[derive(Debug, PartialEq)]
pub struct Sent {
    /// The method.
    pub method: String,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The scalar fields of `request.cf` as text.
    pub cf: Vec<(String, String)>,
}

/// What came with a request. JavaScript is asked once: each text by itself costs more than all of them in one.
pub fn sent_with(request: &web_sys::Request) -> Sent {
    read_sent(&js_sent_with(request))
}

/// The same, of the text that JavaScript makes of a request.
pub fn read_sent(text: &str) -> Sent {
    let mut lines = text.splitn(3, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let method = line().to_owned();
    let mut list = || pairs(line().split('\0').map(str::to_owned));
    Sent { method, headers: list(), cf: list() }
}

/// The query parameters of an address, decoded.
pub fn query(url: &str) -> Vec<(String, String)> {
    pairs(js_query(url))
}

/// A URL without its preview parameters, and those; `None` when it is no absolute URL.
pub fn split_preview(url: &str) -> Option<(String, Vec<(String, String)>)> {
    let mut parts = js_split_preview(url).into_iter();
    Some((parts.next()?, pairs(parts)))
}

/// The link to a page with which a browser may preview the site, and the page's address without query; `None` when it is none.
pub fn preview_link(url: &str, base: &str, token: &str) -> Option<(String, String)> {
    pairs(js_preview_link(url, base, token)).pop()
}

/// The bytes of a body; `None` when there are too many or they can't be read.
pub async fn read_body(request: &web_sys::Request, limit: u32) -> Option<Vec<u8>> {
    let bytes = js_read_body(request, limit).await.ok()?;
    bytes.dyn_into::<js_sys::Uint8Array>().ok().map(|bytes| bytes.to_vec())
}

/// Whether a rate limit that is bound by this name refuses a key. One that is not bound, or fails, refuses nothing.
pub async fn is_limited(env: &worker::Env, name: &str, key: &str) -> bool {
    js_is_limited(env, name, key).await.is_truthy()
}

/// A variable of the Worker as text.
pub fn var(env: &worker::Env, name: &str) -> Option<String> {
    let value = js_sys::Reflect::get(env.as_ref(), &JsValue::from_str(name)).ok()?;
    // Numbers and booleans of a configuration file arrive as such.
    let text = value.as_string().or_else(|| value.as_f64().map(|number| (number as i64).to_string()))?;
    Some(text).filter(|text| !text.is_empty())
}

/// Turns a flat list into pairs.
pub fn pairs(flat: impl IntoIterator<Item = String>) -> Vec<(String, String)> {
    let mut flat = flat.into_iter();
    std::iter::from_fn(|| Some((flat.next()?, flat.next()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_with_a_request_is_read() {
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let (headers, cf) = (vec![pair("accept", ""), pair("x", "a, b")], vec![pair("city", "Nîmes"), pair("odd", "a\n\nb")]);
        let expected = Sent { method: "GET".to_owned(), headers, cf };
        assert_eq!(read_sent("GET\naccept\0\0x\0a, b\ncity\0Nîmes\0odd\0a\n\nb"), expected);
        assert_eq!(read_sent("POST\n\n"), Sent { method: "POST".to_owned(), headers: Vec::new(), cf: Vec::new() });
    }
}
