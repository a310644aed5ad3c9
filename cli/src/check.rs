//! `idoine check`

use crate::zones::Bundled;
use crate::{Outcome, input};
use idoine::compile::{Compiled, compile};
use idoine::expr::MAX_COST;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The manifest, or - for standard input
    manifest: PathBuf,
    /// Print the errors as a JSON list on standard output
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Outcome {
    if !args.json {
        let Compiled { program, costs } = input::compiled(&args.manifest)?;
        let (experiences, slots) = (program.experience_count(), program.slot_count());
        let mut text = format!("no errors: {experiences} experiences, {slots} slots, version {}", program.version());
        if let Some((path, steps)) = costs.iter().max_by_key(|(_, steps)| *steps) {
            text.push_str(&format!("\nthe costliest expression is {path}: at most {steps} of {MAX_COST} steps"));
        }
        return input::print_line(&text);
    }
    let diagnostics = compile(&input::read(&args.manifest)?, &Bundled).err().unwrap_or_default();
    let text = serde_json::to_string_pretty(&diagnostics).map_err(|error| error.to_string())?;
    input::print_line(&text)?;
    Ok(if diagnostics.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
