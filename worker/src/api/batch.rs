//! `POST /_idoine/api/decide`: decisions for visitors of a server or an app, as many as it asks for at once. A visitor is all that
//! is known of them: nothing of the request itself is the visitor's, and no enrichment's endpoint is asked.

use super::bad_request;
use crate::answer::{Answer, Error, Failure};
use crate::host;
use crate::identity::Keys;
use crate::visit::{Visit, with_own_cookies};
use idoine::report::{self, DecisionReport, EditReport};
use idoine::visitor::Visitor;
use idoine::{Context, Decisions, Edit, Program, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest body that is read.
pub const BODY_LIMIT: u32 = 4 << 20;

/// The most visitors of a request.
const MOST: usize = 1000;

/// Visitors to decide for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "Visitors"))]
pub struct Asked {
    /// The visitors; each needs its `url`.
    #[cfg_attr(any(test, feature = "openapi"), schemars(with = "Vec<Visitor>", length(max = 1000)))]
    visitors: Vec<Value>,
    /// The slots that are of interest; without it all of the page.
    slots: Option<Vec<String>>,
}

/// What was decided for visitors.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "VisitorsDecided"))]
pub struct Decided<'a> {
    /// The program's version.
    version: String,
    /// One for each visitor, in their order.
    results: Vec<Outcome<'a>>,
}

/// What was decided for a visitor, or what is wrong with them.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub enum Outcome<'a> {
    /// It was decided.
    Decided(VisitorDecided<'a>),
    /// The visitor can't be read.
    Failed(Failure<'a>),
}

/// What was decided for a visitor.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct VisitorDecided<'a> {
    /// One for each slot of the page.
    decisions: Vec<DecisionReport<'a>>,
    /// What they do to the page.
    edits: Vec<EditReport<'a>>,
    /// What the decisions were made from.
    receipt: Receipt,
    /// Overrides and what is stored, as far as it is nothing that the site knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ignored: Vec<Ignored<'a>>,
}

/// What is nothing that the site knows.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct Ignored<'a> {
    /// Its path.
    path: &'a str,
    /// What was expected.
    expected: &'a str,
}

/// A visitor who was decided for.
struct Made<'a> {
    context: Context,
    decisions: Decisions,
    edits: Vec<Edit<'a>>,
}

pub fn post(visit: &Visit, program: &Program, body: &[u8]) -> Answer {
    let asked = match serde_json::from_slice::<Value>(body) {
        // A list is no object, though serde would take its items for the fields.
        Ok(body @ Value::Object(_)) => Asked::deserialize(&body).map_err(|error| error.to_string()),
        Ok(_) => Err("it is no object".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return bad_request(&format!("Expected {{\"visitors\": [{{\"url\": ..}}]}}: {error}.")),
    };
    if asked.visitors.len() > MOST {
        return wrong(&format!("Expected {MOST} visitors at most."), "/visitors".to_owned());
    }
    if let Some(refused) = asked.slots.as_ref().and_then(|slots| unknown_slot(program, slots)) {
        return refused;
    }
    let keys = visit.keys();
    let now = host::now();
    let made: Vec<_> = asked.visitors.iter().map(|visitor| decide(program, visitor, &keys, now)).collect();
    let results = made.iter().enumerate().map(|(place, made)| match made {
        Ok(made) => Outcome::Decided(made.report(program, asked.slots.as_deref())),
        Err((path, message)) => {
            let path = Some(format!("/visitors/{place}{path}"));
            Outcome::Failed(Failure { error: Error { code: "bad_visitor", message, path } })
        }
    });
    Answer::json(&Decided { version: program.version(), results: results.collect() })
}

impl Made<'_> {
    fn report<'a>(&'a self, program: &'a Program, slots: Option<&[String]>) -> VisitorDecided<'a> {
        let (decisions, edits) = told(program, &self.decisions, &self.edits, slots);
        let ignored = self.context.ignored.iter().map(|(path, expected)| Ignored { path, expected });
        VisitorDecided { decisions, edits, receipt: Receipt::of(program, &self.context), ignored: ignored.collect() }
    }
}

/// Decisions and edits of some slots; of all where none are named.
pub fn told<'a>(
    program: &'a Program,
    decisions: &'a Decisions,
    edits: &'a [Edit<'_>],
    slots: Option<&[String]>,
) -> (Vec<DecisionReport<'a>>, Vec<EditReport<'a>>) {
    let wanted = |slot: &str| slots.is_none_or(|slots| slots.iter().any(|one| one == slot));
    let mut decisions = report::decisions(program, decisions);
    decisions.retain(|decision| wanted(decision.slot));
    let mut edits = report::edits(program, edits);
    edits.retain(|edit| wanted(edit.slot));
    (decisions, edits)
}

