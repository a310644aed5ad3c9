//! Values as plain JavaScript objects, and back: what the tools and the author's module share.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

mod json;

/// The error where a result has no form in JavaScript; our own results all have one.
pub const NO_RESULT: &str = "the result can't be made";

/// A value as a plain object.
pub fn to_js(value: &impl Serialize) -> Result<JsValue, JsError> {
    json::json(value).ok().and_then(|json| js_sys::JSON::parse(&json).ok()).ok_or_else(|| JsError::new(NO_RESULT))
}

/// A value out of a plain object, or what is wrong with that.
pub fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, JsError> {
    serde_wasm_bindgen::from_value(value).map_err(|error| JsError::new(&error.to_string()))
}
