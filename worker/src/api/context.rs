//! `GET /_idoine/context[?url=]`: what is known of the visitor, without the id. Of enrichments, those that the page at `url`
//! needs; without `url` all of them, for a site of static files, which asks once and then decides for all its pages.

use super::{bad_request, facts, parameter};
use crate::answer::Answer;
use crate::enrichment;
use crate::visit::Visit;
use idoine::report::ContextReport;
use idoine::{Context, Program};
use serde::Serialize;

/// What is known of the visitor.
#[derive(Serialize)]
#[cfg_attr(any(test, feature = "openapi"), derive(schemars::JsonSchema), schemars(rename = "Context"))]
pub struct Known<'a> {
    /// The program's version.
    version: String,
    /// The instant that decides, in epoch milliseconds.
    now: i64,
    /// The fields that are present, by path.
    #[cfg_attr(any(test, feature = "openapi"), schemars(with = "std::collections::BTreeMap<String, serde_json::Value>"))]
    context: ContextReport<'a>,
    /// Whether this is a preview.
    preview: bool,
}

pub async fn get(visit: &Visit, program: &Program) -> Answer {
    let asked = parameter(visit, "url");
    let page = asked.clone().unwrap_or_else(|| format!("{}/", visit.origin()));
    let Some(facts) = facts(visit, program, &page, parameter(visit, "referrer")) else {
        return bad_request("`url` is not an absolute URL.");
    };
    let context = Context::derive(program, &facts);
    let context = match asked {
        Some(_) => enrichment::enrich(visit, program, facts, context).await,
        None => enrichment::enrich_all(visit, program, facts, context).await,
    };
    Answer::json(&Known {
        version: program.version(),
        now: context.now,
        context: ContextReport(program, &context),
        preview: visit.is_preview(),
    })
}
