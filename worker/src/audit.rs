//! The audit trail: who did what when. Each entry is a key of its own, so that two at once lose nothing; the time in the key is
//! inverted, so that a list begins with the newest.

use crate::tokens::Bearer;
use crate::visit::Visit;
use crate::{host, pointer, store};
use serde::{Deserialize, Serialize};

/// How long an entry is kept: 400 days.
const KEPT: u32 = 400 * 24 * 60 * 60;

/// Later than any entry, in epoch milliseconds: times are written as what is left until then.
const END: i64 = 9_999_999_999_999;

/// An entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "AuditEntry"))]
pub struct Entry {
    /// When, RFC 3339.
    pub at: String,
    /// The name of the token.
    pub by: String,
    /// What was done: publish, schedule, cancel, rollback, preview; `refused` for what the token is not good for.
    pub action: String,
    /// The version that it was done with; of a refused attempt nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The version that was live before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The instant that it was scheduled for, or at which a link ends, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The page of a link, without its query; what a refused attempt asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

impl Entry {
    /// That somebody does something now.
    pub fn new(bearer: &Bearer, action: &str) -> Entry {
        Entry {
            at: pointer::instant_text(host::now()),
            by: bearer.name.clone(),
            action: action.to_owned(),
            version: None,
            previous: None,
            until: None,
            what: None,
        }
    }
}

/// Writes an entry.
pub async fn write(visit: &Visit, entry: &Entry) -> Result<(), String> {
    let left = END.saturating_sub(host::now()).max(0);
    let key = format!("{}{left:013}:{}", prefix(&visit.site), host::new_id());
    store::put_entry(&visit.env, &key, entry, KEPT).await
}

/// The newest entries from a cursor on.
pub async fn newest(visit: &Visit, most: u32, cursor: &str) -> Result<store::Keys<Entry>, String> {
    store::entries(&visit.env, &prefix(&visit.site), most, cursor).await
}

fn prefix(site: &str) -> String {
    format!("audit:{site}:")
}
