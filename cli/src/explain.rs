//! `idoine explain`

use crate::{Outcome, input, zones};
use idoine::Context;
use idoine::report::{explanation, explanation_text};
use idoine::visitor::Visitor;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest
    manifest: PathBuf,
    /// A file with one visitor as JSON, or - for standard input
    #[arg(long)]
    visitor: PathBuf,
    /// Print the whole explanation as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let program = input::program(&args.manifest)?;
    let text = input::read(&args.visitor)?;
    let visitor: Visitor = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", args.visitor.display()))?;
    let request = visitor.request(jiff::Timestamp::now().as_millisecond(), zones::offsets);
    let context = Context::derive(&program, &request);
    let explained = idoine::explain(&program, &context);
    let edits = idoine::edits(&program, &context, &explained.decisions);
    let report = explanation(&program, &context, &explained, &edits);
    if args.json {
        input::print_line(&serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?)
    } else {
        input::print_line(explanation_text(&report).trim_end())
    }
}
