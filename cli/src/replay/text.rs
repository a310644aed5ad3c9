//! The report for a terminal.

use super::words::{self, MOST_CHANGES, count, percent, plain};
use idoine::replay::{Example, Side, SlotSummary, Summary};

pub(super) fn render([old, new]: [String; 2], summary: &Summary<'_>) -> String {
    let side = |name: &str, path: &str, side: &Side| {
        let (experiences, slots) = (count(side.experiences as u64, "experience"), count(side.slots as u64, "slot"));
        format!("{name}  {path}, version {}, {experiences}, {slots}\n", side.version)
    };
    let mut out = side("old", &old, &summary.old) + &side("new", &new, &summary.new);
    let all = summary.visitors;
    out.push_str(&format!("\n{}\n", count(all, "visitor")));
    let width = all.to_string().len();
    for (part, what) in [
        (summary.changed, "get other decisions"),
        (summary.content, "get the same decisions with other content"),
        (all - summary.changed - summary.content, "nothing changes"),
    ] {
        out.push_str(&format!("  {part:width$}  {:>7}  {what}\n", percent(part, all)));
    }
    for slots in words::slots(summary) {
        slots_text(&slots, &mut out);
    }
    experiences(summary, &mut out);
    let receipts = words::receipts(summary);
    if let Some(receipts) = receipts {
        out.push_str(&format!("\n{receipts}\n"));
    }
    for note in words::notes(summary) {
        out.push_str(&format!("\nnote: {note}\n"));
    }
    out
}

/// Slots with the same changes.
fn slots_text(slots: &[&SlotSummary<'_>], out: &mut String) {
    let Some(slot) = slots.first() else { return };
    let only = words::only_in(slot).map(|only| format!(", {only}")).unwrap_or_default();
    let (changed, visitors) = (slot.changed, slot.visitors);
    out.push_str(&format!(
        "\nslot{} {}, on the page of {}{only}: {changed} changed ({})\n",
        if slots.len() == 1 { "" } else { "s" },
        words::names(slots, str::to_owned),
        count(visitors, "visitor"),
        percent(changed, visitors)
    ));
    let width = visitors.to_string().len();
    for change in slot.changes.iter().take(MOST_CHANGES) {
        let [from, to] = words::change(&change.from, &change.to, str::to_owned);
        let unseen = words::unseen(change).map(|unseen| format!(", {unseen}")).unwrap_or_default();
        let share = percent(change.visitors, visitors);
        out.push_str(&format!("  {:width$}  {share:>7}  {from} -> {to}{unseen}\n", change.visitors));
        change.examples.iter().for_each(|example| example_text(example, out));
    }
    let shown: u64 = slot.changes.iter().take(MOST_CHANGES).map(|change| change.visitors).sum();
    if shown < changed {
        out.push_str(&format!("  {:width$}  {:>7}  in other ways\n", changed - shown, percent(changed - shown, visitors)));
    }
    if slot.content > 0 {
        let share = percent(slot.content, visitors);
        out.push_str(&format!("  {:width$}  {share:>7}  the same decision with other content\n", slot.content));
        slot.content_examples.iter().for_each(|example| example_text(example, out));
    }
}

fn example_text(example: &Example, out: &mut String) {
    out.push_str(&format!("      line {}: {}\n", example.line, plain(&example.url)));
    let known: Vec<String> = words::known(example).into_iter().map(|(name, value)| format!("{name} {value}")).collect();
    if !known.is_empty() {
        out.push_str(&format!("        {}\n", known.join(", ")));
    }
    if let Some(why) = words::why(example, str::to_owned) {
        out.push_str(&format!("        {why}\n"));
    }
}

fn experiences(summary: &Summary<'_>, out: &mut String) {
    let wins: Vec<_> = words::experiences(summary).collect();
    if wins.is_empty() {
        return;
    }
    let width = wins.iter().map(|wins| wins.experience.chars().count()).max().unwrap_or(0).max("experience".len());
    out.push_str(&format!("\n{:width$}  wins before    after\n", "experience"));
    let number = |wins: Option<u64>| wins.map_or("-".to_owned(), |wins| wins.to_string());
    for wins in wins {
        let (before, after) = (number(wins.before), number(wins.after));
        let difference = words::difference(wins);
        out.push_str(&format!("{:width$}  {before:>11}  {after:>7}  {difference}\n", wins.experience));
    }
}
