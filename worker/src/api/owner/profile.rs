//! `/_idoine/api/profile/<key>`: all that is known of a visitor, and what the owner's teams note of them.

use super::{object, unavailable};
use crate::answer::Answer;
use crate::api::{BODY_LIMIT, bad_request, not_found, too_large};
use crate::audit::{Entry, write};
use crate::routes::Endpoint;
use crate::shards::{self, Stored};
use crate::tokens::Bearer;
use crate::visit::Visit;
use crate::{host, identity, learn, program};
use idoine::learn::State;
use serde_json::{Map, Value, json};

/// The longest key of a profile, note and tag.
const LONGEST_KEY: usize = 300;
const LONGEST_NOTE: usize = 2000;
const LONGEST_TAG: usize = 64;

/// A part of an address without its percent-encoding.
pub fn decoded(text: &str) -> String {
    js_sys::decode_uri_component(text).map_or_else(|_| text.to_owned(), String::from)
}

/// A text as a header and an address can have it.
pub fn encoded(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}

pub fn no_profiles() -> Answer {
    Answer::error(501, "no_profiles", "The binding PROFILES is missing: no profiles are kept.")
}

fn no_profile() -> Answer {
    Answer::error(404, "no_profile", "There is no such profile.")
}

/// Whether a text is a profile's key.
fn is_key(key: &str) -> bool {
    (key.starts_with("u:") || key.starts_with("a:")) && (3..=LONGEST_KEY).contains(&key.len())
}

