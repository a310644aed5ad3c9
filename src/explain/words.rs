//! Steps in words.

use super::must::reading_text;
use super::steps::{Limited, Prerequisite, Step, Unassigned};
use crate::number::share_text;
use crate::program::Program;
use crate::time::instant_text;

/// What a step looked at, in words.
pub(crate) fn step_text(program: &Program, step: &Step, now: i64) -> String {
    match step {
        Step::Page { pages, .. } => pages.join(", "),
        Step::Status(status) => format!("its status is {status}"),
        Step::Schedule { from, until } => {
            let from = from.map(|from| format!("from {} ", instant_text(from))).unwrap_or_default();
            let until = until.map(|until| format!("until {} ", instant_text(until))).unwrap_or_default();
            format!("{from}{until}(now it is {})", instant_text(now))
        }
        Step::Content(missing) => missing.iter().map(reading_text).collect::<Vec<_>>().join(", "),
        Step::Prerequisite(required) => prerequisite(program, required),
        Step::Draw { unit, bucket, share, ramp } => {
            let at_now = if *ramp { ", where its ramp is now" } else { "" };
            format!("{} is {}, the share {}{at_now}", of_unit("bucket", unit), share_text(*bucket), share_text(*share))
        }
        Step::Layer { layer, unit, bucket, from, to } => {
            let place = format!("{} in the layer {layer}", of_unit("place", unit));
            format!("{place} is {}; its part is {} to {}", share_text(*bucket), share_text(*from), share_text(*to))
        }
        Step::Cap { of, per, count, on_page, limit } => {
            let window = match *per {
                "session" => "this session",
                "day" => "today",
                "week" => "this week",
                _ => "in all",
            };
            let times = if *count == 1 { "time" } else { "times" };
            let here = if *on_page > 0 { format!(" ({on_page} of them on this page)") } else { String::new() };
            format!("{} {count} {times} {window}{here}, at most {limit}", shown(of))
        }
        Step::Cooldown { of, last, until } => {
            format!(
                "{} last at {}; the cooldown ends at {} (now it is {})",
                shown(of),
                instant_text(*last),
                instant_text(*until),
                instant_text(now)
            )
        }
        Step::Group { group, by, max: None } => format!("{} suppresses the group {group}", program.experience_id(*by)),
        Step::Group { group, by, max: Some(max) } => {
            format!("the group {group} is used up by {}: at most {max} on a page", program.experience_id(*by))
        }
        Step::NoUnit { unit, needs } => match needs {
            Some(purpose) => format!("{} needs consent for {}; it shows its baseline", id_of(unit), purpose.name()),
            None => format!("{} is not known; it shows its baseline", id_of(unit)),
        },
    }
}

/// The bucket or place of what it was drawn for.
pub(super) fn of_unit(what: &str, unit: &str) -> String {
    match unit {
        "visitor" | "user" => format!("the {unit}'s {what}"),
        path => format!("the {what} of {path}"),
    }
}

/// The path of what a bucket is drawn for.
fn id_of(unit: &str) -> &str {
    match unit {
        "visitor" => "visitor.id",
        "user" => "visitor.user_id",
        path => path,
    }
}

fn shown(of: &Limited) -> String {
    match of {
        Limited::Experience => "shown".to_owned(),
        Limited::Group(group) => format!("the group {group} was shown"),
        Limited::Site => "the site's experiences were shown".to_owned(),
    }
}

fn prerequisite(program: &Program, required: &Prerequisite) -> String {
    let id = program.experience(required.experience).map(|other| program.text(other.id));
    let mut text = format!("it requires {}", id.unwrap_or("an experience that this program leaves out"));
    let variants: Vec<String> = required.variants.iter().map(u32::to_string).collect();
    let factor = required.factor.as_ref().map(|factor| format!(" of {factor}")).unwrap_or_default();
    if let Some((last, before)) = variants.split_last() {
        let before = if before.is_empty() { String::new() } else { format!("{} or ", before.join(", ")) };
        text.push_str(&format!(" with variant {before}{last}{factor}"));
    }
    text.push_str(&match required.found {
        Ok(variant) => format!("; the visitor has variant {variant} there"),
        Err(Unassigned::NoUnit) => "; the visitor is not assigned there (no_unit)".to_owned(),
        Err(Unassigned::Lost(loss)) => format!("; the visitor is not assigned there ({})", loss.name()),
    });
    text
}
