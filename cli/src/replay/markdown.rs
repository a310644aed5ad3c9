//! The report for a pull request.

use super::words::{self, MOST_CHANGES, count, percent, plain};
use idoine::replay::{Example, Summary};

pub(super) fn render([old, new]: [String; 2], summary: &Summary<'_>) -> String {
    let (all, changed, content) = (summary.visitors, summary.changed, summary.content);
    let mut out = if changed > 0 {
        format!("### Other decisions for {changed} of {} ({})\n", count(all, "visitor"), percent(changed, all))
    } else if content > 0 {
        format!(
            "### The same decisions, other content for {content} of {} ({})\n",
            count(all, "visitor"),
            percent(content, all)
        )
    } else {
        format!("### Nothing changes for {}\n", count(all, "visitor"))
    };
    let side = |path: &str, version: &str| format!("{} (version {})", code(path), code(version));
    out.push_str(&format!("\n{} → {}\n", side(&old, &summary.old.version), side(&new, &summary.new.version)));
    out.push_str("\n| | visitors | share |\n| --- | ---: | ---: |\n");
    for (what, part) in [
        ("other decisions", changed),
        ("the same decisions with other content", content),
        ("no change", all - changed - content),
    ] {
        out.push_str(&format!("| {what} | {part} | {} |\n", percent(part, all)));
    }
    slots(summary, &mut out);
    experiences(summary, &mut out);
    examples(summary, &mut out);
    for line in words::receipts(summary).into_iter().chain(words::notes(summary)) {
        out.push_str(&format!("\n{line}\n"));
    }
    out
}

fn slots(summary: &Summary<'_>, out: &mut String) {
    let mut rows = Vec::new();
    for slots in words::slots(summary) {
        let Some(slot) = slots.first() else { continue };
        let name = words::names(&slots, cell) + &words::only_in(slot).map(|only| format!(" ({only})")).unwrap_or_default();
        let mut row = |from: &str, to: &str, visitors: u64| {
            let share = percent(visitors, slot.visitors);
            rows.push(format!("| {name} | {from} | {to} | {visitors} | {share} |\n"));
        };
        for change in slot.changes.iter().take(MOST_CHANGES) {
            let [from, to] = words::change(&change.from, &change.to, cell);
            let unseen = words::unseen(change).map(|unseen| format!(" ({unseen})")).unwrap_or_default();
            row(&from, &(to + &unseen), change.visitors);
        }
        let shown: u64 = slot.changes.iter().take(MOST_CHANGES).map(|change| change.visitors).sum();
        if shown < slot.changed {
            row("other", "changes", slot.changed - shown);
        }
        if slot.content > 0 {
            row("the same decision", "with other content", slot.content);
        }
        if slot.changed == 0 && slot.content == 0 {
            row("-", "-", 0);
        }
    }
    if !rows.is_empty() {
        out.push_str("\n| slot | before | after | visitors | share of the slot's |\n| --- | --- | --- | ---: | ---: |\n");
        out.extend(rows);
    }
}

fn experiences(summary: &Summary<'_>, out: &mut String) {
    let number = |wins: Option<u64>| wins.map_or("-".to_owned(), |wins| wins.to_string());
    let rows: Vec<String> = words::experiences(summary)
        .map(|wins| {
            let (before, after) = (number(wins.before), number(wins.after));
            format!("| {} | {before} | {after} | {} |\n", cell(wins.experience), words::difference(wins))
        })
        .collect();
    if !rows.is_empty() {
        out.push_str("\n| experience | wins before | after | |\n| --- | ---: | ---: | ---: |\n");
        out.extend(rows);
    }
}

fn examples(summary: &Summary<'_>, out: &mut String) {
    let mut body = String::new();
    for slots in words::slots(summary) {
        let Some(slot) = slots.first() else { continue };
        let name = words::names(&slots, code);
        for change in slot.changes.iter().take(MOST_CHANGES).filter(|change| !change.examples.is_empty()) {
            let [from, to] = words::change(&change.from, &change.to, code);
            body.push_str(&format!("\n{name}: {from} → {to}\n\n"));
            change.examples.iter().for_each(|example| item(example, &mut body));
        }
        if !slot.content_examples.is_empty() {
            body.push_str(&format!("\n{name}: the same decision with other content\n\n"));
            slot.content_examples.iter().for_each(|example| item(example, &mut body));
        }
    }
    if !body.is_empty() {
        out.push_str(&format!("\n<details><summary>Examples</summary>\n{body}\n</details>\n"));
    }
}

fn item(example: &Example, out: &mut String) {
    let known: Vec<String> =
        words::known(example).into_iter().map(|(name, value)| format!("{name} {}", code(&value))).collect();
    let known = if known.is_empty() { String::new() } else { format!(": {}", known.join(", ")) };
    let why = words::why(example, code).map(|why| format!(". {why}")).unwrap_or_default();
    out.push_str(&format!("- line {}, {}{known}{why}\n", example.line, code(&example.url)));
}

/// Text as code, whatever signs of Markdown or HTML are in it.
fn code(text: &str) -> String {
    let text = plain(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space at both ends is left out again by readers of Markdown, as is needed beside a backtick.
    let space = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// As [`code`], in a table, where `|` ends a cell even in code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}
