//! What an evaluation context says, and what of it counts.

use crate::api::batch::alone;
use crate::visit::{Visit, with_offsets, with_own_cookies};
use crate::{host, identity};
use idoine::visitor::{Texts, Visitor};
use idoine::{Program, Request};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The longest targeting key, in bytes.
const LONGEST_KEY: usize = 1024;

/// The longest path that is looked for in an object, in bytes: no field's is longer.
const LONGEST_PATH: usize = 200;

/// A request for flags.
#[derive(Default)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepRequest"))]
pub struct Asked {
    /// The evaluation context: `targetingKey`, `url`, `referrer`, and fields by their paths, flat or nested. With a token also
    /// `headers`, `cf`, `now`, `profile`, `enrichments` and `offsets`.
    #[cfg_attr(any(test, feature = "openapi"), schemars(with = "std::collections::BTreeMap<String, Value>"))]
    context: Value,
}

impl Asked {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Asked, String> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(mut body)) => Ok(Asked { context: body.remove("context").unwrap_or_else(|| json!({})) }),
            Ok(_) => Err("Expected {\"context\": {..}}.".to_owned()),
            Err(error) => Err(format!("The body is not JSON: {error}.")),
        }
    }
}

/// What a context comes to.
pub struct Claims {
    /// The raw request that decides.
    pub request: Request,
    /// What of the context did not count.
    pub ignored: Vec<String>,
    /// Whether no targeting key came.
    pub anonymous: bool,
}

/// What every context may say, and the rest of it.
struct Parts {
    key: Option<String>,
    url: Option<String>,
    referrer: Option<String>,
    rest: Map<String, Value>,
}

impl Parts {
    fn of(visit: &Visit, asked: Asked) -> Result<Parts, String> {
        let Value::Object(mut rest) = asked.context else { return Err("`context` is not an object.".to_owned()) };
        let mut text = |name: &str| match rest.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("`{name}` is not a text.")),
        };
        let (key, url, referrer) = (text("targetingKey")?, text("url")?, text("referrer")?);
        if key.as_ref().is_some_and(|key| key.len() > LONGEST_KEY) {
            return Err("`targetingKey` is longer than 1,024 bytes.".to_owned());
        }
        // A path is one of the site that is asked.
        let url = url.map(|url| if url.starts_with('/') { format!("{}{url}", visit.origin()) } else { url });
        Ok(Parts { key: key.filter(|key| !key.is_empty()), url, referrer, rest })
    }

    /// The page that is asked about.
    fn page(&self, visit: &Visit) -> Result<String, String> {
        let url = self.url.clone().unwrap_or_else(|| format!("{}/", visit.origin()));
        if host::split_preview(&url).is_some() { Ok(url) } else { Err("`url` is not an absolute URL.".to_owned()) }
    }
}

impl Claims {
    /// What counts of what a visitor says of themselves: the page, and fields that nobody has to agree to. What a request shows
    /// by itself, its cookies and the clock stay as they are.
    pub fn of_visitor(visit: &Visit, program: &Program, asked: Asked) -> Result<Claims, String> {
        let parts = Parts::of(visit, asked)?;
        let mut ignored = Vec::new();
        if parts.key.is_some() && parts.key != visit.id() {
            ignored.push("targetingKey".to_owned());
        }
        let page = parts.page(visit)?;
        let mut overrides = Vec::new();
        for (path, value) in leaves(program, parts.rest) {
            match text_of(&path, value).filter(|_| may_claim(program, &path)) {
                Some(text) => overrides.push((path, text)),
                None => ignored.push(path),
            }
        }
        let facts = super::super::facts(visit, program, &page, parts.referrer).ok_or("`url` is not an absolute URL.")?;
        let mut facts = Request { offsets: Default::default(), ..facts };
        facts.overrides.extend(overrides);
        Ok(Claims { request: with_offsets(facts), ignored, anonymous: parts.key.is_none() })
    }

    /// What a server says of a visitor: all of it counts, and nothing of the server's own request.
    pub fn of_server(visit: &Visit, program: &Program, asked: Asked) -> Result<Claims, String> {
        let mut parts = Parts::of(visit, asked)?;
        let mut raw = Map::new();
        raw.insert("url".to_owned(), parts.page(visit)?.into());
        for name in ["headers", "cf", "now", "enrichments", "offsets"] {
            if let Some(value) = parts.rest.remove(name).filter(|value| !value.is_null()) {
                raw.insert(name.to_owned(), value);
            }
        }
        let mut visitor = Visitor::deserialize(&Value::Object(raw)).map_err(|error| format!("This is no visitor: {error}."))?;
        let mut ignored = Vec::new();
        for (path, value) in leaves(program, parts.rest) {
            let Some(text) = text_of(&path, value) else {
                ignored.push(path);
                continue;
            };
            match path.strip_prefix("profile.") {
                // A trait is a field; all else of a profile is stored.
                Some(stored) if program.field(&path).is_none() => visitor.profile.0.push((stored.to_owned(), text)),
                _ => visitor.context.0.push((path, text)),
            }
        }
        let keys = visit.keys();
        if let Some(name) = &parts.key {
            visitor.context.0.push(("visitor.id".to_owned(), identity::of_name(&keys, name)));
        }
        if visitor.wrong_instant().is_some() {
            return Err("`now` is not an instant such as 2026-11-20T12:30:00Z.".to_owned());
        }
        let mut request = with_own_cookies(visitor.request(host::now(), host::zone_offsets), &keys);
        if let Some(referrer) = parts.referrer {
            request.headers.retain(|(name, _)| name != "referer");
            request.headers.push(("referer".to_owned(), referrer));
        }
        Ok(Claims { request, ignored, anonymous: parts.key.is_none() })
    }
}

/// Whether a visitor may say of themselves what stands at a path.
fn may_claim(program: &Program, path: &str) -> bool {
    let kept = ["visitor.", "consent.", "profile."].iter().any(|prefix| path.starts_with(prefix));
    !kept && program.field(path).is_some_and(|(field, _)| program.field_purpose(field).is_none())
}

/// The values of a context by their paths: `{ "geo": { "country": "FR" } }` is `geo.country`. A field of its own is a value, be it an
/// object or not. Paths that are too long for a field end there: their beginning would be written for each value anew.
fn leaves(program: &Program, context: Map<String, Value>) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    let mut open = vec![(String::new(), context)];
    while let Some((prefix, values)) = open.pop() {
        for (name, value) in values {
            let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            match value {
                Value::Object(values) if path.len() <= LONGEST_PATH && program.field(&path).is_none() => {
                    open.push((path, values))
                }
                value => leaves.push((path, value)),
            }
        }
    }
    leaves
}

/// A value as the text that stands for it among overrides.
fn text_of(path: &str, value: Value) -> Option<String> {
    let texts = Texts::<true>::deserialize(&alone(path, value)).ok()?;
    texts.0.into_iter().next().map(|(_, text)| text)
}
