//! `idoine violations`, `idoine dead-letters`: what is otherwise than planned, and what did not arrive. `idoine consents`, `idoine measured`: what visitors
//! chose, and what is counted of nobody.

use crate::remote::To;
use crate::{Outcome, input, page};
use serde_json::{Value, json};
use std::io::IsTerminal;

#[derive(clap::Args)]
pub(crate) struct ViolationsArgs {
    #[command(flatten)]
    to: To,
    /// Of the last so many days, 1 to 30
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=30))]
    days: u32,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct DeadLettersArgs {
    #[command(flatten)]
    to: To,
    /// Send them again; needs a token of the role publish
    #[arg(long)]
    resend: bool,
    /// Those of one sink alone, such as queue, r2 or webhook:crm
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// The rows of a list of an answer.
fn rows<'a>(answer: &'a Value, list: &str) -> &'a [Value] {
    answer.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn violations(args: &ViolationsArgs) -> Outcome {
    let answer = args.to.open()?.get(&format!("violations?days={}", args.days))?;
    if args.json {
        return input::print_line(&format!("{answer:#}"));
    }
    match rows(&answer, "violations") {
        [] => input::print_line("no violations: every event was as planned"),
        rows => input::print(&page::table(rows)),
    }
}

#[derive(clap::Args)]
pub(crate) struct CountedArgs {
    #[command(flatten)]
    to: To,
    /// Of the last so many days, 1 to 400
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// Print them as JSON
    #[arg(long)]
    json: bool,
}

/// What is counted by day, as a table.
fn counted(args: &CountedArgs, list: &str, none: &str) -> Outcome {
    let answer = args.to.open()?.get(&format!("{list}?days={}", args.days))?;
    if args.json {
        return input::print_line(&format!("{answer:#}"));
    }
    match rows(&answer, list) {
        [] => input::print_line(none),
        rows => input::print(&page::table(rows)),
    }
}

pub(crate) fn consents(args: &CountedArgs) -> Outcome {
    counted(args, "consents", "nobody chose anything")
}

pub(crate) fn measured(args: &CountedArgs) -> Outcome {
    counted(args, "measured", "nothing was counted")
}

pub(crate) fn dead_letters(args: &DeadLettersArgs) -> Outcome {
    let remote = args.to.open()?;
    if args.resend {
        return resend(args, &remote);
    }
    let query = args.sink.as_ref().map_or_else(String::new, |sink| format!("?sink={}", crate::remote::encoded(sink)));
    let mut answer = remote.get(&format!("dead-letters{query}"))?;
    if args.json {
        return input::print_line(&format!("{answer:#}"));
    }
    if rows(&answer, "counts").is_empty() {
        input::print_line("no dead letters: nothing was given up")?;
    }
    // What they say is in --json: a page of it would hide the rest.
    let letters = answer.get_mut("letters").and_then(Value::as_array_mut).into_iter().flatten();
    letters.filter_map(Value::as_object_mut).for_each(|letter| {
        letter.remove("message");
    });
    input::print(&page::of(&answer))
}

/// Sends all of them again: a site takes some at a time.
fn resend(args: &DeadLettersArgs, remote: &crate::remote::Remote) -> Outcome {
    let asked = args.sink.as_ref().map_or_else(|| json!({}), |sink| json!({ "sink": sink })).to_string();
    let mut resent = 0_u64;
    let left = loop {
        let answer = remote.post("dead-letters", "application/json", asked.as_bytes())?;
        let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
        resent = resent.saturating_add(number("resent"));
        if number("left") == 0 || number("resent") == 0 {
            break number("left");
        }
        if std::io::stderr().is_terminal() {
            eprintln!("{} on their way again, {} left", input::count(resent, "letter"), number("left"));
        }
    };
    if args.json {
        return input::print_line(&format!("{:#}", json!({ "resent": resent, "left": left })));
    }
    let stay = if left > 0 {
        format!("; {left} stay, of sinks that are not wanted any more or were not asked for")
    } else {
        String::new()
    };
    input::print_line(&format!("{} on their way again{stay}", input::count(resent, "letter")))
}
