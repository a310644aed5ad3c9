//! What both reports say in the same words.

pub(super) use crate::input::count;
use idoine::context::Value;
use idoine::replay::{Change, Example, Lost, Outcome, SlotSummary, Summary, Wins};

/// Changes of a slot that a report for people shows.
pub(super) const MOST_CHANGES: usize = 20;
/// The longest text of a visitor's that a report for people shows, in characters.
const LONGEST: usize = 120;

/// A share such as `21.4 %`.
pub(super) fn percent(part: u64, all: u64) -> String {
    format!("{:.1} %", if all == 0 { 0.0 } else { part as f64 * 100.0 / all as f64 })
}

/// A text of a visitor's, who may write anything: on one line, without signs that lead a terminal or a reader astray, and cut.
pub(super) fn plain(text: &str) -> String {
    let mut shown: String = text.chars().take(LONGEST).map(|c| if astray(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Control characters, and those that change the direction of the text around them.
fn astray(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

/// A value of a field.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        other => plain(&serde_json::to_string(other).unwrap_or_default()),
    }
}

/// What a change is from and to; `name` is how an id is written.
pub(super) fn change(from: &Outcome<'_>, to: &Outcome<'_>, name: impl Fn(&str) -> String) -> [String; 2] {
    let short = [from, to].map(|outcome| self::outcome(outcome, &name, false));
    // Whether an experience is an experiment follows from the reason, but for one that was forced.
    if short[0] == short[1] { [from, to].map(|outcome| self::outcome(outcome, &name, true)) } else { short }
}

fn outcome(outcome: &Outcome<'_>, name: &impl Fn(&str) -> String, source: bool) -> String {
    let Outcome { on_page, variant, factor, reason, .. } = *outcome;
    let Some(experience) = outcome.experience else {
        return if on_page { "no experience" } else { "not on the page" }.to_owned();
    };
    let level = if variant == 0 { "baseline".to_owned() } else { format!("variant {variant}") };
    let of = factor.map(|factor| format!(" of {}", name(factor))).unwrap_or_default();
    let source = if source { format!("{}, ", outcome.source) } else { String::new() };
    format!("{}, {level}{of} ({source}{reason})", name(experience))
}

/// Why the winner of before loses, and why the one of now lost; `name` is how an id is written.
pub(super) fn why(example: &Example, name: impl Fn(&str) -> String) -> Option<String> {
    let lost = |lost: &Lost, [gone, nothing, loses]: [&str; 3]| {
        let experience = name(&lost.experience);
        match (lost.reason, &lost.by) {
            ("not_in_manifest", _) => format!("{experience} {gone}"),
            ("not_in_slot", _) => format!("{experience} {nothing}"),
            (reason, None) => format!("{experience} {loses} {reason}"),
            (reason, Some(by)) => format!("{experience} {loses} {reason} by {}", name(by)),
        }
    };
    let old =
        example.old_winner.as_ref().map(|winner| lost(winner, ["is gone", "wins now too, but not this slot", "loses now:"]));
    let new =
        example.new_winner.as_ref().map(|winner| lost(winner, ["is new", "won before too, but not this slot", "lost before:"]));
    let parts: Vec<String> = old.into_iter().chain(new).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// What is known of an example's visitor: names and values.
pub(super) fn known(example: &Example) -> Vec<(&str, String)> {
    let unit = example.unit.as_deref().map(|unit| ("visitor.id", plain(unit)));
    let paths: std::collections::BTreeSet<&String> = example.context.keys().chain(example.context_before.keys()).collect();
    let told = paths.into_iter().map(|path| {
        let now = example.context.get(path).map_or("unknown".to_owned(), value);
        let before = example.context_before.get(path).map(|before| before.as_ref().map_or("unknown".to_owned(), value));
        (path.as_str(), before.map_or(now.clone(), |before| format!("{now} (before: {before})")))
    });
    unit.into_iter().chain(told).collect()
}

/// The slots of which there is something to say; those with the very same changes, as an experience of many slots has, together.
pub(super) fn slots<'s, 'p>(summary: &'s Summary<'p>) -> Vec<Vec<&'s SlotSummary<'p>>> {
    let mut alike: Vec<Vec<&SlotSummary<'_>>> = Vec::new();
    for slot in summary.slots.iter().filter(|slot| slot.changed > 0 || slot.content > 0 || slot.side != "both") {
        match alike.iter_mut().find(|slots| slots.first().is_some_and(|other| same(slot, other))) {
            Some(slots) => slots.push(slot),
            None => alike.push(vec![slot]),
        }
    }
    alike
}

fn same(one: &SlotSummary<'_>, other: &SlotSummary<'_>) -> bool {
    let numbers = |slot: &SlotSummary<'_>| (slot.side, slot.visitors, slot.changed, slot.content, slot.changes.len());
    let alike = |(one, other): (&Change<'_>, &Change<'_>)| {
        (one.from, one.to, one.visitors, one.edited) == (other.from, other.to, other.visitors, other.edited)
    };
    numbers(one) == numbers(other) && one.changes.iter().zip(&other.changes).all(alike)
}

/// For whom a change changes nothing that can be seen.
pub(super) fn unseen(change: &Change<'_>) -> Option<String> {
    match change.visitors.saturating_sub(change.edited) {
        0 => None,
        all if all == change.visitors => Some("the page stays the same".to_owned()),
        some => Some(format!("the page stays the same for {some}")),
    }
}

/// The names of slots; `name` is how one is written.
pub(super) fn names(slots: &[&SlotSummary<'_>], name: impl Fn(&str) -> String) -> String {
    slots.iter().map(|slot| name(slot.slot)).collect::<Vec<_>>().join(", ")
}

/// The manifest that alone has a slot.
pub(super) fn only_in(slot: &SlotSummary<'_>) -> Option<&'static str> {
    match slot.side {
        "old" => Some("only in the old manifest"),
        "new" => Some("only in the new manifest"),
        _ => None,
    }
}

/// The experiences of which there is something to say.
pub(super) fn experiences<'s, 'p>(summary: &'s Summary<'p>) -> impl Iterator<Item = &'s Wins<'p>> {
    summary.experiences.iter().filter(|wins| wins.before != wins.after)
}

/// How an experience's wins change: `+17`, `new`, `gone`.
pub(super) fn difference(wins: &Wins<'_>) -> String {
    match (wins.before, wins.after) {
        (Some(before), Some(after)) if after < before => format!("-{}", before - after),
        (Some(before), Some(after)) => format!("+{}", after - before),
        (None, _) => "new".to_owned(),
        (_, None) => "gone".to_owned(),
    }
}

/// What logged lines show; nothing without any.
pub(super) fn receipts(summary: &Summary<'_>) -> Option<String> {
    let receipts = &summary.receipts;
    if receipts.count() == 0 {
        return None;
    }
    let mut text = format!("replayed: {} the same, {} different", receipts.same, receipts.different);
    if receipts.other_program > 0 {
        text.push_str(&format!(", {} made by another program", receipts.other_program));
    }
    for unlike in &receipts.examples {
        let what = match (unlike.context, unlike.decisions) {
            (true, false) => "the same decisions, but another context",
            (false, _) => "other decisions",
            (true, true) => "another context and other decisions",
        };
        text.push_str(&format!("; line {}: {what}", unlike.line));
    }
    Some(text)
}

/// What is to be said beside: overrides that are not understood, lines that are no visitor.
pub(super) fn notes(summary: &Summary<'_>) -> Vec<String> {
    let ignored = summary.ignored.iter().map(|ignored| {
        let of = |number: u64, side: &str| (number > 0).then(|| format!("{} by the {side} manifest", count(number, "visitor")));
        let sides: Vec<String> = of(ignored.old, "old").into_iter().chain(of(ignored.new, "new")).collect();
        format!("`{}` is not understood for {}: expected {}", plain(&ignored.path), sides.join(" and "), ignored.expected)
    });
    let unread = match summary.unread {
        0 => None,
        1 => Some("1 line of the input is no visitor".to_owned()),
        lines => Some(format!("{lines} lines of the input are no visitors")),
    };
    ignored.chain(unread).collect()
}
