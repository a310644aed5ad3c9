//! `GET /_idoine/api/audiences[/<name>[?cursor=]]`: how many profiles are in which audiences, and who.
//! `POST /_idoine/api/audiences` has the site's quantiles worked out anew, by which some of them are told.

use super::profile::{decoded, no_profiles};
use super::unavailable;
use crate::answer::Answer;
use crate::api::{bad_request, no_program, parameter};
use crate::audit::{Entry, write};
use crate::tokens::Bearer;
use crate::visit::Visit;
use crate::{program, shards};
use idoine::Context;
use serde_json::Value;

/// So many members a list has, unless there are fewer left; whoever is in the same part of a shard comes on top.
const MEMBERS: u32 = 1000;

/// The names of the live program's audiences.
async fn names(visit: &Visit) -> Result<Vec<String>, Answer> {
    if !shards::are_kept(&visit.env) {
        return Err(no_profiles());
    }
    let program = program::current(visit).await.ok_or_else(|| no_program().with("retry-after", "1"))?;
    let nobody = Context::of_profile::<&str>(&program, &[], 0);
    Ok(idoine::audiences(&program, &nobody).into_iter().map(|(name, _)| name.to_owned()).collect())
}

pub async fn counts(visit: &Visit) -> Answer {
    let names = match names(visit).await {
        Ok(names) => names,
        Err(answer) => return answer,
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match shards::counts(&visit.env, &visit.site, &names).await {
        Ok(counts) => Answer::json(&counts),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

pub async fn renew(visit: &Visit, bearer: &Bearer) -> Answer {
    if !shards::are_kept(&visit.env) {
        return no_profiles();
    }
    if let Err(trouble) = write(visit, &Entry::new(bearer, "renew quantiles")).await {
        return unavailable(visit, &trouble);
    }
    match shards::renew(&visit.env, &visit.site).await {
        Ok(renewed) => Answer::json(&renewed),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

pub async fn members(visit: &Visit, bearer: &Bearer, name: &str) -> Answer {
    let names = match names(visit).await {
        Ok(names) => names,
        Err(answer) => return answer,
    };
    let name = decoded(name);
    if !names.contains(&name) {
        return Answer::error(404, "no_audience", "The live program has no such audience.");
    }
    let cursor = parameter(visit, "cursor").unwrap_or_default();
    if cursor.is_empty()
        && let Err(trouble) = write(visit, &Entry::new(bearer, "export audience").with("what", Some(&name))).await
    {
        return unavailable(visit, &trouble);
    }
    let found = match shards::members(&visit.env, &visit.site, &name, &cursor, MEMBERS, &bearer.name).await {
        Ok(Value::Object(found)) => found,
        Ok(_) => return bad_request("`cursor` is none."),
        Err(trouble) => return unavailable(visit, &trouble),
    };
    let text = |field: &str| found.get(field).and_then(Value::as_str);
    let mut lines = text("lines").unwrap_or_default().to_owned();
    if !lines.is_empty() {
        lines.push('\n');
    }
    let answer = Answer::bytes("application/x-ndjson", lines.into_bytes()).with("cache-control", "private, no-store");
    match text("cursor") {
        Some(cursor) => answer.with("x-idoine-cursor", super::profile::encoded(cursor)),
        None => answer,
    }
}
