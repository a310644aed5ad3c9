//! `idoine eval` and `idoine functions`

use crate::zones::Bundled;
use crate::{Outcome, input};
use idoine::compile::{self, EvaluateError, EvaluationReport, located};
use idoine::expr::{Bindings, ExprError, FUNCTIONS};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The expression
    #[arg(allow_hyphen_values = true)]
    expression: String,
    /// A file with values by name as JSON, or - for standard input: {"geo.country": "FR", "x": {"uint": "5"}}
    #[arg(long)]
    bindings: Option<PathBuf>,
    /// A manifest, for its traits and audiences
    #[arg(long)]
    manifest: Option<PathBuf>,
    /// Print value, type and worst cost in steps, or the errors, as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let bindings = match &args.bindings {
        None => Bindings::default(),
        Some(path) => serde_json::from_str(&input::read(path)?).map_err(|error| format!("{}: {error}", path.display()))?,
    };
    let manifest = args.manifest.as_deref().map(input::manifest).transpose()?;
    let given = (&args.expression, &bindings.0, manifest.as_deref());
    let result = match compile::misspelt(given.0, given.1, given.2, &Bundled) {
        Some(message) => Err(EvaluateError::Binding(message)),
        None => compile::evaluate(given.0, given.1, given.2, &Bundled),
    };
    if args.json {
        let report = EvaluationReport::new(&args.expression, &result);
        input::print_line(&serde_json::to_string(&report).map_err(|error| error.to_string())?)?;
        return Ok(if report.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let evaluation = match result {
        Ok(evaluation) => evaluation,
        Err(EvaluateError::Binding(message)) => return Err(message),
        Err(EvaluateError::Parse(error)) => return refuse(args, &[error]),
        Err(EvaluateError::Check(errors)) => return refuse(args, &errors),
        Err(EvaluateError::Manifest(diagnostics)) => {
            let name = args.manifest.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
            let source = manifest.as_deref().unwrap_or_default();
            diagnostics.iter().for_each(|diagnostic| eprintln!("{}", diagnostic.render(&name, source)));
            return Err(format!("{} errors in {name}", diagnostics.len()));
        }
    };
    let type_name = evaluation.type_name;
    match evaluation.outcome {
        compile::Outcome::Failed(error) => refuse(args, &[error]),
        compile::Outcome::Value(value) => input::print_line(&format!("{} ({type_name})", value.literal())),
        compile::Outcome::Unknown { span } => {
            let missing = args.expression.get(span).unwrap_or_default();
            input::print_line(&format!("unknown ({type_name}): {missing} is missing"))
        }
    }
}

/// Prints what is wrong with the expression, each error at its place.
fn refuse(args: &Args, errors: &[ExprError]) -> Outcome {
    let errors = located(&args.expression, errors);
    errors.iter().for_each(|(_, at)| eprintln!("{}", at.render("expression", &args.expression)));
    Ok(ExitCode::FAILURE)
}

/// The functions as a table for people.
pub(crate) fn table() -> String {
    let width = FUNCTIONS.iter().map(|function| function.signature.len()).max().unwrap_or(0);
    let lines = FUNCTIONS
        .iter()
        .map(|function| format!("{:width$}  {:12}  {}", function.signature, function.result.name(), function.doc));
    lines.collect::<Vec<_>>().join("\n")
}
