//! Rows to the site, some hundred at a time, until it has answered for each.

use super::event::Wrong;
use super::ledger::Counts;
use crate::remote::{Remote, Sent};
use serde::Deserialize;
use std::time::Duration;

/// How often a batch is sent that the site can't take at the moment.
const TRIES: u32 = 7;

/// What the site says of a row.
#[derive(Debug, Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    error: Option<Error>,
}

#[derive(Debug, Deserialize)]
struct Error {
    message: String,
    #[serde(default)]
    path: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Results {
    results: Vec<Answer>,
}

/// Sends events. For each that the site refuses its place among them, and why.
pub(crate) fn send(remote: &Remote, path: &str, events: &[String], counts: &mut Counts) -> Result<Vec<(usize, Wrong)>, String> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let body = events.join("\n");
    let mut wait = Duration::from_millis(500);
    for attempt in 1..=TRIES {
        let (why, after) = match remote.submit(path, "application/x-ndjson", body.as_bytes())? {
            Sent::Taken(answer) => return settle(crate::remote::read(answer)?, events.len(), counts),
            Sent::Later { why, after } => (why, after),
        };
        if attempt == TRIES {
            return Err(why);
        }
        std::thread::sleep(after.map_or(wait, Duration::from_secs));
        wait = wait.saturating_mul(2);
    }
    Ok(Vec::new())
}

fn settle(Results { results }: Results, sent: usize, counts: &mut Counts) -> Result<Vec<(usize, Wrong)>, String> {
    if results.len() != sent {
        return Err(format!(
            "the site answers for {} of {sent} rows: it is none of this version's Idoine Worker",
            results.len()
        ));
    }
    let mut refused = Vec::new();
    for (at, result) in results.into_iter().enumerate() {
        let count = match result.status.as_str() {
            "accepted" => &mut counts.taken,
            "duplicate" => &mut counts.known,
            "dropped" => &mut counts.dropped,
            _ => {
                let error = result.error.unwrap_or(Error { message: format!("the site says `{}`", result.status), path: None });
                refused.push((at, Wrong { column: error.path.filter(|path| !path.is_empty()), message: error.message }));
                continue;
            }
        };
        *count = count.saturating_add(1);
    }
    Ok(refused)
}
