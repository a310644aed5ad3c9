//! The audit trail: who did what when. Each entry is a key of its own, so that two at once lose nothing; the time in the key is
//! inverted, so that a list begins with the newest.

use crate::tokens::Bearer;
use crate::visit::Visit;
use crate::{host, pointer, store};
use serde_json::{Map, Value};

/// How long an entry is kept: 400 days.
const KEPT: u32 = 400 * 24 * 60 * 60;

/// Later than any entry, in epoch milliseconds: times are written as what is left until then.
const END: i64 = 9_999_999_999_999;

/// An entry: `at` (RFC 3339), `by` (the name of the token), `action` (publish, schedule, cancel, rollback, preview, read profile, note, ...; `refused` for what
/// the token is not good for), and where there is something to say `version`, `previous` (what was live before), `until` (the
/// instant that it is scheduled for, or at which a link ends), `what` (the page of a link, without its query; what a refused
/// attempt asked for).
#[derive(Debug, Clone)]
pub struct Entry {
    /// When, RFC 3339.
    pub at: String,
    fields: Map<String, Value>,
}

impl Entry {
    /// That somebody does something now.
    pub fn new(bearer: &Bearer, action: &str) -> Entry {
        let at = pointer::instant_text(host::now());
        let entry = Entry { at: at.clone(), fields: Map::new() };
        entry.with("at", Some(&at)).with("by", Some(&bearer.name)).with("action", Some(action))
    }

    /// The entry with one field more, if there is something to say.
    pub fn with(mut self, field: &str, text: Option<&str>) -> Entry {
        if let Some(text) = text {
            self.fields.insert(field.to_owned(), Value::from(text));
        }
        self
    }

    /// That what the entry says did not come about.
    pub fn failed(&self) -> Entry {
        let action = self.fields.get("action").and_then(Value::as_str).unwrap_or_default();
        self.clone().with("action", Some(&format!("{action} failed")))
    }
}

/// Writes an entry.
pub async fn write(visit: &Visit, entry: &Entry) -> Result<(), String> {
    let left = END.saturating_sub(host::now()).max(0);
    let key = format!("{}{left:013}:{}", prefix(&visit.site), host::new_id());
    store::put_note(&visit.env, &key, Value::Object(entry.fields.clone()), KEPT).await
}

/// The newest entries from a cursor on, as the API answers.
pub async fn newest(visit: &Visit, most: u32, cursor: &str) -> Result<Value, String> {
    store::notes(&visit.env, &prefix(&visit.site), most, cursor).await
}

fn prefix(site: &str) -> String {
    format!("audit:{site}:")
}
