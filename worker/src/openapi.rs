//! The API's description as OpenAPI 3.1, made of the table of routes and of the types that are read and answered. It is kept in
//! docs/openapi.json and served from there; nothing of this is in the Worker.

use crate::answer::Failure;
use crate::route::{Access, BASE, Operation, Route};
use crate::routes::{Endpoint, ROUTES};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// What an operation is about.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// In a sentence.
    pub summary: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// The body that it reads, where it reads one.
    pub request: &'static [Request],
    /// The media type of a body that is anything else than JSON.
    pub bytes: &'static [&'static str],
    /// Its answers.
    pub responses: &'static [Response],
}

/// A body that an operation reads.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// Whether it has to be there.
    pub required: bool,
    /// What it is.
    pub schema: SchemaOf,
}

/// A parameter of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// `query`, `header` or `path`.
    pub place: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether it has to be there.
    pub required: bool,
    /// What it is.
    pub about: &'static str,
}

/// An answer of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What it says.
    pub says: &'static str,
    /// Its body, where that is JSON.
    pub body: &'static [SchemaOf],
    /// The media type of a body that is anything else.
    pub media: &'static [&'static str],
    /// The headers that belong to it.
    pub headers: &'static [&'static str],
}

/// The document, as text.
pub fn text() -> String {
    serde_json::to_string_pretty(&sorted(document())).unwrap_or_default() + "\n"
}

fn document() -> Value {
    // What is read may leave out what has a default; what is answered is there unless it is left out.
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut read = settings.clone().for_deserialize().into_generator();
    let mut answered = settings.for_serialize().into_generator();
    let mut paths = Map::new();
    for route in ROUTES {
        let operations = route.operations.iter().map(|one| {
            let method = one.method.to_ascii_lowercase();
            let mut operation = operation(route, one, &mut read, &mut answered);
            operation.insert("operationId".to_owned(), format!("{method}{:?}", route.endpoint).into());
            (method, Value::Object(operation))
        });
        paths.insert(format!("{BASE}{}", route.path), Value::Object(operations.collect()));
    }
    let mut schemas = read.take_definitions(true);
    schemas.append(&mut answered.take_definitions(true));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Idoine",
            "description": "What is decided for visitors, asked by pages, servers and apps. See docs/api.md.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT or Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "A token of the secret IDOINE_TOKENS." },
            },
        },
    })
}

fn operation(
    route: &Route,
    operation: &Operation,
    read: &mut SchemaGenerator,
    answered: &mut SchemaGenerator,
) -> Map<String, Value> {
    let described = &operation.described;
    let parameters = described.parameters.iter().map(|parameter| {
        json!({
            "in": parameter.place, "name": parameter.name, "required": parameter.required,
            "description": parameter.about, "schema": { "type": "string" },
        })
    });
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("summary", described.summary.into());
    put("parameters", parameters.collect());
    for request in described.request {
        put(
            "requestBody",
            json!({ "required": request.required, "content": { "application/json": { "schema": (request.schema)(read) } } }),
        );
    }
    for media in described.bytes {
        put("requestBody", json!({ "required": true, "content": { *media: {} } }));
    }
    match operation.access {
        Access::Anyone | Access::Preview => None,
        Access::VisitorOrRead => put("security", json!([{}, { "token": [] }])),
        Access::Read | Access::OwnerRead | Access::OwnerPublish => put("security", json!([{ "token": [] }])),
    };
    let mut responses = Map::new();
    let says_itself = |status| described.responses.iter().any(|own| own.status == status);
    // As `worker/js/limit.js` has it: what is imported comes in many requests.
    let is_limited = route.endpoint != Endpoint::Import;
    let common = common(operation.access).iter().filter(|response| !says_itself(response.status));
    let common = common.filter(|response| is_limited || response.status != 429);
    for response in described.responses.iter().chain(common) {
        let mut content = Map::new();
        for body in response.body {
            content.insert("application/json".to_owned(), json!({ "schema": body(answered) }));
        }
        for media in response.media {
            content.insert((*media).to_owned(), json!({}));
        }
        let headers = response.headers.iter().map(|name| ((*name).to_owned(), json!({ "schema": { "type": "string" } })));
        let headers: Map<_, _> = headers.collect();
        let one = json!({ "description": response.says, "headers": headers, "content": content });
        responses.insert(response.status.to_string(), one);
    }
    let failure = json!({ "schema": answered.subschema_for::<Failure<'static>>() });
    let failed = "The request could not be taken: another method, or no answer at the moment.";
    responses.insert("default".to_owned(), json!({ "description": failed, "content": { "application/json": failure } }));
    put("responses", Value::Object(responses));
    out
}

/// What every operation answers to those who may not call, and the owner's operations besides.
fn common(access: Access) -> &'static [Response] {
    const fn failure(status: u16, says: &'static str, headers: &'static [&'static str]) -> Response {
        Response { status, says, body: &[|generator| generator.subschema_for::<Failure<'static>>()], media: &[], headers }
    }
    const NO_TOKEN: Response = failure(401, "There is no token, or it is not known.", &["www-authenticate"]);
    const NO_ANSWER: Response = failure(503, "The store does not answer.", &["retry-after"]);
    const OTHER_SITE: Response = failure(403, "The request is from a page of another site.", &[]);
    const NOT_FOR_PUBLISHING: Response =
        failure(403, "The token is not for publishing, or the request is from a page of another site.", &[]);
    const TOO_MANY: Response = failure(429, "Too many requests.", &["retry-after"]);
    match access {
        Access::Anyone | Access::Preview | Access::VisitorOrRead => &[],
        Access::Read => &[NO_TOKEN],
        Access::OwnerRead => &[NO_TOKEN, OTHER_SITE, NO_ANSWER],
        Access::OwnerPublish => &[NO_TOKEN, NOT_FOR_PUBLISHING, TOO_MANY, NO_ANSWER],
    }
}

/// A document with the names of its objects in their order, whatever else the workspace builds.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_the_codes() {
        let committed = include_str!("../../docs/openapi.json");
        assert!(
            committed == text(),
            "docs/openapi.json is another: cargo run -p idoine-worker --features openapi --bin openapi > docs/openapi.json"
        );
    }

    /// Both sides of the API share one namespace.
    #[test]
    fn no_schema_has_the_name_of_another() {
        let settings = SchemaSettings::draft2020_12();
        let mut read = settings.clone().for_deserialize().into_generator();
        let mut answered = settings.for_serialize().into_generator();
        for described in ROUTES.iter().flat_map(|route| route.operations).map(|operation| operation.described) {
            for request in described.request {
                (request.schema)(&mut read);
            }
            for body in described.responses.iter().flat_map(|response| response.body) {
                body(&mut answered);
            }
        }
        for (name, schema) in read.definitions() {
            assert!(answered.definitions().get(name).is_none_or(|other| other == schema), "{name}");
        }
    }
}