/// Has all erased that is stored of a visitor; `path` is what stands behind `api/profiles/`. The trail gets the receipt and nothing of whom
/// it was: who they are is to be nowhere afterwards.
pub async fn erase(visit: &Visit, bearer: &Bearer, path: &str) -> Answer {
    if !shards::are_kept(&visit.env) {
        return no_profiles();
    }
    let key = path.split('/').next().map(decoded).unwrap_or_default();
    if !is_key(&key) {
        return no_profile();
    }
    let receipt = host::new_id();
    let entry = Entry::new(bearer, "erase profile").with("what", Some(&receipt));
    if let Err(trouble) = write(visit, &entry).await {
        return unavailable(visit, &trouble);
    }
    match shards::erase(&visit.env, &visit.site, &key, &receipt).await {
        Ok(answer) => Answer::json(&answer),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

/// What became of an erasure; `id` is what stands behind `api/receipts/`.
pub async fn receipt(visit: &Visit, id: &str) -> Answer {
    if !shards::are_kept(&visit.env) {
        return no_profiles();
    }
    match shards::receipt(&visit.env, &visit.site, &decoded(id)).await {
        Ok(Value::Null) => Answer::error(404, "no_receipt", "There is no such receipt."),
        Ok(found) => Answer::json(&found),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

/// Answers a request for a profile; `path` is what stands behind `api/profile/`.
pub async fn answer(visit: &Visit, bearer: &Bearer, asked: (Endpoint, &str), path: &str) -> Answer {
    if !shards::are_kept(&visit.env) {
        return no_profiles();
    }
    let mut parts = path.splitn(3, '/').map(decoded);
    let key = parts.next().unwrap_or_default();
    let last = parts.nth(1).unwrap_or_default();
    if !is_key(&key) || (asked.0 == Endpoint::Facts && path.contains('/')) {
        return no_profile();
    }
    match asked {
        (Endpoint::Facts, _) => facts(visit, bearer, &key).await,
        (Endpoint::Accesses, _) => read(visit, bearer, &key, "accesses").await,
        (Endpoint::ProfileExport, _) => export(visit, bearer, &key).await,
        (Endpoint::Notes, "GET") => read(visit, bearer, &key, "notes").await,
        (Endpoint::Tags, "GET") => read(visit, bearer, &key, "tags").await,
        (Endpoint::Notes, _) => note(visit, bearer, &key).await,
        (Endpoint::Tags, _) => tag(visit, bearer, &key).await,
        (Endpoint::Note, _) => change(visit, bearer, &key, "unnote", json!({ "id": last })).await,
        (Endpoint::Tag, _) => change(visit, bearer, &key, "untag", json!({ "tag": last })).await,
        _ => not_found(),
    }
}

/// That somebody looked is in the trail before they have; at whom, is a pseudonym there, as the trail outlives the profile. By its key the
/// profile's own shard knows it (`worker/js/profiles/accesses.js`).
async fn noted(visit: &Visit, bearer: &Bearer, action: &str, key: &str) -> Result<(), Answer> {
    let entry = Entry::new(bearer, action).with("what", Some(&identity::pseudonym(visit.key().as_deref(), key)));
    write(visit, &entry).await.map_err(|trouble| unavailable(visit, &trouble))
}

async fn facts(visit: &Visit, bearer: &Bearer, key: &str) -> Answer {
    // The program is wanted for what is read of the profile.
    let _ = program::current(visit).await;
    if let Err(answer) = noted(visit, bearer, "read profile", key).await {
        return answer;
    }
    match shards::profile(&visit.env, &visit.site, key, &bearer.name).await {
        Ok(Some(stored)) => Answer::json(&told(visit, stored)),
        Ok(None) => no_profile(),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

/// A profile as the API answers.
fn told(visit: &Visit, stored: Stored) -> Value {
    let mut about = match stored.about {
        Value::Object(about) => about,
        _ => Map::new(),
    };
    let Some(learned) = learn::at_hand(&visit.site) else { return Value::Object(about) };
    let (now, site) = (host::now(), learn::site_of(&stored.quantiles));
    let mut whole = State::default();
    for part in stored.states.iter().filter_map(|bytes| learn::state(bytes)) {
        whole.merge(&learned.rules, &part);
    }
    about.extend(learn::facts(&learned, &whole, &site, now));
    Value::Object(about)
}

async fn read(visit: &Visit, bearer: &Bearer, key: &str, name: &str) -> Answer {
    if let Err(answer) = noted(visit, bearer, "read profile", key).await {
        return answer;
    }
    asked(visit, key, name, &json!({ "by": bearer.name })).await
}

/// The host goes on from here (`worker/js/rights.js`): it is told whose token it is, and which profile.
async fn export(visit: &Visit, bearer: &Bearer, key: &str) -> Answer {
    match noted(visit, bearer, "export profile", key).await {
        Ok(()) => Answer::empty(200).with("x-idoine-by", encoded(&bearer.name)).with("x-idoine-key", encoded(key)),
        Err(answer) => answer,
    }
}

/// Asks the shard, and says what it does not take.
async fn asked(visit: &Visit, key: &str, name: &str, given: &Value) -> Answer {
    match shards::ask(&visit.env, &visit.site, key, name, given).await {
        Ok(answer) if answer.get("unknown").is_some() => match name {
            "unnote" => Answer::error(404, "no_note", "There is no such note."),
            "untag" => Answer::error(404, "no_tag", "There is no such tag on it."),
            _ => no_profile(),
        },
        Ok(answer) if answer.get("full").is_some() => {
            Answer::error(409, "too_many", "A profile has 100 notes and 50 tags at most.")
        }
        Ok(answer) => Answer::json(&answer),
        Err(trouble) => unavailable(visit, &trouble),
    }
}

async fn change(visit: &Visit, bearer: &Bearer, key: &str, name: &str, given: Value) -> Answer {
    match noted(visit, bearer, name, key).await {
        Ok(()) => asked(visit, key, name, &given).await,
        Err(answer) => answer,
    }
}

async fn note(visit: &Visit, bearer: &Bearer, key: &str) -> Answer {
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let Some(text) = note_in(&body) else {
        return bad_request("Expected {\"text\": \"..\"} of 1 to 2000 characters.");
    };
    let given = json!({ "id": host::new_id(), "by": bearer.name, "text": text });
    change(visit, bearer, key, "note", given).await
}

fn note_in(body: &[u8]) -> Option<String> {
    let text = object(body, &["text"])?.get("text")?.as_str()?.trim().to_owned();
    (1..=LONGEST_NOTE).contains(&text.chars().count()).then_some(text)
}

async fn tag(visit: &Visit, bearer: &Bearer, key: &str) -> Answer {
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let Some(tags) = tags_in(&body) else {
        return bad_request("Expected {\"tags\": [\"..\"]}: 1 to 20 of them, each of 1 to 64 characters.");
    };
    change(visit, bearer, key, "tag", json!({ "by": bearer.name, "tags": tags })).await
}

fn tags_in(body: &[u8]) -> Option<Vec<String>> {
    let body = object(body, &["tags"])?;
    let tags = body.get("tags")?.as_array()?;
    let text = |tag: &Value| {
        let tag = tag.as_str()?.trim();
        (1..=LONGEST_TAG).contains(&tag.chars().count()).then(|| tag.to_owned())
    };
    let tags: Vec<String> = tags.iter().map(text).collect::<Option<_>>()?;
    (1..=20).contains(&tags.len()).then_some(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_a_text() {
        assert_eq!(note_in(br#"{"text":" Called. "}"#).as_deref(), Some("Called."));
        for bad in [r#"{"text":""}"#, r#"{"text":"  "}"#, r#"{"text":1}"#, r#"{"note":"x"}"#, "[]", "x"] {
            assert_eq!(note_in(bad.as_bytes()), None, "{bad}");
        }
        assert!(note_in(format!(r#"{{"text":"{}"}}"#, "é".repeat(LONGEST_NOTE)).as_bytes()).is_some());
        assert!(note_in(format!(r#"{{"text":"{}"}}"#, "é".repeat(LONGEST_NOTE + 1)).as_bytes()).is_none());
    }

    #[test]
    fn tags_are_texts() {
        assert_eq!(tags_in(br#"{"tags":["press"," vip "]}"#).unwrap(), ["press", "vip"]);
        for bad in [r#"{"tags":[]}"#, r#"{"tags":["a",1]}"#, r#"{"tags":"press"}"#, r#"{"tag":["x"]}"#] {
            assert_eq!(tags_in(bad.as_bytes()), None, "{bad}");
        }
    }
}
