//! OFREP, the OpenFeature Remote Evaluation Protocol (0.3): every slot is a flag.
//!
//! Who brings no token is the visitor: what their request shows decides, and of what they claim only what nobody can gain by
//! (`claims.rs`). Who brings one speaks for a visitor of theirs.

mod claims;
mod flag;

pub use claims::Asked;
pub use flag::Success;

use super::{BODY_LIMIT, Call};
use crate::answer::Answer;
use crate::visit::Visit;
use crate::{enrichment, host, identity};
use claims::Claims;
use idoine::{Context, Decisions, Edit, Program, Reason};
use serde::Serialize;
use std::borrow::Cow;

/// The rate limit of those who bring no token; bound or not.
const LIMIT: &str = "EVALUATE_LIMIT";

/// After how many seconds who was refused may ask again: the longest period of a rate limit.
const RETRY_SECONDS: &str = "60";

/// The most names of what did not count that are told.
const MOST_IGNORED: usize = 100;

/// A name for the client that asks, which does not tell its address to whoever sees the limit's keys. Of IPv6 the network counts
/// that a household or a machine has as its own, 64 bits.
fn client(visit: &Visit) -> String {
    let address = visit.header("cf-connecting-ip").unwrap_or_default();
    let network = match address.split_once("::") {
        None if !address.contains(':') => address.to_owned(),
        None => address.split(':').take(4).collect::<Vec<_>>().join(":"),
        Some((head, _)) => head.split(':').take(4).collect::<Vec<_>>().join(":"),
    };
    identity::digest(format!("{}\n{}\n{network}", visit.key().unwrap_or_default(), visit.site).as_bytes())
}

/// A flag that was not evaluated.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepFailure"))]
pub struct FlagFailure {
    /// The flag's key.
    key: String,
    /// OpenFeature's code of the error.
    error_code: Code,
    /// For people.
    error_details: String,
}

/// Flags that were not evaluated.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepBulkFailure"))]
pub struct BulkFailure {
    /// OpenFeature's code of the error.
    error_code: Code,
    /// For people.
    error_details: String,
}

/// OpenFeature's codes of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepErrorCode"))]
enum Code {
    ParseError,
    InvalidContext,
    TargetingKeyMissing,
    FlagNotFound,
    General,
}

/// All flags.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepFlags"))]
pub struct Bulk<'a> {
    /// One for each slot of the site.
    flags: Vec<Flag<'a>>,
    /// What is true of all of them.
    metadata: BulkMetadata,
}

/// One flag of all.
#[derive(Serialize)]
#[serde(untagged)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepFlagOrFailure"))]
enum Flag<'a> {
    /// It was evaluated.
    Success(Success<'a>),
    /// It was not.
    Failure(FlagFailure),
}

/// What is true of all flags.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "OfrepFlagsMetadata"))]
struct BulkMetadata {
    /// The program's version.
    version: String,
    /// Attributes of the context that did not count, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignored: Option<String>,
}

/// Why there is no evaluation.
struct Refusal {
    status: u16,
    code: Code,
    details: Cow<'static, str>,
    header: Option<(&'static str, &'static str)>,
}

impl Refusal {
    fn new(status: u16, code: Code, details: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { status, code, details: details.into(), header: None }
    }

    /// As the answer to a request for one flag, or for all of them.
    fn answer(self, key: Option<String>) -> Answer {
        let (error_code, error_details) = (self.code, self.details.into_owned());
        let answer = match key {
            Some(key) => Answer::json(&FlagFailure { key, error_code, error_details }),
            None => Answer::json(&BulkFailure { error_code, error_details }),
        };
        let answer = answer.of_status(self.status);
        match self.header {
            Some((name, value)) => answer.with(name, value),
            None => answer,
        }
    }
}

/// What was decided for the page and the visitor that a request is about.
struct Evaluated<'a> {
    program: &'a Program,
    decisions: Decisions,
    edits: Vec<Edit<'a>>,
    ignored: Option<String>,
    /// Where no targeting key came with the context: the slots that a key would change something about.
    waiting: Vec<u32>,
}

/// Evaluates the flag of a slot.
pub(super) async fn flag(call: &Call<'_>) -> Answer {
    let key = js_sys::decode_uri_component(call.key).map_or_else(|_| call.key.to_owned(), String::from);
    match evaluate(call).await {
        Err(refusal) => refusal.answer(Some(key)),
        Ok(evaluated) => match evaluated.slot(&key) {
            None => Refusal::new(404, Code::FlagNotFound, "There is no such slot.").answer(Some(key)),
            Some(slot) => match evaluated.flag(slot, evaluated.ignored.clone()) {
                Flag::Success(success) => Answer::json(&success),
                Flag::Failure(failure) => Answer::json(&failure).of_status(400),
            },
        },
    }
}

