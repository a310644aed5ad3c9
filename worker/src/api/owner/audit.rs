//! `GET /_idoine/api/audit[?limit=&cursor=]`: who did what when, the newest first.

use super::unavailable;
use crate::answer::Answer;
use crate::api::{bad_request, parameter};
use crate::audit::newest;
use crate::visit::Visit;

const DEFAULT: u32 = 100;
const MOST: u32 = 1000;

pub async fn get(visit: &Visit) -> Answer {
    let limit = parameter(visit, "limit").map_or(Some(DEFAULT), |text| text.parse().ok());
    let Some(limit) = limit.filter(|limit| (1..=MOST).contains(limit)) else {
        return bad_request("`limit` is no number from 1 to 1000.");
    };
    match newest(visit, limit, &parameter(visit, "cursor").unwrap_or_default()).await {
        Ok(trail) => Answer::json(&trail),
        Err(trouble) => unavailable(visit, &trouble),
    }
}
