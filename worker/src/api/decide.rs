//! `/_idoine/decide`: what the visitor gets to see on a page. In previews `?explain` adds why, as data; `?explain=text` answers
//! with that alone, as text for people.

use super::batch::{told, unknown_slot, wrong};
use super::{bad_request, facts, parameter};
use crate::answer::Answer;
use crate::page::selectors;
use crate::visit::Visit;
use crate::{enrichment, host};
use idoine::report::{self, DecisionReport, EditReport, ExplanationReport, explanation_text};
use idoine::visitor::Visitor;
use idoine::{Context, Decisions, Edit, Program, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What was decided for a page.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema))]
pub struct Decided<'a> {
    /// The program's version.
    version: String,
    /// One for each slot of the page.
    decisions: Vec<DecisionReport<'a>>,
    /// What they do to the page.
    edits: Vec<EditReport<'a>>,
    /// CSS selectors of the slots that an experience won, be it with its baseline, by their names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    selectors: BTreeMap<&'a str, &'a str>,
    /// Epoch milliseconds at which time alone may change what is decided on the page; absent where it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    /// What the decisions were made from. For previews alone: its time is the server's, to the millisecond.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<Receipt>,
    /// Why, in previews: see docs/explain.md.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(any(test, feature = "openapi"), schemars(with = "Option<std::collections::BTreeMap<String, Value>>"))]
    explain: Option<ExplanationReport<'a>>,
}

/// What a page asks: what is to be seen at this address, for the visitor that the request itself shows.
#[derive(Deserialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "Page"))]
pub struct Asked {
    /// The page: an absolute URL.
    url: String,
    /// The page before it.
    referrer: Option<String>,
    /// The slots that are of interest, as some depend on what changed; without it all of the page.
    #[cfg_attr(any(test, feature = "openapi"), schemars(length(max = 500)))]
    #[allow(dead_code)] // It is taken off before the rest is read, which may be a whole visitor.
    slots: Option<Vec<String>>,
}

/// The most slots of a request.
const MOST_SLOTS: usize = 500;

const EXPECTED: &str = "Expected {\"url\": \"https://..\", \"referrer\": \"..\", \"slots\": [..]}; `url` is an absolute URL.";

/// The slots that are told: those of this list; all where there is none.
type Wanted = Option<Vec<String>>;

pub async fn get(visit: &Visit, program: &Program) -> Answer {
    match parameter(visit, "url").and_then(|url| facts(visit, program, &url, parameter(visit, "referrer"))) {
        Some(request) => answer(visit, program, request, None).await,
        None => bad_request("`url` is missing, or not an absolute URL."),
    }
}

pub async fn post(visit: &Visit, program: &Program, body: &[u8]) -> Answer {
    // A list is no page, though serde would take its items for the fields.
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(body) else { return bad_request(EXPECTED) };
    let Ok(wanted) = Wanted::deserialize(fields.remove("slots").unwrap_or_default()) else { return bad_request(EXPECTED) };
    if let Some(slots) = &wanted {
        if slots.len() > MOST_SLOTS {
            return wrong(&format!("Expected {MOST_SLOTS} slots at most."), "/slots".to_owned());
        }
        if let Some(refused) = unknown_slot(program, slots) {
            return refused;
        }
    }
    let body = Value::Object(fields);
    if visit.is_preview()
        && ["headers", "cf", "now", "context", "enrichments", "profile", "offsets"]
            .iter()
            .any(|field| body.get(field).is_some())
    {
        return match Visitor::deserialize(&body) {
            Ok(visitor) => answer(visit, program, visitor.request(host::now(), host::zone_offsets), wanted).await,
            Err(error) => bad_request(&format!("This is no visitor: {error}.")),
        };
    }
    match Asked::deserialize(&body).ok().and_then(|asked| facts(visit, program, &asked.url, asked.referrer)) {
        Some(request) => answer(visit, program, request, wanted).await,
        None => bad_request(EXPECTED),
    }
}

async fn answer(visit: &Visit, program: &Program, request: idoine::Request, wanted: Wanted) -> Answer {
    let context = Context::derive(program, &request);
    let context = visit.measured(program.terms(), enrichment::enrich(visit, program, request, context).await);
    let receipt = visit.is_preview().then(|| Receipt::of(program, &context));
    // Why others lost tells what a site plans: for previews alone.
    let Some(form) = parameter(visit, "explain").filter(|_| visit.is_preview()) else {
        let decisions = idoine::decide(program, &context);
        let edits = idoine::edits(program, &context, &decisions);
        let until = visit.until(program, &context, &decisions);
        return body(program, &decisions, &edits, until, receipt, None, wanted);
    };
    let explanation = idoine::explain(program, &context);
    let edits = idoine::edits(program, &context, &explanation.decisions);
    let report = report::explanation(program, &context, &explanation, &edits);
    if form == "text" {
        return Answer::text(explanation_text(&report));
    }
    let until = visit.until(program, &context, &explanation.decisions);
    body(program, &explanation.decisions, &edits, until, receipt, Some(report), wanted)
}

/// All of the page was decided, as what one slot shows depends on the others.
fn body(
    program: &Program,
    decisions: &Decisions,
    edits: &[Edit<'_>],
    until: Option<i64>,
    receipt: Option<Receipt>,
    explain: Option<ExplanationReport<'_>>,
    wanted: Wanted,
) -> Answer {
    let mut selectors = selectors(program, decisions);
    if let Some(wanted) = &wanted {
        selectors.retain(|slot, _| wanted.iter().any(|one| one == slot));
    }
    let (decisions, edits) = told(program, decisions, edits, wanted.as_deref());
    Answer::json(&Decided { version: program.version(), decisions, edits, selectors, until, receipt, explain })
}
