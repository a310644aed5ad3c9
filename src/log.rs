//! What can be kept of a decision: a visitor from which the very same context is derived again, without the headers of the
//! request that it came with; the receipt; and what was decided.
//!
//! A logged visitor holds what is known of a person, as far as they agreed to it: their id, their place, their traits. Nothing
//! logs it by itself.

use crate::context::{Context, FIELDS, Field, Request, Value};
use crate::program::Program;
use crate::receipt::{Receipt, stored};
use crate::text::{Cut, join};
use crate::time::exact_instant_text;
use crate::url;
use crate::zone::Offsets;
use serde::ser::{Serialize, Serializer};
use std::collections::BTreeMap;

/// A decision that was logged, as it is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// What it was made from.
    pub receipt: Receipt,
    /// What was decided, where that was kept.
    pub decisions: Option<Vec<LoggedDecision>>,
}

/// What was decided for a slot, as [`crate::report::DecisionReport`] wrote it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[allow(missing_docs)] // Said there.
pub struct LoggedDecision {
    pub slot: String,
    pub experience: Option<String>,
    pub variant: u32,
    pub factor: Option<String>,
    pub source: String,
    pub reason: String,
}

/// A visitor who brings along all that is known of them; as JSON what [`crate::visitor::Visitor`] reads.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct LoggedVisitor {
    url: String,
    #[serde(serialize_with = "now")]
    now: i64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    context: BTreeMap<String, Known>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    enrichments: BTreeMap<String, Known>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    profile: BTreeMap<String, Known>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "offsets")]
    offsets: Option<Offsets>,
}

/// The visitor of a context, from whom the same program derives the same context again.
///
/// What follows from the URL, the instant and the rest is left out and derived anew, so that another program derives it by its
/// own lists: its sources, languages, holidays and places. Fields that would come out otherwise are told.
pub fn logged(program: &Program, context: &Context) -> LoggedVisitor {
    let mut visitor = LoggedVisitor {
        url: page_url(context),
        now: context.now,
        headers: BTreeMap::new(),
        context: BTreeMap::new(),
        enrichments: BTreeMap::new(),
        profile: BTreeMap::new(),
        // Of a zone that is known the host would find them itself, by the rules that it has then.
        offsets: (!context.offsets.is_empty() || context.text(Field::GeoTimezone).is_some()).then(|| context.offsets.clone()),
    };
    if let Some(referrer) = context.text(Field::PageReferrer) {
        visitor.headers.insert("referer", referrer.to_owned());
    }
    if let Some(Value::Strings(tags)) = context.get(Field::LanguageAccepted as u32) {
        visitor.headers.insert("accept-language", join(tags.iter().map(String::as_str), ","));
    }
    if let Some(unit) = &context.unit {
        visitor.context.insert("visitor.id".to_owned(), Known::Text(unit.clone()));
    }
    for (path, text) in stored(program, context) {
        // A variant is forced by an override alone.
        let place = if path.starts_with("variant.") { &mut visitor.context } else { &mut visitor.profile };
        place.insert(path, Known::Text(text));
    }
    for (path, value) in context.present(program) {
        if matches!(value, Value::Map(_)) {
            // Neither enrichments nor profiles tell any.
        } else if program.enrichment_field(path).is_some() {
            visitor.enrichments.insert(path.to_owned(), Known::of(value));
        } else if path.starts_with("profile.") {
            visitor.profile.insert(path.to_owned(), Known::of(value));
        }
    }
    // The fields of every site first: the manifest's holidays and places follow from them.
    let all = program.field_count() as u32;
    for fields in [0..FIELDS.len() as u32, 0..all] {
        let derived = Context::derive(program, &visitor.request());
        for field in fields {
            let known = context.get(field);
            if !same(known, derived.get(field)) {
                let told = known.map_or(Known::Nothing, Known::of);
                visitor.context.insert(program.field_path(field).to_owned(), told);
            }
        }
    }
    visitor
}

impl LoggedVisitor {
    /// The raw request that the visitor's JSON is read as.
    fn request(&self) -> Request {
        let pairs = |map: &BTreeMap<String, Known>| map.iter().map(|(path, known)| (path.clone(), known.text())).collect();
        Request {
            url: self.url.clone(),
            headers: self.headers.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect(),
            now: self.now,
            offsets: self.offsets.clone().unwrap_or_default(),
            overrides: pairs(&self.context),
            enrichments: pairs(&self.enrichments),
            profile: pairs(&self.profile),
            ..Request::default()
        }
    }
}

/// A URL that has the context's page, query and fragment. Where a field was overridden they need not agree.
fn page_url(context: &Context) -> String {
    let mut url = context.text(Field::PageUrl).unwrap_or_default().parts(b'#').next().unwrap_or_default().to_owned();
    if url::query_pairs(url::split(&url).query) != context.query() {
        url = url.parts(b'?').next().unwrap_or_default().to_owned();
        url.push('?');
        url.push_str(&url::query_text(context.query()));
    }
    if let Some(hash) = context.text(Field::PageHash) {
        url.push('#');
        url.push_str(hash);
    }
    url
}

/// Whether two values are the same to the last bit.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Double(one)), Some(Value::Double(other))) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

/// A value as JSON that is read as the same text on every face. The text says all of it.
#[derive(Debug, Clone, PartialEq)]
enum Known {
    Nothing,
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<String>),
    Map(Vec<(String, String)>),
}

/// The largest whole number that JavaScript's numbers count to.
const MOST: u64 = (1 << 53) - 1;

impl Known {
    fn of(value: &Value) -> Known {
        match value {
            Value::Bool(value) => Known::Bool(*value),
            Value::Int(value) if value.unsigned_abs() <= MOST => Known::Int(*value),
            Value::Int(value) => Known::Text(value.to_string()),
            // Not every reader of JSON gets the last digit of a number right.
            Value::Double(value) => Known::Text(value.to_string()),
            Value::String(value) => Known::Text(value.clone()),
            // A list of one empty text, which nothing would be left of.
            Value::Strings(items) if matches!(items.as_slice(), [item] if item.is_empty()) => Known::Text(" ".to_owned()),
            Value::Strings(items) => Known::List(items.clone()),
            Value::Timestamp(ms) => Known::Text(exact_instant_text(*ms)),
            // As a query: of no pair, and still not nothing.
            Value::Map(pairs) if pairs.is_empty() => Known::Text("&".to_owned()),
            Value::Map(pairs) => Known::Map(pairs.clone()),
        }
    }

    /// As [`crate::visitor::Told`] reads it.
    fn text(&self) -> String {
        match self {
            Known::Nothing => String::new(),
            Known::Bool(value) => value.to_string(),
            Known::Int(value) => value.to_string(),
            Known::Text(text) => text.clone(),
            Known::List(items) => join(items.iter().map(String::as_str), ","),
            Known::Map(pairs) => url::query_text(pairs),
        }
    }
}

impl Serialize for Known {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Known::Nothing => serializer.serialize_unit(),
            Known::Bool(value) => serializer.serialize_bool(*value),
            Known::Int(value) => serializer.serialize_i64(*value),
            Known::Text(text) => serializer.serialize_str(text),
            Known::List(items) => serializer.collect_seq(items),
            Known::Map(pairs) => serializer.collect_map(pairs.iter().map(|(name, value)| (name, value))),
        }
    }
}

fn now<S: Serializer>(now: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&exact_instant_text(*now))
}

fn offsets<S: Serializer>(offsets: &Option<Offsets>, serializer: S) -> Result<S::Ok, S::Error> {
    offsets.as_ref().map(Offsets::text).serialize(serializer)
}
