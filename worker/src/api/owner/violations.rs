//! `GET /_idoine/api/violations[?days=]`: in what events were otherwise than the tracking plan says.

use super::profile::no_profiles;
use super::unavailable;
use crate::answer::Answer;
use crate::api::{bad_request, parameter};
use crate::shards;
use crate::visit::Visit;

/// For so many days violations are counted.
const DAYS: u32 = 30;

pub async fn get(visit: &Visit) -> Answer {
    let days = match parameter(visit, "days").map(|text| text.parse::<u32>()) {
        None => DAYS,
        Some(Ok(days)) if (1..=DAYS).contains(&days) => days,
        Some(_) => return bad_request("Expected `days` to be 1 to 30."),
    };
    if !shards::are_kept(&visit.env) {
        return no_profiles();
    }
    match shards::violations(&visit.env, &visit.site, days).await {
        Ok(found) => Answer::json(&found),
        Err(trouble) => unavailable(visit, &trouble),
    }
}
