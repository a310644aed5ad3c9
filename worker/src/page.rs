//! What is to be done to a page: decided whole, before a byte of the origin's page is read, and handed over as plain data.

use crate::visit::Visit;
use crate::{enrichment, host, program};
use idoine::consent::{Mode, Purpose};
use idoine::report::{self, DecisionReport, EditReport};
use idoine::{Context, Decision, Decisions, Edit, EditOp, Program};
use serde::Serialize;
use std::collections::BTreeMap;
use wasm_bindgen::JsValue;

const MINUTE_MS: i64 = 60_000;

/// What the host does to the page. Its rewriter is `worker/js/rewrite.js`.
#[derive(Serialize)]
struct Plan<'a> {
    /// As the API tells them, and one operation of its own: `mark`, which writes the slot's id on its elements.
    edits: Vec<EditReport<'a>>,
    /// The page's state as JSON text that can stand in a script element.
    state: &'a str,
    preview: bool,
    /// Whether the edits show something of the visitor alone, so that the page is not to be kept.
    personal: bool,
    /// The client hints that the site's experiences read, as an `Accept-CH` header names them.
    hints: String,
    /// The program's version, and whether a bot asks: for what is counted.
    version: String,
    bot: bool,
    /// Attributes of the loader's element.
    #[serde(skip_serializing_if = "String::is_empty")]
    asks: String,
    /// The `Set-Cookie` headers that go with the page.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exposure: Option<Exposure<'a>>,
}

/// What a visitor is shown by being led to another page, for whoever stores it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exposure<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    /// New for each: a message that arrives twice counts once.
    message_id: String,
    site: &'a str,
    version: String,
    #[serde(flatten)]
    decision: DecisionReport<'a>,
    /// Epoch milliseconds.
    time: i64,
    /// Where the visitor agreed to analytics.
    #[serde(skip_serializing_if = "Option::is_none")]
    anonymous_id: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    bot: bool,
}

/// What is known of the page of a visit: the plan as JSON text; where no experience concerns it, whether a bot asks; `undefined`
/// when there is no program.
pub async fn known(visit: &Visit) -> JsValue {
    match program::current(visit).await {
        None => JsValue::UNDEFINED,
        Some(program) => match plan(visit, &program).await {
            Ok(plan) => plan.into(),
            Err(bot) => bot.into(),
        },
    }
}

/// The plan as JSON; where no experience concerns the page, whether a bot asks.
async fn plan(visit: &Visit, program: &Program) -> Result<String, bool> {
    let overrides = visit.overrides.clone().unwrap_or_default();
    let mut facts = visit.facts(program, visit.url.clone(), overrides.clone());
    // Programs that read the site are no visitors.
    if program.terms().mode == Mode::OptOut && !Context::is_of_bot(program, &facts) {
        visit.give(program.terms());
        facts = visit.facts(program, visit.url.clone(), overrides);
    }
    let context = Context::derive(program, &facts);
    let bot = context.is_bot();
    if !program.concerns(&context) {
        return Err(bot);
    }
    let context = visit.measured(program.terms(), enrichment::enrich(visit, program, facts, context).await);
    let decisions = idoine::decide(program, &context);
    let edits = idoine::edits(program, &context, &decisions);
    let mut planned = at_the_edge(program, &edits);
    planned.extend(marks(program, &decisions));
    let plan = Plan {
        edits: planned,
        state: &state(program, &decisions, &edits, until(program, &context)).ok_or(bot)?,
        preview: visit.is_preview(),
        personal: idoine::shows_visitor(program, &decisions),
        hints: program.client_hints().collect::<Vec<_>>().join(", "),
        version: program.version(),
        bot,
        asks: asks(visit, program),
        cookies: visit.given(),
        exposure: exposure(visit, program, &context, &decisions, &edits),
    };
    serde_json::to_string(&plan).map_err(|_| bot)
}

/// The exposure of the page's redirect; `None` when there is none, and in previews.
fn exposure<'a>(
    visit: &'a Visit,
    program: &'a Program,
    context: &'a Context,
    decisions: &Decisions,
    edits: &[Edit<'_>],
) -> Option<Exposure<'a>> {
    let redirect = edits.iter().find(|edit| edit.op == EditOp::Redirect && !visit.is_preview())?;
    let slot = program.slot_id(redirect.slot);
    Some(Exposure {
        kind: "exposure",
        message_id: host::new_id(),
        site: &visit.site,
        version: program.version(),
        decision: report::decisions(program, decisions).into_iter().find(|decision| decision.slot == slot)?,
        time: context.now,
        anonymous_id: context.unit(Purpose::Analytics),
        bot: context.is_bot(),
    })
}

/// What the rewriter is to do: all but what only the document can do, which the page's script is told.
fn at_the_edge<'a>(program: &'a Program, edits: &'a [Edit<'a>]) -> Vec<EditReport<'a>> {
    let reports = report::edits(program, edits).into_iter().zip(edits);
    reports.filter_map(|(report, edit)| (!edit.op.is_of_document()).then_some(report)).collect()
}