/// Evaluates the flags of all slots.
pub(super) async fn flags(call: &Call<'_>) -> Answer {
    let evaluated = match evaluate(call).await {
        Err(refusal) => return refusal.answer(None),
        Ok(evaluated) => evaluated,
    };
    let flags = (0..evaluated.program.slot_count() as u32).map(|slot| evaluated.flag(slot, None));
    let metadata = BulkMetadata { version: evaluated.program.version(), ignored: evaluated.ignored.clone() };
    let answer = Answer::json(&Bulk { flags: flags.collect(), metadata });
    let tag = format!("\"{}\"", identity::digest(answer.body()));
    let answer = if call.visit.knows(&tag) { Answer::empty(304).with("cache-control", "private, no-store") } else { answer };
    answer.with("etag", tag)
}

async fn evaluate<'a>(call: &Call<'a>) -> Result<Evaluated<'a>, Refusal> {
    let visit = call.visit;
    let by_server = match call.role {
        Err(()) => {
            let refusal = Refusal::new(401, Code::General, "The token is not known.");
            return Err(Refusal { header: Some(("www-authenticate", "Bearer")), ..refusal });
        }
        Ok(role) => role.is_some(),
    };
    if !by_server && call.foreign {
        return Err(Refusal::new(403, Code::General, "Without a token only pages of the site may ask."));
    }
    if !by_server && host::is_limited(&visit.env, LIMIT, &client(visit)).await {
        let refusal = Refusal::new(429, Code::General, "Too many requests.");
        return Err(Refusal { header: Some(("retry-after", RETRY_SECONDS)), ..refusal });
    }
    let body = visit.body(BODY_LIMIT).await;
    let body = body.ok_or_else(|| Refusal::new(400, Code::ParseError, "The body is larger than 256 KB, or can't be read."))?;
    let asked = Asked::read(&body).map_err(|details| Refusal::new(400, Code::ParseError, details))?;
    let Some(program) = call.program else {
        return Err(Refusal::new(500, Code::General, "No program is published for this site, or it can't be loaded."));
    };
    let claims = if by_server { Claims::of_server(visit, program, asked) } else { Claims::of_visitor(visit, program, asked) };
    let Claims { request, mut ignored, anonymous } =
        claims.map_err(|details| Refusal::new(400, Code::InvalidContext, details))?;
    // What a targeting key would change: asked where a server could have told one.
    let named = (by_server && anonymous).then(|| {
        let mut named = request.clone();
        named.overrides.push(("visitor.id".to_owned(), "targeting-key".to_owned()));
        named
    });
    let context = Context::derive(program, &request);
    let context = enrichment::enrich(visit, program, request, context).await;
    let decisions = idoine::decide(program, &context);
    let edits = idoine::edits(program, &context, &decisions);
    let mut waiting = Vec::new();
    if let Some(named) = named
        && decisions.slots.iter().any(|decision| decision.reason == Reason::NoUnit)
    {
        let named = idoine::decide(program, &Context::derive(program, &named));
        let both = decisions.slots.iter().zip(&named.slots);
        let changed = both.filter(|(decision, named)| decision.reason == Reason::NoUnit && named.reason != Reason::NoUnit);
        waiting.extend(changed.map(|(decision, _)| decision.slot));
    }
    for (path, _) in context.ignored {
        ignored.push(path);
    }
    ignored.truncate(MOST_IGNORED);
    let ignored = (!ignored.is_empty()).then(|| in_order(&ignored).join(","));
    Ok(Evaluated { program, decisions, edits, ignored, waiting })
}

/// Texts in their order, none twice. They are few: a sort costs more code than it is worth.
fn in_order(texts: &[String]) -> Vec<&str> {
    let mut out: Vec<&str> = Vec::new();
    for text in texts {
        let place = out.partition_point(|known| *known < text.as_str());
        if out.get(place) != Some(&text.as_str()) {
            out.insert(place, text);
        }
    }
    out
}

impl Evaluated<'_> {
    fn slot(&self, key: &str) -> Option<u32> {
        (0..self.program.slot_count() as u32).find(|slot| self.program.slot_id(*slot) == key)
    }

    fn flag(&self, slot: u32, ignored: Option<String>) -> Flag<'_> {
        if self.waiting.contains(&slot) {
            return Flag::Failure(FlagFailure {
                key: self.program.slot_id(slot).to_owned(),
                error_code: Code::TargetingKeyMissing,
                error_details: "An experience draws by the targeting key.".to_owned(),
            });
        }
        let of_slot = |slots: &[idoine::Decision]| slots.binary_search_by_key(&slot, |decision| decision.slot).ok();
        let decision = of_slot(&self.decisions.slots).and_then(|at| self.decisions.slots.get(at));
        let edits = self.edits.iter().filter(|edit| edit.slot == slot);
        Flag::Success(flag::success(self.program, slot, decision, edits, ignored))
    }
}
