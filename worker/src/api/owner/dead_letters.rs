//! `/_idoine/api/dead-letters`: what a sink did not take, and sending it again. `worker/js/profiles/letters.js` asks the shards.

use super::object;
use crate::answer::Answer;
use crate::api::{BODY_LIMIT, bad_request, parameter, too_large};
use crate::audit::{Entry, write};
use crate::host;
use crate::tokens::Bearer;
use crate::visit::Visit;
use serde_json::Value;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/js/profiles/letters.js")]
extern "C" {
    #[wasm_bindgen(js_name = listLetters, catch)]
    async fn js_list(
        env: &worker::Env,
        site: &str,
        sink: Option<String>,
        after: Option<String>,
        limit: u32,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(js_name = resendLetters, catch)]
    async fn js_resend(
        env: &worker::Env,
        site: &str,
        sink: Option<String>,
        ids: Option<Vec<String>>,
    ) -> Result<JsValue, JsValue>;
}

const DEFAULT: u32 = 100;
const MOST: u32 = 500;

const EXPECTED: &str = r#"Expected {"sink": "r2", "ids": ["7-41"]}: either, both or neither, and 500 ids at most."#;

pub async fn get(visit: &Visit) -> Answer {
    let limit = parameter(visit, "limit").map_or(Some(DEFAULT), |text| text.parse().ok());
    let Some(limit) = limit.filter(|limit| (1..=MOST).contains(limit)) else {
        return bad_request("`limit` is no number from 1 to 500.");
    };
    let told = js_list(&visit.env, &visit.site, parameter(visit, "sink"), parameter(visit, "cursor"), limit).await;
    answered(visit, told, "`cursor` is none that a list ended with.")
}

pub async fn post(visit: &Visit, bearer: &Bearer) -> Answer {
    let Some(body) = visit.body(BODY_LIMIT).await else { return too_large(BODY_LIMIT) };
    let Some((sink, ids)) = asked(&body) else { return bad_request(EXPECTED) };
    let entry = Entry::new(bearer, "resend").with("what", sink.as_deref());
    if let Err(trouble) = write(visit, &entry).await {
        return super::unavailable(visit, &trouble);
    }
    let told = js_resend(&visit.env, &visit.site, sink, ids).await;
    answered(visit, told, EXPECTED)
}

/// Of which sink, and which of its letters.
fn asked(body: &[u8]) -> Option<(Option<String>, Option<Vec<String>>)> {
    let asked = object(body, &["sink", "ids"])?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let sink = match asked.get("sink") {
        None | Some(Value::Null) => None,
        Some(sink) => Some(text(sink)?),
    };
    let ids = match asked.get("ids") {
        None | Some(Value::Null) => None,
        Some(Value::Array(ids)) if ids.len() <= MOST as usize => Some(ids.iter().map(text).collect::<Option<_>>()?),
        Some(_) => return None,
    };
    Some((sink, ids))
}

/// What the shards said; `wrong` where they could not be asked that.
fn answered(visit: &Visit, told: Result<JsValue, JsValue>, wrong: &str) -> Answer {
    match told {
        Ok(told) if told.is_null() => {
            Answer::error(501, "no_profiles", "The binding PROFILES is missing: no event is taken, and none kept.")
        }
        Ok(told) => match told.as_string() {
            Some(json) => Answer::bytes("application/json", json.into_bytes()).with("cache-control", "private, no-store"),
            None => bad_request(wrong),
        },
        Err(_) => {
            host::log("error", "shard_failed", "a shard did not say which dead letters it has", &visit.site);
            Answer::error(503, "unavailable", "Not all of the shards answered: try again.").with("retry-after", "1")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_again_is_read() {
        let some = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        for (body, expected) in [
            ("{}", Some((None, None))),
            (r#"{"sink": null, "ids": null}"#, Some((None, None))),
            (r#"{"sink": "r2", "ids": ["7-41"]}"#, Some((Some("r2".to_owned()), some(&["7-41"])))),
            (r#"{"sink": 1}"#, None),
            (r#"{"ids": "7-41"}"#, None),
            (r#"{"ids": [7]}"#, None),
            (r#"{"sinks": "r2"}"#, None),
            ("[]", None),
        ] {
            assert_eq!(asked(body.as_bytes()), expected, "{body}");
        }
        let many = format!(r#"{{"ids": [{}"1-1"]}}"#, r#""1-1","#.repeat(500));
        assert_eq!(asked(many.as_bytes()), None);
    }
}
