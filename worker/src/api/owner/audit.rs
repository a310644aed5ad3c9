//! `GET /_idoine/api/audit[?limit=&cursor=]`: who did what when, the newest first.

use super::unavailable;
use crate::answer::Answer;
use crate::api::{bad_request, parameter};
use crate::audit::{Entry, newest};
use crate::visit::Visit;
use serde::Serialize;

const DEFAULT: u32 = 100;
const MOST: u32 = 1000;

/// Entries of the audit trail.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "AuditTrail"))]
pub struct Trail {
    entries: Vec<Entry>,
    /// Where the older ones begin, if there are any.
    cursor: Option<String>,
}

pub async fn get(visit: &Visit) -> Answer {
    let limit = parameter(visit, "limit").map_or(Some(DEFAULT), |text| text.parse().ok());
    let Some(limit) = limit.filter(|limit| (1..=MOST).contains(limit)) else {
        return bad_request("`limit` is no number from 1 to 1000.");
    };
    match newest(visit, limit, &parameter(visit, "cursor").unwrap_or_default()).await {
        Ok(keys) => {
            let entries = keys.keys.into_iter().filter_map(|key| key.metadata).collect();
            Answer::json(&Trail { entries, cursor: keys.cursor })
        }
        Err(trouble) => unavailable(visit, &trouble),
    }
}
