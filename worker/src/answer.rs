//! An answer of Idoine's own, as plain data.

use serde::Serialize;
use wasm_bindgen::JsValue;

/// An answer to a request of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

/// What of a failure a caller is told.
#[derive(Debug, Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct Failure<'a> {
    /// What went wrong.
    pub error: Error<'a>,
}

/// What went wrong.
#[derive(Debug, Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct Error<'a> {
    /// For programs.
    pub code: &'a str,
    /// For people.
    pub message: &'a str,
    /// Where in the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Answer {
    /// An answer without a body.
    pub fn empty(status: u16) -> Answer {
        Answer { status, headers: Vec::new(), body: None }
    }

    /// JSON that is one visitor's: nobody keeps it.
    pub fn json(value: &impl Serialize) -> Answer {
        match serde_json::to_vec(value) {
            Ok(body) => Answer { status: 200, headers: Vec::new(), body: Some(body) }
                .with("content-type", "application/json")
                .with("cache-control", "private, no-store"),
            Err(_) => Answer::empty(500),
        }
    }

    /// A JSON object with one field more, of JSON as it is written.
    pub fn with_field(mut self, name: &str, json: &str) -> Answer {
        if let Some(body) = &mut self.body {
            body.pop();
            for part in [",\"", name, "\":", json, "}"] {
                body.extend_from_slice(part.as_bytes());
            }
        }
        self
    }

    /// Plain text that is one visitor's: nobody keeps it.
    pub fn text(text: String) -> Answer {
        Answer::bytes("text/plain; charset=utf-8", text.into_bytes()).with("cache-control", "private, no-store")
    }

    /// Bytes of a media type.
    pub fn bytes(media_type: &str, body: Vec<u8>) -> Answer {
        Answer { status: 200, headers: Vec::new(), body: Some(body) }.with("content-type", media_type)
    }

    /// A failure: a code for programs and a message for people.
    pub fn error(status: u16, code: &str, message: &str) -> Answer {
        Answer::json(&Failure { error: Error { code, message, path: None } }).of_status(status)
    }

    /// The answer with another status.
    pub fn of_status(self, status: u16) -> Answer {
        Answer { status, ..self }
    }

    /// The bytes of its body.
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or_default()
    }

    /// The answer with one header more.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    /// The same as an object of the host; `None` where the host refuses it.
    pub fn into_response(self) -> Option<JsValue> {
        let headers = worker::Headers::new();
        for (name, value) in &self.headers {
            // One by one, so that two cookies stay two.
            headers.append(name, value).ok()?;
        }
        headers.append("x-content-type-options", "nosniff").ok()?;
        let builder = worker::Response::builder().with_status(self.status).with_headers(headers);
        let response = match self.body {
            Some(body) => builder.fixed(body),
            None => builder.empty(),
        };
        Some(web_sys::Response::from(response).into())
    }
}