/// For each slot of the page that its own code shows, a mark on the elements, by which that code finds them.
fn marks<'a>(program: &'a Program, decisions: &'a Decisions) -> impl Iterator<Item = EditReport<'a>> {
    decisions.slots.iter().filter_map(|decision| {
        let selector = program.slot_handed_over(decision.slot)?;
        Some(EditReport { slot: program.slot_id(decision.slot), selector, op: "mark", name: "", value: "" })
    })
}

/// The page's state: what was decided and until when that holds, the values for front-end code, the edits that it is to make itself, and where the
/// slots are that an experience won.
fn state(program: &Program, decisions: &Decisions, edits: &[Edit<'_>], until: Option<i64>) -> Option<String> {
    let mut state = format!(
        "{{\"version\":\"{}\",\"decisions\":{},\"values\":{{",
        program.version(),
        serde_json::to_string(&report::decisions(program, decisions)).ok()?
    );
    for (at, edit) in edits.iter().filter(|edit| edit.op == EditOp::Json).enumerate() {
        if at > 0 {
            state.push(',');
        }
        state.push_str(&serde_json::to_string(program.slot_id(edit.slot)).ok()?);
        state.push(':');
        state.push_str(&edit.value);
    }
    state.push('}');
    let in_page = |edit: &Edit<'_>| edit.op.is_of_document() || program.slot_handed_over(edit.slot).is_some();
    let reports = report::edits(program, edits).into_iter().zip(edits);
    let of_page: Vec<EditReport<'_>> = reports.filter_map(|(report, edit)| in_page(edit).then_some(report)).collect();
    if !of_page.is_empty() {
        state.push_str(",\"edits\":");
        state.push_str(&serde_json::to_string(&of_page).ok()?);
    }
    let selectors = selectors(program, decisions);
    if !selectors.is_empty() {
        state.push_str(",\"selectors\":");
        state.push_str(&serde_json::to_string(&selectors).ok()?);
    }
    if let Some(until) = until {
        state.push_str(",\"until\":");
        state.push_str(&until.to_string());
    }
    state.push('}');
    Some(for_script(&state))
}

/// Until when the page stays as it is, by the program alone: pages of many are alike, and nothing of a profile stands in them. What may change
/// each minute is told as a minute, not as an instant.
fn until(program: &Program, context: &Context) -> Option<i64> {
    idoine::until(program, context).map(|at| if at.saturating_sub(context.now) <= MINUTE_MS { MINUTE_MS } else { at })
}

/// Where the slots are that an experience won, be it with its baseline: there the page tells whether they were seen.
pub fn selectors<'a>(program: &'a Program, decisions: &'a Decisions) -> BTreeMap<&'a str, &'a str> {
    decisions.slots.iter().filter_map(|decision| selector(program, decision)).collect()
}

fn selector<'a>(program: &'a Program, decision: &Decision) -> Option<(&'a str, &'a str)> {
    decision.experience?;
    let selector = program.slot_selector(decision.slot).or_else(|| program.slot_handed_over(decision.slot))?;
    Some((program.slot_id(decision.slot), selector))
}

/// The loader's attributes that say which version of the wording Idoine's own banner is to ask in, and which consent platforms are to be listened
/// to, where the site has it so; whether it may send what is counted without a visitor; what it captures, and when a slot counts as seen. Of the notice, which is JSON as the compiler writes it: no quote stands in a text of it without an escape.
fn asks(visit: &Visit, program: &Program) -> String {
    let notice = program.notice();
    let mut asks = String::new();
    let mut put = |name: &str, value: &str| {
        for part in [" data-", name, "=\"", value, "\""] {
            asks.push_str(part);
        }
    };
    if notice.contains("\"ask\":\"banner\"") {
        put("consent", &program.terms().version.to_string());
    }
    let platforms = notice.split_once("\"platforms\":[").and_then(|(_, rest)| rest.split_once(']'));
    if let Some((platforms, _)) = platforms.filter(|(platforms, _)| !platforms.is_empty()) {
        put("platforms", &platforms.replace('"', "").replace(',', " "));
    }
    if visit.is_measured(program.terms()) {
        put("measure", "1");
    }
    for (name, value) in [("capture", program.capture()), ("exposure", program.exposure())] {
        if !value.is_empty() {
            put(name, value);
        }
    }
    asks
}

/// JSON text for the inside of a script element, of HTML or XHTML: there these characters would end the element, open a
/// comment, or be markup. In JSON they occur in strings alone, where an escape stands for them.
fn for_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::for_script;

    #[test]
    fn no_json_leaves_its_script_element() {
        assert_eq!(for_script(r#"{"a":"</script><!--&"}"#), r#"{"a":"\u003c/script>\u003c!--\u0026"}"#);
        let text: String = serde_json::from_str(&for_script(r#""a </b> & c""#)).unwrap();
        assert_eq!(text, "a </b> & c");
    }
}
