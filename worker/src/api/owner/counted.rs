//! What the shards count by day: `GET /_idoine/api/violations`, `consents` and `measured`, each with `?days=`.

use super::profile::no_profiles;
use super::unavailable;
use crate::answer::Answer;
use crate::api::{bad_request, parameter};
use crate::shards;
use crate::visit::Visit;

/// Of so many days, where nobody says of how many.
const DEFAULT: u32 = 30;

/// What is counted by a name that the shards know, for at most so many days.
pub async fn get(visit: &Visit, name: &str, most: u32) -> Answer {
    let days = parameter(visit, "days").map_or(Some(DEFAULT), |text| text.parse().ok());
    let Some(days) = days.filter(|days| (1..=most).contains(days)) else {
        return bad_request(&format!("Expected `days` to be 1 to {most}."));
    };
    if !shards::are_kept(&visit.env) {
        return no_profiles();
    }
    match shards::counted(&visit.env, &visit.site, name, days).await {
        Ok(found) => Answer::json(&found),
        Err(trouble) => unavailable(visit, &trouble),
    }
}
