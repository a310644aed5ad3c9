//! `idoine explain`

use crate::{Outcome, input, visitors, zones};
use idoine::diagnostic::nearest;
use idoine::report::{explanation, explanation_text, why_not_text};
use idoine::{Context, Derive, Program};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest
    manifest: PathBuf,
    /// A file with one visitor as JSON, or - for standard input
    #[arg(long)]
    visitor: PathBuf,
    /// Print what would have to change for this experience to win instead
    #[arg(long, value_name = "EXPERIENCE")]
    why_not: Option<String>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let program = input::program(&args.manifest)?;
    let text = input::read(&args.visitor)?;
    let visitor = visitors::parse_file(&text).map_err(|error| format!("{}: {error}", args.visitor.display()))?;
    let now = jiff::Timestamp::now().as_millisecond();
    let derive = |overrides: &[(String, String)]| {
        let mut visitor = visitor.clone();
        visitor.context.0.extend_from_slice(overrides);
        Context::derive(&program, &visitor.request(now, zones::offsets))
    };
    let context = derive(&[]);
    if let Some(experience) = &args.why_not {
        return why_not(&program, &context, experience, &derive, args.json);
    }
    let explained = idoine::explain(&program, &context);
    let edits = idoine::edits(&program, &context, &explained.decisions);
    let report = explanation(&program, &context, &explained, &edits);
    if args.json {
        input::print_line(&serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?)
    } else {
        input::print_line(explanation_text(&report).trim_end())
    }
}

/// What would have to change for one experience to win.
fn why_not(program: &Program, context: &Context, experience: &str, derive: Derive<'_>, json: bool) -> Outcome {
    let ids = || (0..program.experience_count() as u32).map(|index| program.experience_id(index));
    let index = ids().position(|id| id == experience);
    let Some(found) = index.and_then(|index| idoine::why_not(program, context, index as u32, derive)) else {
        let help = nearest(experience, ids()).map(|help| format!("; {help}")).unwrap_or_default();
        return Err(format!("there is no experience `{experience}`{help}"));
    };
    let report = idoine::report::why_not(program, &found);
    if json {
        input::print_line(&serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?)
    } else {
        input::print_line(why_not_text(&report).trim_end())
    }
}