/// The answer to who names slots that the site does not have; `None` where it has all of them.
pub fn unknown_slot(program: &Program, slots: &[String]) -> Option<Answer> {
    let known = |slot: &String| (0..program.slot_count() as u32).any(|index| program.slot_id(index) == slot);
    let place = slots.iter().position(|slot| !known(slot))?;
    Some(wrong("There is no such slot.", format!("/slots/{place}")))
}

/// Decides for a visitor; an error is the place of what is wrong, below the visitor, and why.
fn decide<'a>(program: &'a Program, visitor: &Value, keys: &Keys, now: i64) -> Result<Made<'a>, (String, String)> {
    let visitor = read(visitor)?;
    if host::split_preview(&visitor.url).is_none() {
        return Err(("/url".to_owned(), "Expected the page's absolute URL.".to_owned()));
    }
    let request = with_own_cookies(visitor.request(now, host::zone_offsets), keys);
    let context = Context::derive(program, &request);
    let decisions = idoine::decide(program, &context);
    let edits = idoine::edits(program, &context, &decisions);
    Ok(Made { context, decisions, edits })
}

/// Reads a visitor, and says where it is none.
fn read(value: &Value) -> Result<Visitor, (String, String)> {
    let fields = value.as_object();
    let visitor = Visitor::deserialize(value).map_err(|error| {
        let place = fields.and_then(|fields| place_of(fields, |one| Visitor::deserialize(one).err()));
        place.unwrap_or_else(|| (String::new(), format!("This is no visitor: {error}.")))
    })?;
    if visitor.wrong_instant().is_none() {
        return Ok(visitor);
    }
    let late = |one: &Value| Visitor::deserialize(one).ok()?.wrong_instant().map(str::to_owned);
    let (path, _) = fields.and_then(|fields| place_of(fields, late)).unwrap_or_default();
    Err((path, "Expected an instant such as 2026-11-20T12:30:00Z, or epoch milliseconds.".to_owned()))
}

/// The first of some fields that is refused by itself, and in it the first that is refused by itself.
fn place_of<E: std::fmt::Display>(
    fields: &Map<String, Value>,
    refuse: impl Fn(&Value) -> Option<E>,
) -> Option<(String, String)> {
    fields.iter().find_map(|(name, value)| {
        let error = refuse(&alone(name, value.clone()))?;
        let inner = value.as_object().into_iter().flatten().find_map(|(inner, value)| {
            let error = refuse(&alone(name, alone(inner, value.clone())))?;
            Some((format!("/{}/{}", pointer(name), pointer(inner)), format!("This is no visitor: {error}.")))
        });
        Some(inner.unwrap_or_else(|| (format!("/{}", pointer(name)), format!("This is no visitor: {error}."))))
    })
}

/// An object of one field.
pub fn alone(name: &str, value: Value) -> Value {
    let mut fields = Map::new();
    fields.insert(name.to_owned(), value);
    Value::Object(fields)
}

/// A name as a step of a JSON pointer (RFC 6901).
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What is wrong with a request, and where in its body.
pub fn wrong(message: &str, path: String) -> Answer {
    Answer::json(&Failure { error: Error { code: "bad_request", message, path: Some(path) } }).of_status(400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_wrong_with_a_visitor_has_a_place() {
        for (visitor, path) in [
            (json!([]), ""),
            (json!("x"), ""),
            (json!({ "url": 1 }), "/url"),
            (json!({ "url": "https://a.example/", "extra": 1 }), "/extra"),
            (json!({ "headers": [] }), "/headers"),
            (json!({ "headers": { "accept": "x", "a/b~c": {} } }), "/headers/a~1b~0c"),
            (json!({ "cf": { "country": { "x": "y" } } }), "/cf/country"),
            (json!({ "context": { "page.query": { "a": 1 } } }), "/context/page.query"),
            (json!({ "now": "late" }), "/now"),
            (json!({ "context": { "now": "late" } }), "/context/now"),
        ] {
            assert_eq!(read(&visitor).unwrap_err().0, path, "{visitor}");
        }
        assert!(read(&json!({ "url": "https://a.example/", "context": { "page.query": { "a": "1" } }, "now": 0 })).is_ok());
    }
}
